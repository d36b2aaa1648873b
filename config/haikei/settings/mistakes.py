"""Say what is wrong with a settings file, key by key, so that one reading mends all of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from haikei.settings.section import Section, model_inside

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


def from_validation(error: ValidationError, model: type[Section]) -> Iterator[Mistake]:
    """Yield one mistake for each thing that validation of this model found."""
    for detail in error.errors(include_url=False):
        yield _mistake(detail, model)


def _mistake(detail: ErrorDetails, model: type[Section]) -> Mistake:
    location = [part for part in detail["loc"] if part != "[key]"]
    key = _dotted(location)
    kind = detail["type"]
    if kind == "missing":
        return Mistake(key=key, found="", allowed="this setting is missing and has no default")
    if kind == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        close = get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return Mistake(
            key=key, found="a name that is no setting", allowed=f"{hint}known: {listed(known)}"
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


def _known_keys(top: type[Section], location: Sequence[str | int]) -> list[str]:
    model: type[BaseModel] | None = top
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


def listed(names: Iterable[str] | Mapping[str, object]) -> str:
    """Return names in alphabetical order, as a sentence lists them."""
    return ", ".join(sorted(names))
