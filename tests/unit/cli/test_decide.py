"""`haikei decide --by`: who decides is a person whom the tracker knows."""

import pytest

from haikei.errors import ReviewError
from haikei.review import decider_of
from haikei.trackers.memory import MemorySelectionDesk
from support.web import KATO, MORI


def test_who_decides_by_command_can_be_credited() -> None:
    desk = MemorySelectionDesk(people=(MORI, KATO))
    who = decider_of(desk, KATO.login)

    assert (who.login, who.name, who.person_id) == (KATO.login, KATO.name, KATO.person_id)


def test_a_login_that_the_tracker_does_not_know_decides_nothing() -> None:
    desk = MemorySelectionDesk(people=(MORI, KATO))
    with pytest.raises(ReviewError, match="no active person with the login 'katto'"):
        decider_of(desk, "katto")
