"""Programs use the API: with tokens, once each, and with answers that say what to do."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from haikei.database import api_requests, api_tokens, events, utc_now
from haikei.errors import TokenError
from haikei.jobs.engine import Dispatcher
from haikei.web import ApiScope, Tokens
from support.jobs import MemoryEngine, put_layout
from support.studio import make_version
from support.web import MORI, Web, web_of

API = "/api/v1"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with web_of(tmp_path) as one:
        yield one


def a_token(web: Web, *scopes: ApiScope, **more: Any) -> dict[str, str]:
    """Return the header of a token that is good for these, or for everything."""
    _, shown = Tokens(web.database).create("test", scopes or ApiScope, **more)
    return {"authorization": f"Bearer {shown.get_secret_value()}"}


def received(web: Web) -> list[str]:
    """Return the keys of all that was handed in."""
    with web.database.connect() as connection:
        return list(connection.execute(select(events.c.key)).scalars())


def problem(answer: Any, status: int) -> dict[str, Any]:
    """Return a problem, which says so by its type."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["detail"]
    return found


def submit(web: Web, headers: dict[str, str], path: Path | str, **more: object) -> Any:
    """Hand a file in by its path."""
    return web.client.post(f"{API}/submissions", json={"path": str(path), **more}, headers=headers)


def upload(web: Web, headers: dict[str, str], content: bytes, **more: Any) -> Any:
    """Hand a file in by its bytes."""
    place: dict[str, Any] = {
        "filename": "drawing.png",
        "project": "PORT",
        "sequence": "s01",
        "shot": "c009",
    }
    return web.client.post(
        f"{API}/uploads",
        params={**place, **more},
        content=content,
        headers={"content-type": "application/octet-stream", **headers},
    )


def test_a_file_that_is_handed_in_becomes_a_job_once(web: Web) -> None:
    headers, event = a_token(web), put_layout(web.settings)

    planned = submit(web, headers, event.layout, dry_run=True)
    assert (planned.status_code, planned.json()["state"]) == (200, "planned")
    assert received(web) == []

    first, again = (submit(web, headers, event.layout) for _ in range(2))
    assert (first.status_code, first.json()["new"]) == (202, True)
    assert (again.status_code, again.json()["new"]) == (200, False)
    # The very key under which the watcher would tell of it.
    assert received(web) == [event.key] == [first.json()["key"]]
    assert first.json()["variants"] == [{"season": "summer", "time": "day", "recipe": "flat"}]

    Dispatcher(web.settings, web.database, MemoryEngine(), ahead=9).take_events()
    status = web.client.get(f"{API}/submissions/{event.key}", headers=headers).json()
    assert status["state"] == "waiting"
    assert [job["shot"] for job in status["jobs"]] == ["c001"]


def test_a_place_that_is_given_counts_more_than_the_path(web: Web) -> None:
    file = web.settings.storage.roots[0].path / "anywhere" / "drawing.png"
    file.parent.mkdir()
    put_layout(web.settings).layout.rename(file)
    headers = a_token(web)

    assert problem(submit(web, headers, file), 422)["type"].endswith(":PlaceUnknown")
    half = problem(submit(web, headers, file, shot="c044"), 422)
    assert "belong together" in half["detail"]
    found = submit(web, headers, file, project="PORT", sequence="s01", shot="c044")
    assert (found.status_code, found.json()["shot"]) == (202, "c044")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/etc/passwd", "PathRefused"),
        ("{root}/../secret.png", "PathRefused"),
        ("{root}/link.png", "PathRefused"),
        ("PORT/s01/c001/layout/c001_bg_v001.png", "PathRefused"),
        ("{root}/PORT/s01/c001/layout/c001_bg_v002.png", "ImageUnreadable"),
        ("{root}/PORT/s01/c001/layout/c001_bg_v001.txt", "ImageUnreadable"),
        ("{root}/PORT/s01/c001/layout/~$c001_bg_v001.png", "ImageUnreadable"),
        ("{root}/PORT/s01/c001/layout/c001_bg_v003.png", "ImageUnreadable"),
        ("{root}/bad\x00name.png", "PathRefused"),
        ("{root}/PORT/s01/c001/layout/c001_bg_v001.png/x.png", "PlaceUnknown"),
        ("{root}/PORT/s01/c001/layout", "ImageUnreadable"),
        (
            "{root}/PORT/s01/c001/background/summer_day/v001/c001_bg_summer_day_v001.png",
            "PathRefused",
        ),
    ],
)
def test_what_is_no_layout_of_the_studio_is_refused_at_once(
    web: Web, tmp_path: Path, path: str, kind: str
) -> None:
    root = web.settings.storage.roots[0].path
    put_layout(web.settings)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "PORT/s01/c001/layout/c001_bg_v003.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")

    found = problem(submit(web, a_token(web), path.format(root=root)), 422)

    assert found["type"] == f"urn:haikei:problem:{kind}"
    assert "secret" not in found["detail"].replace("secret.png", "")
    assert received(web) == []


