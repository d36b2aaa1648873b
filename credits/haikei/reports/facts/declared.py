"""
The statements about a show, the approvals among them, and the questions that they
answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from haikei.credits import BackgroundVersion, ImageRecord, Scope, Statement, StatementKind
from haikei.credits.records import statements
from haikei.database import ledger
from haikei.database import statements as statement_rows
from haikei.reports.document.blocks import (
    Align,
    Badge,
    Cell,
    Column,
    Item,
    Lines,
    Link,
    Table,
    Tone,
)
from haikei.reports.document.phrases import DECLARED, NOT_RECORDED, declare, shown
from haikei.reports.report import ReportSource
from haikei.texts import Bilingual, Text


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
        self._places: dict[tuple[StatementKind, str, str, str], list[Declared]] = defaultdict(list)
        self._images: dict[tuple[StatementKind, str], list[Declared]] = defaultdict(list)
        self._with_images: set[StatementKind] = set()
        self._kinds = frozenset(one.statement.kind for one in self._all)
        for one in self._all:
            statement = one.statement
            if statement.image_sha256:
                self._images[statement.kind, statement.image_sha256].append(one)
                self._with_images.add(statement.kind)
            else:
                self._places[
                    statement.kind, statement.episode, statement.sequence, statement.shot
                ].append(one)

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
            if (not scope.episode or one.episode in {"", scope.episode})
            and (not scope.sequence or one.sequence in {"", scope.sequence})
            and (not scope.shot or one.shot in {"", scope.shot})
        )
        return cls(sorted(found, key=lambda one: (one.statement.at, one.entry)))

    def of(self, *kinds: StatementKind) -> tuple[Declared, ...]:
        """Return all statements of these kinds, the oldest first."""
        return tuple(one for one in self._all if one.statement.kind in kinds)

    def about(self, version: BackgroundVersion, kind: StatementKind) -> tuple[Declared, ...]:
        """Return what is stated about a version, the most specific first, then the newest."""
        # Asked several times of each version, mostly of what nobody stated anywhere.
        if kind not in self._kinds:
            return ()
        found: list[Declared] = []
        if kind in self._with_images:
            for image in reversed(version.images):
                found.extend(reversed(self._images.get((kind, image.sha256), ())))
        places = ((version.sequence, version.shot), (version.sequence, ""), ("", ""))
        for sequence, shot in dict.fromkeys(places):
            for episode in dict.fromkeys((version.episode, "")):
                found.extend(reversed(self._places.get((kind, episode, sequence, shot), ())))
        return tuple(found)

    def of_picture(self, picture: ImageRecord, kind: StatementKind) -> Declared | None:
        """Return the newest statement on one picture, made when it existed; None without."""
        found = (
            one
            for one in self._images.get((kind, picture.sha256), ())
            if one.statement.at >= picture.created_at
        )
        return max(found, key=lambda one: (one.statement.at, one.entry), default=None)


def reference(text: str) -> Text | Link:
    """Return where a paper is; an address becomes a link."""
    return Link(text, text) if text.startswith(("https://", "http://")) else text


def about_what(statement: Statement) -> Bilingual:
    """Return the part of the show that a statement is about."""
    if statement.image_sha256:
        return Bilingual(
            f"image {statement.image_sha256[:12]}…", f"画像 {statement.image_sha256[:12]}…"
        )
    place = " / ".join(filter(None, (statement.episode, statement.sequence, statement.shot)))
    return Bilingual(place or "the whole show", place or "作品全体")


class Agreed(StrEnum):
    """How an approval stands to the first generation."""

    BEFORE = "before"
    LATE = "late"  #: dated after the first generation, or at the same moment
    REFUSED = "refused"  #: the newest word is no, or unsure
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The client's word on one version."""

    agreed: Agreed
    declared: Declared | None = None  #: what shows it
    #: The ledger held it before the first generation; else only its own date says so.
    sealed_before: bool = False


