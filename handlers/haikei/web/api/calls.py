"""From a request to an operation and back: tokens, limits, checks, the same answer twice."""

import asyncio
import hashlib
import json
import re
import secrets
import time
from asyncio import to_thread
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from haikei.database import api_requests, reading, utc_now
from haikei.errors import HaikeiError
from haikei.printable import escaped
from haikei.web.api.endpoints import Endpoints
from haikei.web.api.operations import (
    BYTES,
    LONGEST_KEY,
    PREFIX,
    ApiToken,
    Call,
    Operation,
    Reply,
    Tokens,
    document,
)
from haikei.web.api.schemas import Refused, invalid, refused_for
from haikei.web.context import WebContext
from haikei.web.security.requests import RateLimit, caller, read_body

log = structlog.get_logger()

#: Bytes of a request's JSON; seconds in which the next bytes of a file must come.
_LONGEST_BODY, _PATIENCE = 256 * 1024, 30.0
#: Files that are received at once, and bytes of one that are written at once.
_AT_ONCE, _CHUNK = 4, 1 << 20
#: How long an answer is kept, and after how long a request that was begun is taken for lost.
_KEPT, _LOST = timedelta(days=1), timedelta(minutes=30)
#: Seconds after which a file that was half received is taken for left behind.
_LEFT = 86_400.0
_columns = api_requests.c


