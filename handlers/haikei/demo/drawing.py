"""Draw the demonstration's layouts and let them land as an artist's tools would."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from haikei.demo.cuts import DemoCut, layout_path
from haikei.scenes import Scene, draw, save_layout

WIDTH, HEIGHT = 1280, 720
#: Bytes that a slow tool writes at once.
_PIECE = 32 * 1024


def drop(cut: DemoCut, projects: Path) -> bool:
    """
    Draw a cut's layout and put it where it belongs; return False when it lies there already.

    PSD files arrive as paint programs save them (another name, then renamed), PNG files piece by
    piece as over a slow network, TIFF files in one go.
    """
    path = layout_path(projects, cut)
    if path.exists():
        return False
    drawing = draw(Scene(kind=cut.scene, width=WIDTH, height=HEIGHT, seed=cut.seed))
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        finished = Path(folder) / path.name
        save_layout(drawing, finished)
        _ARRIVALS[cut.ext](finished.read_bytes(), path)
    return True


def _renamed(content: bytes, path: Path) -> None:
    part = path.with_name(path.name + ".tmp")
    part.write_bytes(content)
    part.rename(path)


def _piecewise(content: bytes, path: Path) -> None:
    with path.open("xb") as stream:
        for start in range(0, len(content), _PIECE):
            stream.write(content[start : start + _PIECE])
            stream.flush()
            os.fsync(stream.fileno())
            time.sleep(0.02)


def _at_once(content: bytes, path: Path) -> None:
    path.write_bytes(content)


_ARRIVALS: dict[str, Callable[[bytes, Path], None]] = {
    "psd": _renamed,
    "png": _piecewise,
    "tif": _at_once,
}
