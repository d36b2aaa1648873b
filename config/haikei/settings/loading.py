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
from haikei.settings.naming import PathTemplate, naming_rules
from haikei.settings.people_file import read_people
from haikei.settings.section import Mistake, from_validation, listed
from haikei.settings.sections import PersonEntry
from haikei.settings.show_names import ShowNames, show_mistakes
from haikei.settings.studio import Settings, WatchFolder

FILE_VARIABLE = "HAIKEI_SETTINGS"
DEFAULT_FILE = "haikei.toml"
PREFIX = "HAIKEI_"
#: What a path says of a place, and what is known wherever a background's path is written.
PLACE = frozenset({"project", "episode", "sequence", "shot"})
_ALWAYS = frozenset({"project", "shot", "season", "time", "version", "ext"})
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
    listed_people: Mapping[int, str] = {}
    try:
        settings = Settings.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        mistakes += from_validation(error, Settings)
    else:
        file = settings.credits.people_file
        if file is not None:
            people, wrong = read_people(file)
            mistakes += wrong
            first = len(settings.people)
            listed_people = {first + n: one.key for n, one in enumerate(people)}
            settings = settings.model_copy(
                update={"people": (*settings.people, *(one.entry for one in people))}
            )
        mistakes += _from_meaning(settings, built_in_recipes, listed_people)
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


def _from_meaning(
    settings: Settings, built_in_recipes: Iterable[str], listed_people: Mapping[int, str]
) -> Iterator[Mistake]:
    """Yield mistakes that only show when settings are read together."""
    yield from _recipes(settings, built_in_recipes)
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
    for key, template, more in written_templates(settings):
        yield from _needs(key, template, {*_ALWAYS, *more})
        yield from _unknown_here(key, template, {*PLACE, *_ALWAYS, *more})
    yield from _no_episodes(settings)
    yield from show_mistakes(settings.shows, _given(settings))
    yield from _blank_projects(settings)
    yield from _same_people(settings.people, listed_people)
    for key, names in (
        ("engine.devices", [device.name for device in settings.engine.devices]),
        ("notifications.hooks", [hook.name for hook in settings.notifications.hooks]),
    ):
        if len(set(names)) < len(names):
            yield Mistake(key=key, found=listed(names), allowed="names must differ")


def _recipes(settings: Settings, built_in_recipes: Iterable[str]) -> Iterator[Mistake]:
    """Yield names of recipes and models that nothing is called."""
    known = {*settings.recipes, *built_in_recipes}
    named = [
        *((f"routes[{index}].recipe", one.recipe) for index, one in enumerate(settings.routes)),
        *((f"looks[{index}].recipe", one.recipe) for index, one in enumerate(settings.looks)),
        *((f"recipes.{name}.extends", one.extends) for name, one in settings.recipes.items()),
    ]
    for key, recipe in named:
        if known and recipe and recipe not in known:
            yield Mistake(key=key, found=repr(recipe), allowed=f"known recipes are {listed(known)}")
    models = [
        *((f"recipes.{name}.model", one.model) for name, one in settings.recipes.items()),
        *(
            (f"recipes.{name}.stages[{index}].model", stage.model)
            for name, one in settings.recipes.items()
            for index, stage in enumerate(one.stages)
        ),
    ]
    for key, model in models:
        if model is not None and model not in settings.models:
            yield Mistake(
                key=key,
                found=repr(model),
                allowed=f"known models are {listed(settings.models) or 'none'}",
            )


def _blank_projects(settings: Settings) -> Iterator[Mistake]:
    rules = [
        *(("policy.no_ai_projects", rule) for rule in settings.policy.no_ai_projects),
        *(("policy.no_ai_layouts", rule) for rule in settings.policy.no_ai_layouts),
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


def _same_people(
    people: Sequence[PersonEntry], listed_people: Mapping[int, str]
) -> Iterator[Mistake]:
    """Yield entries that mean the same person: which one is in force nobody could tell."""

    def key(index: int) -> str:
        return listed_people.get(index, f"people[{index}]")

    for index, entry in enumerate(people):
        for earlier, other in enumerate(people[:index]):
            have_ids = bool(entry.id and other.id)
            same = entry.id == other.id if have_ids else entry.plain_names() & other.plain_names()
            if same:
                yield Mistake(
                    key=key(index),
                    found=repr(entry.name),
                    allowed=f"{key(earlier)} means the same person: keep one of them, or give "
                    "both their ids",
                )


def written_templates(settings: Settings) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield key, text and own tokens of each template at which files are written."""
    storage = settings.storage
    yield "storage.background", storage.background, frozenset()
    yield "storage.stage", storage.stage, frozenset({"stage"})
    yield "storage.touch_up", storage.touch_up, frozenset()


def _unknown_here(key: str, template: str, known: set[str]) -> Iterator[Mistake]:
    for token in sorted(PathTemplate(template).tokens - known):
        yield Mistake(
            key=key,
            found=repr(template),
            allowed=f"{{{token}}} is not known where this is written; it may hold "
            f"{', '.join(f'{{{one}}}' for one in sorted(known))}",
        )


def _given(settings: Settings) -> frozenset[str] | None:
    """Return what templates read from paths; None where a rule of the studio's own reads some."""
    if any(folder.naming for folder in settings.watch.folders):
        return None
    read = (settings.storage.layout, *(folder.template for folder in settings.watch.folders))
    return frozenset[str]().union(*(PathTemplate(text).tokens for text in read))


def _no_episodes(settings: Settings) -> Iterator[Mistake]:
    """Yield sources of layouts that cannot say which episode a path needs that is written."""
    needing = [
        key
        for key, template, _ in written_templates(settings)
        if "episode" in PathTemplate(template).required
    ]
    if not needing or settings.tracker.episode_field:
        return
    sources = [
        (f"watch.folders[{index}].template", folder.template)
        for index, folder in enumerate(settings.watch.folders)
        if not folder.naming
    ]
    if settings.events.enabled:
        sources.append(("storage.layout", settings.storage.layout))
    for key, template in sources:
        tokens = PathTemplate(template).tokens
        if "episode" in tokens or any(_tells_episode(show, tokens) for show in settings.shows):
            continue
        yield Mistake(
            key=key,
            found=repr(template),
            allowed=f"{' and '.join(needing)} need {{episode}}, which neither this template gives "
            "nor the tracker: put {episode} into it, set tracker.episode_field, or write "
            f"[{{episode}}/] in {needing[0]}",
        )


def _tells_episode(show: ShowNames, tokens: frozenset[str]) -> bool:
    """Tell whether a code of the tracker says the episode, so that a path need not."""
    codes = (show.sequence_code, show.shot_code)
    return "episode" not in tokens and any("episode" in PathTemplate(c).tokens for c in codes)


def _needs(key: str, template: str, tokens: set[str]) -> Iterator[Mistake]:
    missing = tokens - PathTemplate(template).required
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
