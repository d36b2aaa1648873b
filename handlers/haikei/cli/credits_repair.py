"""`haikei credits recompute`, where a name still lies, and statements as they are listed."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, say
from haikei.cli.startup import SettingsOption, load_settings, open_studio

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from haikei.credits import Person, Scope, Statement
    from haikei.credits.people import Erased
    from haikei.jobs.recomputing import Recomputed
    from haikei.settings import Settings
    from haikei.show import Place

_LISTED = 50


def recompute(
    project: Annotated[str, typer.Option(help="The show: its name in paths, its title or its id.")],
    episode: Annotated[str, typer.Option(help="Only this episode.")] = "",
    sequence: Annotated[str, typer.Option(help="Only this sequence.")] = "",
    shot: Annotated[str, typer.Option(help="Only this shot.")] = "",
    settings: SettingsOption = None,
    *,
    names_from_tracker: Annotated[
        bool,
        typer.Option(
            "--names-from-tracker", help="First take over the names that the tracker has today."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be written.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compute all credits of a show anew from its lineage and write them to the tracker."""
    from haikei.cli.name_check import recorded_scope
    from haikei.credits import Scope
    from haikei.database import reading
    from haikei.jobs.recomputing import answers_in_tracker, take_answer
    from haikei.jobs.recomputing import recompute as put_right
    from haikei.trackers import Part, load_tracker, needed

    loaded = load_settings(settings)
    with closing(load_tracker(loaded)) as tracker, open_studio(loaded) as database:
        desk = needed(tracker.parts.credits, tracker, Part.CREDITS)
        with reading(database) as connection:
            scope = recorded_scope(
                connection,
                loaded,
                Scope(project=project, episode=episode, sequence=sequence, shot=shot, latest=False),
            )

        def tell(so_far: "Recomputed") -> None:
            if not as_json:
                typer.echo(f"{so_far.versions} of {so_far.total} versions", err=True)

        named = tuple(answers_in_tracker(database, tracker, loaded, scope))
        for answer in () if dry_run else named:
            with database.begin() as connection:
                take_answer(connection, answer, loaded.people)
        done = put_right(
            database,
            desk,
            scope,
            dry_run=dry_run,
            names_from_tracker=names_from_tracker,
            entries=loaded.people,
            tell=tell,
        )
        if not done.total:
            raise typer.BadParameter(_nothing_there(database, scope), param_hint="--project")
    layouts_named = [(one.version.code, one.artist, one.source) for one in named]
    if as_json:
        layouts = [
            {"code": code, "artist": who.id, "source": at} for code, who, at in layouts_named
        ]
        print_json({**_plain(done, dry_run=dry_run), "named": layouts})
    else:
        for code, who, at in layouts_named:
            say(f"{code}: the tracker names {_name(who)} ({who.id}, {at}) for its layout")
        _print(done, dry_run=dry_run)
    if done.refused:
        raise typer.Exit(Exit.FAILED)


def _nothing_there(database: "Engine", scope: "Scope") -> str:
    from haikei.credits import records
    from haikei.database import reading
    from haikei.names import nearest_names

    with reading(database) as connection:
        known = records.projects(connection)
    near = nearest_names(scope.project, known)
    meant = f", did you mean {near[0]}?" if near and scope.project not in known else ""
    listed = ", ".join(known) or "none"
    return f"nothing is recorded for {scope.name}{meant or ';'} projects with records: {listed}"


def _print(done: "Recomputed", *, dry_run: bool) -> None:
    for one in done.renamed:
        say(f"{one.before.id}: {_name(one.before)} is now {_name(one.after)}")
    for refused in done.refused[:_LISTED]:
        say(f"refused {refused.code}: {refused.reason}", colour="red")
    if len(done.refused) > _LISTED:
        say(f"refused: {len(done.refused) - _LISTED} more; --json lists all", colour="red")
    for code in done.unknown[:_LISTED]:
        say(f"not in the tracker any more, or not ours: {code}", colour="yellow")
    if len(done.unknown) > _LISTED:
        say(f"not in the tracker: {len(done.unknown) - _LISTED} more", colour="yellow")
    if done.unpublished:
        say(f"{done.unpublished} versions are not in the tracker yet")
    rows = "rows would change" if dry_run else "rows changed"
    say(f"{done.versions} versions: {done.changed} {rows}, {len(done.refused)} refused")
    say(
        "These are the tracker's. Published files keep the marks and names they were made with; "
        "`haikei verify FILE` says who was recorded since."
    )


