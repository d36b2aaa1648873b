"""How many versions were made, day by day."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from haikei.reports.counted import column_blocks
from haikei.reports.document import Block
from haikei.reports.tally import Trail
from haikei.reports.words import Language, Words

#: Up to so many days each has a bar of its own; beyond, weeks and then months have.
_DAYS, _WEEKS = 62, 62 * 7


def day_blocks(days: Mapping[date, Trail], language: Language) -> Iterator[Block]:
    """Yield versions by day, week or month of their making in UTC, as suits the show's length."""
    length = (max(days) - min(days)).days + 1
    if length <= _DAYS:
        unit, step = Words("day", "日"), "day"
    elif length <= _WEEKS:
        unit, step = Words("week, from Monday", "週（月曜始まり）"), "week"
    else:
        unit, step = Words("month", "月"), "month"
    yield from column_blocks(
        language,
        key="days",
        title=Words(f"Versions made each {unit.en}", f"{unit.ja}ごとのバージョン数"),
        found=_spans(days, step),
        head=Words(f"{unit.en} (UTC)", f"{unit.ja}（UTC）"),
        counted=Words("versions", "バージョン数"),
        colour=0,
    )


def _spans(days: Mapping[date, Trail], step: str) -> list[tuple[str, Trail]]:
    """Return every span from the first to the last day, those without a version too."""
    found: dict[date, Trail] = {}
    day, last = _begin(min(days), step), max(days)
    while day <= last:
        found[day] = Trail()
        day = _begin(day + timedelta(days={"day": 1, "week": 7, "month": 32}[step]), step)
    for one in sorted(days):
        begin = _begin(one, step)
        found[begin] = found[begin].joined(days[one])
    form = "%m-%d" if len({day.year for day in found}) == 1 else "%Y-%m-%d"
    form = "%Y-%m" if step == "month" else form
    return [(day.strftime(form), trail) for day, trail in found.items()]


def _begin(day: date, step: str) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day
