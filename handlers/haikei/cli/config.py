"""`haikei config`: check, show and begin a settings file."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, print_table, say
from haikei.cli.startup import SettingsOption

if TYPE_CHECKING:
    from haikei.sources.watch import TriedPath

app = typer.Typer(
    help="Check, try, show, begin or explain the settings file.", no_args_is_help=True
)


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="The settings file; by default as for all commands.")
    ] = None,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say everything that is wrong with the settings."""
    from haikei.presets import RECIPES
    from haikei.settings import read, settings_path

    if file is not None and settings is not None:
        raise typer.BadParameter(f"{file} and --settings {settings}: name one of them")
    reading = read(settings_path(file or settings), built_in_recipes=RECIPES)
    if as_json:
        print_json(
            {
                "file": reading.path,
                "ok": not reading.mistakes,
                "mistakes": [
                    {"key": one.key, "found": one.found, "allowed": one.allowed}
                    for one in reading.mistakes
                ],
            }
        )
    elif reading.mistakes:
        say(f"{reading.path} has {len(reading.mistakes)} mistake(s):", colour="red")
        for mistake in reading.mistakes:
            say(f"  {mistake}")
    else:
        say(f"{reading.path} is right.", colour="green")
    if reading.mistakes:
        raise typer.Exit(Exit.SETTINGS)


@app.command("try")
def try_paths(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files, which need not be there.")
    ],
    settings: SettingsOption = None,
    *,
    ask_tracker: Annotated[
        bool, typer.Option("--tracker", help="Also look for the show and shot in the tracker.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what each path would become: show, shot, version, stream, and where files would go."""
    from haikei.cli.startup import load_settings
    from haikei.sources.watch import try_path
    from haikei.trackers import load_tracker

    loaded = load_settings(settings)
    tracker = load_tracker(loaded) if ask_tracker else None
    try:
        tried = [try_path(path.expanduser().absolute(), loaded, tracker) for path in paths]
    finally:
        if tracker is not None:
            tracker.close()
    ok = all(one.taken for one in tried)
    if as_json:
        print_json({"ok": ok, "paths": [_tried_row(one) for one in tried]})
    else:
        for one in tried:
            _say_tried(one)
    if not ok:
        raise typer.Exit(Exit.FAILED)


def _say_tried(tried: "TriedPath") -> None:
    say(str(tried.path), colour=None if tried.taken else "red")
    if not tried.taken:
        say(f"  not taken: {tried.reason}")
        if tried.advice:
            say(f"  {tried.advice}", colour="yellow")
    fields = {
        name: value for name, value in _place_fields(tried).items() if value not in {None, ""}
    }
    if fields:
        what = tried.kind.replace("_", "-") or "path"
        say(f"  {what}: {', '.join(f'{name} {value}' for name, value in fields.items())}")
    for one in tried.writes:
        say(f"  {one.what} {one.season}_{one.time}: {one.path}")
    if tried.note:
        say(f"  {tried.note}")


def _place_fields(tried: "TriedPath") -> dict[str, str | int | None]:
    place = tried.place
    return {
        "show": place.project if place else "",
        "episode": place.episode if place else "",
        "sequence": place.sequence if place else "",
        "shot": place.shot if place else "",
        "version": tried.version,
        "stream": tried.stream,
        "season": tried.season,
        "time": tried.time,
        "artist": tried.artist,
    }


def _tried_row(tried: "TriedPath") -> dict[str, object]:
    return {
        "path": tried.path,
        "taken": tried.taken,
        "as": tried.kind,
        "reason": tried.reason,
        "advice": tried.advice,
        **_place_fields(tried),
        "note": tried.note,
        "writes": [
            {"what": one.what, "season": one.season, "time": one.time, "path": one.path}
            for one in tried.writes
        ],
    }


@app.command()
def show(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Show every setting as it is in force, and where it comes from. Secrets are not shown."""
    from haikei.cli.startup import load_settings
    from haikei.presets import RECIPES
    from haikei.settings import read, settings_path

    loaded = load_settings(settings)
    reading = read(settings_path(settings), built_in_recipes=RECIPES)
    plain = json.loads(loaded.model_dump_json())
    if as_json:
        print_json(plain)
        return
    given = json.loads(loaded.model_dump_json(exclude_unset=True))
    in_file = {key for key, _ in _flat(given)}
    rows: list[tuple[str, str, str]] = []
    for key, value in _flat(plain):
        origin = "default"
        if key in reading.from_environment:
            origin = "environment"
        elif key in in_file:
            origin = "file"
        rows.append((key, json.dumps(value, ensure_ascii=False), origin))
    print_table(("setting", "value", "from"), rows)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("haikei.toml"),
    *,
    projects: Annotated[
        Path, typer.Option(help="The folder that holds the shows, and into which layouts land.")
    ] = Path("projects"),
    as_json: JsonOption = False,
) -> None:
    """Write a settings file with every setting in it, explained. An existing file is kept."""
    from haikei.errors import SettingsError
    from haikei.settings import starter

    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise SettingsError(
            f"{file} stands already.", advice="Remove it, or name another."
        ) from error
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error}.") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(starter(projects=str(projects)))
    if as_json:
        print_json({"file": file})
        return
    say(f"Wrote {file}. Next: set the tracker's address in it, then `haikei doctor`.")


@app.command()
def reference() -> None:
    """Print what every setting means, as Markdown."""
    from haikei.settings import reference as settings_reference

    typer.echo(settings_reference(), nl=False)


def _flat(value: object, key: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict) and value:
        return [
            pair
            for name, item in value.items()
            for pair in _flat(item, f"{key}.{name}" if key else str(name))
        ]
    return [(key, value)]
