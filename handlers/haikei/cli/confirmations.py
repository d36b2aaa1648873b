"""`haikei credits ask-confirmation` and what belongs to it: people confirm their own credits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, print_table, say, warn
from haikei.cli.startup import SettingsOption, load_settings, open_studio

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from haikei.credits import Person
    from haikei.credits.records import OpenCorrection, Standing
    from haikei.settings import Settings

ShowOption = Annotated[str, typer.Option("--project", help="The show, by its name in paths.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")]


class Way(StrEnum):
    """How a link reaches a person."""

    MAIL = "mail"
    NOTE = "note"
    PRINT = "print"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    person: "Person"
    url: str = ""
    problem: str = ""


def ask_confirmation(
    project: ShowOption,
    person: Annotated[
        list[str] | None,
        typer.Option(help="Only this person, by id, whatever they were asked before. Repeatable."),
    ] = None,
    by: Annotated[
        Way, typer.Option(help="Mail, a Note in the tracker, or print here.")
    ] = Way.PRINT,
    settings: SettingsOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Send people a link to what they are credited for, to confirm or correct it.

    Everyone who has not confirmed and has no open link is asked. A new link ends the one before.
    """
    from haikei.database import reading, utc_now
    from haikei.notify.notifier import check_mail
    from haikei.web.address import address, is_open

    loaded = load_settings(settings)
    if by is Way.MAIL:
        check_mail(loaded)
    with open_studio(loaded) as database:
        with reading(database) as connection:
            project = _show(connection, project)
            wanted = _wanted(connection, project, person or ())
        if dry_run:
            asked = [_Asked(person=one) for one in wanted]
        else:
            asked = [_ask(loaded, database, one, project, by) for one in wanted]
    until = utc_now() + timedelta(days=loaded.credits.confirm_days)
    if as_json:
        shown = [_plain_asked(one, by) for one in asked]
        print_json(
            {"project": project, "by": by, "dry_run": dry_run, "until": until, "asked": shown}
        )
    else:
        for one in asked:
            _say_asked(one, by, dry_run=dry_run)
        done = sum(not one.problem for one in asked)
        were = "would be" if dry_run else "were"
        say(f"{done} people {were} asked; answers until {until:%Y-%m-%d}.")
    if is_open(loaded.web) and asked:
        warn(
            f"These links open on this machine only ({address(loaded)}): set web.url.",
            colour="yellow",
        )
    if any(one.problem for one in asked):
        raise typer.Exit(Exit.FAILED)


