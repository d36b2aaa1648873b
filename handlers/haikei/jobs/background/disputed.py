"""Who drew a layout that several people published: people are asked, nobody is guessed."""

import shlex
from collections.abc import Sequence
from dataclasses import replace

import structlog

from haikei.credits import (
    ImageRecord,
    Person,
    StatementKind,
    System,
    printed_person,
    printed_system,
    records,
)
from haikei.credits.records import statements
from haikei.database import reading
from haikei.errors import LayoutDisputed
from haikei.jobs.job import JobOrder
from haikei.jobs.tools import Tools
from haikei.trackers import LayoutContext, NoteWrite

log = structlog.get_logger()


def as_declared(
    order: JobOrder, context: LayoutContext, tools: Tools
) -> tuple[LayoutContext, int | None]:
    """
    Return a layout's context with exactly those artists who are stated to have drawn it.

    With it comes the ledger's entry of that statement; None where there is none.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    place = order.place
    with reading(tools.database) as connection:
        declared = statements.drawn_by(connection, place, order.layout_sha256)
    if declared is None:
        return context, None
    entry, statement, artists = declared
    source = f"statement drawn_by of entry {entry}, by {statement.by.id}"
    logins = _logins(artists, tools)
    named = replace(
        context, artists=artists, artist_logins=logins, artist_source=source, candidates=()
    )
    return named, entry


def _logins(artists: Sequence[Person], tools: Tools) -> tuple[str, ...]:
    """Return the logins in the settings by which the tracker knows them: consent may be on them."""
    stated = tuple(login for entry in tools.settings.people for login in entry.logins)
    desk = tools.tracker().parts.credits if stated else None
    if desk is None:
        return ()
    try:
        found = desk.people(stated)
    finally:
        desk.close()
    ids = {person.id for person in artists}
    return tuple(login for login, person in found.items() if person.id in ids)


def require_undisputed(
    order: JobOrder,
    pixels_sha256: str,
    artists: Sequence[Person],
    context: LayoutContext,
    tools: Tools,
) -> None:
    """
    Check that nobody else published a layout or is recorded for its pixels.

    Else a Note on the shot asks, once. The answer is a sealed statement about the layout's bytes,
    `drawn_by`, which names all who drew it.

    Raises:
        LayoutDisputed: somebody else did, or is.
        TrackerError: the tracker does not answer, or refuses.
    """
    with reading(tools.database) as connection:
        known = records.find_image(connection, pixels_sha256=pixels_sha256)
    if order.published_before_by:
        missing = list(artists)
    elif known is None:
        return
    else:
        named = {person.id for person in known.people if _name(person)}
        missing = [one for one in artists if _name(one) and one.id not in named]
        if not missing or not (named or known.system is not None):
            return
    error = _disputed(order, known, missing)
    log.info("layout_disputed", layout=str(order.layout), image=known.key if known else "")
    desk = tools.tracker().parts.review
    if desk is not None:
        try:
            desk.write(
                NoteWrite(
                    key=f"{order.event_key}/drawn-by",
                    project=context.project,
                    links=(context.shot,),
                    subject=f"Who drew {order.layout.name}?",
                    text=f"{error.message}\n\n{error.advice}",
                    to=tools.settings.review.dailies.supervisors,
                )
            )
        finally:
            desk.close()
    raise error


def _name(person: Person) -> str:
    return "" if person.is_asked_for else printed_person(person).en


def _disputed(
    order: JobOrder, known: ImageRecord | None, missing: Sequence[Person]
) -> LayoutDisputed:
    parts = () if known is None else known.contributions
    makers = [
        printed_system(one.actor) if isinstance(one.actor, System) else _name(one.actor)
        for one in parts
    ]
    by = ", ".join(dict.fromkeys(filter(None, makers)))
    histories = [f"is recorded as {known.path}, by {by}"] if known is not None and by else []
    if order.published_before_by:
        histories.insert(0, f"was published for {order.place.name} by {order.published_before_by}")
    place = order.place
    before = [] if known is None else [one.id for one in known.people if _name(one)]
    if known is None and order.published_before_by:
        before = [order.published_before_by.partition(" ")[0]]
    declare = [
        *("haikei", "credits", "declare", StatementKind.DRAWN_BY.value),
        *("--project", place.project),
        *(("--episode", place.episode) if place.episode else ()),
        *(("--sequence", place.sequence) if place.sequence else ()),
        *("--shot", place.shot, "--image", order.layout_sha256),
    ]
    also = [order.published_by] if order.published_before_by else []
    for id_ in dict.fromkeys((*before, *(one.id for one in missing if _name(one)), *also)):
        declare += ["--artist", id_]
    by_whom = f"by {order.published_by} " if order.published_before_by else ""
    now = ", ".join(_name(one) or one.id for one in missing)
    return LayoutDisputed(
        f"{order.layout.name} shows a drawing that {' and '.join(histories)}, and is published "
        f"{by_whom}as drawn by {now}. Nobody is credited anew.",
        advice=f"Say who drew it, each with --artist: {shlex.join(declare)} --by '…' --text '…', "
        f"then haikei jobs retry {order.key}. If it is nobody's but theirs who are credited, skip "
        "the job.",
    )
