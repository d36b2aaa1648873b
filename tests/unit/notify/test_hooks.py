"""Programs are told what happens: at once, signed, in the end, and nobody else is."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, select, update
from structlog.testing import capture_logs

from haikei.client import verified
from haikei.database import backgrounds, hook_deliveries, inserting, jobs, notices, reviews
from haikei.errors import NotificationUnsent
from haikei.events import Source
from haikei.jobs import Refusal, refuse
from haikei.jobs.engine import Dispatcher
from haikei.notify import HookSender, check_notifications
from haikei.notify.hooks import require_public
from haikei.settings import Hook, Settings
from support.jobs import MemoryEngine, announce, put_layout, studio_database, studio_settings
from support.servers import WebhookReceiver, webhook_receiver
from support.studio import end_badly, make_version
from support.trackers import MemoryReview

SECRET = "a-secret-of-both-sides"


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as running:
        yield running


def hook_settings(folder: Path, url: str, **hook: object) -> Settings:
    """Return the settings of a studio with one hook."""
    told = {"name": "n8n", "url": f"{url}/hook/x-secret-path", "loopback": True, **hook}
    return studio_settings(
        folder, notifications={"hooks": [told], "hook_secret": SECRET, "hook_tries": 3}
    )


@pytest.fixture
def settings(tmp_path: Path, receiver: WebhookReceiver) -> Settings:
    return hook_settings(tmp_path, receiver.url)


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    opened = studio_database(settings)
    yield opened
    opened.dispose()


def told(receiver: WebhookReceiver, now: datetime) -> list[dict[str, Any]]:
    """Return what came since the last time; all of it is signed."""
    requests = [receiver.heard.get() for _ in range(receiver.heard.qsize())]
    return [
        verified(one.body, one.headers, SECRET, now=now.timestamp()) | {"_": one.headers}
        for one in requests
    ]


def moment() -> datetime:
    return datetime.now(UTC)


def make_jobs(settings: Settings, database: Engine, *shots: str) -> None:
    """Let jobs be made of layouts."""
    announce(database, *(put_layout(settings, shot) for shot in shots))
    Dispatcher(settings, database, MemoryEngine(), ahead=99).take_events()


def test_each_thing_that_happens_is_told_once(
    settings: Settings, database: Engine, receiver: WebhookReceiver
) -> None:
    make_jobs(settings, database, "c000")  # before there was a hook: history is told to nobody
    sender = HookSender(settings, database)
    now = moment()
    assert sender.tick(now) == 0

    make_jobs(settings, database, "c001")
    with database.begin() as connection:
        order = make_version(connection, MemoryReview(), 5, shot="c002")
        connection.execute(
            update(backgrounds).values(created_at=moment(), tracker_id=5, state="in_review")
        )
        layout = settings.storage.roots[0].path / "x.png"
        refusal = Refusal(
            key="refused-1", layout=layout, source=Source.WATCH, reason="cut short", kind="Damaged"
        )
        refuse(connection, refusal)
    now = moment()
    sender.tick(now)
    found = told(receiver, now)

    assert sorted(one["event"] for one in found) == ["in_review", "job_made", "job_made", "refused"]
    by_event = {one["event"]: one["data"] for one in found}
    assert by_event["in_review"]["version"] == order.key
    assert by_event["refused"]["error"] == "cut short"
    assert all(one["_"]["haikei-event"] == one["event"] for one in found)
    assert len({one["_"]["haikei-delivery"] for one in found}) == 4
    (key,) = (one["data"]["job"] for one in found if one["data"].get("shot") == "c001")

    end_badly(database, key)
    with database.begin() as connection:
        row = {
            "version_id": 5,
            "background_key": order.key,
            "status": "apr",
            "decision": "approve",
            "decided_by": "HumanUser:14",
            "decided_at": moment(),
            "updated_at": moment(),
        }
        connection.execute(inserting(connection, reviews), row)
    now = moment()
    sender.tick(now)
    found = told(receiver, now)

    assert {one["event"] for one in found} == {"dead", "decided"}
    decided = next(one["data"] for one in found if one["event"] == "decided")
    assert (decided["decision"], decided["decided_by"]) == ("approve", "HumanUser:14")
    assert HookSender(settings, database).tick(moment() + timedelta(hours=1)) == 0


def test_a_hook_is_told_of_what_it_asked_for_alone(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    settings = hook_settings(tmp_path, receiver.url, on=["job_made"], projects=["ＰＯＲＴ"])
    elsewhere = hook_settings(tmp_path, receiver.url, name="other", projects=["AKANE"])
    database = studio_database(settings)
    senders = HookSender(settings, database), HookSender(elsewhere, database)
    for sender in senders:
        sender.tick(moment())

    make_jobs(settings, database, "c001")
    with database.begin() as connection:
        connection.execute(update(jobs).values(state="dead", step="collect"))
    now = moment()
    for sender in senders:
        sender.tick(now)
    database.dispose()

    assert [one["event"] for one in told(receiver, now)] == ["job_made"]


def test_what_is_not_taken_is_told_again_until_it_is(
    settings: Settings, database: Engine, receiver: WebhookReceiver
) -> None:
    HookSender(settings, database).tick(moment())
    make_jobs(settings, database, "c001", "c002")
    receiver.status = 503
    now = moment()

    assert HookSender(settings, database).tick(now) == 0
    (first,) = told(receiver, now)
    assert HookSender(settings, database).tick(now + timedelta(seconds=1)) == 0
    assert told(receiver, now) == [], "a hook that failed rests"
    receiver.status = 200
    later = now + timedelta(seconds=6)

    assert HookSender(settings, database).tick(later) == 2
    found = told(receiver, later)
    assert first["_"]["haikei-delivery"] in {one["_"]["haikei-delivery"] for one in found}
    assert all(one["_"]["haikei-timestamp"] == str(int(later.timestamp())) for one in found)


def test_one_delivery_that_is_refused_keeps_no_other_waiting(
    settings: Settings, database: Engine, receiver: WebhookReceiver
) -> None:
    sender = HookSender(settings, database)
    sender.tick(moment())
    make_jobs(settings, database, "c001")
    receiver.status = 400
    now = moment()
    sender.tick(now)
    told(receiver, now)
    make_jobs(settings, database, "c002")
    receiver.status = 200
    later = now + timedelta(seconds=6)

    assert sender.tick(later) == 2
    assert [one["data"]["shot"] for one in told(receiver, later)] == ["c002", "c001"]


def test_what_is_never_taken_is_given_up_with_a_notice(
    settings: Settings, database: Engine, receiver: WebhookReceiver
) -> None:
    sender = HookSender(settings, database)
    sender.tick(moment())
    make_jobs(settings, database, "c001")
    receiver.status = 500
    now = moment()
    for hour in range(6):
        sender.tick(now + timedelta(hours=hour))

    assert receiver.heard.qsize() == 3
    with database.connect() as connection:
        states = connection.execute(select(hook_deliveries.c.state)).scalars().all()
        (text,) = connection.execute(select(notices.c.text)).scalars()
    assert states == ["dead"]
    assert "The hook n8n did not take what it was told" in text
    assert "x-secret-path" not in text


def test_of_several_senders_one_at_a_time_tells_a_hook(
    settings: Settings, database: Engine, receiver: WebhookReceiver
) -> None:
    first, second = HookSender(settings, database), HookSender(settings, database)
    first.tick(moment())
    make_jobs(settings, database, "c001", "c002", "c003")
    now = moment()

    assert first.tick(now) + second.tick(now) == 3
    assert len(told(receiver, now)) == 3


def test_a_delivery_that_was_begun_when_a_process_died_is_begun_again(
    settings: Settings,
    database: Engine,
    receiver: WebhookReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sender = HookSender(settings, database)
    sender.tick(moment())
    make_jobs(settings, database, "c001")
    now = moment()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr("haikei.notify.hooks._note", die)
        with pytest.raises(KeyboardInterrupt):
            sender.tick(now)
    assert len(told(receiver, now)) == 1
    assert sender.tick(now + timedelta(seconds=1)) == 0
    later = now + timedelta(minutes=6)
    assert sender.tick(later) == 1


def test_redirects_are_not_followed_and_no_address_is_logged(
    settings: Settings, database: Engine, receiver: WebhookReceiver
) -> None:
    sender = HookSender(settings, database)
    sender.tick(moment())
    make_jobs(settings, database, "c001")
    receiver.status = 302
    receiver.headers = {"location": f"{receiver.url}/elsewhere"}
    now = moment()

    with capture_logs() as logs:
        sender.tick(now)

    assert [one["_"] is not None for one in told(receiver, now)] == [True]
    (line,) = (one for one in logs if one["event"] == "hook_not_told")
    assert "answered with 302" in line["error"]
    assert "x-secret-path" not in json.dumps(logs)
    assert SECRET not in json.dumps(logs)


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        ({"url": "http://n8n.studio/x"}, "must be https"),
        ({"url": "http://127.0.0.1:5678/x"}, "loopback must be true"),
        ({"url": "https://localhost/x"}, "loopback must be true"),
        ({"url": "https://[::1]/x"}, "loopback must be true"),
        ({"url": "https://n8n.studio/x", "loopback": True}, "and for no other"),
        ({"url": "https://me:secret@n8n.studio/x"}, "must not hold a login"),
        ({"url": "ftp://n8n.studio/x"}, "URL scheme"),
        ({"url": "https://n8n.studio/x", "on": []}, "at least one"),
        ({"url": "https://n8n.studio/x", "on": ["everything"]}, "job_made"),
    ],
)
def test_a_hook_that_would_be_unsafe_is_a_mistake_in_the_settings(
    tmp_path: Path, hook: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        studio_settings(tmp_path, notifications={"hooks": [{"name": "n8n", **hook}]})


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0", "::ffff:127.0.0.1", "224.0.0.1"],
)
def test_a_name_that_leads_to_this_machine_or_its_cloud_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr("haikei.addresses.socket.getaddrinfo", resolve)
    hook = Hook.model_validate({"name": "n8n", "url": "https://n8n.studio/x"})
    with pytest.raises(NotificationUnsent, match="which nothing outside may be"):
        require_public(hook)


@pytest.mark.parametrize(
    ("address", "declared", "asked"),
    [
        ("10.0.0.5", False, False),
        ("192.168.1.5", False, False),
        ("172.16.9.9", False, False),
        ("fd12::5", False, False),
        ("::ffff:10.0.0.5", False, False),
        ("10.0.0.5", True, True),
        ("fd00:ec2::254", True, False),
        ("100.100.100.200", True, False),
        ("169.254.169.254", True, False),
        ("93.184.215.14", False, True),
    ],
)
def test_a_private_address_is_asked_where_the_hook_says_so_and_a_clouds_own_never(
    monkeypatch: pytest.MonkeyPatch, address: str, declared: bool, asked: bool
) -> None:
    def resolve(*_: object, **__: object) -> list[Any]:
        # A name may have a good address beside a bad one.
        good = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
        return [good, (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr("haikei.addresses.socket.getaddrinfo", resolve)
    hook = Hook.model_validate({"name": "n8n", "url": "https://n8n.studio/x", "private": declared})
    if asked:
        require_public(hook)
        return
    with pytest.raises(NotificationUnsent, match="leads to"):
        require_public(hook)


def test_the_doctor_says_whether_hooks_can_be_told(
    settings: Settings, tmp_path: Path, receiver: WebhookReceiver
) -> None:
    (good, _) = check_notifications(settings)
    assert (good.ok, good.subject) == (True, "hook n8n")
    secret = tmp_path / "short.secret"
    secret.write_text("short\n")
    short = hook_settings(tmp_path, receiver.url, secret_file=str(secret))
    (bad, _) = check_notifications(short)

    assert not bad.ok
    assert "no secret of at least 16 characters" in bad.message
    assert "short" not in bad.message.replace("short.secret", "")
    assert receiver.heard.qsize() == 0
    database = studio_database(short)
    assert HookSender(short, database).tick(moment()) == 0
    database.dispose()
