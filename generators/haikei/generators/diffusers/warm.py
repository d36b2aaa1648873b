"""Models that stay in memory between pictures: those that were used last, while there is room."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar

import structlog

from haikei.errors import GeneratorUnavailable

log = structlog.get_logger()


class Loaded(Protocol):
    """Something in memory."""

    @property
    def size(self) -> int:
        """What it takes there, in bytes."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


T = TypeVar("T", bound=Loaded)


class WarmModels:
    """
    Keeps what was loaded, the least recently used leaves first.

    Args:
        limit: bytes that all of them may take; one that takes more stays alone.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Loaded] = OrderedDict()
        self.loads = 0  #: how often something was loaded

    @property
    def empty(self) -> bool:
        """Whether nothing is kept."""
        return not self._kept

    def get(self, key: str, load: Callable[[], T], *, size: int) -> T:
        """
        Return what is kept under `key`, or load it.

        What has to leave for it leaves before, so that memory never holds more than it should.
        Where the device has less than was thought, all else leaves and it is tried once more.

        Args:
            key: whatever tells one from another: its weights, and how they were loaded.
            load: makes it.
            size: what it will take, in bytes, as far as that is known before.

        Raises:
            GeneratorUnavailable: the device has no memory for it alone.
        """
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found  # type: ignore[return-value] # a key belongs to one kind
        self._make_room(size)
        try:
            made = load()
        except GeneratorUnavailable:
            if not self._kept:
                raise
            self.close()
            made = load()
        self._kept[key] = made
        self.loads += 1
        self._make_room(0, spare=key)
        log.info("model_loaded", mib=made.size >> 20, kept=len(self._kept))
        return made

    def close(self) -> None:
        """Give all memory back."""
        while self._kept:
            self._leave(next(iter(self._kept)))

    def _make_room(self, size: int, *, spare: str = "") -> None:
        limit = self._limit()
        while sum(one.size for one in self._kept.values()) + size > limit:
            oldest = next((key for key in self._kept if key != spare), None)
            if oldest is None:
                return
            self._leave(oldest)

    def _leave(self, key: str) -> None:
        self._kept.pop(key).close()
