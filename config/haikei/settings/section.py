"""What every part of the settings shares: located paths, names and tables."""

from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, ValidationInfo


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
