"""Answers to the question who drew a layout: a reply names the artist, once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from haikei.credits import BackgroundVersion, Person, is_machine_name, people, printed_person
from haikei.credits.records import asking
from haikei.jobs.contributions import as_credited
from haikei.names import plain_name, plain_names
from haikei.review import replies
from haikei.review.replies import answer
from haikei.settings import PersonEntry
from haikei.texts import ARTIST_QUESTION
from haikei.trackers import ReplyWrite, SeenNote, SeenVersion

log = structlog.get_logger()


def answers(seen: SeenVersion) -> Sequence[SeenNote]:
    """Return the replies of people to our question who drew the layout, the oldest first."""
    asked = {
        note.id
        for note in seen.notes
        if note.by_us and note.reply_to is None and ARTIST_QUESTION.en in note.text
    }
    return [note for note in seen.notes if note.reply_to in asked and not note.by_us]


def take_answers(
    connection: Connection,
    seen: SeenVersion,
    version: BackgroundVersion,
    entries: Iterable[PersonEntry],
    now: datetime,
) -> SeenVersion:
    """
    Name a layout's artist as a reply says, in the caller's transaction; what cannot be is answered.

    Args:
        connection: to the studio's database.
        seen: the version as it stands in the tracker.
        version: the same in the records.
        entries: people as the studio's settings name them.
        now: the present moment.

    Returns:
        what is seen, without these replies: they ask for no retake.
    """
    found = answers(seen)
    question = asking.open_question(version.images)
    for reply in found:
        if reply.author is None or is_machine_name(reply.author.name):
            continue
        people.note(connection, reply.author)
        person = _meant(connection, reply.text, asking.candidates_of(question) if question else ())
        layout = version.images[0].key
        named = asking.artists_named(connection, layout)
        if person is None or (question is None and person.id not in {one.id for one in named}):
            known = ", ".join(printed_person(one).en for one in named)
            text = replies.artist_named(known) if named else replies.artist_unknown()
        elif question is None:
            continue
        else:
            person = as_credited(person, entries)
            where = f"Reply:{reply.id} of Note:{reply.reply_to} by {reply.author.id}"
            asking.name_artist(connection, question, person, source=where, at=reply.created_at)
            question, text = None, replies.artist_named(printed_person(person).en)
            log.info("layout_artist_named", version=version.code, artist=person.id)
        write = ReplyWrite(key=f"artist/{reply.id}", note=reply.reply_to or 0, text=text)
        answer(connection, write, now)
    ids = {reply.id for reply in found}
    others = (note for note in seen.notes if note.reply_to is None or note.id not in ids)
    return replace(seen, notes=tuple(others))


def _meant(connection: Connection, text: str, candidates: Sequence[str]) -> Person | None:
    """Return the one person in the register whom a reply names, a candidate before all others."""
    everyone = list(people.everyone(connection))
    word = text.strip()
    for some in ([one for one in everyone if one.id in candidates], everyone):
        found = [
            one
            for one in some
            if not one.is_asked_for
            and (word == one.id or plain_name(word) in plain_names((one.name, one.name_ja)))
        ]
        if len(found) == 1:
            return found[0]
    return None
