"""
What was read of a version's layout, as layers over its picture: made when somebody first looks.

The same layers lie, hidden, in the layered file that is put together for whoever asks for one.

Each layout is read in a process of its own, one at a time, and what it made is kept: the pages go
on meanwhile, and what a sheet does to its reader it does to that process alone.
"""

import asyncio
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

import cv2
import numpy as np
import structlog
from anyio import CapacityLimiter
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from haikei import formats
from haikei.credits import BackgroundVersion, ImageKind, ImageRecord
from haikei.errors import HaikeiError, ImageUnreadable, StorageUnavailable
from haikei.files import sha256_of
from haikei.images import (
    Layer,
    Limits,
    read_layered,
    read_picture,
    reader_environment,
    resize,
    write_layered,
)
from haikei.provenance.formats import XMP_SUFFIX, read_metadata
from haikei.reading import Reader
from haikei.reading.layer_pictures import (
    FORMAT,
    REQUEST,
    LayerFacts,
    LayerName,
    LayerRequest,
    facts_of,
    picture_of,
    read_overlay,
)
from haikei.reports import stage_names
from haikei.sheets import TraceColour, TraceRole
from haikei.texts import Language, in_language
from haikei.web.context import WebContext
from haikei.web.pages import page_texts
from haikei.web.pages.files import new_download, version_of
from haikei.web.pages.rendering import Renderer, preferences

log = structlog.get_logger()

