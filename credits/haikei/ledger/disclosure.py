"""Openings of the commitments in a bundle: only of people who are shown by name today."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from haikei.database import name_openings, people

#: Commitments stand in `actor` and `by`, and in texts in place of names.
_COMMITMENT = re.compile(r'(?:"commitment":"|\{person(?:_ja)?:)([0-9a-f]{64})')
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedName:
    """What shows whose name a commitment stands for."""

    person: str  #: the id
    name: str
    name_ja: str
    salt: str  #: 32 bytes as hexadecimal digits


def commitments_in(payloads: Iterable[str]) -> set[str]:
    """Return every commitment that stands in some records."""
    return {found for payload in payloads for found in _COMMITMENT.findall(payload)}


def disclose(connection: Connection, commitments: Iterable[str]) -> dict[str, DisclosedName]:
    """
    Return the names behind commitments.

    Left out are people who withhold their name, names that were erased, and names that a person
    does not bear any more.
    """
    ordered = sorted(commitments)
    opened = name_openings.c
    found: dict[str, DisclosedName] = {}
    for start in range(0, len(ordered), _AT_ONCE):
        query = (
            select(opened.commitment, opened.person, opened.name, opened.name_ja, opened.salt)
            .join(
                people,
                and_(
                    people.c.id == opened.person,
                    people.c.name == opened.name,
                    people.c.name_ja == opened.name_ja,
                ),
            )
            .where(
                opened.commitment.in_(ordered[start : start + _AT_ONCE]),
                people.c.opt_out == "",
                people.c.erased_at.is_(None),
            )
        )
        for row in connection.execute(query):
            found[row.commitment] = DisclosedName(
                person=row.person, name=row.name, name_ja=row.name_ja, salt=row.salt
            )
    return found
