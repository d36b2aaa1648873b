"""The embedded tracker as a product: its fixture, and what its double must not get wrong."""

# A mutant reaches inside, as no other test does.
# pyright: reportPrivateUsage=false, reportUnknownLambdaType=false

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3

from haikei.sgserver.http import answering
from haikei.sgserver.http.rpc import METHODS
from haikei.sgserver.media.uploads import Uploads
from haikei.sgserver.query import conditions, reading
from haikei.sgserver.query.clauses import Clause
from haikei.sgserver.query.filters import Filters
from haikei.sgserver.schema import editing
from haikei.sgserver.testing import SgSite, serve_sg_site
from haikei.sgserver.write.event_log import Journal
from support.pictures import png_bytes

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture
def sg(sg_site: SgSite) -> Any:
    client = sg_site.connect()
    client.config.timeout_secs = 60
    return client


def test_a_studios_test_has_a_tracker_of_its_own(sg: Any) -> None:
    project = sg.create("Project", {"name": "Umi"})
    assert sg.find("Project", [["id", "is", project["id"]]], ["name"])[0]["name"] == "Umi"


def test_the_next_test_has_another(sg: Any) -> None:
    assert sg.find("Project", []) == []


def test_a_site_can_hold_a_studio_from_the_start(tmp_path: Path) -> None:
    with serve_sg_site(tmp_path, seed="demo") as running:
        assert running.connect().find("HumanUser", [])


def make_show(sg: Any) -> dict[str, Any]:
    project: dict[str, Any] = sg.create("Project", {"name": "Umi"})
    for number in range(7):
        fields = {
            "project": project,
            "code": f"c{number:03d}",
            "sg_cut_duration": number % 3 or None,
        }
        sg.create("Shot", fields)
    return {"type": "Project", "id": project["id"]}


def creations_are_in_the_event_log(sg: Any, show: dict[str, Any]) -> None:
    made = sg.find("EventLogEntry", [["event_type", "is", "Shotgun_Shot_New"]], ["meta"])
    assert len(made) == 7


def orders_are_kept(sg: Any, show: dict[str, Any]) -> None:
    order = [{"field_name": "code", "direction": "desc"}]
    found = sg.find("Shot", [["project", "is", show]], ["code"], order=order)
    assert [row["code"] for row in found] == [f"c{number:03d}" for number in reversed(range(7))]


def every_page_is_read(sg: Any, show: dict[str, Any]) -> None:
    pages = [
        sg.find("Shot", [["project", "is", show]], [], limit=3, page=number) for number in (1, 2, 3)
    ]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len(sg.find("Shot", [["project", "is", show]], [])) == 7


def any_filter_is_enough_where_any_is_asked(sg: Any, show: dict[str, Any]) -> None:
    either: Any = {
        "filter_operator": "any",
        "filters": [["code", "is", "c001"], ["code", "is", "c002"]],
    }
    assert len(sg.find("Shot", [["project", "is", show], either])) == 2


def nulls_are_not_unlike_values(sg: Any, show: dict[str, Any]) -> None:
    empty = sg.find("Shot", [["project", "is", show], ["sg_cut_duration", "is", None]])
    other = sg.find("Shot", [["project", "is", show], ["sg_cut_duration", "is_not", 1]])
    assert len(empty) == 3
    assert len(other) == 5, "rows without a value are not the value"


