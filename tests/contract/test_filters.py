"""Every filter operator of every data type, null included, through the real client over HTTP."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import pytest
import shotgun_api3

from support.sites import RunningSite, running_site

#: What a filter holds against a row's value: True, False, or a fault's words.
Reading: TypeAlias = Callable[[Any, Sequence[Any]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A data type: the field that has it, what rows hold in it, and what filters ask of it."""

    data_type: str
    field: str
    held: tuple[Any, ...]  #: one row each
    asked: dict[str, tuple[tuple[Any, ...], ...]]  #: by operator, the operands to try
    properties: dict[str, Any] | None = None  #: of the custom field; None for a shipped one


def fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def same(value: Any, operand: Any) -> bool:
    ends = [one or None if isinstance(one, str) else one for one in (value, operand)]
    return bool(fold(ends[0]) == fold(ends[1]))


def within(value: Any, low: Any, high: Any) -> bool:
    return None not in {value, low, high} and low <= value <= high


# The documented semantics, read in plain Python: text compares without case and has no empty
# string, what negates also matches null, comparisons never do, `between` includes both ends.
READINGS: dict[str, Reading] = {
    "is": lambda v, o: same(v, o[0]),
    "is_not": lambda v, o: not same(v, o[0]),
    "in": lambda v, o: any(same(v, one) for one in o),
    "not_in": lambda v, o: not any(same(v, one) for one in o),
    "contains": lambda v, o: v is not None and fold(o[0] or "") in fold(v),
    "not_contains": lambda v, o: v is None or fold(o[0] or "") not in fold(v),
    "starts_with": lambda v, o: v is not None and fold(v).startswith(fold(o[0])),
    "ends_with": lambda v, o: v is not None and fold(v).endswith(fold(o[0])),
    "greater_than": lambda v, o: None not in {v, o[0]} and v > o[0],
    "less_than": lambda v, o: None not in {v, o[0]} and v < o[0],
    "between": lambda v, o: within(v, o[0], o[1]),
    "not_between": lambda v, o: not within(v, o[0], o[1]),
}


def whole_numbers(data_type: str) -> Subject:
    return Subject(
        data_type=data_type,
        field=f"sg_a_{data_type}",
        properties={},
        held=(None, 0, 1, 1001, -5, 2**31 - 1),
        asked={
            "is": ((0,), (1001,), (None,), (7,)),
            "is_not": ((0,), (1001,), (None,), (7,)),
            "greater_than": ((0,), (-5,), (1001,), (None,)),
            "less_than": ((0,), (1,), (-5,), (None,)),
            "between": ((0, 1001), (2, 1000), (None, 5), (5, None)),
            "not_between": ((0, 1001), (2, 1000), (None, 5)),
            "in": ((0, 1), (7,), (1001,)),
            "not_in": ((0, 1), (7,), (1001,)),
        },
    )


def real_numbers(data_type: str) -> Subject:
    return Subject(
        data_type=data_type,
        field=f"sg_a_{data_type}",
        properties={},
        held=(None, 0.0, 1.5, -2.25, 1000.125),
        asked={
            "is": ((0.0,), (1.5,), (None,), (7.5,)),
            "is_not": ((0.0,), (1.5,), (None,), (7.5,)),
            "greater_than": ((0.0,), (1.5,), (None,)),
            "less_than": ((0.0,), (1.5,), (None,)),
            "between": ((0.0, 1.5), (2.0, 3.0), (None, 5.0)),
            "not_between": ((0.0, 1.5), (2.0, 3.0), (None, 5.0)),
            "in": ((0.0, 1.5), (7.5,)),
            "not_in": ((0.0, 1.5), (7.5,)),
        },
    )


def choices(data_type: str, properties: dict[str, Any] | None) -> Subject:
    asked = (("ip",), ("IP",), (None,), ("",), ("zz",))
    return Subject(
        data_type=data_type,
        field="sg_status_list" if properties is None else f"sg_a_{data_type}",
        properties=properties,
        held=(None, "ip", "cmpt", "wtg"),
        asked={
            "is": asked,
            "is_not": asked,
            "in": (("ip", "WTG"), ("zz",), ("ip", "zz")),
            "not_in": (("ip", "WTG"), ("zz",), ("ip", "zz")),
        },
    )


TEXTS = ("lighting", "Layout", "100% done", "under_score", "back\\slash", "Éclair", "背景")
PIECES = ("ight", "IGHT", "L", "100%", "r_s", "k\\s", "éC", "景", "zz", "lighting", "背")

