"""Notifications by mail."""

import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

import structlog
from typing_extensions import override

from haikei.errors import NotificationUnsent, SettingsError
from haikei.ledger import check_protected, connect
from haikei.notify.channel import Channel, Message
from haikei.settings import Mail

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
