"""What tests of reports begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.reports import ReportDesk, report_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ReportDesk]:
    with report_desk(tmp_path) as opened:
        yield opened
