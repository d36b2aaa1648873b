"""
Pictures in the sizes that browsers show, signed records and ledger entries, sent as
files.
"""

import os
import re
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path, PurePosixPath

import numpy as np
import structlog
from anyio import CapacityLimiter
from numpy.typing import NDArray
from sqlalchemy import Engine, select
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from haikei.credits import BackgroundVersion, ImageRecord, records
from haikei.database import image_records, reading
from haikei.errors import ImageUnreadable, LedgerError, ReviewError, StorageUnavailable
from haikei.images import AS_IT_IS, Limits, Look, Picture, View, read_picture, write_picture
from haikei.jobs.page_inputs import CARD, preview_file, write_preview
from haikei.ledger import entry
from haikei.provenance.formats import MANIFEST_SUFFIX, XMP_SUFFIX
from haikei.reports import stage_names
from haikei.settings import Settings
from haikei.trackers import ANNOTATION
from haikei.web.context import WebContext
from haikei.web.pages.marks import Mark, MarkKind

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

    def kept(self, sha256: str, size: Size, look: Look = AS_IT_IS) -> Path | None:
        """Return a JPEG that was made before, or None."""
        if _HASH.fullmatch(sha256) is None:
            return None
        file = preview_file(self._state, sha256, size, look)
        return file if file.is_file() else None

    def make(self, sha256: str, size: Size, look: Look = AS_IT_IS) -> Path | None:
        """
        Return a JPEG of a recorded image, made if need be; None when there is no file of it.

        Raises:
            ImageUnreadable: the file is damaged.
            StorageUnavailable: the disk is full.
        """
        found = self.kept(sha256, size, look)
        source = self._source(sha256) if found is None else None
        if source is None:
            return found
        file = preview_file(self._state, sha256, size, look)
        limits = Limits.from_settings(self._settings.watch)
        write_preview(read_picture(source, limits=limits, look=look), file, longest=size)
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
#: Seconds after which a bundle that nobody fetched is removed.
_FORGOTTEN = 3600.0
#: Exposures that pictures are made with, in stops; each is a file that is kept.
_STOPS = frozenset(str(stops) for stops in range(-6, 7))
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
        self._bundles = CapacityLimiter(1)

    async def picture(self, request: Request) -> Response:
        """Serve a picture in one of the sizes."""
        sha256: str = request.path_params["sha256"]
        size = _number(request.path_params["size"])
        if size not in set(Size):
            raise HTTPException(404, "There is no picture of that size.")
        return await self.send_picture(request, sha256, Size(size), _look(request.query_params))

    async def send_picture(
        self, request: Request, sha256: str, size: Size, look: Look = AS_IT_IS
    ) -> Response:
        """Serve a picture to who may see it, made if need be."""
        file = await run_in_threadpool(self._pictures.kept, sha256, size, look)
        if file is None:
            async with self._cards if size == Size.CARD else self._others:
                # Who has gone on to another page meanwhile does not look at this one any more.
                if await request.is_disconnected():
                    return Response(status_code=_GONE)
                file = await self._made(sha256, size, look)
        if file is None:
            return Response(_NO_PICTURE, 404, media_type="image/svg+xml")
        return FileResponse(file, headers=_FOR_EVER, media_type="image/jpeg")

    async def _made(self, sha256: str, size: Size, look: Look) -> Path | None:
        try:
            return await run_in_threadpool(self._pictures.make, sha256, size, look)
        except ImageUnreadable as error:
            log.warning("picture_unreadable", sha256=sha256, error=str(error))
            return None

    def record(self, request: Request) -> Response:
        """Serve the signed record that stands beside a version's file."""
        version = version_of(self._web.database, request.path_params["key"])
        file = self._find_file(f"{version.final.path}.json")
        if file is None:
            raise HTTPException(404, f"No record stands beside {version.final.path}.")
        return FileResponse(file, media_type="application/json", filename=file.name)

    def published(self, request: Request) -> Response:
        """Serve a version's picture as it was published, byte for byte."""
        version = version_of(self._web.database, request.path_params["key"])
        file = self._find_file(version.final.path)
        if file is None:
            raise HTTPException(404, f"{version.final.path} does not stand here any more.")
        return FileResponse(file, filename=file.name, media_type="application/octet-stream")

    async def layered(self, request: Request) -> Response:
        """Serve all pictures of a version, from the layout on, with their marks, as one ZIP."""
        key: str = request.path_params["key"]
        version = await run_in_threadpool(version_of, self._web.database, key)
        # It is as large as all of them: one is put together at a time.
        async with self._bundles:
            bundle = await run_in_threadpool(self._bundle, version)
        return FileResponse(
            bundle,
            filename=f"{version.code}_layers.zip",
            media_type="application/zip",
            background=BackgroundTask(bundle.unlink, missing_ok=True),
        )

    def _bundle(self, version: BackgroundVersion) -> Path:
        names = stage_names(version)
        path = new_download(self._web.settings, ".zip")
        try:
            with zipfile.ZipFile(path, "w") as bundle:
                for place, (image, name) in enumerate(zip(version.images, names, strict=True), 1):
                    step = re.sub(r"\W+", "_", name.en.lower()).strip("_")
                    for found in filter(None, map(self._find_file, _files_of(image))):
                        # Stored as they are: pictures are packed already.
                        bundle.write(found, f"{place:02d}_{step}/{found.name}")
        except OSError as error:
            raise StorageUnavailable(
                f"{version.code} cannot be put together: {error.strerror or error}.",
                advice="Check free space of the state folder.",
            ) from error
        return path

    def ledger(self, request: Request) -> Response:
        """Serve an entry of the ledger as it is sealed, in canonical JSON."""
        number = _number(request.path_params["number"])
        try:
            with reading(self._web.database) as connection:
                found = entry(connection, number)
        except LedgerError as error:
            raise HTTPException(404, str(error)) from error
        return PlainTextResponse(found.payload, media_type="application/json")


