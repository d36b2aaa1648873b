"""
`POST /api3/json`: the envelope, the wire methods, one answer a call (reference: the
official client's `_call_rpc`).
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from haikei.errors import HaikeiError
from haikei.sgserver.credentials import Caller
from haikei.sgserver.http import answering
from haikei.sgserver.http import answering as following
from haikei.sgserver.http import answering as schedules
from haikei.sgserver.http.form import drain, large_chunks
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.query import activity, summaries
from haikei.sgserver.query import activity as searching
from haikei.sgserver.query import activity as threads
from haikei.sgserver.schema import editing
from haikei.sgserver.site import Site
from haikei.sgserver.values import (
    AuthenticationFault,
    Fault,
    Json,
    bad_request,
    failed,
    inspect,
    parse_json,
)
from haikei.sgserver.wire_calls import names_of

#: What the site says it is; clients decide by it what they may ask.
VERSION = (8, 78, 0)
#: What a client may read of the site's preferences.
PREFERENCES: dict[str, Json] = {
    "creative_review_settings": "",
    "date_component_order": "month_day",
    "duration_units": "days",
    "enable_rv_integration": True,
    "enable_shotgun_review_for_rv": False,
    "format_currency_fields_decimal_options": "$1,000.99",
    "format_currency_fields_display_dollar_sign": False,
    "format_currency_fields_negative_options": "- $1,000",
    "format_date_fields": "08/04/22 OR 04/08/22 (depending on the Month order preference)",
    "format_float_fields": "9,999.99",
    "format_float_fields_rounding": "9.999999",
    "format_footage_fields": "10-05",
    "format_number_fields": "1,000",
    "format_time_hour_fields": "12 hour",
    "hours_per_day": 8.0,
    "support_local_storage": True,
    "view_master_settings": "",
}

Method = Callable[[Site, Caller, Mapping[str, Json]], Json]

#: The wire methods, each with the names of the parameters that it heeds.
METHODS: dict[str, tuple[Method, str]] = {
    "read": (
        answering.read,
        (
            "type filters return_fields return_only return_paging_info "
            "return_paging_info_without_counts paging sorts additional_filter_presets "
            "include_archived_projects api_return_image_urls"
        ),
    ),
    "create": (answering.create, "type fields return_fields"),
    "update": (answering.update, "type id fields"),
    "delete": (answering.delete, "type id"),
    "revive": (answering.revive, "type id"),
    "summarize": (summaries.summarize, "type filters summaries grouping include_archived_projects"),
    "schema_entity_read": (editing.schema_entity_read, "project"),
    "schema_read": (editing.schema_read, "project"),
    "schema_field_read": (editing.schema_field_read, "type field_name project"),
    "schema_field_create": (editing.schema_field_create, "type data_type properties"),
    "schema_field_update": (editing.schema_field_update, "type field_name properties project"),
    "schema_field_delete": (editing.schema_field_delete, "type field_name"),
    "follow": (following.follow, "user entity"),
    "unfollow": (following.unfollow, "user entity"),
    "followers": (following.followers, "entity"),
    "following": (following.following, "user entity_type project"),
    "update_project_last_accessed_by_current_user": (
        following.update_project_last_accessed,
        "project_id user_id",
    ),
    "activity_stream": (activity.activity_stream, "type id min_id max_id limit entity_fields"),
    "nav_expand": (activity.nav_expand, "path seed_entity_field entity_fields"),
    "nav_search": (activity.nav_search, "root_path seed_entity_field search_criteria"),
    "work_schedule_read": (schedules.work_schedule_read, "start_date end_date project user"),
    "work_schedule_update": (
        schedules.work_schedule_update,
        ("date working description project user recalculate_field"),
    ),
    "user_subscriptions_read": (schedules.user_subscriptions_read, ""),
    "user_subscriptions_create": (schedules.user_subscriptions_create, "users"),
    "export_page": (answering.export_page, "format page_id layout_name"),
    "note_thread_contents": (threads.note_thread_contents, "note_id entity_fields"),
    "query_display_name_cache": (
        searching.query_display_name_cache,
        ("text entity_types project_ids max_results"),
    ),
}


def dispatch(site: Site, caller: Caller | None, method: str, call: Json) -> Json:
    """
    Return what goes into `results` for one wire method.

    `caller` is None for the one method that needs nobody (`info`). `call` is the second of the
    request's `params`, None when there is none.

    Raises:
        Fault: it is refused.
    """
    if method == "info":
        return info()
    if caller is None:
        raise AuthenticationFault("Missing or invalid authentication arguments")
    if method == "batch":
        return site.batch(caller, call)
    found = METHODS.get(method)
    parameters = _heeded(method, call, found[1] if found else _MORE.get(method))
    if method == "get_session_token":
        return {"session_id": site.new_session(caller)}
    if method == "preferences_read":
        wanted = names_of(parameters, "prefs")
        return {k: v for k, v in PREFERENCES.items() if not wanted or k in wanted}
    if found is None:
        raise bad_request(f"API {method}() is not available on this site.")
    work, _ = found
    return work(site, caller, parameters)


#: What the methods take that are answered here.
_MORE = {"get_session_token": "", "preferences_read": "prefs"}


def _heeded(method: str, call: Json, known: str | None) -> Mapping[str, Json]:
    """Return a call's parameters; one that the method does not know is refused, not left out."""
    if call is None or known is None:
        return {}
    if not isinstance(call, Mapping):
        raise bad_request(f"API {method}() expects a hash of parameters: {inspect(call)}")
    if unknown := sorted(name for name in call if name not in known.split()):
        raise bad_request(
            f"API {method}() unknown parameters: {inspect(unknown)} "
            f"Known parameters: {inspect(known.split())}"
        )
    return call


