"""`haikei decide --by`: who decides is a person whom the tracker knows."""

import pytest

from haikei.cli.decide import decider_of
from haikei.errors import ReviewError
from support.web import KATO, MemorySelection


def test_who_decides_by_command_can_be_credited() -> None:
    desk = MemorySelection()
    who = decider_of(desk, KATO.login)

    assert (who.login, who.name, who.person_id) == (KATO.login, KATO.name, KATO.person_id)
    assert desk.closed == 1


def test_a_login_that_the_tracker_does_not_know_decides_nothing() -> None:
    desk = MemorySelection()
    with pytest.raises(ReviewError, match="no active person with the login 'katto'"):
        decider_of(desk, "katto")

    assert desk.closed == 1