def _name(person: "Person") -> str:
    return " ".join(filter(None, (person.name, person.name_ja))) or "without a name"


def _plain(done: "Recomputed", *, dry_run: bool) -> Mapping[str, object]:
    return {
        "dry_run": dry_run,
        "versions": done.versions,
        "changed": done.changed,
        "unpublished": done.unpublished,
        "unknown": list(done.unknown),
        "refused": [
            {"code": one.code, "key": one.key, "reason": one.reason} for one in done.refused
        ],
        "renamed": [
            {
                "id": one.before.id,
                "before": {"name": one.before.name, "name_ja": one.before.name_ja},
                "after": {"name": one.after.name, "name_ja": one.after.name_ja},
            }
            for one in done.renamed
        ],
    }


def put_right_in_tracker(loaded: "Settings", place: "Place") -> int:
    """Write a cut's credits to the tracker anew; return how many rows changed."""
    from haikei.credits import Scope
    from haikei.jobs.recomputing import recompute as put_right
    from haikei.trackers import load_tracker

    with open_studio(loaded) as database, closing(load_tracker(loaded)) as tracker:
        if tracker.parts.credits is None:
            return 0
        scope = Scope.of(place)
        return put_right(database, tracker.parts.credits, scope).changed


def tell_what_is_left(settings: "Settings", erased: "Erased") -> None:
    """
    Take a name out of the job engine's database, and say where Haikei cannot take it away.

    Raises:
        StateError: the job engine's database cannot be used.
    """
    from haikei.jobs.engine.port import load_engine

    _warn(
        "Files are called by the name. Rename them, then erase once more with --name:", erased.paths
    )
    left = load_engine(settings.engine.kind).forget_names(settings.database_url, erased.names)
    if left.deleted:
        say(f"The job engine forgot {left.deleted} ended tasks that held the name.")
    _warn(
        "Tasks that wait or run hold the name. Let these jobs end, or stop each of them by "
        "`haikei jobs cancel`; then erase once more with --name:",
        left.running,
    )
    if not left.dropped:
        _warn(
            "The job engine's database may hold deleted rows while workers use it: stop Haikei and "
            "erase once more."
        )
    _warn(
        "Folders of jobs hold the name until their jobs are done; those of jobs that ended badly "
        "go soon after `haikei jobs skip`:",
        map(str, _files_with(settings.work_folder / "jobs", erased.names)),
    )


def _warn(text: str, items: Iterable[str] | None = None) -> None:
    lines = None if items is None else [f"  {item}" for item in items]
    if lines is None or lines:
        say("\n".join([text, *(lines or ())]), colour="yellow")


def _files_with(folder: Path, names: Iterable[str]) -> list[Path]:
    wanted = [name.encode() for name in names]
    return [
        path
        for path in sorted(folder.glob("*/*.json"))
        if any(name in path.read_bytes() for name in wanted)
    ]


def plain_statement(statement: "Statement", seq: int | None) -> dict[str, object]:
    """Return a statement as JSON, with its entry in the ledger."""
    from haikei.canonical import to_plain

    plain = to_plain(statement)
    return {**(plain if isinstance(plain, dict) else {}), "ledger": seq}


def statement_row(statement: "Statement", seq: int | None) -> tuple[object, ...]:
    """Return a statement as a line of a table."""
    from haikei.credits import printed_person

    where = (
        "/".join(part for part in (statement.episode, statement.sequence, statement.shot) if part)
        or "whole show"
    )
    says = " ".join(part for part in (statement.subject, statement.answer, statement.text) if part)
    return (
        "" if seq is None else seq,
        f"{statement.at:%Y-%m-%d}",
        statement.kind.value,
        f"image {statement.image_sha256[:12]}" if statement.image_sha256 else where,
        printed_person(statement.by).en,
        statement.to,
        says,
        statement.reference,
    )
