"""Whether people can be told, found out without telling them anything."""

import smtplib
import ssl
from collections.abc import Iterator

from haikei.errors import NotificationUnsent, SettingsError
from haikei.ledger.mail import connect
from haikei.notify.chat import ChatChannel
from haikei.notify.mail import MailChannel
from haikei.settings import Mail, Settings
from haikei.trackers import Finding

#: Seconds for which a server is waited for; somebody looks at the screen.
PATIENCE = 5.0
_MAIL, _CHAT = "notifications by mail", "notifications by chat"


def check_notifications(settings: Settings) -> Iterator[Finding]:
    """
    Yield a finding for each way that the settings name, and one where nobody is told.

    The mail server is greeted, protected and signed in to, and sent nothing. Of the chat only the
    host is asked: its whole address would be a message.
    """
    told = settings.notifications
    if not told.on or not (told.mail_to or told.chat_url):
        lacking = "mail_to and HAIKEI_NOTIFICATIONS__CHAT_URL are" if told.on else "on is"
        yield Finding(
            ok=True,
            subject="notifications",
            message=f"Nobody is told of anything, as notifications.{lacking} not set; "
            "`haikei jobs list` and the pages show it.",
        )
        return
    if told.mail_to:
        yield _mail(settings.ledger.mail, told.mail_to)
    if told.chat_url is not None:
        try:
            chat = ChatChannel(url=told.chat_url)
            chat.reach(PATIENCE)
        except (SettingsError, NotificationUnsent) as error:
            yield _bad(_CHAT, error)
        else:
            yield Finding(
                ok=True, subject=_CHAT, message=f"{chat.host} answers; nothing was posted."
            )


def _mail(mail: Mail, to: tuple[str, ...]) -> Finding:
    try:
        MailChannel(mail=mail, to=to)
    except SettingsError as error:
        return _bad(_MAIL, error)
    where = f"{mail.host}:{mail.port}"
    try:
        with connect(mail, timeout=PATIENCE) as server:
            server.ehlo_or_helo_if_needed()
    except smtplib.SMTPAuthenticationError as error:
        # What a server says to a login is not repeated: it may quote what it was given.
        return Finding(
            ok=False,
            subject=_MAIL,
            message=f"{where} does not let {mail.user} in ({error.smtp_code}).",
            advice="Check ledger.mail.user and HAIKEI_LEDGER__MAIL__PASSWORD.",
        )
    except (OSError, smtplib.SMTPException) as error:
        return Finding(
            ok=False,
            subject=_MAIL,
            message=f"{where} cannot be used: {_said(error)}.",
            advice="Check host, port and security in [ledger.mail].",
        )
    safe = {"none": "not protected", "starttls": "STARTTLS", "tls": "TLS"}[mail.security]
    signed_in = f", signed in as {mail.user}" if mail.user else ""
    return Finding(
        ok=True, subject=_MAIL, message=f"{where} answers ({safe}{signed_in}); nothing was sent."
    )


def _said(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return (str(error) or type(error).__name__).rstrip(".")


def _bad(subject: str, error: SettingsError | NotificationUnsent) -> Finding:
    return Finding(ok=False, subject=subject, message=error.message, advice=error.advice or "")
