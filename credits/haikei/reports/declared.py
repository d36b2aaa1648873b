"""The statements about a show, found by what they are about."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from haikei.credits import BackgroundVersion, Scope, Statement, StatementKind, statements
from haikei.database import ledger
from haikei.database import statements as statement_rows
from haikei.reports.document import Link
from haikei.reports.words import Text, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A statement, and where the ledger sealed it."""

    statement: Statement
    entry: int
    recorded_at: datetime  #: logged by the ledger, while the statement's own date is declared


class Declarations:
    """
    All statements about a part of a show.

    Args:
        found: in the order in which they were made.
    """

    def __init__(self, found: Iterable[Declared]) -> None:
        self._all = tuple(found)
        self._places: dict[tuple[StatementKind, str, str], list[Declared]] = defaultdict(list)
        self._images: dict[tuple[StatementKind, str], list[Declared]] = defaultdict(list)
        self._with_images: set[StatementKind] = set()
        for one in self._all:
            said = one.statement
            if said.image_sha256:
                self._images[said.kind, said.image_sha256].append(one)
                self._with_images.add(said.kind)
            else:
                self._places[said.kind, said.sequence, said.shot].append(one)

    @classmethod
    def load(cls, connection: Connection, scope: Scope) -> "Declarations":
        """Return what was stated about the scope, about parts of it and about the whole show."""
        rows = connection.execute(
            select(statement_rows.c.key, ledger.c.seq, ledger.c.appended_at)
            .join(ledger, ledger.c.seq == statement_rows.c.ledger_seq)
            .where(statement_rows.c.project.in_((scope.project, "")))
        )
        sealed = {row.key: (row.seq, row.appended_at) for row in rows}
        found = (
            Declared(statement=one, entry=sealed[one.key][0], recorded_at=sealed[one.key][1])
            for one in statements.statements(connection, project=scope.project)
            if (not scope.sequence or one.sequence in {"", scope.sequence})
            and (not scope.shot or one.shot in {"", scope.shot})
        )
        return cls(sorted(found, key=lambda one: (one.statement.at, one.entry)))

    def of(self, *kinds: StatementKind) -> tuple[Declared, ...]:
        """Return all statements of these kinds, the oldest first."""
        return tuple(one for one in self._all if one.statement.kind in kinds)

    def about(self, version: BackgroundVersion, kind: StatementKind) -> tuple[Declared, ...]:
        """Return what is stated about a version, the most specific first, then the newest."""
        found: list[Declared] = []
        if kind in self._with_images:
            for image in reversed(version.images):
                found.extend(reversed(self._images.get((kind, image.sha256), ())))
        places = ((version.sequence, version.shot), (version.sequence, ""), ("", ""))
        for sequence, shot in dict.fromkeys(places):
            found.extend(reversed(self._places.get((kind, sequence, shot), ())))
        return tuple(found)


def reference(text: str) -> Text | Link:
    """Return where a paper is; an address becomes a link."""
    return Link(text, text) if text.startswith(("https://", "http://")) else text


def about_what(said: Statement) -> Words:
    """Return the part of the show that a statement is about."""
    if said.image_sha256:
        return Words(f"image {said.image_sha256[:12]}…", f"画像 {said.image_sha256[:12]}…")
    place = " / ".join(part for part in (said.sequence, said.shot) if part)
    return Words(place or "the whole show", place or "作品全体")
