"""The JSON around every wire method (reference: the official client's `_call_rpc`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from haikei.sgserver.faults import Fault, bad_request
from haikei.sgserver.values import Json

#: What the real site answers when no parameters for signing in came.
_NOT_SIGNED_IN = "Can't authenticate user: no authentication parameters were sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCall:
    """One request, taken out of its envelope."""

    method: str
    auth: Mapping[str, Json] | None  #: None where nobody needs to sign in
    call: Json  #: None when the method takes nothing


def read_envelope(body: bytes) -> WireCall:
    """
    Take a request out of its envelope: `{"method_name": …, "params": [auth, call]}`.

    Raises:
        Fault: it is no JSON, or not in that shape.
    """
    try:
        envelope: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"The request is not valid JSON: {error}") from error
    fields = envelope if isinstance(envelope, Mapping) else {}
    method, parameters = fields.get("method_name"), fields.get("params", [])
    if not isinstance(method, str) or not method:
        raise bad_request("The request has no method_name.")
    if not isinstance(parameters, list):
        raise bad_request("The request's params are not a list.")
    if method == "info":
        return WireCall(method=method, auth=None, call=None)
    match parameters:
        case [Mapping() as auth]:
            return WireCall(method=method, auth=auth, call=None)
        case [Mapping() as auth, call]:
            return WireCall(method=method, auth=auth, call=call)
        case _:
            raise Fault(102, _NOT_SIGNED_IN)


def results_body(method: str, results: Json) -> bytes:
    """Return the body of a successful answer; `info` alone travels bare."""
    return _encoded(results if method == "info" else {"results": results})


def fault_body(fault: Fault) -> bytes:
    """Return the body by which the client raises a Fault."""
    return _encoded({"exception": True, "error_code": fault.code, "message": fault.message})


def _encoded(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
