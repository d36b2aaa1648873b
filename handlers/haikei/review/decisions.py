"""
What is decided about a version, and the status codes of the tracker that say so.

A Note may be written about several cuts at once: it counts for each. When a retake is made, the new
Version is linked to the Notes that asked for it, so one thread of Replies hangs on the old and on
the new Version; in that thread, and on Versions of one cut, season and time, each word counts once.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from haikei.checkup import Finding
from haikei.database import backgrounds, jobs, review_notes, reviews
from haikei.decisions import Decision
from haikei.errors import HaikeiError
from haikei.jobs.job import JobState
from haikei.jobs.table import order_of
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import ReviewDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides on Haikei's pages or command line, as the tracker knows them."""

    login: str = ""  #: empty: nobody has signed in, and Haikei itself writes to the tracker
    name: str = ""
    person_id: str = ""  #: such as `HumanUser:12`; empty: nobody can be credited


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewVerdict:
    """One decision, with the words that belong to it."""

    decision: Decision
    text: str = ""  #: becomes a Note; empty for none
    by: Decider = Decider()
    seen: Decision | None = None  #: what stood when it was taken; None: any


class StatusMap:
    """The studio's status codes of a Version and what they mean."""

    def __init__(self, settings: Settings) -> None:
        self._codes = settings.review.statuses.by_decision()
        self._in_review = settings.tracker.review_status

    def decision(self, status: str) -> Decision:
        """Return what a status means."""
        found = (one for one, codes in self._codes.items() if status in codes)
        return next(found, Decision.NONE)

    def status(self, decision: Decision, known: Collection[str] = ()) -> str:
        """
        Return the code that is written for a decision; empty when the studio has none.

        Args:
            decision: what was decided.
            known: the codes that the site has; the first of ours that it has is taken.
        """
        if decision is Decision.NONE:
            return self._in_review
        codes = self._codes[decision]
        return next((code for code in codes if code in known), next(iter(codes), ""))

    def items(self) -> Iterator[tuple[Decision, tuple[str, ...]]]:
        """Yield each decision with its codes."""
        yield from self._codes.items()


def task_status(before: Decision, now: Decision, settings: Settings) -> str:
    """Return what the Task becomes; empty leaves it."""
    statuses = settings.review.statuses
    if now is Decision.APPROVE:
        return statuses.task_approved
    # A version that is not approved any more leaves its task to be done.
    reopened = before is Decision.APPROVE and now is not Decision.OMIT
    return statuses.task_retake if now is Decision.RETAKE or reopened else ""


def task_write_key(task: Row) -> str:
    """Return the key of a Task's status: what is to be written last replaces what was to be."""
    return f"task/{task.id}"


def check_statuses(settings: Settings, desk: ReviewDesk) -> tuple[Finding, ...]:
    """Compare the configured statuses with the site's; one finding for each that is wrong."""
    try:
        versions, tasks = desk.statuses("Version"), desk.statuses("Task")
    except HaikeiError as error:
        return (
            Finding(ok=False, subject="statuses", message=error.message, advice=error.advice or ""),
        )
    found = [*_unknown(settings, versions, tasks), *_ambiguous(settings)]
    if found:
        return tuple(found)
    return (
        Finding(
            ok=True, subject="statuses", message="The site has all that decisions are told by."
        ),
    )


def _unknown(
    settings: Settings, versions: Collection[str], tasks: Collection[str]
) -> Iterator[Finding]:
    statuses = settings.review.statuses
    wanted = [
        ("Version", f"review.statuses.{decision.value}", code, versions)
        for decision, codes in StatusMap(settings).items()
        for code in codes
    ]
    wanted += [
        ("Task", f"review.statuses.{name}", code, tasks)
        for name, code in (
            ("task_approved", statuses.task_approved),
            ("task_retake", statuses.task_retake),
        )
        if code
    ]
    for entity, setting, code, known in wanted:
        if code not in known:
            yield Finding(
                ok=False,
                subject=f"status {entity} {code}",
                message=f"The site has no status {code!r} for a {entity}, or hides it "
                f"({setting}); nobody can set it, and Haikei leaves it out.",
                advice=f"Run `haikei setup`, show it for a {entity}, or correct {setting}.",
            )