def info() -> dict[str, Json]:
    """Return what anybody may know of the site; where uploads go is the server's to add."""
    return {
        "version": list(VERSION),
        "full_version": [*VERSION, 0],
        "user_authentication_method": "default",
        "s3_uploads_enabled": False,
        "s3_direct_uploads_enabled": False,
        "s3_enabled_upload_types": {
            "Version": ["sg_uploaded_movie"],
            "*": ["this_file"],
            "Attachment": "*",
        },
        "api_max_entities_per_page": 500,
    }


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
        envelope = parse_json(body)
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
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")  # a lone surrogate stays JSON's own escape


_log = structlog.get_logger(__name__)


class Calls:
    """Takes calls out of their envelopes and puts the answers into theirs."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting

    def routes(self) -> list[Route]:
        """Return what to serve."""
        return [Route("/api3/json", self.call, methods=["POST"])]

    async def call(self, request: Request) -> Response:
        """Answer one call; what is refused is answered with 200 as well, as an exception."""
        limit = self._hosting.options.call_limit
        body = bytearray()
        chunks = large_chunks(request)
        try:
            async for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    await drain(chunks, limit=4 * limit)
                    return PlainTextResponse(
                        f"A call may have {limit // 1024} KiB; this one has more.", 413
                    )
        except ClientDisconnect:
            return PlainTextResponse("The connection ended before the call did.", 400)
        answer = await self._hosting.workers.run(self._answer, bytes(body))
        return Response(answer, media_type="application/json")

    def _answer(self, body: bytes) -> bytes:
        started = time.monotonic()
        method = "?"
        try:
            call = read_envelope(body)
            method = call.method
            site = self._hosting.site
            caller = None if call.auth is None else site.authenticate(call.auth)
            results = dispatch(site, caller, method, call.call)
            if method == "info":
                results = self._with_uploads(results)
            answer = results_body(method, results)
        except Fault as fault:
            _log.info("call_refused", method=method, code=fault.code, reason=fault.message)
            return fault_body(fault)
        except HaikeiError as error:
            _log.warning("call_failed", method=method, reason=str(error))
            return fault_body(failed(str(error)))
        except Exception:  # noqa: BLE001 - the log has it all; a client must get an answer
            _log.exception("call_failed", method=method)
            return fault_body(failed(f"API {method}() failed; the site's log says why."))
        _log.debug("call_answered", method=method, seconds=round(time.monotonic() - started, 4))
        return answer

    def _with_uploads(self, info: Json) -> Json:
        cloud = self._hosting.options.uploads == "cloud"
        known = dict(info) if isinstance(info, Mapping) else {}
        return known | {
            "s3_uploads_enabled": cloud,
            "s3_direct_uploads_enabled": cloud,
            "s3_enabled_upload_types": {"*": ["*"]} if cloud else {},
        }