def test_a_file_that_no_route_takes_is_refused_at_once(tmp_path: Path) -> None:
    with web_of(tmp_path, routes=[{"project": "OTHER", "recipe": "flat"}]) as web:
        event = put_layout(web.settings)
        found = problem(submit(web, a_token(web), event.layout), 422)

    assert found["detail"] == "No route in the settings takes PORT/s01/c001."


def test_bytes_are_put_where_layouts_stand_and_never_over_another_file(web: Web) -> None:
    headers, content = a_token(web), put_layout(web.settings).layout.read_bytes()
    other = put_layout(web.settings, shade=0.25).layout.read_bytes()
    folder = web.settings.storage.roots[0].path / "PORT/s01/c009/layout"

    dry = upload(web, headers, content, name="bg", dry_run="true").json()
    assert (dry["state"], folder.exists()) == ("planned", False)
    first = upload(web, headers, content, name="bg").json()
    again = upload(web, headers, content, name="bg").json()
    second = upload(web, headers, other, name="bg").json()

    assert [one["new"] for one in (first, again, second)] == [True, False, True]
    assert first["path"] == str(folder / "c009_bg_v001.png")
    assert second["path"] == str(folder / "c009_bg_v002.png")
    assert (folder / "c009_bg_v001.png").read_bytes() == content
    third = put_layout(web.settings, shade=0.75).layout.read_bytes()
    taken = problem(upload(web, headers, third, name="bg", version=2), 409)
    assert taken["type"].endswith(":AlreadyPublished")
    assert list((web.settings.studio.state / "uploads").iterdir()) == []


@pytest.mark.parametrize("declared", [True, False])
def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path, *, declared: bool) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield bytes(1 << 20)

    with web_of(tmp_path, web={"max_upload_mib": 1}) as web:
        body: Any = bytes(2 << 20) if declared else chunks()
        found = problem(upload(web, a_token(web), body), 413)

        assert "1 MiB" in found["detail"]
        assert list((web.settings.studio.state / "uploads").glob("*")) == []


@pytest.mark.parametrize(
    "place", [{"shot": ".."}, {"shot": "a/b"}, {"project": "a\x07"}, {"filename": "a.exe"}]
)
def test_bytes_are_put_nowhere_else(web: Web, place: dict[str, str]) -> None:
    content = put_layout(web.settings).layout.read_bytes()
    before = sorted(web.settings.storage.roots[0].path.rglob("*"))

    problem(upload(web, a_token(web), content, **place), 422)

    assert sorted(web.settings.storage.roots[0].path.rglob("*")) == before
    assert received(web) == []


def test_a_name_that_no_disk_can_hold_is_no_fault_of_the_server(web: Web) -> None:
    content = put_layout(web.settings).layout.read_bytes()

    found = upload(web, a_token(web), content, shot="港" * 200)

    assert found.status_code in {409, 422}, found.text
    long = web.settings.storage.roots[0].path / f"{'x' * 300}.png"
    answer = submit(web, a_token(web), long, project="PORT", sequence="s01", shot="c001")
    assert "File name too long" in problem(answer, 422)["detail"]
    assert received(web) == []


def test_bytes_that_are_no_image_are_refused_under_the_name_they_came_with(web: Web) -> None:
    found = problem(upload(web, a_token(web), b"no image"), 422)

    assert "drawing.png" in found["detail"]
    assert str(web.settings.studio.state) not in json.dumps(found)