def _ambiguous(settings: Settings) -> Iterator[Finding]:
    seen: dict[str, Decision] = {}
    for decision, codes in StatusMap(settings).items():
        for code in codes:
            first = seen.setdefault(code, decision)
            if first is not decision:
                yield Finding(
                    ok=False,
                    subject=f"status Version {code}",
                    message=f"{code!r} stands for {first.value} and for {decision.value}; it is "
                    f"taken for {first.value}.",
                    advice="Let each code in [review.statuses] mean one thing.",
                )


_columns = review_notes.c
#: What a version must have been decided to be for it to draw words from its thread's older ones.
_DRAWS = frozenset({Decision.APPROVE, Decision.RETAKE, Decision.HOLD})
_OPEN = (JobState.WAITING.value, JobState.RUNNING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A Note or Reply as it is kept for another Version of the cut."""

    id: str
    version: int
    state: str
    decision: Decision  #: about that version


def own_id(source: str, version: int) -> str:
    """Return the id of a Note or Reply that counts for another Version as well."""
    return f"{source} on Version:{version}"


def source_of(id_: str) -> str:
    """Return the id without the Version for which it counts as well."""
    return id_.partition(" on Version:")[0]


def thread_of(id_: str) -> int | None:
    """Return the Note to which a Note or Reply belongs; None for a decision."""
    number = source_of(id_).partition("Note:")[2]
    return int(number) if number else None


def made_for(connection: Connection, background: str) -> frozenset[int]:
    """Return the Notes in whose threads a background was asked for."""
    found = connection.execute(select(_columns.id).where(_columns.job_key == background)).scalars()
    return frozenset(thread for id_ in found if (thread := thread_of(id_)) is not None)


def draws(decision: Decision, version: int, other: Elsewhere | None = None) -> bool:
    """Tell whether what waits on another Version of a thread, or on none, counts for this one."""
    if decision not in _DRAWS:
        return False
    return other is None or other.version < version or other.decision not in _DRAWS


def taken_ids(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Return which of these are kept, for whichever Version."""
    return frozenset(
        connection.execute(select(_columns.id).where(_columns.id.in_(list(ids)))).scalars()
    )


def elsewhere(
    connection: Connection, version: int, background: str
) -> Mapping[str, Sequence[Elsewhere]]:
    """
    Return what is kept for other Versions and need not be kept for this one, by its source.

    That is all on Versions of the same cut, season and time; and, in another season or time of the
    cut, what hangs in a thread that one of the two Versions was made for.
    """
    here, there = backgrounds.alias("here"), backgrounds.alias("there")
    query = (
        select(
            review_notes,
            reviews.c.decision,
            (and_(there.c.season == here.c.season, there.c.time == here.c.time)).label("alike"),
        )
        .select_from(here)
        .join(
            there,
            and_(
                there.c.project == here.c.project,
                there.c.sequence == here.c.sequence,
                there.c.shot == here.c.shot,
            ),
        )
        .join(review_notes, _columns.background_key == there.c.key)
        .outerjoin(reviews, reviews.c.version_id == _columns.version_id)
        .where(here.c.key == background, _columns.version_id != version)
        .order_by(_columns.version_id)
    )
    asked: dict[str, frozenset[int]] = {background: made_for(connection, background)}
    found: dict[str, list[Elsewhere]] = {}
    for row in connection.execute(query).all():
        thread = thread_of(row.id)
        if thread is None:
            continue
        if row.background_key not in asked:
            asked[row.background_key] = made_for(connection, row.background_key)
        if row.alike or thread in asked[background] or thread in asked[row.background_key]:
            one = Elsewhere(
                id=row.id,
                version=row.version_id,
                state=row.state,
                decision=Decision(row.decision or Decision.NONE.value),
            )
            found.setdefault(source_of(row.id), []).append(one)
    return found


def being_made_for(connection: Connection, ids: Collection[str], background: str) -> str:
    """Return the retake of a background that is being made for one of these; empty for none."""
    query = (
        select(jobs.c.key, jobs.c.order_json)
        .join(review_notes, _columns.job_key == jobs.c.key)
        .where(_columns.id.in_(list(ids)), jobs.c.state.in_(_OPEN))
        .order_by(jobs.c.id)
    )
    for row in connection.execute(query):
        retake = order_of(row.order_json).retake
        if retake is not None and retake.parent == background:
            return str(row.key)
    return ""
