"""
One device for many threads: they take turns, and those that ask for the same kind of thing while
they wait are served together.

Nobody waits for company: whoever is first when the device is free takes along who waits already.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

AskedT = TypeVar("AskedT")
MadeT = TypeVar("MadeT")
#: Seconds between looks at whether one who waits still wants to.
_LOOK = 0.5


@dataclass(slots=True, kw_only=True, eq=False)
class _Turn(Generic[AskedT, MadeT]):
    """One who waits, and what came of it."""

    kind: Hashable
    asked: AskedT
    taken: bool = False
    made: list[MadeT | BaseException] = field(default_factory=list[MadeT | BaseException])

    def outcome(self) -> MadeT:
        (found,) = self.made
        if isinstance(found, BaseException):
            raise found
        return found


class Turns(Generic[AskedT, MadeT]):
    """The turns of one device, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Turn[AskedT, MadeT]] = []
        self._busy = False

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        with self._changed:
            return len(self._waiting)

    def take(
        self,
        kind: Hashable,
        asked: AskedT,
        work: Callable[[Sequence[AskedT]], Sequence[MadeT | BaseException]],
        *,
        most: int,
        check: Callable[[], None],
    ) -> MadeT:
        """
        Return what `work` made of `asked`, alone or with others of the same kind.

        It may have been called in the thread of one of them. An error that it returns in the place
        of one is that one's; an error that it raises is everybody's.

        Args:
            kind: what must be equal to go together; `work` must do the same for all of one kind.
            asked: this one's part.
            work: makes as many as it is given, in their order.
            most: how many may go together, at least 1.
            check: called now and then while waiting; what it raises ends the waiting.
        """
        mine = _Turn[AskedT, MadeT](kind=kind, asked=asked)
        with self._changed:
            self._waiting.append(mine)
        together = self._awaited(mine, most, check)
        if together:
            self._serve(together, work)
        return mine.outcome()

    def _awaited(
        self, mine: _Turn[AskedT, MadeT], most: int, check: Callable[[], None]
    ) -> Sequence[_Turn[AskedT, MadeT]]:
        """Return whom to serve, oneself first; nobody where somebody else has served `mine`."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: mine.made or self._is_next(mine), _LOOK)
                if mine.made:
                    return ()
                if self._is_next(mine):
                    alike = [one for one in self._waiting if one.kind == mine.kind][:most]
                    for one in alike:
                        one.taken = True
                        self._waiting.remove(one)
                    self._busy = True
                    return alike
                served = mine.taken
            if not served:
                # Who serves it asks for it from then on.
                self._check(mine, check)

    def _check(self, mine: _Turn[AskedT, MadeT], check: Callable[[], None]) -> None:
        try:
            check()
        except BaseException:
            with self._changed:
                if not mine.taken:
                    self._waiting.remove(mine)
                    self._changed.notify_all()
            raise

    def _is_next(self, mine: _Turn[AskedT, MadeT]) -> bool:
        return not self._busy and bool(self._waiting) and self._waiting[0] is mine

    def _serve(
        self,
        together: Sequence[_Turn[AskedT, MadeT]],
        work: Callable[[Sequence[AskedT]], Sequence[MadeT | BaseException]],
    ) -> None:
        made: Sequence[MadeT | BaseException] = ()
        try:
            made = work([one.asked for one in together])
        except BaseException as error:  # noqa: BLE001 - each gets it, in its own thread
            made = [error] * len(together)
        finally:
            with self._changed:
                for one, found in zip(together, made, strict=True):
                    one.made.append(found)
                self._busy = False
                self._changed.notify_all()
