"""Hashes of model files, remembered so that gigabytes are not read for each job."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from haikei.files import sha256_of, write_whole


@dataclass(slots=True)
class HashMemory:
    """
    SHA-256 of files by path, size, time and inode, kept in one small JSON file.

    Losing the file costs only time; a damaged one is taken as lost.
    """

    path: Path
    known: dict[str, str]

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return what is remembered at `path`."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            data = {}
        if not isinstance(data, dict):
            data = {}
        return cls(path, {str(key): str(value) for key, value in data.items()})

    def sha256(self, files: Iterable[Path]) -> Mapping[Path, str]:
        """Return the hash of each file, reading only files that changed since they were seen."""
        found: dict[Path, str] = {}
        fresh = False
        for file in files:
            status = file.stat()
            key = f"{file}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}"
            if key not in self.known:
                self.known[key] = sha256_of(file)
                fresh = True
            found[file] = self.known[key]
        if fresh:
            self._save()
        return found

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Several threads of several workers may remember at once; the last one wins, whole.
        text = json.dumps(self.known, indent=1, sort_keys=True)
        write_whole(self.path, text.encode(), durable=False)


def combined(hashes: Mapping[str, str]) -> str:
    """Return one hash over named hashes: SHA-256 of `hash  name` lines sorted by name."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()
