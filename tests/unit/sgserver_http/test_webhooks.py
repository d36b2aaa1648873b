"""Webhooks of the embedded tracker: who may manage them, and what they are told."""

import hashlib
import hmac
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from haikei.sgserver.values import Json
from support.clocks import PATIENCE
from support.servers import WebhookReceiver, webhook_receiver
from support.sites import KEY, SCRIPT, RunningSite, running_site

HOOKS = "/api/v1/webhook/hooks"
TOKEN = "a token of a webhook"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as running:
        yield running


@pytest.fixture
def rest(site: RunningSite) -> Iterator[httpx.Client]:
    with signed_in(site) as client:
        yield client
        for hook in client.get(HOOKS).json()["data"]:
            client.delete(f"{HOOKS}/{hook['id']}")


@contextmanager
def signed_in(site: RunningSite) -> Generator[httpx.Client]:
    form = {"grant_type": "client_credentials", "client_id": SCRIPT, "client_secret": KEY}
    with httpx.Client(base_url=site.url, timeout=PATIENCE) as client:
        answer = client.post("/api/v1/auth/access_token", data=form).json()
        client.headers["authorization"] = f"Bearer {answer['access_token']}"
        yield client


def listen(rest: httpx.Client, receiver: WebhookReceiver, **given: object) -> dict[str, Any]:
    wanted: Mapping[str, object] = {
        "url": f"{receiver.url}/hook",
        "entity_types": {"Shot": {"create": [], "update": ["description"], "delete": []}},
        "token": TOKEN,
    }
    answer = rest.post(HOOKS, json={**wanted, **given})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def make(site: RunningSite, entity_type: str, **fields: Any) -> int:
    inside = site.site
    project = inside.find_one(inside.system, "Project", []) or inside.create(
        inside.system, "Project", {"name": "Umi"}
    )
    here = {} if entity_type == "Project" else {"project": {"type": "Project", "id": project["id"]}}
    made = inside.create(inside.system, entity_type, {**here, **fields})
    return int(str(made["id"]))


def make_many(site: RunningSite, count: int) -> None:
    """Make shots in one transaction."""
    make(site, "Asset", code="a project for them")
    project = site.site.find_one(site.site.system, "Project", [])
    value: Json = {"type": "Project", "id": project["id"] if project else 0}
    one: Json = {
        "request_type": "create",
        "type": "Shot",
        "fields": [{"field_name": "project", "value": value}],
    }
    site.site.batch(site.site.system, [one] * count)


def change(site: RunningSite, entity_type: str, number: int, **fields: Any) -> None:
    site.site.update(site.site.system, entity_type, number, fields)


def newest(site: RunningSite) -> int:
    inside = site.site
    found = inside.find(inside.system, "EventLogEntry", order=[("id", "desc")], limit=1)
    return int(str(found[0]["id"]))


