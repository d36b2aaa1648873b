"""Describe every setting: for the file that `config init` writes, and for the documentation."""

import json
import types
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, HttpUrl, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from haikei.settings.section import model_inside
from haikei.settings.studio import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, as a person reads about it."""

    section: str  #: as TOML writes the table: `[watch]`, `[[watch.folders]]`, `[models.NAME]`
    name: str
    kind: str  #: what it holds, such as `number`, `text`, `"png" | "tif"`
    default: str  #: as TOML; empty when there is none
    required: bool  #: whether it must be given, in a table that stands
    text: str


def describe() -> Iterator[Setting]:
    """Yield every setting there is, section by section, in the order of the file."""
    yield from _section(Settings, "", "[{}]")


def starter(*, state: str = "state", projects: str = "projects") -> str:
    """
    Return a settings file with the few values that must be given, and all others as comments.

    Args:
        state: the folder for Haikei's own state, from the file's folder.
        projects: the folder that holds the shows, from the file's folder.
    """
    given = {
        ("[studio]", "state"): state,
        ("[[storage.roots]]", "name"): "primary",
        ("[[storage.roots]]", "path"): projects,
        ("[[watch.folders]]", "path"): projects,
    }
    tables = {section for section, _ in given}
    lines = [
        "# Haikei's settings. Relative paths are meant from this file's folder.",
        "# A line that begins with `#` shows a default; remove the `#` to change it.",
        "# Any value can be overridden: HAIKEI_WATCH__SETTLE=5 sets watch.settle.",
        "# Secrets never stand here: give the tracker's key by HAIKEI_TRACKER__KEY.",
    ]
    before = ""
    for setting in describe():
        dead = "" if setting.section in tables or setting.section.count("[") == 1 else "# "
        dead = "# " if "NAME" in setting.section or dead else ""
        if setting.section != before:
            lines += ["", f"{dead}{setting.section}"]
            before = setting.section
        lines.append(f"# {setting.text}")
        value = given.get((setting.section, setting.name))
        if value is not None:
            lines.append(f"{setting.name} = {json.dumps(value, ensure_ascii=False)}")
        else:
            lines.append(f"# {setting.name} = {setting.default or f'({setting.kind})'}")
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Return every setting as Markdown tables: docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "One TOML file a studio. Relative paths are meant from the file's own folder. Any value",
        "can be overridden by the environment: `HAIKEI_WATCH__SETTLE=5` sets `watch.settle`. The",
        "tracker's key comes from `HAIKEI_TRACKER__KEY`, from `tracker.key_file` or from the",
        "keyring, never from this file.",
        "",
        "`haikei config init` writes all of this as a file, `haikei config check` finds mistakes,",
        "and `haikei config show` says what is in force and where it comes from. Used in",
        "[set up with ShotGrid](../how-to/set-up-with-shotgrid.md) and",
        "[operations](../how-to/operations.md).",
    ]
    before = ""
    for setting in describe():
        if setting.section != before:
            lines += ["", f"## `{setting.section}`", "", "| setting | holds | default | |"]
            lines.append("|---|---|---|---|")
            before = setting.section
        default = f"`{setting.default}`" if setting.default else ""
        cells = (
            f"`{setting.name}`",
            setting.kind,
            "must be given" if setting.required else default,
            setting.text,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def toml(value: object) -> str:
    """Return a plain value as TOML writes it."""
    if isinstance(value, Enum):
        return toml(value.value)
    if isinstance(value, str | Path | HttpUrl):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, BaseModel):
        inner = ", ".join(f"{name} = {toml(item)}" for name, item in value if item is not None)
        return f"{{ {inner} }}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    message = f"{type(value).__name__} has no TOML form"
    raise TypeError(message)


def _section(model: type[BaseModel], path: str, form: str) -> Iterator[Setting]:
    inner: list[tuple[type[BaseModel], str, str]] = []
    for name, field in model.model_fields.items():
        below = model_inside(field.annotation)
        origin = get_origin(field.annotation)
        key = f"{path}.{name}" if path else name
        if below is not None and not (origin is tuple and _short(below)):
            if origin is tuple:
                inner.append((below, key, "[[{}]]"))
            elif origin is dict:
                inner.append((below, f"{key}.NAME", "[{}]"))
            else:
                inner.append((below, key, "[{}]"))
            continue
        if _is_secret(field):
            continue
        yield Setting(
            section=form.format(path),
            name=name,
            kind=_kind(field.annotation),
            default=_default(field),
            required=field.is_required(),
            text=" ".join((field.description or "").split()),
        )
    for below, key, below_form in inner:
        yield from _section(below, key, below_form)


def _short(model: type[BaseModel]) -> bool:
    # A pair such as a variant or a device reads better as one inline table.
    return len(model.model_fields) <= 2 and all(
        not field.is_required() for field in model.model_fields.values()
    )


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in get_args(field.annotation) or field.annotation is SecretStr


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    return "" if value is PydanticUndefined or value is None else toml(value)


_NAMES = {str: "text", int: "whole number", float: "number", bool: "true | false", Path: "path"}


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0])
    if origin is Literal:
        return " | ".join(toml(item) for item in arguments)
    if origin in {Union, types.UnionType}:
        return " | ".join(_kind(item) for item in arguments if item is not type(None))
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"table of {_kind(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(toml(item) for item in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "{ " + ", ".join(annotation.model_fields) + " }"
    return _NAMES.get(annotation, "address" if "Url" in str(annotation) else str(annotation))
