"""
The rows of a background as Haikei writes and reads them back, and what stands already.

They are looked for under a job's keys; what was created twice is cleared away.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from haikei.errors import TrackerRejected
from haikei.show import Row, StoredFile
from haikei.trackers.contract.tracker import PublishedImage, PublishRequest
from haikei.trackers.shotgrid import schema as ours
from haikei.trackers.shotgrid.client import CreateRow, Filter, Link, Record, RetireRow, SiteClient
from haikei.trackers.shotgrid.schema import KEY, file_keys, layout_key

MEDIA = "sg_uploaded_movie"

#: What of the Version a file's row can tell, so that one answer confirms both.
_OF_VERSION = (ours.KEY, ours.CREDIT, ours.CREDIT_JA, ours.LEDGER, MEDIA, "image")

VERSION_FIELDS = ("code", "project", "entity", "created_by", "published_files", *_OF_VERSION)
FILE_FIELDS = (
    "code",
    "name",
    "version_number",
    "path",
    "task",
    "entity",
    "version",
    "published_file_type",
    "upstream_published_files",
    "downstream_published_files",
    "created_by",
    ours.KEY,
    ours.CREDIT,
    ours.ROLES,
    ours.LEDGER,
    *(f"version.Version.{field}" for field in _OF_VERSION),
)
#: What the answer to a create is asked for: all of it but what no new row can have.
CREATED_FIELDS = tuple(
    name for name in FILE_FIELDS if name not in {"created_by", "downstream_published_files"}
)

_VERSION_IN_NAME = re.compile(r"[._-]v(?P<number>\d{1,9})$", re.IGNORECASE)


#: What stands before the number of a version or take; `_C012` or `_ep2` is no number of one.
_NUMBERED = r"(?:v|ver|version|t|tk|take|r|rev)[._-]?"


def version_row(request: PublishRequest) -> CreateRow:
    """Return the Version of a background, complete but for its media."""
    context = request.context
    result = request.images[0].file
    fields: dict[str, object] = {
        "project": _wire(context.project),
        "code": request.code,
        "entity": _wire(context.shot),
        "description": request.description,
        "sg_status_list": request.status,
        "sg_path_to_frames": str(result.path),
        ours.KEY: request.key,
        **_credits(request),
    }
    if context.task is not None:
        fields["sg_task"] = _wire(context.task)
    if artist := _artist(request):
        fields["user"] = artist
    if request.unread is not None:
        fields[ours.UNREAD] = round(100 * request.unread)
    return CreateRow(type="Version", fields=fields, returning=VERSION_FIELDS)


def layout_row(request: PublishRequest, file_type: Link, storage: Link) -> CreateRow:
    """Return the row of a layout that nobody has registered yet."""
    layout = request.layout
    name, number = _stream(layout.path.stem, request.layout_version)
    fields: dict[str, object] = {
        "project": _wire(request.context.project),
        "entity": _wire(request.context.shot),
        "code": layout.path.name,
        "name": name,
        "version_number": number,
        "description": "Registered by Haikei when its background was made.",
        "published_file_type": file_type.wire(),
        "path": _path(layout, storage),
        "path_cache": layout.relative,
        ours.KEY: ours.layout_key(layout.sha256),
    }
    return CreateRow(type="PublishedFile", fields=fields, returning=("code", ours.KEY))


def _stream(stem: str, version: int | None) -> tuple[str, int]:
    """
    Return what all versions of a layout are called, and the number of this one.

    The number that a template or a row gave stands in the name as `v003`, `t02` or the like; it is
    taken out, so that the takes of one drawing are one stream.
    """
    if version is None:
        found = _VERSION_IN_NAME.search(stem)
        return (stem[: found.start()], int(found["number"])) if found else (stem, 1)
    words = rf"[._-](?:{_NUMBERED}0*{version}(?![^\W_])|0*{version}$)"
    named = next(reversed([*re.finditer(words, stem, re.IGNORECASE)]), None)
    if named is None:
        return stem, version
    return stem[: named.start()] + stem[named.end() :], version


def upstream(request: PublishRequest, *, layout: int) -> tuple[int, ...]:
    """Return the files that a background was made from: the layout, and what was painted over."""
    parent = request.parent_file
    return (layout,) if parent is None else (layout, parent.id)


def file_row(
    request: PublishRequest,
    image: PublishedImage,
    *,
    key: str,
    version: int,
    sources: Sequence[int],
    file_type: Link,
    storage: Link,
) -> CreateRow:
    """Return the row of one file of a background."""
    context = request.context
    fields: dict[str, object] = {
        "project": _wire(context.project),
        "entity": _wire(context.shot),
        "code": image.file.path.name,
        "name": image.name,
        "version_number": request.version_number,
        "description": image.description,
        "published_file_type": file_type.wire(),
        "path": _path(image.file, storage),
        "path_cache": image.file.relative,
        "version": {"type": "Version", "id": version},
        "upstream_published_files": [{"type": "PublishedFile", "id": source} for source in sources],
        ours.KEY: key,
        **_credits(request),
    }
    if context.task is not None:
        fields["task"] = _wire(context.task)
    return CreateRow(type="PublishedFile", fields=fields, returning=CREATED_FIELDS)


def differences(
    row: Record,
    image: PublishedImage,
    request: PublishRequest,
    *,
    version: int,
    sources: Sequence[int],
) -> Iterator[str]:
    """Yield the fields of a file's row, and of its Version, that are not as they were sent."""
    expected: Mapping[str, object] = {
        "code": image.file.path.name,
        "name": image.name,
        "version_number": request.version_number,
        ours.CREDIT: request.credit_en,
        ours.ROLES: request.roles,
        ours.LEDGER: request.ledger_index,
        f"version.Version.{ours.KEY}": request.key,
        f"version.Version.{ours.CREDIT}": request.credit_en,
        f"version.Version.{ours.CREDIT_JA}": request.credit_ja,
        f"version.Version.{ours.LEDGER}": request.ledger_index,
    }
    for name, value in expected.items():
        if not same_value(row.values.get(name), value):
            yield name
    for name in ("published_file_type", f"version.Version.{MEDIA}"):
        if not row.filled(name):
            yield name
    yield from _wrong_links(row, request, version=version, sources=sources)
    if row.mapping("path").get("relative_path") != image.file.relative:
        yield "path"


