"""Who painted a touch-up, and with which tool, as contributions."""

from collections.abc import Sequence
from datetime import datetime

from haikei.credits import (
    Contribution,
    Evidence,
    Grade,
    Person,
    Role,
    SourceType,
    System,
    is_machine_name,
    people,
    printed_person,
    shows_change,
)
from haikei.credits.records import statements
from haikei.database import reading
from haikei.errors import CreditError
from haikei.jobs.contributions import as_credited
from haikei.jobs.job import TouchUpOrder
from haikei.jobs.tools import Tools
from haikei.measurements import Change
from haikei.names import plain_names
from haikei.show import Place


def painters(order: TouchUpOrder, tools: Tools) -> tuple[Person, ...]:
    """
    Return who painted, each once, as credits name them today.

    Raises:
        CreditError: nobody is named, or a machine; or neither settings, tracker nor register know
            the name.
        TrackerError: the tracker does not answer, or refuses.
    """
    found: dict[str, Person] = {}
    for stated in order.artists:
        if isinstance(stated, Person):
            person = as_credited(stated, tools.settings.people)
        else:
            person = person_called(stated, tools)
        require_human(person.name, person.name_ja)
        if not printed_person(person).en:
            found.clear()
            break
        found.setdefault(person.id, person)
    if not found:
        raise CreditError(
            "Nobody is named for the paint-over.",
            advice="Say who painted, or record the artist's opt-out in the settings.",
        )
    with reading(tools.database) as connection:
        # Marks name nobody who was renamed or withheld here, whatever the tracker says.
        return people.as_printed(connection, found.values())


def person_called(name: str, tools: Tools) -> Person:
    """
    Return the person of an id, login or name in tracker, settings or register of credits.

    Raises:
        CreditError: it is a machine's name, several people have it, or nobody known does.
        TrackerError: the tracker does not answer, or refuses.
    """
    stated = name.strip()
    require_human(stated)
    return as_credited(known_person(stated, tools) or _ask(stated), tools.settings.people)


def require_human(*names: str) -> None:
    """
    Check that no name is a machine's.

    Raises:
        CreditError: one is.
    """
    machine = next(filter(is_machine_name, names), None)
    if machine is not None:
        raise CreditError(
            f"{machine!r} is the name of a machine, not of a person who painted.",
            advice="Name the artist; a trained model in the program is declared with "
            "--generative-fill.",
        )


def known_person(stated: str, tools: Tools) -> Person | None:
    """
    Return whom an id, a login or a name means to the tracker, the settings or the register.

    Raises:
        CreditError: several people in the register have the name.
        TrackerError: the tracker does not answer, or refuses.
    """
    if not stated.strip():
        return None
    found = _in_tracker((stated,), tools)
    entry = next((one for one in tools.settings.people if one.means(stated, (stated,))), None)
    names: tuple[str, ...] = (stated,)
    if found is None and entry is not None:
        found = _in_tracker(tuple(filter(None, (entry.id, *entry.logins, entry.name))), tools)
        names = (stated, entry.name, entry.name_ja, *entry.aliases)
    found = found or _in_register(stated, names, tools)
    if found is None and entry is not None:
        found = Person(id=entry.id or people.new_id(), name=entry.name)
    return found


def declared_by_hand(
    order: TouchUpOrder, artists: Sequence[Person], place: Place, tools: Tools
) -> str:
    """
    Return by whom, and where, a touch-up is declared to be made by hand; empty: by nobody.

    That somebody published it says who worked on it, and nothing of how.

    Raises:
        CreditError: nobody known is called as the order says, or a trained model is declared too.
        TrackerError: the tracker does not answer, or refuses.
    """
    if order.by_hand:
        if order.used_generative_fill:
            raise CreditError(
                f"{order.file.name} is declared to be made by hand, and with generative fill.",
                advice="Give one of --by-hand and --generative-fill.",
            )
        wanted = plain_names((order.by_hand,))
        own = (
            one
            for one in artists
            if one.id == order.by_hand or wanted & plain_names((one.name, one.name_ja))
        )
        who = next(own, None) or person_called(order.by_hand, tools)
        return f"made by hand, as declared by {who.id}"
    with reading(tools.database) as connection:
        found = statements.hand_painted(connection, place)
        entry = statements.entry_of(connection, found.key) if found is not None else None
    return "" if found is None else f"made by hand, as declared by {found.by.id} (entry {entry})"


