"""
The job of a touch-up: find what was painted over and who painted, then take it in.

It has one task with two steps. Where the parent is not found, people are asked in the tracker,
once, and the job waits among the dead letters for the answer.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from haikei.credits import Grade, Person, people, printed_person
from haikei.database import utc_now
from haikei.errors import (
    CreditError,
    ImageUnreadable,
    LayoutReplaced,
    NothingPainted,
    PainterUnnamed,
    TouchUpRefused,
)
from haikei.events import TouchUpPublished
from haikei.files import sha256_of
from haikei.jobs.background.tasks import TOUCH_UP, task_payload
from haikei.jobs.engine.port import Durable, Handler
from haikei.jobs.engine.retries import Gate
from haikei.jobs.engine.step_run import StepResultCodec, StepRun, TaskEnded
from haikei.jobs.healing import is_watched
from haikei.jobs.inbox import receive
from haikei.jobs.job import Step, TouchUpOrder
from haikei.jobs.progress import JobProgress, Withdrawn
from haikei.jobs.table import touch_up_of
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.ask import ask
from haikei.jobs.touchup.find_parent import Parentage, find_parent
from haikei.jobs.touchup.painter import person_called
from haikei.jobs.touchup.parent import parent_of
from haikei.jobs.touchup.taking_in import require_change, take_in
from haikei.settings import PersonEntry
from haikei.show import Row
from haikei.trackers import PublishResult

log = structlog.get_logger()

#: Between the names of those who painted together, in a file's name.
_JOINT = re.compile(r"[+＋]")
_SEVERAL = 2
#: Called, in its transaction, with the id of each Version that a touch-up became.
OnVersion = Callable[[Connection, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What is known of a touch-up before anything is made of it."""

    parent: Parentage
    artists: tuple[Person, ...]
    known_by: str  #: how it is known who painted
    grade: Grade


_UNDERSTOOD = StepResultCodec(Understood)
_PUBLISHED = StepResultCodec(PublishResult)


def ignore_version(_connection: Connection, _version: int) -> None:
    """Do nothing about a new Version."""


