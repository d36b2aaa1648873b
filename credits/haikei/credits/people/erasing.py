"""
Names outside the register: sealed as commitments in free texts, and taken out of wherever they lie.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Column, Connection, false, or_, select, update

from haikei.credits.contribution import Person
from haikei.credits.naming import WITHHELD, WITHHELD_JA
from haikei.database import (
    contributions,
    events,
    files,
    image_records,
    jobs,
    name_openings,
    notice_channels,
    notices,
    review_answers,
    review_notes,
    review_wakes,
    statements,
)

_TOKEN = re.compile(r"\{(person|person_ja):([0-9a-f]{64})\}")
# Scripts that put no spaces between words.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC")


def occurrences(name: str) -> re.Pattern[str]:
    """
    Return a pattern that finds a name in a text.

    In scripts with spaces it must stand alone: the name `Ito` is not in `editor`.
    """
    alone = len(name) < 2
    before = "" if not alone and _unspaced(name[0]) else r"(?<!\w)"
    after = "" if not alone and _unspaced(name[-1]) else r"(?!\w)"
    return re.compile(before + re.escape(name) + after)


def _unspaced(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNSPACED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """All names of the register, to be hidden in texts and shown again."""

    openings: Mapping[str, tuple[str, str]]  #: name and Japanese name, by commitment
    tokens: Mapping[str, str]  #: what stands for a name, by name, the longest first

    @classmethod
    def load(cls, connection: Connection) -> "Mentions":
        """Return the register's names."""
        columns = (name_openings.c.commitment, name_openings.c.name, name_openings.c.name_ja)
        rows = connection.execute(select(*columns).order_by(name_openings.c.commitment))
        openings = {row.commitment: (row.name, row.name_ja) for row in rows}
        tokens: dict[str, str] = {}
        for commitment, (name, name_ja) in openings.items():
            if name_ja.strip():
                tokens[name_ja] = f"{{person_ja:{commitment}}}"
            if name.strip():
                tokens[name] = f"{{person:{commitment}}}"
        # The longest first, so that `Yuki Tanaka` is not taken for `Tanaka`.
        by_length = sorted(tokens.items(), key=lambda item: (-len(item[0]), item[0]))
        return cls(openings=openings, tokens=dict(by_length))

    def hide(self, text: str) -> str:
        """Return a text in which commitments stand for the names of registered people."""
        if not text:
            return text
        parts = [text]
        for name, token in self.tokens.items():
            if name not in text:
                continue
            pattern = occurrences(name)
            # Tokens already stand at odd places: nothing is looked for inside them.
            parts = [
                piece
                for place, part in enumerate(parts)
                for piece in (_split(pattern, part, token) if place % 2 == 0 else [part])
            ]
        return "".join(parts)

    def show(self, text: str) -> str:
        """Return a text with its names; what was erased is withheld."""
        return _TOKEN.sub(self._name, text) if "{person" in text else text

    def _name(self, match: re.Match[str]) -> str:
        names = self.openings.get(match[2])
        japanese = match[1] == "person_ja"
        if names is None:
            return WITHHELD_JA if japanese else WITHHELD
        return names[1] if japanese else names[0]


def _split(pattern: re.Pattern[str], part: str, token: str) -> list[str]:
    """Return the text around each occurrence, with tokens between: text, token, text …"""
    around = pattern.split(part)
    return [piece for text in around for piece in (text, token)][:-1]