def painting(
    artist: Person,
    *,
    of: str,
    order: TouchUpOrder,
    change: Change,
    sha256: str,
    at: datetime,
    by_hand: str = "",
    resaved: str = "",
) -> Contribution:
    """
    Return an artist's contribution: who it was is logged or declared, only the change is measured.

    Args:
        artist: who painted.
        of: the code of the version that was painted over.
        order: what the artist declares.
        change: what was measured.
        sha256: of the artist's own file.
        at: when it was taken in.
        by_hand: who declares that it was made by hand; empty where nobody does.
        resaved: how a program saved it, where that changed the whole of it.
    """
    saved = f" {resaved}" if resaved else ""
    notes = [f"paint-over of {of}, compared with it{saved}", f"parent {order.found_by}"]
    if order.tool:
        notes.append(f"tool as declared: {order.tool}")
    if order.minutes is not None:
        notes.append("minutes as declared")
    if order.reason:
        notes.append(f"reason as declared: {order.reason}")
    if by_hand:
        notes.append(by_hand)
    evidence = Evidence(
        source=order.known_by,
        sha256=sha256,
        change=change,
        minutes=order.minutes,
        note="; ".join(notes),
    )
    # A reason is declared where nothing shows that anybody painted: no log stands for it either.
    grade = order.grade if shows_change(change) else Grade.DECLARED
    return Contribution(role=Role.TOUCH_UP, actor=artist, grade=grade, evidence=evidence, at=at)


def generative_fill(order: TouchUpOrder, found: str, at: datetime) -> Contribution:
    """
    Return the contribution of the trained model in the artist's tool.

    Args:
        order: what the artist declares.
        found: marks of a model in the file; empty where only the artist declares one.
        at: when it was taken in.
    """
    # Paint programs do not disclose their models; the tool is all that is known.
    tool = order.tool or found or "a paint program"
    declared = "declared by whoever handed it in" if order.used_generative_fill else ""
    return Contribution(
        role=Role.AI_GENERATION,
        actor=System(
            name=f"Generative fill of {tool}",
            version="",
            source_type=SourceType.COMPOSITE_TRAINED,
            data="not disclosed",
        ),
        grade=Grade.LOGGED if found else Grade.DECLARED,
        evidence=Evidence(source=f"marks in the file: {found}" if found else declared),
        at=at,
    )


def _in_tracker(words: Sequence[str], tools: Tools) -> Person | None:
    desk = tools.tracker().parts.credits
    if desk is None:
        return None
    found = desk.people(words)
    return next((found[word] for word in words if word in found), None)


def _in_register(stated: str, names: Sequence[str], tools: Tools) -> Person | None:
    wanted = plain_names(names)
    with reading(tools.database) as connection:
        meant = [
            one
            for one in people.everyone(connection)
            if one.id == stated or wanted & plain_names((one.name, one.name_ja))
        ]
    if len(meant) > 1:
        ids = ", ".join(one.id for one in meant)
        raise CreditError(f"Several people are called {stated!r}: {ids}.", advice="Give the id.")
    return meant[0] if meant else None


def _ask(stated: str) -> Person:
    if not stated:
        return Person(id="", name="")
    raise CreditError(
        f"Neither the tracker, the settings nor the register of credits know {stated!r}.",
        advice="Correct the name, add the artist to [[people]], or give --new-person to register "
        "somebody new.",
    )
