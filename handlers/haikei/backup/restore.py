"""Check a back-up, and put it back where there is nothing."""

import json
import os
import shutil
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from sqlalchemy import create_engine

from haikei.backup import manifest as listing
from haikei.backup.archive import manifest_sha256
from haikei.backup.dumping import (
    check_dump,
    check_sqlite,
    file_of,
    is_sqlite,
    require_empty,
    restore_postgresql,
)
from haikei.backup.manifest import BackedUpDatabase, BackedUpFile, Manifest, read_manifest
from haikei.database import HEAD
from haikei.errors import BackupUnusable, HaikeiError, StateError
from haikei.files import sha256_of, write_whole
from haikei.ledger import BackedUp
from haikei.ledger import verify as verify_ledger
from haikei.settings import Settings
from haikei.storage import Storage

#: In the state folder, from a restore until what was published since is adopted.
PENDING = "restored.json"
_MOST_BYTES = 100 << 20  #: of a manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupChecked:
    """A back-up whose every file is what its manifest says."""

    manifest: Manifest
    manifest_sha256: str
    files: int


def check_backup(source: Path) -> BackupChecked:
    """
    Check every hash, both databases and the ledger of a back-up; nothing is changed.

    Raises:
        BackupUnusable: something is missing, damaged or of a newer Haikei.
    """
    with _opened(source) as folder:
        return _check(folder, source)


def put_back(source: Path, settings: Settings | None, target: Path) -> BackupChecked:
    """
    Put a back-up into a state folder that holds no database.

    Databases of PostgreSQL go where the settings say, if these are empty. Claims of version
    numbers that are gone from storage are put back; what is there is left. Settings and
    the files that they name come to lie in the folder `from-backup`.

    Args:
        source: the back-up.
        settings: the studio's, whose state folder `target` is; None only puts files down.
        target: the state folder.

    Raises:
        BackupUnusable: the back-up is not whole.
        StateError: something is there already, or cannot be written.
        StorageUnavailable: the storage with the claims is away.
    """
    with _opened(source) as folder:
        checked = _check(folder, source)
        _require_free(target)
        urls = {} if settings is None else _urls(settings)
        for one in checked.manifest.databases:
            if one.path and one.name in urls:
                _require_kind(one, urls[one.name])
                require_empty(urls[one.name])
        try:
            work = target if settings is None else settings.work_folder
            _put_files(folder, checked.manifest, target, work)
            for one in checked.manifest.databases:
                if one.path:
                    _put_database(folder, one, urls.get(one.name, ""), target)
        except OSError as error:
            raise StateError(f"{target} cannot be written: {error}.") from error
        if settings is not None:
            storage = Storage(settings)
            for file in checked.manifest.files:
                path = PurePosixPath(file.path)
                if path.is_relative_to(listing.CLAIMS):
                    content = (folder / path).read_bytes()
                    storage.put_back_claim(path.relative_to(listing.CLAIMS), content)
        _note_pending(target, checked)
    return checked