def version_of(database: Engine, key: str) -> BackgroundVersion:
    """
    Return a version by its key.

    Raises:
        HTTPException: 404, there is none.
    """
    with reading(database) as connection:
        version = records.background(connection, key)
    if version is None:
        raise HTTPException(404, "There is no such version.")
    return version


def _files_of(image: ImageRecord) -> Iterator[str]:
    """Yield where a published picture stands, and what belongs to it beside it."""
    if image.path:
        path = PurePosixPath(image.path)
        yield str(path)
        yield from (str(path.with_suffix(one)) for one in (MANIFEST_SUFFIX, XMP_SUFFIX))
        yield f"{path}.json"


def new_download(settings: Settings, suffix: str) -> Path:
    """
    Return an empty file of the state folder, for what is put together for one visitor.

    Raises:
        StorageUnavailable: the folder takes none.
    """
    folder = settings.work_folder / "web-downloads"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_old(folder)
        number, path = tempfile.mkstemp(suffix=suffix, dir=folder)
        os.close(number)
    except OSError as error:
        raise StorageUnavailable(
            f"{folder} takes no file: {error.strerror or error}.",
            advice="Check free space and permissions of the state folder.",
        ) from error
    return Path(path)


def _forget_old(folder: Path) -> None:
    """Remove what was put together for somebody who never fetched it."""
    now = time.time()
    for file in folder.iterdir():
        with suppress(OSError):
            if now - file.stat().st_mtime > _FORGOTTEN:
                file.unlink()


def _look(query: Mapping[str, str]) -> Look:
    """Return how a picture is asked for; a view or exposure that there is not is refused."""
    view, stops = query.get("view", View.PLAIN.value), query.get("stops", "0")
    if view not in set(View) or stops not in _STOPS:
        raise HTTPException(404, "There is no picture that looks so.")
    return Look(view=View(view), stops=int(stops))


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


