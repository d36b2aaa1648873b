"""
The notifier: gathers notices, sends them by every channel, not too often, and checks
the channels.
"""

import hashlib
import smtplib
import ssl
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, Engine, exists, select, update

from haikei.checkup import Finding
from haikei.credits import Person
from haikei.database import inserting, notice_channels, notice_sendings, notices, reading
from haikei.errors import NotificationUnsent, SettingsError, TrackerRejected
from haikei.ledger import connect
from haikei.notify.channel import Channel, ChatChannel, MailChannel, Message, compose
from haikei.notify.hooks import hook_secret, require_public
from haikei.notify.notice import Notice, NoticeKind, gather, healed
from haikei.settings import Hook, Mail, PersonEntry, Settings
from haikei.texts import Bilingual
from haikei.trackers import NoteWrite, Part, Tracker, needed

log = structlog.get_logger()

#: Seconds after which a message that was begun and not noted as sent is begun again.
LEASE = 300.0
#: Seconds before a message is tried again, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0
#: What could not be sent for so long is not sent any more; commands and pages still show it.
KEPT_TRYING = timedelta(days=31)
#: The most seconds between two looks at what there is to tell.
_LONGEST_LOOK = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """What one message tells."""

    notices: tuple[Notice, ...]
    attempts: int  #: failures since the last message that was sent


class Notifier:
    """
    One notifier; of several, one at a time uses each way.

    Args:
        settings: the studio's.
        database: the studio's own.
        channels: the ways to people; by default those that the settings name.
    """

    def __init__(
        self, settings: Settings, database: Engine, *, channels: Sequence[Channel] | None = None
    ) -> None:
        self._studio = settings.studio.name
        self._every = timedelta(seconds=settings.notifications.every)
        self._kinds = _kinds(settings)
        self._database = database
        self._channels = channels_of(settings) if channels is None else channels
        self._look_at: datetime | None = None

    def tick(self, now: datetime) -> int:
        """
        Gather what there is to tell, and tell what is due; return how many messages went out.

        What was noted first waits `notifications.every` seconds for what comes after it. A
        message is sent once by each way, or again only when a process died before it could note
        that.
        """
        if not self._channels or not self._kinds or (self._look_at and now < self._look_at):
            return 0
        pause = min(self._every / 4, timedelta(seconds=_LONGEST_LOOK))
        self._look_at = now + pause
        with self._database.begin() as connection:
            gather(connection, self._kinds, now)
        return sum(self._tell(channel, now) for channel in self._channels)

    def _tell(self, channel: Channel, now: datetime) -> bool:
        with reading(self._database) as connection:
            if not self._due(connection, channel, now):
                return False
        with self._database.begin() as connection:
            batch = self._take(connection, channel, now)
        if batch is None:
            return False
        keys = [one.key for one in batch.notices]
        id_ = hashlib.sha256("\0".join(keys).encode()).hexdigest()[:32]
        try:
            channel.send(compose(id_, self._studio, batch.notices))
        except NotificationUnsent as error:
            log.warning("notification_not_sent", channel=channel.name, error=str(error))
            self._put_off(channel, batch, now, error)
            return False
        with self._database.begin() as connection:
            rows = [{"notice": key, "channel": channel.name, "sent_at": now} for key in keys]
            connection.execute(
                inserting(connection, notice_sendings).on_conflict_do_nothing(), rows
            )
            _change(connection, channel, next_at=now + self._every, attempts=0, error="")
        log.info("notification_sent", channel=channel.name, notices=len(keys))
        return True

    def _due(self, connection: Connection, channel: Channel, now: datetime) -> tuple[Notice, ...]:
        """Return all that this way has not sent, once the first of it has waited long enough."""
        columns = notices.c
        sent = exists().where(
            notice_sendings.c.notice == columns.key, notice_sendings.c.channel == channel.name
        )
        query = select(notices).where(
            columns.noted_at > now - KEPT_TRYING,
            columns.kind.in_([kind.value for kind in self._kinds]),
            ~sent,
            ~healed(),
        )
        rows = connection.execute(query.order_by(columns.noted_at, columns.key)).all()
        if not rows or rows[0].noted_at + self._every > now:
            return ()
        return tuple(
            Notice(key=row.key, kind=NoticeKind(row.kind), text=row.text, url=row.url)
            for row in rows
        )

    def _take(self, connection: Connection, channel: Channel, now: datetime) -> _Batch | None:
        """Take a way for one message, unless another uses it or it must rest."""
        columns = notice_channels.c
        connection.execute(
            inserting(connection, notice_channels).on_conflict_do_nothing(
                index_elements=["channel"]
            ),
            {"channel": channel.name, "next_at": now, "attempts": 0, "error": ""},
        )
        taken = connection.execute(
            update(notice_channels)
            .where(columns.channel == channel.name, columns.next_at <= now)
            .values(next_at=now + timedelta(seconds=LEASE))
        )
        # Read again: another may have sent it between our look and now.
        waiting = self._due(connection, channel, now) if taken.rowcount == 1 else ()
        if not waiting:
            if taken.rowcount == 1:
                _change(connection, channel, next_at=now)
            return None
        attempts = connection.execute(
            select(columns.attempts).where(columns.channel == channel.name)
        ).scalar_one()
        return _Batch(notices=waiting, attempts=attempts)

    def _put_off(
        self, channel: Channel, batch: _Batch, now: datetime, error: NotificationUnsent
    ) -> None:
        pause = error.retry_after or min(FIRST_PAUSE * 2 ** min(batch.attempts, 20), LONGEST_PAUSE)
        with self._database.begin() as connection:
            _change(
                connection,
                channel,
                next_at=now + timedelta(seconds=pause),
                attempts=batch.attempts + 1,
                error=str(error),
            )


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """Return the ways to people that the settings name; one that cannot work is logged."""
    notifications = settings.notifications
    found: list[Channel] = []
    makers: list[Callable[[], Channel]] = []
    if notifications.mail_to:
        makers.append(lambda: MailChannel(mail=settings.ledger.mail, to=notifications.mail_to))
    if (url := notifications.chat_url) is not None:
        makers.append(lambda: ChatChannel(url=url))
    for make in makers:
        try:
            found.append(make())
        except SettingsError as error:
            log.error("notification_channel_unusable", error=str(error))  # noqa: TRY400 - no crash
    return tuple(found)


