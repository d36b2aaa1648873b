"""Look for what stands already under a job's keys, and clear away what was created twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from haikei.errors import TrackerRejected
from haikei.trackers.contract.tracker import PublishRequest
from haikei.trackers.shotgrid.client import Filter, RetireRow, SiteClient
from haikei.trackers.shotgrid.record import Record
from haikei.trackers.shotgrid.schema import KEY, file_keys, layout_key
from haikei.trackers.shotgrid.version_rows import FILE_FIELDS, MEDIA, VERSION_FIELDS

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
