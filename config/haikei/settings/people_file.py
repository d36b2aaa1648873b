"""People in a CSV file, as a studio's office keeps them: one a line, mistakes by their line."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from haikei.names import plain_name
from haikei.settings.section import Mistake, from_validation, listed
from haikei.settings.sections import PersonEntry

#: What signs for a person belongs to the settings, whose readers are fewer than an office list's.
_SIGNING = frozenset({"certificate_file", "certificate_key_file", "signer"})
#: The columns, which are the settings of `[[people]]` but for those.
PEOPLE_COLUMNS = tuple(name for name in PersonEntry.model_fields if name not in _SIGNING)
#: Columns that hold several names, with `;` between them.
_LISTS = frozenset({"logins", "aliases"})
_YES_NO = {"": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_LARGEST = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPerson:
    """A person, and where the file names them."""

    key: str  #: such as `people.csv line 7`
    entry: PersonEntry


def read_people(path: Path) -> tuple[Sequence[ListedPerson], Sequence[Mistake]]:
    """Return the people that a file names, and everything that is wrong with it."""
    try:
        if path.stat().st_size > _LARGEST:
            return (), (_wrong(f"{path} is larger than 16 MiB", "a list of people is smaller"),)
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return (), (
            Mistake(
                key=f"{path.name} line {line}",
                found="text that is not UTF-8",
                allowed='save it as "CSV UTF-8"; Excel\'s plain CSV is in another encoding',
            ),
        )
    except OSError as error:
        return (), (_wrong(f"{path} ({error.strerror or error})", "it must be a readable file"),)
    people: list[ListedPerson] = []
    mistakes: list[Mistake] = []
    try:
        for one in _lines(path.name, text):
            if isinstance(one, Mistake):
                mistakes.append(one)
            else:
                people.append(one)
    except csv.Error as error:
        mistakes.append(_wrong(f"{path} ({error})", "save it as CSV anew"))
    return people, mistakes


def _lines(name: str, text: str) -> Iterator[ListedPerson | Mistake]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    columns = [plain_name(column) for column in next(reader, [])]
    unknown = [column for column in columns if column not in PEOPLE_COLUMNS]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if unknown or twice or "name" not in columns:
        close = get_close_matches(unknown[0], PEOPLE_COLUMNS, n=1) if unknown else []
        hint = f"did you mean {close[0]!r}? " if close else ""
        what = f"the column {unknown[0]!r}" if unknown else f"{twice[0]!r} twice" if twice else ""
        yield Mistake(
            key=f"{name} line 1",
            found=what or "no column `name`",
            allowed=f"{hint}the first line names the columns: {listed(PEOPLE_COLUMNS)}",
        )
        return
    for row in reader:
        key = f"{name} line {reader.line_num}"
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            yield Mistake(
                key=key,
                found=f"{len(row)} cells",
                allowed=f"the first line has {len(columns)} columns",
            )
            continue
        yield from _person(key, dict(zip(columns, (cell.strip() for cell in row), strict=True)))


def _person(key: str, cells: Mapping[str, str]) -> Iterator[ListedPerson | Mistake]:
    values: dict[str, object] = dict(cells)
    for column in _LISTS & cells.keys():
        values[column] = [one.strip() for one in cells[column].split(";") if one.strip()]
    consent = cells.get("consent", "")
    if consent.casefold() not in _YES_NO:
        yield Mistake(key=f"{key}, consent", found=repr(consent), allowed="allowed is yes or no")
        return
    values["consent"] = _YES_NO[consent.casefold()]
    if not cells["name"]:
        yield Mistake(
            key=f"{key}, name",
            found="",
            allowed="the name in Latin letters is missing; where none is known, write the Japanese",
        )
        return
    try:
        yield ListedPerson(key=key, entry=PersonEntry.model_validate(values))
    except ValidationError as error:
        for mistake in from_validation(error, PersonEntry):
            yield Mistake(key=f"{key}, {mistake.key}", found=mistake.found, allowed=mistake.allowed)


def _wrong(found: str, allowed: str) -> Mistake:
    return Mistake(key="credits.people_file", found=found, allowed=allowed)
