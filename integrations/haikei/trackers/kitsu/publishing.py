"""
Publish a background into Kitsu: a comment with its preview, and an output file for each file.

The comment carries the job's key as a link from its first moment, so whoever comes next with the
same key finds what stands, whatever was cut: a comment without a preview gets one, a preview
without a picture its picture, a picture without our mark its mark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from haikei.errors import TrackerRejected
from haikei.settings import Settings
from haikei.show import Row, StoredFile
from haikei.trackers.contract.tracker import PublishedImage, PublishRequest, PublishResult
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.rows import (
    CommentRow,
    EntityRow,
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
        task = self._task(request)
        stream = _stream(request)
        preview, created = self._preview(request, task, stream)
        layout = request.context.layout_file or self._layout(request, task)
        files = self._files(request, task, layout)
        version = self._versions.row(preview, task)
        if created:
            self._show_credit(request, task.entity_id)
            log.info("published", job=request.key, version=version.id, code=request.code)
        found = self._numbering.numbered("Version", [version.id])
        return PublishResult(
            version=version,
            files=files,
            layout_file=layout,
            url=f"{self._site.url}{found[0].note}",
            created=created,
        )

    def _task(self, request: PublishRequest) -> TaskRow:
        known = request.context.task
        uid = self._numbering.uid(TASK, known.id) if known is not None else None
        row = read_task(self._site, uid) if uid else None
        if row is not None:
            return row
        shot = self._uid(request.context.shot)
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

    def _preview(
        self, request: PublishRequest, task: TaskRow, stream: str
    ) -> tuple[PreviewRow, bool]:
        for one in self._versions.of_task(task.id):
            mark = mark_of(one.data)
            if mark is not None and mark.key == request.key:
                return one, False
        comment = self._comment(request, task)
        base = f"actions/tasks/{task.id}/comments/{comment.id}"
        if comment.preview_ids:
            preview = self._site.row(PreviewRow, f"data/preview-files/{comment.preview_ids[0]}")
        else:
            preview = self._site.add(PreviewRow, f"{base}/add-preview", {})
        if preview is None:
            raise TrackerRejected(
                f"The preview of {request.code} was deleted while it was published.",
                advice="Delete its comment as well, and retry the job.",
            )
        if not preview.original_name:
            self._upload(preview.id, request.review_image, request.code)
        mark = Mark.model_validate(
            {
                "key": request.key,
                "code": request.code,
                "number": request.version_number,
                "stream": stream,
                "record": request.record_sha256,
                **stated(request),
            }
        )
        data = mark.wire(preview.data)
        self._site.change(f"data/preview-files/{preview.id}", {"data": data})
        return preview.model_copy(update={"data": data}), True

    def _upload(self, preview: str, picture: Path, code: str) -> None:
        # Kitsu keeps the name of what is uploaded, and shows it.
        self._site.upload(f"pictures/preview-files/{preview}", picture, f"{code}{picture.suffix}")

    def _comment(self, request: PublishRequest, task: TaskRow) -> CommentRow:
        link = key_link(request.key)
        for one in self._site.rows(CommentRow, f"data/tasks/{task.id}/comments"):
            if link in one.links:
                return one
        lines = [request.code, request.description, request.credit_en, request.credit_ja]
        links = [link, *filter(None, [f"{self._web}/versions/{request.key}" if self._web else ""])]
        return self._site.add(
            CommentRow,
            f"actions/tasks/{task.id}/comment",
            {
                "task_status_id": self._places.status(request.status).id,
                "comment": "\n".join(filter(None, lines)),
                "links": links,
            },
        )

    def _layout(self, request: PublishRequest, task: TaskRow) -> Row:
        file = request.layout
        kind = self._places.task_type(self._tracker.layout_step)
        output = self._output(
            file,
            task,
            {
                "name": file.path.stem,
                "revision": request.layout_version or 1,
                "output_type_id": self._catalogue.output_type(self._tracker.layout_types[0]),
                "task_type_id": kind.id if kind else None,
                "data": {},
            },
        )
        return self._row(output, file.path.name)

    def _files(self, request: PublishRequest, task: TaskRow, layout: Row) -> tuple[Row, ...]:
        found = []
        for image in request.images:
            output = self._output(image.file, task, self._fields(request, image, layout, task))
            found.append(self._row(output, image.name))
        return tuple(found)

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

    def _output(self, file: StoredFile, task: TaskRow, fields: Mapping[str, object]) -> OutputRow:
        known = self._site.rows(OutputRow, "data/output-files", path=str(file.path))
        if known:
            return known[0]
        return self._site.add(
            OutputRow,
            "data/output-files",
            {
                **fields,
                "path": str(file.path),
                "extension": file.path.suffix.lstrip("."),
                "representation": file.path.suffix.lstrip("."),
                "size": file.path.stat().st_size,
                "entity_id": task.entity_id,
                "person_id": self._site.me(),
                "file_status_id": self._catalogue.status(),
            },
        )

    def _show_credit(self, request: PublishRequest, shot: str) -> None:
        line = {CREDIT_FIELD: request.credit_en}
        row = self._site.row(EntityRow, f"data/entities/{shot}")
        if row is not None:
            self._site.change(f"data/entities/{shot}", {"data": {**row.data, **line}})

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
