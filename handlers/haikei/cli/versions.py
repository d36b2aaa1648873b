"""`haikei touchup` and `haikei decide`: paint-overs of versions, and decisions about them."""

import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import JsonOption, print_json, say
from haikei.cli.startup import SettingsOption, load_settings, open_studio
from haikei.decisions import Decision

if TYPE_CHECKING:
    from haikei.credits import Person
    from haikei.jobs.job import TouchUpOrder
    from haikei.jobs.tools import Tools
    from haikei.measurements import Change


def touchup(
    file: Annotated[
        Path, typer.Argument(help="What the artist saved.", exists=True, dir_okay=False)
    ],
    of: Annotated[
        str,
        typer.Option(help="The version that was painted over: its code or its file's SHA-256."),
    ],
    artist: Annotated[
        list[str],
        typer.Option(
            help="Who painted: a name, a login or an id that settings or tracker know. "
            "Once for each artist."
        ),
    ],
    artist_ja: Annotated[
        list[str] | None,
        typer.Option(help="The same name in Japanese script; once for each --artist."),
    ] = None,
    person: Annotated[
        list[str] | None,
        typer.Option(
            help="Who that is in the tracker, such as HumanUser:12; once for each --artist."
        ),
    ] = None,
    minutes: Annotated[
        int | None, typer.Option(help="The time it took, as the artist says.", min=0)
    ] = None,
    tool: Annotated[str, typer.Option(help="The program, such as 'Krita 5.2'.")] = "",
    by_hand: Annotated[
        str,
        typer.Option(
            help="Who declares that it was made by hand, without a generative tool: a name, a "
            "login or an id. Without it, nobody says how it was made."
        ),
    ] = "",
    reason: Annotated[
        str,
        typer.Option(
            help="What was painted where no change is measured, or why another artist is named "
            "for a file that was taken in: credited as declared."
        ),
    ] = "",
    settings: SettingsOption = None,
    *,
    new_person: Annotated[
        bool,
        typer.Option("--new-person", help="Register the artists whom nobody knows so far."),
    ] = False,
    generative_fill: Annotated[
        bool,
        typer.Option("--generative-fill", help="A trained model in the program made pixels too."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what was changed; keep nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take in a paint-over: measured, marked, named beside all before, shown in the tracker."""
    from haikei.cli.startup import configure_logs
    from haikei.jobs.job import TouchUpOrder
    from haikei.jobs.tools import Tools
    from haikei.trackers import load_tracker

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    with (
        open_studio(loaded) as database,
        closing(load_tracker(loaded)) as tracker,
        closing(
            Tools(loaded, database, threading.Event(), open_tracker=lambda _: tracker)
        ) as tools,
    ):
        order = TouchUpOrder(
            file=file.absolute(),
            of=of,
            artists=_artists(artist, artist_ja or [], person or [], tools, new=new_person),
            minutes=minutes,
            tool=tool,
            used_generative_fill=generative_fill,
            by_hand=by_hand.strip(),
            reason=reason.strip(),
        )
        if dry_run:
            _compare(order, tools, as_json=as_json)
        else:
            _take_in(order, tools, as_json=as_json)


def _artists(
    names: list[str], names_ja: list[str], ids: list[str], tools: "Tools", *, new: bool
) -> "tuple[Person | str, ...]":
    """Return who is meant, where the command line says more than names."""
    from haikei.errors import CreditError
    from haikei.jobs.touchup.painter import known_person

    for option, given in (("--artist-ja", names_ja), ("--person", ids)):
        if given and len(given) != len(names):
            raise CreditError(
                f"{option} is given {len(given)} times, and --artist {len(names)} times.",
                advice="Give it once for each artist, in the same order, or not at all.",
            )
    unknown = {name for name in names if new and known_person(name, tools) is None}
    some = bool(unknown)
    return tuple(
        _artist(
            name,
            ids[place] if ids else "",
            names_ja[place] if names_ja else "",
            tools,
            # Of several artists, those whom somebody knows already are not new.
            new=name in unknown if some else new,
        )
        for place, name in enumerate(names)
    )


def _artist(name: str, id_: str, name_ja: str, tools: "Tools", *, new: bool) -> "Person | str":
    from haikei.credits import Person, people
    from haikei.errors import CreditError
    from haikei.jobs.touchup.painter import known_person, person_called, require_human

    require_human(name, name_ja)
    if not id_ and not new:
        if not name_ja:
            return name
        called = person_called(name, tools)
        return replace(called, name_ja=called.name_ja or name_ja)
    known = known_person(id_ or name, tools)
    if id_ and known is None:
        raise CreditError(
            f"Neither the tracker nor the register of credits has anybody with the id {id_!r}.",
            advice="Give the id as the tracker or `haikei credits people` shows it.",
        )
    if id_ and new:
        raise CreditError(
            f"{id_} is known: --person and --new-person exclude each other.",
            advice="Leave one of them out.",
        )
    if new and known is not None:
        raise CreditError(
            f"{name!r} is known as {known.id}.",
            advice="Leave --new-person out; a namesake needs a name of their own in credits.",
        )
    return Person(id=id_ or people.new_id(), name=name, name_ja=name_ja)


def _compare(order: "TouchUpOrder", tools: "Tools", *, as_json: bool) -> None:
    from haikei.jobs.touchup.claims import shown_by
    from haikei.jobs.touchup.taking_in import compare

    with tempfile.TemporaryDirectory(prefix="haikei-touchup-") as folder:
        examined = compare(order, tools, Path(folder))
        shown = shown_by(examined, tools)
    conversion_of = "" if shown is None else shown[0]
    change = examined.measured.change
    if as_json:
        print_json(
            {
                "dry_run": True,
                "of": examined.parent.version.code,
                "full_repaint": examined.measured.full_repaint,
                "alike_ppm": examined.measured.similarity_ppm,
                "change": _plain(change),
                "ai_found": examined.ai_found,
                "conversion_of": conversion_of,
            }
        )
        return
    if conversion_of:
        say(f"{order.file.name} is a conversion of {conversion_of}: nobody would be credited")
    else:
        say(f"{order.file.name} is painted over {examined.parent.version.code}")
    _say_change(change)
    if examined.ai_found:
        say(f"The file says that a trained model was used: {examined.ai_found}", colour="yellow")


def _take_in(order: "TouchUpOrder", tools: "Tools", *, as_json: bool) -> None:
    from haikei.credits import credit_line
    from haikei.errors import CreditError, NothingPainted
    from haikei.jobs.touchup.publish import is_undeclared
    from haikei.jobs.touchup.taking_in import take_in

    try:
        taken = take_in(order, tools)
    except NothingPainted as answer:
        # An answer, and no failure: the file is what it was, and nobody is credited for it.
        if as_json:
            print_json(
                {
                    "dry_run": False,
                    "created": False,
                    "conversion": answer.message,
                    "to_insist": answer.advice,
                }
            )
        else:
            say(answer.message, colour="yellow")
            say(answer.advice or "")
        return
    try:
        line = credit_line(taken.background.images)
        en, ja = line.en, line.ja
    except CreditError:
        # The studio lets layouts go unnamed.
        en = ja = ""
    if as_json:
        print_json(
            {
                "dry_run": False,
                "code": taken.code,
                "created": taken.created,
                "url": taken.background.url,
                "credit": en,
                "credit_ja": ja,
                "source_type": taken.background.final.source_type.value,
                "change": _plain(taken.change),
                "change_map": taken.change_map,
                "files": list(taken.files),
            }
        )
        return
    word = "is now" if taken.created else "was taken in before as"
    say(f"{order.file.name} {word} {taken.code}", colour="green")
    _say_change(taken.change)
    say(en or "Nobody is named for the layout.")
    if is_undeclared(taken.background):
        say(
            "Not declared how it was made: `haikei credits declare hand_painted` with "
            f"--of {taken.code} says by whom and that it was made by hand."
        )
    if not taken.created:
        say("The published file keeps the marks it has; `haikei verify` says who was named since.")
    say(f"Picture     {taken.path}")
    say(f"Change map  {taken.change_map}")
    say(f"Tracker     {taken.background.url}")


def _say_change(change: "Change") -> None:
    share = f"{change.area_ppm / 10_000:.2f} % of the area changed"
    colour = f"colour of the whole by {change.global_milli_de / 1000:.1f} CIEDE2000"
    moved = f"moved by {change.shift_milli_px / 1000:.2f} px"
    regions = len(change.regions)
    say(f"{share} in {regions} region{'' if regions == 1 else 's'}, {colour}, {moved}")
    say("Area is not effort: the figure says where, and nothing of how much work it was.")


def _plain(change: "Change") -> dict[str, object]:
    return {
        "method": change.method,
        "area_ppm": change.area_ppm,
        "global_milli_de": change.global_milli_de,
        "shift_milli_px": change.shift_milli_px,
        "regions": [
            {
                "x": region.x,
                "y": region.y,
                "width": region.width,
                "height": region.height,
                "pixels": region.pixels,
            }
            for region in change.regions
        ],
    }


def decide(
    code: Annotated[str, typer.Argument(help="The version's name, or its key.")],
    decision: Annotated[
        Decision, typer.Argument(help="What is decided; `none` puts it back in review.")
    ],
    *,
    note: Annotated[str, typer.Option(help="Why, or what a retake shall be like.")] = "",
    by: Annotated[
        str, typer.Option(help="Login of the person who decides; else Haikei itself.")
    ] = "",
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide about a version in the tracker; what follows is done by `haikei review`."""
    from haikei.credits import records
    from haikei.database import reading
    from haikei.errors import ReviewError
    from haikei.events import Source
    from haikei.review.deciding import Deciding, decider_of
    from haikei.review.decisions import Decider, ReviewVerdict
    from haikei.trackers import Part, load_tracker, needed

    loaded = load_settings(settings)
    with open_studio(loaded) as database:
        with reading(database) as connection:
            version = records.named(connection, code)
        if version is None:
            raise ReviewError(
                f"No version is called {code!r}.", advice="`haikei jobs list` shows the names."
            )
        with closing(load_tracker(loaded)) as tracker:
            desk = needed(tracker.parts.review, tracker, Part.REVIEW)
            who = Decider()
            if by:
                who = decider_of(needed(tracker.parts.selection, tracker, Part.SELECTION), by)
            verdict = ReviewVerdict(decision=decision, text=note, by=who)
            Deciding(loaded, database, desk, source=Source.COMMAND).decide(version.key, verdict)
    if as_json:
        print_json(
            {"version": version.code, "key": version.key, "decision": decision.value, "by": by}
        )
        return
    say(f"{version.code}: {decision.value}. `haikei jobs watch` shows what is made of it.")
