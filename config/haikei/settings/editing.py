"""Add a table to a settings file or take one out, and leave every other character as it is."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from haikei.errors import SettingsError
from haikei.settings.describing import toml

_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(#.*)?$")


def with_table(text: str, name: str, values: Mapping[str, object]) -> str:
    """
    Return the settings file `text` with the table `name` at its end.

    Args:
        text: the file as it is.
        name: such as `models.ours`.
        values: what stands in it; tables within come after all else.

    Raises:
        SettingsError: it has such a table already.
    """
    before = tomllib.loads(text)
    if _at(before, name) is not None:
        raise SettingsError(
            f"The settings have [{name}] already.",
            advice="Choose another name, or remove the old one first.",
        )
    lines = [f"[{name}]"]
    lines += [
        f"{key} = {toml(value)}" for key, value in values.items() if not isinstance(value, Mapping)
    ]
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            lines += ["", f"[{name}.{key}]"]
            lines += [f"{toml(str(inner))} = {toml(one)}" for inner, one in value.items()]
    start = f"{text.rstrip()}\n\n" if text.strip() else ""
    after = start + "\n".join(lines) + "\n"
    _only_differs_in(before, tomllib.loads(after), name)
    return after


def without_table(text: str, name: str) -> str:
    """
    Return the settings file `text` without the table `name` and the tables within it.

    Raises:
        SettingsError: there is none, or it is written so that only a person can take it out.
    """
    before = tomllib.loads(text)
    if _at(before, name) is None:
        raise SettingsError(f"The settings have no [{name}].")
    kept: list[str] = []
    inside = False
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        header = _HEADER.match(line)
        # In a text of several lines such a line is no header.
        if header and _whole("".join(lines[:number])):
            path = header[1].replace('"', "").replace(" ", "")
            inside = path == name or path.startswith(f"{name}.")
        if not inside:
            kept.append(line)
    after = "".join(kept).rstrip("\n") + "\n"
    try:
        _only_differs_in(before, tomllib.loads(after), name)
    except tomllib.TOMLDecodeError as error:
        raise _by_hand(name) from error
    return after


def _whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _only_differs_in(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> None:
    if _without(before, name) != _without(after, name) or _at(before, name) == _at(after, name):
        raise _by_hand(name)


def _by_hand(name: str) -> SettingsError:
    return SettingsError(
        f"[{name}] is written so that changing it would change something else.",
        advice="Edit the settings file by hand; `haikei config check` finds mistakes.",
    )


def _at(data: Mapping[str, Any], name: str) -> object:
    found: Any = data
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _without(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    first, _, rest = name.partition(".")
    kept = {key: value for key, value in data.items() if key != first}
    inner = data.get(first)
    if rest and isinstance(inner, Mapping):
        left = _without(inner, rest)
        if left:
            kept[first] = left
    return kept