def revoke_confirmation(
    project: ShowOption,
    person: Annotated[str, typer.Option(help="The person, by id.")],
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take back a link that was sent to a person and is not answered."""
    from haikei.credits import people
    from haikei.database import utc_now

    with open_studio(load_settings(settings)) as database, database.begin() as connection:
        project = _show(connection, project)
        ended = people.revoke(connection, person=person, project=project, at=utc_now())
    if as_json:
        print_json({"project": project, "person": person, "ended": ended})
    else:
        say(f"{ended} open links of {person} on {project} were taken back.")


def confirmations(
    project: ShowOption, settings: SettingsOption = None, *, as_json: JsonOption = False
) -> None:
    """List who has confirmed their credits on a show, who has not, and what they say is wrong."""
    from haikei.credits import records
    from haikei.database import reading, utc_now

    with open_studio(load_settings(settings)) as database, reading(database) as connection:
        project = _show(connection, project)
        found = records.standings(connection, project)
        wrong = records.open_corrections(connection, project)
    now = utc_now()
    if as_json:
        print_json(
            {
                "project": project,
                "people": [
                    {
                        "id": one.person.id,
                        "name": one.person.name,
                        "name_ja": one.person.name_ja,
                        "credited": one.credited,
                        "confirmed": one.confirmed,
                        "done": one.is_done,
                        "link": None if one.question is None else one.question.state(now).value,
                        "asked_at": one.question and one.question.asked_at,
                    }
                    for one in found
                ],
                "corrections": [_plain_correction(one) for one in wrong],
            }
        )
        return
    print_table(
        ("id", "name", "credited", "confirmed", "link"),
        [
            (one.person.id, _named(one.person), one.credited, one.confirmed, _link(one))
            for one in found
        ],
    )
    done = sum(one.is_done for one in found)
    say(f"{done} of {len(found)} people have confirmed all that they are credited for.")
    for one in wrong:
        text = " ".join(one.statement.text.split())
        say()
        say(
            f"entry {one.entry}: {one.what.value} by {one.statement.by.id}: {text}", colour="yellow"
        )
        for command in _commands(one):
            say(f"  {command}")


def resolve_correction(
    entry: Annotated[int, typer.Argument(help="The correction's ledger entry.")],
    project: ShowOption,
    by: Annotated[str, typer.Option(help="Who decides for the production: an id or a name.")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")],
    version: Annotated[str, typer.Option(help="`also`: the Version whose picture it is.")] = "",
    role: Annotated[str, typer.Option(help="`also`: their role in it, such as touch_up.")] = "",
    instead: Annotated[str, typer.Option(help="`not_me`: whom to credit, an id or a name.")] = "",
    settings: SettingsOption = None,
    *,
    accept: Annotated[bool, typer.Option("--accept/--decline", help="Whether it is so.")],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decide about what somebody says is wrong with their credits, and apply it."""
    with (
        open_studio(load_settings(settings)) as database,
        database.connect() as connection,
        connection.begin() as transaction,
    ):
        sealed = _resolve(
            connection,
            _show(connection, project),
            entry,
            accept,
            (by, reason),
            (version, role, instead),
        )
        if dry_run:
            transaction.rollback()
    if as_json:
        print_json({"entry": entry, "accepted": accept, "dry_run": dry_run, "ledger": sealed})
        return
    word = "accepted" if accept else "declined"
    say(f"Entry {entry} {'would be' if dry_run else 'is'} {word}; sealed as {sealed}.")
    say("`haikei credits recompute` writes credits to the tracker.")


def _wanted(connection: "Connection", project: str, ids: Sequence[str]) -> "list[Person]":
    """Return whom to ask: those who are named here, or all who have not confirmed."""
    from haikei.credits import records
    from haikei.credits.people import LinkState
    from haikei.database import utc_now
    from haikei.errors import CreditError

    standing = {one.person.id: one for one in records.standings(connection, project)}
    if unknown := [one for one in ids if one not in standing]:
        raise CreditError(
            f"Not credited on {project}: {', '.join(unknown)}.",
            advice="`haikei credits confirmations --project …` lists everyone, by id.",
        )
    if ids:
        return [standing[one].person for one in dict.fromkeys(ids)]
    now = utc_now()
    return [
        one.person
        for one in standing.values()
        if not one.is_done
        and (one.question is None or one.question.state(now) is not LinkState.OPEN)
    ]


def _show(connection: "Connection", project: str) -> str:
    """Return a show as its records spell it; one without records is an error."""
    from haikei.credits import records
    from haikei.errors import CreditError
    from haikei.names import nearest_names, same_name

    known = records.projects(connection)
    found = [one for one in known if same_name(one, project)]
    if found:
        return project if project in found else found[0]
    near = nearest_names(project, known)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    raise CreditError(
        f"Nothing is recorded for {project}.",
        advice=f"{meant}Projects with records: {', '.join(known) or 'none'}.",
    )


def _ask(
    settings: "Settings", database: "Engine", person: "Person", project: str, by: Way
) -> _Asked:
    from haikei.credits import people
    from haikei.database import utc_now
    from haikei.errors import HaikeiError
    from haikei.web.address import address, to_confirmation

    key = people.confirmation_key(settings.work_folder)
    now = utc_now()
    with database.begin() as connection:
        asked = people.ask(
            connection,
            person=person.id,
            project=project,
            way=by.value,
            at=now,
            until=now + timedelta(days=settings.credits.confirm_days),
        )
    url = address(settings) + to_confirmation(people.link_token(key, asked))
    try:
        _send(settings, database, person, project, by, url, f"{asked.expires_at:%Y-%m-%d}")
    except HaikeiError as error:
        with database.begin() as connection:
            people.revoke(connection, person=person.id, project=project, at=utc_now())
        return _Asked(person=person, problem=f"{error.message} {error.advice}".strip())
    return _Asked(person=person, url=url)


def _send(
    settings: "Settings",
    database: "Engine",
    person: "Person",
    project: str,
    by: Way,
    url: str,
    until: str,
) -> None:
    from haikei.credits import records
    from haikei.database import reading
    from haikei.errors import SettingsError
    from haikei.notify.notifier import entry_of_person, mail_link, note_link
    from haikei.trackers import load_tracker

    if by is Way.MAIL:
        entry = entry_of_person(settings, person)
        if entry is None or not entry.mail:
            raise SettingsError(
                f"No mail address of {person.id} is known.",
                advice="Set `mail` in their entry of [[people]].",
            )
        mail_link(settings, entry.mail, show=project, url=url, until=until)
    elif by is Way.NOTE:
        with reading(database) as connection:
            versions = records.tracker_versions(connection, project, person.id)
        tracker = load_tracker(settings)
        try:
            note_link(
                tracker, settings, person, versions=versions, show=project, url=url, until=until
            )
        finally:
            tracker.close()


def _resolve(
    connection: "Connection",
    project: str,
    entry: int,
    accept: bool,  # noqa: FBT001 - a helper of one command
    decision: tuple[str, str],
    details: tuple[str, str, str],
) -> list[int]:
    from haikei.cli.startup import find_person, find_version
    from haikei.credits import Role, records
    from haikei.credits.records import Correction
    from haikei.database import utc_now
    from haikei.errors import CreditError

    (by, reason), (version, role, instead) = decision, details
    found = {one.entry: one for one in records.open_corrections(connection, project)}
    if entry not in found:
        raise CreditError(
            f"Entry {entry} is no open correction of {project}.",
            advice="`haikei credits confirmations --project …` lists those that are.",
        )
    one, now = found[entry], utc_now()
    is_also, is_denial = one.what is Correction.ALSO, one.what is Correction.NOT_ME
    for given, fits, name in (
        (version, is_also, "--version"),
        (role, is_also, "--role"),
        (instead, is_denial, "--instead"),
    ):
        if given and not (fits and accept):
            raise CreditError(f"{name} says nothing about entry {entry}.", advice="Leave it out.")
    if accept and is_also and not (version and role):
        raise CreditError(
            f"Entry {entry} says in words what else they did.",
            advice="Say which it is: --version CODE --role ROLE.",
        )
    if role and role not in set(Role):
        known = ", ".join(one.value for one in Role if not one.is_tool)
        raise CreditError(f"There is no role {role!r}.", advice=f"Roles: {known}.")
    decider = find_person(connection, by)
    sealed = [
        records.decide_correction(connection, one, accept=accept, by=decider, reason=reason, at=now)
    ]
    source = f"ledger entry {entry}, accepted in entry {sealed[0]}"
    if version:
        sealed.append(
            records.credit_person(
                connection,
                image_key=find_version(connection, version).final.key,
                role=Role(role),
                person=one.statement.by,
                source=source,
                at=now,
            )
        )
    if instead:
        statement = one.statement
        sealed += [
            records.credit_person(
                connection,
                image_key=key,
                role=Role(statement.subject),
                person=find_person(connection, instead),
                source=source,
                at=now,
            )
            for key in records.image_keys(connection, statement.image_sha256)
        ]
    return sealed


def _commands(one: "OpenCorrection") -> Iterator[str]:
    from haikei.credits.records import Correction

    statement = one.statement
    resolve = (
        f"haikei credits resolve-correction {one.entry} --project {_quoted(statement.project)}"
    )
    more = " --by WHO --reason WHY"
    match one.what:
        case Correction.NAME:
            ja = f" --ja {_quoted(one.name_ja)}" if one.name_ja else ""
            yield f"haikei credits rename {statement.by.id} --name {_quoted(one.name)}{ja}"
        case Correction.WITHHOLD:
            yield f"haikei credits opt-out {statement.by.id} --reference 'ledger entry {one.entry}'"
        case Correction.NOT_ME:
            yield f"{resolve} --accept{more} [--instead WHO]"
        case Correction.ALSO:
            yield f"{resolve} --accept --version CODE --role ROLE{more}"
    yield f"{resolve} --decline{more}"


def _quoted(text: str) -> str:
    from shlex import quote

    return quote(text)


def _link(one: "Standing") -> str:
    from haikei.database import utc_now

    if one.question is None:
        return "not asked"
    return f"{one.question.state(utc_now()).value}, asked {one.question.asked_at:%Y-%m-%d}"


def _named(person: "Person") -> str:
    return " ".join(filter(None, (person.name, person.name_ja))) or "(no name)"


def _say_asked(one: _Asked, by: Way, *, dry_run: bool) -> None:
    if one.problem:
        warn(f"not asked: {one.person.id}: {one.problem}", colour="red")
    elif by is Way.PRINT and not dry_run:
        say(f"{one.person.id}  {_named(one.person)}")
        say(f"  {one.url}")
    else:
        say(f"{one.person.id}  {_named(one.person)}  by {by.value}")


def _plain_asked(one: _Asked, by: Way) -> dict[str, object]:
    # A link that went to somebody else's letter box is in nobody's logs.
    link = {"link": one.url} if by is Way.PRINT else {}
    return {"person": one.person.id, "problem": one.problem or None, **link}


def _plain_correction(one: "OpenCorrection") -> dict[str, object]:
    return {
        "entry": one.entry,
        "what": one.what.value,
        "person": one.statement.by.id,
        "image_sha256": one.statement.image_sha256 or None,
        "role": one.statement.subject if one.statement.image_sha256 else None,
        "shot": one.statement.shot or None,
        "text": one.statement.text,
        "name": one.name or None,
        "name_ja": one.name_ja or None,
        "at": one.statement.at,
        "commands": list(_commands(one)),
    }
