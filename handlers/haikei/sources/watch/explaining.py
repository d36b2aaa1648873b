"""
What becomes of a path, and why: `haikei watch --explain` for files, `haikei config try` for any.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select

from haikei.checkup import Finding
from haikei.database import events, files, jobs, open_database, reading
from haikei.errors import HaikeiError, PathRefused, PlaceUnknown
from haikei.events import NamedPaintOver, Source
from haikei.formats import READABLE_ENDINGS
from haikei.jobs.healing import taken
from haikei.presets import recipe
from haikei.settings import Settings
from haikei.show import Place, StoredFile
from haikei.sources.watch.file_table import FileState, nearest
from haikei.sources.watch.misfits import LeftAlone, misfit
from haikei.sources.watch.root import LayoutNames, Outputs, WatchedRoot, watched_roots
from haikei.sources.watch.scan import Listing, Stamp, Tree, printable
from haikei.storage import PlacedLayout, Storage
from haikei.trackers import ContextRequest, PublishingDesk


class Outcome(StrEnum):
    """What became of a file."""

    TAKEN = "taken"  #: handed over; its jobs say the rest
    SAME = "same"  #: a drawing that was taken from another file before
    REFUSED = "refused"  #: a dead letter
    SETTLING = "settling"  #: it changed a moment ago, or the watcher has not come to it
    MISPLACED = "misplaced"  #: it lies where layouts lie, by another name
    LEFT_ALONE = "left_alone"  #: it fits no template
    IGNORED = "ignored"  #: a rule of watch.ignore
    OWN = "own"  #: Haikei published it
    NO_FILE = "no_file"  #: a folder, or a link that leads out
    ELSEWHERE = "elsewhere"  #: it lies below no watched folder
    MISSING = "missing"  #: there is nothing at this path


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedJob:
    """A job of a file."""

    key: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a file was taken or not."""

    path: str
    outcome: Outcome
    message: str
    advice: str = ""
    source: str = ""  #: who handed it over; empty when nobody did
    jobs: tuple[ExplainedJob, ...] = ()


def explain(path: Path, settings: Settings, database: Engine) -> Explanation:
    """
    Say what became of a file, and why.

    Raises:
        SettingsError: a folder's naming rule cannot be loaded.
    """
    asked = os.path.normpath(path.absolute())
    shown = printable(asked)
    with reading(database) as connection:
        by = taken(connection, shown)
        found = _found(asked, settings, connection)
        made = _jobs(connection, shown, by[0] if by else "")
        source = _source(connection, by[0]) if by else ""
    same = next((one for one in made if one.key.startswith(_SAME)), None)
    if same is not None:
        found = _Found(Outcome.SAME, same.reason)
    elif source not in {"", Source.WATCH.value} and found.outcome not in _JUDGED:
        by_others = f"It was handed over ({source.replace('_', ' ')})."
        if found.outcome is not Outcome.SETTLING:
            by_others += f" The watcher does not take it: {found.message}"
        found = _Found(Outcome.TAKEN, by_others)
    return Explanation(
        path=shown,
        outcome=found.outcome,
        message=found.message,
        advice=found.advice,
        source=source,
        jobs=made,
    )


#: Keys of answers to drawings that were taken before begin so.
_SAME = "same-"
_JUDGED = {Outcome.TAKEN, Outcome.REFUSED}


class _Found(NamedTuple):
    outcome: Outcome
    message: str
    advice: str = ""


