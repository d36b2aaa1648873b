"""
Uploads as requests: in one form with the file in it, or to storage of a cloud's kind, in parts.
"""

import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from haikei.errors import StorageUnavailable
from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.form import (
    Form,
    UploadedFile,
    content_type_of,
    drain,
    large_chunks,
    safe_filename,
)
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.media.media_store import Received, write_atomically
from haikei.sgserver.media.thumbnails import ImageField
from haikei.sgserver.media.uploads import Target, parse_target
from haikei.sgserver.values import Fault, bad_request, failed, moment_text, utc_now


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


#: All parts of a file but its last have at least this size. Source: Amazon S3, multipart limits.
_SMALLEST_PART = 5 * 1024 * 1024
_MOST_PARTS = 10_000
_WHOLE = "whole"
_LINKED = "linked"
_LINK = "link.json"
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_ABANDONED = 24 * 3600  #: seconds after which an upload that nobody finished is removed

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLink:
    """A place for a file; whoever knows the id, which is random, may finish the upload."""

    url: str
    timestamp: str
    upload_type: str
    upload_id: str
    filename: str
    parts: bool

    def words(self) -> list[str]:
        """Return what clients receive and send back; they count on five or six words."""
        words = ["1", self.url, self.timestamp, self.upload_type, self.upload_id]
        return [*words, quote(self.filename, safe="")] if self.parts else words


