"""What is wrong with a request is said in a way that the official client shows."""

import http.client
import json
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import shotgun_api3

from haikei.sgserver.http.hosting import SiteOptions
from support.clocks import PATIENCE
from support.sites import KEY, SCRIPT, RunningSite, running_site

_CALL_LIMIT = 200_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningSite]:
    options = SiteOptions(call_limit=_CALL_LIMIT)
    with running_site(tmp_path_factory.mktemp("errors"), options=options) as running:
        yield running


def _post(site: RunningSite, body: bytes | object) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = httpx.post(f"{site.url}/api3/json", content=content, timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_an_unknown_field_is_a_fault_in_the_real_sites_words(site: RunningSite) -> None:
    with pytest.raises(shotgun_api3.Fault, match=r"API read\(\) Shot\.nope doesn't exist"):
        site.connect().find("Shot", [["nope", "is", 1]])


def test_an_unknown_method_is_a_fault(site: RunningSite) -> None:
    sg: Any = site.connect()

    with pytest.raises(shotgun_api3.Fault, match="explode"):
        sg._call_rpc("explode", {})


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"method_name": 1}', b"\xff"])
def test_what_is_no_call_is_answered_with_the_reason(site: RunningSite, body: bytes) -> None:
    answer = _post(site, body)

    assert answer["exception"] is True
    assert answer["error_code"] == 103
    assert answer["message"]


@pytest.mark.parametrize(
    "call",
    [
        None,
        [],
        "text",
        {},
        {"type": 3},
        {"type": "Shot", "filters": "all"},
        {"type": "Shot", "filters": {"conditions": 3}},
        {"type": "Shot", "filters": {}, "paging": {"entities_per_page": "many"}},
        {"type": "Shot", "filters": {}, "return_fields": 7},
        {"type": '\'; DROP TABLE "Shot"; --', "filters": {}},
    ],
)
@pytest.mark.parametrize("method", ["read", "create", "update", "delete", "batch", "summarize"])
def test_a_call_in_a_wrong_shape_is_a_fault_and_never_a_crash(
    site: RunningSite, method: str, call: object
) -> None:
    auth = {"script_name": SCRIPT, "script_key": KEY}

    answer = _post(site, {"method_name": method, "params": [auth, call]})

    if "exception" in answer:
        assert answer["error_code"] in {103, 104}
        assert "log says why" not in answer["message"]
    else:
        assert "results" in answer


def test_a_call_beyond_the_limit_is_refused_and_says_so(site: RunningSite) -> None:
    sg = site.connect()

    with pytest.raises(shotgun_api3.ProtocolError) as refused:
        sg.find("Shot", [["code", "is", "x" * (_CALL_LIMIT + 1)]])

    assert refused.value.errcode == 413
    assert sg.find("Shot", []) == []


def test_a_call_is_no_get(site: RunningSite) -> None:
    assert httpx.get(f"{site.url}/api3/json", timeout=PATIENCE).status_code == 405


def test_a_web_page_whose_name_was_pointed_at_this_machine_reads_nothing(
    site: RunningSite,
) -> None:
    answer = httpx.get(f"{site.url}/", headers={"host": "evil.example:80"}, timeout=PATIENCE)

    assert answer.status_code == 400
    assert "Versions" not in answer.text


def test_a_client_that_goes_away_in_the_middle_harms_nobody(site: RunningSite) -> None:
    address = urlsplit(site.url)
    for path, kind in (
        ("/api3/json", "application/json"),
        ("/upload/upload_file", "multipart/form-data; boundary=b"),
    ):
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        connection.putrequest("POST", path)
        connection.putheader("content-length", "100000")
        connection.putheader("content-type", kind)
        connection.endheaders(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx')
        connection.close()

    assert site.connect().find("Shot", []) == []
