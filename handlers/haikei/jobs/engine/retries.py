"""Try again what can pass, and how many may work at once: one alone that may be a poison."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from haikei.errors import HaikeiError

T = TypeVar("T")
#: Waits some seconds, with a note why.
Pause = Callable[[float, str], None]

_LONGEST = 120.0
#: Tries after which a fault of the whole site is no hiccup any more.
_HICCUPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often, and how long to wait between tries."""

    attempts: int
    backoff: float  #: seconds before the second try; doubled before each further one

    def wait_before(self, attempt: int, error: HaikeiError) -> float:
        """Return the seconds to wait before try number `attempt`, 2 for the first repetition."""
        wait = min(self.backoff * 2.0 ** (attempt - 2), _LONGEST)
        return max(wait, error.retry_after or 0.0)


class TriedEnough(Exception):
    """The last error of a piece of work, and how often it was tried."""

    def __init__(self, error: Exception, attempts: int) -> None:
        super().__init__(error, attempts)
        self.error = error
        self.attempts = attempts


def with_retries(work: Callable[[], T], retries: Retries, pause: Pause) -> T:
    """
    Return what `work` returns, trying again after errors that can pass.

    Raises:
        TriedEnough: it failed for good, or as often as it may be tried.
    """
    for attempt in range(1, retries.attempts + 1):
        try:
            return work()
        except HaikeiError as error:
            lasts = error.site_wide and attempt >= _HICCUPS
            if not error.transient or lasts or attempt == retries.attempts:
                raise TriedEnough(error, attempt) from error
            wait = retries.wait_before(attempt + 1, error)
            again = f"{type(error).__name__}: {error.message} Try {attempt + 1} in {wait:.0f} s."
            pause(wait, again)
        except Exception as error:
            raise TriedEnough(error, attempt) from error
    raise AssertionError("unreachable")


#: Seconds between looks at whether one who waits still wants to.
_LOOK = 0.5


class Gate:
    """
    Lets a number of workers through at once; one that asks to be alone waits until it is.

    Work during which a process died is done alone afterwards: should it kill the process again,
    no neighbour is taken for the culprit.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._condition = threading.Condition()
        self._inside = 0
        self._alone = False
        self._wanting = 0

    @contextmanager
    def through(self, *, alone: bool, check: Callable[[], None]) -> Generator[None]:
        """
        Be inside.

        Args:
            alone: let nobody else in meanwhile.
            check: called now and then while waiting; what it raises ends the waiting.
        """
        self._enter(alone=alone, check=check)
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                self._alone = False
                self._condition.notify_all()

    def _enter(self, *, alone: bool, check: Callable[[], None]) -> None:
        with self._condition:
            self._wanting += alone
            try:
                while not self._free(alone=alone):
                    if not self._condition.wait(_LOOK):
                        check()
                self._inside += 1
                self._alone = alone
            finally:
                self._wanting -= alone
                self._condition.notify_all()

    def _free(self, *, alone: bool) -> bool:
        if alone:
            return self._inside == 0
        return not self._alone and not self._wanting and self._inside < self._slots
