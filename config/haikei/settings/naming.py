"""
What the path of a layout says: templates, and the seam for naming rules of a studio's own.

A template goes from a path to the names in it, and back; a rule says what no template can tell.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePosixPath
from typing import Annotated, Protocol, cast

from pydantic import AfterValidator

from haikei.errors import PathRefused, SettingsError

GROUP = "haikei.naming"


class NamingRule(Protocol):
    """
    Reads the paths below one watched folder, as `PathTemplate` does.

    An entry point in `haikei.naming` names a callable without arguments that returns such an
    object. It is asked for every file that lands, from several threads, and touches no file.
    """

    @property
    def text(self) -> str:
        """How a path looks that the rule reads, as messages print it."""
        ...

    def match(self, relative: str, /) -> Mapping[str, str] | None:
        """
        Return what `relative`, a path with `/` below the folder, says of a layout.

        The keys are `project` and `shot`, and where known `sequence`, `name` and `version`, which
        is decimal digits. None stands for a path of another shape.
        """
        ...


def naming_rules() -> Mapping[str, EntryPoint]:
    """Return the entry point of each naming rule that is installed."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load_naming_rule(name: str) -> NamingRule:
    """
    Return the naming rule that the entry point `name` makes.

    Raises:
        SettingsError: there is no such rule, or it cannot be loaded.
    """
    found = naming_rules()
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(
            f"There is no naming rule {name!r}.", advice=f"Installed naming rules: {known}."
        )
    try:
        return cast("NamingRule", found[name].load()())
    except Exception as error:
        raise SettingsError(
            f"The naming rule {name!r} ({found[name].value}) cannot be loaded: {error}.",
            advice="Repair the package that brings it, or use watch.folders.template.",
        ) from error


#: What each token may hold in a path. Numbers are digits; a name never holds a separator.
TOKENS: Mapping[str, str] = {
    "project": r"[^/]+",
    "episode": r"[^/]+",
    "sequence": r"[^/]+",
    "shot": r"[^/]+",
    "name": r"[^/]+",
    "season": r"[^/_.]+",
    "time": r"[^/_.]+",
    "stage": r"[^/.]+",
    "version": r"\d{1,9}",
    "ext": r"[A-Za-z0-9]+",
    "any": r"[^/]*?",
}
#: Studios that count in cuts write {cut}, the tracker's shot, and number drawings by {take}.
ALIASES: Mapping[str, str] = {"cut": "shot", "take": "version"}
#: Everything that a template may hold, as messages and documentation list it.
SYNTAX = (
    ", ".join(f"{{{token}}}" for token in (*TOKENS, *ALIASES))
    + "; * for anything in one folder's or file's name, **/ for any folders, [...] for a part that "
    r"may be missing, {shot:C\d+} for a token of a regular expression"
)

_UNSAFE = re.compile(r"[/\\\x00-\x1f]")
_NUMBER = re.compile(r"(0?[1-9]?d)?")


@dataclass(frozen=True, slots=True)
class _Token:
    name: str
    spec: str  #: a number's format, or a regular expression; empty for neither

    @property
    def pattern(self) -> str:
        return f"(?:{self.spec})" if self.spec and self.name != "version" else TOKENS[self.name]


