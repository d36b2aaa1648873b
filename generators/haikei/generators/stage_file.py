"""A stage's picture on the disk, what is known of it, and what it took to make."""

import json
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from prometheus_client import Gauge, Histogram

from haikei.errors import HaikeiError, StorageUnavailable
from haikei.images import Picture, decode_picture, write_picture

STAGE_SECONDS = Histogram(
    "haikei_stage_seconds",
    "Seconds in which a stage's picture was made",
    ["stage", "generator"],
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900, 3600),
)
MEMORY = Gauge(
    "haikei_device_memory_bytes",
    "The most memory that a generation worker has used: of its GPU, else of the process",
    ["device"],
    multiprocess_mode="livemax",
)
_KIB = 1024


def peak_memory(device: str) -> int:
    """Return the bytes that this process has used at most on a device."""
    # Whoever has made a picture on a GPU has loaded torch; nobody loads it for this.
    torch: Any = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None:
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFile:
    """What is noted beside a stage's picture, so that a stage found again is fully known."""

    pixels_sha256: str  #: as `Picture.sha256` gives it
    seconds: float  #: that making it took
    notes: tuple[str, ...]
    unread: float | None  #: as the generator counted it
    changed_ppm: tuple[int, ...] = ()  #: as `GenerationResult` holds it
    fingerprint: str = ""  #: as `haikei.fingerprint` writes it; older notes have none

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """Return what stands at `path` if picture and note are whole and belong together."""
        # Whatever is wrong with the files of a stage, it can be made again.
        try:
            data = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            made = cls(
                pixels_sha256=str(data["pixels_sha256"]),
                seconds=float(data["seconds"]),
                notes=tuple(str(note) for note in data["notes"]),
                unread=None if data["unread"] is None else float(data["unread"]),
                changed_ppm=tuple(int(one) for one in data.get("changed_ppm", ())),
                fingerprint=str(data.get("fingerprint", "")),
            )
            return made if decode_picture(path).picture.sha256() == made.pixels_sha256 else None
        except (OSError, ValueError, KeyError, TypeError, HaikeiError):
            return None

    def save(self, path: Path, picture: Picture) -> None:
        """
        Write the picture as a 16-bit PNG and the note beside it; both appear whole or not at all.

        Raises:
            StorageUnavailable: the disk does not take them.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The same name each time: what a killed process left is overwritten, not collected.
            temporary = path.with_name(f".{path.stem}.part.png")
            beside = path.with_name(f".{path.stem}.part.json")
            write_picture(picture, temporary, attributes={"Software": "Haikei"})
            with beside.open("w", encoding="utf-8") as file:
                json.dump(
                    {
                        "changed_ppm": self.changed_ppm,
                        "fingerprint": self.fingerprint,
                        "notes": self.notes,
                        "pixels_sha256": self.pixels_sha256,
                        "seconds": self.seconds,
                        "unread": self.unread,
                    },
                    file,
                )
                file.flush()
                os.fsync(file.fileno())
            # The picture last: where it stands, its note stands too.
            beside.replace(path.with_suffix(".json"))
            temporary.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise StorageUnavailable(
                f"{path} cannot be written: {error.strerror or error}.",
                advice="Check free space, permissions and the mount.",
            ) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
