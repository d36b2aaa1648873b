"""A storage root, publishers that are killed on it, and folders that cannot be read."""

import ctypes
import os
import resource
import signal
import struct
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from haikei.settings import Settings
from haikei.show import Place
from haikei.storage import Storage

PLACE = Place(project="PORT", sequence="s01", shot="c012")


def settings_with_root(folder: Path, **storage: str | int) -> Settings:
    """Return settings whose only storage root is `folder`; `storage` overrides its section."""
    return Settings.model_validate(
        {
            "studio": {"state": str(folder.parent / "state")},
            "storage": {
                "roots": [{"name": "main", "path": str(folder)}],
                "reserve_mib": 0,
                **storage,
            },
        }
    )


def storage_at(folder: Path) -> Storage:
    """Return a storage whose only root is `folder`."""
    return Storage(settings_with_root(folder))


def claim_many(folder: Path, publisher: int, count: int) -> list[tuple[str, int]]:
    """Claim `count` numbers as one of many publishers; every fifth key is everybody's."""
    storage = storage_at(folder)
    claimed: list[tuple[str, int]] = []
    for index in range(count):
        key = f"shared-{index}" if index % 5 == 0 else f"publisher-{publisher}-{index}"
        number = storage.claim_version(place=PLACE, stream="summer_day", key=key, at_least=0)
        claimed.append((key, number))
    return claimed


def publish_once(folder: Path, source: Path, relative: PurePosixPath) -> str:
    """Publish one file; return its hash, or the name of the error's class."""
    try:
        return storage_at(folder).publish(source, relative).sha256
    except Exception as error:  # noqa: BLE001 (the class is what the test asks for)
        return type(error).__name__


def publish_with_file_limit(folder: Path, source: Path, relative: PurePosixPath, limit: int) -> str:
    """Publish where no file can grow beyond `limit` bytes, as on a disk that fills up."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return publish_once(folder, source, relative)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a process was doing when it was killed."""

    folder: Path  #: the root, as the dead process left it
    call: str  #: the system call it died before


def killed_publishers(
    folder: Path, source: Path, relative: PurePosixPath
) -> tuple[list[Cut], Path]:
    """Publish in one new root after another, killed before each system call that changes a disk."""

    def work(root: Path) -> None:
        storage_at(root).publish(source, relative)

    return _killed_everywhere(folder, work)


def killed_claimers(folder: Path, key: str) -> tuple[list[Cut], Path]:
    """Claim a version number in the same way."""

    def work(root: Path) -> None:
        storage_at(root).claim_version(place=PLACE, stream="summer_day", key=key, at_least=6)

    return _killed_everywhere(folder, work)


def _killed_everywhere(folder: Path, work: Callable[[Path], None]) -> tuple[list[Cut], Path]:
    cuts: list[Cut] = []
    while True:
        root = folder / f"root{len(cuts)}"
        root.mkdir()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                _die_before_call(len(cuts), writer)
                work(root)
            except BaseException:  # noqa: BLE001 (a child must never return into the parent's code)
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(writer)
        _, status = os.waitpid(child, 0)
        call = os.read(reader, 100).decode()
        os.close(reader)
        if status == 0:
            return cuts, root
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            message = f"the publisher ended with status {status}"
            raise RuntimeError(message)
        cuts.append(Cut(folder=root, call=call))


def _die_before_call(count: int, report: int) -> None:
    left = count
    tell = os.write

    def deadly(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def before(*args: object, **named: object) -> object:
            nonlocal left
            if left == 0:
                tell(report, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return call(*args, **named)

        return before

    for name in ("open", "mkdir", "write", "fsync", "link", "unlink"):
        setattr(os, name, deadly(name, getattr(os, name)))


# Linux capabilities, version 3 (capget(2)): DAC_OVERRIDE is bit 1, DAC_READ_SEARCH bit 2.
_VERSION = 0x20080522
_ACCESS = 0b110


@contextmanager
def without_privileges() -> Generator[None]:
    """Have file modes count for this thread even if it belongs to root."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("Ii", _VERSION, 0))
    before = ctypes.create_string_buffer(24)
    assert libc.capget(header, before) == 0
    words = list(struct.unpack("6I", before.raw[:24]))
    words[0] &= ~_ACCESS
    assert libc.capset(header, ctypes.create_string_buffer(struct.pack("6I", *words))) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
