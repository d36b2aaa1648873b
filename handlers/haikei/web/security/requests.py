"""Requests as they come in and answers as they go out: callers, bodies, limits, headers."""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haikei.settings import Settings, is_loopback

# In no frame, not even the tracker's: session cookies are not sent into frames of other sites, so
# that no page would work there.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: browsers would then hide the origin of our own forms, too.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


def security_headers(*, secure: bool) -> dict[str, str]:
    """Return the headers of every answer that does not say otherwise."""
    tls = {"strict-transport-security": "max-age=31536000"} if secure else {}
    return {**_HEADERS, **tls}


class SecurityHeaders:
    """Adds them; an answer that may be kept says so itself, all others are not kept."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = security_headers(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def caller(request: Request, settings: Settings) -> str:
    """
    Return the address.

    Behind a proxy on this machine it is the one that the proxy has seen. Anybody else's word for
    it is not taken, since who makes up addresses would have no limits.
    """
    host = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    if forwarded and settings.web.url is not None and is_loopback(host):
        return forwarded.rpartition(",")[2].strip()[:64]
    return host


#: Seconds in which a body must be there.
PATIENCE = 15.0
_FIELDS = 500


async def read_body(request: Request, *, limit: int) -> bytes:
    """
    Return the body.

    Args:
        request: whose body was not read yet.
        limit: bytes; what goes beyond is not read.

    Raises:
        HTTPException: 413, it is longer; 408, it takes too long; 400, it ends early.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise HTTPException(413, f"At most {limit} bytes are read.")
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise HTTPException(413, f"At most {limit} bytes are read.")
    except TimeoutError:
        raise HTTPException(408, "The request took too long.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The request ended early.") from None
    return bytes(body)


def read_form(body: bytes) -> Mapping[str, str]:
    """
    Return the fields of an urlencoded form, empty ones as well.

    Raises:
        HTTPException: 400; it is none, or a field is there twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_FIELDS,
        )
    except ValueError:
        raise HTTPException(400, "This is no form.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise HTTPException(400, "A field is there twice.")
    return fields


#: Names that are remembered at once; those that asked longest ago are forgotten first.
REMEMBERED = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """
    A token bucket for each name (an address, a login); threads may share it.

    Args:
        per_minute: requests in the long run; so many at once, too.
        monotonic: seconds that only ever grow.
    """

    def __init__(self, per_minute: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_minute)
        self._rate = per_minute / 60
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Count a request; return 0, or the seconds after which it may be made."""
        now = self._monotonic()
        with self._lock:
            bucket = self._buckets.pop(name, None) or _Bucket(self._most, now)
            bucket.tokens = min(self._most, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
            self._buckets[name] = bucket
            while len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return 0.0
            return (1 - bucket.tokens) / self._rate
