"""Uploads as one form with the file in it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.form import Form, UploadedFile, safe_filename
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.media.thumbnails import ImageField
from haikei.sgserver.media.uploads import Target, parse_target
from haikei.sgserver.values import bad_request


class ClassicUploads:
    """`/upload/upload_file`, `/upload/publish_thumbnail` and `/upload/share_thumbnail`."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting

    def routes(self) -> list[Route]:
        """Return what to serve."""
        return [
            Route("/upload/upload_file", self.upload_file, methods=["POST"]),
            Route("/upload/publish_thumbnail", self.publish_thumbnail, methods=["POST"]),
            Route("/upload/share_thumbnail", self.share_thumbnail, methods=["POST"]),
        ]

    async def upload_file(self, request: Request) -> Response:
        """Link a file to a row: `1:<attachment>:<name>`."""

        def work(caller: Caller, form: Form) -> str:
            file = _file(form)
            attachment = self._hosting.uploads.attach(
                caller,
                file,
                target_of(form),
                field=form.fields.get("field_name") or None,
                display_name=form.fields.get("display_name") or file.filename,
                tags=tags_of(form),
                created_at=form.fields.get("created_at") or None,
            )
            return linked(attachment, file.filename)

        return await self._hosting.answer_form(request, work)

    async def publish_thumbnail(self, request: Request) -> Response:
        """Make a file the thumbnail of a row: `1:<attachment>:<name>`."""

        def work(caller: Caller, form: Form) -> str:
            file = _file(form)
            attachment = self._hosting.uploads.publish_thumbnail(
                caller, file, target_of(form), field=image_field(form)
            )
            return linked(attachment, file.filename)

        return await self._hosting.answer_form(request, work)

    async def share_thumbnail(self, request: Request) -> Response:
        """Let rows show another's thumbnail: `1:<attachment>`, or `2` while it is pending."""

        def work(caller: Caller, form: Form) -> str:
            attachment = self._hosting.uploads.share_thumbnail(
                caller,
                parse_target(form.text("source_entity")),
                [parse_target(word.strip()) for word in form.text("entities").split(",")],
                field="filmstrip_image" if form.flag("filmstrip_thumbnail") else "image",
            )
            return f"1:{'' if attachment is None else attachment}\n"

        return await self._hosting.answer_form(request, work)


def target_of(form: Form) -> Target:
    """
    Return the row that a form is for.

    Raises:
        Fault: it names none.
    """
    return parse_target(f"{form.text('entity_type')}_{form.text('entity_id')}")


def image_field(form: Form) -> ImageField:
    """Return the image field that a thumbnail goes to."""
    return "filmstrip_image" if form.flag("filmstrip") else "image"


def tags_of(form: Form) -> list[str]:
    """Return the tags that an attachment gets."""
    words = form.fields.get("tag_list", "").split(",")
    return [word.strip() for word in words if word.strip()]


def linked(attachment: int, name: str) -> str:
    """Return what the client reads the attachment's number from."""
    return f"1:{attachment}:{safe_filename(name)}\n"


def _file(form: Form) -> UploadedFile:
    if form.file is None or form.file.received.size == 0:
        raise bad_request("The form has no file, or an empty one.")
    return form.file