#: Where layers are kept, below the pictures of the pages: it may be emptied at any time.
_FOLDER = Path("web-thumbnails", "layers")
#: The ending of files whose layers are a background's own.
_LAYERED = ".psd"
#: Seconds after which a layout is given up.
PATIENCE = 300.0
_FOR_A_DAY = {"cache-control": "private, max-age=86400"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """How a version's layout was read when it was painted."""

    sha256: str
    path: str
    place: str
    reader: Reader
    roles: Mapping[str, TraceRole]

    @property
    def name(self) -> str:
        content = {**self.roles, "place": self.place, "reader": self.reader, "format": FORMAT}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        return f"{self.sha256}-{digest}"


class SheetLayers:
    """
    Serves the layers of versions, and the page that shows what was found on their sheets.

    Args:
        web: the studio's application.
        renderer: makes pages.
        find_file: finds a recorded path below the storage roots, and nothing else.
    """

    def __init__(
        self, web: WebContext, renderer: Renderer, find_file: Callable[[str], Path | None]
    ) -> None:
        self._web = web
        self._renderer = renderer
        self._find_file = find_file
        self._turns = asyncio.Semaphore(1)
        # It holds all of a version's pictures: one is put together at a time.
        self._files = CapacityLimiter(1)
        self._usual = Reader.GEOMETRIC if web.settings.policy.no_ai_projects else Reader.NETWORK

    def routes(self) -> list[BaseRoute]:
        """Return what to serve."""
        return [
            Route("/versions/{key}/sheet", self.sheet),
            Route("/versions/{key}/layers/{name}.png", self.layer),
            Route("/versions/{key}/layers.psd", self.layered),
        ]

    async def layer(self, request: Request) -> Response:
        """Serve one layer, which is made if need be."""
        name: str = request.path_params["name"]
        if name not in set(LayerName):
            raise HTTPException(404, "There is no such layer.")
        folder = await self._folder(await self._version(request))
        file = picture_of(folder, LayerName(name))
        return FileResponse(file, headers=_FOR_A_DAY, media_type="image/png")

    async def sheet(self, request: Request) -> Response:
        """Say what was found on a version's sheet, with its layers."""
        version = await self._version(request)
        problem, facts = "", None
        try:
            facts = facts_of(await self._folder(version))
        except HTTPException as error:
            problem = error.detail
        return await run_in_threadpool(self._page, request, version, facts, problem)

    async def layered(self, request: Request) -> Response:
        """Serve a version as one PSD: its pictures, and above them what was read of its layout."""
        bits = request.query_params.get("bits", "16")
        if bits not in {"8", "16"}:
            raise HTTPException(400, "A layered file has 8 or 16 bits a channel.")
        version = await self._version(request)
        # Its other layers are worth having without those of a layout that cannot be read.
        folder = None
        with suppress(HTTPException):
            folder = await self._folder(version)
        async with self._files:
            file = await run_in_threadpool(
                self._put_together,
                version,
                folder,
                8 if bits == "8" else 16,
                preferences(request).language,
            )
        return FileResponse(
            file,
            filename=f"{version.code}.psd",
            media_type=formats.PSD.mime,
            background=BackgroundTask(file.unlink, missing_ok=True),
        )

    def _put_together(
        self,
        version: BackgroundVersion,
        folder: Path | None,
        bits: Literal[8, 16],
        language: Language,
    ) -> Path:
        final = self._find_file(version.final.path)
        if final is None:
            raise HTTPException(404, f"{version.final.path} does not stand here any more.")
        limits = Limits.from_settings(self._web.settings.watch)
        made: list[Layer] = []
        size: tuple[int, int] | None = None
        for image, name in reversed(list(zip(version.images, stage_names(version), strict=True))):
            file = self._find_file(image.path) if image.path else None
            if file is None:
                continue
            try:
                found = _layers_of(image, file, in_language(name, language), limits)
            except ImageUnreadable as error:
                if size is None:
                    raise HTTPException(404, error.message) from error
                log.warning("layer_left_out", version=version.code, error=error.message)
                continue
            size = size or (found[0].picture.width, found[0].picture.height)
            # What was layered stays layered: BOOKs keep their names, their order and their alpha.
            made += [_resized(one, size) for one in reversed(found)]
        made.reverse()
        if folder is not None and size is not None:
            made += _overlays(folder, size, language)
        path = new_download(self._web.settings, ".psd")
        try:
            write_layered(made, path, bits=bits, xmp=_xmp(final))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _page(
        self,
        request: Request,
        version: BackgroundVersion,
        facts: LayerFacts | None,
        problem: str,
    ) -> Response:
        return self._renderer.page(
            request,
            "sheet.html",
            status=200 if facts else 404,
            version=version,
            facts=facts,
            problem=problem,
            names=tuple(one.value for one in LayerName),
        )

    async def _folder(self, version: BackgroundVersion) -> Path:
        source = _source(version, self._usual)
        file = None if source is None else self._find_file(source.path)
        if source is None or file is None:
            raise HTTPException(404, "There is no file of this version's layout here.")
        folder = self._web.settings.work_folder / _FOLDER / source.sha256[:2] / source.name
        if facts_of(folder) is None:
            async with self._turns:
                if facts_of(folder) is None:
                    try:
                        await self._make(source, file, folder)
                    except HaikeiError as error:
                        log.warning("layers_not_made", version=version.code, error=str(error))
                        raise HTTPException(
                            503 if error.transient else 404, error.message
                        ) from error
        return folder

    async def _version(self, request: Request) -> BackgroundVersion:
        key: str = request.path_params["key"]
        return await run_in_threadpool(version_of, self._web.database, key)

    async def _make(self, source: _Source, layout: Path, folder: Path) -> None:
        unfinished = await run_in_threadpool(_new_folder, folder.parent)
        try:
            request = LayerRequest(
                layout=layout,
                folder=unfinished,
                place=source.place,
                reader=source.reader,
                roles=source.roles,
                limits=Limits.from_settings(self._web.settings.watch),
            )
            await _read(REQUEST.dump_json(request).decode(), layout.name)
            with suppress(OSError):
                # Another process of these pages may have been as fast.
                unfinished.rename(folder)
        finally:
            await run_in_threadpool(shutil.rmtree, unfinished, ignore_errors=True)
        if facts_of(folder) is None:
            raise StorageUnavailable(
                f"What was read of {layout.name} cannot be kept.",
                advice="Check free space and permissions of the state folder.",
            )


def _layers_of(image: ImageRecord, file: Path, name: str, limits: Limits) -> list[Layer]:
    """
    Return a published picture's own layers, or the one that it is, from the back to the front.

    Raises:
        ImageUnreadable: it cannot be read.
    """
    # Only a file that is as it was published is taken apart in this process.
    if file.suffix == _LAYERED and image.kind is ImageKind.GENERATION:
        if sha256_of(file) == image.sha256:
            return list(read_layered(file))
        log.warning("layers_changed_since_published", path=image.path)
    return [Layer(name=name, picture=read_picture(file, limits=limits))]


def _resized(layer: Layer, size: tuple[int, int]) -> Layer:
    if (layer.picture.width, layer.picture.height) == size:
        return layer
    cover = layer.cover
    if cover is not None:
        cover = np.clip(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), 0.0, 1.0)
    return replace(layer, picture=resize(layer.picture, *size), cover=cover)