def what_went_up_comes_down(sg: Any, show: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "port.png"
    file.write_bytes(png_bytes("port"))
    version = sg.create("Version", {"project": show, "code": "v1"})
    sg.upload("Version", version["id"], str(file), "sg_uploaded_movie")
    row = sg.find_one("Version", [["id", "is", version["id"]]], ["sg_uploaded_movie"])
    assert sg.download_attachment(row["sg_uploaded_movie"]) == file.read_bytes()


def the_latest_is_that_of_the_rows_asked_for(sg: Any, show: dict[str, Any]) -> None:
    shot = sg.find_one("Shot", [["project", "is", show]])
    for status in ("rev", "vwd"):
        sg.create(
            "Version",
            {"project": show, "code": status, "entity": shot, "sg_status_list": status},
        )
    latest: Any = [{"preset_name": "LATEST", "latest_by": "ENTITIES_CREATED_AT"}]
    filters: Any = [["sg_status_list", "is", "rev"]]
    found = sg.find("Version", filters, ["code"], additional_filter_presets=latest)
    assert [row["code"] for row in found] == ["rev"]


def a_hidden_field_is_hidden_where_it_was(sg: Any, show: dict[str, Any]) -> None:
    name = sg.schema_field_create("Shot", "text", "Mood")
    sg.schema_field_update("Shot", name, {"visible": False}, project_entity=show)
    assert sg.schema_field_read("Shot", name, show)[name]["visible"]["value"] is False
    assert sg.schema_field_read("Shot", name)[name]["visible"]["value"] is True


Check = Callable[..., None]
CHECKS: Sequence[Check] = (
    creations_are_in_the_event_log,
    orders_are_kept,
    every_page_is_read,
    any_filter_is_enough_where_any_is_asked,
    nulls_are_not_unlike_values,
    what_went_up_comes_down,
    the_latest_is_that_of_the_rows_asked_for,
    a_hidden_field_is_hidden_where_it_was,
)


def run(check: Check, sg: Any, tmp_path: Path) -> None:
    show = make_show(sg)
    if check is what_went_up_comes_down:
        check(sg, show, tmp_path)
    else:
        check(sg, show)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
def test_the_double_is_right_where_doubles_go_wrong(sg: Any, tmp_path: Path, check: Check) -> None:
    run(check, sg, tmp_path)


def no_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "_write", lambda *_: 0)


def no_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading.Reader, "_order", lambda *_: [])


def short_pages(patch: pytest.MonkeyPatch) -> None:
    whole = answering.read

    def cut(site: Any, caller: Any, call: Any) -> Any:
        answer: Any = whole(site, caller, call)
        answer["paging_info"]["has_next_page"] = False
        return {**answer, "entities": answer["entities"][:3]}

    patch.setitem(METHODS, "read", (cut, METHODS["read"][1]))


def or_is_and(patch: pytest.MonkeyPatch) -> None:
    group = Filters._group

    def all_of_them(self: Filters, part: Any, scope: Any, depth: int) -> Clause:
        return group(self, {**part, "logical_operator": "and"}, scope, depth)

    patch.setattr(Filters, "_group", all_of_them)


def nulls_match_nothing(patch: pytest.MonkeyPatch) -> None:
    def negated(build: Any, subject: Any, relation: str, values: Any) -> Clause:
        positive = conditions._NEGATIONS.get(relation)
        clause: Clause = build(subject, positive or relation, values)
        return ~clause if positive else clause

    patch.setattr(conditions, "_negatable", negated)


def dead_uploads(patch: pytest.MonkeyPatch) -> None:
    attach = Uploads.attach

    def without_field(self: Uploads, *given: Any, **more: Any) -> int:
        return attach(self, *given, **{**more, "field": None})

    patch.setattr(Uploads, "attach", without_field)


def latest_before_filters(patch: pytest.MonkeyPatch) -> None:
    first = reading._first_of_each

    def of_all(kind: str, order: str, wanted: Clause, scope: Any) -> Clause:
        every = first(kind, order, Clause("t._retired = 0"), scope)
        return Clause(f"({every.sql}) AND ({wanted.sql})", wanted.parameters)

    patch.setattr(reading, "_first_of_each", of_all)


def visible_everywhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(editing, "_shown_in", lambda _work, _kind, field, _project, _visible: field)


@pytest.mark.parametrize(
    ("mutant", "check"),
    list(
        zip(
            (
                no_events,
                no_order,
                short_pages,
                or_is_and,
                nulls_match_nothing,
                dead_uploads,
                latest_before_filters,
                visible_everywhere,
            ),
            CHECKS,
            strict=True,
        )
    ),
    ids=lambda one: str(one.__name__),
)
def test_a_wrong_double_is_found_out(
    sg: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutant: Callable[[pytest.MonkeyPatch], None],
    check: Check,
) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, shotgun_api3.ShotgunError, KeyError, TypeError)):
        run(check, sg, tmp_path)
