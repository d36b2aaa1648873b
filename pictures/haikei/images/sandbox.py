"""
The process in which foreign image files are opened: `python -m haikei.images.sandbox`.

Its address space and its processor time are limited, it ends by itself when one file takes too
long, and it talks in lines of JSON: a list of paths comes in, one answer a path goes out, in
order. An empty line in between is a sign of life from a long read. Pixels go out as a file in
memory, whose descriptor is sent over a socket before the answer.
"""

import hashlib
import json
import os
import resource
import select
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from haikei.errors import ImageUnreadable
from haikei.images.colour import Look, View
from haikei.images.endings import cut_short
from haikei.images.imagefile import open_image
from haikei.images.limits import Limits
from haikei.images.reading import decode_picture

_MIB = 1024 * 1024
_CHUNK = 1 * _MIB
_SIGN_OF_LIFE = 64 * _MIB
_NO_MEMORY = "needs more memory than is allowed"

Answer = dict[str, str | int | bool]


class _Vanished(Exception):
    """The file went away while it was looked at."""


class _Changed(Exception):
    """The file is not the one it was a moment ago."""


def inspect_file(
    path: Path, *, decode: bool, whole: bool, alive: Callable[[], None], **limits: int
) -> Answer:
    """
    Hash a file and read its header, or all of its pixels.

    Args:
        path: an image file; links are followed.
        decode: decode all pixels, which alone finds most damage.
        whole: look whether it was written to its end, too.
        alive: called now and then during a long read.
        limits: fields of `haikei.images.limits.Limits`.
    """
    answer: Answer = {
        "ok": False, "reason": "", "sha256": "", "size": 0, "mtime_ns": 0, "inode": 0,
        "width": 0, "height": 0, "format": "", "note": "",
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
        answer["sha256"] = _hash(descriptor, before.st_size, alive)
        if before.st_size >= _SIGN_OF_LIFE:
            alive()
        problem = _look(path, answer, decode=decode, limits=limits)
        if whole and not problem and (cut := cut_short(descriptor, str(answer["format"]))):
            problem = f"{path.name} {cut}."
        # The end that was found may have been written after the file was hashed.
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


def read_file(path: Path, *, pixels_to: socket.socket, look: Look, **limits: int) -> Answer:
    """
    Decode a file, and send its pixels, (height, width, 3) float32, as a file in memory.

    Args:
        path: an image file.
        pixels_to: where the descriptor of that file is sent.
        look: how it is to be seen.
        limits: fields of `haikei.images.limits.Limits`.
    """
    answer: Answer = {"ok": False, "reason": "", "advice": "", "width": 0, "height": 0, "note": ""}
    try:
        # A pipe under an image's name would block for ever.
        if path.exists() and not path.is_file():
            return answer | {"reason": f"{path.name} is no regular file."}
        decoded = decode_picture(path, limits=Limits(**limits), look=look)
        memory = os.memfd_create("pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(memory, "wb", closefd=False) as file:
                file.write(decoded.picture.pixels.data)
            socket.send_fds(pixels_to, [b"p"], [memory])
        finally:
            os.close(memory)
    except ImageUnreadable as error:
        return answer | {"reason": error.message, "advice": error.advice or ""}
    except MemoryError:
        return answer | {
            "reason": f"{path.name} {_NO_MEMORY}.",
            "advice": "Publish it smaller, or raise watch.max_mib.",
        }
    except OSError as error:
        return answer | {"reason": f"{path.name} cannot be read: {error.strerror or error}."}
    picture = decoded.picture
    return answer | {
        "ok": True, "width": picture.width, "height": picture.height, "note": decoded.note,
    }  # fmt: skip


def _hash(descriptor: int, size: int, alive: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    reported = done = 0
    # One byte more than it should hold: a file that grows meanwhile is read to its end.
    while chunk := os.read(descriptor, min(_CHUNK, max(0, size - done) + 1)):
        digest.update(chunk)
        done += len(chunk)
        if done - reported >= _SIGN_OF_LIFE:
            reported = done
            alive()
    return digest.hexdigest()


def _look(path: Path, answer: Answer, *, decode: bool, limits: dict[str, int]) -> str:
    allowed = Limits(**limits)
    try:
        with open_image(path, limits=allowed) as image:
            answer |= {
                "width": image.spec.full_width, "height": image.spec.full_height,
                "format": image.format.oiio, "note": image.note,
            }  # fmt: skip
        if decode:
            decode_picture(path, limits=allowed)
    except ImageUnreadable as error:
        return str(error)
    except MemoryError:
        return _NO_MEMORY
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
    """Answer requests until the other side closes the pipe, or asks nothing for long."""
    request = json.loads(sys.argv[1])
    limits: dict[str, int] = request["limits"]
    timeout, idle = float(request["timeout"]), request["idle"]
    pixels_to = socket.socket(fileno=int(request["socket"]))
    most = Limits(**limits).address_space
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The other side ends a process that hangs; this ends one whose other side is gone.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    # Libraries print, and must not do so into the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def begin() -> None:
        signal.setitimer(signal.ITIMER_REAL, 2 * timeout)
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime)
        # Processor time, and not the clock's: a busy machine makes no file a bad one.
        soft = spent + limits["cpu_seconds"] + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))

    def alive() -> None:
        begin()
        answers.write(b"\n")

    # Ready: from here on, time counts for the files.
    answers.write(b"\n")
    while select.select([sys.stdin], [], [], idle)[0]:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        request = json.loads(line)
        for path in map(Path, request["paths"]):
            begin()
            if request["pixels"]:
                look = Look(view=View(request["view"]), stops=int(request["stops"]))
                answer = read_file(path, pixels_to=pixels_to, look=look, **limits)
            else:
                answer = inspect_file(
                    path, decode=request["decode"], whole=request["whole"], alive=alive, **limits
                )
            answers.write(json.dumps(answer).encode() + b"\n")
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
