"""The few threads in which everything that waits for the disk is done."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Workers:
    """
    A fixed number of threads, that live as long as the server.

    Each thread has a database connection of its own, so threads that come and go, as an event
    loop's usual ones do, would leave connections behind.
    """

    def __init__(self, count: int = 8) -> None:
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="site")

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do something in a thread, and return what it returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Wait for what is under way, and end the threads."""
        self._threads.shutdown(wait=True)