def _kinds(settings: Settings) -> tuple[NoticeKind, ...]:
    named = tuple(NoticeKind(kind) for kind in settings.notifications.on)
    with_them = {
        NoticeKind.QUESTION: (NoticeKind.TOUCH_UP, NoticeKind.MISPLACED, NoticeKind.SAME),
        NoticeKind.DEAD: (NoticeKind.HOOK,),
    }
    return (*named, *(more for kind in named for more in with_them.get(kind, ())))


def _change(connection: Connection, channel: Channel, **values: object) -> None:
    connection.execute(
        update(notice_channels).where(notice_channels.c.channel == channel.name).values(**values)
    )


#: Seconds for which a server is waited for; somebody looks at the screen.
PATIENCE = 5.0
_MAIL, _CHAT = "notifications by mail", "notifications by chat"


def check_notifications(settings: Settings) -> Iterator[Finding]:
    """
    Yield a finding for each way that the settings name, and one where nobody is notified.

    The mail server is greeted, protected and signed in to, and sent nothing. Of the chat only the
    host is asked: its whole address would be a message.
    """
    notifications = settings.notifications
    yield from map(partial(_hook, settings), notifications.hooks)
    if not notifications.on or not (notifications.mail_to or notifications.chat_url):
        lacking = "mail_to and HAIKEI_NOTIFICATIONS__CHAT_URL are" if notifications.on else "on is"
        yield Finding(
            ok=True,
            subject="notifications",
            message=f"Nobody is told of anything, as notifications.{lacking} not set; "
            "`haikei jobs list` and the pages show it.",
        )
        return
    if notifications.mail_to:
        yield _mail(settings.ledger.mail, notifications.mail_to)
    if notifications.chat_url is not None:
        try:
            chat = ChatChannel(url=notifications.chat_url)
            chat.reach(PATIENCE)
        except (SettingsError, NotificationUnsent) as error:
            yield _bad(_CHAT, error)
        else:
            yield Finding(
                ok=True, subject=_CHAT, message=f"{chat.host} answers; nothing was posted."
            )


