"""The list of what a back-up holds: each file with its hash, and the ledger as it was."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from pydantic import TypeAdapter, ValidationError

from haikei.errors import BackupUnusable

#: Of the manifest; another one is read by no other Haikei.
FORMAT = 1
NAME = "manifest.json"
#: Folders in a back-up.
DATABASES = PurePosixPath("databases")
STATE = PurePosixPath("state")
WORK = PurePosixPath("work")
CLAIMS = PurePosixPath("claims")
SETTINGS = PurePosixPath("settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUpFile:
    """One file of a back-up."""

    path: str  #: in the back-up
    sha256: str
    size: int
    origin: str = ""  #: where it stood, of settings and the files that they name


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUpDatabase:
    """One database in a back-up."""

    name: str  #: `haikei`
    kind: str  #: `sqlite`, or `postgresql`
    path: str  #: in the back-up; empty where it could not be taken along
    left_out: str = ""  #: why it was not


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a back-up holds."""

    format: int
    haikei: str  #: the version that made it
    studio: str
    made_at: datetime
    schema: str  #: of the studio's database
    origin: str  #: of the ledger
    entries: int  #: of the ledger
    root: str  #: over them, in hexadecimal
    databases: tuple[BackedUpDatabase, ...]
    files: tuple[BackedUpFile, ...]


_MANIFEST = TypeAdapter(Manifest)


def manifest_text(manifest: Manifest) -> str:
    """Return a manifest as it is written."""
    return _MANIFEST.dump_json(manifest, indent=1).decode() + "\n"


def read_manifest(text: bytes, where: str) -> Manifest:
    """
    Return the manifest that a back-up begins with.

    Raises:
        BackupUnusable: it is none, or a newer Haikei wrote it.
    """
    try:
        found = _MANIFEST.validate_json(text)
    except ValidationError as error:
        raise BackupUnusable(
            f"The manifest of {where} cannot be read.",
            advice="Take another back-up; `haikei restore --check` says which are whole.",
        ) from error
    if found.format != FORMAT:
        raise BackupUnusable(
            f"{where} is of form {found.format}, and this Haikei reads form {FORMAT}.",
            advice=f"Restore it with haikei {found.haikei}, and upgrade then.",
        )
    return found
