"""What the maker of a delivery declares about AI in it, file by file."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from haikei.errors import DeliveryError

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
        """Return `no AI`, the declared system, or None for a file that nobody speaks of."""
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
