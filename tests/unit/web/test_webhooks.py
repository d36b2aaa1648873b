"""Deliveries that the studio's site has signed: taken once, answered, and only woken by."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from haikei.database import feed_rows, utc_now, web_deliveries
from haikei.errors import TrackerUnavailable
from haikei.web.webhooks import webhook_dispatch
from haikei.web.webhooks.recording import Recorder
from haikei.web.webhooks.webhook_dispatch import Waking
from support.clocks import eventually
from support.web import TRACKER, Web, a_form, an_item, batched, sign, single, web_of


def test_a_status_change_wakes_its_version(web: Web) -> None:
    status = web.deliver(single(an_item(entity=("Version", 77))))

    assert status == 202
    assert web.woken() == {77}


def test_all_deliveries_of_a_batch_are_taken(web: Web) -> None:
    items = [an_item(number, entity=("Version", number)) for number in range(1, 51)]

    status = web.deliver(batched(*items))

    assert status == 202
    assert web.woken() == set(range(1, 51))


def test_a_delivery_that_is_sent_again_is_answered_and_leads_to_nothing(web: Web) -> None:
    payload = single(an_item())
    assert web.deliver(payload) == 202
    with web.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM review_wakes")

    again = web.deliver(payload)

    assert again == 200
    assert web.woken() == set()


def test_other_ids_in_the_headers_do_not_make_an_old_delivery_new(web: Web) -> None:
    payload = single(an_item())
    web.deliver(payload, headers={"x-sg-delivery-id": "one", "x-sg-webhook-id": "one"})

    again = web.deliver(payload, headers={"x-sg-delivery-id": "two", "x-sg-webhook-id": "two"})

    assert again == 200
    assert web.taken() == 1


def test_of_a_batch_only_what_is_new_is_taken(web: Web) -> None:
    web.deliver(single(an_item(1, entity=("Version", 1))))
    with web.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM review_wakes")

    status = web.deliver(
        batched(an_item(1, entity=("Version", 1)), an_item(2, entity=("Version", 2)))
    )

    assert status == 202
    assert web.woken() == {2}


def test_a_delivery_without_an_event_id_is_taken_once_too(web: Web) -> None:
    payload = single(an_item(event_log_entry_id=None))

    assert [web.deliver(payload), web.deliver(payload)] == [202, 200]


@pytest.mark.parametrize("field", ["description", "sg_haikei_roles", "image"])
def test_fields_in_which_nobody_decides_wake_nobody(web: Web, field: str) -> None:
    status = web.deliver(single(an_item(attribute=field)))

    assert status == 202
    assert web.woken() == set()


def test_the_site_may_speak_of_itself(web: Web) -> None:
    test = {"event_type": "Test_Connection", "id": "0", "event_log_entry_id": 0}
    changed = {"event_type": "Webhook_Status_Change", "id": "0", "event_log_entry_id": 0}

    answers = [web.deliver(single(one)) for one in (test, changed, changed)]

    assert answers == [200, 200, 200]
    assert web.taken() == 0


def test_a_delivery_from_which_the_site_took_large_values_out_is_taken(web: Web) -> None:
    meta = {"entity_type": "Version", "entity_id": 9, "attribute_name": "sg_status_list"}
    item = an_item(entity=("Version", 9), meta=meta, warning="values over 1 MB were removed")

    assert web.deliver(single(item)) == 202
    assert web.woken() == {9}


def test_a_note_whose_versions_are_said_wakes_them_at_once(web: Web) -> None:
    meta = {
        "entity_type": "Note",
        "entity_id": 3,
        "attribute_name": "note_links",
        "added": [{"type": "Version", "id": 41, "name": "c001"}, {"type": "Shot", "id": 2}],
    }

    web.deliver(single(an_item(entity=("Note", 3), attribute="note_links", meta=meta)))

    assert web.woken() == {41}


@pytest.mark.parametrize("kind", ["Note", "Reply"])
def test_the_versions_of_a_note_or_reply_are_asked_of_the_tracker(web: Web, kind: str) -> None:
    web.feed.discussions[kind, 12] = (31, 32)

    web.deliver(single(an_item(entity=(kind, 12), kind="New", attribute="", meta=None)))

    web.stop()
    assert web.woken() == {31, 32}


def test_a_published_file_is_read_at_once_by_who_follows_the_event_log(web: Web) -> None:
    web.follow()

    web.deliver(single(an_item(entity=("PublishedFile", 7001), kind="New", attribute="")))

    assert web.expected() == {7001}
    with web.database.connect() as connection:
        row = connection.execute(feed_rows.select()).one()
    assert (row.feed, row.state, row.look_at) == ("http://tracker.test", "waiting", 7.0)


def test_what_is_retired_is_left_alone(web: Web) -> None:
    web.follow()
    kinds = ("Version", "PublishedFile")
    items = [an_item(n, entity=(kind, 5), kind="Retirement") for n, kind in enumerate(kinds)]

    assert web.deliver(batched(*items)) == 202
    assert (web.woken(), web.expected()) == (set(), set())


def test_other_entities_are_taken_and_forgotten(web: Web) -> None:
    assert web.deliver(single(an_item(entity=("CustomEntity12", 5)))) == 202
    assert web.woken() == set()


def test_the_name_of_the_signature_and_its_digits_may_be_in_capitals(web: Web) -> None:
    body = json.dumps(single(an_item())).encode()

    assert web.post(body, {"X-SG-SIGNATURE": sign(body).upper().replace("SHA1", "sha1")}) == 202


def test_deliveries_are_forgotten_when_they_could_not_be_sent_again(web: Web) -> None:
    with web.database.begin() as connection:
        for hours in (2, 4):
            connection.execute(
                web_deliveries.insert().values(
                    key=f"hook/{hours}", taken_at=utc_now() - timedelta(hours=hours)
                )
            )

    web.deliver(single(an_item()))

    with web.database.connect() as connection:
        keys = set(connection.execute(web_deliveries.select()).scalars())
    assert "hook/2" in keys
    assert "hook/4" not in keys


def test_no_cookie_and_no_sign_in_is_asked_of_the_site(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"host": "0.0.0.0"}) as web:
        assert web.deliver(single(an_item())) == 202
        assert web.choose("open", a_form("Version", 5)).status == 404


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, web: Web) -> Web:
    """A server that does not wait until deliveries are noted."""
    monkeypatch.setattr("haikei.web.webhooks.webhook_endpoint.ENOUGH", 0.01)
    return web


def test_who_writes_for_long_keeps_no_delivery_waiting_and_loses_none(hasty: Web) -> None:
    with hasty.database.begin():
        answers = [hasty.deliver(single(an_item(n, entity=("Version", n)))) for n in (1, 2, 3)]

    hasty.stop()
    assert answers == [202, 202, 202]
    assert hasty.woken() == {1, 2, 3}


def test_a_delivery_that_waits_in_line_twice_is_taken_once(hasty: Web) -> None:
    with hasty.database.begin():
        for _ in range(2):
            assert hasty.deliver(single(an_item())) == 202

    hasty.stop()
    assert hasty.taken() == 1


def test_when_too_many_wait_the_site_is_asked_to_come_again(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "note", full)

    assert web.deliver(single(an_item())) == 503


def test_a_database_that_cannot_be_used_is_said_and_the_next_delivery_is_taken(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Waking, "act", broken)
        assert web.deliver(single(an_item(1))) == 503

    assert web.deliver(single(an_item(1))) == 202


def broken(*_: object) -> None:
    message = "the disk is full"
    raise OSError(message)


def full(*_: object) -> None: ...


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Web]:
    """A studio that heeds project 122 alone, as its tracker has said."""
    tracker = {"url": TRACKER, "projects": ["akane"]}
    with web_of(tmp_path, ours=frozenset({122}), tracker=tracker) as one:
        eventually(lambda: "projects" in one.feed.calls)
        yield one


def test_deliveries_of_other_projects_are_answered_and_queue_nothing(limited: Web) -> None:
    limited.follow()
    elsewhere = {"type": "Project", "id": 9}
    items = [
        an_item(1, entity=("Version", 41), project=elsewhere),
        an_item(2, entity=("Note", 3), kind="New", attribute="", meta=None, project=elsewhere),
        an_item(3, entity=("PublishedFile", 7), kind="New", attribute="", project=elsewhere),
    ]
    eventually(lambda: limited.deliver(single(items[0])) == 200)

    assert limited.deliver(batched(*items)) == 200
    assert limited.deliver(batched(*items, an_item(4, entity=("Version", 42)))) == 202

    limited.stop()
    assert (limited.woken() - {41}, limited.expected()) == ({42}, set())
    assert "discussed" not in limited.feed.calls


def test_a_reply_says_no_project_and_is_asked_about(limited: Web) -> None:
    limited.feed.discussions["Reply", 12] = (31,)

    limited.deliver(
        single(an_item(entity=("Reply", 12), kind="New", attribute="", meta=None, project=None))
    )

    limited.stop()
    assert limited.woken() == {31}


def test_a_project_that_is_heeded_from_now_on_is_learned_of(
    limited: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = {"type": "Project", "id": 9}
    eventually(lambda: limited.deliver(single(an_item(project=new))) == 200)
    limited.feed.ours = frozenset({9, 122})
    monkeypatch.setattr(webhook_dispatch, "BELIEVED", 0.0)

    numbers = count(10)
    eventually(
        lambda: (
            limited.deliver(single(an_item(next(numbers), entity=("Version", 8), project=new)))
            == 202
        )
    )
    assert 8 in limited.woken()


def test_while_the_tracker_has_not_said_which_projects_are_meant_all_are_heeded(
    tmp_path: Path,
) -> None:
    def away(_: str) -> None:
        raise TrackerUnavailable("away")

    with web_of(tmp_path, tracker={"url": TRACKER, "projects": ["akane"]}, before=away) as web:
        assert web.deliver(single(an_item(project={"type": "Project", "id": 9}))) == 202
        assert web.woken() == {5}
