"""
The official client, taught to send a request once and to give up in time.

Three things re-send a request behind the caller's back, and each can create a row twice: the
client on HTTP 502 and 504, its bundled httplib2 when a connection closes without an answer, and
its form sender on every error. All three are switched off here; who may safely ask again does so
knowingly. Uploads, for which the client has no time-out at all, get the same one as calls.
"""

import gzip
import http.client
import io
import select
import socket
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import SecretStr
from shotgun_api3 import Shotgun
from shotgun_api3.lib import httplib2
from typing_extensions import override

from haikei.trackers.shotgrid_errors import upload_error


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
