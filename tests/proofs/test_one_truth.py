"""Many random histories: every form of every report, all marks, and the auditor's script agree."""

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from support.acts import Act, histories
from support.histories import Show
from support.testimony import check_everywhere

#: `HISTORIES=150 make proofs` looks further, for ten minutes.
HISTORIES = int(os.environ.get("HISTORIES", "40"))


@pytest.mark.timeout(3600)
@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(acts=histories(most=9))
def test_all_that_is_said_of_a_show_is_said_by_its_sealed_history(acts: list[Act]) -> None:
    with ExitStack() as stack, TemporaryDirectory() as folder:
        show = Show(stack, Path(folder))
        show.play(acts)
        check_everywhere(show, files=True)