def test_without_a_good_token_nothing_is_read(web: Web) -> None:
    tokens = Tokens(web.database)
    kept, good = tokens.create("kept", ApiScope)
    revoked, gone = tokens.create("gone", ApiScope)
    tokens.revoke(revoked.id)
    _, over = tokens.create("over", ApiScope, days=1)
    with web.database.begin() as connection:
        old = utc_now() - timedelta(days=1)
        connection.execute(
            update(api_tokens).where(api_tokens.c.name == "over").values(expires_at=old)
        )
    secret = good.get_secret_value()
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    shown = [
        *(f"Bearer {one}" for one in (wrong, gone.get_secret_value(), over.get_secret_value())),
        f"Basic {secret}",
        secret,
        "Bearer ",
        f"Bearer haikei_{kept.id}_{'é' * 43}",
        "",
    ]
    with capture_logs() as logs:
        for text in shown:
            headers = {b"authorization": text.encode("latin-1")} if text else {}
            answer = web.client.get(f"{API}/jobs", headers=headers)
            assert problem(answer, 401)["type"] == "urn:haikei:problem:token-needed"
            assert answer.headers["www-authenticate"].startswith("Bearer")

    assert len(logs) == len(shown)
    assert not [text for text in shown if text and text[-20:] in json.dumps(logs)]
    good_answer = web.client.get(f"{API}/jobs", headers={"authorization": f"Bearer {secret}"})
    assert good_answer.status_code == 200


def test_only_the_hash_of_a_token_is_kept(web: Web) -> None:
    _, shown = Tokens(web.database).create("farm", [ApiScope.SUBMIT])
    secret = shown.get_secret_value().split("_", 2)[2]

    with web.database.connect() as connection:
        row = connection.execute(select(api_tokens)).one()

    assert secret not in repr(tuple(row))
    assert secret not in repr(shown)
    with pytest.raises(TokenError, match="no name"):
        Tokens(web.database).create(" ", ApiScope)
    with pytest.raises(TokenError, match="no token 'abc'"):
        Tokens(web.database).revoke("abc")


def test_a_browsers_session_is_no_token(web: Web) -> None:
    headers = {"cookie": "haikei=anything", "x-csrf-token": web.csrf()}

    problem(web.client.post(f"{API}/submissions", json={"path": "/x"}, headers=headers), 401)


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        (ApiScope.SUBMIT, "POST", "/submissions"),
        (ApiScope.SUBMIT, "POST", "/uploads"),
        (ApiScope.READ, "GET", "/jobs"),
        (ApiScope.READ, "GET", "/versions"),
        (ApiScope.READ, "GET", "/submissions/x"),
        (ApiScope.READ, "GET", "/versions/x"),
        (ApiScope.DECIDE, "POST", "/versions/x/decision"),
    ],
)
def test_a_token_is_good_for_its_scopes_alone(
    web: Web, scope: ApiScope, method: str, path: str
) -> None:
    others = [one for one in ApiScope if one is not scope]

    found = problem(web.client.request(method, API + path, headers=a_token(web, *others)), 403)

    assert found["type"] == "urn:haikei:problem:scope-missing"
    allowed = web.client.request(method, API + path, headers=a_token(web, scope))
    assert allowed.status_code not in {401, 403}


def test_too_many_requests_with_one_token_are_slowed_down(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"api_rate": 2}) as web:
        headers, other = a_token(web), a_token(web)
        answers = [web.client.get(f"{API}/jobs", headers=headers) for _ in range(3)]
        free = web.client.get(f"{API}/jobs", headers=other)

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert free.status_code == 200


