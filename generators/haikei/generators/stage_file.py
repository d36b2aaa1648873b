"""The file of one stage in a job's folder."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from haikei.errors import HaikeiError, StorageUnavailable
from haikei.images import Picture, decode_picture, write_picture


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFile:
    """What is noted beside a stage's picture, so that a stage found again is fully known."""

    pixels_sha256: str  #: as `Picture.sha256` gives it
    seconds: float  #: that making it took
    notes: tuple[str, ...]

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
                        "notes": self.notes,
                        "pixels_sha256": self.pixels_sha256,
                        "seconds": self.seconds,
                    },
                    file,
                )
                file.flush()
                os.fsync(file.fileno())
            # The picture last: where it stands, what is said about it stands too.
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