class TouchUpHandlers:
    """
    Does the task of touch-ups in this process.

    Args:
        tools: the studio's.
        gate: limits how many work at once.
        on_version: called, in its transaction, with the id of each new Version.
    """

    def __init__(self, tools: Tools, gate: Gate, on_version: OnVersion = ignore_version) -> None:
        self._tools = tools
        self._gate = gate
        self._on_version = on_version

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of the task, by its name."""
        return {TOUCH_UP: self.handle}

    def handle(self, durable: Durable, payload: str) -> None:
        """Find the parent and take the touch-up in."""
        task = task_payload(payload)
        tools = self._tools
        progress = JobProgress(tools.database, key=task.key, run=task.run, stop=tools.stop)
        run = StepRun(durable, progress, tools, self._gate, touch_up_of)
        try:
            understood = run.step(
                Step.COLLECT, _UNDERSTOOD, lambda event, _: self._understand(progress, event)
            )
            published = run.step(
                Step.TAKE_IN,
                _PUBLISHED,
                lambda event, _: self._take_in(progress, event, understood),
            )
        except TaskEnded:
            return
        log.info("job_done", job=task.key, version=published.version.name, url=published.url)

    def _understand(self, progress: JobProgress, event: TouchUpPublished) -> Understood:
        try:
            return understand(event, self._tools)
        except NothingPainted as error:
            self._answer(progress, event, error)
            raise Withdrawn(progress.key) from error

    def _answer(
        self, progress: JobProgress, event: TouchUpPublished, error: NothingPainted
    ) -> None:
        ask(event, error, self._tools)
        progress.skipped(reason=error.message, kind=type(error).__name__)

    def _take_in(
        self, progress: JobProgress, event: TouchUpPublished, understood: Understood
    ) -> PublishResult:
        tools = self._tools
        _require_unchanged(event, tools)
        order = TouchUpOrder(
            file=event.file,
            of=understood.parent.sha256,
            artists=understood.artists,
            found_by=understood.parent.found_by,
            known_by=understood.known_by,
            grade=understood.grade,
        )
        try:
            taken = take_in(order, tools)
        except NothingPainted as error:
            self._answer(progress, event, error)
            raise Withdrawn(progress.key) from error
        except TouchUpRefused as error:
            ask(event, error, tools)
            raise
        background = taken.background
        if background.tracker_id is None:
            message = f"{background.code} was taken in and is not in the tracker"
            raise ValueError(message)
        version = Row(type="Version", id=background.tracker_id, name=background.code)
        # The layout's row is its first version's matter; a touch-up stands on the Version.
        result = PublishResult(
            version=version,
            files=(),
            layout_file=version,
            url=background.url,
            created=taken.created,
        )
        with tools.database.begin() as connection:
            progress.done(connection, result)
            self._on_version(connection, version.id)
        return result


def understand(event: TouchUpPublished, tools: Tools) -> Understood:
    """
    Return what was painted over, and by whom.

    Raises:
        ParentUnknown: the parent is not found; people were asked in the tracker.
        PainterUnnamed: the tracker names several; people were asked which of them painted.
        NothingPainted: nobody is named for it, and nobody has to be: it shows no change.
        CreditError: nobody is named for it.
        LayoutReplaced: the file was saved again; what it holds now is a job of its own.
        ImageUnreadable: the file is no picture, or damaged.
        TrackerError: the tracker does not answer, or refuses.
    """
    _require_unchanged(event, tools)
    try:
        parent = find_parent(event, tools)
    except TouchUpRefused as error:
        ask(event, error, tools)
        raise
    try:
        artists, known_by, grade = _artists(event, tools)
    except CreditError:
        names = (event.artist_name,) if event.artist_name else ()
        order = TouchUpOrder(
            file=event.file, of=parent.sha256, artists=names, found_by=parent.found_by
        )
        require_change(order, parent_of(order.of, tools), event.sha256, tools)
        raise
    except PainterUnnamed as error:
        order = TouchUpOrder(
            file=event.file, of=parent.sha256, artists=(), found_by=parent.found_by
        )
        require_change(order, parent_of(order.of, tools), event.sha256, tools)
        ask(event, error, tools)
        raise
    return Understood(parent=parent, artists=artists, known_by=known_by, grade=grade)


def _require_unchanged(event: TouchUpPublished, tools: Tools) -> None:
    try:
        found = sha256_of(event.file)
    except OSError as error:
        raise ImageUnreadable(
            f"{event.file} cannot be read: {error.strerror or error}.",
            advice="Bring the artist's file back, then retry the job.",
        ) from error
    if found != event.sha256:
        if not is_watched(event.file, tools.settings, tools.database):
            with tools.database.begin() as connection:
                receive(connection, replace(event, sha256=found, apart=False, at=utc_now()))
        raise LayoutReplaced(
            f"{event.file.name} was saved again; what it holds now is a touch-up of its own."
        )


def _artists(event: TouchUpPublished, tools: Tools) -> tuple[tuple[Person, ...], str, Grade]:
    """Return who painted, and how that is known: several names in the path outrank the tracker."""
    event = _as_tracked(event, tools)
    names = tuple(filter(None, (name.strip(" _-") for name in _JOINT.split(event.artist_name))))
    if event.artists and len(names) < _SEVERAL:
        return event.artists, event.artist_source, Grade.LOGGED
    known = {name: _called(name, tools) for name in names}
    artists = tuple(person for person in known.values() if person is not None)
    if artists and len(artists) == len(names):
        return artists, "named by the file's name", Grade.DECLARED
    if event.candidates and not names:
        raise _open_among(event)
    unknown = ", ".join(repr(name) for name, person in known.items() if person is None)
    what = f"{unknown} in its name is nobody we know" if names else "its name says nobody"
    raise CreditError(
        f"Nobody is named for the paint-over {event.file.name}: "
        f"{'' if event.artists else 'the tracker names nobody, and '}{what}.",
        advice="Publish it in the tracker as its artist, or add the artist to [[people]] and retry "
        "the job: human work is never taken in unnamed.",
    )


def _as_tracked(event: TouchUpPublished, tools: Tools) -> TouchUpPublished:
    """Return an event whose painter is open with whom its row in the tracker names by now."""
    feed = tools.tracker().parts.feed
    if event.artists or not event.candidates or event.published_file is None or feed is None:
        return event
    try:
        rows = feed.layouts((event.published_file,))
    finally:
        feed.close()
    painted = next((row.painted for row in rows if row.id == event.published_file), None)
    if painted is None:
        return event
    with tools.database.begin() as connection:
        people.note_all(connection, (*painted.artists, *painted.candidates))
        return replace(
            event,
            artists=tuple(people.as_printed(connection, painted.artists)),
            candidates=tuple(people.as_printed(connection, painted.candidates)),
            artist_source=painted.source,
        )


def _open_among(event: TouchUpPublished) -> PainterUnnamed:
    who = ", ".join(f"{printed_person(one).en} ({one.id})" for one in event.candidates)
    return PainterUnnamed(
        f"{event.file.name} may be painted by any of {who}: the tracker names all of them "
        f"({event.artist_source}). Nobody is credited until one is named.",
        advice="Leave whoever painted it alone on the task, then retry the job; or say it, once "
        "for each who painted: haikei touchup FILE --of CODE --artist ID.",
    )


def _called(name: str, tools: Tools) -> Person | None:
    entry = _entry(name, tools.settings.people)
    if entry is not None:
        return person_called(entry.id or next(iter(entry.logins), entry.name), tools)
    desk = tools.tracker().parts.credits
    return None if desk is None else desk.people([name]).get(name)


def _entry(name: str, people: tuple[PersonEntry, ...]) -> PersonEntry | None:
    found = [
        entry
        for entry in people
        if _plain(name) in {_plain(known) for known in entry.plain_names()}
    ]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """Return a name without what file names and logins write between its parts."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in folded if sign.isalnum())
