"""The lineage in MovieLabs' OMC-JSON."""

import json
import re
from collections.abc import Iterator
from typing import Any

from haikei.credits import Person
from haikei.reports import Format
from support.records import a_background, a_chain, a_person, save_show
from support.reports import ReportDesk

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def _entities(desk: ReportDesk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(desk.text("omc", Format.JSON))
    return found


def _id(entity: dict[str, Any]) -> str:
    value: str = entity["identifier"][0]["identifierValue"]
    return value


def _by_id(entities: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {_id(entity): entity for entity in entities}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"identifier"}:
            yield _id(value)
        else:
            for item in value.values():
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _custom(entity: dict[str, Any], namespace: str) -> dict[str, Any]:
    (found,) = [one["value"] for one in entity["customData"] if one["namespace"] == namespace]
    values: dict[str, Any] = found
    return values


def test_every_entity_is_written_once_and_every_reference_leads_to_one(desk: ReportDesk) -> None:
    with desk.database.begin() as connection:
        save_show(connection, versions=60)
    entities = _entities(desk)
    ids = [_id(entity) for entity in entities]
    assert len(ids) == len(set(ids))
    assert set(_references(entities)) <= set(ids)
    versions = {entity["schemaVersion"] for entity in entities}
    assert versions == {"https://movielabs.com/omc/json/schema/v2.8"}


def test_a_system_is_a_service_and_never_a_person(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    makers = [one for one in _entities(desk) if one["entityType"] == "Participant"]
    kinds = {one["name"]: one["ParticipantSC"]["entityType"] for one in makers}
    assert kinds == {
        "SDXL 1.0": "Service",
        "Yuki Tanaka": "Person",
        "M. Ito": "Person",
        "A. Sato": "Person",
    }
    (service,) = [one for one in makers if one["name"] == "SDXL 1.0"]
    assert _custom(service, "system")["isAi"] == "yes"


def test_each_image_names_its_maker_its_origin_and_its_entry(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    entities = _by_id(_entities(desk))
    name = "akane_ep01_c001_summer_day_v001"
    second = entities[f"image/{name}/gen2"]
    assert _id(second["provenance"]["Origin"]) == f"image/{name}/gen1"
    assert _id(second["provenance"]["CreatedBy"]).startswith("system/SDXL/1.0")
    assert _DATE_TIME.fullmatch(second["provenance"]["createdOn"])
    assert _custom(second, "image")["digitalSourceType"] == "trainedAlgorithmicMedia"
    assert _custom(second, "image")["ledgerEntry"] == 2
    over = entities[f"image/{name}/touch_up"]
    assert _id(over["provenance"]["CreatedBy"]) == "person/HumanUser:12"
    assert "Origin" not in entities[f"image/layout-{name}/layout"]["provenance"]


def test_each_step_is_a_task_with_what_it_used_and_produced(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    name = "akane_ep01_c001_summer_day_v001"
    task = _by_id(_entities(desk))[f"step/{name}/touch_up"]
    (context,) = task["Context"]
    assert [_id(one) for one in context["uses"]["Asset"]] == [f"image/{name}/gen2"]
    assert [_id(one) for one in context["produces"]["Asset"]] == [f"image/{name}/touch_up"]
    (made,) = _custom(task, "contributions")["contributions"]
    assert (made["role"], made["grade"]) == ("touch_up", "logged")
    assert made["change"]["area_ppm"] == 34_800


def test_a_version_is_a_group_of_its_images_in_order(desk: ReportDesk) -> None:
    desk.save(a_background("c001", version=2))
    (group,) = [
        one
        for one in _entities(desk)
        if one["entityType"] == "Asset" and _id(one).startswith("version/")
    ]
    assert group["version"]["versionNumber"] == 2
    assert len(group["Asset"]) == 4
    assert _custom(group, "version")["ledgerEntries"] == [0, 1, 2, 3]


def test_who_wants_no_name_has_neither_name_nor_id_there(desk: ReportDesk) -> None:
    quiet = a_person(71, name="Secret Painter", name_ja="秘密の画家", opt_out="letter of May")
    telling = Person(id="person:secret-layout", name="Secret Layout", opt_out="letter of June")
    images = a_chain("c001", artists=(telling,), touch_up_by=(quiet,))
    desk.save(a_background("c001", images=images))
    text = desk.text("omc", Format.JSON)
    for never in ("Secret", "秘密", "secret-layout", "HumanUser:71"):
        assert never not in text
    people = [one for one in json.loads(text) if _id(one).startswith("person/unnamed-")]
    assert len(people) == 2


def test_a_show_without_records_is_still_valid(desk: ReportDesk) -> None:
    (work,) = _entities(desk)
    assert work["entityType"] == "CreativeWork"


def test_names_with_signs_of_json_and_of_formats_are_as_they_were(desk: ReportDesk) -> None:
    names = ['c%s "001" \\ %(key)s {scope}', 'a",', ',"b', "\\", ","]
    for number, odd in enumerate(names):
        desk.save(a_background(odd, season=odd, images=a_chain(f"c{number:03}")))
    versions = [_custom(one, "version") for one in _entities(desk) if "Asset" in one]
    assert {(one["shot"], one["season"]) for one in versions} == {(one, one) for one in names}
