"""
Numbers for Prometheus: what the database says of the studio, and what its processes here counted.

Whoever asks from this machine itself is answered; anybody else shows a token of the API that may
read. No label names a person, a shot or a path.
"""

import os
import threading
import time
from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from typing_extensions import override

from haikei.database import events, feed_gaps, files, jobs, reading, utc_now
from haikei.jobs import JobState
from haikei.ledger import newest_checkpoint, size
from haikei.processes import studio_status
from haikei.settings import Settings, is_loopback
from haikei.web.address import METRICS
from haikei.web.api.operations import ApiScope, Tokens

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Seconds for which an answer of the database serves: several monitors may ask.
_FRESH = 5.0
_WAITS = (JobState.WAITING, JobState.RUNNING)
#: A source that only finds what another one should have announced.
_LATE = frozenset({"reconciliation", "backfill"})


class StudioNumbers(Collector):
    """
    What the database says of the studio at this moment.

    Args:
        settings: the studio's.
        database: the studio's own.
    """

    def __init__(self, settings: Settings, database: Engine) -> None:
        self._settings = settings
        self._database = database
        self._started = utc_now()
        self._lock = threading.Lock()
        self._found: tuple[Metric, ...] = ()
        self._found_at = float("-inf")

    @override
    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._found_at > _FRESH:
                self._found = tuple(self._look())
                self._found_at = time.monotonic()
            yield from self._found

    def _look(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("haikei_database_up", "1 while the studio's database answers")
        try:
            with reading(self._database) as connection:
                found = [*_queue(connection), *_events(connection), *_ledger(connection)]
            found += self._status()
        except SQLAlchemyError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found

    def _status(self) -> Iterator[Metric]:
        status = studio_status(
            self._settings, None, self._database, started=self._started, now=utc_now()
        )
        still = GaugeMetricFamily("haikei_standstill", "1 while work waits and nothing moves")
        still.add_metric([], status.queue.stands_still)
        yield still
        failing = GaugeMetricFamily(
            "haikei_lane_failures", "Jobs that died in a lane since one was done", labels=["lane"]
        )
        for lane in status.lanes:
            failing.add_metric([lane.name], lane.failed)
        yield failing
        behind = GaugeMetricFamily(
            "haikei_source_seconds", "Seconds since a source was read to its end", labels=["source"]
        )
        lags = GaugeMetricFamily("haikei_source_lags", "1 while a source lags", labels=["source"])
        for source in status.sources.heard:
            if source.heard is not None:
                seconds = (status.at - source.heard).total_seconds()
                behind.add_metric([source.name], max(0.0, seconds))
            lags.add_metric([source.name], source.lags)
        yield behind
        yield lags
        free = GaugeMetricFamily(
            "haikei_disk_free_bytes", "Free bytes where Haikei writes", labels=["disk"]
        )
        for disk in status.disks:
            if disk.free is not None:
                free.add_metric([disk.what], disk.free)
        yield free


def _queue(connection: Connection) -> Iterator[Metric]:
    depth = GaugeMetricFamily("haikei_jobs", "Jobs by state", labels=["state"])
    counted = select(jobs.c.state, func.count()).group_by(jobs.c.state)
    found = {state: int(count) for state, count in connection.execute(counted)}
    for state in JobState:
        depth.add_metric([state.value], found.get(state.value, 0))
    yield depth
    age = GaugeMetricFamily(
        "haikei_queue_oldest_seconds", "Age of the oldest job in a state", labels=["state"]
    )
    for state in _WAITS:
        oldest = select(func.min(jobs.c.created_at)).where(jobs.c.state == state.value)
        since = connection.execute(oldest).scalar()
        seconds = 0.0 if since is None else (utc_now() - since).total_seconds()
        age.add_metric([state.value], max(0.0, seconds))
    yield age
    dead = GaugeMetricFamily(
        "haikei_dead_letters", "Dead letters by kind of error", labels=["kind", "step"]
    )
    letters = select(jobs.c.error_kind, jobs.c.step, func.count())
    letters = letters.where(jobs.c.state == JobState.DEAD.value)
    for kind, step, count in connection.execute(letters.group_by(jobs.c.error_kind, jobs.c.step)):
        dead.add_metric([kind or "unknown", step or "none"], count)
    yield dead


def _events(connection: Connection) -> Iterator[Metric]:
    seen = CounterMetricFamily(
        "haikei_events_seen", "Events by who told of them first", labels=["source", "late"]
    )
    counted = select(events.c.source, func.count()).group_by(events.c.source)
    for source, count in connection.execute(counted):
        seen.add_metric([source, "yes" if source in _LATE else "no"], count)
    yield seen
    waiting = GaugeMetricFamily("haikei_events_waiting", "Events for which there are no jobs yet")
    open_ = select(func.count()).where(events.c.dispatched_at.is_(None))
    waiting.add_metric([], connection.execute(open_).scalar_one())
    yield waiting
    suspect = GaugeMetricFamily(
        "haikei_events_suspect_ids", "Ids that a feed skipped and that are still waited for"
    )
    missing = select(func.coalesce(func.sum(feed_gaps.c.last_id - feed_gaps.c.first_id + 1), 0))
    suspect.add_metric([], float(connection.execute(missing).scalar_one()))
    yield suspect
    seen_files = GaugeMetricFamily(
        "haikei_files", "Watched files by what is known", labels=["state"]
    )
    judged = select(files.c.state, func.count()).group_by(files.c.state)
    for state, count in connection.execute(judged):
        seen_files.add_metric([state], count)
    yield seen_files


def _ledger(connection: Connection) -> Iterator[Metric]:
    entries = GaugeMetricFamily("haikei_ledger_size", "Entries of the ledger")
    entries.add_metric([], size(connection))
    yield entries
    newest = newest_checkpoint(connection)
    covered = GaugeMetricFamily("haikei_ledger_covered", "Entries that a checkpoint covers")
    covered.add_metric([], 0 if newest is None else newest.checkpoint.size)
    yield covered


class Metrics:
    """
    The address at which Prometheus reads.

    Args:
        settings: the studio's.
        database: the studio's own.
    """

    def __init__(self, settings: Settings, database: Engine) -> None:
        self._tokens = Tokens(database)
        self._registry = CollectorRegistry()
        self._registry.register(StudioNumbers(settings, database))
        folder = os.environ.get(_FOLDER)
        if folder:
            MultiProcessCollector(self._registry, folder)  # type: ignore[no-untyped-call]
        self._beside = None if folder else REGISTRY

    def route(self) -> Route:
        """Return what the application serves."""
        return Route(METRICS, self._answer, methods=["GET"])

    def _answer(self, request: Request) -> Response:
        if not self._may_read(request):
            return PlainTextResponse(
                "Ask from this machine, or show a token that may read.\n",
                401,
                {"www-authenticate": "Bearer"},
            )
        text = generate_latest(self._registry)
        if self._beside is not None:
            text += generate_latest(self._beside)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})

    def _may_read(self, request: Request) -> bool:
        host = request.client.host if request.client else ""
        forwarded = any(name.startswith(("x-forwarded", "forwarded")) for name in request.headers)
        if is_loopback(host) and not forwarded:
            return True
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.casefold() != "bearer":
            return False
        token = self._tokens.check(shown.strip(), utc_now())
        return token is not None and ApiScope.READ in token.scopes
