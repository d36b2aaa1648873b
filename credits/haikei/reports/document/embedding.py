"""Pictures as pages carry them: small JPEGs in the page, or a frame that says what is missing."""

import base64
from dataclasses import dataclass
from pathlib import Path

from haikei.errors import ImageUnreadable
from haikei.reports.document.blocks import Picture
from haikei.texts import Bilingual

_QUALITY = 86
_NOT_THERE = Bilingual("picture not found", "画像が見つかりません")
_UNREADABLE = Bilingual("picture cannot be read", "画像を読み込めません")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A picture ready to be shown."""

    jpeg: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as a `data:` URI."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is said in place of a picture."""

    reason: Bilingual
    path: str  #: of what should be there; may be empty


def embed(picture: Picture) -> Embedded | Missing:
    """Return the picture as a JPEG at its shown size, or what to say in its place."""
    source = picture.source
    path = picture.expected or (source.name if isinstance(source, Path) else "")
    if source is None or (isinstance(source, Path) and not source.is_file()):
        return Missing(reason=_NOT_THERE, path=path)
    try:
        return _encoded(source, picture.longest)
    except (ImageUnreadable, OSError):
        return Missing(reason=_UNREADABLE, path=path)


def _encoded(source: Path | bytes, longest: int) -> Embedded:
    import cv2
    import numpy as np

    if isinstance(source, bytes):
        pixels = cv2.imdecode(np.frombuffer(source, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            message = "The picture in memory is no PNG or JPEG."
            raise ImageUnreadable(message)
    else:
        from haikei.images import read_picture

        read = read_picture(source)
        eight = np.rint(np.clip(read.pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
        pixels = np.ascontiguousarray(eight[..., ::-1])
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale < 1.0:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        message = "The picture cannot be made smaller."
        raise ImageUnreadable(message)
    height, width = pixels.shape[:2]
    return Embedded(jpeg=encoded.tobytes(), width=width, height=height)
