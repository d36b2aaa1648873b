"""Reports of few and of many cuts are set on pages that are worth their paper."""

from pathlib import Path

import pytest

from support.reports import PAGED, filled_pages, report_desk


@pytest.mark.parametrize("cuts", [1, 13])
@pytest.mark.parametrize("name", PAGED)
def test_no_page_of_a_shorter_or_longer_report_is_nearly_empty(
    tmp_path: Path, name: str, cuts: int
) -> None:
    with report_desk(tmp_path) as desk:
        pages = filled_pages(desk, name, cuts=cuts)

    assert len(pages) == 1 or min(pages) >= 0.25, pages