SUBJECTS = (
    Subject(
        data_type="text",
        field="sg_a_text",
        properties={},
        held=(None, *TEXTS),
        asked={
            "is": (*((text,) for text in TEXTS), ("LIGHTING",), ("éclair",), (None,), ("",)),
            "is_not": (*((text,) for text in TEXTS), ("LIGHTING",), ("éclair",), (None,), ("",)),
            "contains": (*((piece,) for piece in PIECES), ("",)),
            "not_contains": (*((piece,) for piece in PIECES), ("",)),
            "starts_with": tuple((piece,) for piece in PIECES),
            "ends_with": tuple((piece,) for piece in PIECES),
            "in": (("lighting", "ÉCLAIR"), ("zz",), ("背景", "LAYOUT")),
            "not_in": (("lighting", "ÉCLAIR"), ("zz",), ("背景", "LAYOUT")),
        },
    ),
    whole_numbers("number"),
    whole_numbers("percent"),
    whole_numbers("duration"),
    whole_numbers("timecode"),
    real_numbers("float"),
    real_numbers("currency"),
    choices("list", {"valid_values": ["ip", "cmpt", "wtg"]}),
    choices("status_list", None),
    Subject(
        data_type="checkbox",
        field="sg_a_checkbox",
        properties={"default_value": False},
        held=(True, False),
        asked={"is": ((True,), (False,)), "is_not": ((True,), (False,))},
    ),
    Subject(
        data_type="footage",
        field="sg_a_footage",
        properties={},
        held=(None, "12-03"),
        asked={
            "is": (("12-03",), (None,)),
            "is_not": (("12-03",), (None,)),
            "in": (("12-03", "x"),),
            "not_in": (("12-03", "x"),),
        },
    ),
)