def pending_restore(state: Path) -> BackedUp | None:
    """
    Return the back-up from which a state was restored, as long as its adoption waits.

    Raises:
        StateError: the note of it is damaged.
    """
    try:
        pending = json.loads((state / PENDING).read_text(encoding="utf-8"))
        return BackedUp(
            made_at=datetime.fromisoformat(pending["made_at"]),
            manifest_sha256=str(pending["manifest_sha256"]),
            entries=int(pending["entries"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"{state / PENDING} cannot be read: {error}.",
            advice="Restore the back-up anew, into an empty folder.",
        ) from error


def _note_pending(target: Path, checked: BackupChecked) -> None:
    pending = {
        "made_at": checked.manifest.made_at.isoformat(),
        "manifest_sha256": checked.manifest_sha256,
        "entries": checked.manifest.entries,
    }
    write_whole(target / PENDING, json.dumps(pending).encode())


@contextmanager
def _opened(source: Path) -> Generator[Path]:
    """Yield a back-up's folder; a tar file's members are laid out in one that goes again."""
    if source.is_dir():
        yield source
        return
    with TemporaryDirectory(prefix=".haikei-restore-", dir=source.absolute().parent) as name:
        folder = Path(name)
        try:
            with tarfile.open(source) as tar:
                # `data` refuses absolute paths, links that lead out, devices and the like.
                tar.extractall(folder, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise BackupUnusable(
                f"{source} cannot be read as a back-up: {error}.",
                advice="Give the folder or the .tar file that `haikei backup` made.",
            ) from error
        yield folder


def _check(folder: Path, source: Path) -> BackupChecked:
    try:
        with (folder / listing.NAME).open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError as error:
        raise BackupUnusable(
            f"{source} holds no {listing.NAME}: it is no back-up of Haikei's.",
            advice="Give the folder or the .tar file that `haikei backup` made.",
        ) from error
    found = read_manifest(text, str(source))
    if found.schema > HEAD:
        raise BackupUnusable(
            f"{source} is of schema {found.schema}, but this Haikei knows only {HEAD}.",
            advice=f"Install haikei {found.haikei} or newer: an older one cannot read it.",
        )
    for listed in found.files:
        _check_file(folder, listed, source)
    for one in found.databases:
        if one.path:
            (check_sqlite if one.kind == "sqlite" else check_dump)(folder / one.path)
    _check_ledger(folder, found)
    return BackupChecked(
        manifest=found, manifest_sha256=manifest_sha256(text), files=len(found.files)
    )


def _check_file(folder: Path, file: BackedUpFile, source: Path) -> None:
    relative = PurePosixPath(file.path)
    if relative.is_absolute() or ".." in relative.parts:
        raise BackupUnusable(f"{source} names a path outside of it: {file.path!r}.")
    path = folder / relative
    try:
        same = not path.is_symlink() and sha256_of(path) == file.sha256
    except OSError as error:
        raise BackupUnusable(
            f"{file.path} is missing in {source}.", advice="Take another back-up."
        ) from error
    if not same:
        raise BackupUnusable(
            f"{file.path} in {source} is not what was backed up.", advice="Take another back-up."
        )


def _check_ledger(folder: Path, found: Manifest) -> None:
    own = next((one for one in found.databases if one.name == "haikei"), None)
    if own is None or own.kind != "sqlite" or not own.path:
        return
    engine = create_engine(f"sqlite:///file:{folder / own.path}?mode=ro&immutable=1&uri=true")
    try:
        with engine.connect() as connection:
            entries = verify_ledger(connection)
    except HaikeiError as error:
        raise BackupUnusable(
            f"The ledger in the back-up is not whole: {error.message}", advice=error.advice
        ) from error
    finally:
        engine.dispose()
    if entries != found.entries:
        raise BackupUnusable(
            f"The ledger in the back-up has {entries} entries, and its manifest says "
            f"{found.entries}.",
            advice="Take another back-up.",
        )


def _urls(settings: Settings) -> dict[str, str]:
    return {"haikei": settings.database_url}


def _require_free(target: Path) -> None:
    taken = [one.name for one in target.iterdir()] if target.is_dir() else []
    in_the_way = sorted({"haikei.db", "engine.db", "keys", PENDING} & set(taken))
    if in_the_way:
        raise StateError(
            f"{target} holds {', '.join(in_the_way)} already; nothing is restored over it.",
            advice="Stop Haikei, move the folder aside, and restore then.",
        )


def _require_kind(one: BackedUpDatabase, url: str) -> None:
    if is_sqlite(url) != (one.kind == "sqlite"):
        kind = "an SQLite file" if is_sqlite(url) else "a PostgreSQL database"
        raise StateError(
            f"The back-up's database {one.name} is of {one.kind}, and the settings name {kind}.",
            advice="Restore it with settings of the kind that it was made with.",
        )


def _put_files(folder: Path, found: Manifest, target: Path, work: Path) -> None:
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.chmod(0o700)
    for file in found.files:
        path = PurePosixPath(file.path)
        if path.is_relative_to(listing.STATE):
            _put_file(folder / path, target / path.relative_to(listing.STATE))
        elif path.is_relative_to(listing.WORK):
            # The hosts' shared folder may have outlived the database.
            _put_missing(folder / path, work / path.relative_to(listing.WORK), file.sha256)
        elif path.is_relative_to(listing.SETTINGS):
            _put_file(folder / path, target / "from-backup" / path.name)


def _put_database(folder: Path, one: BackedUpDatabase, url: str, target: Path) -> None:
    path = folder / one.path
    if one.kind == "postgresql" and url:
        restore_postgresql(path, url)
    elif one.kind == "sqlite" and url:
        _put_file(path, file_of(url))
    else:
        _put_file(path, target / path.name)


def _put_missing(source: Path, target: Path, sha256: str) -> None:
    if not target.exists():
        _put_file(source, target)
    elif sha256_of(target) != sha256:
        raise StateError(
            f"{target} is another one than in the back-up; nothing is restored over it.",
            advice="Move it aside, and restore then.",
        )


def _put_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as there, source.open("rb") as here:
        shutil.copyfileobj(here, there)
        there.flush()
        os.fsync(there.fileno())
