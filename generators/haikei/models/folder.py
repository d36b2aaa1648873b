"""
A model folder in diffusers format: what is in it, whether it is safe to load, and the
hashes of its files.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from haikei.errors import ModelUnusable
from haikei.files import sha256_of, write_whole

WEIGHTS = ".safetensors"
#: Endings of files that can run code when they are loaded, or are code.
_UNSAFE = frozenset({
    ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz",
    ".py", ".pyc", ".pyd", ".so", ".dll", ".dylib",
})  # fmt: skip
#: Endings of files that decide what a model makes, beside its weights.
_CONFIGURATION = frozenset({".json", ".txt", ".model", ".jinja"})
_MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors library itself


def pipeline_files(folder: Path) -> Mapping[str, Path]:
    """
    Return weights, configuration and vocabulary files of a pipeline folder by relative path.

    Raises:
        ModelUnusable: it is no complete diffusers folder, or holds files that can run code.
    """
    index = folder / "model_index.json"
    try:
        described = json.loads(index.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelUnusable(
            f"{folder} is no model folder in diffusers format: it has no model_index.json.",
            advice="Name the folder that `save_pretrained` wrote, or download the whole model.",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"{index} cannot be read: {error}.") from error
    if not isinstance(described, dict) or not isinstance(described.get("_class_name"), str):
        raise ModelUnusable(f"{index} names no pipeline class.")
    found = _files(folder)
    for name, value in described.items():
        wanted = isinstance(value, list) and any(part is not None for part in value)
        if wanted and not any(path.startswith(f"{name}/") for path in found):
            raise ModelUnusable(
                f"{folder} is incomplete: model_index.json names {name!r}, which is not there.",
                advice="Download the model again.",
            )
    return found


def has_controlnet(folder: Path) -> bool:
    """Tell whether a pipeline folder was saved with a ControlNet in it."""
    return (folder / "controlnet" / "config.json").is_file()


def controlnet_files(folder: Path) -> Mapping[str, Path]:
    """
    Return the files of a ControlNet folder by relative path.

    Raises:
        ModelUnusable: it is no complete ControlNet folder, or holds files that can run code.
    """
    if not (folder / "config.json").is_file():
        raise ModelUnusable(
            f"{folder} is no ControlNet folder: it has no config.json.",
            advice="Name the folder that holds the ControlNet's config.json and weights.",
        )
    return _files(folder)


def _files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder):
        for name in sorted(folders):
            if (Path(place) / name).is_symlink():
                raise ModelUnusable(
                    f"{Path(place) / name} is a link to a folder, which is not looked into.",
                    advice="Copy the files there.",
                )
        for name in sorted(names):
            path = Path(place) / name
            ending = path.suffix.lower()
            if ending in _UNSAFE:
                raise ModelUnusable(
                    f"{path} is not loaded: {ending} files can run code.",
                    advice="Use the model's safetensors files only, and delete the others.",
                )
            if ending == WEIGHTS:
                _check_weights(path)
            if ending == WEIGHTS or ending in _CONFIGURATION:
                found[path.relative_to(folder).as_posix()] = path
    if not any(name.endswith(WEIGHTS) for name in found):
        raise ModelUnusable(
            f"{folder} holds no safetensors weights.", advice="Download the model again."
        )
    return found


def _check_weights(path: Path) -> None:
    """
    Compare a file's size with what its header announces, which finds every cut-off download.

    Source: the safetensors format: eight bytes of header length, the header in JSON, the data.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _MAX_HEADER):
                raise _incomplete(path)
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise _incomplete(path) from error
    if 8 + length + max(ends, default=0) != size:
        raise _incomplete(path)


def _incomplete(path: Path) -> ModelUnusable:
    return ModelUnusable(
        f"{path} is damaged or incomplete.", advice="Download it again and compare its SHA-256."
    )


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
