"""A studio in which one version is in review."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine

from haikei.database import utc_now
from haikei.events import Source
from haikei.jobs.job import JobOrder
from haikei.review import Reviewer, ReviewView, review_of, wake
from haikei.settings import Settings
from support.desk import MemoryDesk, make_retake, retake_jobs


@dataclass(slots=True)
class ReviewHouse:
    """A studio's database, its tracker's desk, and a clock that is set by hand."""

    settings: Settings
    database: Engine
    desk: MemoryDesk
    order: JobOrder
    ahead: timedelta = field(default_factory=timedelta)
    next_version: int = 2

    def clock(self) -> datetime:
        return utc_now() + self.ahead

    def reviewer(self) -> Reviewer:
        return Reviewer(
            self.settings, self.database, open_desk=lambda _: self.desk, clock=self.clock
        )

    def wake(self, *versions: int) -> None:
        with self.database.begin() as connection:
            wake(connection, versions or tuple(self.desk.versions), source=Source.EVENT_LOG)

    def review(self) -> None:
        """Wake everything, let time pass, and work until nothing is left to do."""
        self.wake()
        reviewer = self.reviewer()
        for _ in range(20):
            self.ahead += timedelta(minutes=10)
            if not reviewer.tick():
                return
        message = "the reviewer never comes to an end"
        raise AssertionError(message)

    def make(self, order: JobOrder) -> int:
        """Let a retake be made; return the new version's id."""
        version = self.next_version
        self.next_version += 1
        make_retake(self.database, self.desk, order.key, version)
        return version

    @property
    def retakes(self) -> list[JobOrder]:
        return retake_jobs(self.database)

    def view(self, key: str = "") -> ReviewView:
        with self.database.connect() as connection:
            return review_of(connection, key or self.order.key)
