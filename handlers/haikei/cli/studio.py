"""What every command that works for a studio begins with: settings, log and database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from haikei.settings import Settings

SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        "-s",
        help="The studio's settings file; else $HAIKEI_SETTINGS, else ./haikei.toml.",
        show_default=False,
    ),
]


def load_settings(path: Path | None) -> "Settings":
    """
    Return the studio's settings.

    Raises:
        SettingsError: the file is missing or has mistakes.
    """
    from haikei.presets import RECIPES
    from haikei.settings import load, settings_path

    return load(settings_path(path), built_in_recipes=RECIPES)


def open_studio(settings: "Settings") -> "Engine":
    """
    Return the studio's database, at its present schema.

    Raises:
        StateError: it cannot be used.
    """
    from haikei.database import open_database

    return open_database(f"sqlite:///{settings.studio.state / 'haikei.db'}")
