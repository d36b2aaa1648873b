"""
What every part of the settings shares: located paths, names and tables, and words for mistakes.

Mistakes are reported key by key, so that one reading mends all of a file.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails


def _located(path: Path, info: ValidationInfo) -> Path:
    # Relative paths are meant from the settings file, wherever the command is started.
    path = path.expanduser()
    if path.is_absolute():
        return path
    context = info.context
    if not isinstance(context, Mapping) or "folder" not in context:
        message = "must be an absolute path"
        raise ValueError(message)
    return Path(str(context["folder"])) / path


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on that host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def filled(items: tuple[object, ...]) -> tuple[object, ...]:
    """Return a list that has at least one item."""
    # Not pydantic's min_length: that also complains when the one item given is wrong.
    if not items:
        message = "at least one is needed"
        raise ValueError(message)
    return items


def _root(url: HttpUrl) -> HttpUrl:
    if url.path not in {None, "", "/"} or url.query or url.fragment or url.username or url.password:
        message = "must be the root of a host, such as https://host.example, without a login"
        raise ValueError(message)
    return url


def _state_url(text: str, info: ValidationInfo) -> str:
    """Return the address of a database of ours, with the driver that we bring."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except ArgumentError as error:
        message = "must be an address such as postgresql://user@host/name"
        raise ValueError(message) from error
    if url.get_backend_name() in {"postgresql", "postgres"}:
        if not url.database:
            message = "must name a database: postgresql://user@host/name"
            raise ValueError(message)
        url = url.set(drivername="postgresql+psycopg")
    elif url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:" or url.query:
            message = "must name a file: sqlite:////folder/haikei.db"
            raise ValueError(message)
        url = url.set(drivername="sqlite", database=str(_located(Path(url.database), info)))
    else:
        message = "must be of PostgreSQL or SQLite: postgresql://user@host/name"
        raise ValueError(message)
    return url.render_as_string(hide_password=False)


def without_password(text: str) -> str:
    """Return a text in which no address shows its password."""
    return _PASSWORD.sub(r"\1***@", text)


_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*@")
#: Written out without its password.
StateUrl = Annotated[
    str, AfterValidator(_state_url), PlainSerializer(without_password, return_type=str)
]
RootUrl = Annotated[HttpUrl, AfterValidator(_root)]
Seconds = Annotated[float, Field(gt=0)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
LocatedPath = Annotated[Path, AfterValidator(_located)]


class Section(BaseModel):
    """What every part of the settings shares: unknown keys are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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
    text = without_password(repr(value))
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
