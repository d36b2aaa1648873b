"""Thumbnails: shown as pending first, then as the picture that a background thread made."""

import heapq
import itertools
import json
import os
import secrets
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from haikei.errors import HaikeiError, ImageUnreadable
from haikei.formats import is_readable
from haikei.sgserver.credentials import Caller, UserType
from haikei.sgserver.media.media_store import MediaStore, Rendition, write_atomically
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault

if TYPE_CHECKING:
    from haikei.images import Picture

ImageField = Literal["image", "filmstrip_image"]

THUMBNAIL_SIZE = 480  #: pixels of the longer side
REVIEW_SIZE = 1920  #: pixels of the longer side
_MAX_MIB = 2048  #: memory while one uploaded image is read

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbnailOrder:
    """One thumbnail to make; it is kept on disk until it is made."""

    attachment: int
    filename: str  #: of the uploaded image; only its ending counts
    entity_type: str
    entity_id: int
    field: ImageField
    caller_kind: UserType
    caller_id: int
    caller_name: str
    generates_events: bool

    @property
    def caller(self) -> Caller:
        """Whose upload it was: the event of the finished picture is theirs as well."""
        return Caller(
            kind=self.caller_kind,
            id=self.caller_id,
            name=self.caller_name,
            generates_events=self.generates_events,
        )


def can_show(filename: str) -> bool:
    """Tell whether thumbnails can be made of a file with this name."""
    return is_readable(filename)


class ThumbnailMaker:
    """
    One thread that makes thumbnails in the order of their uploads.

    Args:
        site: whose rows show them.
        media: where the bytes are.
        delay: seconds that a thumbnail stays pending at least. The real site takes half a minute;
            a client that must cope with that can see the pending stage here too.
    """

    def __init__(self, site: Site, media: MediaStore, *, delay: float) -> None:
        self._site = site
        self._media = media
        self._delay = delay
        self._orders = media.folder / "pending"
        self._orders.mkdir(exist_ok=True)
        self._queue: list[tuple[float, int, ThumbnailOrder]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; what an earlier server left pending comes first."""
        for file in sorted(self._orders.glob("*.json"), key=lambda file: file.stat().st_mtime_ns):
            self._enqueue(ThumbnailOrder(**json.loads(file.read_text(encoding="utf-8"))))
        self._thread = threading.Thread(target=self._run, name="thumbnails")
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the picture at hand; the others stay for the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def submit(self, order: ThumbnailOrder) -> None:
        """
        Take an order; once this returns it survives a restart.

        Raises:
            StorageUnavailable: the disk is full.
        """
        text = json.dumps(asdict(order), ensure_ascii=False)
        write_atomically(self._orders / f"{order.attachment}.json", text.encode())
        self._enqueue(order)

    def _enqueue(self, order: ThumbnailOrder) -> None:
        with self._changed:
            due = time.monotonic() + self._delay
            heapq.heappush(self._queue, (due, next(self._numbers), order))
            self._changed.notify_all()

    def _next(self) -> ThumbnailOrder | None:
        with self._changed:
            while not self._stopping:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(wait)
        return None

    def _run(self) -> None:
        while (order := self._next()) is not None:
            try:
                self._make(order)
            except Exception:  # noqa: BLE001 - one strange picture must not end all others
                _log.exception("thumbnail_failed", attachment=order.attachment)
            (self._orders / f"{order.attachment}.json").unlink(missing_ok=True)

    def _make(self, order: ThumbnailOrder) -> None:
        try:
            make_renditions(self._media, order.attachment, order.filename)
        except HaikeiError as error:
            _log.warning("thumbnail_impossible", attachment=order.attachment, reason=str(error))
            if self._still_shown(order):
                self._site.update(
                    order.caller, order.entity_type, order.entity_id, {order.field: None}
                )
            return
        if not self._still_shown(order):
            return
        try:
            self._site.set_image(
                order.caller,
                order.entity_type,
                order.entity_id,
                order.attachment,
                field=order.field,
                transient=False,
            )
        except Fault as fault:  # the row was deleted meanwhile
            _log.info("thumbnail_unwanted", attachment=order.attachment, reason=fault.message)

    def _still_shown(self, order: ThumbnailOrder) -> bool:
        shown = self._site.image_of(order.entity_type, order.entity_id, order.field)
        return shown == (order.attachment, True)


def make_renditions(media: MediaStore, attachment: int, filename: str) -> None:
    """
    Make the thumbnail and the review picture of an uploaded image.

    Raises:
        ImageUnreadable: it is no image, damaged or too large.
        StorageError: the pictures cannot be written.
    """
    if not is_readable(filename):
        raise ImageUnreadable(f"{filename} is not an image that can be shown.")
    from haikei.images import Limits, read_picture, write_review

    # The reader goes by the ending; uploaded bytes stand under a number alone.
    stem = media.folder / "incoming" / secrets.token_hex(16)
    source, made = (
        stem.with_suffix(Path(filename).suffix.lower()),
        stem.with_name(f"{stem.name}.made.jpg"),
    )
    try:
        os.link(media.original(attachment), source)
        picture = read_picture(source, limits=Limits(mib=_MAX_MIB))
        for rendition, longest in (
            (Rendition.REVIEW, REVIEW_SIZE),
            (Rendition.THUMBNAIL, THUMBNAIL_SIZE),
        ):
            picture = _nearer(picture, longest)
            write_review(picture, made, longest=longest)
            made.replace(media.rendition(attachment, rendition))
    except FileNotFoundError as error:
        raise ImageUnreadable(f"Attachment {attachment} has no bytes.") from error
    finally:
        source.unlink(missing_ok=True)
        made.unlink(missing_ok=True)


def _nearer(picture: "Picture", longest: int) -> "Picture":
    """
    Halve a picture while it is at least twice as large as wanted.

    The filter that comes after costs as much as the picture is too large: with halves of plain
    averages before it a thumbnail takes a third of the time.
    """
    import numpy as np

    from haikei.images import Picture

    while max(picture.width, picture.height) >= 2 * longest:
        pixels = picture.pixels[: picture.height // 2 * 2, : picture.width // 2 * 2]
        if not pixels.size:
            break
        quarters = pixels[0::2, 0::2] + pixels[1::2, 0::2] + pixels[0::2, 1::2] + pixels[1::2, 1::2]
        picture = Picture(pixels=quarters * np.float32(0.25))
    return picture