def _found(path: str, settings: Settings, connection: Connection) -> _Found:
    """Judge a path as the watcher does, in the same order."""
    watch = settings.watch
    roots = sorted(watched_roots(watch), key=lambda root: len(root.path), reverse=True)
    root = nearest(roots, path)
    if root is None:
        watched = ", ".join(root.path for root in roots) or "there is none"
        return _Found(
            Outcome.ELSEWHERE,
            f"It lies below no watched folder ({watched}).",
            "Add its folder to watch.folders or watch.touch_ups, or publish it in the tracker.",
        )
    if not os.path.lexists(path):
        away = "" if Path(root.path).is_dir() else f" The watched folder {root.path} is away."
        return _Found(Outcome.MISSING, f"There is nothing at this path.{away}")
    names = LayoutNames(extensions=watch.extensions, ignore=watch.ignore)
    for part in (root.relative(path) or "").split("/"):
        if names.is_ignored(part):
            rules = [
                rule
                for rule in watch.ignore
                if LayoutNames(extensions=(), ignore=(rule,)).is_ignored(part)
            ]
            return _Found(
                Outcome.IGNORED,
                f"The rule {', '.join(map(repr, rules))} of watch.ignore leaves {part!r} alone.",
                "Rename it, or take the rule out of watch.ignore.",
            )
    stamp = Tree(root.path, names).look(path, os.lstat(path))
    if stamp is None:
        what = "a folder" if Path(path).is_dir() else "a link that leads out of the watched folder"
        return _Found(Outcome.NO_FILE, f"It is {what}, and only files are taken.")
    outputs = Outputs(settings.storage)
    if outputs.hold(path):
        return _Found(Outcome.OWN, "Haikei published it: what it made itself is no layout.")
    if why := misfit(root, path, names):
        return _misfit(LeftAlone(names, outputs), root, path, why)
    return _judged(path, stamp, root, connection)


def _misfit(left: LeftAlone, root: WatchedRoot, path: str, why: str) -> _Found:
    folder, _, name = path.rpartition("/")
    listing = _listing(left.names, folder, [one.name for one in Path(folder).iterdir()])
    if name in {near for near, _ in left.sort(root, listing, {}, _unseen)}:
        return _Found(Outcome.MISPLACED, why, "Rename it; it is then taken by itself.")
    return _Found(
        Outcome.LEFT_ALONE,
        f"{why} It is left alone.",
        "Move or rename it if it is a layout, or correct the template in watch.folders.",
    )


def _unseen(_path: str) -> Stamp:
    return Stamp(0, 0, 0)


def _listing(names: LayoutNames, folder: str, found: Iterable[str]) -> Listing:
    """Return a folder's files by their names alone."""
    seen = [name for name in found if not names.is_ignored(name)]
    return Listing(
        folder=folder,
        files={name: _unseen(name) for name in seen if names.has_ending(name)},
        others=tuple(name for name in seen if not names.has_ending(name)),
    )


def _judged(path: str, stamp: Stamp, root: WatchedRoot, connection: Connection) -> _Found:
    columns = (files.c.state, files.c.reason, files.c.size, files.c.mtime_ns)
    row = connection.execute(select(*columns).where(files.c.path == printable(path))).first()
    known = row is not None and (row.size, row.mtime_ns) == (stamp.size, stamp.mtime_ns)
    if row is not None and known and row.state == FileState.PUBLISHED.value:
        return _Found(Outcome.TAKEN, "It was taken in its present state.")
    if row is not None and known and row.state == FileState.REFUSED.value:
        return _Found(Outcome.REFUSED, row.reason, "Save it again, or `haikei jobs retry` it.")
    before = "It changed since it was judged" if row is not None else "It was not judged yet"
    return _Found(
        Outcome.SETTLING,
        f"{before}: a file is read once its size and time have stood still for {root.settle:g} s.",
        "Wait; if it stays so, see that `haikei run` or `haikei watch` is running.",
    )


def _source(connection: Connection, key: str) -> str:
    query = select(events.c.source).where(events.c.key == key)
    return connection.execute(query).scalar() or ""


def _jobs(connection: Connection, path: str, event_key: str) -> tuple[ExplainedJob, ...]:
    here = jobs.c.layout == path
    if event_key:
        here |= (jobs.c.key >= event_key) & (jobs.c.key < f"{event_key}~")
    rows = connection.execute(
        select(jobs.c.key, jobs.c.state, jobs.c.error, jobs.c.note).where(here).order_by(jobs.c.id)
    )
    return tuple(
        ExplainedJob(key=row.key, state=row.state, reason=row.error or row.note) for row in rows
    )