def _overlays(folder: Path, size: tuple[int, int], language: Language) -> Iterator[Layer]:
    """Yield what was read of the layout, hidden, as large as the picture."""
    for name in LayerName:
        text = in_language(page_texts.LAYER_TEXTS[name.value], language)
        yield read_overlay(picture_of(folder, name), size, text)


def _xmp(file: Path) -> bytes:
    """Return the metadata that a published picture carries, or that stands beside it."""
    beside = file.with_suffix(XMP_SUFFIX)
    try:
        return beside.read_bytes() if beside.is_file() else read_metadata(file).xmp or b""
    except OSError as error:
        raise StorageUnavailable(f"{beside} cannot be read: {error.strerror or error}.") from error


async def _read(request: str, name: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "haikei.reading.layer_pictures", request),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=reader_environment(),
    )
    try:
        async with asyncio.timeout(PATIENCE):
            _, stderr = await process.communicate()
    except BaseException as error:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise ImageUnreadable(f"{name} took more than {PATIENCE:g} s to read.") from error
        raise
    if process.returncode:
        last = stderr.decode(errors="replace").strip().rpartition("\n")[2]
        how = last if process.returncode == 1 and last else f"exit status {process.returncode}"
        raise ImageUnreadable(f"{name} could not be read: {how}")


def _new_folder(parent: Path) -> Path:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".", dir=parent))
    except OSError as error:
        raise StorageUnavailable(
            f"{parent} cannot be written: {error.strerror or error}.",
            advice="Check free space and permissions of the state folder.",
        ) from error


def _source(version: BackgroundVersion, usual: Reader) -> _Source | None:
    """Return a version's layout, and the painter's hints about it."""
    layout = next((one for one in version.images if one.kind is ImageKind.LAYOUT), None)
    if layout is None:
        return None
    place, reader, roles = "", usual, dict[str, TraceRole]()
    for image in version.images:
        asked = cast("dict[str, object]", json.loads(image.request_json or "{}"))
        place = place or str(asked.get("place") or "")
        for name, value in _options(asked.get("options")):
            if name == "reader" and value in set(Reader):
                reader = Reader(value)
            colour = name.removeprefix("trace_")
            if name.startswith("trace_") and colour in set(TraceColour) and value in set(TraceRole):
                roles[colour] = TraceRole(value)
    return _Source(sha256=layout.sha256, path=layout.path, place=place, reader=reader, roles=roles)


def _options(options: object) -> list[tuple[str, str]]:
    """Return a stage's options, as a request in JSON has them."""
    if isinstance(options, dict):
        pairs = list(cast("dict[str, object]", options).items())
    else:
        listed = cast("list[list[object]]", options if isinstance(options, list) else [])
        pairs = [(str(one[0]), one[1]) for one in listed if len(one) == 2]
    return [(name, str(value)) for name, value in pairs]