class CloudUploads:
    """`/upload/api_get_upload_link_info` and what follows it, with this site as the cloud."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._folder = hosting.media.folder / "parts"
        self._folder.mkdir(exist_ok=True)
        for upload in self._folder.iterdir():
            if upload.stat().st_mtime < time.time() - _ABANDONED:
                shutil.rmtree(upload)

    def routes(self) -> list[Route]:
        """Return what to serve."""
        return [
            Route("/upload/api_get_upload_link_info", self.get_link, methods=["POST"]),
            Route("/upload/api_get_upload_link_for_part", self.get_part_link, methods=["POST"]),
            Route("/upload/api_complete_multipart_upload", self.complete, methods=["POST"]),
            Route("/upload/api_link_file", self.link_file, methods=["POST"]),
            Route("/upload/storage/{upload_id}/{part}", self.put, methods=["PUT"]),
        ]

    async def get_link(self, request: Request) -> Response:
        """Answer with the address to put a file to, and what to say when it is there."""

        def work(_caller: Caller, form: Form) -> str:
            link = self.new_link(
                form.text("upload_type"),
                form.text("filename"),
                parts=form.flag("multipart_upload"),
                timestamp=form.fields.get("created_at"),
            )
            return "".join(f"{word}\n" for word in link.words())

        return await self._hosting.answer_form(request, work)

    def new_link(
        self, upload_type: str, filename: str, *, parts: bool = False, timestamp: str | None = None
    ) -> UploadLink:
        """
        Make a place to put a file to.

        Raises:
            Fault: it is to be neither an attachment nor a thumbnail.
        """
        if upload_type not in {"Attachment", "Thumbnail"}:
            raise bad_request(f"{upload_type!r} is neither Attachment nor Thumbnail.")
        upload_id = secrets.token_hex(16)
        (self._folder / upload_id).mkdir()
        link = UploadLink(
            url=self._address(upload_id, "1" if parts else _WHOLE),
            timestamp=(timestamp or moment_text(utc_now())).replace(" ", "T"),
            upload_type=upload_type,
            upload_id=upload_id,
            filename=safe_filename(filename),
            parts=parts,
        )
        kept = json.dumps(asdict(link), ensure_ascii=False)
        write_atomically(self._folder / upload_id / _LINK, kept.encode())
        return link

    async def get_part_link(self, request: Request) -> Response:
        """Answer with the address to put one part to."""

        def work(_caller: Caller, form: Form) -> str:
            part = form.number("part_number")
            if not 1 <= part <= _MOST_PARTS:
                raise bad_request(f"A file has parts 1 to {_MOST_PARTS}, not {part}.")
            upload_id = form.text("upload_id")
            self._upload(upload_id)
            return f"1\n{self._address(upload_id, str(part))}\n"

        return await self._hosting.answer_form(request, work)

    async def complete(self, request: Request) -> Response:
        """Put the parts of a file together."""

        def work(_caller: Caller, form: Form) -> str:
            folder = self._upload(form.text("upload_id"))
            self._assemble(folder, form.text("etags").split(","))
            return "1\n"

        return await self._hosting.answer_form(request, work)

    async def link_file(self, request: Request) -> Response:
        """Link a file that was put before to a row: `1:<attachment>`."""

        def work(caller: Caller, form: Form) -> str:
            return self.finish(
                caller,
                self._sent_back(form.text("upload_link_info")),
                target_of(form),
                field=form.fields.get("field_name") or None,
                image=image_field(form),
                display_name=form.fields.get("display_name"),
                tags=tags_of(form),
                created_at=form.fields.get("created_at") or None,
            )

        return await self._hosting.answer_form(request, work)

    def finish(
        self,
        caller: Caller,
        link: UploadLink,
        target: Target,
        *,
        field: str | None,
        image: ImageField,
        display_name: str | None,
        tags: Sequence[str],
        created_at: str | None = None,
    ) -> str:
        """
        Put an uploaded file where it belongs; return what the official client reads of that.

        Raises:
            Fault: it was never uploaded, or the row or field is unknown.
        """
        folder = self._upload(link.upload_id)
        done = folder / _LINKED
        if done.exists():  # the client asks again when our answer got lost
            return done.read_text(encoding="utf-8")
        whole = folder / _WHOLE
        if not whole.exists():
            raise failed(f"{link.filename} was never uploaded.")
        file = UploadedFile(
            received=Received(path=whole, size=whole.stat().st_size, md5=""),
            filename=link.filename,
            content_type=content_type_of(link.filename),
        )
        uploads = self._hosting.uploads
        if link.upload_type == "Thumbnail":
            attachment = uploads.publish_thumbnail(caller, file, target, field=image)
        else:
            attachment = uploads.attach(
                caller,
                file,
                target,
                field=field,
                display_name=display_name or link.filename,
                tags=tags,
                created_at=created_at,
            )
        answer = f"1:{attachment}\n"
        write_atomically(done, answer.encode())
        return answer

    async def put(self, request: Request) -> Response:
        """Take bytes at a signed address; the ETag says what arrived."""
        path = request.url.path
        query = request.query_params
        chunks = large_chunks(request)
        if not self._hosting.signer.holds(
            path, expires=query.get("expires"), signature=query.get("signature")
        ):
            await drain(chunks, limit=self._hosting.media.limit)
            return PlainTextResponse("This address is not signed, or its time is over.", 403)
        try:
            part = self._upload(request.path_params["upload_id"]) / request.path_params["part"]
            received = await self._receive(chunks)
        except Fault as fault:
            await drain(chunks, limit=self._hosting.media.limit)
            return PlainTextResponse(fault.message, 400)
        except StorageUnavailable as error:
            _log.warning("upload_failed", path=path, reason=str(error))
            await drain(chunks, limit=self._hosting.media.limit)
            return PlainTextResponse(str(error), 507)
        except ClientDisconnect:
            return PlainTextResponse("The connection ended before the file did.", 400)
        received.path.replace(part)
        return PlainTextResponse("", headers={"ETag": f'"{received.md5}"'})

    async def _receive(self, chunks: AsyncIterator[bytes]) -> Received:
        with self._hosting.media.receive() as arrival:
            async for chunk in chunks:
                await self._hosting.workers.run(arrival.write, chunk)
            return await self._hosting.workers.run(arrival.finish)

    def _address(self, upload_id: str, part: str) -> str:
        path = self._hosting.signer.sign(f"/upload/storage/{upload_id}/{part}")
        return f"{self._hosting.site.base_url}{path}"

    def _upload(self, upload_id: str) -> Path:
        folder = self._folder / upload_id
        if not _UPLOAD_ID.fullmatch(upload_id) or not folder.is_dir():
            raise bad_request(f"There is no upload {upload_id!r}.")
        return folder

    def link(self, upload_id: str) -> UploadLink:
        """
        Return a link that this site made.

        Raises:
            Fault: there is none of that id.
        """
        kept = (self._upload(upload_id) / _LINK).read_text(encoding="utf-8")
        return UploadLink(**json.loads(kept))

    def _sent_back(self, text: str) -> UploadLink:
        words = text.split()
        link = self.link(words[4] if len(words) > 4 else "")
        if words != link.words():
            raise bad_request("The upload_link_info is not what this site answered.")
        return link

    def _assemble(self, folder: Path, etags: list[str]) -> None:
        parts = [folder / str(number) for number in range(1, len(etags) + 1)]
        if any(not part.exists() for part in parts):
            raise bad_request("Not every part of the file was uploaded.")
        if any(part.stat().st_size < _SMALLEST_PART for part in parts[:-1]):
            raise bad_request("A part of the file is smaller than 5 MiB.")
        with self._hosting.media.receive(sum(part.stat().st_size for part in parts)) as arrival:
            for part, etag in zip(parts, etags, strict=True):
                if self._append(part, arrival.write) != etag.strip().strip('"'):
                    raise bad_request(f"Part {part.name} is not the one with ETag {etag}.")
            received = arrival.finish()
        received.path.replace(folder / _WHOLE)
        for part in parts:
            part.unlink()

    @staticmethod
    def _append(part: Path, write: Callable[[bytes], None]) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        with part.open("rb") as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
                write(chunk)
        return digest.hexdigest()
