"""Gaps behave as the sets of ids that they stand for."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from haikei.sources.eventlog.cursor import Gap, holding, reaches, skipped, without
from haikei.trackers import EventKind, FeedEvent

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ids = st.sets(st.integers(1, 120))


def event(number: int, *, at: datetime = NOON) -> FeedEvent:
    return FeedEvent(
        id=number,
        kind=EventKind.OTHER,
        row=1,
        project="PORT",
        by_us=False,
        created_at=at,
    )


def members(gaps: list[Gap]) -> list[int]:
    return [number for gap in gaps for number in range(gap.first, gap.last + 1)]


def gaps_between(seen: set[int]) -> list[Gap]:
    return skipped(0, [event(number) for number in sorted(seen)], since=NOON, deadline=9.0)


@given(seen=ids)
def test_what_is_neither_seen_nor_above_is_in_a_gap(seen: set[int]) -> None:
    expected = sorted(set(range(1, max(seen, default=0) + 1)) - seen)

    assert members(gaps_between(seen)) == expected


@given(seen=ids, appeared=ids)
def test_ids_that_appear_leave_their_gaps_and_nothing_else_does(
    seen: set[int], appeared: set[int]
) -> None:
    gaps = gaps_between(seen)

    left = without(gaps, appeared)

    assert members(left) == [number for number in members(gaps) if number not in appeared]
    assert all(gap.deadline == 9.0 for gap in left)


@given(seen=ids, asked=ids)
def test_an_id_is_held_exactly_when_a_gap_has_it(seen: set[int], asked: set[int]) -> None:
    gaps = gaps_between(seen)

    assert holding(gaps, asked) == asked & set(members(gaps))


@given(seen=ids, size=st.integers(1, 50))
def test_ranges_hold_every_gap_once_and_are_no_longer_than_they_need(
    seen: set[int], size: int
) -> None:
    gaps = gaps_between(seen)

    found = reaches(gaps, size)

    for gap in gaps:
        assert sum(reach.first <= gap.first and gap.last <= reach.last for reach in found) == 1
    for reach in found:
        inside = [gap for gap in gaps if reach.first <= gap.first <= reach.last]
        assert len(inside) == 1 or reach.last - reach.first < size


def test_what_is_missing_before_an_old_event_is_no_gap() -> None:
    old = NOON - timedelta(days=1)

    gaps = skipped(0, [event(5, at=old), event(9)], since=NOON, deadline=9.0)

    assert gaps == [Gap(first=6, last=8, deadline=9.0)]
