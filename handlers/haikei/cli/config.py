"""`haikei config`: check, show and begin a settings file."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, print_table, say
from haikei.cli.startup import SettingsOption

app = typer.Typer(help="Check, show, begin or explain the settings file.", no_args_is_help=True)


@app.command()
def check(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Say everything that is wrong with the settings."""
    from haikei.presets import RECIPES
    from haikei.settings import read, settings_path

    reading = read(settings_path(settings), built_in_recipes=RECIPES)
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