def _wrong_links(
    row: Record, request: PublishRequest, *, version: int, sources: Sequence[int]
) -> Iterator[str]:
    links = {"version": version, "entity": request.context.shot.id}
    if request.context.task is not None:
        links["task"] = request.context.task.id
    for name, number in links.items():
        link = row.link(name)
        if link is None or link.id != number:
            yield name
    if not _ids(row.links("upstream_published_files")).issuperset(sources):
        yield "upstream_published_files"


def same_value(found: object, sent: object) -> bool:
    """Tell whether a field holds what was sent, as far as sites keep it."""
    # A site may trim and join white space; nothing else may change.
    if isinstance(found, str) and isinstance(sent, str):
        return found.split() == sent.split()
    return found == sent or (found is None and sent == "")


def _ids(links: Sequence[Link]) -> set[int]:
    return {link.id for link in links}


def _wire(row: Row) -> dict[str, object]:
    return {"type": row.type, "id": row.id}


def _artist(request: PublishRequest) -> dict[str, object] | None:
    people = request.context.artists if request.artist is None else (request.artist,)
    for person in people:
        kind, _, number = person.id.partition(":")
        if kind == "HumanUser" and number.isdecimal():
            return {"type": kind, "id": int(number)}
    return None


def _path(file: StoredFile, storage: Link) -> dict[str, object]:
    return {"local_storage": storage.wire(), "relative_path": file.relative}


def _credits(request: PublishRequest) -> dict[str, object]:
    return {**ours.credit_fields(request), ours.RECORD: request.record_sha256}


log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingRows:
    """The rows that stand already."""

    version: Record | None
    files: Mapping[str, Record]  #: by key
    layout: Record | None  #: one that Haikei made itself

    @property
    def nothing(self) -> bool:
        """Whether no row stands at all."""
        return self.version is None and self.layout is None and not self.files


NOTHING = ExistingRows(version=None, files={}, layout=None)


