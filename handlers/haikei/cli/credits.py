"""`haikei credits`: who made what, what people are called, and what they answer for."""

import hashlib
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager, nullcontext, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli import confirmations as confirming
from haikei.cli.credits_repair import plain_statement, recompute, statement_row
from haikei.cli.output import JsonOption, Stated, print_json, print_table, say, warn
from haikei.cli.startup import (
    SettingsOption,
    find_person,
    find_version,
    load_settings,
    open_studio,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from haikei.credits import BackgroundVersion, Contribution, FacetSummary, Person
    from haikei.settings import Settings

app = typer.Typer(
    help="See who made what; rename, withhold or erase names; declare what people answer for.",
    no_args_is_help=True,
)
app.command("recompute")(recompute)
app.command("ask-confirmation")(confirming.ask_confirmation)
app.command("confirmations")(confirming.confirmations)
app.command("revoke-confirmation")(confirming.revoke_confirmation)
app.command("resolve-correction")(confirming.resolve_correction)

PersonArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A person's id, as `haikei credits people` lists it.")
]
ReferenceOption = Annotated[
    str, typer.Option(help="Where it is recorded that they asked, such as a letter's date.")
]


@app.command()
def show(
    code: Annotated[str, typer.Argument(help="A Version's name, as the tracker shows it.")],
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show who made a version, side by side: layout, generation, touch-up and review."""
    from haikei.credits import credit_line, facets
    from haikei.errors import CreditError

    with _reading(settings) as connection:
        version = find_version(connection, code)
    summaries = facets(version)
    line, refusal = None, None
    try:
        line = credit_line(version.images)
    except CreditError as error:
        refusal = str(error)
    if as_json:
        print_json(
            {
                **_plain_version(version),
                "credit": None if line is None else {"en": line.en, "ja": line.ja},
                "refused": refusal,
                "facets": [_plain_facet(one, version) for one in summaries],
            }
        )
        return
    say(f"{version.code}  {version.state.value}  {version.url}".rstrip(), colour="bright_white")
    if line is not None:
        say(line.en)
        say(line.ja)
    else:
        say(str(refusal), colour="red")
    for summary in summaries:
        _print_facet(summary, version)


@app.command("people")
def list_people(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """List everyone in the register, as credits name them, with how much they contributed."""
    from haikei.credits import people

    with _reading(settings) as connection:
        everyone = [one for one in people.everyone(connection) if not one.is_asked_for]
        counts = people.contributions_of(connection)
    if as_json:
        shown = [_plain_person(one, counts.get(one.id, 0)) for one in everyone]
        print_json({"people": shown})
        return
    print_table(
        ("id", "name", "Japanese", "contributions", "not named because of"),
        [(one.id, one.name, one.name_ja, counts.get(one.id, 0), one.opt_out) for one in everyone],
    )


@app.command()
def rename(
    person: PersonArgument,
    name: Annotated[str, typer.Option(help="The name in Latin letters.")],
    ja: Annotated[str, typer.Option(help="The name in Japanese script.")] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give a person another name, in everything that was and will be recorded; the id stays."""
    from haikei.credits import people

    with _writing(settings) as connection:
        renamed = people.rename(connection, person, name=name, name_ja=ja)
    if as_json:
        print_json({"person": renamed.id, "name": renamed.name, "name_ja": renamed.name_ja})
        return
    say(f"{renamed.id} is now {_named(renamed)}.")
    say("`haikei credits recompute` writes it to the tracker.")


@app.command("name-layout")
def name_layout(
    code: Annotated[str, typer.Argument(help="A Version's name, as the tracker shows it.")],
    artist: Annotated[str, typer.Argument(help="Who drew its layout: an id or a name.")],
    by: Annotated[str, typer.Option(help="Who answers for it: an id or a name.")],
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Name a layout's artist where the tracker leaves it open among several, and recompute."""
    from haikei.credits import Scope
    from haikei.credits.records import asking
    from haikei.database import utc_now
    from haikei.errors import CreditError
    from haikei.jobs.contributions import as_credited
    from haikei.jobs.recomputing import recompute as put_right
    from haikei.trackers import load_tracker

    loaded = load_settings(settings)
    with open_studio(loaded) as database, closing(load_tracker(loaded)) as tracker:
        with database.begin() as connection:
            version = find_version(connection, code)
            question = asking.open_question(version.images)
            if question is None:
                raise CreditError(
                    f"Nobody is asked who drew the layout of {version.code}.",
                    advice="`haikei credits show` tells who is named; where that is wrong, declare "
                    "a correction.",
                )
            answering = find_person(connection, by)
            person = as_credited(find_person(connection, artist), loaded.people)
            source = f"haikei credits name-layout by {answering.id}"
            asking.name_artist(connection, question, person, source=source, at=utc_now())
        tell = warn if as_json else say
        tell(f"{_named(person)} ({person.id}) is named for the layout of {version.code}.")
        changed = 0
        if tracker.parts.credits is not None:
            scope = Scope.of(version)
            done = put_right(database, tracker.parts.credits, scope)
            changed = done.changed
            tell(f"{done.versions} versions: {done.changed} rows changed in the tracker.")
        if as_json:
            answer = {"person": person.id, "by": answering.id, "changed": changed}
            print_json({"version": version.code, **answer})


@app.command("opt-out")
def opt_out(
    person: PersonArgument,
    reference: ReferenceOption,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print a person's name in no credits from now on; that they asked is sealed."""
    from haikei.credits import people

    with _writing(settings) as connection:
        people.opt_out(connection, person, reference)
    if as_json:
        print_json({"person": person, "reference": reference})
        return
    say(f"{person} is not named any more.")
    say("`haikei credits recompute` writes it to the tracker.")


@app.command()
def erase(
    person: PersonArgument,
    reference: ReferenceOption,
    settings: SettingsOption = None,
    *,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Look for this name too, such as one that was erased. Repeatable."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Erase a person's names for good. The ledger's proofs stand; nobody can undo it.

    Where something has to end first, that is printed: erase once more then, with --name.
    """
    from haikei.cli.credits_repair import tell_what_is_left
    from haikei.credits import people
    from haikei.database import drop_deleted

    if as_json and not yes:
        raise typer.BadParameter("--json asks nothing: add --yes", param_hint="--yes")
    loaded = load_settings(settings)
    # What is left to do is printed for people, beside what a program reads.
    beside = redirect_stdout(sys.stderr) if as_json else nullcontext()
    with beside, open_studio(loaded) as database:
        if not yes:
            typer.confirm(f"Erase the names of {person} for good?", abort=True)
        with database.begin() as connection:
            erased = people.erase(connection, person, reference, also=name or ())
        say(f"Erased: {erased.openings} commitments cannot be opened any more.")
        if erased.texts:
            say(f"The name was taken out of {erased.texts} texts and orders.")
        if erased.sealed:
            entries = ", ".join(str(seq) for seq in erased.sealed)
            say(f"Others' sealed words still hold the name: entries {entries}.", colour="yellow")
        tell_what_is_left(loaded, erased)
        dropped = drop_deleted(database)
        if not dropped:
            say(
                "The database's log still holds the name while another process reads it: stop "
                "Haikei and erase once more.",
                colour="yellow",
            )
        say("Files that were published keep what they say. `haikei credits recompute` is next.")
    if as_json:
        counts = {"commitments": erased.openings, "texts": erased.texts, "dropped": dropped}
        left = {"sealed": list(erased.sealed), "paths": list(erased.paths)}
        print_json({"person": person, **counts, **left})


@app.command()
def declare(
    kind: Annotated[Stated, typer.Argument(help="What is stated.")],
    project: Annotated[str, typer.Option(help="The show: its name in paths, its title or its id.")],
    by: Annotated[str, typer.Option(help="Who answers for it: an id or a name.")],
    text: Annotated[str, typer.Option(help="What is stated, in a sentence or more.")],
    episode: Annotated[str, typer.Option(help="It is about this episode only.")] = "",
    sequence: Annotated[str, typer.Option(help="It is about this sequence only.")] = "",
    shot: Annotated[str, typer.Option(help="It is about this shot only.")] = "",
    image: Annotated[str, typer.Option(help="It is about the image with this SHA-256.")] = "",
    of: Annotated[str, typer.Option(help="It is about the picture of this Version.")] = "",
    to: Annotated[str, typer.Option(help="Whom it was told: a client, a guild.")] = "",
    subject: Annotated[str, typer.Option(help="Which of several, such as a principle.")] = "",
    answer: Annotated[str, typer.Option(help="`yes`, `no` or `unsure`.")] = "",
    reference: Annotated[str, typer.Option(help="Where the paper is.")] = "",
    on: Annotated[datetime | None, typer.Option(help="When it was said; now by default.")] = None,
    artist: Annotated[
        list[str] | None,
        typer.Option(help="Of drawn_by: who drew it, an id, login or name. Once for each."),
    ] = None,
    settings: SettingsOption = None,
    *,
    new_person: Annotated[
        bool, typer.Option("--new-person", help="Register who answers for it by this new name.")
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Declare it of a show, cut or image that nothing is known of yet."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Keep and seal what somebody answers for; stated again, it is not sealed twice.

    Names of shows, sequences and shots count in any letter case and Unicode form. One of which
    neither the records nor the tracker know anything is an error, unless --anyway says it is meant.
    """
    from haikei.cli.credits_repair import put_right_in_tracker
    from haikei.cli.name_check import known_place
    from haikei.credits import Statement, StatementKind
    from haikei.credits.records import statements
    from haikei.credits.records.redrawn import correct_artists
    from haikei.database import utc_now
    from haikei.jobs.inbox import LAYOUT, keys_of
    from haikei.show import Place

    if of and image:
        raise typer.BadParameter("name the picture by --of or by --image", param_hint="--of")
    drawn, words = kind is Stated.DRAWN_BY, tuple(artist or ())
    corrected: tuple[str, ...] = ()
    if drawn and (subject or answer):
        raise typer.BadParameter("drawn_by takes --artist", param_hint="--subject, --answer")
    if words and not drawn:
        raise typer.BadParameter(f"{kind.value} takes none", param_hint="--artist")
    # The tracker knows people of whom nothing is recorded yet.
    loaded = load_settings(settings)
    found = _in_tracker(loaded, (by, *words)) if drawn else {}
    with _reading(settings) as connection:
        if of:
            image = _picture_of(connection, of, project)
        place = known_place(
            connection,
            loaded,
            Place(project=project, episode=episode, sequence=sequence, shot=shot),
            # Whether a picture is one that can be a deep fake is checked where that is declared;
            # a layout about which two people differ is recorded once they have been heard.
            image="" if kind in {Stated.DEEPFAKE_ASSESSMENT, Stated.DRAWN_BY} else image,
            anyway=anyway,
        )
    with _writing(settings) as connection:
        artists = [find_person(connection, who, tracker=found) for who in words]
        subject = subject or ", ".join(one.id for one in artists)
        where = (place.project, place.sequence, place.shot)
        about = (kind.value, *where, image, to, subject, answer, text, reference)
        person = find_person(connection, by, new=new_person, tracker=found)
        parts = "\0".join(
            (*about, person.id, on.isoformat() if on else "", *filter(None, (place.episode,)))
        )
        key = hashlib.sha256(parts.encode()).hexdigest()
        statement = Statement(
            key=key,
            kind=StatementKind(kind.value),
            project=place.project,
            episode=place.episode,
            sequence=place.sequence,
            shot=place.shot,
            image_sha256=image,
            by=person,
            to=to,
            subject=subject,
            answer=answer,
            text=text,
            reference=reference,
            at=utc_now() if on is None else on.replace(tzinfo=UTC),
        )
        if drawn:
            seq = statements.declare_drawn_by(connection, statement, artists)
            layouts = keys_of(connection, LAYOUT, place, image)
            corrected = correct_artists(connection, statement, artists, layouts=layouts)
        else:
            seq = statements.declare(connection, statement)
    changed = put_right_in_tracker(loaded, place) if corrected else 0
    if as_json:
        corrections = {"corrected": list(corrected), "changed": changed} if drawn else {}
        print_json({"key": key, "ledger": seq, "by": person.id, **corrections})
        return
    who = f"{_named(person)} ({person.id})"
    say(f"Sealed as entry {seq}: {kind.value} for {place.project}, by {who}.")
    if drawn:
        named = ", ".join(f"{_named(one)} ({one.id})" for one in artists)
        say(f"Drawn by {named}: a job that asked names exactly them when it is retried.")
    if corrected:
        say(
            f"{len(corrected)} pictures were recorded otherwise, and name exactly them from now on."
        )
        say(f"{changed} rows changed in the tracker; published files keep the marks they have.")


@app.command("statements")
def list_statements(
    project: Annotated[str, typer.Option(help="The show, by its name in paths.")],
    kind: Annotated[list[Stated] | None, typer.Option(help="Only this kind. Repeatable.")] = None,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List what was stated about a show, the earliest first."""
    from haikei.cli.name_check import known_place
    from haikei.credits import StatementKind
    from haikei.credits.records import statements
    from haikei.show import Place

    kinds = [StatementKind(one.value) for one in kind or ()]
    with _reading(settings) as connection:
        stated = list(statements.statements(connection, project=project, kinds=kinds))
        if not any(one.project for one in stated):
            place = Place(project=project, sequence="", shot="")
            loaded = load_settings(settings)
            project = known_place(connection, loaded, place, can_insist=False).project
            stated = list(statements.statements(connection, project=project, kinds=kinds))
        found = [(one, statements.entry_of(connection, one.key)) for one in stated]
    if as_json:
        shown = [plain_statement(one, seq) for one, seq in found]
        print_json({"statements": shown})
        return
    print_table(
        ("entry", "when", "kind", "where", "by", "to", "says", "reference"),
        [statement_row(one, seq) for one, seq in found],
    )


@contextmanager
def _reading(settings: Path | None) -> "Generator[Connection]":
    from haikei.database import reading

    with open_studio(load_settings(settings)) as database, reading(database) as connection:
        yield connection


@contextmanager
def _writing(settings: Path | None) -> "Generator[Connection]":
    with open_studio(load_settings(settings)) as database, database.begin() as connection:
        yield connection


def _picture_of(connection: "Connection", code: str, project: str) -> str:
    from haikei.errors import CreditError
    from haikei.names import same_name

    version = find_version(connection, code)
    if not same_name(version.project, project):
        raise CreditError(
            f"{code} is of {version.project}, not of {project}.", advice="Check --project."
        )
    return version.final.sha256


def _in_tracker(settings: "Settings", words: Iterable[str]) -> "Mapping[str, Person]":
    """Return whom these ids, logins and names mean to the tracker, as it names them."""
    from haikei.trackers import load_tracker

    tracker = load_tracker(settings)
    try:
        desk = tracker.parts.credits
        return {} if desk is None else desk.people(tuple(dict.fromkeys(words)))
    finally:
        tracker.close()


def _named(person: "Person") -> str:
    return " ".join(filter(None, (person.name, person.name_ja))) or "(no name)"


def _print_facet(summary: "FacetSummary", version: "BackgroundVersion") -> None:
    from haikei.texts import FACETS

    say()
    say(f"{FACETS[summary.facet].en}: {summary.text.en}", colour="cyan")
    entries = dict(zip((image.key for image in version.images), version.ledger, strict=True))
    for part in summary.parts:
        one = part.contribution
        who, role, grade = _actor(one), _role(one), _grade(one)
        say(f"  {role}: {who}  [{grade}: {'; '.join(_evidence(one))}]")
        say(f"    {one.at:%Y-%m-%d %H:%M} UTC, entry {entries[part.image.key]}, {part.image.path}")


def _role(contribution: "Contribution") -> str:
    from haikei.texts import ROLES

    return ROLES[contribution.role].heading.en


def _grade(contribution: "Contribution") -> str:
    """Return how it is known, and for a confirmed one how it was known before."""
    before = f" ({contribution.found.value})" if contribution.found else ""
    return f"{contribution.grade.value}{before}"


def _actor(contribution: "Contribution") -> str:
    from haikei.credits import Person, printed_person, printed_system

    actor = contribution.actor
    if isinstance(actor, Person):
        name = printed_person(actor)
        both = name.en if name.ja == name.en else f"{name.en} {name.ja}"
        return f"{both or '(no name)'} ({actor.id})"
    return f"{printed_system(actor)} ({actor.licence or 'no licence told'})"


def _evidence(contribution: "Contribution") -> Iterable[str]:
    evidence = contribution.evidence
    yield evidence.source
    if evidence.sha256:
        yield f"SHA-256 {evidence.sha256[:12]}…"
    if evidence.change is not None:
        change = evidence.change
        spots = len(change.regions)
        regions = f"{spots} region{'s' * (spots != 1)}"
        yield f"measured: {change.area_ppm} ppm of the area in {regions}, {change.method}"
    if evidence.recall is not None:
        recall = evidence.recall
        yield (
            f"measured: {recall.observed_ppm} ppm of the layout's lines seen, "
            f"{recall.chance_ppm} ppm by "
            f"chance, {recall.method}"
        )
    if evidence.minutes is not None:
        yield f"{evidence.minutes} min, self-reported"
    if evidence.note:
        yield evidence.note


def _plain_version(version: "BackgroundVersion") -> dict[str, object]:
    return {
        "key": version.key,
        "code": version.code,
        "project": version.project,
        "episode": version.episode,
        "sequence": version.sequence,
        "shot": version.shot,
        "season": version.season,
        "time": version.time,
        "version": version.version,
        "state": version.state.value,
        "url": version.url,
        "images": [
            {"key": image.key, "sha256": image.sha256, "path": image.path, "ledger": seq}
            for image, seq in zip(version.images, version.ledger, strict=True)
        ],
    }


def _plain_facet(summary: "FacetSummary", version: "BackgroundVersion") -> dict[str, object]:
    from haikei.canonical import to_plain
    from haikei.credits import Person

    entries = dict(zip((image.key for image in version.images), version.ledger, strict=True))
    return {
        "facet": summary.facet.value,
        "state": summary.state.value,
        "en": summary.text.en,
        "ja": summary.text.ja,
        "grade": summary.grade.value if summary.grade else None,
        "parts": [
            {
                "role": part.contribution.role.value,
                "kind": "person" if isinstance(part.contribution.actor, Person) else "system",
                "actor": to_plain(part.contribution.actor),
                "grade": part.contribution.grade.value,
                "recorded_grade": part.contribution.sealed_grade.value,
                "evidence": to_plain(part.contribution.evidence),
                "at": part.contribution.at.isoformat(),
                "image": part.image.key,
                "ledger": entries[part.image.key],
            }
            for part in summary.parts
        ],
    }


def _plain_person(person: "Person", contributions: int) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "name_ja": person.name_ja,
        "opt_out": person.opt_out,
        "contributions": contributions,
    }