#: Texts that people or programs have written, in which names may stand; and each table's key.
_TEXTS: tuple[tuple[Column[Any], tuple[Column[Any], ...]], ...] = (
    (image_records.c.request, (image_records.c.ledger_seq,)),
    (contributions.c.source, (contributions.c.image_seq, contributions.c.position)),
    (contributions.c.note, (contributions.c.image_seq, contributions.c.position)),
    (statements.c.to, (statements.c.key,)),
    (statements.c.text, (statements.c.key,)),
    (statements.c.reference, (statements.c.key,)),
    (jobs.c.note, (jobs.c.id,)),
    (jobs.c.error, (jobs.c.id,)),
    (review_notes.c.text, (review_notes.c.id,)),
    (review_wakes.c.error, (review_wakes.c.version_id,)),
    (review_answers.c.error, (review_answers.c.key,)),
    (notices.c.text, (notices.c.key,)),
    (notice_channels.c.error, (notice_channels.c.channel,)),
    (files.c.reason, (files.c.path,)),
)
#: Objects that are kept as JSON.
_OBJECTS: tuple[tuple[Column[Any], Column[Any]], ...] = (
    (jobs.c.order_json, jobs.c.id),
    (jobs.c.result_json, jobs.c.id),
    (events.c.payload, events.c.id),
    (review_answers.c.payload, review_answers.c.key),
)
#: Members that say where a file lies: it is not found any more under another name.
_PATHS = frozenset({"layout", "file", "path"})
#: Columns that do the same.
_PATH_COLUMNS: tuple[Column[Any], ...] = (files.c.path, jobs.c.layout)
_PERSON = frozenset({"id", "name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a name in what is kept."""

    texts: int  #: texts and objects in which it was replaced
    paths: tuple[str, ...]  #: files that are called by it; their names still stand here


def take_out(connection: Connection, person: Person, names: Mapping[str, str]) -> Taken:
    """
    Take a name out of everything but the register, the openings and the ledger.

    Orders that are not carried out yet keep the person's id, and the job then looks up what is to
    be printed. Paths of files stay as they are.

    Args:
        connection: of the caller's transaction.
        person: who it was, as credits print them from now on.
        names: the names they have had, with what stands in place of each.
    """
    hiding = _Hiding(person=person, names=names)
    done = _texts(connection, hiding) + _objects(connection, hiding)
    for column in _PATH_COLUMNS:
        for path in connection.execute(select(column).where(hiding.may_stand_in(column))).scalars():
            hiding.note_path(str(path))
    return Taken(texts=done, paths=tuple(sorted(hiding.paths)))


def _texts(connection: Connection, hiding: "_Hiding") -> int:
    done = 0
    for column, keys in _TEXTS:
        query = select(*keys, column.label("text")).where(hiding.may_stand_in(column))
        for row in connection.execute(query).all():
            text = hiding.text(row.text)
            if text != row.text:
                _write(connection, column, keys, row, text)
                done += 1
    return done


def _objects(connection: Connection, hiding: "_Hiding") -> int:
    done = 0
    for column, key in _OBJECTS:
        stands = hiding.may_stand_in(column) | column.contains(hiding.person.id, autoescape=True)
        for row in connection.execute(select(key, column.label("text")).where(stands)).all():
            before = json.loads(row.text) if row.text else None
            after = hiding.value(before)
            if after != before:
                text = json.dumps(after, ensure_ascii=False, separators=(",", ":"))
                _write(connection, column, (key,), row, text)
                done += 1
    return done


def _write(
    connection: Connection,
    column: Column[Any],
    keys: tuple[Column[Any], ...],
    row: Any,
    text: str,
) -> None:
    here = (key == value for key, value in zip(keys, row, strict=False))
    connection.execute(update(column.table).where(*here).values({column.name: text}))


@dataclass(slots=True, kw_only=True)
class _Hiding:
    """One person's names, and how each is replaced."""

    person: Person
    names: Mapping[str, str]
    paths: set[str] = field(default_factory=set[str])
    _patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    def __post_init__(self) -> None:
        self._patterns = tuple(_patterns(self.names))

    def may_stand_in(self, column: Column[Any]) -> Any:
        """Return a condition that holds at least where a name stands in a text or in JSON."""
        written = {
            form
            for name in self.names
            for one in (name, *_joined(name))
            for form in (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])
        }
        return or_(false(), *(column.contains(form, autoescape=True) for form in sorted(written)))

    def text(self, text: str) -> str:
        """Return a text without the names."""
        for pattern, instead in self._patterns:
            text = pattern.sub(instead, text)
        return text

    def note_path(self, path: str) -> None:
        """Note that a file is called by the name, if it is."""
        if self.text(path) != path:
            self.paths.add(path)

    def value(self, value: object, *, path: bool = False) -> object:
        """Return a JSON value without the names; paths are noted and stay."""
        match value:
            case str():
                if path:
                    self.note_path(value)
                    return value
                return self.text(value)
            case list():
                return [self.value(one, path=path) for one in cast("list[object]", value)]
            case dict():
                return self._object(cast("dict[str, object]", value))
            case _:
                return value

    def _object(self, given: dict[str, object]) -> dict[str, object]:
        if given.get("id") == self.person.id and given.keys() >= _PERSON:
            named = {"name": "", "name_ja": "", "opt_out": self.person.opt_out}
            return {**given, **named}
        found = {name: self.value(one, path=name in _PATHS) for name, one in given.items()}
        artist_name = given.get("artist_name")
        if isinstance(artist_name, str) and artist_name and found["artist_name"] != artist_name:
            # A file's name showed who painted it. From now on it shows the id.
            person = {"id": self.person.id, "name": "", "name_ja": ""}
            artist = found.get("artist") or {**person, "opt_out": self.person.opt_out}
            found |= {"artist": artist, "artist_name": ""}
        return found


def _patterns(names: Mapping[str, str]) -> Iterator[tuple[re.Pattern[str], str]]:
    for name, instead in names.items():
        yield occurrences(name), instead
        for joined in _joined(name):
            # In a file's name an underscore stands beside it, and no letter.
            yield re.compile(rf"(?<![^\W_]){re.escape(joined)}(?![^\W_])"), instead


def _joined(name: str) -> Iterable[str]:
    """Return a name as files are called by it."""
    parts = name.split()
    return [sign.join(parts) for sign in ("_", "-", ".", "")] if len(parts) > 1 else []
