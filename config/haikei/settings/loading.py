"""Read a settings file, apply the environment, and report every mistake at once."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from haikei.errors import SettingsError
from haikei.names import plain_name
from haikei.settings.credits import PersonEntry
from haikei.settings.mistakes import Mistake, from_validation, listed
from haikei.settings.naming import naming_rules
from haikei.settings.studio import Settings, WatchFolder
from haikei.settings.template import PathTemplate

FILE_VARIABLE = "HAIKEI_SETTINGS"
DEFAULT_FILE = "haikei.toml"
PREFIX = "HAIKEI_"
#: Variables with our prefix that are no settings: this file, and what `haikei.client` reads.
_OTHERS = frozenset({FILE_VARIABLE, "HAIKEI_URL", "HAIKEI_TOKEN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came out of a settings file."""

    path: Path
    settings: Settings | None  #: None when there are mistakes
    mistakes: tuple[Mistake, ...]
    from_environment: tuple[str, ...]  #: keys that the environment set


def settings_path(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the settings file: the one given, else $HAIKEI_SETTINGS, else ./haikei.toml."""
    return (given or Path(environ.get(FILE_VARIABLE, DEFAULT_FILE))).expanduser().absolute()


def read(
    path: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    built_in_recipes: Iterable[str] = (),
) -> Reading:
    """
    Read `path` and say all that is wrong with it.

    Relative paths in it are meant from its own folder. A variable `HAIKEI_WATCH__SETTLE=5`
    overrides `watch.settle`; its value is JSON where it can be, else text.

    Raises:
        SettingsError: there is no file, or it is no TOML.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no settings file {path}.", advice="Make one with `haikei config init`."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{path} is not valid TOML: {error}.", advice="Mend the line it names."
        ) from error
    mistakes: list[Mistake] = []
    if "key" in (tracker := data.get("tracker", {})) and isinstance(tracker, dict):
        mistakes.append(
            Mistake(
                key="tracker.key",
                found="a secret in the settings file",
                allowed="set HAIKEI_TRACKER__KEY, or tracker.key_file, and remove it here",
            )
        )
    overrides, unknown = _environment(environ)
    mistakes += unknown
    for keys, value in overrides.items():
        _put(data, keys, value)
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        mistakes += from_validation(error, Settings)
    else:
        mistakes += _from_meaning(settings, built_in_recipes)
    return Reading(
        path=path,
        settings=None if mistakes else settings,
        mistakes=tuple(mistakes),
        from_environment=tuple(".".join(keys) for keys in overrides),
    )


def load(
    path: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    built_in_recipes: Iterable[str] = (),
) -> Settings:
    """
    Return the validated settings in `path`.

    Raises:
        SettingsError: the file is missing or has mistakes; the message lists all of them.
    """
    reading = read(path, environ, built_in_recipes=built_in_recipes)
    if reading.settings is not None:
        return reading.settings
    count = len(reading.mistakes)
    lines = "\n".join(f"  {mistake}" for mistake in reading.mistakes)
    raise SettingsError(f"{path} has {count} mistake{'s' if count > 1 else ''}:\n{lines}")


