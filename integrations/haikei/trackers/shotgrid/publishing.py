"""
Write a background into a site: Version, media, files, links and credits.

The order of the writes makes every cut harmless. First the Version (and the layout's row, where
nobody has registered it) in one batch that is carried out whole or not at all, then the media,
and last all files in one batch whose answer also reads the Version back. Whoever comes next
with the same key finds what stands and goes on from there.
"""

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from haikei.errors import TrackerRejected, TrackerUnavailable
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers.contract.tracker import PublishRequest, PublishResult
from haikei.trackers.shotgrid.client import CreateRow, Link, Record, SiteClient, UpdateRow
from haikei.trackers.shotgrid.existing_rows import (
    CREATED_FIELDS,
    FILE_FIELDS,
    MEDIA,
    ExistingRows,
    Lookup,
    differences,
    file_row,
    layout_row,
    upstream,
    version_row,
)
from haikei.trackers.shotgrid.projects import Catalogue, type_codes
from haikei.trackers.shotgrid.schema import KEY, file_keys

log = structlog.get_logger()

# Two variants of one layout may be published at once in one process; the layout's row is made by
# the first, and found by the second, when they take turns.
_TURNS = tuple(threading.Lock() for _ in range(64))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """The rows that the files hang on."""

    version: Record
    layout: Row
    standing: ExistingRows
    created: bool


class Publisher:
    """Publishes; one object keeps what is the same for all backgrounds of a site."""

    def __init__(self, client: SiteClient, catalogue: Catalogue, settings: Settings) -> None:
        self._client = client
        self._catalogue = catalogue
        self._tracker = settings.tracker
        self._types = type_codes(settings.tracker)
        self._lookup = Lookup(client)

    def publish(self, request: PublishRequest) -> PublishResult:
        """
        Make the rows of a background complete; what stands already is left as it is.

        Raises:
            TrackerRejected: the site refuses, or does not hold what was sent.
            TrackerUnavailable: the site gives no answer; call again with the same key.
        """
        try:
            with _turn(request):
                begun = self._begin(request)
            touched = self._add_media(request, begun)
            files = self._complete_files(request, begun, touched=touched)
        except TrackerRejected:
            self._catalogue.forget()
            raise
        version = begun.version
        if begun.created:
            log.info("published", job=request.key, version=version.id, code=request.code)
        return PublishResult(
            version=Row(type="Version", id=version.id, name=request.code),
            files=tuple(
                Row(type=row.type, id=row.id, name=row.text("code")) for row in files.values()
            ),
            layout_file=begun.layout,
            url=f"{self._client.url}/detail/Version/{version.id}",
            created=begun.created,
        )

    def _begin(self, request: PublishRequest) -> _Begun:
        standing = self._lookup.standing(request)
        layout = request.context.layout_file or _row(standing.layout)
        rows: list[CreateRow] = []
        if standing.version is None:
            rows.append(version_row(request))
        if layout is None:
            code = self._tracker.layout_types[0]
            file_type = self._catalogue.file_type(code, self._types)
            storage = self._catalogue.storage(request.layout.root).link
            rows.append(layout_row(request, file_type, storage))
        made = self._client.batch(rows)
        version = standing.version or made[0]
        layout = layout or _row(made[-1])
        if layout is None:
            raise AssertionError("unreachable: it was there or was made")
        return _Begun(
            version=version,
            layout=layout,
            standing=standing,
            created=standing.version is None,
        )

    def _add_media(self, request: PublishRequest, begun: _Begun) -> bool:
        version = begun.version
        uploaded = not version.filled(MEDIA)
        if uploaded:
            self._client.upload("Version", version.id, request.review_image, MEDIA)
        if version.filled("image"):
            return uploaded
        # A site with a cloud storage makes the thumbnail of the media by itself, in its own
        # time. Where it has not done so when we come again, ours is as good.
        if not uploaded or not self._client.uploads_to_cloud("Version", MEDIA):
            self._client.upload_thumbnail("Version", version.id, request.thumbnail)
            return True
        return uploaded

    def _complete_files(
        self, request: PublishRequest, begun: _Begun, *, touched: bool
    ) -> Mapping[str, Record]:
        rows: dict[str, CreateRow | UpdateRow] = {}
        version, sources = begun.version.id, upstream(request, layout=begun.layout.id)
        keys = file_keys(request)
        for key, image in zip(keys, request.images, strict=True):
            standing = begun.standing.files.get(key)
            if standing is None:
                rows[key] = file_row(
                    request,
                    image,
                    key=key,
                    version=version,
                    sources=sources,
                    file_type=self._catalogue.file_type(image.type, self._types),
                    storage=self._catalogue.storage(image.file.root).link,
                )
            elif not _hangs_on(standing, version=version, sources=sources):
                rows[key] = UpdateRow(
                    type=standing.type,
                    id=standing.id,
                    fields={
                        "version": {"type": "Version", "id": version},
                        "upstream_published_files": [
                            {"type": "PublishedFile", "id": source} for source in sources
                        ],
                    },
                    modes={"upstream_published_files": "add"},
                )
        answers: Mapping[str, Record] = dict(
            zip(rows, self._client.batch(list(rows.values())), strict=True)
        )
        if not rows and not touched:
            answers = begun.standing.files
        elif len(answers) < len(keys) or not all(_is_complete(row) for row in answers.values()):
            answers = self._read_back(request)
        self._confirm(request, begun, answers)
        return {key: answers[key] for key in keys}

    def _read_back(self, request: PublishRequest) -> Mapping[str, Record]:
        found = self._client.find(
            "PublishedFile",
            [
                ["project", "is", {"type": "Project", "id": request.context.project.id}],
                [KEY, "in", list(file_keys(request))],
            ],
            FILE_FIELDS,
        )
        # Of rows that share a key, which the lookup has left, the oldest is read last and stays.
        return {row.text(KEY): row for row in reversed(found)}

    def _confirm(
        self, request: PublishRequest, begun: _Begun, answers: Mapping[str, Record]
    ) -> None:
        sources = upstream(request, layout=begun.layout.id)
        for key, image in zip(file_keys(request), request.images, strict=True):
            row = answers.get(key)
            if row is None:
                raise TrackerUnavailable(f"The site does not show {image.file.path.name} yet.")
            wrong = list(
                differences(row, image, request, version=begun.version.id, sources=sources)
            )
            if wrong:
                raise TrackerRejected(
                    f"PublishedFile {row.id} ({image.file.path.name}) is not as it was sent: "
                    f"{', '.join(wrong)}.",
                    advice="Look at the row in the tracker; then retry the job.",
                )


@contextmanager
def _turn(request: PublishRequest) -> Generator[None]:
    if request.context.layout_file is not None:
        yield
        return
    with _TURNS[int(request.layout.sha256[:8] or "0", 16) % len(_TURNS)]:
        yield


def _row(record: Record | None) -> Row | None:
    if record is None:
        return None
    return Row(type=record.type, id=record.id, name=record.text("code"))


def _hangs_on(row: Record, *, version: int, sources: Sequence[int]) -> bool:
    of_version: Link | None = row.link("version")
    return (
        of_version is not None
        and of_version.id == version
        and {link.id for link in row.links("upstream_published_files")}.issuperset(sources)
    )


def _is_complete(row: Record) -> bool:
    return all(row.has(field) for field in CREATED_FIELDS)
