"""A mail server on loopback: real SMTP with STARTTLS, AUTH and a memory for what it was sent."""

import base64
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from io import BufferedIOBase
from typing import cast

from typing_extensions import override


@dataclass(slots=True)
class Mailbox:
    """What a server received, and how it behaves."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list[EmailMessage])
    users: list[str] = field(default_factory=list[str])  #: who signed in, with `user:password`
    protected: list[bool] = field(default_factory=list[bool])  #: of each message
    refusing: bool = False  #: answers every recipient with 550
    denying: bool = False  #: lets nobody sign in, and says who tried


class _Session(socketserver.StreamRequestHandler):
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


class _Server(socketserver.ThreadingTCPServer):
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

    session = type("Session", (_Session,), {"mailbox": mailbox, "context": context})
    with _Server(("127.0.0.1", 0), session) as server:
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()
