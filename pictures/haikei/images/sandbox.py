"""
The process in which foreign image files are opened: `python -m haikei.images.sandbox`.

Its memory is limited, it ends by itself when one file takes too long, and it talks in lines of
JSON: a list of paths comes in, one answer a path goes out, in order. An empty line in between
is a sign of life from a long read.
"""

import hashlib
import json
import os
import resource
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from haikei.errors import ImageUnreadable

_MIB = 1024 * 1024
#: Address space beside the pixels: the interpreter, the libraries and the readers' own buffers.
_BASE_MIB = 3072
_CHUNK = 1 * _MIB
_SIGN_OF_LIFE = 64 * _MIB

Answer = dict[str, str | int | bool]


class _Vanished(Exception):
    """The file went away while it was looked at."""


class _Changed(Exception):
    """The file is not the one it was a moment ago."""


def inspect_file(path: Path, *, max_mib: int, decode: bool, alive: Callable[[], None]) -> Answer:
    """
    Hash a file and read its header, or all of its pixels.

    Args:
        path: an image file; links are followed.
        max_mib: the most that its stored pixels may take, in MiB.
        decode: decode all pixels, which alone finds most damage.
        alive: called now and then during a long read.
    """
    answer: Answer = {
        "ok": False, "reason": "", "sha256": "", "size": 0, "mtime_ns": 0, "inode": 0,
        "width": 0, "height": 0, "format": "",
    }  # fmt: skip
    try:
        # A pipe under an image's name would block for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return answer | {"reason": "vanished before it was read"}
    except OSError as error:
        return answer | {"reason": f"cannot be opened: {error.strerror}"}
    try:
        before = os.fstat(descriptor)
        answer |= {
            "size": before.st_size, "mtime_ns": before.st_mtime_ns, "inode": before.st_ino,
        }  # fmt: skip
        if not stat.S_ISREG(before.st_mode):
            return answer | {"reason": "is no regular file"}
        if before.st_size == 0:
            return answer | {"reason": "is empty"}
        answer["sha256"] = _hash(descriptor, alive)
        problem = _look(path, answer, max_mib=max_mib, decode=decode)
        _compare(path, before)
        return answer | {"ok": not problem, "reason": problem}
    except _Vanished:
        return answer | {"reason": "vanished while it was read"}
    except _Changed:
        return answer | {"reason": "changed while it was read"}
    except OSError as error:
        return answer | {"reason": f"cannot be read: {error.strerror}"}
    finally:
        os.close(descriptor)


def _hash(descriptor: int, alive: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    told = done = 0
    while chunk := os.read(descriptor, _CHUNK):
        digest.update(chunk)
        done += len(chunk)
        if done - told >= _SIGN_OF_LIFE:
            told = done
            alive()
    return digest.hexdigest()


def _look(path: Path, answer: Answer, *, max_mib: int, decode: bool) -> str:
    # Imported under the memory limit that `main` has set by then.
    from haikei.images import photoshop
    from haikei.images.imagefile import open_image, read_pixels

    try:
        with open_image(path, max_mib=max_mib) as image:
            spec = image.spec()
            answer |= {
                "width": spec.full_width, "height": spec.full_height,
                "format": image.format_name(),
            }  # fmt: skip
            if image.format_name() == "psd":
                photoshop.require_composite(path)
            if decode:
                read_pixels(path, image, "unknown")
    except ImageUnreadable as error:
        return str(error)
    except MemoryError:
        return "needs more memory than is allowed"
    return ""


def _compare(path: Path, before: os.stat_result) -> None:
    try:
        after = path.stat()
    except FileNotFoundError as error:
        raise _Vanished from error
    for field in ("st_ino", "st_dev", "st_size", "st_mtime_ns"):
        if getattr(before, field) != getattr(after, field):
            raise _Changed


def main() -> None:
    """Answer requests until the other side closes the pipe."""
    max_mib, timeout = int(sys.argv[1]), float(sys.argv[2])
    limit = (_BASE_MIB + max_mib) * _MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The other side ends a process that hangs; this ends one whose other side is gone.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)

    def alive() -> None:
        signal.setitimer(signal.ITIMER_REAL, 2 * timeout)
        answers.write(b"\n")

    # Ready: from here on, time counts for the files.
    answers.write(b"\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        for path in request["paths"]:
            signal.setitimer(signal.ITIMER_REAL, 2 * timeout)
            answer = inspect_file(
                Path(path), max_mib=max_mib, decode=request["decode"], alive=alive
            )
            answers.write(json.dumps(answer).encode() + b"\n")
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
