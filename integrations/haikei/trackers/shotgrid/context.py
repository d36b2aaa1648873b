"""What a site knows of a layout, in two reads; a third when an artist is met for the first time."""

from collections.abc import Callable, Iterable, Sequence

from haikei.errors import PlaceUnknown
from haikei.names import same_name
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers.contract.tracker import ContextRequest, DrawnBy, LayoutContext, drawn_by
from haikei.trackers.shotgrid.client import Filter, SiteClient
from haikei.trackers.shotgrid.people import Artist, People
from haikei.trackers.shotgrid.places import FoundShot, find_shot, find_shot_of
from haikei.trackers.shotgrid.record import Link, Record
from haikei.trackers.shotgrid.schema import KEY, layout_key, result_key

_FILE_FIELDS = (
    "code",
    "name",
    "version_number",
    "path",
    "path_cache",
    "entity",
    "created_by",
    "version.Version.user",
    "task",
    "task.Task.task_assignees",
    "published_file_type.PublishedFileType.code",
    KEY,
)


class ContextReader:
    """Reads contexts; one object keeps the people it has met."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._tracker = settings.tracker
        self._people = People(client, settings.people, settings.tracker.person_fields)

    def read(self, request: ContextRequest) -> LayoutContext:
        """
        Return what the site knows of a layout.

        Raises:
            PlaceUnknown: the project or shot is not there, or not the only one of its name.
            TrackerError: the site does not answer, or refuses.
        """
        found = self._shot(request)
        files = self._client.find("PublishedFile", self._file_filters(request, found), _FILE_FIELDS)
        layout = self._layout(request, files)
        drawn = _drawn_by(found, layout)
        known = self._people.artists((*drawn.artists, *drawn.candidates))
        named = {f"HumanUser:{link.id}" for link in drawn.artists}
        return LayoutContext(
            project=_row(found.project),
            sequence=_row(found.sequence) if found.sequence else None,
            shot=_row(found.shot),
            task=_task(found.background_tasks),
            layout_file=_file(layout),
            artists=tuple(one.person for one in known if one.person.id in named),
            artist_logins=_logins(known),
            latest_version=self._latest(request, files),
            artist_source=drawn.source,
            parent_file=_file(_painted_over(request, files)),
            project_names=tuple(filter(None, (found.folder_name,))),
            episode=found.episode,
            candidates=tuple(one.person for one in known if one.person.id not in named),
        )

    def _shot(self, request: ContextRequest) -> FoundShot:
        try:
            return find_shot(self._client, self._tracker, request.place)
        except PlaceUnknown:
            # A row that a person has linked says it by id, whatever its folders are called.
            file = request.published_file
            linked = None if file is None else find_shot_of(self._client, self._tracker, file)
            if linked is None:
                raise
            return linked

    def _file_filters(self, request: ContextRequest, found: FoundShot) -> Sequence[Filter]:
        layout = request.layout
        backgrounds: Filter = {
            "filter_operator": "all",
            "filters": [
                [
                    "published_file_type.PublishedFileType.code",
                    "in",
                    [self._tracker.background_type, self._tracker.touch_up_type],
                ],
                ["name", "ends_with", request.stream],
            ],
        }
        painted_over: list[Filter] = (
            [[KEY, "is", result_key(request.painted_over)]] if request.painted_over else []
        )
        of_shot: Filter = {
            "filter_operator": "any",
            "filters": [
                [KEY, "is", layout_key(layout.sha256)],
                ["path_cache", "is", layout.relative],
                ["code", "is", layout.path.name],
                backgrounds,
                *painted_over,
            ],
        }
        wanted: list[Filter] = [
            {"filter_operator": "all", "filters": [["entity", "is", found.shot.wire()], of_shot]}
        ]
        if request.published_file is not None:
            wanted.append(["id", "is", request.published_file])
        return [
            ["project", "is", found.project.wire()],
            {"filter_operator": "any", "filters": wanted},
        ]

    def _layout(self, request: ContextRequest, files: Sequence[Record]) -> Record | None:
        """Return the layout's row: the one announced, else by content, path, and name."""
        layout = request.layout
        tests: tuple[Callable[[Record], bool], ...] = (
            lambda row: row.id == request.published_file,
            lambda row: row.text(KEY) == layout_key(layout.sha256),
            lambda row: _stands_at(row, layout.root, layout.relative),
            lambda row: row.text("path_cache").lstrip("/") == layout.relative,
            lambda row: not row.filled("path") and row.text("code") == layout.path.name,
        )
        for test in tests:
            for row in files:
                if test(row) and not self._is_background(row):
                    return row
        return None

    def _latest(self, request: ContextRequest, files: Sequence[Record]) -> int:
        numbers = [
            row.number("version_number") or 0
            for row in files
            if self._is_background(row) and _is_stream(row.text("name"), request.stream)
        ]
        return max(numbers, default=0)

    def _is_background(self, row: Record) -> bool:
        code = row.text("published_file_type.PublishedFileType.code")
        return any(
            same_name(code, own)
            for own in (self._tracker.background_type, self._tracker.touch_up_type)
        )


def _row(link: Link) -> Row:
    return Row(type=link.type, id=link.id, name=link.name)


def _file(row: Record | None) -> Row | None:
    return None if row is None else Row(type=row.type, id=row.id, name=row.text("code"))


def _painted_over(request: ContextRequest, files: Sequence[Record]) -> Record | None:
    if not request.painted_over:
        return None
    key = result_key(request.painted_over)
    return next((row for row in files if row.text(KEY) == key), None)


def _task(tasks: Sequence[Record]) -> Row | None:
    if not tasks:
        return None
    task = min(tasks, key=lambda row: row.id)
    return Row(type=task.type, id=task.id, name=task.text("content"))


def _drawn_by(found: FoundShot, layout: Record | None) -> DrawnBy[Link]:
    """Return who drew a layout, by its row's task and people, else by the tasks of the step."""
    own: list[tuple[Link, str]] = []
    publishers: list[tuple[Link, str]] = []
    if layout is not None:
        task = layout.link("task")
        if task is not None:
            own = _assigned(layout.links("task.Task.task_assignees"), task.id)
        for field, name in (
            ("version.Version.user", "version's user"),
            ("created_by", "created_by"),
        ):
            link = layout.link(field)
            if link is not None and link.type == "HumanUser":
                publishers.append((_bare(link), f"{layout.type}:{layout.id} {name}"))
    step = [
        one
        for task in found.layout_tasks
        for one in _assigned(task.links("task_assignees"), task.id)
    ]
    return drawn_by(own, publishers, step)


def _assigned(links: Iterable[Link], task: int) -> list[tuple[Link, str]]:
    return [(_bare(link), f"Task:{task} assignee") for link in links if link.type == "HumanUser"]


def _bare(link: Link) -> Link:
    # One person is one link, whatever name a field shows.
    return Link(type=link.type, id=link.id, name="")


def _logins(artists: Sequence[Artist]) -> tuple[str, ...]:
    names = (name for artist in artists for name in (*artist.logins, artist.person.name))
    return tuple(dict.fromkeys(names))


def _is_stream(name: str, stream: str) -> bool:
    return name == stream or name.endswith(f"_{stream}")


def _stands_at(row: Record, root: str, relative: str) -> bool:
    path = row.mapping("path")
    storage = Link.of(path.get("local_storage"))
    return storage is not None and storage.name == root and path.get("relative_path") == relative
