"""Questions beside the statements that answer them, as a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from haikei.reports.declared import Declared, about_what, reference
from haikei.reports.document import Align, Badge, Cell, Column, Item, Lines, Table, Tone
from haikei.reports.knowing import DECLARED, NOT_RECORDED
from haikei.reports.naming import shown
from haikei.reports.words import Text, Words

#: Statements under one question that are written out; the rest is counted.
MOST = 12
_ANSWERS = {
    "yes": Words("yes", "はい"),
    "no": Words("no", "いいえ"),
    "unsure": Words("unsure", "不明"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, what was said to it, and what to do where nothing was."""

    question: Text
    found: tuple[Declared, ...]
    how: Text  #: to record it


def answers(key: str, asked: Iterable[Asked], *, caption: Text = "") -> Table:
    """Return the table; a question that nobody has answered stands there as not recorded."""
    return Table(
        key=key,
        columns=(
            Column(key="question", title=Words("Question", "質問"), wide=True),
            Column(key="about", title=Words("About", "対象")),
            Column(key="answer", title=Words("Answer", "回答")),
            Column(key="said", title=Words("What was said", "内容"), wide=True),
            Column(key="by", title=Words("By whom, when", "回答者・日付")),
            Column(key="paper", title=Words("Paper", "資料"), linked=True),
            Column(key="entry", title=Words("Ledger entry", "台帳番号"), align=Align.END),
        ),
        rows=(row for one in asked for row in _rows(one)),
        caption=caption,
    )


def by_whom(one: Declared) -> Lines:
    """Return who said it, to whom, on which day, and that it is declared."""
    said = one.statement
    items: list[Item] = [shown(said.by), said.at.date().isoformat()]
    if said.to:
        items.append(Words(f"to {said.to}", f"宛先：{said.to}"))
    return Lines((*items, DECLARED))


def sealed(one: Declared) -> Lines:
    """Return the ledger entry of a statement and the day on which it was sealed."""
    day = one.recorded_at.date().isoformat()
    return Lines((one.entry, Words(f"sealed {day}", f"記録日 {day}")))


def answer(text: str, *, alert: bool = False) -> Cell:
    """Return an answer as a badge; a statement without one has none."""
    if not text:
        return None
    return Badge(_ANSWERS.get(text, text), Tone.ALERT if alert else Tone.OUTLINE)


def _rows(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    if not asked.found:
        yield (asked.question, None, NOT_RECORDED, asked.how, None, None, None)
    for one in asked.found[:MOST]:
        said = one.statement
        yield (
            asked.question,
            about_what(said),
            answer(said.answer),
            said.text,
            by_whom(one),
            reference(said.reference) or None,
            sealed(one),
        )
    rest = len(asked.found) - MOST
    if rest > 0:
        more = Words(f"and {rest:,} more", f"ほか{rest:,}件")
        yield (asked.question, None, None, more, None, None, None)