def approval_of(
    declarations: Declarations, version: BackgroundVersion, first_ai: datetime
) -> Approval:
    """
    Return the client's word on the use of trained models for a version.

    The earliest agreement counts, unless the newest word withdraws it.
    """
    found = [
        one
        for one in declarations.about(version, StatementKind.CLIENT_APPROVAL)
        if one.statement.answer or one.statement.text
    ]
    if not found:
        return Approval(agreed=Agreed.MISSING)
    newest = max(found, key=lambda one: (one.statement.at, one.entry))
    if newest.statement.answer in {"no", "unsure"}:
        return Approval(agreed=Agreed.REFUSED, declared=newest)
    first = min(
        (one for one in found if one.statement.answer not in {"no", "unsure"}),
        key=lambda one: (one.statement.at, one.entry),
    )
    return Approval(
        agreed=Agreed.BEFORE if first.statement.at < first_ai else Agreed.LATE,
        declared=first,
        sealed_before=first.recorded_at < first_ai,
    )


#: Statements under one question that are written out; the rest is counted.
MOST = 12
_ANSWERS = {
    "yes": Bilingual("yes", "はい"),
    "no": Bilingual("no", "いいえ"),
    "unsure": Bilingual("unsure", "不明"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, and its answer."""

    question: Text
    found: tuple[Declared, ...]


def ask(
    source: ReportSource,
    kind: StatementKind,
    question: Bilingual,
    found: tuple[Declared, ...],
    *,
    subject: str = "",
) -> Asked:
    """Return a question; how it is answered goes to the cover note where nobody has."""
    if not found:
        how = declare(kind, source.scope, subject=subject)
        source.advise(Bilingual(f"{question.en} {how}", f"{question.ja} {how}"))
    return Asked(question=question, found=found)


def answers(key: str, asked: Iterable[Asked], *, caption: Text = "") -> Table:
    """Return the table; a question that nobody has answered stands there as not recorded."""
    return Table(
        key=key,
        columns=(
            Column(key="question", title=Bilingual("Question", "質問"), wide=True),
            Column(key="about", title=Bilingual("About", "対象")),
            Column(key="answer", title=Bilingual("Answer", "回答")),
            Column(key="said", title=Bilingual("What was said", "内容"), wide=True),
            Column(key="by", title=Bilingual("By whom, when", "回答者・日付")),
            Column(key="paper", title=Bilingual("Paper", "資料"), linked=True),
            Column(key="entry", title=Bilingual("Ledger entry", "台帳番号"), align=Align.END),
        ),
        rows=(row for one in asked for row in _rows(one)),
        caption=caption,
    )


def by_whom(one: Declared) -> Lines:
    """Return who stated it, to whom, on which day, and that it is declared."""
    statement = one.statement
    items: list[Item] = [shown(statement.by), statement.at.date().isoformat()]
    if statement.to:
        items.append(Bilingual(f"to {statement.to}", f"宛先：{statement.to}"))
    return Lines((*items, DECLARED))


def sealed(one: Declared) -> Lines:
    """Return the ledger entry of a statement and the day on which it was sealed."""
    day = one.recorded_at.date().isoformat()
    return Lines((one.entry, Bilingual(f"sealed {day}", f"記録日 {day}")))


def answer(text: str, *, alert: bool = False) -> Cell:
    """Return an answer as a badge; a statement without one has none."""
    if not text:
        return None
    return Badge(_ANSWERS.get(text, text), Tone.ALERT if alert else Tone.OUTLINE)


def _rows(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    if not asked.found:
        yield (asked.question, None, NOT_RECORDED, None, None, None, None)
    for one in asked.found[:MOST]:
        statement = one.statement
        yield (
            asked.question,
            about_what(statement),
            answer(statement.answer),
            statement.text,
            by_whom(one),
            reference(statement.reference) or None,
            sealed(one),
        )
    rest = len(asked.found) - MOST
    if rest > 0:
        more = Bilingual(f"and {rest:,} more", f"ほか{rest:,}件")
        yield (asked.question, None, None, more, None, None, None)
