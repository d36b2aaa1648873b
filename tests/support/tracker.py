"""A tracker that keeps its rows in memory: the seam's contract without a site."""

import threading
from dataclasses import dataclass, field

from typing_extensions import override

from haikei.checkup import Finding
from haikei.credits import Person
from haikei.errors import PlaceUnknown
from haikei.show import Row
from haikei.trackers import (
    ContextRequest,
    LayoutContext,
    PublishRequest,
    PublishResult,
    TrackerAdapter,
)

AOI = Person(id="HumanUser:7", name="Aoi Sato", name_ja="佐藤葵")


@dataclass(slots=True)
class MemoryTracker(TrackerAdapter):
    """
    One show in which every shot exists but those in `unknown_shots`.

    What stands in `failures` is raised, one after the other, before anything else is done.
    """

    artists: tuple[Person, ...] = (AOI,)
    logins: tuple[str, ...] = ("aoi",)
    unknown_shots: frozenset[str] = frozenset()
    latest_version: int = 0
    failures: list[Exception] = field(default_factory=list[Exception])
    published: dict[str, PublishRequest] = field(default_factory=dict[str, PublishRequest])
    calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @override
    def context(self, request: ContextRequest) -> LayoutContext:
        self._called()
        if request.place.shot in self.unknown_shots:
            raise PlaceUnknown(f"There is no shot {request.place.shot}.")
        return LayoutContext(
            project=Row(type="Project", id=1, name=request.place.project),
            sequence=Row(type="Sequence", id=2, name=request.place.sequence),
            shot=Row(type="Shot", id=3, name=request.place.shot),
            task=Row(type="Task", id=4, name="bg"),
            layout_file=None,
            artists=self.artists,
            artist_logins=self.logins,
            latest_version=self.latest_version,
        )

    @override
    def publish(self, request: PublishRequest) -> PublishResult:
        self._called()
        with self._lock:
            created = request.key not in self.published
            known = self.published.setdefault(request.key, request)
            number = list(self.published).index(request.key) + 1
        return PublishResult(
            version=Row(type="Version", id=number, name=known.code),
            files=tuple(
                Row(type="PublishedFile", id=number * 10 + index, name=image.name)
                for index, image in enumerate(known.images)
            ),
            layout_file=Row(type="PublishedFile", id=number * 10 + 9, name="layout"),
            url=f"https://tracker.test/detail/Version/{number}",
            created=created,
        )

    @override
    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        return ()

    @override
    def check(self) -> tuple[Finding, ...]:
        return ()

    def _called(self) -> None:
        with self._lock:
            self.calls += 1
            if self.failures:
                raise self.failures.pop(0)