def test_the_same_key_and_request_get_the_same_answer(web: Web) -> None:
    headers, event = a_token(web), put_layout(web.settings)
    keyed = {**headers, "idempotency-key": "one"}

    first, again = (submit(web, keyed, event.layout) for _ in range(2))
    assert (first.status_code, first.text) == (again.status_code, again.text) == (202, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    other = problem(submit(web, keyed, event.layout, dry_run=True), 422)
    assert other["type"].endswith(":idempotency-key-reused")
    # Another program's key of the same name is another key.
    theirs = submit(web, {**a_token(web), "idempotency-key": "one"}, event.layout)
    assert (theirs.status_code, theirs.json()["new"]) == (200, False)
    content = event.layout.read_bytes()
    sent = {**headers, "idempotency-key": "two"}
    assert upload(web, sent, content).text == upload(web, sent, content).text
    problem(upload(web, sent, content + b" "), 422)
    problem(upload(web, sent, content, shot="c010"), 422)


def test_a_request_that_is_under_way_is_not_begun_again(web: Web) -> None:
    event = put_layout(web.settings)
    headers = {**a_token(web), "idempotency-key": "one"}
    assert submit(web, headers, event.layout).status_code == 202
    with web.database.begin() as connection:
        connection.execute(update(api_requests).values(status=0, answer=""))

    assert problem(submit(web, headers, event.layout), 409)["type"].endswith(":request-under-way")
    with web.database.begin() as connection:
        # Its server died half an hour ago.
        old = utc_now() - timedelta(hours=1)
        connection.execute(update(api_requests).values(begun_at=old))
    assert submit(web, headers, event.layout).status_code == 200


def test_a_request_that_failed_may_be_made_again_with_its_key(web: Web) -> None:
    event = put_layout(web.settings)
    hidden = event.layout.rename(event.layout.with_suffix(".aside"))
    headers = {**a_token(web), "idempotency-key": "one"}

    problem(submit(web, headers, event.layout), 422)
    hidden.rename(event.layout)

    assert submit(web, headers, event.layout).status_code == 202


def test_of_many_at_once_with_one_key_one_is_carried_out(web: Web) -> None:
    event = put_layout(web.settings)
    headers = {**a_token(web), "idempotency-key": "one"}
    answers: list[int] = []

    def ask() -> None:
        answers.append(submit(web, headers, event.layout).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(answers) <= {202, 409}
    assert 202 in answers
    assert len(received(web)) == 1


def test_versions_come_in_pages_that_neither_repeat_nor_miss_one(web: Web) -> None:
    with web.database.begin() as connection:
        for number in range(1, 8):
            make_version(connection, web.desk, number, shot=f"c{number:03}")
    headers, cursor, found = a_token(web), "", list[str]()

    while True:
        query: dict[str, Any] = {"limit": 3, "cursor": cursor}
        page = web.client.get(f"{API}/versions", params=query, headers=headers).json()
        found += [one["shot"] for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert sorted(found) == [f"c{number:03}" for number in range(1, 8)]
    only = web.client.get(f"{API}/versions?shot=c003", headers=headers).json()["items"]
    one = web.client.get(f"{API}/versions/{only[0]['code']}", headers=headers).json()
    assert only == [one]
    assert len(one["sha256"]) == 64
    assert web.client.get(f"{API}/versions?shot=C9", headers=headers).json()["items"] == []


def test_jobs_come_in_pages_the_newest_first(web: Web) -> None:
    headers = a_token(web)
    for number in range(5):
        submit(web, headers, put_layout(web.settings, f"c00{number}").layout)
    Dispatcher(web.settings, web.database, MemoryEngine(), ahead=9).take_events()

    first = web.client.get(f"{API}/jobs?limit=3&state=waiting", headers=headers).json()
    query = {"limit": "3", "state": "waiting", "cursor": first["next_cursor"]}
    second = web.client.get(f"{API}/jobs", params=query, headers=headers).json()

    shots = [job["shot"] for job in (*first["items"], *second["items"])]
    assert shots == ["c004", "c003", "c002", "c001", "c000"]
    assert second["next_cursor"] == ""


@pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "WyJhIl0", "WyIyMDI2IiwiYSJd", "e30"])
def test_a_cursor_that_nobody_gave_is_refused(web: Web, cursor: str) -> None:
    answer = web.client.get(f"{API}/versions?cursor={cursor}", headers=a_token(web))

    assert problem(answer, 422)["type"].endswith(":cursor-invalid")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=01", "limit=1.0", "state=x", "limit=1&limit=1", "x=1"]
)
def test_a_query_that_says_something_else_is_refused(web: Web, query: str) -> None:
    problem(web.client.get(f"{API}/jobs?{query}", headers=a_token(web)), 422)