_FOLDERS = _Token("any", "**/")
#: A literal, a token, or a part that may be missing.
_Piece = str | _Token | tuple["_Piece", ...]


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """
    A relative path with tokens, such as `{project}/{shot}/layout/{shot}[_{name}]_v{version}.{ext}`.

    A token that stands twice must hold the same text both times, whatever the letter case. Paths
    and names are compared in Unicode form NFC.
    """

    text: str
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _pieces: tuple[_Piece, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pieces = _Reader(self.text).read()
        object.__setattr__(self, "_pieces", pieces)
        object.__setattr__(self, "_pattern", _compiled(self.text, pieces))

    @property
    def tokens(self) -> frozenset[str]:
        """The names this template may give."""
        return frozenset(one.name for one in _tokens(self._pieces)) - {"any"}

    @property
    def required(self) -> frozenset[str]:
        """The names without which no path can be written."""
        mandatory = (piece for piece in self._pieces if not isinstance(piece, tuple))
        return frozenset(one.name for one in _tokens(mandatory)) - {"any"}

    @property
    def has_wildcards(self) -> bool:
        """Whether it takes what no name says, so that no path can be written with it."""
        return any(one.name == "any" for one in _tokens(self._pieces))

    def match(self, relative: PurePosixPath | str) -> dict[str, str] | None:
        """Return the token values in `relative`, or None when the path has another shape."""
        found = self._pattern.fullmatch(unicodedata.normalize("NFC", str(relative)))
        if found is None:
            return None
        values = {name: value for name, value in found.groupdict().items() if value is not None}
        return None if any("/" in value for value in values.values()) else values

    def format(self, values: Mapping[str, str | int]) -> PurePosixPath:
        """
        Return the relative path for `values`; optional parts without a value are left out.

        Raises:
            PathRefused: a value is missing, is not as the template wants it, or would leave its
                folder.
        """
        return PurePosixPath("".join(self._written(self._pieces, values)))

    def folders(self, known: Collection[str]) -> tuple["PathTemplate", ...]:
        """
        Return the template of each folder and of the file, with the optional parts that `known`
        names fill and without the others.
        """
        kept = (
            _text(piece)
            for piece in self._pieces
            if not isinstance(piece, tuple) or {one.name for one in _tokens(piece)} <= {*known}
        )
        return tuple(map(PathTemplate, "".join(kept).split("/")))

    def _written(self, pieces: Iterable[_Piece], values: Mapping[str, str | int]) -> Iterator[str]:
        for piece in pieces:
            if isinstance(piece, str):
                yield piece
            elif isinstance(piece, tuple):
                if all(values.get(one.name, "") != "" for one in _tokens(piece)):
                    yield from self._written(piece, values)
            else:
                yield self._value(piece, values)

    def _value(self, token: _Token, values: Mapping[str, str | int]) -> str:
        if token.name not in values:
            raise PathRefused(
                f"The template {self.text!r} needs {{{token.name}}}, which is not known here."
            )
        value = values[token.name]
        written = format(int(value), token.spec) if token.name == "version" else str(value)
        if not written or written in {".", ".."} or _UNSAFE.search(written):
            raise PathRefused(
                f"{{{token.name}}} is {written!r}, which cannot stand in a path ({self.text!r})."
            )
        if token.name != "version" and token.spec and not re.fullmatch(token.spec, written):
            raise PathRefused(
                f"{{{token.name}}} is {written!r}, which is not {token.spec!r} as {self.text!r} "
                "wants it."
            )
        return written


def _tokens(pieces: Iterable[_Piece]) -> Iterator[_Token]:
    for piece in pieces:
        if isinstance(piece, _Token):
            yield piece
        elif isinstance(piece, tuple):
            yield from _tokens(piece)


def _text(piece: _Piece) -> str:
    """Return a piece as a template writes it; of a part that may be missing what is in it."""
    if isinstance(piece, tuple):
        return "".join(map(_text, piece))
    if isinstance(piece, str):
        return re.sub(r"([{}\[\]])", r"\1\1", piece)
    return f"{{{piece.name}:{piece.spec}}}" if piece.spec else f"{{{piece.name}}}"


class _Reader:
    """Takes a template's text apart."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> tuple[_Piece, ...]:
        path = PurePosixPath(self._text)
        if path.is_absolute() or ".." in path.parts or not self._text:
            raise SettingsError(
                f"The path template {self._text!r} must be relative and stay in its root."
            )
        pieces = tuple(self._pieces(optional=False))
        given: set[str] = set()
        optional: set[str] = set()
        for piece in pieces:
            names = {one.name for one in _tokens((piece,))} - {"any"}
            if isinstance(piece, tuple):
                optional |= names - given
            elif names & optional:
                raise self._wrong(f"{{{min(names)}}} stands in a part that may be missing first")
            given |= names
        return pieces

    def _pieces(self, *, optional: bool) -> Iterator[_Piece]:
        literal = ""
        while self._at < len(self._text):
            sign, two = self._text[self._at], self._text[self._at : self._at + 2]
            if two in {"{{", "}}", "[[", "]]"}:
                literal += sign
                self._at += 2
                continue
            if sign not in "{}[]*":
                literal += sign
                self._at += 1
                continue
            if literal:
                yield unicodedata.normalize("NFC", literal)
                literal = ""
            if sign == "]" and optional:
                return
            if sign in "}]" or (sign == "[" and optional):
                raise self._wrong(f"{sign!r} at {self._at + 1} stands alone; write it twice for")
            yield self._special(sign)
        if optional:
            raise self._wrong("'[' is never closed")
        if literal:
            yield unicodedata.normalize("NFC", literal)

    def _special(self, sign: str) -> _Piece:
        if sign == "*":
            starts = self._at == 0 or self._text[self._at - 1] == "/"
            if self._text.startswith("**/", self._at) and starts:
                self._at += 3
                return _FOLDERS
            self._at += 1
            return _Token("any", "")
        self._at += 1
        if sign == "[":
            inner = tuple(self._pieces(optional=True))
            self._at += 1
            if not any(True for _ in _tokens(inner)):
                raise self._wrong("a part in brackets holds no token")
            return inner
        return self._token()

    def _token(self) -> _Token:
        depth, start = 1, self._at
        while self._at < len(self._text) and depth:
            depth += {"{": 1, "}": -1}.get(self._text[self._at], 0)
            self._at += 2 if self._text[self._at] == "\\" else 1
        if depth:
            raise self._wrong("'{' is never closed")
        raw, _, spec = self._text[start : self._at - 1].partition(":")
        name = ALIASES.get(raw, raw)
        if name not in TOKENS:
            raise SettingsError(
                f"The path template {self._text!r} has the unknown token {{{raw}}}.",
                advice=f"Use {SYNTAX}.",
            )
        if name == "version" and not _NUMBER.fullmatch(spec):
            raise self._wrong(f"{{{raw}:{spec}}} is no number's format; write {{{raw}:03d}} for")
        if name != "version" and spec:
            self._check(raw, spec)
        return _Token(name, spec)

    def _check(self, raw: str, spec: str) -> None:
        try:
            compiled = re.compile(spec)
        except re.error as error:
            raise self._wrong(f"{{{raw}:{spec}}} is no regular expression ({error})") from error
        if compiled.groups or "/" in spec:
            raise self._wrong(
                f"{{{raw}:{spec}}} may hold no / and no capturing group; write (?:...) for"
            )
        if compiled.fullmatch(""):
            raise self._wrong(f"{{{raw}:{spec}}} fits nothing at all; use [...] for")

    def _wrong(self, what: str) -> SettingsError:
        return SettingsError(
            f"The path template {self._text!r} cannot be read: {what}"
            + (" what is meant." if what.endswith(" for") else "."),
            advice=f"Use {SYNTAX}.",
        )


def _compiled(text: str, pieces: tuple[_Piece, ...]) -> re.Pattern[str]:
    try:
        return re.compile("".join(_expressions(pieces, set())))
    except re.error as error:
        raise SettingsError(f"The path template {text!r} cannot be read: {error}.") from error


def _expressions(pieces: Iterable[_Piece], seen: set[str]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, str):
            yield re.escape(piece)
        elif isinstance(piece, tuple):
            yield f"(?:{''.join(_expressions(piece, seen))})?"
        elif piece is _FOLDERS:
            yield "(?:[^/]+/)*"
        elif piece.name == "any":
            yield piece.pattern
        elif piece.name in seen:
            yield f"(?i:(?P={piece.name}))"
        else:
            seen.add(piece.name)
            yield f"(?P<{piece.name}>{piece.pattern})"


def _checked(text: str) -> str:
    try:
        PathTemplate(text)
    except SettingsError as error:
        raise ValueError(str(error)) from error
    return text


def _written(text: str) -> str:
    if PathTemplate(_checked(text)).has_wildcards:
        message = "no file can be written where * or {any} stands; only templates that are read"
        raise ValueError(f"{message} may have them")
    return text


#: The text of a path template, as settings hold it.
Template = Annotated[str, AfterValidator(_checked)]
#: The same of paths at which files are written.
WrittenTemplate = Annotated[str, AfterValidator(_written)]
