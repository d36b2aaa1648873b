"""
The doorbell: signals a process that something in the state of the studio has changed, by anybody.

So nobody needs to look into the database by the clock. SQLite shows each connection whether others
have committed since (`PRAGMA data_version`, which reads one number in shared memory). PostgreSQL's
writers notify as they queue for their turn (`haikei.database`), whoever puts a task into a queue
names it, and listeners sleep meanwhile. A ring means only that looking is worth while; who
waits also looks now and then without one.
"""

import contextlib
import sqlite3
import threading
from collections import Counter
from typing import Self

import structlog
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from haikei.database import BELL, KEEPALIVES

log = structlog.get_logger()

#: Seconds after which the listener looks whether it shall end, and between tries to connect.
_TURN, _AGAIN = 1.0, 2.0
#: Seconds between two looks at a SQLite file, and in which many rings become one.
_LOOK, _BREATH = 0.1, 0.02
_PATIENCE = 0.05
#: What rings for everybody.
ANYTHING = "*"


class Doorbell:
    """
    Listens in a thread of its own until it is closed; a context manager.

    Args:
        url: the studio's database.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._rings: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._server = _server(url)
        listen = self._look_at_file if self._server is None else self._listen
        self._thread = threading.Thread(target=listen, name="doorbell", daemon=True)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def rings(self, topic: str = "") -> int:
        """Return how often it rang so far for a queue, or for the studio's own tables."""
        return self._rings[topic] + self._rings[ANYTHING]

    def tell(self, topic: str) -> None:
        """Have it ring for everybody on every host who waits for that."""
        self._ring(topic)
        if self._server is None:
            return
        try:
            with self._server.connect() as connection:
                connection.execute(select(func.pg_notify(BELL, topic)))
        except SQLAlchemyError as error:
            log.debug("doorbell_not_rung", reason=str(error))

    def wait(self, topic: str, rings: int, seconds: float) -> None:
        """Return when it has rung more often than `rings` for that, or the time is up."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.rings(topic) != rings or self._closed.is_set(), seconds
            )

    def close(self) -> None:
        """End listening; nobody waits any more."""
        self._closed.set()
        self._ring(ANYTHING)
        if self._thread.is_alive():
            self._thread.join(2 * _TURN)
        if self._server is not None:
            self._server.dispose()

    def _ring(self, *topics: str) -> None:
        with self._changed:
            self._rings.update(topics)
            self._changed.notify_all()

    def _look_at_file(self) -> None:
        path = make_url(self._url).database or ""
        while not self._closed.is_set():
            try:
                with contextlib.closing(
                    sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
                ) as connection:
                    self._watch(connection)
            except sqlite3.Error as error:
                log.debug("doorbell_waits", reason=str(error))
                self._ring(ANYTHING)
                self._closed.wait(_AGAIN)

    def _watch(self, connection: sqlite3.Connection) -> None:
        known = None
        while True:
            (found,) = connection.execute("PRAGMA data_version").fetchone()
            if found != known:
                known = found
                self._ring(ANYTHING)
            if self._closed.wait(_LOOK):
                return

    def _listen(self) -> None:
        import psycopg  # a studio on SQLite has no use for it

        while self._server is not None and not self._closed.is_set():
            try:
                with self._server.connect() as connection:
                    connection.exec_driver_sql(f"LISTEN {BELL}")
                    # What happened before we listened is news too.
                    self._ring(ANYTHING)
                    self._hear(connection.connection.driver_connection)
                    connection.invalidate()
            except (SQLAlchemyError, psycopg.Error) as error:
                log.warning("doorbell_waits", error=str(error))
                self._ring(ANYTHING)
                self._closed.wait(_AGAIN)

    def _hear(self, connection: object) -> None:
        import psycopg

        while isinstance(connection, psycopg.Connection) and not self._closed.is_set():
            if found := list(connection.notifies(timeout=_TURN, stop_after=1)):
                self._closed.wait(_BREATH)
                found += connection.notifies(timeout=0)
                self._ring(*{one.payload for one in found})


def _server(url: str) -> Engine | None:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return None
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    return create_engine(
        address, pool_size=2, isolation_level="AUTOCOMMIT", connect_args=dict(KEEPALIVES)
    )