def decide(web: Web, headers: dict[str, str], code: str, **body: object) -> Any:
    """Decide about a version."""
    return web.client.post(f"{API}/versions/{code}/decision", json=body, headers=headers)


def test_a_decision_is_the_persons_who_is_named(web: Web) -> None:
    with web.database.begin() as connection:
        order = make_version(connection, web.desk, 1)
    headers = a_token(web)

    taken = decide(web, headers, order.key, decision="approve", by="mori", note="good")

    assert taken.status_code == 202
    assert taken.json()["by"] == MORI.login
    (seen,) = web.desk.look([1])
    assert (seen.status, web.woken()) == ("apr", {1})
    unknown = problem(decide(web, headers, order.key, decision="hold", by="nobody"), 409)
    assert "no active person with the login 'nobody'" in unknown["detail"]
    stale = decide(web, headers, order.key, decision="omit", seen="none")
    assert problem(stale, 409)["type"].endswith(":ReviewOvertaken")
    problem(decide(web, headers, "c777_bg", decision="omit"), 404)
    problem(decide(web, headers, order.key, decision="maybe"), 422)


def test_a_token_with_a_login_decides_for_nobody_else(web: Web) -> None:
    with web.database.begin() as connection:
        order = make_version(connection, web.desk, 1)
    headers = a_token(web, ApiScope.DECIDE, login="kato")

    problem(decide(web, headers, order.key, decision="hold", by="mori"), 403)
    taken = decide(web, headers, order.key, decision="hold")

    assert (taken.status_code, taken.json()["by"]) == (202, "kato")


def test_who_may_not_decide_on_the_pages_may_not_decide_here(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"supervisors": ["kato"]}) as web:
        with web.database.begin() as connection:
            order = make_version(connection, web.desk, 1)
        headers = a_token(web)

        found = problem(decide(web, headers, order.key, decision="hold", by="mori"), 403)
        assert found["type"].endswith(":may-not-decide")
        assert decide(web, headers, order.key, decision="hold", by="kato").status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", "/jobs", 405),
        ("GET", "/submissions/a%0Ab", 404),
        ("GET", "/versions/a%0A/b", 404),
        ("GET", "/submissions/" + "x" * 201, 422),
    ],
)
def test_every_error_is_a_problem(web: Web, method: str, path: str, status: int) -> None:
    problem(web.client.request(method, API + path, headers=a_token(web)), status)


def test_bodies_are_checked_before_they_are_believed(web: Web) -> None:
    headers = a_token(web)
    address = f"{API}/submissions"
    as_json = {**headers, "content-type": "application/json"}

    problem(web.client.post(address, content=b"{}", headers=headers), 415)
    problem(web.client.post(address, content=b"{", headers=as_json), 422)
    problem(web.client.post(address, content=b" " * 300_000, headers=as_json), 413)
    extra = problem(web.client.post(address, json={"path": "/a", "x": 1}, headers=headers), 422)
    assert extra["mistakes"] == [{"field": "x", "message": "Extra inputs are not permitted"}]


def test_a_tracker_that_is_away_is_no_fault_of_the_request(web: Web) -> None:
    from haikei.errors import TrackerUnavailable

    with web.database.begin() as connection:
        order = make_version(connection, web.desk, 1)
    web.desk.failures.append(TrackerUnavailable("The tracker is away.", retry_after=7.0))

    answer = decide(web, a_token(web), order.key, decision="hold")

    assert problem(answer, 503)["type"].endswith(":TrackerUnavailable")
    assert answer.headers["retry-after"] == "7"


def test_what_nobody_foresaw_shows_no_token_in_the_log(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from haikei.cli.startup import configure_logs
    from haikei.settings import Log

    def break_(*_: object, **__: object) -> None:
        message = "nobody foresaw this"
        raise RuntimeError(message)

    headers = a_token(web)
    monkeypatch.setattr("haikei.jobs.table.JobStore.these", break_)
    handlers = logging.getLogger().handlers[:]
    import structlog

    before = structlog.get_config()
    configure_logs(Log(format="console"))
    try:
        problem(web.client.get(f"{API}/jobs", headers=headers), 500)
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers

    said = capsys.readouterr().err
    assert "nobody foresaw this" in said
    assert headers["authorization"].split("_", 2)[2] not in said
