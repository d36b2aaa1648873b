"""
Pictures in the sizes that browsers show, signed records and ledger entries, sent as
files.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from pathlib import Path

import structlog
from anyio import CapacityLimiter
from sqlalchemy import Engine, select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from haikei.credits import records
from haikei.database import image_records, reading
from haikei.errors import ImageUnreadable, LedgerError
from haikei.jobs.page_inputs import CARD, preview_file, write_preview
from haikei.ledger import entry
from haikei.settings import Settings
from haikei.web.context import WebContext

_HASH = re.compile(r"[0-9a-f]{64}")


class Size(IntEnum):
    """The longer side in pixels."""

    CARD = CARD
    SCREEN = 1600
    LARGE = 4096


class Pictures:
    """
    Makes pictures for pages from what was published; a file's hash is its name.

    Args:
        database: the studio's own.
        find_file: finds a recorded path below the storage roots, and nothing else.
        settings: the studio's: its folder, and what reading one picture may take.
    """

    def __init__(
        self,
        database: Engine,
        find_file: Callable[[str], Path | None],
        settings: Settings,
    ) -> None:
        self._database = database
        self._find_file = find_file
        self._settings = settings
        self._state = settings.work_folder

    def kept(self, sha256: str, size: Size) -> Path | None:
        """Return a JPEG that was made before, or None."""
        if _HASH.fullmatch(sha256) is None:
            return None
        file = preview_file(self._state, sha256, size)
        return file if file.is_file() else None

    def make(self, sha256: str, size: Size) -> Path | None:
        """
        Return a JPEG of a recorded image, made if need be; None when there is no file of it.

        Raises:
            ImageUnreadable: the file is damaged.
            StorageUnavailable: the disk is full.
        """
        found = self.kept(sha256, size)
        source = self._source(sha256) if found is None else None
        if source is None:
            return found
        from haikei.images import Limits, read_picture

        file = preview_file(self._state, sha256, size)
        limits = Limits.from_settings(self._settings.watch)
        write_preview(read_picture(source, limits=limits), file, longest=size)
        return file

    def _source(self, sha256: str) -> Path | None:
        if _HASH.fullmatch(sha256) is None:
            return None
        query = (
            select(image_records.c.path)
            .where(image_records.c.sha256 == sha256)
            .order_by(image_records.c.ledger_seq)
        )
        with reading(self._database) as connection:
            paths = list(connection.execute(query).scalars())
        found = (self._find_file(path) for path in paths if path)
        return next((file for file in found if file is not None), None)


log = structlog.get_logger()

#: A file's hash is in the address, so what is there never changes.
_FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}
#: Nobody reads it (nginx's code for a client that has closed the connection).
_GONE = 499
_NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" width="320" height="180">'
    '<rect width="320" height="180" fill="#8884"/>'
    '<path d="M120 120l30-40 22 26 12-14 26 28z" fill="none" stroke="#888" stroke-width="3"/>'
    '<path d="M96 50h128v90H96z" fill="none" stroke="#888" stroke-width="3"/></svg>'
)


class Files:
    """Serves what was published and what is sealed; nothing else of the machine."""

    def __init__(
        self, web: WebContext, pictures: Pictures, find_file: Callable[[str], Path | None]
    ) -> None:
        self._web = web
        self._pictures = pictures
        self._find_file = find_file
        # One of each kind at a time: each takes a core and the memory of its pixels. They wait
        # without a thread, of which all other pages would run out; and who opens one picture does
        # not wait for somebody else's gallery.
        self._cards, self._others = CapacityLimiter(1), CapacityLimiter(1)

    async def picture(self, request: Request) -> Response:
        """Serve a picture in one of the sizes."""
        sha256: str = request.path_params["sha256"]
        size = _number(request.path_params["size"])
        if size not in set(Size):
            raise HTTPException(404, "There is no picture of that size.")
        return await self.send_picture(request, sha256, Size(size))

    async def send_picture(self, request: Request, sha256: str, size: Size) -> Response:
        """Serve a picture to who may see it, made if need be."""
        file = await run_in_threadpool(self._pictures.kept, sha256, size)
        if file is None:
            async with self._cards if size == Size.CARD else self._others:
                # Who has gone on to another page meanwhile does not look at this one any more.
                if await request.is_disconnected():
                    return Response(status_code=_GONE)
                file = await self._made(sha256, size)
        if file is None:
            return Response(_NO_PICTURE, 404, media_type="image/svg+xml")
        return FileResponse(file, headers=_FOR_EVER, media_type="image/jpeg")

    async def _made(self, sha256: str, size: Size) -> Path | None:
        try:
            return await run_in_threadpool(self._pictures.make, sha256, size)
        except ImageUnreadable as error:
            log.warning("picture_unreadable", sha256=sha256, error=str(error))
            return None

    def record(self, request: Request) -> Response:
        """Serve the signed record that stands beside a version's file."""
        with reading(self._web.database) as connection:
            version = records.background(connection, request.path_params["key"])
        if version is None:
            raise HTTPException(404, "There is no such version.")
        file = self._find_file(f"{version.final.path}.json")
        if file is None:
            raise HTTPException(404, f"No record stands beside {version.final.path}.")
        return FileResponse(file, media_type="application/json", filename=file.name)

    def ledger(self, request: Request) -> Response:
        """Serve an entry of the ledger as it is sealed, in canonical JSON."""
        number = _number(request.path_params["number"])
        try:
            with reading(self._web.database) as connection:
                found = entry(connection, number)
        except LedgerError as error:
            raise HTTPException(404, str(error)) from error
        return PlainTextResponse(found.payload, media_type="application/json")


def _number(text: str) -> int:
    """Return a number in an address; -1, which nothing has, for what no column can hold."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1


#: Letters of a page that are sent first. Each piece is twice as long as the one before: each is
#: handed from thread to thread, which on a busy machine takes longer than to write it.
_FIRST = 16_000
#: 4 takes a third longer than 1 and saves a sixth of the bytes; above, little is won.
_LEVEL = 4
#: gzip, with its own header and sum (zlib, `deflateInit2`).
_GZIP = zlib.MAX_WBITS | 16


def send(request: Request, fragments: Iterator[str], vary: str) -> StreamingResponse:
    """
    Return an answer that begins before the page is complete.

    Nothing is compressed that holds words of the request: beside them, what a page keeps secret
    could be guessed by the answer's length (BREACH, Gluck, Harris, Prado 2013).
    """
    pieces = _pieces(fragments)
    headers = {"vary": f"{vary}, accept-encoding"}
    if not request.url.query and _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["content-encoding"] = "gzip"
        pieces = _compressed(pieces)
    return StreamingResponse(pieces, media_type="text/html; charset=utf-8", headers=headers)


def _pieces(fragments: Iterator[str]) -> Iterator[bytes]:
    waiting: list[str] = []
    size, enough = 0, _FIRST
    for fragment in fragments:
        waiting.append(fragment)
        size += len(fragment)
        if size >= enough:
            yield "".join(waiting).encode()
            waiting.clear()
            size, enough = 0, enough * 2
    yield "".join(waiting).encode()


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for piece in pieces:
        yield packing.compress(piece) + packing.flush(zlib.Z_SYNC_FLUSH)
    yield packing.flush()


def _takes_gzip(accepted: str) -> bool:
    """Tell whether a browser takes gzip. Source: RFC 9110, section 12.5.3."""
    for part in accepted.lower().split(",")[:20]:
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
