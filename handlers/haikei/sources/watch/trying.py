"""What the settings make of a path, before any file stands there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from haikei.errors import HaikeiError, PathRefused, PlaceUnknown
from haikei.events import NamedPaintOver
from haikei.formats import READABLE_ENDINGS
from haikei.presets import recipe
from haikei.settings import Settings
from haikei.show import Place, StoredFile
from haikei.sources.watch.root import LayoutNames, Outputs, WatchedRoot, watched_roots
from haikei.storage import PlacedLayout, Storage
from haikei.trackers import ContextRequest, PublishingDesk

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
        found = _found(path, settings)
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
class _Found:
    kind: str
    said: PlacedLayout | NamedPaintOver
    note: str = ""

    @property
    def place(self) -> Place:
        return self.said.place


def _found(path: Path, settings: Settings) -> _Found:
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
        return _Found(kind="published_layout", said=published, note=note)
    kind = "touch_up" if isinstance(watched, NamedPaintOver) else "layout"
    if kind == "layout":
        storage.stored(path, "")  # it must be below a storage root, as the job will want it
    return _Found(kind=kind, said=watched)


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
