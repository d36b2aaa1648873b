"""Who may work at once: as many as there are slots, and one alone that may be a poison."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

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
