"""Checkpoints by mail, to people outside the studio."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from typing_extensions import override

from haikei.errors import OutletUnavailable, SettingsError
from haikei.ledger.checkpoint import SignedCheckpoint
from haikei.ledger.outlet import Outlet
from haikei.settings import Mail

_TIMEOUT = 30.0
_TEXT = """\
This is the newest signed checkpoint of the ledger {origin}: {size} entries.
Please keep this mail. It shows later that nothing which the ledger held today was changed.
Nobody needs to answer.

{note}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOutlet(Outlet):
    """
    Mails new checkpoints, all of one round in one mail.

    Raises:
        SettingsError: addresses are missing, or a password would be sent in the clear.
    """

    mail: Mail

    def __post_init__(self) -> None:
        """Check what cannot be checked field by field."""
        if not self.mail.sender or not self.mail.to:
            raise SettingsError(
                "ledger.mail has a host, but no sender or nobody to write to.",
                advice="Set ledger.mail.sender and ledger.mail.to, or empty ledger.mail.host.",
            )
        check_protected(self.mail)

    @property
    @override
    def name(self) -> str:
        return f"mail:{self.mail.host}"[:200]

    @override
    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        if not checkpoints:
            return
        message = self._message(checkpoints)
        try:
            with connect(self.mail) as server:
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise OutletUnavailable(
                f"The mail server {self.mail.host} did not take the checkpoint: {error}.",
                advice="Check the settings below ledger.mail; it is tried again.",
            ) from error
        if refused:
            raise OutletUnavailable(
                f"The mail server {self.mail.host} refused {', '.join(sorted(refused))}.",
                advice="Check the addresses in ledger.mail.to.",
            )

    @override
    def held(self) -> Sequence[int]:
        return ()

    @override
    def read(self, size: int) -> str:
        raise OutletUnavailable("Mails that were sent cannot be read back.")

    def _message(self, checkpoints: Sequence[SignedCheckpoint]) -> EmailMessage:
        newest = checkpoints[-1]
        said = newest.checkpoint
        message = EmailMessage()
        message["From"] = self.mail.sender
        message["To"] = ", ".join(self.mail.to)
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain=self.mail.sender.rpartition("@")[2] or None)
        message["Subject"] = f"Ledger checkpoint {said.origin} {said.size}"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_TEXT.format(origin=said.origin, size=said.size, note=newest.note))
        for one in checkpoints:
            name = f"checkpoint-{one.checkpoint.size}"
            # As bytes: mail servers may change the line ends of texts.
            message.add_attachment(
                one.note.encode(),
                maintype="application",
                subtype="octet-stream",
                filename=f"{name}.txt",
            )
            if one.token is not None:
                message.add_attachment(
                    one.token,
                    maintype="application",
                    subtype="timestamp-reply",
                    filename=f"{name}.tsr",
                )
        return message


def check_protected(mail: Mail) -> None:
    """
    Check that no password would be sent in the clear.

    Raises:
        SettingsError: it would.
    """
    if mail.user and mail.security == "none":
        raise SettingsError(
            "ledger.mail would send its password over a connection that is not protected.",
            advice="Set ledger.mail.security to starttls or tls.",
        )


def connect(mail: Mail, *, timeout: float = _TIMEOUT) -> smtplib.SMTP:
    """
    Return a connection to the mail server, protected and signed in as the settings say.

    Args:
        mail: the server.
        timeout: seconds for which each of its answers is waited for.

    Raises:
        OSError: it cannot be reached, or is not who it should be.
        smtplib.SMTPException: it refuses.
    """
    context = ssl.create_default_context()
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            mail.host, mail.port, timeout=timeout, context=context
        )
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=timeout)
    try:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.user:
            password = mail.password.get_secret_value() if mail.password else ""
            server.login(mail.user, password)
    except BaseException:
        server.close()
        raise
    return server
