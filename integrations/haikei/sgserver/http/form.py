"""
Forms that clients post, files in them straight to the disk, and the threads that wait
for it.
"""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from haikei.errors import StorageUnavailable
from haikei.sgserver.media.media_store import Arrival, MediaStore, Received
from haikei.sgserver.values import Fault, bad_request

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Workers:
    """
    A fixed number of threads, that live as long as the server.

    Each thread has a database connection of its own, so threads that come and go, as an event
    loop's usual ones do, would leave connections behind.
    """

    def __init__(self, count: int = 8) -> None:
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="site")

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do something in a thread, and return what it returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Wait for what is under way, and end the threads."""
        self._threads.shutdown(wait=True)


_MIB = 1024 * 1024
_FIELDS_LIMIT = _MIB  #: bytes of all fields together
_FIELDS_COUNT = 100
_NAME_LIMIT = 255  #: characters of a file's name


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file that came with a form."""

    received: Received
    filename: str  #: its last part, for people; never a path
    content_type: str | None  #: as the name's ending says


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a client posted."""

    fields: Mapping[str, str]
    file: UploadedFile | None

    def text(self, name: str) -> str:
        """
        Return a field that must be there.

        Raises:
            Fault: it is not.
        """
        value = self.fields.get(name, "")
        if not value:
            raise bad_request(f"The form has no {name}.")
        return value

    def number(self, name: str) -> int:
        """
        Return a field that must be a row's number.

        Raises:
            Fault: it is none.
        """
        value = self.text(name)
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise bad_request(f"The form's {name} is no number: {value!r}.")
        return int(value)

    def flag(self, name: str) -> bool:
        """Return a field that clients write as Python prints it."""
        return self.fields.get(name, "").lower() in {"true", "1"}


async def read_form(
    request: Request,
    media: MediaStore,
    workers: Workers,
    *,
    sign_in: Callable[[Mapping[str, str]], object],
) -> Form:
    """
    Read a posted form to its end.

    `sign_in` is called with the fields that stand before the file, before any byte of it is
    stored; it raises when nobody may upload with them.

    When something is wrong, the rest of the request is still read, since the official client does
    not look at an answer before it has sent everything.

    Raises:
        Fault: the form is damaged, too large or refused by `sign_in`.
        StorageUnavailable: the disk is full.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    announced = request.headers.get("content-length", "")
    expected = int(announced) if announced.isascii() and announced.isdigit() else 0
    chunks = large_chunks(request)
    try:
        match kind:
            case b"multipart/form-data":
                return await _read_multipart(
                    chunks, options.get(b"boundary", b""), media, workers, expected, sign_in
                )
            case b"application/x-www-form-urlencoded":
                form = await _read_urlencoded(chunks)
                await workers.run(sign_in, form.fields)
                return form
            case _:
                raise bad_request("A form is expected: multipart/form-data or urlencoded.")
    except (Fault, StorageUnavailable):
        await drain(chunks, limit=2 * media.limit)
        raise
    except ClientDisconnect as error:
        raise bad_request("The connection ended before the form did.") from error


async def large_chunks(request: Request) -> AsyncGenerator[bytes]:
    """Return a request's body in pieces of about a megabyte."""
    # The disk work is done in a thread, and one hop a megabyte costs nothing.
    waiting = bytearray()
    async for chunk in request.stream():
        waiting += chunk
        if len(waiting) >= _MIB:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


async def drain(chunks: AsyncIterator[bytes], *, limit: int) -> None:
    """Read and drop what a client still sends, so that it gets to read its answer."""
    async for chunk in chunks:
        limit -= len(chunk)
        if limit < 0:
            return


def safe_filename(text: str) -> str:
    """Return the last part of a file name, without anything that only a machine can see."""
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(sign for sign in last if sign.isprintable()).strip()
    return visible[-_NAME_LIMIT:] if visible.strip(".") else "file"


async def _read_urlencoded(chunks: AsyncIterator[bytes]) -> Form:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > _FIELDS_LIMIT:
            raise bad_request("The form is too large.")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_COUNT, errors="strict"
        )
    except ValueError as error:
        raise bad_request(f"The form cannot be read: {error}") from error
    return Form(fields=dict(pairs), file=None)


async def _read_multipart(
    chunks: AsyncIterator[bytes],
    boundary: bytes,
    media: MediaStore,
    workers: Workers,
    expected: int,
    sign_in: Callable[[Mapping[str, str]], object],
) -> Form:
    reader = _MultipartReader(boundary, media, expected, sign_in)
    async with AsyncExitStack() as stack:
        stack.callback(reader.close)
        async for chunk in chunks:
            await workers.run(reader.feed, chunk)
        return await workers.run(reader.finish)


class _MultipartReader:
    """Takes a multipart body apart; its one file goes to the disk as it comes."""

    def __init__(
        self,
        boundary: bytes,
        media: MediaStore,
        expected: int,
        sign_in: Callable[[Mapping[str, str]], object],
    ) -> None:
        if not boundary:
            raise bad_request("The form has no boundary.")
        self._media = media
        self._expected = expected
        self._sign_in = sign_in
        self._fields: dict[str, str] = {}
        self._room = _FIELDS_LIMIT
        self._file: UploadedFile | None = None
        self._arrival: Arrival | None = None
        self._filename = ""
        self._part = ""
        self._value = bytearray()
        self._header = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise bad_request(f"The form cannot be read: {error}") from error

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise bad_request(f"The form cannot be read: {error}") from error

    def finish(self) -> Form:
        if not self._ended:
            raise bad_request("The form ends in the middle.")
        if self._file is None:
            self._sign_in(self._fields)
        return Form(fields=self._fields, file=self._file)

    def close(self) -> None:
        if self._arrival is not None:
            self._arrival.abandon()
            self._arrival = None

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._value.clear()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        try:
            self._part = options.get(b"name", b"").decode()
            filename = options[b"filename"].decode() if b"filename" in options else None
        except UnicodeDecodeError as error:
            raise bad_request("The form's names are not in UTF-8.") from error
        if filename is None:
            return
        if self._file is not None or self._arrival is not None:
            raise bad_request("The form has more than one file.")
        self._sign_in(self._fields)
        self._filename = safe_filename(filename)
        self._arrival = self._media.receive(self._expected)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._arrival is not None:
            self._arrival.write(data[start:end])
            return
        self._room -= end - start
        if self._room < 0:
            raise bad_request("The form is too large.")
        self._value += data[start:end]

    def _on_part_end(self) -> None:
        if self._arrival is not None:
            self._file = UploadedFile(
                received=self._arrival.finish(),
                filename=self._filename,
                content_type=content_type_of(self._filename),
            )
            self._arrival = None
            return
        if len(self._fields) >= _FIELDS_COUNT:
            raise bad_request("The form has too many fields.")
        try:
            self._fields[self._part] = self._value.decode()
        except UnicodeDecodeError as error:
            raise bad_request(f"The form's {self._part} is not in UTF-8.") from error

    def _on_end(self) -> None:
        self._ended = True


def content_type_of(filename: str) -> str | None:
    """Return what a name's ending says the file is; what the client says is not trusted."""
    return mimetypes.guess_type(filename, strict=False)[0]
