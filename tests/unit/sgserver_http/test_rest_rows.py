"""Rows and the schema over REST, as clients use them that do not speak the official one's wire."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.clocks import PATIENCE
from support.pictures import png_bytes
from support.sites import KEY, SCRIPT, RunningSite, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="module")
def rest(site: RunningSite) -> Iterator[httpx.Client]:
    form = {"grant_type": "client_credentials", "client_id": SCRIPT, "client_secret": KEY}
    with httpx.Client(base_url=f"{site.url}/api/v1", timeout=PATIENCE) as client:
        answer = client.post("/auth/access_token", data=form).json()
        client.headers["authorization"] = f"Bearer {answer['access_token']}"
        yield client


@pytest.fixture(scope="module")
def project(rest: httpx.Client) -> dict[str, Any]:
    return link(create(rest, "projects", name="Umi"))


def create(rest: httpx.Client, words: str, **fields: object) -> dict[str, Any]:
    answer = rest.post(f"/entity/{words}", json=fields)
    assert answer.status_code == 201, answer.text
    row: dict[str, Any] = answer.json()["data"]
    return row


def link(row: dict[str, Any]) -> dict[str, Any]:
    return {"type": row["type"], "id": row["id"]}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    [error] = answer.json()["errors"]
    assert error["status"] == answer.status_code
    return answer.status_code, str(error["title"])


def test_a_row_is_made_read_changed_retired_and_revived(
    rest: httpx.Client, project: dict[str, Any]
) -> None:
    row = create(rest, "shots", code="c001", project=project, sg_cut_duration=48)
    assert row["attributes"]["code"] == "c001"
    assert row["relationships"]["project"]["data"] == {**project, "name": "Umi"}
    here = row["links"]["self"].removeprefix("/api/v1")

    changed = rest.put(here, json={"description": "Port at dusk"}).json()["data"]
    assert changed["attributes"] == {"description": "Port at dusk"}
    shown = rest.get(here, params={"fields": "code,description"}).json()["data"]
    assert shown["attributes"] == {"code": "c001", "description": "Port at dusk"}
    assert rest.get(here, params={"fields": "*"}).json()["data"]["attributes"]["code"] == "c001"

    assert rest.delete(here).status_code == 204
    assert refusal(rest.get(here)) == (404, f"Shot {row['id']} does not exist.")
    assert refusal(rest.delete(here))[0] == 404
    assert rest.post(here, params={"revive": "true"}).status_code == 200
    assert rest.get(here).status_code == 200


def test_rows_are_found_by_simple_filters_lists_and_hashes_page_by_page(
    rest: httpx.Client, project: dict[str, Any]
) -> None:
    for number in range(5):
        create(rest, "assets", code=f"rock{number}", project=project)

    def codes(answer: httpx.Response) -> list[str]:
        assert answer.status_code == 200, answer.text
        return [row["attributes"]["code"] for row in answer.json()["data"]]

    page = {"fields": "code", "sort": "-code", "page[size]": "2", "page[number]": "2"}
    second = rest.get("/entity/assets", params={**page, "filter[project]": "Umi"})
    assert codes(second) == ["rock2", "rock1"]
    assert set(second.json()["links"]) == {"self", "next", "prev"}
    two = rest.get("/entity/Asset", params={"fields": "code", "filter[code]": "rock0,rock3"})
    assert codes(two) == ["rock0", "rock3"]
    search = "/entity/assets/_search"
    listed = {"filters": [["code", "in", ["rock1", "rock2"]], ["project", "is", project]]}
    assert codes(rest.post(search, json={**listed, "fields": ["code"]})) == ["rock1", "rock2"]
    hashed = {
        "logical_operator": "or",
        "conditions": [
            ["code", "ends_with", "4"],
            {"logical_operator": "and", "conditions": [["code", "is", "rock0"]]},
        ],
    }
    body = {"filters": hashed, "fields": "code", "sort": "code", "page": {"size": 1, "number": 2}}
    assert codes(rest.post(search, json=body)) == ["rock4"]


def test_links_are_read_added_to_and_counted(rest: httpx.Client, project: dict[str, Any]) -> None:
    people = [link(create(rest, "human_users", login=name, name=name)) for name in ("aki", "yu")]
    task = create(rest, "tasks", content="Paint", project=project, task_assignees=people[:1])
    here = f"/entity/tasks/{task['id']}"
    more = {"multi_entity_update_mode": "add", "value": people[1:]}
    rest.put(here, json={"task_assignees": more})

    found = rest.get(f"{here}/relationships/task_assignees").json()["data"]
    assert [one["id"] for one in found] == [one["id"] for one in people]
    assert refusal(rest.get(f"{here}/relationships/content"))[0] == 404
    figures = {
        "filters": [["project", "is", project]],
        "summary_fields": [{"field": "id", "type": "count"}],
        "grouping": [{"field": "sg_status_list", "type": "exact", "direction": "asc"}],
    }
    summed = rest.post("/entity/tasks/_summarize", json=figures).json()["data"]
    assert summed["summaries"] == {"id": 1}
    assert [group["group_value"] for group in summed["groups"]] == ["wtg"]


def test_a_batch_happens_as_a_whole_or_not_at_all(
    rest: httpx.Client, project: dict[str, Any]
) -> None:
    one: dict[str, Any] = {
        "request_type": "create",
        "entity": "sequences",
        "data": {"code": "sq01", "project": project},
    }
    made = rest.post("/entity/_batch", json={"requests": [one]}).json()["data"]
    again = {"request_type": "update", "entity": "Sequence", "record_id": made[0]["id"]}
    wrong = {**again, "data": {"no_such_field": 1}}
    assert refusal(rest.post("/entity/_batch", json={"requests": [one, wrong]}))[0] == 400
    answer = rest.post("/entity/sequences/_search", json={"filters": [["code", "is", "sq01"]]})
    assert [row["id"] for row in answer.json()["data"]] == [made[0]["id"]]


def test_a_file_goes_up_to_a_field_and_a_picture_to_a_row(
    rest: httpx.Client, project: dict[str, Any]
) -> None:
    version = create(rest, "versions", code="c001_bg_v001", project=project)
    for place, field in (("sg_uploaded_movie", "sg_uploaded_movie"), ("image", "image")):
        here = f"/entity/versions/{version['id']}/{place}/_upload"
        asked = rest.get(here, params={"filename": "c001.png"}).json()
        put = httpx.put(asked["links"]["upload"], content=png_bytes("port"), timeout=PATIENCE)
        assert put.status_code == 200
        done = rest.post(here, json={"upload_info": asked["data"], "upload_data": {}})
        assert done.status_code == 201, done.text
        row = rest.get(f"/entity/versions/{version['id']}", params={"fields": field}).json()
        assert row["data"]["attributes"][field]
    forged = {**asked["data"], "upload_id": "0" * 32}
    assert refusal(rest.post(here, json={"upload_info": forged}))[0] == 400


def test_the_schema_is_read_and_changed(rest: httpx.Client) -> None:
    assert "Shot" in rest.get("/schema").json()["data"]
    assert rest.get("/schema/shots").json()["data"]["name"]["value"] == "Shot"
    properties = [{"property_name": "name", "value": "Mood"}]
    made = rest.post("/schema/Shot/fields", json={"data_type": "text", "properties": properties})
    assert made.status_code == 201
    field = "/schema/Shot/fields/sg_mood"
    rename = [{"property_name": "name", "value": "Feeling"}]
    changed = rest.put(field, json={"properties": rename}).json()["data"]
    assert changed["name"]["value"] == "Feeling"
    assert "sg_mood" in rest.get("/schema/Shot/fields").json()["data"]
    assert rest.delete(field).status_code == 204
    assert refusal(rest.get(field))[0] == 404


def test_what_is_around_a_row_is_answered_beside_it(
    rest: httpx.Client, project: dict[str, Any]
) -> None:
    shot = create(rest, "shots", code="c777", project=project)
    note = create(rest, "notes", content="Warmer!", project=project, note_links=[link(shot)])
    thread = rest.get(f"/entity/notes/{note['id']}/thread_contents").json()["data"]
    assert [one["content"] for one in thread] == ["Warmer!"]
    stream = rest.get(f"/entity/shots/{shot['id']}/activity_stream", params={"limit": "1"}).json()
    assert len(stream["data"]["updates"]) == 1
    assert rest.get(f"/entity/shots/{shot['id']}/followers").json()["data"] == []
    words = {"text": "c777", "entity_types": {"shots": []}}
    found = rest.post("/entity/_text_search", json=words).json()["data"]
    assert [one["id"] for one in found] == [shot["id"]]
    asked = rest.get("/preferences", params={"prefs": "hours_per_day"})
    assert asked.json()["data"] == {"hours_per_day": 8.0}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/entity/nothings", None, 404),
        ("GET", "/entity/shots/x", None, 404),
        ("GET", "/entity/shots/99999999999999999999999", None, 404),
        ("GET", "/entity/shots?fields=no_such_field", None, 400),
        ("GET", "/entity/shots?page[size]=0", None, 400),
        ("GET", "/entity/shots?wanted=all", None, 400),
        ("POST", "/entity/shots", {"code": "c001"}, 400),
        ("POST", "/entity/shots/_search", {"filters": "all"}, 400),
        ("POST", "/entity/shots/_search", {"filters": [["code", "is"]]}, 400),
        ("POST", "/entity/_batch", {"requests": {}}, 400),
        ("POST", "/entity/_text_search", {}, 400),
        (
            "POST",
            "/entity/_text_search",
            {"text": "c001", "entity_types": {"Shot": []}, "page": 3},
            400,
        ),
        ("POST", "/entity/shots/_search", {"filters": [], "wanted": "all"}, 400),
        ("POST", "/entity/shots/_search", {"filters": [], "page": 2}, 400),
        ("POST", "/entity/shots/_search", {"filters": [], "options": {"return_only": "x"}}, 400),
        ("POST", "/entity/shots/_summarize", {"filters": []}, 400),
        ("GET", "/entity/shots?options[return_only]=all", None, 400),
        ("GET", "/schema?project_id=abc", None, 400),
        ("GET", "/schema/Shot?project_id=abc", None, 400),
    ],
)
def test_what_is_wrong_is_refused_in_words(
    rest: httpx.Client, method: str, path: str, body: object, status: int
) -> None:
    answer = rest.request(method, path, json=body)
    assert refusal(answer)[0] == status


def test_nobody_reads_rows_without_signing_in(site: RunningSite) -> None:
    for headers in ({}, {"authorization": "Bearer nothing"}):
        answer = httpx.get(f"{site.url}/api/v1/entity/shots", headers=headers, timeout=PATIENCE)
        assert refusal(answer) == (401, "Sign in first.")
    body = b"[" * 100_000
    sent = httpx.post(f"{site.url}/api/v1/entity/shots", content=body, timeout=PATIENCE)
    assert refusal(sent)[0] == 400


def test_a_script_acts_as_a_person_and_a_session_goes_on(
    site: RunningSite, rest: httpx.Client, project: dict[str, Any]
) -> None:
    aki = create(rest, "human_users", login="aki2", name="Aki")
    form = {"client_id": SCRIPT, "client_secret": KEY, "scope": "sudo_as_login:aki2"}
    token = rest.post("/auth/access_token", data=form).json()["access_token"]
    again = rest.post("/auth/access_token", data={"session_token": token}).json()["access_token"]
    for one in (token, again):
        headers = {"authorization": f"Bearer {one}"}
        fields = {"code": "by aki", "project": project}
        row = rest.post("/entity/shots?options[fields]=created_by", json=fields, headers=headers)
        assert row.json()["data"]["relationships"]["created_by"]["data"]["id"] == aki["id"]
    for wrong in ("sudo_as_login:nobody", "everything"):
        assert refusal(rest.post("/auth/access_token", data={**form, "scope": wrong}))[0] == 400
