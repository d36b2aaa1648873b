"""Who is notified of what went wrong and what is ready, by mail and chat."""

from haikei.notify.channel import Channel, Message
from haikei.notify.hooks import HookSender
from haikei.notify.notice import Notice, NoticeKind, note
from haikei.notify.notifier import (
    Notifier,
    channels_of,
    check_mail,
    check_notifications,
    entry_of_person,
    mail_link,
    note_link,
)

__all__ = [
    "Channel",
    "HookSender",
    "Message",
    "Notice",
    "NoticeKind",
    "Notifier",
    "channels_of",
    "check_mail",
    "check_notifications",
    "entry_of_person",
    "mail_link",
    "note",
    "note_link",
]
