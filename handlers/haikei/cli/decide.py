"""`haikei decide`: a supervisor's decision from the command line."""

from enum import StrEnum
from typing import Annotated

import typer

from haikei.cli.output import JsonOption, print_json, say
from haikei.cli.startup import SettingsOption, load_settings, open_studio


class Choice(StrEnum):
    """What can be decided."""

    APPROVE = "approve"
    RETAKE = "retake"
    HOLD = "hold"
    OMIT = "omit"
    NONE = "none"


def decide(
    code: Annotated[str, typer.Argument(help="The version's name, or its key.")],
    decision: Annotated[
        Choice, typer.Argument(help="What is decided; `none` puts it back in review.")
    ],
    *,
    note: Annotated[str, typer.Option(help="Why, or what a retake shall be like.")] = "",
    by: Annotated[
        str, typer.Option(help="Login of the person who decides; else Haikei itself.")
    ] = "",
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide about a version: the tracker is told, and what follows is done by `haikei review`."""
    from haikei.credits import records
    from haikei.database import reading
    from haikei.errors import ReviewError
    from haikei.events import Source
    from haikei.review import Decider, Deciding, Decision, ReviewVerdict, decider_of
    from haikei.trackers import Part, load_tracker, needed

    loaded = load_settings(settings)
    database = open_studio(loaded)
    with reading(database) as connection:
        version = records.by_code(connection, code) or records.background(connection, code)
    if version is None:
        raise ReviewError(
            f"No version is called {code!r}.", advice="`haikei jobs list` shows the names."
        )
    tracker = load_tracker(loaded)
    desk = needed(tracker.parts.review, tracker, Part.REVIEW)
    try:
        who = Decider()
        if by:
            who = decider_of(needed(tracker.parts.selection, tracker, Part.SELECTION), by)
        verdict = ReviewVerdict(decision=Decision(decision.value), text=note, by=who)
        Deciding(loaded, database, desk, source=Source.COMMAND).decide(version.key, verdict)
    finally:
        tracker.close()
    if as_json:
        print_json(
            {"version": version.code, "key": version.key, "decision": decision.value, "by": by}
        )
        return
    say(f"{version.code}: {decision.value}. `haikei jobs watch` shows what is made of it.")
