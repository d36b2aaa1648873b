"""A receiver of webhooks, in a thread of the test process."""

import json
import queue
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from typing_extensions import override

_PATIENCE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request that came in."""

    path: str
    headers: Mapping[str, str]  #: names in lower case
    body: bytes

    @property
    def deliveries(self) -> list[dict[str, Any]]:
        """What it tells, whether it is batched or not."""
        data = cast("dict[str, Any]", json.loads(self.body)["data"])
        return cast("list[dict[str, Any]]", data.get("deliveries", [data]))


@dataclass(slots=True, kw_only=True)
class Receiver:
    """Keeps what it is told, and answers with `status` and these headers."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    heard: "queue.Queue[Heard]" = field(default_factory=queue.Queue)

    def next(self) -> Heard:
        """Return the next request, waiting for it."""
        return self.heard.get(timeout=_PATIENCE)

    def until(self, event: int) -> list[dict[str, Any]]:
        """Return what is told up to that event of the log."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["event_log_entry_id"] != event:
            found += self.next().deliveries
        return found


@contextmanager
def receiver() -> Generator[Receiver]:
    """Listen on a free loopback port until the block ends."""
    hearing = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            hearing.heard.put(Heard(path=self.path, headers=headers, body=body))
            self.send_response(hearing.status)
            self.send_header("content-length", "0")
            for name, value in hearing.headers.items():
                self.send_header(name, value)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hearing.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hearing
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
