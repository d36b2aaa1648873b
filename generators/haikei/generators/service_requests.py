"""
What was asked of a service that charges: noted before a request leaves, and its answer kept.

A request that was noted and has no answer may have been charged: nobody knows.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from haikei.errors import StorageUnavailable
from haikei.files import write_whole

#: How long an answer is kept whose picture was not.
_KEPT = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often a service was asked for one picture."""

    count: int = 0
    lost: bool = False  #: whether it is not known what became of the last time


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNotes:
    """What is noted of one request, where each host of the studio sees it."""

    folder: Path
    name: str

    def tries(self) -> Tries:
        """Return how often it was sent."""
        try:
            parsed = json.loads(self._path(".json").read_text(encoding="utf-8"))
            return Tries(count=int(parsed["count"]), lost=bool(parsed["lost"]))
        except FileNotFoundError:
            return Tries()
        except (OSError, ValueError, KeyError, TypeError):
            # Whatever it held, something was sent.
            return Tries(count=1, lost=True)

    def begin(self, before: Tries) -> Tries:
        """Note that it is about to be sent."""
        tries = Tries(count=before.count + 1, lost=True)
        self._note(tries)
        return tries

    def failed(self, tries: Tries) -> None:
        """Note that it was answered by an error."""
        self._note(Tries(count=tries.count))

    def undo(self, tries: Tries) -> None:
        """Note that it was not sent after all."""
        if tries.count > 1:
            self._note(Tries(count=tries.count - 1))
        else:
            self.forget()

    def answer(self) -> bytes | None:
        """Return the answer that is kept; None where there is none."""
        try:
            return self._path(".answer").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unwritable(error) from error

    def keep(self, answer: bytes) -> None:
        """Keep an answer, and give up those that nobody came back for."""
        self._write(".answer", answer)
        over = datetime.now(UTC) - _KEPT
        for path in self.folder.glob("*.*"):
            with suppress(OSError):
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < over:
                    path.unlink()

    def forget(self) -> None:
        """Note that nothing is known of it any more."""
        for ending in (".json", ".answer"):
            self._path(ending).unlink(missing_ok=True)

    def _note(self, tries: Tries) -> None:
        self._write(".json", json.dumps({"count": tries.count, "lost": tries.lost}).encode())

    def _write(self, ending: str, data: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(ending), data)
        except OSError as error:
            raise self._unwritable(error) from error

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self.name}{ending}"

    def _unwritable(self, error: OSError) -> StorageUnavailable:
        return StorageUnavailable(
            f"It cannot be noted in {self.folder} what a service is asked: {error.strerror}."
        )
