"""What is decided about a version, and the status codes of the tracker that say so."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from haikei.checkup import Finding
from haikei.credits import ReviewState
from haikei.errors import HaikeiError
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import ReviewDesk


class Decision(StrEnum):
    """What a version's status means."""

    APPROVE = "approve"
    RETAKE = "retake"
    HOLD = "hold"
    OMIT = "omit"
    NONE = "none"  #: in review, or whatever else the studio does not let mean anything

    @property
    def state(self) -> ReviewState:
        """What the lineage says of a version about which this was decided."""
        return _STATES[self]


_STATES = {
    Decision.APPROVE: ReviewState.APPROVED,
    Decision.RETAKE: ReviewState.RETAKE,
    Decision.HOLD: ReviewState.ON_HOLD,
    Decision.OMIT: ReviewState.OMITTED,
    Decision.NONE: ReviewState.IN_REVIEW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides on Haikei's pages or command line, as the tracker knows them."""

    login: str = ""  #: empty: nobody has signed in, and the tracker is told by Haikei itself
    name: str = ""
    person_id: str = ""  #: such as `HumanUser:12`; empty: nobody can be credited


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewVerdict:
    """One decision, with the words that belong to it."""

    decision: Decision
    text: str = ""  #: becomes a Note; empty for none
    by: Decider = Decider()
    seen: Decision | None = None  #: what stood when it was taken; None: whatever stands


class StatusMap:
    """The studio's status codes of a Version and what they mean."""

    def __init__(self, settings: Settings) -> None:
        statuses = settings.review.statuses
        self._codes = {
            Decision.APPROVE: statuses.approve,
            Decision.RETAKE: statuses.retake,
            Decision.HOLD: statuses.hold,
            Decision.OMIT: statuses.omit,
        }
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