def standing_findings(settings: Settings) -> Iterator[Finding]:
    """Yield, for each watched folder that is there, what stands in it; files are not opened."""
    names = LayoutNames(extensions=settings.watch.extensions, ignore=settings.watch.ignore)
    roots = watched_roots(settings.watch)
    tops = {root.path for root in roots}
    for root in roots:
        if not Path(root.path).is_dir():
            continue
        left = LeftAlone(names, Outputs(settings.storage))
        fitting = 0
        near: list[tuple[str, str]] = []
        for folder, inside, found in os.walk(root.path):
            inside[:] = [
                name
                for name in inside
                if not names.is_ignored(name) and f"{folder}/{name}" not in tops
            ]
            listing = _listing(names, folder, found)
            for name, _ in left.sort(root, listing, {}, _unseen):
                path = f"{folder}/{name}"
                if why := misfit(root, path, names):
                    near.append((path, why))
                elif not left.outputs.hold(path):
                    fitting += 1
        yield _standing(root.path, fitting, left.count, _not_taken(near, settings))


def _not_taken(near: Sequence[tuple[str, str]], settings: Settings) -> Sequence[tuple[str, str]]:
    """Leave out what another source has taken."""
    if not near:
        return near
    try:
        database = open_database(settings.database_url)
    except (HaikeiError, OSError):
        return near  # what is wrong with the state folder is a finding of its own
    try:
        with reading(database) as connection:
            handed = set(connection.execute(select(jobs.c.layout)).scalars())
    finally:
        database.dispose()
    return [(path, why) for path, why in near if printable(path) not in handed]


def _standing(top: str, fitting: int, left: int, near: Sequence[tuple[str, str]]) -> Finding:
    said = (
        f"{fitting} file{'' if fitting == 1 else 's'} fit a template; {left} that fit"
        f"{'s' if left == 1 else ''} none {'is' if left == 1 else 'are'} left alone."
    )
    if near:
        path, why = near[0]
        said += f" {len(near)} may be meant as layouts and are not taken, such as {path}: {why}"
    return Finding(
        ok=not near,
        subject=f"files in {top}",
        message=said,
        advice="Rename them; `haikei watch --explain PATH` says which part of the template differs."
        if near
        else "",
    )