def test_what_was_asked_for_is_told_and_nothing_else(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    hook = listen(rest, receiver)

    shot = make(site, "Shot", code="c001", description="from the start")
    created = newest(site)
    make(site, "Asset", code="boat")
    change(site, "Shot", shot, sg_status_list="ip")
    change(site, "Shot", shot, description="later")
    changed = newest(site)

    first = receiver.next()
    (told,) = first.deliveries
    assert first.path == "/hook"
    assert (told["event_type"], told["operation"]) == ("Shotgun_Shot_New", "create")
    assert told["event_log_entry_id"] == created
    assert told["entity"] == {"type": "Shot", "id": shot}
    assert told["project"]["type"] == "Project"
    assert told["user"] == {"type": "ApiUser", "id": site.site.system.id}
    assert first.headers["x-sg-webhook-id"] == hook["id"]
    assert first.headers["x-sg-delivery-id"] == told["delivery_id"]
    assert first.headers["x-sg-webhook-site-url"] == f"{site.url}/"

    (told,) = receiver.next().deliveries
    assert told["event_log_entry_id"] == changed
    assert (told["operation"], told["attribute_name"]) == ("update", "description")
    assert (told["meta"]["old_value"], told["meta"]["new_value"]) == ("from the start", "later")
    assert receiver.heard.empty()


def test_a_body_is_signed_as_it_is_sent(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    listen(rest, receiver)
    make(site, "Shot", code="海 c002")

    heard = receiver.next()

    right = hmac.new(TOKEN.encode(), heard.body, hashlib.sha1).hexdigest()
    assert heard.headers["x-sg-signature"] == f"sha1={right}"
    assert heard.headers["content-type"] == "application/json; charset=utf-8"
    assert set(json.loads(heard.body)) == {"data", "timestamp"}


def test_a_webhook_without_a_token_is_not_signed(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    listen(rest, receiver, token="")
    make(site, "Shot", code="c003")

    assert "x-sg-signature" not in receiver.next().headers


def test_many_events_come_in_batches_of_fifty_at_most(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    listen(rest, receiver, batch_deliveries=True)
    make_many(site, 120)
    last = newest(site)

    sizes: list[int] = []
    told: list[int] = []
    while not told or told[-1] != last:
        heard = receiver.next()
        assert isinstance(json.loads(heard.body)["data"]["deliveries"], list)
        assert heard.headers["x-sg-event-batch-size"] == str(len(heard.deliveries))
        sizes.append(len(heard.deliveries))
        told += (one["event_log_entry_id"] for one in heard.deliveries)

    assert sizes == [50, 50, 20]
    assert told == sorted(set(told))


def test_other_projects_are_not_told_of(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    other = make(site, "Project", name="Yama")
    listen(rest, receiver, projects=[other])
    make(site, "Shot", code="c004")
    shot = make(site, "Shot", code="c005", project={"type": "Project", "id": other})

    (told,) = receiver.next().deliveries
    assert told["entity"]["id"] == shot


def test_a_deleted_row_is_still_named(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    shot = make(site, "Shot", code="c006")
    listen(rest, receiver, entity_types={"Shot": {"delete": []}})
    site.site.delete(site.site.system, "Shot", shot)

    (told,) = receiver.next().deliveries
    assert (told["operation"], told["entity"]) == ("delete", {"type": "Shot", "id": shot})


def test_what_fails_is_not_sent_again_and_too_many_failures_end_a_webhook(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    receiver.status = 500
    hook = listen(rest, receiver)
    make_many(site, 130)

    told = [receiver.next().deliveries[0]["event_log_entry_id"] for _ in range(100)]
    assert len(set(told)) == 100

    other = listen(rest, receiver, url=f"{receiver.url}/other")
    receiver.status = 200
    make(site, "Shot", code="c007")
    assert receiver.next().path == "/other"
    assert receiver.heard.empty()
    answer = rest.get(f"{HOOKS}/{hook['id']}").json()["data"]
    assert answer["status"] == "failed"

    rest.delete(f"{HOOKS}/{other['id']}")
    rest.put(f"{HOOKS}/{hook['id']}", json={"status": "active"})
    make(site, "Shot", code="c008")
    assert receiver.next().path == "/hook"


def test_a_webhook_that_is_disabled_is_told_nothing(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    hook = listen(rest, receiver)
    rest.put(f"{HOOKS}/{hook['id']}", json={"status": "disabled"})
    listen(rest, receiver, url=f"{receiver.url}/other")
    make(site, "Shot", code="c009")

    assert receiver.next().path == "/other"
    assert receiver.heard.empty()


def test_a_connection_can_be_tested(rest: httpx.Client, receiver: WebhookReceiver) -> None:
    hook = listen(rest, receiver)

    assert rest.post(f"{HOOKS}/{hook['id']}/test_connection").status_code == 204

    assert receiver.next().deliveries[0]["event_type"] == "Test_Connection"


def test_the_token_is_never_told(rest: httpx.Client, receiver: WebhookReceiver) -> None:
    hook = listen(rest, receiver)

    for answer in (rest.get(HOOKS), rest.get(f"{HOOKS}/{hook['id']}")):
        assert TOKEN not in answer.text


def test_webhooks_outlive_the_server(tmp_path: Path, receiver: WebhookReceiver) -> None:
    with running_site(tmp_path) as site, signed_in(site) as rest:
        listen(rest, receiver)
    with running_site(tmp_path) as site:
        make(site, "Shot", code="c010")
        assert receiver.next().deliveries[0]["event_type"] == "Shotgun_Shot_New"


@pytest.mark.parametrize(
    "given",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "nowhere"},
        {"entity_types": {}},
        {"entity_types": {"Shot": ["create"]}},
        {"projects": "all"},
    ],
)
def test_what_makes_no_webhook_is_refused(
    rest: httpx.Client, receiver: WebhookReceiver, given: dict[str, object]
) -> None:
    wanted = {"url": receiver.url, "entity_types": {"Shot": {"create": []}}}

    answer = rest.post(HOOKS, json={**wanted, **given})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["title"]
    assert rest.get(HOOKS).json()["data"] == []


def test_nobody_manages_webhooks_without_signing_in_as_a_script(
    site: RunningSite, rest: httpx.Client, receiver: WebhookReceiver
) -> None:
    listen(rest, receiver)
    person = site.site.find_one(site.site.system, "HumanUser", [["login", "is", "admin"]])
    assert person is not None
    site.site.set_password(int(str(person["id"])), "a password")
    form = {"grant_type": "password", "username": "admin", "password": "a password"}
    token = rest.post("/api/v1/auth/access_token", data=form).json()["access_token"]

    with httpx.Client(base_url=site.url, timeout=PATIENCE) as stranger:
        assert stranger.get(HOOKS).status_code == 401
        stranger.headers["authorization"] = "Bearer wrong"
        assert stranger.get(HOOKS).status_code == 401
        stranger.headers["authorization"] = f"Bearer {token}"
        assert stranger.get(HOOKS).status_code == 403


def test_a_wrong_key_gives_no_token(site: RunningSite) -> None:
    form = {"grant_type": "client_credentials", "client_id": SCRIPT, "client_secret": "wrong"}

    answer = httpx.post(f"{site.url}/api/v1/auth/access_token", data=form, timeout=PATIENCE)

    assert answer.status_code == 400
    assert "wrong" not in answer.text


def test_a_request_that_is_too_large_or_no_json_is_refused(
    site: RunningSite, rest: httpx.Client
) -> None:
    assert rest.post(HOOKS, content=b"x" * 300_000).status_code == 413
    assert rest.post(HOOKS, content=b"{").status_code == 400
    assert rest.post(HOOKS, content=b"[]").status_code == 400
    assert rest.get(f"{HOOKS}/none").status_code == 404
    assert httpx.get(f"{site.url}{HOOKS}", timeout=PATIENCE).status_code == 401
