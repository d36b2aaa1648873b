"""Pictures, signed records and ledger entries, as files."""

from collections.abc import Callable
from pathlib import Path

import structlog
from anyio import CapacityLimiter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from haikei.credits import records
from haikei.database import reading
from haikei.errors import ImageUnreadable, LedgerError
from haikei.ledger import entry
from haikei.web.context import WebContext
from haikei.web.pages.pictures import Pictures, Size

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
        file = await run_in_threadpool(self._pictures.kept, sha256, Size(size))
        if file is None:
            async with self._cards if size == Size.CARD else self._others:
                # Who has gone on to another page meanwhile does not look at this one any more.
                if await request.is_disconnected():
                    return Response(status_code=_GONE)
                file = await self._made(sha256, Size(size))
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
