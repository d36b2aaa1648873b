"""What a status means, what follows from it, and what is never done twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from haikei.credits import Contribution, ReviewState, Role, records
from haikei.errors import ReviewError, TrackerRejected, TrackerUnavailable
from haikei.review import Decider, Deciding, Decision, ReviewVerdict, check_statuses
from haikei.review.notes import NoteState
from support.desk import KATO, MORI, MemoryDesk
from support.review_house import ReviewHouse

ON_PAGE = Decider(login="kato", name=KATO.name, person_id=KATO.id)


def state_of(house: ReviewHouse) -> ReviewState:
    with house.database.connect() as connection:
        version = records.background(connection, house.order.key)
    assert version is not None
    return version.state


def given(house: ReviewHouse, role: Role) -> list[Contribution]:
    with house.database.connect() as connection:
        version = records.background(connection, house.order.key)
    assert version is not None
    return [one for one in version.final.contributions if one.role is role]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("apr", ReviewState.APPROVED),
        ("fin", ReviewState.APPROVED),
        ("rtk", ReviewState.RETAKE),
        ("hld", ReviewState.ON_HOLD),
        ("omt", ReviewState.OMITTED),
        ("vwd", ReviewState.IN_REVIEW),
    ],
)
def test_a_status_says_what_was_decided(
    house: ReviewHouse, status: str, state: ReviewState
) -> None:
    house.desk.set_status(1, status)

    house.review()

    assert state_of(house) is state


def test_an_approval_is_sealed_with_who_gave_it_and_finishes_the_task(house: ReviewHouse) -> None:
    house.desk.set_status(1, "apr")

    house.review()
    house.review()

    (approval,) = given(house, Role.APPROVAL)
    assert approval.actor.name == "K. Mori"
    assert approval.at == house.desk.versions[1].status_at
    assert approval.evidence.source == "Version:1 status apr"
    assert house.desk.task_status == {4: "fin"}
    view = house.view()
    assert (view.decision, view.decided_by) == (Decision.APPROVE, "K. Mori")


def test_another_status_of_the_same_meaning_is_no_new_decision(house: ReviewHouse) -> None:
    house.desk.set_status(1, "apr")
    house.review()

    house.desk.set_status(1, "fin")
    house.review()

    assert len(given(house, Role.APPROVAL)) == 1


def test_leaving_approval_reopens_the_version_and_its_task(house: ReviewHouse) -> None:
    house.desk.set_status(1, "apr")
    house.review()

    house.desk.set_status(1, "rev")
    house.review()

    assert state_of(house) is ReviewState.IN_REVIEW
    assert house.desk.task_status == {4: "ip"}
    assert house.retakes == []


def test_leaving_approval_leaves_the_task_done_where_another_version_is_approved(
    house: ReviewHouse,
) -> None:
    house.desk.note(1, "less green", KATO)
    house.desk.set_status(1, "rtk")
    house.review()
    newer = house.make(house.retakes[0])
    house.desk.set_status(newer, "apr")
    house.desk.set_status(1, "apr")
    house.review()

    house.desk.set_status(1, "rev")
    house.review()

    assert state_of(house) is ReviewState.IN_REVIEW
    assert house.desk.task_status == {4: "fin"}


def test_a_note_after_the_approval_is_answered_once_and_makes_nothing(house: ReviewHouse) -> None:
    house.desk.note(1, "Good!")
    house.desk.set_status(1, "apr")
    for _ in range(15):
        house.desk.note(1, "us", None, by_us=True)
    late = house.desk.note(1, "less green")

    house.review()
    house.review()

    assert [reply.note for reply in house.desk.replies] == [late]
    assert "approved" in house.desk.replies[0].text
    assert house.retakes == []


def test_a_note_after_the_approval_counts_when_the_version_is_reopened(house: ReviewHouse) -> None:
    house.desk.set_status(1, "apr")
    for _ in range(15):
        house.desk.note(1, "us", None, by_us=True)
    house.desk.note(1, "less green")
    house.review()

    house.desk.set_status(1, "rtk")
    house.review()

    (order,) = house.retakes
    assert order.retake is not None
    assert order.retake.instructions.text == "less green"


def test_a_copy_of_our_version_with_all_its_fields_decides_nothing(house: ReviewHouse) -> None:
    house.desk.show(9, house.order.key, "a copy")
    house.desk.set_status(9, "apr")

    house.review()

    assert state_of(house) is ReviewState.IN_REVIEW


def test_a_version_that_is_not_ours_is_forgotten(house: ReviewHouse) -> None:
    house.desk.show(9, "another-studio", "theirs")
    house.desk.set_status(9, "rtk")

    house.review()
    house.wake(777)

    assert house.reviewer().tick() == 1
    assert house.reviewer().tick() == 0


def test_a_tracker_that_is_away_delays_and_loses_nothing(house: ReviewHouse) -> None:
    house.desk.set_status(1, "apr")
    house.desk.failures = [TrackerUnavailable("maintenance")]
    house.wake()
    reviewer = house.reviewer()

    reviewer.tick()
    assert state_of(house) is ReviewState.IN_REVIEW
    house.review()

    assert state_of(house) is ReviewState.APPROVED


def test_an_answer_that_the_tracker_refuses_is_tried_again(house: ReviewHouse) -> None:
    house.desk.set_status(1, "apr")
    house.wake()
    reviewer = house.reviewer()
    house.desk.after_look = lambda: house.desk.failures.append(TrackerRejected("no permission"))
    reviewer.tick()
    house.desk.after_look = lambda: None
    assert house.desk.task_status == {}

    house.review()

    assert house.desk.task_status == {4: "fin"}


def test_what_nobody_told_of_is_found_by_the_reconciliation(house: ReviewHouse) -> None:
    house.desk.set_status(1, "apr")
    reviewer = house.reviewer()

    assert reviewer.reconcile() == 1
    reviewer.tick()

    assert state_of(house) is ReviewState.APPROVED


def test_the_page_tells_the_tracker_and_the_tracker_decides(house: ReviewHouse) -> None:
    deciding = Deciding(house.settings, house.database, house.desk)

    deciding.decide(
        house.order.key, ReviewVerdict(decision=Decision.RETAKE, text="at night", by=ON_PAGE)
    )

    assert house.desk.versions[1].status == "rtk"
    assert house.desk.versions[1].notes[0].author == KATO
    house.review()
    (order,) = house.retakes
    assert order.time == "night"
    assert order.retake is not None
    assert [person.id for person in order.retake.asked_by] == [KATO.id]


def test_a_form_that_is_sent_twice_decides_once(house: ReviewHouse) -> None:
    deciding = Deciding(house.settings, house.database, house.desk)
    verdict = ReviewVerdict(decision=Decision.RETAKE, text="at night", by=ON_PAGE)

    deciding.decide(house.order.key, verdict)
    deciding.decide(house.order.key, verdict)

    assert len(house.desk.versions[1].notes) == 1
    house.review()
    assert len(house.retakes) == 1


def test_the_same_words_after_a_retake_ask_for_another(house: ReviewHouse) -> None:
    deciding = Deciding(house.settings, house.database, house.desk)
    verdict = ReviewVerdict(decision=Decision.RETAKE, text="brighter", by=ON_PAGE)
    deciding.decide(house.order.key, verdict)
    house.review()
    house.make(house.retakes[0])
    house.review()

    deciding.decide(house.order.key, verdict)
    house.review()

    assert len(house.retakes) == 2


def test_a_note_from_the_page_counts_though_nobody_signed_in(house: ReviewHouse) -> None:
    deciding = Deciding(house.settings, house.database, house.desk)

    deciding.decide(house.order.key, ReviewVerdict(decision=Decision.RETAKE, text="less green"))

    assert house.desk.versions[1].notes[0].by_us
    house.review()
    (order,) = house.retakes
    assert order.retake is not None
    assert order.retake.instructions.text == "less green"
    assert order.retake.asked_by == ()


def test_who_decided_on_the_page_is_credited_where_the_tracker_cannot_tell(
    house: ReviewHouse,
) -> None:
    house.desk.hides_authors = True
    deciding = Deciding(house.settings, house.database, house.desk)

    deciding.decide(house.order.key, ReviewVerdict(decision=Decision.APPROVE, by=ON_PAGE))
    house.review()

    (approval,) = given(house, Role.APPROVAL)
    assert approval.actor == replace(KATO, name_ja="")


def test_who_approved_is_sealed_as_soon_as_the_tracker_tells(house: ReviewHouse) -> None:
    house.desk.hides_authors = True
    house.desk.set_status(1, "apr")
    house.wake()
    reviewer = house.reviewer()
    reviewer.tick()
    assert state_of(house) is ReviewState.APPROVED
    assert given(house, Role.APPROVAL) == []

    seen = house.desk.versions[1]
    house.desk.versions[1] = replace(seen, status_by=MORI, status_at=house.desk.now)
    house.ahead += timedelta(seconds=10)
    reviewer.tick()
    house.review()

    (approval,) = given(house, Role.APPROVAL)
    assert approval.actor.name == MORI.name
    assert house.view().decided_by == MORI.name


def test_what_was_said_for_a_decision_that_failed_credits_nobody(house: ReviewHouse) -> None:
    house.desk.hides_authors = True
    house.desk.refused_statuses = ("apr",)
    deciding = Deciding(house.settings, house.database, house.desk)
    with pytest.raises(TrackerRejected):
        deciding.decide(house.order.key, ReviewVerdict(decision=Decision.APPROVE, by=ON_PAGE))

    house.desk.set_status(1, "apr", by=None)
    house.review()

    assert given(house, Role.APPROVAL) == []


def test_a_decision_about_nothing_says_so(house: ReviewHouse) -> None:
    deciding = Deciding(house.settings, house.database, house.desk)

    with pytest.raises(ReviewError, match="no version"):
        deciding.decide("unknown", ReviewVerdict(decision=Decision.APPROVE))
    house.desk.versions.clear()
    with pytest.raises(ReviewError, match="does not show"):
        deciding.decide(house.order.key, ReviewVerdict(decision=Decision.APPROVE))


def test_each_status_that_the_site_lacks_is_one_clear_line(house: ReviewHouse) -> None:
    desk = MemoryDesk(version_statuses=("rev", "apr", "rtk", "hld", "omt"), task_statuses=("ip",))

    findings = check_statuses(house.settings, desk)

    assert [finding.subject for finding in findings] == ["status Version fin", "status Task fin"]
    assert not any(finding.ok for finding in findings)


def test_a_task_status_that_the_site_lacks_is_not_written(house: ReviewHouse) -> None:
    house.desk.task_statuses = ("ip",)
    house.desk.set_status(1, "apr")
    house.wake()
    reviewer = house.reviewer()

    reviewer.check()
    reviewer.tick()

    assert state_of(house) is ReviewState.APPROVED
    assert house.desk.task_status == {}


def test_one_code_with_two_meanings_is_told(
    open_house: Callable[..., ReviewHouse],
) -> None:
    house = open_house(review={"statuses": {"retake": ["rtk", "hld"]}})

    findings = check_statuses(house.settings, house.desk)

    assert [finding.subject for finding in findings] == ["status Version hld"]
    assert "retake" in findings[0].message


def test_a_decision_taken_back_before_the_retake_began_makes_none(
    open_house: Callable[..., ReviewHouse],
) -> None:
    house = open_house(review={"settle": 30})
    house.desk.set_status(1, "rtk")
    house.wake()
    house.reviewer().tick()

    house.desk.set_status(1, "rev", by=MORI)
    house.review()

    assert house.retakes == []
    assert [note.state for note in house.view().notes if note.state is NoteState.TAKEN] == []
