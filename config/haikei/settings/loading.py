"""Read a settings file, apply the environment, and report every mistake at once."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from haikei.errors import SettingsError
from haikei.settings.studio import Settings

FILE_VARIABLE = "HAIKEI_SETTINGS"
DEFAULT_FILE = "haikei.toml"


def settings_path(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the settings file: the one given, else $HAIKEI_SETTINGS, else ./haikei.toml."""
    return (given or Path(environ.get(FILE_VARIABLE, DEFAULT_FILE))).absolute()


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """
    Return the validated settings in `path`.

    Raises:
        SettingsError: the file is missing or has mistakes; the message lists all of them.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no settings file {path}.", advice="Make one with `haikei config init`."
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(f"{path}: {error}") from error
