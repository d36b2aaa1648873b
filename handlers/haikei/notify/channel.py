"""
The seam to wherever people are notified, the message in which many notices travel, and adapters:
mail, and a chat's incoming webhook.
"""

import logging
import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr
from typing_extensions import override

from haikei.errors import NotificationUnsent, SettingsError
from haikei.ledger import check_protected, connect
from haikei.notify.notice import Notice, NoticeKind
from haikei.printable import printable
from haikei.retry_after import seconds_to_wait
from haikei.settings import Mail, is_loopback

if TYPE_CHECKING:
    import httpx

#: Notices of one kind that are written out, and characters of one of them.
LISTED, LONGEST = 10, 300
_HEADINGS: Mapping[NoticeKind, tuple[str, str]] = {
    NoticeKind.TROUBLE: ("1 trouble", "{} troubles"),
    NoticeKind.DEAD: ("1 job failed", "{} jobs failed"),
    NoticeKind.QUESTION: ("1 question", "{} questions"),
    NoticeKind.TOUCH_UP: (
        "1 touch-up waits for an answer",
        "{} touch-ups wait for an answer",
    ),
    NoticeKind.HOOK: ("1 hook did not answer", "{} hooks did not answer"),
    NoticeKind.MISPLACED: (
        "1 folder has files that may be layouts",
        "{} folders have files that may be layouts",
    ),
    NoticeKind.SAME: ("1 drawing was taken before", "{} drawings were taken before"),
    NoticeKind.CHECKPOINT: ("1 checkpoint refused", "{} checkpoints refused"),
    NoticeKind.READY: ("1 version in review", "{} versions in review"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one way carries at once."""

    id: str  #: the same for the same notices
    subject: str
    text: str

    def __post_init__(self) -> None:
        """Leave no sign in a text that hides or reorders others, whoever typed a name in it."""
        for name in ("subject", "text"):
            object.__setattr__(self, name, printable(getattr(self, name)))


def compose(id_: str, studio: str, notices: Sequence[Notice]) -> Message:
    """Return one message on all the notices, the gravest first; long lists are shortened."""
    counts: list[str] = []
    parts: list[str] = []
    for kind in _HEADINGS:
        of_kind = [one for one in notices if one.kind is kind]
        if not of_kind:
            continue
        single, several = _HEADINGS[kind]
        heading = single if len(of_kind) == 1 else several.format(len(of_kind))
        lines = [f"- {_line(one)}" for one in of_kind[:LISTED]]
        if len(of_kind) > LISTED:
            lines.append(f"and {len(of_kind) - LISTED} more")
        counts.append(heading)
        parts.append("\n".join([f"{heading}:", *lines]))
    # Whatever stands in a name, a subject is one line.
    subject = " ".join(f"Haikei, {studio}: {', '.join(counts)}".split())
    return Message(id=id_, subject=subject, text="\n\n".join(parts))


def _line(notice: Notice) -> str:
    text = " ".join(notice.text.split())
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    return f"{text} {notice.url}".rstrip()


class Channel(Protocol):
    """A way to people."""

    @property
    def name(self) -> str:
        """What it is called in the tables: the same from start to start."""
        ...

    def send(self, message: Message) -> None:
        """
        Send a message.

        Raises:
            NotificationUnsent: it cannot be reached, or refuses.
        """
        ...


_TIMEOUT = 10.0
#: The longest that a chat is waited for when it names a time itself.
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatChannel(Channel):
    """
    Posts `{"text": …}`, as Slack, Mattermost, Google Chat and others take it.

    The whole address is a secret: who has it can write into the chat. It appears in no log and no
    error.

    Raises:
        SettingsError: the address is none, or would be sent in the clear.
    """

    url: SecretStr

    def __post_init__(self) -> None:
        """Check the address; nothing of it but the host is repeated."""
        scheme, host = self._parts()
        if not host or (scheme != "https" and not (scheme == "http" and is_loopback(host))):
            raise SettingsError(
                "notifications.chat_url is no https address.",
                advice="Set HAIKEI_NOTIFICATIONS__CHAT_URL to the address that the chat gave.",
            )
        # httpx writes the whole address of every request into its log.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    @property
    @override
    def name(self) -> str:
        return "chat"

    @property
    def host(self) -> str:
        """Where the chat is, without what is secret of its address."""
        return self._parts()[1]

    @override
    def send(self, message: Message) -> None:
        answer = self._ask("POST", self.url.get_secret_value(), {"text": _text(message)}, _TIMEOUT)
        if not answer.is_success:
            raise NotificationUnsent(
                f"The chat at {self.host} refused the message: HTTP {answer.status_code}.",
                advice="Check HAIKEI_NOTIFICATIONS__CHAT_URL; it is tried again.",
                retry_after=seconds_to_wait(answer.headers.get("Retry-After"), most=_LONGEST_WAIT),
            )

    def reach(self, timeout: float) -> None:
        """
        Ask the chat's host for its first page, and post nothing; whatever it answers is enough.

        Args:
            timeout: seconds for which it is waited for.

        Raises:
            NotificationUnsent: it gives no answer, or is not who it should be.
        """
        parts = urlsplit(self.url.get_secret_value())
        self._ask("HEAD", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/", None, timeout)

    def _ask(
        self, method: str, url: str, body: dict[str, str] | None, timeout: float
    ) -> "httpx.Response":
        import httpx

        # Nobody but this machine is asked for what is on this machine: no proxy.
        with httpx.Client(
            timeout=timeout, follow_redirects=False, trust_env=not is_loopback(self.host)
        ) as client:
            try:
                return client.request(method, url, json=body)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                # Not chained: the library's errors carry the request, and with it the address.
                raise NotificationUnsent(
                    f"The chat at {self.host} gives no answer ({type(error).__name__}).",
                    advice="Check HAIKEI_NOTIFICATIONS__CHAT_URL; it is tried again.",
                ) from None

    def _parts(self) -> tuple[str, str]:
        try:
            parts = urlsplit(self.url.get_secret_value())
        except ValueError:
            return "", ""
        return parts.scheme, parts.hostname or ""


def _text(message: Message) -> str:
    # A file's name must not call everybody in the room, nor show a link as something else.
    shown = f"{message.subject}\n\n{message.text}"
    return shown.replace("<", "‹").replace(">", "›").replace("@", "@\u200b")


log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChannel(Channel):
    """
    Mails to the addresses of `notifications.mail_to`.

    Raises:
        SettingsError: no server or no sender is named, or a password would be sent in the clear.
    """

    mail: Mail
    to: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check what cannot be checked field by field."""
        if not self.mail.host or not self.mail.sender:
            raise SettingsError(
                "notifications.mail_to names people, but there is no mail server or no sender.",
                advice="Set ledger.mail.host and ledger.mail.sender.",
            )
        check_protected(self.mail)

    @property
    @override
    def name(self) -> str:
        return "mail"

    @override
    def send(self, message: Message) -> None:
        try:
            with connect(self.mail) as server:
                refused = server.send_message(self._mail(message))
        except (OSError, smtplib.SMTPException) as error:
            raise NotificationUnsent(
                f"The mail server {self.mail.host} did not take the message: {error}.",
                advice="Check ledger.mail and notifications.mail_to; it is tried again.",
            ) from error
        # Some have it now, and would get it again and again if this counted as a failure.
        for address in sorted(refused):
            log.error("address_refused", server=self.mail.host, address=address)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        domain = self.mail.sender.rpartition("@")[2] or "haikei.invalid"
        mail["From"] = self.mail.sender
        mail["To"] = ", ".join(self.to)
        mail["Date"] = formatdate(localtime=False)
        # Who gets the same message twice, after a crash, is shown it once by most programs.
        mail["Message-ID"] = f"<{message.id}@{domain}>"
        mail["Subject"] = message.subject
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text + "\n")
        return mail
