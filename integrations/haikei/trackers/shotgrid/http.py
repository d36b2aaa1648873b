"""
The official client, made to send a request once and give up in time, and what can go
wrong on the way.
"""

import gzip
import http.client
import io
import json
import select
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import shotgun_api3
from pydantic import SecretStr
from shotgun_api3 import Shotgun
from shotgun_api3.lib import httplib2
from shotgun_api3.lib.httplib2 import HttpLib2Error, ServerNotFoundError
from typing_extensions import override

from haikei.errors import (
    HaikeiError,
    TrackerDenied,
    TrackerError,
    TrackerRejected,
    TrackerUnavailable,
)
from haikei.retry_after import seconds_to_wait

#: What the client lets out: its own errors, the network's, and what answers in a strange shape
#: (a proxy's page instead of JSON) make of its code.
CLIENT_ERRORS = (
    shotgun_api3.ShotgunError,
    shotgun_api3.ProtocolError,
    HttpLib2Error,
    http.client.HTTPException,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RuntimeError,
)

_SETUP = "Run `haikei setup`, then `haikei doctor`."
_PASSING = {408, 425, 429, 500, 502, 503, 504}


def tracker_error(error: Exception, *, site: str, doing: str) -> HaikeiError:
    """Return our error for one that the client raised while doing something."""
    if isinstance(error, HaikeiError):
        return error
    if isinstance(error, shotgun_api3.AuthenticationFault):
        return TrackerDenied(
            f"{site} does not let us sign in: {_sentence(error)}",
            advice="Check tracker.script and its key; the key may have been changed on the site.",
        )
    if isinstance(error, shotgun_api3.Fault):
        return _fault(str(error), site=site, doing=doing)
    if isinstance(error, shotgun_api3.ProtocolError):
        headers = getattr(error, "headers", None)
        known = headers if isinstance(headers, Mapping) else {}
        return _status(
            int(getattr(error, "errcode", 0)), known.get("retry-after"), site=site, doing=doing
        )
    if isinstance(error, shotgun_api3.ShotgunError):
        return _client_refusal(str(error), site=site, doing=doing)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TrackerDenied(
            f"The certificate of {site} is not trusted: {error.verify_message}.",
            advice="Point SHOTGUN_API_CACERTS to the file with your studio's authority.",
        )
    return _unanswered(error, site=site, doing=doing)


def upload_error(error: Exception, url: str) -> TrackerError:
    """Return our error for one that came up while a form or a file was sent to `url`."""
    # What follows the host may hold a signature that lets anybody write there.
    host = urlsplit(url).netloc
    doing = f"sending to {urlsplit(url).path}" if "/upload/" in url else "sending a file"
    if isinstance(error, urllib.error.HTTPError):
        retry_after = error.headers.get("retry-after")
        error.close()
        return _status(error.code, retry_after, site=host, doing=doing)
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return _unanswered(cause, site=host, doing=doing)


def _status(code: int, retry_after: object, *, site: str, doing: str) -> TrackerError:
    if code in _PASSING:
        return TrackerUnavailable(
            f"{site} answered {code} ({_reason(code)}) to {doing}.",
            retry_after=seconds_to_wait(retry_after),
        )
    if code in {401, 403}:
        return TrackerDenied(
            f"{site} answered {code} ({_reason(code)}) to {doing}.",
            advice="API access is blocked there: check the site's network restrictions.",
        )
    return TrackerDenied(
        f"{site} answered {code} ({_reason(code)}) to {doing}.",
        advice="Check tracker.url: it must be the root of a ShotGrid site.",
    )


def _fault(message: str, *, site: str, doing: str) -> TrackerRejected:
    lowered = message.casefold()
    advice: str | None = None
    if "sg_haikei" in lowered:
        advice = _SETUP
    elif "permission" in lowered or "not allowed" in lowered or "not permitted" in lowered:
        advice = "Give the script's permission role this right on the site."
    elif "local storage" in lowered:
        advice = "Give storage.roots the names and paths of the site's local storages. " + _SETUP
    elif "valid status" in lowered:
        advice = (
            "Name statuses that the site has in tracker.review_status and [review.statuses]. "
            + _SETUP
        )
    elif "quota" in lowered or "storage limit" in lowered:
        advice = "Free or buy space on the site."
    # What is named here every job needs; all else is about a row.
    kind = TrackerRejected if advice is None else TrackerDenied
    return kind(f"{site} refused {doing}: {_sentence(message)}", advice=advice)


def _unanswered(error: object, *, site: str, doing: str) -> TrackerUnavailable:
    if isinstance(error, TimeoutError):
        return TrackerUnavailable(
            f"{site} gave no answer to {doing} in time.",
            advice="It may have been carried out all the same. Raise tracker.timeout if need be.",
        )
    if isinstance(error, ServerNotFoundError | socket.gaierror):
        return TrackerUnavailable(
            f"{site} cannot be found in the network.", advice="Check tracker.url and the DNS."
        )
    if isinstance(error, ConnectionRefusedError):
        return TrackerUnavailable(
            f"{site} takes no connections.", advice="Check that it runs, and tracker.url."
        )
    if isinstance(error, json.JSONDecodeError | KeyError | IndexError | TypeError | AttributeError):
        return TrackerUnavailable(
            f"{site} answered {doing} with something else than ShotGrid would.",
            advice="Check tracker.url, and proxies on the way.",
        )
    return TrackerUnavailable(f"{site} was cut off during {doing}: {_sentence(error)}")