class Lookup:
    """
    Searches by key.

    One read through the shot's reverse fields tells, in the usual case, that there is nothing
    yet. A site whose schema lacks those fields is asked for each type by itself.
    """

    def __init__(self, client: SiteClient) -> None:
        self._client = client
        self._through_shot = True

    def standing(self, request: PublishRequest) -> ExistingRows:
        """
        Return what stands under the request's keys.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        refused = False
        if self._through_shot:
            try:
                if not self._anything(request):
                    return NOTHING
            except TrackerRejected:
                refused = True
        standing = self._each(request)
        if refused:
            # The plain searches were answered: what was refused is the way through the shot.
            self._through_shot = False
        return standing

    def _anything(self, request: PublishRequest) -> bool:
        shot = request.context.shot
        # A layout's row that is known already says nothing about this background.
        known = request.context.layout_file is not None
        wanted = list(file_keys(request)) if known else _wanted(request)
        found = self._client.find(
            shot.type,
            [
                ["id", "is", shot.id],
                {
                    "filter_operator": "any",
                    "filters": [
                        [f"sg_versions.Version.{KEY}", "is", request.key],
                        [f"sg_published_files.PublishedFile.{KEY}", "in", wanted],
                    ],
                },
            ],
            ["id"],
        )
        return bool(found)

    def _each(self, request: PublishRequest) -> ExistingRows:
        project: Filter = ["project", "is", {"type": "Project", "id": request.context.project.id}]
        shot = request.context.shot
        versions = self._client.find("Version", [project, [KEY, "is", request.key]], VERSION_FIELDS)
        files = self._client.find(
            "PublishedFile",
            [
                project,
                ["entity", "is", {"type": shot.type, "id": shot.id}],
                [KEY, "in", _wanted(request)],
            ],
            FILE_FIELDS,
        )
        extra: list[Record] = []
        version = _keep(versions, request.key, extra, _empty_version, linked=lambda row: False)

        def linked(row: Record) -> bool:
            link = row.link("version")
            return version is not None and link is not None and link.id == version.id

        kept = {
            key: row
            for key in _wanted(request)
            if (row := _keep(files, key, extra, _unused_file, linked=linked)) is not None
        }
        self._retire(extra, request)
        layout = kept.pop(layout_key(request.layout.sha256), None)
        return ExistingRows(version=version, files=kept, layout=layout)

    def _retire(self, rows: Sequence[Record], request: PublishRequest) -> None:
        if not rows:
            return
        self._client.batch([RetireRow(type=row.type, id=row.id) for row in rows])
        for row in rows:
            log.warning(
                "duplicate_retired", type=row.type, id=row.id, key=row.text(KEY), job=request.key
            )


def _wanted(request: PublishRequest) -> list[str]:
    return [*file_keys(request), layout_key(request.layout.sha256)]


def _keep(
    rows: Sequence[Record],
    key: str,
    extra: list[Record],
    unused: Callable[[Record], bool],
    *,
    linked: Callable[[Record], bool],
) -> Record | None:
    """
    Return the row that counts under a key: the one in use, of several the oldest.

    Others go to `extra` when they are ours and empty. A row that a person made by duplicating
    one of ours in the tracker carries our key too, and is theirs.
    """
    of_key = sorted((row for row in rows if row.text(KEY) == key), key=lambda row: row.id)
    made_by_us = [row for row in of_key if made_by_script(row)]
    if not made_by_us:
        return None
    kept = min(made_by_us, key=lambda row: (not linked(row), unused(row), row.id))
    for row in of_key:
        if row is kept:
            continue
        if row in made_by_us and unused(row):
            extra.append(row)
        else:
            log.warning("duplicate_left", type=row.type, id=row.id, key=key, kept=kept.id)
    return kept


def made_by_script(row: Record) -> bool:
    """Tell whether a script created a row, as far as the site says."""
    maker = row.link("created_by")
    return maker is None or maker.type == "ApiUser"


def _empty_version(row: Record) -> bool:
    return not row.filled(MEDIA) and not row.filled("published_files")


def _unused_file(row: Record) -> bool:
    return not row.filled("downstream_published_files")
