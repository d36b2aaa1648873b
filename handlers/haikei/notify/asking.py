"""Ask people to confirm their credits: by mail, or by a Note in the tracker."""

import hashlib
from collections.abc import Collection, Sequence

from haikei.credits import Person
from haikei.errors import SettingsError, TrackerRejected
from haikei.notify.channel import Message
from haikei.notify.mail import MailChannel
from haikei.settings import PersonEntry, Settings
from haikei.texts import Bilingual
from haikei.trackers import NoteWrite, Part, Tracker, needed

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
    said = _TEXT.filled(studio=settings.studio.name, show=show, until=until, url=url)
    return f"{said.ja}\n\n{said.en}"