def _hook(settings: Settings, hook: Hook) -> Finding:
    subject = f"hook {hook.name}"
    try:
        hook_secret(settings, hook)
        require_public(hook)
    except (SettingsError, NotificationUnsent) as error:
        return _bad(subject, error)
    events = ", ".join(hook.on)
    message = f"{hook.url.host} is told of {events}; nothing was sent."
    return Finding(ok=True, subject=subject, message=message)


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
            message=f"{where} cannot be used: {_reason(error)}.",
            advice="Check host, port and security in [ledger.mail].",
        )
    safe = {"none": "not protected", "starttls": "STARTTLS", "tls": "TLS"}[mail.security]
    signed_in = f", signed in as {mail.user}" if mail.user else ""
    return Finding(
        ok=True, subject=_MAIL, message=f"{where} answers ({safe}{signed_in}); nothing was sent."
    )


def _reason(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return (str(error) or type(error).__name__).rstrip(".")


def _bad(subject: str, error: SettingsError | NotificationUnsent) -> Finding:
    return Finding(ok=False, subject=subject, message=error.message, advice=error.advice or "")


_SUBJECT = Bilingual("Your credits on {show}: please confirm", "{show} クレジットご確認のお願い")
_TEXT = Bilingual(
    "{studio} asks you to look at what you are credited for on {show}, and to confirm or correct "
    "it. This link is yours alone; it can be answered once, until {until}:\n\n{url}",
    "{studio} より、{show} でのあなたのクレジットのご確認（または訂正）をお願いします。"
    "このリンクはご本人専用で、{until} まで一度だけ回答できます。",
)


def entry_of_person(settings: Settings, person: Person) -> PersonEntry | None:
    """Return what the settings say of a person; None when they say nothing."""
    names = (person.name, person.name_ja)
    return next((one for one in settings.people if one.means(person.id, names)), None)


def check_mail(settings: Settings) -> None:
    """
    Check that mails can be sent at all.

    Raises:
        SettingsError: no server or no sender is named.
    """
    mail = settings.ledger.mail
    if not mail.host or not mail.sender:
        raise SettingsError(
            "Links cannot be mailed: there is no mail server or no sender.",
            advice="Set ledger.mail.host and ledger.mail.sender, or use --by print.",
        )


def mail_link(settings: Settings, to: str, *, show: str, url: str, until: str) -> None:
    """
    Mail a link to a person.

    Raises:
        SettingsError: no server or no sender is named, or a password would be sent in the clear.
        NotificationUnsent: the server cannot be reached, or refuses.
    """
    check_mail(settings)
    # A message's name must not tell the link, which its own digest does not.
    name = hashlib.sha256(url.encode()).hexdigest()[:32]
    message = Message(id=name, subject=_subject(show), text=_text(settings, show, url, until))
    MailChannel(mail=settings.ledger.mail, to=(to,)).send(message)


def note_link(
    tracker: Tracker,
    settings: Settings,
    person: Person,
    *,
    versions: Sequence[int],
    show: str,
    url: str,
    until: str,
) -> None:
    """
    Write a link into a Note that is addressed to a person, on the newest Version of theirs.

    Args:
        tracker: the studio's.
        settings: the studio's.
        person: who is asked.
        versions: Versions that their work is in, the newest first.
        show: its name in paths.
        url: the link.
        until: the day on which it ends.

    Raises:
        TrackerRejected: the tracker does not know the person, or none of the Versions.
        TrackerError: the tracker does not answer, or refuses.
    """
    desk = needed(tracker.parts.review, tracker, Part.REVIEW)
    known = needed(tracker.parts.directory, tracker, Part.DIRECTORY).read().people
    names: Collection[str] = next((one.names for one in known if one.person.id == person.id), ())
    seen = desk.look(versions[:1])
    if not names or not seen:
        what = f"{person.id} as a person" if not names else f"a Version with work of {person.id}"
        raise TrackerRejected(
            f"{tracker.name} does not know {what}.", advice="Ask them with --by mail or print."
        )
    key = hashlib.sha256(url.encode()).hexdigest()[:32]
    desk.write(
        NoteWrite(
            key=f"confirm/{key}",
            project=seen[0].project,
            links=(seen[0].version,),
            subject=_subject(show),
            text=_text(settings, show, url, until),
            to=(next(iter(names)),),
        )
    )


def _subject(show: str) -> str:
    return " ".join(str(_SUBJECT.filled(show=show)).split())


def _text(settings: Settings, show: str, url: str, until: str) -> str:
    text = _TEXT.filled(studio=settings.studio.name, show=show, until=until, url=url)
    return f"{text.ja}\n\n{text.en}"