def _client_refusal(message: str, *, site: str, doing: str) -> TrackerError:
    # The client wraps the site's answer to an upload: "…\nPath: …\nUrl: …\nError: 0\n<reason>".
    # Its documentation says of such failures that they happen, and that trying again helps.
    _, mark, answer = message.partition("Error: ")
    if mark:
        reason = answer.removeprefix("0").strip() or "it did not say why"
        return TrackerUnavailable(f"{site} failed in {doing}: {_sentence(reason)}")
    return TrackerRejected(f"The client refused {doing}: {_sentence(message)}")


def _sentence(text: object) -> str:
    words = " ".join(str(text).split()) or type(text).__name__
    return words if words.endswith(".") else f"{words}."


def _reason(code: int) -> str:
    return http.client.responses.get(code, "unknown status")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """The site's clock and ours at the same moment."""

    site: datetime
    ours: datetime


class OneSendShotgun(Shotgun):
    """
    One connection to a site, for one thread.

    Args:
        url: the root of the site.
        script: the script user's name.
        key: the script user's key.
        timeout: seconds without an answer after which a call or an upload is given up.
    """

    MAX_ATTEMPTS = 1
    BACKOFF = 0.0

    def __init__(self, url: str, *, script: str, key: SecretStr, timeout: float) -> None:
        super().__init__(
            url,
            script_name=script,
            api_key=key.get_secret_value(),
            connect=False,
            convert_datetimes_to_utc=False,
        )
        self.config.max_rpc_attempts = 1
        self.config.timeout_secs = timeout
        self.clock: ClockReading | None = None
        self._timeout = timeout

    def uploads_to_cloud(self, entity_type: str, field: str) -> bool:
        """Tell whether the site takes a field's file into a cloud storage."""
        return bool(self._requires_direct_s3_upload(entity_type, field))

    @contextmanager
    def acting_as(self, login: str) -> Generator[None]:
        """Let the site do what is asked in this block as that person; empty is the script."""
        self.config.sudo_as_login = login or None
        try:
            yield
        finally:
            self.config.sudo_as_login = None

    @override
    def _get_connection(self) -> httplib2.Http:
        if self._connection is None:
            usual = super()._get_connection()
            self._connection = _OneSendHttp(
                timeout=usual.timeout, ca_certs=usual.ca_certs, proxy_info=usual.proxy_info
            )
        return self._connection

    @override
    def _http_request(
        self, verb: str, path: str, body: Any, headers: dict[str, Any]
    ) -> tuple[tuple[int, str], dict[str, Any], str]:
        status, answered, content = super()._http_request(verb, path, body, headers)
        if date := answered.get("date"):
            with suppress(ValueError):
                site = parsedate_to_datetime(str(date)).astimezone(UTC)
                self.clock = ClockReading(site=site, ours=datetime.now(UTC))
        return status, answered, content

    @override
    def _build_opener(self, handler: Any) -> urllib.request.OpenerDirector:
        return _TimedOpener(super()._build_opener(handler), self._timeout)

    @override
    def _send_form(self, url: str, params: dict[str, Any]) -> str:
        try:
            return super()._send_form(url, params)
        finally:
            # The client opens the file that it uploads and leaves closing it to chance.
            for value in params.values():
                if isinstance(value, io.IOBase):
                    value.close()


class _OneSendHttp(httplib2.Http):
    """An HTTP connection that never repeats a request by itself."""

    def _conn_request(
        self,
        conn: http.client.HTTPConnection,
        request_uri: str,
        method: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> tuple[httplib2.Response, bytes]:
        if conn.sock is not None and _hung_up(conn.sock):
            conn.close()
        try:
            if conn.sock is None:
                conn.connect()
            conn.request(method, request_uri, body, {**headers, "accept-encoding": "gzip"})
            answer = conn.getresponse()
            content = answer.read()
        except BaseException:
            conn.close()
            raise
        response = httplib2.Response(answer)
        if answer.getheader("content-encoding") == "gzip":
            content = gzip.decompress(content)
        return response, content


def _hung_up(connection: socket.socket) -> bool:
    # Between two calls a server says nothing: what can be read now is the end of the connection,
    # and a request sent into it would be lost without our knowing whether it was read.
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable)


class _TimedOpener(urllib.request.OpenerDirector):
    """An opener whose every request has a time-out, and whose errors are ours at once."""

    def __init__(self, inner: urllib.request.OpenerDirector, timeout: float) -> None:
        super().__init__()
        self._inner = inner
        self._timeout = timeout

    @override
    def open(self, fullurl: Any, data: Any = None, timeout: float | None = None) -> Any:
        url = fullurl if isinstance(fullurl, str) else str(fullurl.full_url)
        try:
            return self._inner.open(fullurl, data, timeout=timeout or self._timeout)
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            raise upload_error(error, url) from error
