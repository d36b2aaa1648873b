"""Which rows a read gives, in which order, page by page."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault
from support.clocks import PATIENCE
from support.sites import link, number


def read(site: Site, me: Caller, **call: Any) -> Mapping[str, Any]:
    answer = dispatch(site, me, "read", call)
    assert isinstance(answer, Mapping)
    return answer


@pytest.fixture
def shots(site: Site, me: Caller, project: dict[str, Any]) -> list[dict[str, Any]]:
    values = [("c3", 5), ("C1", None), ("c2", 5), ("b9", 1), ("d0", 0)]
    return [
        link(site.create(me, "Shot", {"project": project, "code": code, "sg_cut_order": order}))
        for code, order in values
    ]


def codes(answer: Mapping[str, Any]) -> list[str]:
    return [row["code"] for row in answer["entities"]]


def test_pages_follow_each_other_and_say_whether_there_are_more(
    site: Site, me: Caller, shots: list[dict[str, Any]]
) -> None:
    seen: list[int] = []
    more = []
    for page in (1, 2, 3, 4):
        paging = {"entities_per_page": 2, "current_page": page}
        answer = read(site, me, type="Shot", paging=paging, return_paging_info_without_counts=True)
        seen += [row["id"] for row in answer["entities"]]
        more.append(answer["paging_info"]["has_next_page"])
    assert seen == [shot["id"] for shot in shots]
    assert more == [True, True, False, False]
    counted = read(
        site,
        me,
        type="Shot",
        paging={"entities_per_page": 2, "current_page": 1},
        return_paging_info=True,
    )
    assert counted["paging_info"]["entity_count"] == 5
    assert counted["paging_info"]["page_count"] == 3


@pytest.mark.parametrize("wrong", [0, -1, "x", True])
def test_a_wrong_page_is_refused(site: Site, me: Caller, wrong: Any) -> None:
    with pytest.raises(Fault, match="invalid/missing integer 'paging' 'current_page'"):
        read(site, me, type="Shot", paging={"entities_per_page": 2, "current_page": wrong})
    with pytest.raises(Fault, match="invalid/missing hash 'paging'"):
        read(site, me, type="Shot", paging="x")


def test_an_order_has_several_keys_ignores_case_and_ends_with_the_id(
    site: Site, me: Caller, shots: list[dict[str, Any]]
) -> None:
    def sorted_by(*keys: tuple[str, str]) -> list[str]:
        sorts = [{"field_name": name, "direction": direction} for name, direction in keys]
        return codes(read(site, me, type="Shot", return_fields=["code"], sorts=sorts))

    assert sorted_by(("code", "asc")) == ["b9", "C1", "c2", "c3", "d0"]
    assert sorted_by(("code", "desc")) == ["d0", "c3", "c2", "C1", "b9"]
    assert sorted_by(("sg_cut_order", "desc"), ("code", "asc")) == ["c2", "c3", "b9", "d0", "C1"]
    assert sorted_by(("sg_cut_order", "desc")) == ["c3", "c2", "b9", "d0", "C1"]
    assert sorted_by(("id", "desc")) == ["d0", "b9", "c2", "C1", "c3"]
    unsorted = ["c3", "C1", "c2", "b9", "d0"]
    for ignored in ("nope", "open_notes_count", "assets", "image_source_entity.Nope.code"):
        assert sorted_by((ignored, "desc")) == unsorted
    with pytest.raises(Fault, match="invalid array 'sorts'"):
        read(site, me, type="Shot", return_fields=["code"], sorts="x")


def test_an_order_may_follow_a_link(site: Site, me: Caller, shots: list[dict[str, Any]]) -> None:
    project: dict[str, Any] = {"type": "Project", "id": number(site.find(me, "Project")[0])}
    for shot in shots:
        site.create(me, "Version", {"project": project, "entity": shot})
    for key in ("entity.Shot.code", "entity"):
        order: Any = [(key, "asc")]
        rows = site.find(me, "Version", (), ["entity.Shot.code"], order=order)
        assert [row["entity.Shot.code"] for row in rows] == ["b9", "C1", "c2", "c3", "d0"]


def test_unknown_fields_are_left_out_and_dotted_ones_read_over_single_links_only(
    site: Site, me: Caller, shots: list[dict[str, Any]]
) -> None:
    project: dict[str, Any] = {"type": "Project", "id": number(site.find(me, "Project")[0])}
    asset = link(site.create(me, "Asset", {"project": project, "shots": shots[:2]}))
    site.create(me, "Version", {"project": project, "entity": shots[0]})
    site.create(me, "Version", {"project": project, "entity": asset})
    fields = [
        *(
            "nope",
            "entity.Shot.code",
            "entity.Bogus.code",
            "entity.Shot.bogus",
            "sg_task.Shot.code",
        ),
        *("entity.Shot.assets", "entity.Shot.project", "entity.Shot.id", "entity.Asset.shots"),
        *("entity.Shot", "entity.Shot.assets.Asset.code", "project.Project.name"),
    ]
    first, second = site.find(me, "Version", (), fields)
    assert first == {
        "type": "Version",
        "id": first["id"],
        "entity.Shot.code": "c3",
        "entity.Shot.assets": [{**asset, "name": f"New Asset {asset['id']}"}],
        "entity.Shot.project": {**project, "name": "Show"},
        "entity.Shot.id": shots[0]["id"],
        "entity.Asset.shots": None,
        "project.Project.name": "Show",
    }
    assert second["entity.Shot.code"] is None
    listed: Any = second["entity.Asset.shots"]
    assert [one["id"] for one in listed] == [shot["id"] for shot in shots[:2]]


def test_retired_rows_are_read_when_they_are_asked_for(
    site: Site, me: Caller, shots: list[dict[str, Any]]
) -> None:
    site.delete(me, "Shot", shots[1]["id"])
    live = read(site, me, type="Shot", return_fields=["code"], return_only="active")
    assert codes(live) == ["c3", "c2", "b9", "d0"]
    retired = read(site, me, type="Shot", return_fields=["code"], return_only="retired")
    assert codes(retired) == ["C1"]
    assert dispatch(site, me, "delete", {"type": "Shot", "id": shots[1]["id"]}) is False
    assert dispatch(site, me, "revive", {"type": "Shot", "id": shots[1]["id"]}) is True
    assert dispatch(site, me, "revive", {"type": "Shot", "id": shots[1]["id"]}) is False
    for verb in ("delete", "revive"):
        with pytest.raises(Fault, match=f"API {verb}.* with id=999999 does not exist"):
            dispatch(site, me, verb, {"type": "Shot", "id": 999_999})


def test_a_task_takes_its_dependencies_along_and_brings_them_back(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    first = link(site.create(me, "Task", {"project": project, "content": "layout"}))
    second = site.create(
        me, "Task", {"project": project, "content": "bg", "upstream_tasks": [first]}
    )
    version = site.create(me, "Version", {"project": project, "sg_task": link(second)})
    site.delete(me, "Task", number(second))
    assert site.find(me, "TaskDependency") == []
    assert site.find_one(me, "Version", (), ["sg_task"]) == {**link(version), "sg_task": None}
    site.revive(me, "Task", number(second))
    assert len(site.find(me, "TaskDependency")) == 1
    found = site.find_one(me, "Task", [["id", "is", first["id"]]], ["downstream_tasks"])
    assert found is not None
    assert found["downstream_tasks"] == [{**link(second), "name": "bg"}]
    back = site.find_one(me, "Version", (), ["sg_task"])
    assert back is not None
    assert back["sg_task"] == {**link(second), "name": "bg"}


def test_archived_projects_are_left_out_when_asked(
    site: Site, me: Caller, shots: list[dict[str, Any]]
) -> None:
    project = number(site.find(me, "Project")[0])
    site.update(me, "Project", project, {"archived": True})
    for kind in ("Shot", "Project"):
        assert read(site, me, type=kind)["entities"] != []
        assert read(site, me, type=kind, include_archived_projects=False)["entities"] == []
    assert read(site, me, type="Step", include_archived_projects=False)["entities"] != []


def test_presets_give_the_latest_of_each_entity(
    site: Site, me: Caller, project: dict[str, Any], shots: list[dict[str, Any]]
) -> None:
    steps = {
        row["code"]: link(row)
        for row in site.find(me, "Step", [["entity_type", "is", "Shot"]], ["code"])
    }
    tasks = [
        link(site.create(me, "Task", {"project": project, "step": steps[name]}))
        for name in ("Layout", "Composite")
    ]
    for code, shot, task in (("a", 0, 1), ("b", 0, 0), ("c", 1, 0), ("d", 1, 0)):
        fields: dict[str, Any] = {"project": project, "code": code, "entity": shots[shot]}
        site.create(me, "Version", {**fields, "sg_task": tasks[task]})
    site.create(me, "Version", {"project": project, "code": "loose"})

    def latest(by: str, kind: str = "Version") -> list[str]:
        preset = {"preset_name": "LATEST", "latest_by": by}
        answer = read(
            site, me, type=kind, return_fields=["code"], additional_filter_presets=[preset]
        )
        return codes(answer)

    assert latest("ENTITIES_CREATED_AT") == ["b", "d"]
    assert latest("BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT") == ["a", "d"]
    only = {"conditions": [{"path": "code", "relation": "in", "values": ["a", "c"]}]}
    by_date = {"preset_name": "LATEST", "latest_by": "ENTITIES_CREATED_AT"}
    answer = read(
        site,
        me,
        type="Version",
        return_fields=["code"],
        filters=only,
        additional_filter_presets=[by_date],
    )
    assert codes(answer) == ["a", "c"], "the latest of the rows that pass the filters"
    for code, version in (("f2", 2), ("f1", 1), ("f0", None)):
        fields = {"project": project, "code": code, "entity": shots[0], "version_number": version}
        site.create(me, "PublishedFile", fields)
    assert latest("VERSION_NUMBER", "PublishedFile") == ["f2"]
    assert latest("ENTITIES_CREATED_AT", "PublishedFile") == ["f0"]
    with pytest.raises(Fault, match="invalid 'latest_by'"):
        latest("VERSION_NUMBER")
    for wrong in ("x", ["x"], [{"preset_name": "NOPE"}]):
        with pytest.raises(Fault, match="additional_filter_presets"):
            read(site, me, type="Version", additional_filter_presets=wrong)


@pytest.mark.parametrize(
    "filters",
    [
        "x",
        {"logical_operator": "xor", "conditions": []},
        {"logical_operator": "and", "conditions": "x"},
        {"logical_operator": "and", "conditions": ["x"]},
        {"logical_operator": "and", "conditions": [{"path": 5, "relation": "is"}]},
    ],
)
def test_malformed_filters_are_refused(site: Site, me: Caller, filters: Any) -> None:
    with pytest.raises(Fault) as caught:
        read(site, me, type="Shot", filters=filters)
    assert caught.value.code == 103


def test_groups_may_nest_as_deeply_as_on_the_real_site_and_no_deeper(
    site: Site, me: Caller
) -> None:
    def nested(depth: int) -> Any:
        filters: dict[str, Any] = {"logical_operator": "and", "conditions": []}
        for _ in range(depth - 1):
            filters = {"logical_operator": "or", "conditions": [filters]}
        return filters

    assert read(site, me, type="Shot", filters=nested(200))["entities"] == []
    with pytest.raises(Fault, match="'filters'"):
        read(site, me, type="Shot", filters=nested(300))
    deep: Any = {"path": "code", "relation": "is", "values": ["x"]}
    one = deep
    for depth in range(200):
        deep = {"logical_operator": ("and", "or")[depth % 2], "conditions": [one, deep]}
    with pytest.raises(Fault, match="'filters' are too complex"):
        read(site, me, type="Shot", filters=deep)


def test_readers_see_whole_writes_while_others_write(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    stop = threading.Event()
    torn: list[Any] = []

    def watch() -> None:
        while not stop.is_set():
            rows = site.find(me, "Shot", (), ["code", "description"])
            torn.extend(row for row in rows if row["code"] != row["description"])

    def work(name: str) -> None:
        for n in range(10):
            row = site.create(me, "Shot", {"project": project, "code": name, "description": name})
            changed = f"{name}{n}"
            site.update(me, "Shot", number(row), {"code": changed, "description": changed})

    reader = threading.Thread(target=watch)
    writers = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(PATIENCE)
    stop.set()
    reader.join(PATIENCE)
    assert torn == []
    assert len(site.find(me, "Shot")) == 30