KIND = "CustomEntity02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """The site under test: a client, and which row holds which value of each data type."""

    client: Any  #: shotgun_api3's own; its types know no custom fields
    project: dict[str, Any]
    rows: dict[str, dict[int, Any]]
    site: RunningSite


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Generator[Filtered, None, None]:
    with running_site(tmp_path_factory.mktemp("filters")) as running:
        client: Any = running.connect()
        project = client.create("Project", {"name": "Filters"})
        rows: dict[str, dict[int, Any]] = {}
        for subject in SUBJECTS:
            if subject.properties is not None:
                made = client.schema_field_create(
                    KIND, subject.data_type, f"a {subject.data_type}", subject.properties
                )
                assert made == subject.field
            requests = [
                {
                    "request_type": "create",
                    "entity_type": KIND,
                    "data": {
                        "project": project,
                        "code": subject.data_type,
                        subject.field: value,
                    },
                }
                for value in subject.held
            ]
            made_rows = client.batch(requests)
            rows[subject.data_type] = {
                row["id"]: value for row, value in zip(made_rows, subject.held, strict=True)
            }
        yield Filtered(client=client, project=project, rows=rows, site=running)


def cases() -> list[Any]:
    return [
        pytest.param(subject, operator, id=f"{subject.data_type}-{operator}")
        for subject in SUBJECTS
        for operator in subject.asked
    ]


@pytest.mark.parametrize(("subject", "operator"), cases())
def test_a_filter_finds_what_the_documented_semantics_say(
    filtered: Filtered, subject: Subject, operator: str
) -> None:
    held = filtered.rows[subject.data_type]
    for operands in subject.asked[operator]:
        listed = len(operands) > 1 or operator.endswith("in")
        value: Any = list(operands) if listed else next(iter(operands))
        found = filtered.client.find(
            KIND, [["code", "is", subject.data_type], [subject.field, operator, value]]
        )
        expected = [id_ for id_, v in held.items() if READINGS[operator](v, operands)]
        assert [row["id"] for row in found] == expected, (operator, operands)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.data_type)
def test_the_operators_tried_are_all_there_are(filtered: Filtered, subject: Subject) -> None:
    with pytest.raises(shotgun_api3.Fault, match="doesn't support 'nonsense'") as caught:
        filtered.client.find(KIND, [[subject.field, "nonsense", "x"]])
    listed = str(caught.value).partition("Valid relations: [")[2].rstrip("]")
    assert {name.strip('"') for name in listed.split(", ")} == set(subject.asked)


MOMENTS = (
    None,
    datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30),
    datetime.now(UTC).replace(microsecond=0) - timedelta(days=10),
    datetime.now(UTC).replace(microsecond=0) - timedelta(days=1000),
    datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30),
    datetime.now(UTC).replace(microsecond=0) + timedelta(days=400),
)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


#: Whether a day is so many units away from today.
CALENDAR: dict[str, Callable[[date, date, int], bool]] = {
    "in_calendar_day": lambda day, today, n: (day - today).days == n,
    "in_calendar_week": lambda day, today, n: (monday(day) - monday(today)).days == 7 * n,
    "in_calendar_month": lambda day, today, n: (
        (day.year - today.year) * 12 + day.month - today.month == n
    ),
    "in_calendar_year": lambda day, today, n: day.year - today.year == n,
}


def asked_in_one_day(ask: Callable[[], set[int]]) -> tuple[set[int], datetime]:
    """Return what is found, and when it was asked for; once more when midnight came between."""
    while True:
        now = datetime.now(UTC)
        found = ask()
        if datetime.now(UTC).date() == now.date():
            return found, now


@pytest.fixture(scope="module", params=["date_time", "date"])
def dated(
    filtered: Filtered, request: pytest.FixtureRequest
) -> tuple[str, dict[int, datetime | date | None]]:
    data_type = str(request.param)
    field = filtered.client.schema_field_create(KIND, data_type, f"a {data_type}")
    held: dict[int, datetime | date | None] = {}
    for moment in MOMENTS:
        value = moment.date() if moment is not None and data_type == "date" else moment
        row = filtered.client.create(
            KIND, {"project": filtered.project, "code": data_type, field: value}
        )
        held[row["id"]] = value
    return field, held


Dated: TypeAlias = tuple[str, dict[int, datetime | date | None]]


def ids(filtered: Filtered, dated: Dated, operator: str, *operands: Any) -> set[int]:
    field, held = dated
    rows = filtered.client.find(KIND, [["id", "in", list(held)], [field, operator, *operands]])
    return {row["id"] for row in rows}


def day_of(value: datetime | date) -> date:
    return value.date() if isinstance(value, datetime) else value


@pytest.mark.parametrize("operator", ["is", "is_not", "in", "not_in", "greater_than", "less_than"])
def test_dates_compare_exactly_and_negations_match_null(
    filtered: Filtered, dated: Dated, operator: str
) -> None:
    _, held = dated
    for value in [v for v in held.values() if v is not None]:
        operand: Any = [value] if operator.endswith("in") else value
        expected = {i for i, v in held.items() if READINGS[operator](v, [value])}
        assert ids(filtered, dated, operator, operand) == expected


@pytest.mark.parametrize("operator", ["is", "is_not", "greater_than", "less_than"])
def test_a_null_date_is_only_itself(filtered: Filtered, dated: Dated, operator: str) -> None:
    _, held = dated
    expected = {
        "is": {i for i, v in held.items() if v is None},
        "is_not": {i for i, v in held.items() if v is not None},
    }
    assert ids(filtered, dated, operator, None) == expected.get(operator, set())


def test_between_dates_takes_both_ends_in_any_order_and_nothing_for_null(
    filtered: Filtered, dated: Dated
) -> None:
    _, held = dated
    known = sorted(v for v in held.values() if v is not None)
    low, high = known[0], known[2]
    expected = {i for i, v in held.items() if v is not None and low <= v <= high}
    assert ids(filtered, dated, "between", [low, high]) == expected
    assert ids(filtered, dated, "between", [high, low]) == expected
    assert ids(filtered, dated, "between", [low, None]) == set()


@pytest.mark.parametrize("unit", ["HOUR", "DAY", "WEEK", "MONTH", "YEAR"])
@pytest.mark.parametrize("operator", ["in_last", "not_in_last", "in_next", "not_in_next"])
def test_relative_dates_count_from_now_and_their_negations_match_null(
    filtered: Filtered, dated: Dated, operator: str, unit: str
) -> None:
    field, held = dated
    span = {"HOUR": 1 / 24, "DAY": 1, "WEEK": 7, "MONTH": 31, "YEAR": 366}[unit]
    # Three of each unit: far from every value held, so that no edge decides.
    reach = timedelta(days=3 * span)
    found, now = asked_in_one_day(lambda: ids(filtered, dated, operator, 3, unit))
    ends = (now - reach, now) if operator.endswith("last") else (now, now + reach)
    inside: set[int] = set()
    for id_, value in held.items():
        if isinstance(value, datetime):
            reached = ends[0] <= value <= ends[1]
        else:
            reached = value is not None and ends[0].date() <= value <= ends[1].date()
        if reached:
            inside.add(id_)
    expected = set(held) - inside if operator.startswith("not") else inside
    assert found == expected, field


@pytest.mark.parametrize("operator", sorted(CALENDAR))
@pytest.mark.parametrize("offset", [-2, -1, 0, 1])
def test_calendar_dates_are_whole_units_of_utc(
    filtered: Filtered, dated: Dated, operator: str, offset: int
) -> None:
    _, held = dated
    found, now = asked_in_one_day(lambda: ids(filtered, dated, operator, offset))
    expected = {
        i
        for i, v in held.items()
        if v is not None and CALENDAR[operator](day_of(v), now.date(), offset)
    }
    assert found == expected


def test_dates_take_these_operators_and_no_others(filtered: Filtered, dated: Dated) -> None:
    with pytest.raises(shotgun_api3.Fault, match="Valid relations") as caught:
        ids(filtered, dated, "contains", "2026")
    listed = str(caught.value).partition("Valid relations: [")[2].rstrip("]")
    assert {name.strip('"') for name in listed.split(", ")} == {
        *("is", "is_not", "greater_than", "less_than", "between", "in", "not_in"),
        *("in_last", "not_in_last", "in_next", "not_in_next"),
        *CALENDAR,
    }
