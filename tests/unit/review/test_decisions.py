"""What a status means, what follows from it, and what is never done twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from haikei.credits import Contribution, Role, records
from haikei.decisions import Decision, ReviewState
from haikei.errors import ReviewError, TrackerRejected, TrackerUnavailable
from haikei.review import Decider, Deciding, ReviewVerdict, check_statuses
from haikei.review.notes import NoteState
from support.studio import ReviewStudio
from support.trackers import KATO, MORI, MemoryReview

ON_PAGE = Decider(login="kato", name=KATO.name, person_id=KATO.id)


def state_of(studio: ReviewStudio) -> ReviewState:
    with studio.database.connect() as connection:
        version = records.background(connection, studio.order.key)
    assert version is not None
    return version.state


def given(studio: ReviewStudio, role: Role) -> list[Contribution]:
    with studio.database.connect() as connection:
        version = records.background(connection, studio.order.key)
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
    studio: ReviewStudio, status: str, state: ReviewState
) -> None:
    studio.desk.set_status(1, status)

    studio.review()

    assert state_of(studio) is state


def test_an_approval_is_sealed_with_who_gave_it_and_finishes_the_task(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "apr")

    studio.review()
    studio.review()

    (approval,) = given(studio, Role.APPROVAL)
    assert approval.actor.name == "K. Mori"
    assert approval.at == studio.desk.versions[1].status_at
    assert approval.evidence.source == "Version:1 status apr"
    assert studio.desk.task_status == {4: "fin"}
    view = studio.view()
    assert (view.decision, view.decided_by) == (Decision.APPROVE, "K. Mori")


def test_another_status_of_the_same_meaning_is_no_new_decision(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "apr")
    studio.review()

    studio.desk.set_status(1, "fin")
    studio.review()

    assert len(given(studio, Role.APPROVAL)) == 1


def test_leaving_approval_reopens_the_version_and_its_task(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "apr")
    studio.review()

    studio.desk.set_status(1, "rev")
    studio.review()

    assert state_of(studio) is ReviewState.IN_REVIEW
    assert studio.desk.task_status == {4: "ip"}
    assert studio.retakes == []


def test_leaving_approval_leaves_the_task_done_where_another_version_is_approved(
    studio: ReviewStudio,
) -> None:
    studio.desk.note(1, "less green", KATO)
    studio.desk.set_status(1, "rtk")
    studio.review()
    newer = studio.make(studio.retakes[0])
    studio.desk.set_status(newer, "apr")
    studio.desk.set_status(1, "apr")
    studio.review()

    studio.desk.set_status(1, "rev")
    studio.review()

    assert state_of(studio) is ReviewState.IN_REVIEW
    assert studio.desk.task_status == {4: "fin"}


def test_a_note_after_the_approval_is_answered_once_and_makes_nothing(studio: ReviewStudio) -> None:
    studio.desk.note(1, "Good!")
    studio.desk.set_status(1, "apr")
    for _ in range(15):
        studio.desk.note(1, "us", None, by_us=True)
    late = studio.desk.note(1, "less green")

    studio.review()
    studio.review()

    assert [reply.note for reply in studio.answers] == [late]
    assert "approved" in studio.answers[0].text
    assert studio.retakes == []


def test_a_note_after_the_approval_counts_when_the_version_is_reopened(
    studio: ReviewStudio,
) -> None:
    studio.desk.set_status(1, "apr")
    for _ in range(15):
        studio.desk.note(1, "us", None, by_us=True)
    studio.desk.note(1, "less green")
    studio.review()

    studio.desk.set_status(1, "rtk")
    studio.review()

    (order,) = studio.retakes
    assert order.retake is not None
    assert order.retake.instructions.text == "less green"


def test_a_copy_of_our_version_with_all_its_fields_decides_nothing(studio: ReviewStudio) -> None:
    studio.desk.show(9, studio.order.key, "a copy")
    studio.desk.set_status(9, "apr")

    studio.review()

    assert state_of(studio) is ReviewState.IN_REVIEW


def test_a_version_that_is_not_ours_is_forgotten(studio: ReviewStudio) -> None:
    studio.desk.show(9, "another-studio", "theirs")
    studio.desk.set_status(9, "rtk")

    studio.review()
    studio.wake(777)

    assert studio.reviewer().tick() == 1
    assert studio.reviewer().tick() == 0


def test_a_tracker_that_is_away_delays_and_loses_nothing(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "apr")
    studio.desk.failures = [TrackerUnavailable("maintenance")]
    studio.wake()
    reviewer = studio.reviewer()

    reviewer.tick()
    assert state_of(studio) is ReviewState.IN_REVIEW
    studio.review()

    assert state_of(studio) is ReviewState.APPROVED


def test_an_answer_that_the_tracker_refuses_is_tried_again(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "apr")
    studio.wake()
    reviewer = studio.reviewer()
    studio.desk.after_look = lambda: studio.desk.failures.append(TrackerRejected("no permission"))
    reviewer.tick()
    studio.desk.after_look = lambda: None
    assert studio.desk.task_status == {}

    studio.review()

    assert studio.desk.task_status == {4: "fin"}


def test_what_nobody_told_of_is_found_by_the_reconciliation(studio: ReviewStudio) -> None:
    studio.desk.set_status(1, "apr")
    reviewer = studio.reviewer()

    assert reviewer.reconcile() == 1
    reviewer.tick()

    assert state_of(studio) is ReviewState.APPROVED


def test_the_page_tells_the_tracker_and_the_tracker_decides(studio: ReviewStudio) -> None:
    deciding = Deciding(studio.settings, studio.database, studio.desk)

    deciding.decide(
        studio.order.key, ReviewVerdict(decision=Decision.RETAKE, text="at night", by=ON_PAGE)
    )

    assert studio.desk.versions[1].status == "rtk"
    assert studio.desk.versions[1].notes[0].author == KATO
    studio.review()
    (order,) = studio.retakes
    assert order.time == "night"
    assert order.retake is not None
    assert [person.id for person in order.retake.asked_by] == [KATO.id]


def test_a_form_that_is_sent_twice_decides_once(studio: ReviewStudio) -> None:
    deciding = Deciding(studio.settings, studio.database, studio.desk)
    verdict = ReviewVerdict(decision=Decision.RETAKE, text="at night", by=ON_PAGE)

    deciding.decide(studio.order.key, verdict)
    deciding.decide(studio.order.key, verdict)

    assert len(studio.desk.versions[1].notes) == 1
    studio.review()
    assert len(studio.retakes) == 1


def test_the_same_words_after_a_retake_ask_for_another(studio: ReviewStudio) -> None:
    deciding = Deciding(studio.settings, studio.database, studio.desk)
    verdict = ReviewVerdict(decision=Decision.RETAKE, text="brighter", by=ON_PAGE)
    deciding.decide(studio.order.key, verdict)
    studio.review()
    studio.make(studio.retakes[0])
    studio.review()

    deciding.decide(studio.order.key, verdict)
    studio.review()

    assert len(studio.retakes) == 2


def test_a_note_from_the_page_counts_though_nobody_signed_in(studio: ReviewStudio) -> None:
    deciding = Deciding(studio.settings, studio.database, studio.desk)

    deciding.decide(studio.order.key, ReviewVerdict(decision=Decision.RETAKE, text="less green"))

    assert studio.desk.versions[1].notes[0].by_us
    studio.review()
    (order,) = studio.retakes
    assert order.retake is not None
    assert order.retake.instructions.text == "less green"
    assert order.retake.asked_by == ()


def test_who_decided_on_the_page_is_credited_where_the_tracker_cannot_tell(
    studio: ReviewStudio,
) -> None:
    studio.desk.hides_authors = True
    deciding = Deciding(studio.settings, studio.database, studio.desk)

    deciding.decide(studio.order.key, ReviewVerdict(decision=Decision.APPROVE, by=ON_PAGE))
    studio.review()

    (approval,) = given(studio, Role.APPROVAL)
    assert approval.actor == replace(KATO, name_ja="")


def test_who_approved_is_sealed_as_soon_as_the_tracker_tells(studio: ReviewStudio) -> None:
    studio.desk.hides_authors = True
    studio.desk.set_status(1, "apr")
    studio.wake()
    reviewer = studio.reviewer()
    reviewer.tick()
    assert state_of(studio) is ReviewState.APPROVED
    assert given(studio, Role.APPROVAL) == []

    seen = studio.desk.versions[1]
    studio.desk.versions[1] = replace(seen, status_by=MORI, status_at=studio.desk.now)
    studio.ahead += timedelta(seconds=10)
    reviewer.tick()
    studio.review()

    (approval,) = given(studio, Role.APPROVAL)
    assert approval.actor.name == MORI.name
    assert studio.view().decided_by == MORI.name


def test_what_was_said_for_a_decision_that_failed_credits_nobody(studio: ReviewStudio) -> None:
    studio.desk.hides_authors = True
    studio.desk.refused_statuses = ("apr",)
    deciding = Deciding(studio.settings, studio.database, studio.desk)
    with pytest.raises(TrackerRejected):
        deciding.decide(studio.order.key, ReviewVerdict(decision=Decision.APPROVE, by=ON_PAGE))

    studio.desk.set_status(1, "apr", by=None)
    studio.review()

    assert given(studio, Role.APPROVAL) == []


def test_a_decision_about_nothing_says_so(studio: ReviewStudio) -> None:
    deciding = Deciding(studio.settings, studio.database, studio.desk)

    with pytest.raises(ReviewError, match="no version"):
        deciding.decide("unknown", ReviewVerdict(decision=Decision.APPROVE))
    studio.desk.versions.clear()
    with pytest.raises(ReviewError, match="does not show"):
        deciding.decide(studio.order.key, ReviewVerdict(decision=Decision.APPROVE))


def test_each_status_that_the_site_lacks_is_one_clear_line(studio: ReviewStudio) -> None:
    desk = MemoryReview(version_statuses=("rev", "apr", "rtk", "hld", "omt"), task_statuses=("ip",))

    findings = check_statuses(studio.settings, desk)

    assert [finding.subject for finding in findings] == ["status Version fin", "status Task fin"]
    assert not any(finding.ok for finding in findings)


def test_a_task_status_that_the_site_lacks_is_not_written(studio: ReviewStudio) -> None:
    studio.desk.task_statuses = ("ip",)
    studio.desk.set_status(1, "apr")
    studio.wake()
    reviewer = studio.reviewer()

    reviewer.check()
    reviewer.tick()

    assert state_of(studio) is ReviewState.APPROVED
    assert studio.desk.task_status == {}


def test_one_code_with_two_meanings_is_told(
    open_studio: Callable[..., ReviewStudio],
) -> None:
    studio = open_studio(review={"statuses": {"retake": ["rtk", "hld"]}})

    findings = check_statuses(studio.settings, studio.desk)

    assert [finding.subject for finding in findings] == ["status Version hld"]
    assert "retake" in findings[0].message


def test_a_decision_taken_back_before_the_retake_began_makes_none(
    open_studio: Callable[..., ReviewStudio],
) -> None:
    studio = open_studio(review={"settle": 30})
    studio.desk.set_status(1, "rtk")
    studio.wake()
    studio.reviewer().tick()

    studio.desk.set_status(1, "rev", by=MORI)
    studio.review()

    assert studio.retakes == []
    assert [note.state for note in studio.view().notes if note.state is NoteState.TAKEN] == []
