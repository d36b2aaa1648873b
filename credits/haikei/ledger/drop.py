"""Drop folders: each checkpoint as a file that is written once, such as on a client's share."""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from haikei.errors import HistoryChanged, OutletUnavailable
from haikei.ledger.checkpoint import SignedCheckpoint
from haikei.ledger.outlet import Outlet

_NAME = re.compile(r"checkpoint-(0|[1-9][0-9]{0,18})\.txt")
_LONGEST = 180  #: characters of a path that stand in the name as they are
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DropFolder(Outlet):
    """A folder outside, which must be there: an empty mount point is not filled."""

    folder: Path

    @property
    @override
    def name(self) -> str:
        path = self.folder.as_posix()
        if len(path) > _LONGEST:
            path = f"…{hashlib.sha256(path.encode()).hexdigest()}"
        return f"drop:{path}"

    @override
    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        try:
            self.held()
            for one in checkpoints:
                name = f"checkpoint-{one.checkpoint.size}"
                self._put(self.folder / f"{name}.txt", one.note.encode())
                if one.token is not None:
                    self._put(self.folder / f"{name}.tsr", one.token)
        except OSError as error:
            raise self._away(error) from error

    @override
    def held(self) -> Sequence[int]:
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise self._away(error) from error
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    @override
    def read(self, size: int) -> str:
        try:
            return _read(self.folder / f"checkpoint-{size}.txt").decode(errors="replace")
        except OSError as error:
            raise self._away(error) from error

    def _put(self, path: Path, content: bytes) -> None:
        if path.exists():
            if _read(path) != content:
                raise HistoryChanged(
                    f"{path} is another one than ours of the same size.",
                    advice="Keep both files, and find out who wrote it: docs/reference/ledger.md.",
                )
            return
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o444)
            _name_once(temporary, path, content)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _away(self, error: OSError) -> OutletUnavailable:
        return OutletUnavailable(
            f"The drop folder {self.folder} cannot be used: {error}.",
            advice="Mount it, or make it, and let the worker's user write there.",
        )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _name_once(temporary: Path, path: Path, content: bytes) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # Shares without hard links: the name is taken first, and cannot be taken twice.
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
