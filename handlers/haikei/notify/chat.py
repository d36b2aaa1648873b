"""Notifications into a chat, by its incoming webhook."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr
from typing_extensions import override

from haikei.errors import NotificationUnsent, SettingsError
from haikei.notify.channel import Channel, Message
from haikei.settings import is_loopback

if TYPE_CHECKING:
    import httpx

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
                retry_after=_wait(answer.headers.get("Retry-After", "")),
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


def _wait(text: str) -> float | None:
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() else None
