"""
Requests as they fare on a bad day: what the rules say is done to them, before or after the site.

The rules can be read and changed over HTTP, from this machine and with the key of whoever serves
the site; without `--faults` none of this is there.
"""

import asyncio
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from email.utils import format_datetime
from http import HTTPStatus
from typing import cast

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haikei.errors import SettingsError
from haikei.settings import is_loopback
from haikei.sgserver.faults.fault_board import AskedCall, FaultBoard
from haikei.sgserver.faults.fault_rules import FaultKind, FaultRule, rules_of
from haikei.sgserver.values import utc_now

_log = structlog.get_logger(__name__)

#: Where rules are read and changed.
ADDRESS = "/haikei/faults"
_CALL = "/api3/json"
_LONGEST_CALL = 64 << 20
_QUOTA = "API rate limit exceeded. Please wait before making another request."
_WORDS: Mapping[FaultKind, str] = {
    FaultKind.MAINTENANCE: "The site is down for maintenance.",
    FaultKind.THROTTLED: _QUOTA,
    FaultKind.EXPIRED_LINK: "<Error><Code>AccessDenied</Code><Message>Request has expired"
    "</Message></Error>",
}


class BadDays:
    """
    Stands before the site and does to requests what the rules say.

    Args:
        app: the site.
        board: the rules.
        key: what changes them over HTTP; empty: nobody may.
    """

    def __init__(self, app: ASGIApp, *, board: FaultBoard, key: str) -> None:
        self._app = app
        self._board = board
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._dated(send)
        if scope["path"] == ADDRESS:
            answer = await self._rules(Request(scope, receive))
            await answer(scope, receive, send)
            return
        body, receive = await _read(scope, receive)
        call = _asked(scope, body)
        denied = self._board.denied(call)
        if denied is not None:
            await _denial(*denied, rest=call.what == "rest")(scope, receive, send)
            return
        acting = tuple(self._board.of(call))
        for rule in acting:
            _log.info("fault", kind=rule.kind.value, what=call.what, when=rule.when)
        await _stall(acting, "before")
        early = next((one for one in acting if _is_early(one)), None)
        if early is not None:
            await _refusal(early)(scope, receive, send)
            return
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        await _stall(acting, "after")
        late = next((one for one in acting if _is_late(one)), None)
        if late is not None:
            await _refusal(late)(scope, receive, send)
        elif any(one.kind is FaultKind.CUT for one in acting):
            await _cut(kept, send)
        else:
            for message in self._changed(call, kept):
                await send(message)

    def _dated(self, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = format_datetime(utc_now() + self._board.skew, usegmt=True)
                headers = [*message.get("headers", ()), (b"date", now.encode())]
                message = {**message, "headers": headers}
            await send(message)

        return dated

    def _changed(self, call: AskedCall, messages: Sequence[Message]) -> Sequence[Message]:
        """Return an answer without rows and values that rules hide."""
        log = "EventLogEntry" in call.entities and call.what in {"read", "rest"}
        schema = call.what in {"schema_field_read", "schema_read"}
        if not (log or schema) or messages[0].get("status") != HTTPStatus.OK:
            return messages
        body = b"".join(one.get("body", b"") for one in messages[1:])
        try:
            found = json.loads(body)
        except ValueError:
            return messages
        if log:
            self._without_unseen(found)
        else:
            self._without_hidden(found, call)
        body = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode(
            errors="backslashreplace"
        )
        start = dict(messages[0])
        start["headers"] = [
            (name, str(len(body)).encode() if name.lower() == b"content-length" else value)
            for name, value in start["headers"]
        ]
        return [start, {"type": "http.response.body", "body": body, "more_body": False}]

    def _without_unseen(self, found: object) -> None:
        for rows in _row_lists(found):
            rows[:] = [row for row in rows if self._board.is_seen(_id_of(row))]

    def _without_hidden(self, found: object, call: AskedCall) -> None:
        results = _mapping(_mapping(found).get("results"))
        for entity in call.entities:
            hidden = self._board.hidden_statuses(entity)
            fields = _mapping(results.get(entity)) or results
            for field in fields.values() if hidden else ():
                properties = _mapping(_mapping(field).get("properties"))
                values = _mapping(properties.setdefault("hidden_values", {}))
                kind = _mapping(_mapping(field).get("data_type")).get("value")
                if kind == "status_list":
                    known = cast("list[object]", values.get("value") or [])
                    values["value"] = [*known, *hidden]

    async def _rules(self, request: Request) -> Response:
        host = request.client.host if request.client else ""
        shown = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not is_loopback(host) or not self._key:
            return _error(403, "Faults are changed from the machine that serves the site.")
        if not hmac.compare_digest(shown.encode(), self._key.encode()):
            return _error(401, "Show the key in keys/faults as a Bearer token.")
        if request.method == "PUT":
            try:
                given = json.loads(await request.body())
                rules = rules_of(_mapping(given).get("fault"), where="the request")
            except (ValueError, SettingsError) as error:
                return _error(422, str(error))
            await asyncio.to_thread(self._board.hold, rules)
        elif request.method == "DELETE":
            await asyncio.to_thread(self._board.clear)
        elif request.method != "GET":
            return _error(405, "GET, PUT or DELETE.")
        acted = [{**asdict(rule), "acted": count} for rule, count in self._board.acted()]
        return JSONResponse({"fault": acted})


async def _stall(acting: Sequence[FaultRule], when: str) -> None:
    for rule in acting:
        if rule.kind is FaultKind.STALL and rule.when == when:
            await asyncio.sleep(rule.seconds)


def _error(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status)


def _is_early(rule: FaultRule) -> bool:
    refuses = {FaultKind.MAINTENANCE, FaultKind.THROTTLED, FaultKind.EXPIRED_LINK}
    return rule.kind in refuses or (rule.kind is FaultKind.ERROR and rule.when == "before")


def _is_late(rule: FaultRule) -> bool:
    return rule.kind is FaultKind.ERROR and rule.when == "after"


def _refusal(rule: FaultRule) -> Response:
    status = {
        FaultKind.MAINTENANCE: 503,
        FaultKind.THROTTLED: 429,
        FaultKind.EXPIRED_LINK: 403,
    }.get(rule.kind, rule.status)
    headers = {"retry-after": str(rule.retry_after)} if rule.retry_after else {}
    words = rule.words or _WORDS.get(rule.kind, HTTPStatus(status).phrase)
    if rule.kind is FaultKind.THROTTLED and rule.words:
        # Some sites say it in an exception of the protocol, and with 200.
        fault = {"exception": True, "error_code": 105, "message": rule.words}
        return JSONResponse(fault, headers=headers)
    return PlainTextResponse(f"{words}\n", status, headers)


def _denial(entity: str, field: str, *, rest: bool) -> Response:
    text = f"API {entity}.{field} doesn't exist, or you have no permission to use it."
    if rest:
        problem = {"status": 400, "code": 103, "title": text, "source": None, "detail": None}
        return JSONResponse({"errors": [problem]}, 400)
    return JSONResponse({"exception": True, "error_code": 104, "message": text})


async def _cut(messages: Sequence[Message], send: Send) -> None:
    """Send half of an answer that promises all of it; the server then ends the connection."""
    body = b"".join(one.get("body", b"") for one in messages[1:])
    start = dict(messages[0])
    others = [one for one in start["headers"] if one[0].lower() != b"content-length"]
    start["headers"] = [*others, (b"content-length", str(len(body) + 1).encode())]
    await send(start)
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def _read(scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
    """Read a call's body and return it, with what gives it once more; uploads stay unread."""
    if scope["path"] != _CALL and not scope["path"].startswith("/api/v1"):
        return b"", receive
    body = b""
    messages: list[Message] = []
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
        if len(body) > _LONGEST_CALL:
            break
    waiting = iter(messages)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return body, again


def _asked(scope: Scope, body: bytes) -> AskedCall:
    path = str(scope["path"])
    if path == _CALL:
        return _wire(body)
    if path.startswith("/upload/"):
        what = "download" if path.endswith("get_thumbnail_url") else "upload"
        return AskedCall(what=what, entities=frozenset(), fields=frozenset())
    if path.startswith(("/file_serve/", "/images/", "/thumbnail/")):
        return AskedCall(what="download", entities=frozenset(), fields=frozenset())
    if path.startswith("/api/v1"):
        names = {"".join(part.title() for part in one.split("_")) for one in path.split("/")}
        entities = {name.removesuffix("s") for name in names if name}
        entities |= {"EventLogEntry"} if "EventLogEntries" in names else set()
        query = scope.get("query_string", b"").decode("ascii", "replace")
        return AskedCall(
            what="rest",
            entities=frozenset(entities),
            fields=frozenset({*_words(body.decode(errors="replace")), *_words(query)}),
        )
    return AskedCall(what="page", entities=frozenset(), fields=frozenset())


def _wire(body: bytes) -> AskedCall:
    try:
        envelope = _mapping(json.loads(body))
    except (ValueError, RecursionError):
        envelope = {}
    params = envelope.get("params")
    several = cast("list[object]", params) if isinstance(params, list) else []
    calls = list(_calls(several[1] if len(several) > 1 else None))
    types = (one.get("type") or one.get("entity_type") for one in calls)
    return AskedCall(
        what=str(envelope.get("method_name") or ""),
        entities=frozenset(one for one in types if isinstance(one, str)),
        fields=frozenset(_words(json.dumps(calls))),
    )


def _calls(call: object) -> Iterator[Mapping[str, object]]:
    if isinstance(call, list):
        for one in cast("list[object]", call):
            yield from _calls(one)
    elif isinstance(call, dict):
        yield cast("dict[str, object]", call)


def _words(text: str) -> Iterator[str]:
    """Yield whatever could be a field's name in a request."""
    word = ""
    for sign in f"{text} ":
        if sign.isalnum() or sign == "_":
            word += sign
        elif word:
            yield word
            word = ""


def _row_lists(found: object) -> Iterator[list[object]]:
    answer = _mapping(found)
    for rows in (_mapping(answer.get("results")).get("entities"), answer.get("data")):
        if isinstance(rows, list):
            yield cast("list[object]", rows)


def _id_of(row: object) -> int:
    number = _mapping(row).get("id")
    return number if isinstance(number, int) else 0


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
