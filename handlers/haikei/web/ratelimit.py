"""How often somebody may ask."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: Names that are remembered at once; those that asked longest ago are forgotten first.
REMEMBERED = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """
    A token bucket for each name (an address, a login); threads may share it.

    Args:
        per_minute: requests in the long run; so many at once, too.
        monotonic: seconds that only ever grow.
    """

    def __init__(self, per_minute: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_minute)
        self._rate = per_minute / 60
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Count a request; return 0, or the seconds after which it may be made."""
        now = self._monotonic()
        with self._lock:
            bucket = self._buckets.pop(name, None) or _Bucket(self._most, now)
            bucket.tokens = min(self._most, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
            self._buckets[name] = bucket
            while len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return 0.0
            return (1 - bucket.tokens) / self._rate
