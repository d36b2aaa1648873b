"""A proxy in front of a site: counts requests, delays them, cuts them off, sends them twice."""

import http.client
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import quote, urlsplit

from typing_extensions import override


class Mischief(StrEnum):
    """What happens to one request."""

    CUT_BEFORE = "cut_before"  #: it never reaches the site
    CUT_AFTER = "cut_after"  #: the site carries it out, and nobody hears of it
    TWICE_AND_CUT = "twice_and_cut"  #: the site carries it out twice, and nobody hears of it


@dataclass(slots=True)
class Proxy:
    """
    Counts what passes; `plan` says what happens to which request, counted from 1.

    `asked_as` and `answered_as` exchange words in calls, for a site that is unlike ours.
    """

    url: str = ""
    delay: float = 0.0  #: seconds that each request takes longer
    passed: list[str] = field(default_factory=list[str])
    plan: dict[int, Mischief] = field(default_factory=dict[int, Mischief])
    asked_as: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    answered_as: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    met: int = 0  #: requests to which something happened, over all plans
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def count(self) -> int:
        """Requests since the last `reset`."""
        return len(self.passed)

    def reset(self, plan: dict[int, Mischief] | None = None) -> None:
        """Count from 0 again, with a new plan."""
        with self.lock:
            self.passed.clear()
            self.plan = dict(plan or {})

    def note(self, name: str) -> Mischief | None:
        """Count a request; return what shall happen to it."""
        with self.lock:
            self.passed.append(name)
            mischief = self.plan.get(len(self.passed))
            self.met += mischief is not None
            return mischief


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.target = urlsplit(target)
        proxy.url = f"http://127.0.0.1:{self.server_port}"
        theirs = target.rstrip("/")
        # Addresses that the site hands out, for uploads into its cloud storage, would lead past
        # us; in forms they are quoted.
        self.swaps = (
            (proxy.url.encode(), theirs.encode()),
            (quote(proxy.url, safe="").encode(), quote(theirs, safe="").encode()),
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def ours(self) -> _Server:
        return cast("_Server", self.server)

    @override
    def setup(self) -> None:
        super().setup()
        target = self.ours.target
        self.site = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)

    @override
    def finish(self) -> None:
        super().finish()
        self.site.close()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        proxy = self.ours.proxy
        mischief = proxy.note(self.path.partition("?")[0])
        if proxy.delay:
            time.sleep(proxy.delay)
        for ours, theirs in (*self.ours.swaps, *proxy.asked_as.items()):
            body = body.replace(ours, theirs)
        if mischief is Mischief.CUT_BEFORE:
            self.close_connection = True
            return
        answer, content = self._forward(body)
        if mischief is Mischief.TWICE_AND_CUT:
            self._forward(body)
        if mischief is not None:
            self.close_connection = True
            return
        for ours, theirs in self.ours.swaps:
            content = content.replace(theirs, ours)
        for theirs, ours in proxy.answered_as.items():
            content = content.replace(theirs, ours)
        self._answer(answer, content)

    do_GET = do_POST = do_PUT = _handle  # noqa: N815  # the names that the base class calls

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        hop = {"content-length", "connection", "accept-encoding"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hop}
        self.site.request(self.command, self.path, body, headers)
        answer = self.site.getresponse()
        return answer, answer.read()

    def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        hop = {"content-length", "connection", "transfer-encoding", "date", "server"}
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in hop:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def proxy_before(target: str) -> Generator[Proxy]:
    """Run a proxy before the site at `target` until the block ends."""
    proxy = Proxy()
    server = _Server(proxy, target)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
