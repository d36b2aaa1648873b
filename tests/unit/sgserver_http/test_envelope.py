"""What stands around a call is taken apart strictly, and refused in words."""

import json

import pytest

from haikei.sgserver.http.rpc import fault_body, read_envelope, results_body
from haikei.sgserver.values import Fault


def test_a_call_comes_out_of_its_envelope() -> None:
    body = json.dumps(
        {"method_name": "read", "params": [{"script_name": "背景"}, {"type": "Shot"}]}
    ).encode()

    call = read_envelope(body)

    assert (call.method, call.auth, call.call) == (
        "read",
        {"script_name": "背景"},
        {"type": "Shot"},
    )


def test_a_call_without_arguments_has_none() -> None:
    call = read_envelope(b'{"method_name": "get_session_token", "params": [{"script_name": "x"}]}')

    assert call.call is None


@pytest.mark.parametrize("params", ["", ', "params": []', ', "params": [{"script_name": "x"}]'])
def test_info_needs_nobody(params: str) -> None:
    call = read_envelope(f'{{"method_name": "info"{params}}}'.encode())

    assert (call.method, call.auth) == ("info", None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "no method_name"),
        (b'"read"', "no method_name"),
        (b'{"params": []}', "no method_name"),
        (b'{"method_name": "read", "params": ["\\ud800"]}', "not valid JSON"),
        (b'{"method_name": "read", "params": [NaN]}', "not valid JSON"),
        (b'{"method_name": "read", "params": [-1e999]}', "not valid JSON"),
        (b'{"method_name": 3}', "no method_name"),
        (b'{"method_name": ""}', "no method_name"),
        (b'{"method_name": "read", "params": {}}', "not a list"),
    ],
)
def test_what_is_no_call_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(Fault, match=reason) as refused:
        read_envelope(body)

    assert refused.value.code == 103


@pytest.mark.parametrize("params", ["[]", "[3]", "[{}, {}, {}]"])
def test_a_call_without_sign_in_parameters_is_an_authentication_fault(params: str) -> None:
    with pytest.raises(Fault) as refused:
        read_envelope(f'{{"method_name": "read", "params": {params}}}'.encode())

    assert refused.value.code == 102


def test_results_and_faults_travel_as_the_client_reads_them() -> None:
    assert json.loads(results_body("read", {"entities": []})) == {"results": {"entities": []}}
    assert json.loads(results_body("info", {"version": [8, 78, 0]})) == {"version": [8, 78, 0]}
    assert json.loads(fault_body(Fault(104, "だめ"))) == {
        "exception": True,
        "error_code": 104,
        "message": "だめ",
    }
