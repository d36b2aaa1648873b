"""The seam to wherever people are notified, and the message in which many notices travel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from haikei.notify.notice import Notice, NoticeKind

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


def compose(id_: str, studio: str, notices: Sequence[Notice]) -> Message:
    """Return one message on all the notices, the gravest first; long lists are shortened."""
    counts: list[str] = []
    parts: list[str] = []
    for kind in _HEADINGS:
        told = [one for one in notices if one.kind is kind]
        if not told:
            continue
        single, several = _HEADINGS[kind]
        heading = single if len(told) == 1 else several.format(len(told))
        lines = [f"- {_line(one)}" for one in told[:LISTED]]
        if len(told) > LISTED:
            lines.append(f"and {len(told) - LISTED} more")
        counts.append(heading)
        parts.append("\n".join([f"{heading}:", *lines]))
    # Whatever stands in a name, a subject is one line.
    subject = " ".join(f"Haikei, {studio}: {', '.join(counts)}".split())
    return Message(id=id_, subject=subject, text="\n\n".join(parts))


def _line(told: Notice) -> str:
    text = " ".join(told.text.split())
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    return f"{text} {told.url}".rstrip()


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