#: Of marks, as the page has them: sRGB, with an edge that shows on every ground.
_COLOUR, _EDGE = (1.0, 0.23, 0.19), (1.0, 1.0, 1.0)


class Annotations:
    """
    Draws marks on versions, as pictures for their Notes in the tracker.

    Browsers send what was drawn as figures, and no picture: nothing foreign has to be decoded, and
    what is drawn lies on the version as it was published.

    Args:
        database: the studio's own.
        pictures: of versions, in the sizes of the pages.
        settings: the studio's.
    """

    def __init__(self, database: Engine, pictures: Pictures, settings: Settings) -> None:
        self._database = database
        self._pictures = pictures
        self._limits = Limits.from_settings(settings.watch)

    @contextmanager
    def drawn(self, key: str, marks: Sequence[Mark]) -> Generator[Path]:
        """
        Yield a picture of a version with marks on it; it is gone afterwards.

        Raises:
            ReviewError: there is no such version, or no file of it here.
            ImageUnreadable: that file is damaged.
            StorageUnavailable: the disk does not take the picture.
        """
        with reading(self._database) as connection:
            version = records.background(connection, key)
        file = None if version is None else self._pictures.make(version.final.sha256, Size.SCREEN)
        if version is None or file is None:
            raise ReviewError(
                "There is no picture of this version here that could be drawn on.",
                advice="Say in words what you mean, and send it without a drawing.",
            )
        picture = read_picture(file, limits=self._limits)
        with tempfile.TemporaryDirectory(prefix="haikei-") as folder:
            target = Path(folder, f"{version.code}{ANNOTATION}")
            write_picture(Picture(pixels=draw_marks(picture.pixels, marks)), target, bits=8)
            yield target


def draw_marks(pixels: NDArray[np.float32], marks: Sequence[Mark]) -> NDArray[np.float32]:
    """Return a picture, (height, width, 3), sRGB, 0 to 1, with marks drawn on it."""
    drawn = pixels.copy()
    height, width = drawn.shape[:2]
    import cv2

    thick = max(2, round(max(width, height) / 400))
    for colour, more in ((_EDGE, 2 * max(1, thick // 2)), (_COLOUR, 0)):
        for mark in marks:
            # Sixteenths of a pixel.
            scale = np.array([width - 1, height - 1]) * 16 / 1000
            points = np.rint(np.array(_outline(mark, width / height)) * scale).astype(np.int32)
            cv2.polylines(
                drawn,
                [points],
                isClosed=mark.kind is MarkKind.BOX,
                color=colour,
                thickness=thick + more,
                lineType=cv2.LINE_AA,
                shift=4,
            )
    return drawn


def _outline(mark: Mark, ratio: float) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = [(float(x), float(y)) for x, y in mark.points]
    if mark.kind is MarkKind.BOX:
        spot = mark.spot
        left, top, right, bottom = (
            float(one) for one in (spot.left, spot.top, spot.right, spot.bottom)
        )
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    if mark.kind is MarkKind.ARROW:
        return [points[0], points[-1], *_head(points[0], points[-1], ratio)]
    return points


def _head(
    foot: tuple[float, float], tip: tuple[float, float], ratio: float
) -> list[tuple[float, float]]:
    """Return the barbs of an arrow, as a line that goes on from its tip."""
    along = np.array([(tip[0] - foot[0]) * ratio, tip[1] - foot[1]])
    length = max(float(np.hypot(*along)), 1e-6)
    back = -along / length * min(40.0, length / 2)
    turn = np.radians(28)
    barbs: list[tuple[float, float]] = []
    for sign in (1, -1):
        cos, sin = np.cos(sign * turn), np.sin(sign * turn)
        x, y = back[0] * cos - back[1] * sin, back[0] * sin + back[1] * cos
        barbs += [(tip[0] + float(x) / ratio, tip[1] + float(y)), tip]
    return barbs
