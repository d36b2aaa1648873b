"""Try again what can pass, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from haikei.errors import HaikeiError

T = TypeVar("T")
#: Waits some seconds, with a note why.
Pause = Callable[[float, str], None]

_LONGEST = 120.0


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
            if not error.transient or attempt == retries.attempts:
                raise TriedEnough(error, attempt) from error
            wait = retries.wait_before(attempt + 1, error)
            again = f"{type(error).__name__}: {error.message} Try {attempt + 1} in {wait:.0f} s."
            pause(wait, again)
        except Exception as error:
            raise TriedEnough(error, attempt) from error
    raise AssertionError("unreachable")