class Api:
    """The routes below `/api/v1`."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._endpoints = Endpoints(context)
        self._tokens = Tokens(context.database)
        self._rate = RateLimit(context.settings.web.api_rate)
        self._strangers = RateLimit(context.settings.web.api_rate)
        self._most = context.settings.web.max_upload_mib << 20
        self._folder = context.settings.work_folder / "uploads"
        self._receiving = 0
        operations = self._endpoints.operations()
        self._document = json.dumps(document(operations), ensure_ascii=False).encode()
        self._app = Starlette(
            routes=[
                Route("/openapi.json", self._documented, methods=["GET"]),
                *(
                    Route(one.path, partial(self._answer, one), methods=[one.method])
                    for one in operations
                ),
            ],
            exception_handlers={
                HTTPException: _of_http,
                HaikeiError: _of_ours,
                Refused: _of_refusal,
                Exception: _unforeseen,
            },
        )

    def routes(self) -> list[Mount]:
        """Return what the application serves."""
        return [Mount(PREFIX, self._app)]

    def start(self) -> None:
        """Remove what was left behind when a server died."""
        for file in self._folder.glob("*"):
            with suppress(OSError):
                if file.stat().st_mtime < time.time() - _LEFT:
                    file.unlink()

    def close(self) -> None:
        """End what is held."""
        self._endpoints.close()

    def _documented(self, _request: Request) -> Response:
        return Response(self._document, media_type="application/json")

    async def _answer(self, operation: Operation, request: Request) -> Response:
        token = await self._allowed(operation, request)
        key = str(request.path_params.get("key", ""))
        if len(key) > LONGEST_KEY:
            raise Refused(422, "invalid-request", f"A key has at most {LONGEST_KEY} characters.")
        query = _query(operation.query, request)
        once = _idempotency_key(request) if operation.changes else ""
        body, text = None, b""
        if operation.body is not None:
            _require_type(request, "application/json")
            text = await read_body(request, limit=_LONGEST_BODY)
            try:
                body = operation.body.model_validate_json(text)
            except ValidationError as error:
                raise invalid(error, "body") from None
        call = partial(Call, token=token, key=key, query=query, body=body)
        if not operation.takes_file:
            if not once:
                return _json(await to_thread(operation.carry_out, call(file=None)))
            digest = _digest(operation, request, hashlib.sha256(text).hexdigest())
            carry_out = partial(operation.carry_out, call(file=None))
            return await to_thread(self._once, token, once, digest, carry_out)
        name = f"{secrets.token_hex(16)}{_ending(request)}"
        file = self._folder / name
        try:
            sha256 = await self._receive(request, file)
            carry_out = partial(operation.carry_out, call(file=file))
            if not once:
                return _json(await to_thread(carry_out))
            digest = _digest(operation, request, sha256)
            return await to_thread(self._once, token, once, digest, carry_out)
        finally:
            await to_thread(file.unlink, missing_ok=True)

    async def _allowed(self, operation: Operation, request: Request) -> ApiToken:
        """Return the token of a request, before anything else of it is read."""
        address = caller(request, self._context.settings)
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        token = None
        if kind.lower() == "bearer" and shown:
            token = await to_thread(self._tokens.check, shown.strip(), utc_now())
        wait = self._rate.take(token.id) if token else self._strangers.take(address)
        if wait:
            raise Refused(
                429,
                "too-many-requests",
                "Too many requests; wait a little.",
                headers={"retry-after": str(int(wait) + 1)},
            )
        if token is None:
            log.warning("api_token_refused", path=request.url.path, address=address)
            raise Refused(
                401,
                "token-needed",
                "The request shows no token that opens anything.",
                advice="Make one with `haikei web token create`, and send it as a Bearer token.",
                headers={"www-authenticate": 'Bearer realm="haikei"'},
            )
        if operation.scope not in token.scopes:
            log.warning("api_scope_missing", token=token.id, scope=operation.scope.value)
            scope = operation.scope.value
            raise Refused(
                403,
                "scope-missing",
                f"The token is not good for this: it lacks {scope!r}.",
                advice=f"Use a token with the scope {scope!r}.",
            )
        return token

    async def _receive(self, request: Request, file: Path) -> str:
        """Write what is sent into a file, no more than may be; return the SHA-256 of it."""
        _require_type(request, BYTES)
        if self._receiving >= _AT_ONCE:
            raise Refused(
                503, "busy", f"{_AT_ONCE} files are being received.", headers={"retry-after": "5"}
            )
        self._receiving += 1
        try:
            return await self._received(request, file)
        finally:
            self._receiving -= 1

    async def _received(self, request: Request, file: Path) -> str:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._most:
            raise self._too_large()
        await to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        digest, size, waiting = hashlib.sha256(), 0, bytearray()
        chunks = aiter(request.stream())
        with file.open("xb", buffering=0) as writer:
            while True:
                try:
                    async with asyncio.timeout(_PATIENCE):
                        chunk = await anext(chunks, None)
                except TimeoutError:
                    raise HTTPException(408, "The request took too long.") from None
                except ClientDisconnect:
                    raise HTTPException(400, "The request ended early.") from None
                if chunk is not None:
                    size += len(chunk)
                    if size > self._most:
                        raise self._too_large()
                    digest.update(chunk)
                    waiting += chunk
                if waiting and (chunk is None or len(waiting) >= _CHUNK):
                    await to_thread(writer.write, bytes(waiting))
                    waiting.clear()
                if chunk is None:
                    return digest.hexdigest()

    def _too_large(self) -> Refused:
        return Refused(
            413,
            "too-large",
            f"At most {self._most >> 20} MiB are taken (web.max_upload_mib).",
            advice="Put the file below a storage root, and hand in its path.",
        )

    def _once(
        self, token: ApiToken, once: str, digest: str, carry_out: Callable[[], Reply]
    ) -> Response:
        """Carry a request out, unless the same one was; what failed may be tried again."""
        key = hashlib.sha256(f"{token.id}\0{once}".encode()).hexdigest()
        if (before := self._begin(key, digest)) is not None:
            return before
        try:
            reply = carry_out()
        except BaseException:
            with self._context.database.begin() as connection:
                connection.execute(delete(api_requests).where(_columns.key == key))
            raise
        answer = escaped(reply.content.model_dump_json())
        with self._context.database.begin() as connection:
            connection.execute(
                update(api_requests)
                .where(_columns.key == key)
                .values(status=reply.status, answer=answer)
            )
        return _json(reply)

    def _begin(self, key: str, digest: str) -> Response | None:
        """Note that a request is begun; return the answer of the one before with this key."""
        now = utc_now()
        with self._context.database.begin() as connection:
            lost = (_columns.status == 0) & (_columns.begun_at < now - _LOST)
            connection.execute(delete(api_requests).where(lost | (_columns.begun_at < now - _KEPT)))
        row = {"key": key, "sha256": digest, "status": 0, "answer": "", "begun_at": now}
        try:
            with self._context.database.begin() as connection:
                connection.execute(insert(api_requests), row)
        except IntegrityError:
            pass  # the key is known: what became of its request is answered
        else:
            return None
        with reading(self._context.database) as connection:
            found = connection.execute(select(api_requests).where(_columns.key == key)).first()
        if found is None or (found.sha256 == digest and found.status == 0):
            raise Refused(
                409,
                "request-under-way",
                "The request with this Idempotency-Key is under way.",
                headers={"retry-after": "1"},
            )
        if found.sha256 != digest:
            raise Refused(
                422,
                "idempotency-key-reused",
                "Another request had this Idempotency-Key.",
                advice="Give each request a key of its own.",
            )
        headers = {"idempotency-replayed": "true"}
        return Response(found.answer, found.status, headers, "application/json")


def _json(reply: Reply) -> Response:
    text = escaped(reply.content.model_dump_json())
    return Response(text, reply.status, media_type="application/json")


def _digest(operation: Operation, request: Request, sha256: str) -> str:
    content = f"{operation.method} {request.url.path}?{request.url.query} {sha256}"
    return hashlib.sha256(content.encode()).hexdigest()


def _ending(request: Request) -> str:
    """Return the ending of the file that is sent: readers go by it."""
    found = re.search(r"\.[A-Za-z0-9]{1,8}$", request.query_params.get("filename", ""))
    return found[0].lower() if found else ""


def _idempotency_key(request: Request) -> str:
    given = request.headers.getlist("idempotency-key")
    if not given:
        return ""
    if len(given) > 1 or not re.fullmatch(f"[!-~]{{1,{LONGEST_KEY}}}", given[0]):
        raise Refused(
            422,
            "invalid-request",
            f"An Idempotency-Key is one word of at most {LONGEST_KEY} ASCII characters.",
        )
    return given[0]


def _require_type(request: Request, wanted: str) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != wanted:
        raise Refused(415, "media-type", f"The body must be {wanted}.")


def _query(model: type[BaseModel] | None, request: Request) -> BaseModel | None:
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) < len(pairs):
        raise Refused(422, "invalid-request", "A parameter is there twice.")
    if model is None:
        if given:
            name = next(iter(given))[:100]
            raise Refused(422, "invalid-request", f"There is no parameter {name!r}.")
        return None
    try:
        for name, text in given.items():
            _require_plain(model, name, text)
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise invalid(error, "query") from None


#: How numbers and truth are written in an address, and in no other way.
_PLAIN: Mapping[type, str] = {int: r"0|-?[1-9][0-9]{0,17}", bool: "true|false"}


def _require_plain(model: type[BaseModel], name: str, text: str) -> None:
    field = model.model_fields.get(name)
    kind: Any = field.annotation if field is not None else str
    for one in (kind, *get_args(kind)):
        pattern = _PLAIN.get(one) if isinstance(one, type) else None
        if pattern is not None and not re.fullmatch(pattern, text):
            raise Refused(422, "invalid-request", f"The parameter {name!r} must be {pattern}.")


def _of_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it with no other
    return refusal_of(error).answer()


def refusal_of(error: HTTPException) -> Refused:
    """Return how an error of HTTP is answered to a program."""
    kind = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
    name = kind.get(error.status_code, "invalid-request")
    return Refused(error.status_code, name, error.detail, headers=error.headers)


def _of_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - Starlette calls it with no other
    return error.answer()


def _of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, HaikeiError)  # noqa: S101 - Starlette calls it with no other
    log.warning("api_refused", path=request.url.path, error=str(error), kind=type(error).__name__)
    return refused_for(error).answer()


def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("request_broke", path=request.url.path, kind=type(error).__name__, exc_info=error)
    return Refused(
        500, "unforeseen", "Something went wrong here that nobody foresaw; see the log."
    ).answer()
