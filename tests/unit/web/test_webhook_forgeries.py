"""What no site of ours has sent is refused, and leads to nothing."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from haikei.database import utc_now
from support.web import Web, an_item, batched, sign, single, web_of

_BODY = json.dumps(single(an_item())).encode()


def nothing_is_queued(web: Web) -> bool:
    return not web.woken() and not web.expected() and not web.taken()


@pytest.mark.parametrize(
    "signature",
    [
        sign(_BODY, "another token"),
        sign(_BODY + b" "),
        sign(_BODY).removeprefix("sha1="),
        sign(_BODY)[:-1],
        "sha1=",
        "sha256=" + "0" * 64,
        "härter",
    ],
    # The body carries the time: its signatures would name the tests otherwise in each process.
    ids=("token", "body", "prefix", "cut", "empty", "algorithm", "no ascii"),
)
def test_a_wrong_signature_is_refused_and_logged(web: Web, signature: str) -> None:
    with capture_logs() as logs:
        status = web.client.post(
            "/webhooks/shotgrid", content=_BODY, headers={b"x-sg-signature": signature.encode()}
        ).status_code

    assert status == 401
    assert nothing_is_queued(web)
    assert [line["status"] for line in logs if line["event"] == "webhook_refused"] == [401]


def test_a_missing_signature_is_refused(web: Web) -> None:
    assert web.post(_BODY, {}) == 401
    assert nothing_is_queued(web)


def test_a_changed_body_is_refused(web: Web) -> None:
    changed = _BODY.replace(b'"id": 5', b'"id": 6')
    assert changed != _BODY

    assert web.post(changed, {"x-sg-signature": sign(_BODY)}) == 401
    assert nothing_is_queued(web)


def test_without_a_token_nothing_is_taken(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"webhook_token": None}) as web:
        assert web.deliver(single(an_item())) == 503
        assert web.deliver(single(an_item()), token="") == 503
        assert nothing_is_queued(web)


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "streamed"])
def test_a_body_that_is_too_large_is_not_read_to_its_end(tmp_path: Path, *, declared: bool) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1024

    with web_of(tmp_path, web={"max_body_kib": 64}) as web:
        headers = {"x-sg-signature": sign(b"")}
        if declared:
            headers["content-length"] = str(1000 * 1024)
        answer = web.client.post("/webhooks/shotgrid", content=endless(), headers=headers)

        assert answer.status_code == 413
        assert nothing_is_queued(web)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"data": {}}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"data": an_item()}).encode(),
        json.dumps({"data": an_item(), "timestamp": "yesterday"}).encode(),
        lambda: json.dumps(single(an_item(event_type=None))).encode(),
        lambda: json.dumps(single(an_item(event_log_entry_id=-1))).encode(),
        lambda: json.dumps(single(an_item(event_log_entry_id=2**70))).encode(),
        lambda: json.dumps(
            single({**an_item(), "entity": {"type": "Version", "id": 2**70}})
        ).encode(),
        lambda: json.dumps(
            single({**an_item(), "entity": {"type": "Version", "id": "x"}})
        ).encode(),
        lambda: json.dumps(batched(*[an_item(n) for n in range(501)])).encode(),
    ],
)
def test_a_malformed_body_is_refused_even_when_it_is_signed(
    web: Web, body: bytes | Callable[[], bytes]
) -> None:
    # What says a time is made now: an hour after the tests began it would be too old.
    sent = body if isinstance(body, bytes) else body()
    assert web.post(sent, {"x-sg-signature": sign(sent)}) == 400
    assert nothing_is_queued(web)


@pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(days=900), timedelta(hours=-1)])
def test_a_delivery_of_another_time_is_refused(web: Web, age: timedelta) -> None:
    assert web.deliver(single(an_item(), at=utc_now() - age)) == 403
    assert nothing_is_queued(web)


def test_only_post_is_answered(web: Web) -> None:
    assert web.client.get("/webhooks/shotgrid").status_code == 405


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = st.dictionaries(
    st.sampled_from([*an_item(), "timestamp", "data", "deliveries"]), _JSON, max_size=12
)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_of(tmp_path_factory.mktemp("web")) as one:
        yield one


@settings(max_examples=75, deadline=None)
@given(body=st.binary(max_size=400) | _FIELDS.map(lambda value: json.dumps(value).encode()))
def test_no_signed_body_breaks_the_server(lasting: Web, body: bytes) -> None:
    assert lasting.post(body, {"x-sg-signature": sign(body)}) in {200, 202, 400, 403}


@settings(max_examples=75, deadline=None)
@given(changes=_FIELDS)
def test_no_signed_delivery_breaks_the_server(lasting: Web, changes: dict[str, object]) -> None:
    payload = single({**an_item(), **changes})

    assert lasting.deliver(payload) in {200, 202, 400}


@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=200), signature=st.text(st.characters(max_codepoint=255)))
def test_what_is_not_signed_is_never_read(lasting: Web, body: bytes, signature: str) -> None:
    before = lasting.taken()
    given_signature = signature.encode("latin-1").replace(b"\r", b"").replace(b"\n", b"")

    status = lasting.client.post(
        "/webhooks/shotgrid", content=body, headers={b"x-sg-signature": given_signature}
    ).status_code

    assert status == 401
    assert lasting.taken() == before
