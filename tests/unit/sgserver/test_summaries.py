"""`summarize` adds up in SQL where it can, and by rows where it must: both say the same."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.query import summaries
from haikei.sgserver.query.summaries import GROUPINGS, SUMMARIES
from haikei.sgserver.site import Site
from support.sites import link

_CODES = ("a1", "A1", "é", "e\u0301", "Ｚ", "", "_x", "b'2", "ß", "SS")
_DURATIONS = (None, 0, -7, 12, 12, 99, 100, 1005, 250_000)
_FIELDS = {
    "Shot": (
        "id",
        "code",
        "description",
        "sg_status_list",
        "sg_cut_duration",
        "created_at",
        "project",
        "sg_sequence",
        "sg_sequence.Sequence.code",
        "sg_sequence.Sequence.sg_status_list",
        "assets",
        "created_by",
        "tag_list",
    ),
    "Version": (
        "id",
        "code",
        "flagged",
        "entity",
        "entity.Shot.sg_cut_duration",
        "sg_uploaded_movie_frame_rate",
    ),
    "Task": ("id", "content", "start_date", "due_date", "duration", "est_in_mins", "milestone"),
}
_WANTED = st.sampled_from((None, "ip", "IP", "a1", 12, 12.0, True, False, "12", 0, ["ip"]))


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Site, Caller]]:
    folder: Path = tmp_path_factory.mktemp("summaries")
    site = Site.open(folder)
    site.add_script("haikei", "key")
    me = site.authenticate({"script_name": "haikei", "script_key": "key"})
    project = link(site.create(me, "Project", {"name": "Show", "tank_name": "show"}))
    parts = [
        link(site.create(me, "Sequence", {"project": project, "code": code}))
        for code in ("s1", "S1", "t2")
    ]
    for number in range(40):
        shot = site.create(
            me,
            "Shot",
            {
                "project": project,
                "code": _CODES[number % len(_CODES)],
                "description": (None, "", "text", "Text")[number % 4],
                "sg_status_list": ("ip", "fin", "wtg", None)[number * 7 % 4],
                "sg_cut_duration": _DURATIONS[number % len(_DURATIONS)],
                "sg_sequence": (*parts, None)[number * 3 % 4],
            },
        )
        site.create(
            me,
            "Version",
            {
                "project": project,
                "code": f"v{number % 3}",
                "flagged": (True, False)[number % 2],
                "entity": (link(shot), None)[number % 5 == 0],
                "sg_uploaded_movie_frame_rate": (None, 24.0, 23.976, 0.0)[number % 4],
            },
        )
        site.create(
            me,
            "Task",
            {
                "project": project,
                "content": ("bg", "BG", "LO")[number % 3],
                "entity": link(shot),
                "start_date": (None, "2026-01-01", "2026-03-31", "2025-12-31")[number % 4],
                "due_date": (None, "2026-04-01", "2027-12-31")[number % 3],
                "milestone": number % 6 == 0,
            },
        )
    yield site, me
    site.close()


@st.composite
def _calls(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(_FIELDS)))
    field = st.sampled_from(_FIELDS[kind])
    figure = st.fixed_dictionaries(
        {"field": field, "type": st.sampled_from(sorted(SUMMARIES)), "value": _WANTED}
    )
    grouping = st.fixed_dictionaries(
        {
            "field": field,
            "type": st.sampled_from(GROUPINGS),
            "direction": st.sampled_from(("asc", "desc")),
        }
    )
    condition = st.one_of(
        st.fixed_dictionaries(
            {
                "path": st.just("id"),
                "relation": st.sampled_from(("less_than", "greater_than", "is", "in")),
                "values": st.lists(st.integers(-1, 45), min_size=1, max_size=1),
            }
        ),
        st.fixed_dictionaries(
            {
                "path": st.just("code" if kind != "Task" else "content"),
                "relation": st.sampled_from(("contains", "is", "is_not", "starts_with")),
                "values": st.sampled_from((["a"], ["A1"], ["v1"], ["bg"], ["é"])),
            }
        ),
    )
    filters = st.fixed_dictionaries(
        {
            "logical_operator": st.sampled_from(("and", "or")),
            "conditions": st.lists(condition, max_size=3),
        }
    )
    return {
        "type": kind,
        "filters": draw(filters),
        "summaries": draw(st.lists(figure, min_size=1, max_size=4)),
        "grouping": draw(st.lists(grouping, max_size=3)),
    }


def _answer(show: tuple[Site, Caller], call: dict[str, Any]) -> str:
    site, me = show
    return json.dumps(dispatch(site, me, "summarize", call), ensure_ascii=False)


def _never(*_: object) -> bool:
    return False


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=_calls())
def test_sql_and_rows_give_the_same_figures_and_groups(
    show: tuple[Site, Caller], call: dict[str, Any]
) -> None:
    by_sql = _answer(show, call)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "adds_up", _never)
        by_rows = _answer(show, call)
    assert by_sql == by_rows