#: What a tracker can give besides the project and the shot.
_OF_TRACKER = frozenset({"sequence", "episode"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPath:
    """A file that would be written, below the first storage root."""

    what: str  #: `background`, or a stage's name
    season: str
    time: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedPath:
    """What a path would become."""

    path: Path
    kind: str = ""  #: `layout`, `published_layout` or `touch_up`; empty when it names no place
    reason: str = ""  #: why it would not be taken; empty when it would
    advice: str = ""
    place: Place | None = None  #: in the tracker's names
    version: int | None = None  #: of a touch-up, the version that it is on
    stream: str = ""  #: the layout's
    season: str = ""
    time: str = ""
    artist: str = ""
    writes: tuple[WrittenPath, ...] = ()
    note: str = ""

    @property
    def taken(self) -> bool:
        """Whether it would become a background or a touch-up."""
        return not self.reason


def try_path(path: Path, settings: Settings, desk: PublishingDesk | None = None) -> TriedPath:
    """
    Say what a path would become; nothing is read from it.

    Args:
        path: absolute.
        settings: the studio's.
        desk: the tracker, where the place is to be looked up and completed.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
        SettingsError: a naming rule or a recipe cannot be loaded.
    """
    tried = TriedPath(path=path)
    try:
        found = _tried(path, settings)
    except (PlaceUnknown, PathRefused) as error:
        return replace(tried, reason=error.message, advice=error.advice or "")
    tried = replace(tried, kind=found.kind, place=found.place, note=found.note)
    if isinstance(found.said, NamedPaintOver):
        said = found.said
        return replace(
            tried, version=said.version, season=said.season, time=said.time, artist=said.artist
        )
    tried = replace(tried, version=found.said.version, stream=found.said.name)
    try:
        place = _completed(path, found.place, settings, desk)
        tried = replace(tried, place=place)
        return replace(tried, writes=tuple(_writes(path, place, settings, asked=desk is not None)))
    except (PlaceUnknown, PathRefused) as error:
        return replace(tried, reason=error.message, advice=error.advice or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    kind: str
    said: PlacedLayout | NamedPaintOver
    note: str = ""

    @property
    def place(self) -> Place:
        return self.said.place


def _tried(path: Path, settings: Settings) -> _Tried:
    storage = Storage(settings)
    try:
        watched = _watched(path, settings)
    except HaikeiError:
        readable = path.suffix.removeprefix(".").casefold() in READABLE_ENDINGS
        follows = settings.events.enabled and readable
        published = storage.place_of(path) if follows else None
        if published is None:
            raise
        note = "It is no layout of a watched folder: it is taken when the tracker names it."
        return _Tried(kind="published_layout", said=published, note=note)
    kind = "touch_up" if isinstance(watched, NamedPaintOver) else "layout"
    if kind == "layout":
        storage.stored(path, "")  # it must be below a storage root, as the job will want it
    return _Tried(kind=kind, said=watched)


def _watched(path: Path, settings: Settings) -> PlacedLayout | NamedPaintOver:
    watch = settings.watch
    root = _root_of(path, settings)
    names = LayoutNames(extensions=watch.extensions, ignore=watch.ignore)
    relative = root.relative(str(path)) or ""
    if any(map(names.is_ignored, relative.split("/"))):
        raise PlaceUnknown(
            f"{path.name}, or a folder on the way to it, is one of watch.ignore.",
            advice="Rename it, or correct watch.ignore in the settings.",
        )
    if not names.is_layout(path.name):
        raise PlaceUnknown(
            f"Its ending {path.suffix!r} is none of watch.extensions.",
            advice=f"Save it as one of {', '.join(watch.extensions)}.",
        )
    if Outputs(settings.storage).hold(str(path)):
        raise PlaceUnknown("Haikei itself publishes at such a path, and leaves it alone.")
    return root.place_of(str(path))


def _root_of(path: Path, settings: Settings) -> WatchedRoot:
    roots = watched_roots(settings.watch, names=settings.folder_names)
    above = [root for root in roots if root.relative(str(path))]
    if not above:
        known = ", ".join(root.path for root in roots) or "there is none"
        raise PlaceUnknown(
            f"It is below no watched folder ({known}).",
            advice="Add its folder to [[watch.folders]] in the settings.",
        )
    # The deepest one counts, as it does for the watcher.
    return max(above, key=lambda root: len(root.path))


def _completed(path: Path, place: Place, settings: Settings, desk: PublishingDesk | None) -> Place:
    if desk is None:
        return place
    stored = Storage(settings).stored(path, "")
    layout = StoredFile(root=stored.root, relative=stored.relative, path=path, sha256="")
    request = ContextRequest(place=place, layout=layout, published_file=None, stream="")
    return desk.context(request).completed(place)


def _writes(path: Path, place: Place, settings: Settings, *, asked: bool) -> Iterator[WrittenPath]:
    storage = Storage(settings)
    lacking = set(storage.lacking(place))
    hoped = _OF_TRACKER if settings.tracker.episode_field else _OF_TRACKER - {"episode"}
    unknown = lacking if asked else lacking - hoped
    if unknown:
        tokens = ", ".join(f"{{{name}}}" for name in sorted(unknown))
        whose = "nor the tracker gives" if asked else "gives, nor can the tracker give"
        raise PlaceUnknown(
            f"The templates of [storage] need {tokens}, which neither the path {whose}.",
            advice="Put it into the template of the watched folder, set tracker.episode_field for "
            "episodes, or write [...] around it in [storage].",
        )
    if lacking:
        # What the tracker is still to give stands as its token, where a template takes any text.
        place = replace(place, **{name: f"{{{name}}}" for name in lacking})
        try:
            storage.background_path(place=place, season="summer", time="day", version=1)
        except PathRefused:
            return
    route = settings.route(
        project=place.project, sequence=place.sequence, shot=place.shot, may_be_of_any=not asked
    )
    if route is None:
        raise PlaceUnknown("No route in the settings takes it.", advice="Add one to [[routes]].")
    ext = path.suffix.removeprefix(".")
    for variant in route.variants:
        season, time = variant.season.value, variant.time.value
        relative = storage.background_path(place=place, season=season, time=time, version=1)
        yield WrittenPath(what="background", season=season, time=time, path=str(relative))
        stages = [stage.name for stage in recipe(settings, route.recipe).stages[:-1]]
        for stage in ("layout", *stages):
            relative = storage.stage_path(
                place=place,
                season=season,
                time=time,
                version=1,
                stage=stage,
                ext=ext if stage == "layout" else None,
            )
            yield WrittenPath(what=stage, season=season, time=time, path=str(relative))