def _from_meaning(settings: Settings, built_in_recipes: Iterable[str]) -> Iterator[Mistake]:
    """Yield mistakes that only show when settings are read together."""
    recipes = {*settings.recipes, *built_in_recipes}
    for index, route in enumerate(settings.routes):
        if recipes and route.recipe not in recipes:
            yield Mistake(
                key=f"routes[{index}].recipe",
                found=repr(route.recipe),
                allowed=f"known recipes are {listed(recipes)}",
            )
    for name, recipe in settings.recipes.items():
        for index, stage in enumerate(recipe.stages):
            if stage.model is not None and stage.model not in settings.models:
                yield Mistake(
                    key=f"recipes.{name}.stages[{index}].model",
                    found=repr(stage.model),
                    allowed=f"known models are {listed(settings.models) or 'none'}",
                )
    roots = [root.name for root in settings.storage.roots]
    for index, name in enumerate(roots):
        if name in roots[:index]:
            yield Mistake(
                key=f"storage.roots[{index}].name", found=repr(name), allowed="names must differ"
            )
    for index, folder in enumerate(settings.watch.folders):
        yield from _needs(f"watch.folders[{index}].template", folder.template, {"project", "shot"})
        yield from _naming(f"watch.folders[{index}].naming", folder)
    storage = settings.storage
    yield from _needs("storage.layout", storage.layout, {"project", "shot"})
    always = {"project", "shot", "season", "time", "version", "ext"}
    yield from _needs("storage.background", storage.background, always)
    yield from _needs("storage.stage", storage.stage, {*always, "stage"})
    yield from _blank_projects(settings)
    yield from _same_people(settings.people)
    for key, names in (
        ("engine.devices", [device.name for device in settings.engine.devices]),
        ("notifications.hooks", [hook.name for hook in settings.notifications.hooks]),
    ):
        if len(set(names)) < len(names):
            yield Mistake(key=key, found=listed(names), allowed="names must differ")


def _blank_projects(settings: Settings) -> Iterator[Mistake]:
    rules = [
        *(("policy.no_ai_projects", rule) for rule in settings.policy.no_ai_projects),
        *(("tracker.projects", name) for name in settings.tracker.projects),
        *((f"routes[{n}].project", one.project) for n, one in enumerate(settings.routes)),
        *(
            (f"credits.staff[{n}].project", one.project)
            for n, one in enumerate(settings.credits.staff)
        ),
    ]
    for key, rule in rules:
        if not plain_name(rule):
            yield Mistake(key=key, found=repr(rule), allowed="it fits no project: name one")


def _same_people(people: Sequence[PersonEntry]) -> Iterator[Mistake]:
    """Yield entries that mean the same person: which one is in force nobody could tell."""
    for index, entry in enumerate(people):
        for earlier, other in enumerate(people[:index]):
            told_apart = bool(entry.id and other.id)
            same = entry.id == other.id if told_apart else entry.plain_names() & other.plain_names()
            if same:
                yield Mistake(
                    key=f"people[{index}]",
                    found=repr(entry.name),
                    allowed=f"people[{earlier}] means the same person: keep one of them, or give "
                    "both their ids",
                )


def _needs(key: str, template: str, tokens: set[str]) -> Iterator[Mistake]:
    missing = tokens - PathTemplate(template).tokens
    if missing:
        wanted = ", ".join(f"{{{token}}}" for token in sorted(missing))
        yield Mistake(key=key, found=repr(template), allowed=f"it must also hold {wanted}")


def _environment(
    environ: Mapping[str, str],
) -> tuple[dict[tuple[str, ...], object], list[Mistake]]:
    overrides: dict[tuple[str, ...], object] = {}
    unknown: list[Mistake] = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in _OTHERS:
            continue
        keys = tuple(part.lower() for part in name.removeprefix(PREFIX).split("__"))
        if keys[0] not in Settings.model_fields:
            unknown.append(
                Mistake(
                    key=f"environment variable {name}",
                    found="a name that is no setting",
                    allowed=f"sections are {', '.join(Settings.model_fields)}",
                )
            )
            continue
        try:
            overrides[keys] = from_json(text)
        except ValueError:
            overrides[keys] = text
    return overrides, unknown


def _put(data: dict[str, Any], keys: tuple[str, ...], value: object) -> None:
    for key in keys[:-1]:
        inner = data.setdefault(key, {})
        if not isinstance(inner, dict):
            data[key] = inner = {}
        data = inner
    data[keys[-1]] = value


def _naming(key: str, folder: WatchFolder) -> Iterator[Mistake]:
    if not folder.naming:
        return
    if "template" in folder.model_fields_set:
        yield Mistake(
            key=key, found=repr(folder.naming), allowed="give a template or a rule, not both"
        )
    if folder.naming not in (known := naming_rules()):
        yield Mistake(
            key=key,
            found=repr(folder.naming),
            allowed=f"installed naming rules are {listed(known) or 'none'}",
        )
