"""`POST /api3/json`: every call of the official client comes through here."""

import time
from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from haikei.errors import HaikeiError
from haikei.sgserver.envelope import fault_body, read_envelope, results_body
from haikei.sgserver.faults import Fault, failed
from haikei.sgserver.form import drain, large_chunks
from haikei.sgserver.hosting import Hosting
from haikei.sgserver.rpc import dispatch
from haikei.sgserver.values import Json

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
