"""Which projects' deliveries are heeded."""

import threading
import time

from haikei.settings import Settings

#: Seconds for which an answer of the tracker is believed, when a delivery is of another project.
BELIEVED = 60.0


class Scope:
    """
    What the tracker said of the projects in `tracker.projects`.

    Until it has said anything every delivery is heeded: whoever is woken by it looks at the
    project again.
    """

    def __init__(self, settings: Settings) -> None:
        self._limited = bool(settings.tracker.projects)
        self._ours: frozenset[int] | None = None
        self._asked_at: float | None = None
        self._lock = threading.Lock()

    def elsewhere(self, project: int | None) -> bool:
        """Tell whether a delivery of this project is to be answered and left alone."""
        ours = self._ours
        return project is not None and ours is not None and project not in ours

    def begin(self) -> bool:
        """Tell whether the tracker is to be asked now; whoever asks this does so."""
        if not self._limited:
            return False
        with self._lock:
            now = time.monotonic()
            if self._asked_at is not None and now - self._asked_at < BELIEVED:
                return False
            self._asked_at = now
            return True

    def learn(self, ours: frozenset[int] | None) -> None:
        """Take over which projects are heeded."""
        self._ours = ours
