"""Paint layouts because somebody asks for it: those nobody told of, and those that failed."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import select

from haikei.database import jobs, reading
from haikei.eventlog import Follower
from haikei.eventlog.backfill import BackfillEntry, Outcome
from haikei.events import Event
from haikei.jobs.store import ENDED_BADLY, JobStore
from haikei.web.context import WebContext

#: Layouts that are hashed while somebody waits for the page.
AT_ONCE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What becomes of one layout."""

    text: str
    begun: bool
    show: str  #: the project's name, empty when it is not known


class Generating:
    """Uses the very path that a backfill uses: a layout that was announced is not announced."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._store = JobStore(context.database)

    def generate(self, published_files: Sequence[int]) -> tuple[Said, ...]:
        """
        Hand layouts to the jobs; let jobs of theirs that ended badly run again.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        context = self._context
        feed = context.open_feed(context.settings)
        chosen = list(published_files[:AT_ONCE])
        follower = Follower(context.settings, context.database, feed, context.storage)
        with closing(feed), follower:
            said = [self._said(entry) for entry in follower.backfill_rows(chosen)]
        left = len(published_files) - len(chosen)
        if left > 0:
            text = f"{left} more were left: select fewer, or use `haikei backfill`."
            said.append(Said(text=text, begun=False, show=""))
        return tuple(said)

    def _said(self, entry: BackfillEntry) -> Said:
        name = entry.path or f"PublishedFile {entry.published_file}"
        if entry.event is None:
            return Said(text=f"{name}: {entry.reason}", begun=False, show="")
        show = entry.event.place.project
        if entry.outcome is Outcome.NEW:
            return Said(text=f"{name}: begun.", begun=True, show=show)
        again = self._again(entry.event)
        if again:
            return Said(text=f"{name}: tried again.", begun=True, show=show)
        text = f"{name}: stands already or is being made; ask for a retake to have another one."
        return Said(text=text, begun=False, show=show)

    def _again(self, event: Event) -> int:
        columns = jobs.c
        query = select(columns.key).where(
            columns.event_key == event.key,
            columns.state.in_([state.value for state in ENDED_BADLY]),
        )
        with reading(self._context.database) as connection:
            keys = connection.execute(query).scalars().all()
        for key in keys:
            self._store.retry(key)
        return len(keys)
