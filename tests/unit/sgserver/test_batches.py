"""Batches happen together or not at all."""

import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault
from support.sites import link, number


@dataclass(frozen=True, slots=True)
class Stage:
    """A site with a shot or two, shared by every example."""

    site: Site
    me: Caller
    project: dict[str, Any]
    shots: tuple[int, ...]
    retired: int

    def everything(self) -> list[Any]:
        """Return all there is to see."""
        types = ("Shot", "Asset", "EventLogEntry")
        fields = ("code", "assets", "sg_status_list", "shots", "entity", "meta", "updated_at")
        return [
            self.site.find(self.me, kind, (), fields, retired_only=retired)
            for kind in types
            for retired in (False, True)
        ]


@pytest.fixture(scope="module")
def stage() -> Generator[Stage, None, None]:
    with tempfile.TemporaryDirectory() as folder:
        site = Site.open(Path(folder))
        site.add_script("haikei", "key")
        me = site.authenticate({"script_name": "haikei", "script_key": "key"})
        project = link(site.create(me, "Project", {"name": "Show"}))
        shots = tuple(
            number(site.create(me, "Shot", {"project": project, "code": f"c{n:03d}"}))
            for n in range(3)
        )
        site.delete(me, "Shot", shots[2])
        yield Stage(site, me, project, shots[:2], shots[2])
        site.close()


def write(name: str, value: Any) -> dict[str, Any]:
    return {"field_name": name, "value": value}


def good(stage: Stage, choice: int) -> dict[str, Any]:
    shot = {"type": "Shot", "id": stage.shots[choice % 2]}
    match choice % 4:
        case 0:
            fields = [write("project", stage.project), write("code", "new"), write("shots", [shot])]
            return {"request_type": "create", "type": "Asset", "fields": fields}
        case 1:
            return {"request_type": "update", **shot, "fields": [write("sg_status_list", "ip")]}
        case 2:
            return {"request_type": "update", **shot, "fields": [write("assets", [])]}
        case _:
            return {
                "request_type": "create",
                "type": "Shot",
                "fields": [write("project", stage.project)],
            }


def bad(stage: Stage, choice: int) -> dict[str, Any]:
    shot = {"type": "Shot", "id": stage.shots[0]}
    requests: list[dict[str, Any]] = [
        {"request_type": "create", "type": "Asset", "fields": [write("code", "no project")]},
        {"request_type": "update", **shot, "fields": [write("sg_status_list", "nonsense")]},
        {"request_type": "update", "type": "Shot", "id": 999_999, "fields": []},
        {"request_type": "delete", "type": "Shot", "id": stage.retired},
        {"request_type": "delete", "type": "Shot", "id": 999_999},
        {"request_type": "revive", "type": "Shot", "id": stage.retired},
        {"request_type": "create", "type": "Nonsense", "fields": []},
        {"request_type": "update", **shot, "fields": [write("nope", 1)]},
        {"request_type": "update", "type": "Shot", "fields": []},
        {"request_type": "update", **shot, "fields": [{"value": 1}]},
        {
            "request_type": "update",
            **shot,
            "fields": [{**write("assets", []), "multi_entity_update_mode": "mix"}],
        },
    ]
    return requests[choice]


@settings(max_examples=40, deadline=None)
@given(
    before=st.lists(st.integers(0, 7), max_size=4),
    wrong=st.integers(0, 10),
    after=st.lists(st.integers(0, 7), max_size=2),
)
def test_a_batch_with_one_bad_request_changes_nothing(
    stage: Stage, before: list[int], wrong: int, after: list[int]
) -> None:
    seen = stage.everything()
    requests = [
        *(good(stage, choice) for choice in before),
        bad(stage, wrong),
        *(good(stage, choice) for choice in after),
    ]
    with pytest.raises(Fault):
        dispatch(stage.site, stage.me, "batch", requests)
    assert stage.everything() == seen


def test_results_come_in_the_order_of_the_requests(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = link(site.create(me, "Shot", {"project": project, "code": "c001"}))
    requests: Any = [
        {
            "request_type": "create",
            "type": "Version",
            "fields": [write("project", project), write("entity", shot)],
            "return_fields": ["entity.Shot.code"],
        },
        {"request_type": "update", **shot, "fields": [write("code", "c002")]},
        {"request_type": "delete", **shot},
    ]
    created, updated, deleted = site.batch(me, requests)
    assert isinstance(created, dict)
    assert created["entity.Shot.code"] == "c001"
    assert updated == {**shot, "code": "c002"}
    assert deleted is True
    for nonsense in ("x", ["x"]):
        with pytest.raises(Fault, match=r"API batch\(\)"):
            site.batch(me, nonsense)
