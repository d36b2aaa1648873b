"""Make a back-up: all of a studio's state in one folder or one tar file, while Haikei runs."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from pydantic import BaseModel
from sqlalchemy import Engine, create_engine

from haikei.backup import manifest as listing
from haikei.backup.dumping import copy_sqlite, dump_postgresql, is_sqlite
from haikei.backup.manifest import BackedUpDatabase, BackedUpFile, Manifest, manifest_text
from haikei.database import reading, utc_now, version_of
from haikei.errors import StateError
from haikei.files import sha256_of
from haikei.ledger import StoredTree, origin_of, size
from haikei.settings import Settings
from haikei.storage import Storage

_TAR = ".tar"
#: Of the state folder: what cannot be made again. `jobs` and `locks` can.
_KEPT = ("keys", "checkpoints")
#: Whose folder it is.
_STAMP = "studio.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMade:
    """A back-up that was made."""

    path: Path
    manifest: Manifest

    @property
    def left_out(self) -> tuple[str, ...]:
        """What is not in it, and why."""
        return tuple(
            f"the database {one.name}: {one.left_out}"
            for one in self.manifest.databases
            if one.left_out
        )


def make_backup(
    settings: Settings, database: Engine, settings_file: Path | None, target: Path
) -> BackupMade:
    """
    Copy databases, keys, checkpoints, claims, settings and the files that these name.

    The database is copied first and claims after it: one claim too many does no harm.

    Args:
        settings: the studio's.
        database: the studio's own.
        settings_file: from which the settings were read.
        target: a new folder, or a new file that ends in `.tar`; its owner alone can read it.

    Raises:
        StateError: a database cannot be copied, or the target cannot be written.
        StorageUnavailable: the storage with the claims is away.
    """
    if target.exists():
        raise StateError(
            f"{target} is there already; a back-up never replaces one.", advice="Give a new name."
        )
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        with _beside(target) as folder:
            made = _fill(folder, settings, database, settings_file)
            (folder / listing.NAME).write_text(manifest_text(made), encoding="utf-8")
            (folder / listing.NAME).chmod(0o600)
            _put(folder, target)
    except OSError as error:
        raise StateError(
            f"The back-up {target} cannot be written: {error}.",
            advice="Check that its folder is writable and has room for the databases.",
        ) from error
    return BackupMade(path=target, manifest=made)


@contextmanager
def _beside(target: Path) -> Generator[Path]:
    folder = Path(mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.absolute().parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(
    folder: Path, settings: Settings, database: Engine, settings_file: Path | None
) -> Manifest:
    with reading(database) as connection:
        schema = version_of(connection) or ""
    taken = Manifest(
        format=listing.FORMAT,
        haikei=version("haikei"),
        studio=settings.studio.name,
        made_at=utc_now(),
        schema=schema,
        origin=origin_of(settings),
        entries=0,
        root="",
        databases=_databases(folder, settings),
        files=(),
    )
    entries, root = _ledger(folder, taken.databases[0], database)
    return replace(
        taken,
        entries=entries,
        root=root,
        files=(
            *_listed(folder, taken.databases),
            *_state(folder, settings.studio.state, listing.STATE),
            *(
                _state(folder, settings.work_folder, listing.WORK)
                if settings.work_folder != settings.studio.state
                else ()
            ),
            *_claims(folder, Storage(settings)),
            *_settings(folder, settings, settings_file),
        ),
    )


def _databases(folder: Path, settings: Settings) -> tuple[BackedUpDatabase, ...]:
    (folder / listing.DATABASES).mkdir(mode=0o700)
    url, name = settings.database_url, "haikei"
    lite = is_sqlite(url)
    path = listing.DATABASES / f"{name}.{'db' if lite else 'dump'}"
    if lite:
        why = "" if copy_sqlite(url, folder / path) else "there is none yet"
    else:
        why = dump_postgresql(url, folder / path)
    kind = "sqlite" if lite else "postgresql"
    kept = "" if why else str(path)
    return (BackedUpDatabase(name=name, kind=kind, path=kept, left_out=why),)


def _ledger(folder: Path, copied: BackedUpDatabase, database: Engine) -> tuple[int, str]:
    """Return the ledger's size and root, as the copy has it where that can be read."""
    engine = database
    if copied.kind == "sqlite" and copied.path:
        engine = create_engine(f"sqlite:///{folder / copied.path}")
    try:
        with engine.connect() as connection:
            entries = size(connection)
            return entries, StoredTree(connection).root(entries).hex()
    finally:
        if engine is not database:
            engine.dispose()


def _listed(folder: Path, databases: tuple[BackedUpDatabase, ...]) -> Iterator[BackedUpFile]:
    for one in databases:
        if one.path:
            yield _file(folder, PurePosixPath(one.path))


def _state(folder: Path, state: Path, under: PurePosixPath) -> Iterator[BackedUpFile]:
    if (state / _STAMP).is_file():
        yield _copied(folder, state / _STAMP, under / _STAMP)
    for name in _KEPT:
        for path in sorted((state / name).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                relative = under / PurePosixPath(path.relative_to(state))
                yield _copied(folder, path, relative)


def _claims(folder: Path, storage: Storage) -> Iterator[BackedUpFile]:
    for relative, content in storage.claims():
        path = folder / listing.CLAIMS / relative
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content)
        path.chmod(0o600)
        yield _file(folder, listing.CLAIMS / relative)


def _settings(folder: Path, settings: Settings, file: Path | None) -> Iterator[BackedUpFile]:
    named = {path.absolute() for path in _files_in(settings)}
    if file is not None:
        named.add(file.absolute())
    for number, path in enumerate(sorted(named)):
        if path.is_file() and not path.is_relative_to(settings.studio.state.absolute()):
            relative = listing.SETTINGS / f"{number:02d}-{path.name}"
            yield replace(_copied(folder, path, relative), origin=str(path))


def _files_in(value: object) -> Iterator[Path]:
    """Yield every path that settings name; of those that are files, a back-up has a copy."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _files_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _files_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _files_in(one)


def _copied(folder: Path, path: Path, relative: PurePosixPath) -> BackedUpFile:
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(path, target)
    target.chmod(0o600)
    return _file(folder, relative)


def _file(folder: Path, relative: PurePosixPath) -> BackedUpFile:
    path = folder / relative
    return BackedUpFile(path=str(relative), sha256=sha256_of(path), size=path.stat().st_size)


def _put(folder: Path, target: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
    if target.suffix != _TAR:
        for path in folder.rglob("*"):
            _sync(path)
        folder.chmod(0o700)
        folder.rename(target)
        # `mkdtemp` made the folder, and whoever removes it finds nothing.
        _sync(target.absolute().parent)
        return
    whole = folder.with_suffix(".tar-part")
    try:
        descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                # The manifest comes first: it can be read without the rest.
                tar.add(folder / listing.NAME, listing.NAME)
                for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                    if path.name != listing.NAME or path.parent != folder:
                        tar.add(path, str(path.relative_to(folder)))
            file.flush()
            os.fsync(file.fileno())
        os.link(whole, target)
    finally:
        whole.unlink(missing_ok=True)
    _sync(target.absolute().parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def manifest_sha256(text: bytes) -> str:
    """Return what a statement of a restored ledger names a back-up by."""
    return hashlib.sha256(text).hexdigest()
