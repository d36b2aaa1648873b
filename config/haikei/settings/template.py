"""Path templates: from a path to the names in it, and back."""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from haikei.errors import PathRefused, SettingsError

#: What each token may hold in a path. Numbers are digits; a name never holds a separator.
TOKENS: Mapping[str, str] = {
    "project": r"[^/]+",
    "sequence": r"[^/]+",
    "shot": r"[^/]+",
    "name": r"[^/]+",
    "season": r"[^/_.]+",
    "time": r"[^/_.]+",
    "stage": r"[^/.]+",
    "version": r"\d+",
    "ext": r"[A-Za-z0-9]+",
}
#: Studios that count in cuts write {cut}; it is the tracker's shot.
ALIASES: Mapping[str, str] = {"cut": "shot"}

_UNSAFE = re.compile(r"[/\\\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """
    A relative path with tokens, such as `{project}/{shot}/layout/{shot}_v{version:03d}.{ext}`.

    A token that stands twice must hold the same text both times.
    """

    text: str
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _parts: tuple[tuple[str, str | None, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts, pattern = _compile(self.text)
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "_pattern", pattern)

    @property
    def tokens(self) -> frozenset[str]:
        """The names this template gives and needs."""
        return frozenset(name for _, name, _ in self._parts if name)

    def match(self, relative: PurePosixPath | str) -> dict[str, str] | None:
        """Return the token values in `relative`, or None when the path has another shape."""
        found = self._pattern.fullmatch(str(relative))
        return found.groupdict() if found else None

    def format(self, values: Mapping[str, str | int]) -> PurePosixPath:
        """
        Return the relative path for `values`.

        Raises:
            PathRefused: a value is missing, or would leave its folder.
        """
        out: list[str] = []
        for literal, name, spec in self._parts:
            out.append(literal)
            if name is None:
                continue
            if name not in values:
                message = f"The template {self.text!r} needs {{{name}}}, which is not known here."
                raise PathRefused(message)
            value = values[name]
            piece = format(int(value), spec) if name == "version" else str(value)
            if not piece or piece in {".", ".."} or _UNSAFE.search(piece):
                message = f"{{{name}}} is {piece!r}, which cannot stand in a path ({self.text!r})."
                raise PathRefused(message)
            out.append(piece)
        return PurePosixPath("".join(out))


def _compile(text: str) -> tuple[tuple[tuple[str, str | None, str], ...], re.Pattern[str]]:
    parts: list[tuple[str, str | None, str]] = []
    pattern: list[str] = []
    seen: set[str] = set()
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError as error:
        raise SettingsError(f"The path template {text!r} cannot be read: {error}.") from error
    for literal, raw, spec, _ in fields:
        name = ALIASES.get(raw, raw) if raw is not None else None
        if name is not None and name not in TOKENS:
            allowed = ", ".join(f"{{{token}}}" for token in (*TOKENS, *ALIASES))
            raise SettingsError(
                f"The path template {text!r} has the unknown token {{{raw}}}.",
                advice=f"Use {allowed}.",
            )
        if name != "version" and spec:
            raise SettingsError(f"Only {{version}} takes a format in the path template {text!r}.")
        parts.append((literal, name, spec or ""))
        pattern.append(re.escape(literal))
        if name is None:
            continue
        pattern.append(f"(?P={name})" if name in seen else f"(?P<{name}>{TOKENS[name]})")
        seen.add(name)
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not text:
        raise SettingsError(f"The path template {text!r} must be relative and stay in its root.")
    return tuple(parts), re.compile("".join(pattern))


def _checked(text: str) -> str:
    try:
        PathTemplate(text)
    except SettingsError as error:
        raise ValueError(str(error)) from error
    return text


#: The text of a path template, as settings hold it.
Template = Annotated[str, AfterValidator(_checked)]
