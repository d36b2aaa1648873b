"""Signing in to the REST interface, its refusals, and its webhooks."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.hooks import Hook, refusal
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.http.webhook_sending import WebhookSender
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault, Json, parse_json

_LIMIT = 256 * 1024
_HOUR = 3600
_HOOKS = "/api/v1/webhook/hooks"


class Refused(Exception):
    """A request is not even read."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title


class Rest:
    """Signs scripts in and manages webhooks; scripts only, as people have no page for it here."""

    def __init__(self, hosting: Hosting, sender: WebhookSender) -> None:
        self._hosting = hosting
        self._sender = sender

    def routes(self) -> list[Route]:
        """Return what to serve."""
        one = f"{_HOOKS}/{{number}}"
        return [
            Route("/api/v1/auth/access_token", self.access_token, methods=["POST"]),
            Route(_HOOKS, self.list, methods=["GET"]),
            Route(_HOOKS, self.create, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.change, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/test_connection", self.test, methods=["POST"]),
        ]

    async def access_token(self, request: Request) -> Response:
        """Sign in with a script's name and key, or a person's login and password."""
        try:
            body = await read_body(request, _LIMIT)
        except Refused as refused:
            return error_response(refused.status, refused.title)
        form = dict(parse_qsl(body.decode("utf-8", "replace")))

        def work() -> Response:
            match form:
                case {"client_id": name, "client_secret": key}:
                    auth = {"script_name": name, "script_key": key}
                case {"username": login, "password": password}:
                    auth = {"user_login": login, "user_password": password}
                case {"session_token": token}:
                    auth = {"session_token": token}
                case _:
                    return error_response(400, "Name client_id and client_secret.")
            scope, _, login = form.get("scope", "").partition(":")
            if scope == "sudo_as_login":
                auth["sudo_as_login"] = login
            elif scope:
                return error_response(400, f"There is no scope {scope}.")
            try:
                caller = self._hosting.site.authenticate(auth)
            except Fault:
                return error_response(400, "Can't authenticate.")
            token = self._hosting.site.new_session(caller)
            return JSONResponse(
                {"token_type": "Bearer", "access_token": token, "expires_in": _HOUR}
            )

        return await self._hosting.workers.run(work)

    async def list(self, request: Request) -> Response:
        """Tell of every webhook."""

        def work(_given: Mapping[str, Any]) -> Response:
            return JSONResponse({"data": [hook.shown() for hook in self._sender.hooks.all()]})

        return await self._answer(request, work)

    async def create(self, request: Request) -> Response:
        """Make a webhook."""

        def work(given: Mapping[str, Any]) -> Response:
            return _hook_answer(self._sender.hooks.create(given), 201)

        return await self._answer(request, work)

    async def show(self, request: Request) -> Response:
        """Tell of one webhook."""
        return await self._for_hook(request, lambda hook, _: _hook_answer(hook))

    async def change(self, request: Request) -> Response:
        """Change a webhook, or enable it again."""

        def work(hook: Hook, given: Mapping[str, Any]) -> Response:
            return _hook_answer(self._sender.hooks.change(hook, given))

        return await self._for_hook(request, work)

    async def delete(self, request: Request) -> Response:
        """Forget a webhook."""

        def work(hook: Hook, _given: Mapping[str, Any]) -> Response:
            self._sender.hooks.delete(hook.id)
            return Response(status_code=204)

        return await self._for_hook(request, work)

    async def test(self, request: Request) -> Response:
        """Send a test; like the real site, say nothing of what the receiver answers."""

        def work(hook: Hook, _given: Mapping[str, Any]) -> Response:
            self._sender.test(hook)
            return Response(status_code=204)

        return await self._for_hook(request, work)

    async def _for_hook(
        self, request: Request, work: Callable[[Hook, Mapping[str, Any]], Response]
    ) -> Response:
        number: str = request.path_params["number"]

        def found(given: Mapping[str, Any]) -> Response:
            hook = self._sender.hooks.find(number)
            return (
                error_response(404, f"There is no webhook {number}.")
                if hook is None
                else work(hook, given)
            )

        return await self._answer(request, found)

    async def _answer(
        self, request: Request, work: Callable[[Mapping[str, Any]], Response]
    ) -> Response:
        try:
            given = await json_body(request, _LIMIT)
        except Refused as refused:
            return error_response(refused.status, refused.title)

        def answer() -> Response:
            caller = caller_of(request, self._hosting.site)
            if caller is None:
                return error_response(401, "Sign in first.")
            if caller.kind != "ApiUser":
                return error_response(403, "Only scripts manage webhooks.")
            try:
                return work(given)
            except Fault as fault:
                return JSONResponse(refusal(fault), 400)

        return await self._hosting.workers.run(answer)


def caller_of(request: Request, site: Site) -> Caller | None:
    """Return whose token a request carries, None for nobody's."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() != "bearer":
        return None
    try:
        return site.session_caller(token.strip())
    except Fault:
        return None


async def json_body(request: Request, limit: int) -> dict[str, Json]:
    """
    Return the JSON object that a request brings, empty where it brings nothing.

    Raises:
        Refused: it has more than `limit` bytes, or is no JSON object.
    """
    body = await read_body(request, limit)
    try:
        given = parse_json(body) if body else {}
    except (ValueError, RecursionError):
        raise Refused(400, "The request is no JSON.") from None
    if not isinstance(given, Mapping):
        raise Refused(400, "The request is no JSON object.")
    return dict(given)


async def read_body(request: Request, limit: int) -> bytes:
    """
    Return what a request brings.

    Raises:
        Refused: it has more than `limit` bytes.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise Refused(413, "The request is too large.")
    except ClientDisconnect:
        return b""
    return bytes(body)


def _hook_answer(hook: Hook, status: int = 200) -> Response:
    return JSONResponse({"data": hook.shown()}, status)


def error_response(status: int, title: str, *, code: int | None = None) -> Response:
    """Return a refusal as the REST interface words it."""
    error: dict[str, Json] = {
        "id": uuid.uuid4().hex,
        "status": status,
        "code": status if code is None else code,
        "title": title,
        "source": None,
        "detail": None,
        "meta": None,
    }
    return JSONResponse({"errors": [error]}, status)
