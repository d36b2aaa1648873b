"""A loopback server that says what a test tells it to say, and counts who asked."""

import json
import threading
import time
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

INFO = {
    "version": [8, 78, 0],
    "full_version": [8, 78, 0, 1],
    "s3_direct_uploads_enabled": False,
    "s3_enabled_upload_types": {},
    "api_max_entities_per_page": 500,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: a status and a body, or silence, or the end of the connection."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    silent: bool = False  #: hold the connection until the test is over
    cut: bool = False  #: close the connection without a word


def results(value: object) -> Answer:
    """Return the answer of a call that succeeded."""
    return _json({"results": value})


def fault(message: str, code: int = 104) -> Answer:
    """Return the answer of a call that was refused."""
    return _json({"exception": True, "error_code": code, "message": message})


def rows(*found: Mapping[str, object]) -> Answer:
    """Return the answer of a search."""
    paging = {"has_next_page": False}
    return results({"entities": list(found), "paging_info": paging})


def _json(value: object) -> Answer:
    body = json.dumps(value).encode()
    return Answer(body=body, headers={"content-type": "application/json"})


@dataclass(slots=True)
class ScriptedSite:
    """Answers in the order told; `info` is always answered, and not counted."""

    url: str = ""
    answers: deque[Answer] = field(default_factory=deque[Answer])
    asked: list[str] = field(default_factory=list[str])
    clock: float = 0.0  #: seconds that the site's clock is ahead
    over: threading.Event = field(default_factory=threading.Event)

    def then(self, *answers: Answer) -> None:
        """Append answers."""
        self.answers.extend(answers)


@contextmanager
def scripted_site() -> Generator[ScriptedSite]:
    """Run such a server until the block ends."""
    site = ScriptedSite()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            name = self.path
            if name == "/api3/json":
                call: dict[str, Any] = json.loads(body)
                name = str(call["method_name"])
                if name == "info":
                    self._say(_json({"results": INFO}))
                    return
            site.asked.append(name)
            self._say(site.answers.popleft() if site.answers else Answer(status=418))

        def _say(self, answer: Answer) -> None:
            if answer.silent:
                site.over.wait(20)
            if answer.silent or answer.cut:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        @override
        def date_time_string(self, timestamp: float | None = None) -> str:
            moment = time.time() if timestamp is None else timestamp
            return super().date_time_string(moment + site.clock)

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
