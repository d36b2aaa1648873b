"""
Publish a background into Kitsu: a comment with its preview, and an output file for each file.

One call brings comment, preview and picture. The comment carries the job's key as a link from its
first moment, so whoever comes next with the same key finds what stands, whatever was cut: a comment
without a preview gets one, a preview without a picture its picture, a picture without our mark its
mark. What does not need each other is asked for and made at the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from haikei.errors import RowMissing, TrackerRejected
from haikei.settings import Settings
from haikei.show import Row, StoredFile
from haikei.trackers.contract.tracker import PublishedImage, PublishRequest, PublishResult
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.rows import (
    CommentRow,
    OutputRow,
    PreviewRow,
    TaskRow,
    TypeRow,
)
from haikei.trackers.kitsu.versions import (
    FILE,
    TASK,
    KitsuVersions,
    Mark,
    key_link,
    mark_of,
    read_task,
    stated,
)

log = structlog.get_logger()

#: The field of a shot in which Kitsu's lists show the credit line.
CREDIT_FIELD = "haikei_credit"
RESULT, STAGE = "result", "stage"


@dataclass(slots=True, kw_only=True)
class KitsuCatalogue:
    """What is the same for all backgrounds of a server; forgotten when it refuses something."""

    site: KitsuSite
    output_types: dict[str, str] = field(default_factory=dict[str, str])
    file_status: str = ""

    def read(self, types: Sequence[str]) -> None:
        """Read what is not known yet of these types and of the file status."""
        for name in types:
            self.output_type(name)
        self.status()
        self.site.me()

    def output_type(self, name: str) -> str:
        """Return the id of an output type; it is made where it is missing."""
        if name not in self.output_types:
            rows = self.site.rows(TypeRow, "data/output-types")
            self.output_types = {row.name: row.id for row in rows}
        if name not in self.output_types:
            made = self.site.add(TypeRow, "data/output-types", {"name": name, "short_name": ""})
            self.output_types[name] = made.id
        return self.output_types[name]

    def status(self) -> str:
        """Return the id of a file status; Kitsu wants one for each output file."""
        if not self.file_status:
            rows = self.site.rows(TypeRow, "data/file-status")
            if not rows:
                fields = {"name": "Published", "color": "#22d160"}
                rows = (self.site.add(TypeRow, "data/file-status", fields),)
            self.file_status = rows[0].id
        return self.file_status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stands:
    """What a background needs, and what of it an earlier attempt has made."""

    task: TaskRow
    version: PreviewRow | None  #: it carries our mark: all of it stands but files, perhaps
    comment: CommentRow | None
    outputs: Mapping[str, OutputRow]  #: of the shot, by their paths


class KitsuPublisher:
    """Publishes; one object serves many backgrounds."""

    def __init__(
        self, site: KitsuSite, settings: Settings, places: KitsuPlaces, numbering: Numbering
    ) -> None:
        self._site = site
        self._tracker = settings.tracker
        self._web = str(settings.web.url).rstrip("/") if settings.web.url else ""
        self._places = places
        self._numbering = numbering
        self._versions = KitsuVersions(site, numbering)
        self._catalogue = KitsuCatalogue(site=site)

    def publish(self, request: PublishRequest) -> PublishResult:
        """
        Make the rows of a background complete; what stands already is left as it is.

        Raises:
            TrackerRejected: the server refuses, or does not hold what was sent.
            TrackerUnavailable: the server gives no answer; call again with the same key.
        """
        stands = self._stands(request)
        layout = request.context.layout_file or self._layout(request, stands)
        wanted = [self._fields(request, image, layout, stands.task) for image in request.images]
        status = self._places.status(request.status).id
        # None of these needs another; the mark, which says that all of them stand, comes last.
        with self._site.together() as begin:
            shown = begin(lambda: stands.version or self._shown(request, stands, status))
            files = [
                begin(partial(self._output, image.file, stands, fields))
                for image, fields in zip(request.images, wanted, strict=True)
            ]
            if stands.version is None:
                begin(partial(self._show_credit, stands.task.entity_id, request.credit_en))
        preview = stands.version or self._marked(request, shown.result())
        version = self._versions.row(preview, stands.task)
        if stands.version is None:
            log.info("published", job=request.key, version=version.id, code=request.code)
        found = self._numbering.numbered("Version", [version.id])
        return PublishResult(
            version=version,
            files=tuple(
                self._row(one.result(), image.name)
                for one, image in zip(files, request.images, strict=True)
            ),
            layout_file=layout,
            url=f"{self._site.url}{found[0].note}",
            created=stands.version is None,
        )

    def _stands(self, request: PublishRequest) -> _Stands:
        """Look for all that an earlier attempt may have made, and for what all of it needs."""
        shot, known = self._uid(request.context.shot), request.context.task
        uid = self._numbering.uid(TASK, known.id) if known is not None else None
        self._catalogue.read([image.type for image in request.images])
        if uid is not None:
            try:
                return self._found(request.key, uid, shot)
            except RowMissing:
                # Somebody deleted the task meanwhile, with all that stood on it.
                log.warning("task_gone", job=request.key, shot=request.context.shot.name)
        return self._found(request.key, self._task(request, shot).id, shot)

    def _found(self, key: str, task: str, shot: str) -> _Stands:
        link = key_link(key)
        with self._site.together() as begin:
            row = begin(partial(read_task, self._site, task))
            versions = begin(partial(self._versions.of_task, task))
            comments = begin(partial(self._site.rows, CommentRow, f"data/tasks/{task}/comments"))
            outputs = begin(
                partial(self._site.rows, OutputRow, "data/output-files", entity_id=shot)
            )
        found = row.result()
        if found is None:
            raise RowMissing(f"Kitsu has no task {task}.", advice="Was it deleted?")
        return _Stands(
            task=found,
            version=next((one for one in versions.result() if _is_of(one, key)), None),
            comment=next((one for one in comments.result() if link in one.links), None),
            outputs={one.path: one for one in outputs.result()},
        )

    def _task(self, request: PublishRequest, shot: str) -> TaskRow:
        # It may have been made just before a cut.
        made = self._places.background_task(self._places.tasks(shot), _stream(request))
        if made is not None:
            return made
        kind = self._places.task_type(self._tracker.background_step)
        if kind is None:
            raise TrackerRejected(
                f"Kitsu has no task type {self._tracker.background_step!r} for shots.",
                advice="Run `haikei setup`, or correct tracker.background_step.",
            )
        return self._places.new_task(
            name="main",
            project=self._uid(request.context.project),
            shot=shot,
            kind=kind.id,
            status=self._places.status(request.status).id,
        )

    def _shown(self, request: PublishRequest, stands: _Stands, status: str) -> PreviewRow:
        """Return the preview with its picture; what an earlier attempt began is finished."""
        if stands.comment is None:
            return self._published(request, stands.task, status)
        base = f"actions/tasks/{stands.task.id}/comments/{stands.comment.id}"
        begun = stands.comment.preview_ids
        if begun:
            preview = self._site.row(PreviewRow, f"data/preview-files/{begun[0]}")
        else:
            preview = self._site.add(PreviewRow, f"{base}/add-preview", {})
        if preview is None:
            raise TrackerRejected(
                f"The preview of {request.code} was deleted while it was published.",
                advice="Delete its comment as well, and retry the job.",
            )
        if not preview.original_name:
            path = f"pictures/preview-files/{preview.id}"
            self._site.upload(path, request.review_image, _shown_name(request))
        return preview

    def _published(self, request: PublishRequest, task: TaskRow, status: str) -> PreviewRow:
        """Publish comment, preview and picture in one call."""
        lines = [request.code, request.description, request.credit_en, request.credit_ja]
        page = f"{self._web}/versions/{request.key}" if self._web else ""
        comment = {
            "task_status_id": status,
            "text": "\n".join(filter(None, lines)),
            "links": [key_link(request.key), *filter(None, [page])],
        }
        made = self._site.upload(
            f"actions/tasks/{task.id}/batch-comment",
            request.review_image,
            _shown_name(request),
            field="preview_file-0-0",
            fields={"comments": [comment]},
        )
        previews = made[0].get("preview_files") or () if made else ()
        if not previews:
            raise TrackerRejected(
                f"Kitsu took the comment of {request.code} and not its picture "
                f"{request.review_image.name}.",
                advice="See the server's log; the job goes on from that comment.",
            )
        return PreviewRow.model_validate(previews[0])

    def _marked(self, request: PublishRequest, preview: PreviewRow) -> PreviewRow:
        mark = Mark.model_validate(
            {
                "key": request.key,
                "code": request.code,
                "number": request.version_number,
                "stream": _stream(request),
                "record": request.record_sha256,
                **stated(request),
            }
        )
        data = mark.wire(preview.data)
        self._site.change(f"data/preview-files/{preview.id}", {"data": data})
        return preview.model_copy(update={"data": data})

    def _layout(self, request: PublishRequest, stands: _Stands) -> Row:
        file = request.layout
        kind = self._places.task_type(self._tracker.layout_step)
        output = self._output(
            file,
            stands,
            {
                "name": file.path.stem,
                "revision": request.layout_version or 1,
                "output_type_id": self._catalogue.output_type(self._tracker.layout_types[0]),
                "task_type_id": kind.id if kind else None,
                "data": {},
            },
        )
        return self._row(output, file.path.name)

    def _fields(
        self, request: PublishRequest, image: PublishedImage, layout: Row, task: TaskRow
    ) -> dict[str, object]:
        parent = request.parent_file or layout
        mark = Mark.model_validate(
            {
                "key": request.key,
                "code": image.file.path.name,
                "number": request.version_number,
                "stream": RESULT if image is request.images[0] else STAGE,
                "record": request.record_sha256,
                "upstream": self._numbering.uid(FILE, parent.id) or "",
                **stated(request),
            }
        )
        return {
            "name": image.name,
            "revision": request.version_number,
            "description": image.description,
            "output_type_id": self._catalogue.output_type(image.type),
            "task_type_id": task.task_type_id,
            "data": mark.wire({}),
        }

    def _output(self, file: StoredFile, stands: _Stands, fields: Mapping[str, object]) -> OutputRow:
        known = stands.outputs.get(str(file.path))
        if known is not None:
            return known
        return self._site.add(
            OutputRow,
            "data/output-files",
            {
                **fields,
                "path": str(file.path),
                "extension": file.path.suffix.lstrip("."),
                "representation": file.path.suffix.lstrip("."),
                "size": file.path.stat().st_size,
                "entity_id": stands.task.entity_id,
                "person_id": self._site.me(),
                "file_status_id": self._catalogue.status(),
            },
        )

    def _show_credit(self, shot: str, line: str) -> None:
        # Kitsu adds this to what the shot's data holds.
        self._site.change(f"data/entities/{shot}", {"data": {CREDIT_FIELD: line}})

    def _row(self, output: OutputRow, name: str) -> Row:
        return Row(type=FILE, id=self._numbering.number(FILE, output.id), name=name or output.name)

    def _uid(self, row: Row) -> str:
        uid = self._numbering.uid(row.type, row.id)
        if uid is None:
            raise TrackerRejected(
                f"{row.type} {row.id} is none of this Kitsu's.",
                advice="Is tracker.url the server on which this job began?",
            )
        return uid


def _stream(request: PublishRequest) -> str:
    """Return the stream of a background: the end of its files' name, after the shot's."""
    _, _, stream = request.images[0].name.partition("_bg_")
    return stream or request.images[0].name


def _shown_name(request: PublishRequest) -> str:
    """Return the name under which Kitsu keeps and shows the picture."""
    return f"{request.code}{request.review_image.suffix}"


def _is_of(preview: PreviewRow, key: str) -> bool:
    mark = mark_of(preview.data)
    return mark is not None and mark.key == key
