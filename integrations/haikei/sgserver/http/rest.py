"""The part of the REST interface that has no counterpart in the official client: webhooks."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.hooks import Hook, refusal
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.http.webhook_sending import WebhookSender
from haikei.sgserver.values import Fault, Json

_LIMIT = 256 * 1024
_HOUR = 3600
_HOOKS = "/api/v1/webhook/hooks"


class _TooLarge(Exception):
    """A body has more bytes than any of these requests needs."""


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
            body = await _body(request)
        except _TooLarge:
            return _error(413, "The form is too large.")
        form = dict(parse_qsl(body.decode("utf-8", "replace")))

        def work() -> Response:
            match form:
                case {"client_id": name, "client_secret": key}:
                    auth = {"script_name": name, "script_key": key}
                case {"username": login, "password": password}:
                    auth = {"user_login": login, "user_password": password}
                case _:
                    return _error(400, "Name client_id and client_secret.")
            try:
                caller = self._hosting.site.authenticate(auth)
            except Fault:
                return _error(400, "Can't authenticate.")
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
            return _told(self._sender.hooks.create(given), 201)

        return await self._answer(request, work)

    async def show(self, request: Request) -> Response:
        """Tell of one webhook."""
        return await self._for_hook(request, lambda hook, _: _told(hook))

    async def change(self, request: Request) -> Response:
        """Change a webhook, or enable it again."""

        def work(hook: Hook, given: Mapping[str, Any]) -> Response:
            return _told(self._sender.hooks.change(hook, given))

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
                _error(404, f"There is no webhook {number}.") if hook is None else work(hook, given)
            )

        return await self._answer(request, found)

    async def _answer(
        self, request: Request, work: Callable[[Mapping[str, Any]], Response]
    ) -> Response:
        try:
            body = await _body(request)
        except _TooLarge:
            return _error(413, "The request is too large.")
        try:
            given: object = json.loads(body) if body else {}
        except ValueError:
            return _error(400, "The request is no JSON.")
        if not isinstance(given, dict):
            return _error(400, "The request is no JSON object.")

        def answer() -> Response:
            caller = self._caller(request)
            if caller is None:
                return _error(401, "Sign in first.")
            if caller.kind != "ApiUser":
                return _error(403, "Only scripts manage webhooks.")
            try:
                return work(cast("Mapping[str, Any]", given))
            except Fault as fault:
                return JSONResponse(refusal(fault), 400)

        return await self._hosting.workers.run(answer)

    def _caller(self, request: Request) -> Caller | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            return None
        try:
            return self._hosting.site.session_caller(token.strip())
        except Fault:
            return None


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LIMIT:
                raise _TooLarge
    except ClientDisconnect:
        return b""
    return bytes(body)


def _told(hook: Hook, status: int = 200) -> Response:
    return JSONResponse({"data": hook.shown()}, status)


def _error(status: int, title: str) -> Response:
    body: Json = {"errors": [{"status": status, "code": status, "title": title}]}
    return JSONResponse(body, status)
