"""The files of a delivery, and what its maker declares about AI in them."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from haikei.errors import DeliveryError
from haikei.formats import format_of

NO_AI = "no AI"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFiles:
    """What is declared of the files whose path below the delivery fits a shell pattern."""

    pattern: str
    system: str  #: the trained model that was used; empty for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A vendor's statement for one delivery; the first entry that fits a file counts."""

    by: str
    reference: str  #: of the contract or the delivery note
    files: tuple[DeclaredFiles, ...]

    def of(self, relative: str) -> str | None:
        """Return `no AI`, the declared system, or None for a file without a declaration."""
        for entry in self.files:
            if fnmatchcase(relative, entry.pattern):
                return entry.system or NO_AI
        return None


def declared_free_of_ai(by: str = "") -> Declaration:
    """Return the declaration that no file of a delivery holds anything by a trained model."""
    return Declaration(by=by, reference="", files=(DeclaredFiles(pattern="*", system=""),))


class _Files(BaseModel):
    model_config = ConfigDict(extra="forbid")
    pattern: str = "*"
    ai: str = ""


class _Paper(BaseModel):
    model_config = ConfigDict(extra="forbid")
    by: str
    reference: str = ""
    files: list[_Files] = Field(min_length=1)


def read_declaration(path: Path) -> Declaration:
    """
    Return the declaration in a TOML file.

    ::

        by = "Studio Kawa"
        reference = "PO 1182"
        [[files]]
        pattern = "s01/*"
        ai = ""                  # none
        [[files]]
        pattern = "*"
        ai = "SDXL 1.0"

    Raises:
        DeliveryError: the file is missing or is no such declaration.
    """
    try:
        paper = _Paper.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeliveryError(
            f"The declaration {path} cannot be read: {error}.",
            advice='Give a TOML file with `by = "…"` and at least one `[[files]]`.',
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DeliveryError(
            f"The declaration {path} has a mistake at {where}: {first['msg']}.",
            advice='Give `by = "…"` and at least one `[[files]]` with `pattern` and `ai`.',
        ) from error
    return Declaration(
        by=paper.by,
        reference=paper.reference,
        files=tuple(DeclaredFiles(pattern=entry.pattern, system=entry.ai) for entry in paper.files),
    )


#: What stands beside pictures, and is looked at with them.
_BESIDE = frozenset({".c2pa", ".xmp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFile:
    """One file, and what its path is below that which was named."""

    path: Path
    relative: str  #: with `/`; the name alone for a file that was named itself


def gather(paths: Sequence[Path]) -> Iterator[DeliveredFile]:
    """
    Yield every picture in these files and folders, in order of name, each once.

    A file that is named is yielded whatever its ending; in folders, hidden files and files that
    are no pictures are left out. Links out of a folder are not followed.

    Raises:
        DeliveryError: a path does not exist.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*"))
            found = [DeliveredFile(path=one, relative=_below(one, path)) for one in inside]
            chosen = [file for file in found if _is_picture(file.path, path)]
        elif path.exists():
            chosen = [DeliveredFile(path=path, relative=path.name)]
        else:
            raise DeliveryError(f"{path} does not exist.", advice="Check the path or the mount.")
        for file in chosen:
            real = file.path.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def left_out(paths: Sequence[Path]) -> tuple[str, ...]:
    """
    Return what `gather` passes over in folders, so that nobody takes it for examined.

    Hidden files, files that are no pictures by their ending, links that lead out or nowhere.
    Sidecars and records of pictures are not among them.
    """
    found: dict[str, None] = {}
    for top in paths:
        for path in sorted(top.rglob("*")) if top.is_dir() else ():
            file = path.is_symlink() or path.is_file()
            if file and not _is_picture(path, top) and not _stands_beside(path):
                found[str(path)] = None
    return tuple(found)


def _stands_beside(path: Path) -> bool:
    record = path.suffix == ".json" and format_of(path.with_suffix("")) is not None
    return path.suffix.lower() in _BESIDE or record


def _below(path: Path, top: Path) -> str:
    return path.relative_to(top).as_posix()


def _is_picture(path: Path, top: Path) -> bool:
    if format_of(path) is None or not path.is_file():
        return False
    hidden = any(part.startswith(".") for part in path.relative_to(top).parts)
    return not hidden and path.resolve().is_relative_to(top.resolve())
