"""Loopback servers: mail, webhook receivers, scripted answers, an interfering proxy; and none."""

import base64
import email.policy
import http.client
import json
import queue
import socket
import socketserver
import ssl
import threading
import time
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any, cast
from urllib.parse import quote, urlsplit

from typing_extensions import override

from support.clocks import PATIENCE


@contextmanager
def closed_port() -> Generator[int]:
    """Hold a port of loopback on which nobody listens, and nobody else begins to."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


@dataclass(slots=True)
class Mailbox:
    """What a server received, and how it behaves."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list[EmailMessage])
    users: list[str] = field(default_factory=list[str])  #: who signed in, with `user:password`
    protected: list[bool] = field(default_factory=list[bool])  #: of each message
    refusing: bool = False  #: answers every recipient with 550
    denying: bool = False  #: lets nobody sign in, and says who tried


class _MailSession(socketserver.StreamRequestHandler):
    mailbox: Mailbox
    context: ssl.SSLContext | None

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    @override
    def finish(self) -> None:
        super().finish()
        self.connection.close()

    @override
    def handle(self) -> None:
        protected = False
        self.say("220 loopback")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    self.say("250-loopback")
                    if self.context is not None and not protected:
                        self.say("250-STARTTLS")
                    self.say("250 AUTH PLAIN")
                case "STARTTLS" if self.context is not None:
                    self.say("220 go on")
                    try:
                        wrapped = self.context.wrap_socket(self.connection, server_side=True)
                    except (ssl.SSLError, ConnectionError):
                        return
                    self.connection, protected = wrapped, True
                    self.rfile = wrapped.makefile("rb")
                    self.wfile = cast("BufferedIOBase", wrapped.makefile("wb", 0))
                case "AUTH" if self.mailbox.denying:
                    _, user, password = base64.b64decode(rest.split(" ")[1]).split(b"\0")
                    self.say(f"535 not {user.decode()} by {password.decode()}")
                case "AUTH":
                    _, user, password = base64.b64decode(rest.split(" ")[1]).split(b"\0")
                    self.mailbox.users.append(f"{user.decode()}:{password.decode()}")
                    self.say("235 welcome")
                case "RCPT" if self.mailbox.refusing:
                    self.say("550 nobody of that name")
                case "DATA":
                    self.say("354 go on")
                    self._take(protected=protected)
                case "QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 ok")

    def _take(self, *, protected: bool) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = BytesParser(policy=email.policy.default).parsebytes(b"".join(lines))
        self.mailbox.messages.append(message)
        self.mailbox.protected.append(protected)
        self.say("250 taken")


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server(context: ssl.SSLContext | None = None) -> Generator[Mailbox, None, None]:
    """
    Run a server on a free port.

    Args:
        context: the server's certificate, with which it offers STARTTLS.
    """
    mailbox = Mailbox()

    session = type("Session", (_MailSession,), {"mailbox": mailbox, "context": context})
    with _MailServer(("127.0.0.1", 0), session) as server:
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
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
class WebhookReceiver:
    """Keeps what it is told, and answers with `status` and these headers."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    heard: "queue.Queue[ReceivedRequest]" = field(default_factory=queue.Queue)

    def next(self) -> ReceivedRequest:
        """Return the next request, waiting for it."""
        return self.heard.get(timeout=PATIENCE)

    def until(self, event: int) -> list[dict[str, Any]]:
        """Return what is told up to that event of the log."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["event_log_entry_id"] != event:
            found += self.next().deliveries
        return found


@contextmanager
def webhook_receiver() -> Generator[WebhookReceiver]:
    """Listen on a free loopback port until the block ends."""
    hearing = WebhookReceiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            # Before the test can see the request, and set what answers the next.
            status = hearing.status
            hearing.heard.put(ReceivedRequest(path=self.path, headers=headers, body=body))
            self.send_response(status)
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


class _ProxyServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
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


class _ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def ours(self) -> _ProxyServer:
        return cast("_ProxyServer", self.server)

    @override
    def setup(self) -> None:
        super().setup()
        target = self.ours.target
        self.site = http.client.HTTPConnection(target.hostname or "", target.port, timeout=PATIENCE)

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
    server = _ProxyServer(proxy, target)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
                site.over.wait(PATIENCE)
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
