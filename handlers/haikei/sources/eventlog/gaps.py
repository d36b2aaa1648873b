"""
Ids that the event log skipped, until they appear or are given up.

A site takes an event's id when a transaction begins and shows the row when it commits: of the
newest thousand ids almost a third may be missing for a while, some for ever. Below the frontier
every id has either been read or is in a gap, so the gaps are also what tells new events from known.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from haikei.trackers import FeedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Consecutive ids that have not been seen, both ends included."""

    first: int
    last: int
    deadline: float  #: on the feed's clock; given up when it has passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A range of ids to read again, both ends included."""

    first: int
    last: int


def skipped(
    frontier: int, events: Iterable[FeedEvent], *, since: datetime, deadline: float
) -> list[Gap]:
    """
    Return the gaps that events leave above `frontier`.

    Args:
        frontier: the newest id read before.
        events: in order of id.
        since: what is missing before an event that is older than this will never appear.
        deadline: of the gaps.
    """
    gaps: list[Gap] = []
    for event in events:
        if event.id > frontier + 1 and event.created_at >= since:
            gaps.append(Gap(first=frontier + 1, last=event.id - 1, deadline=deadline))
        frontier = event.id
    return gaps


def without(gaps: Iterable[Gap], ids: Iterable[int]) -> list[Gap]:
    """Return what is left of the gaps when `ids` have appeared."""
    appeared = sorted(ids)
    left: list[Gap] = []
    for gap in gaps:
        first = gap.first
        start, end = bisect_left(appeared, gap.first), bisect_right(appeared, gap.last)
        for found in appeared[start:end]:
            if found > first:
                left.append(replace(gap, first=first, last=found - 1))
            first = found + 1
        if first <= gap.last:
            left.append(replace(gap, first=first))
    return left


def reaches(gaps: Iterable[Gap], size: int) -> list[Reach]:
    """Return ranges that hold all gaps, in order; gaps within `size` ids share a range."""
    found: list[Reach] = []
    for gap in sorted(gaps, key=lambda gap: gap.first):
        if found and gap.last - found[-1].first < size:
            found[-1] = Reach(first=found[-1].first, last=gap.last)
        else:
            found.append(Reach(first=gap.first, last=gap.last))
    return found


def holding(gaps: Sequence[Gap], ids: Iterable[int]) -> set[int]:
    """Return those of `ids` that are in a gap."""
    ordered = sorted(gaps, key=lambda gap: gap.first)
    firsts = [gap.first for gap in ordered]
    held: set[int] = set()
    for found in ids:
        index = bisect_right(firsts, found) - 1
        if index >= 0 and found <= ordered[index].last:
            held.add(found)
    return held
