"""Say what is wrong with a settings file, key by key, so that one reading mends all of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from haikei.settings.naming import naming_rules
from haikei.settings.studio import Settings, WatchFolder
from haikei.settings.template import PathTemplate

_LONGEST_FOUND = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One wrong setting."""

    key: str  #: such as `watch.folders[0].path`
    found: str  #: what stands there, as it was written; empty when nothing does
    allowed: str  #: what may stand there, or what to do

    def __str__(self) -> str:
        found = f"found {self.found}; " if self.found else ""
        return f"{self.key}: {found}{self.allowed}"


def from_validation(error: ValidationError) -> Iterator[Mistake]:
    """Yield one mistake for each thing that validation found."""
    for detail in error.errors(include_url=False):
        yield _mistake(detail)


def from_meaning(settings: Settings, built_in_recipes: Iterable[str] = ()) -> Iterator[Mistake]:
    """Yield mistakes that only show when settings are read together."""
    recipes = {*settings.recipes, *built_in_recipes}
    for index, route in enumerate(settings.routes):
        if recipes and route.recipe not in recipes:
            yield Mistake(
                key=f"routes[{index}].recipe",
                found=repr(route.recipe),
                allowed=f"known recipes are {_listed(recipes)}",
            )
    for name, recipe in settings.recipes.items():
        for index, stage in enumerate(recipe.stages):
            if stage.model is not None and stage.model not in settings.models:
                yield Mistake(
                    key=f"recipes.{name}.stages[{index}].model",
                    found=repr(stage.model),
                    allowed=f"known models are {_listed(settings.models) or 'none'}",
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
    names = [device.name for device in settings.engine.devices]
    if len(set(names)) < len(names):
        yield Mistake(key="engine.devices", found=_listed(names), allowed="names must differ")


def _needs(key: str, template: str, tokens: set[str]) -> Iterator[Mistake]:
    missing = tokens - PathTemplate(template).tokens
    if missing:
        wanted = ", ".join(f"{{{token}}}" for token in sorted(missing))
        yield Mistake(key=key, found=repr(template), allowed=f"it must also hold {wanted}")


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
            allowed=f"installed naming rules are {_listed(known) or 'none'}",
        )


def _mistake(detail: ErrorDetails) -> Mistake:
    location = [part for part in detail["loc"] if part != "[key]"]
    key = _dotted(location)
    kind = detail["type"]
    if kind == "missing":
        return Mistake(key=key, found="", allowed="this setting is missing and has no default")
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1])
        close = get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return Mistake(
            key=key, found="a name that is no setting", allowed=f"{hint}known: {_listed(known)}"
        )
    return Mistake(key=key, found=_shown(detail["input"]), allowed=_allowed(detail))


def _allowed(detail: ErrorDetails) -> str:
    text = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    text = text.removeprefix("String should ").removeprefix("a valid ")
    return f"allowed is {text}" if detail["msg"].startswith("Input should be ") else text


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_FOUND else text[:_LONGEST_FOUND] + "…"


def _dotted(location: Sequence[str | int]) -> str:
    out = ""
    for part in location:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


def _known_keys(location: Sequence[str | int]) -> list[str]:
    model: type[BaseModel] | None = Settings
    skip_key = False
    for part in location:
        if isinstance(part, int) or skip_key:
            skip_key = False
            continue
        if model is None or part not in model.model_fields:
            return []
        annotation = model.model_fields[part].annotation
        skip_key = get_origin(annotation) is dict
        model = model_inside(annotation)
    return sorted(model.model_fields) if model else []


def model_inside(annotation: Any) -> type[BaseModel] | None:
    """Return the settings section that a field's annotation holds, None for plain values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {tuple, dict, list, Annotated, Union, UnionType}:
        for argument in reversed(get_args(annotation)):
            found = model_inside(argument)
            if found is not None:
                return found
    return None


def _listed(names: Iterable[str] | Mapping[str, object]) -> str:
    return ", ".join(sorted(names))
