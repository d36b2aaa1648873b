"""
The API of a studio's Haikei, for Python 3.9 and newer, with nothing but the standard library.

It imports nothing else of Haikei: the folder of this package can be copied beside any tool.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import json
import os
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import IO, Any, TypeVar, Union, cast
from urllib.parse import quote, urlencode, urlsplit

URL_VARIABLE, TOKEN_VARIABLE = "HAIKEI_URL", "HAIKEI_TOKEN"
_PREFIX = "/api/v1"
#: Seconds before a request is made again, doubled each time, up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
#: Answers after which the same request may succeed.
_PASSING = frozenset({408, 425, 429, 502, 503, 504})
#: Seconds between two looks at what is waited for.
_LOOK, _LONGEST_LOOK = 1.0, 15.0
_LARGEST = 64 * 1024 * 1024

PathLike = Union[str, "os.PathLike[str]"]
_Kind = TypeVar("_Kind")


class ClientError(Exception):
    """
    A request was not carried out.

    Args:
        message: what happened, in a sentence.
        status: of the answer; 0 where there was none.
        kind: what problem it is, such as `scope-missing` or `PlaceUnknown`; may be empty.
        advice: what to do; may be empty.
    """

    def __init__(self, message: str, *, status: int = 0, kind: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}" if self.advice else self.message


class ServerAway(ClientError):
    """The server gives no answer, or asks to be left alone; the same may work later."""


class StillRunning(ClientError):
    """What was waited for has not ended in time; it goes on."""


class SignatureInvalid(ClientError):
    """What a webhook delivered was not signed with this secret, or not a moment ago."""


@dataclass(frozen=True)
class Job:
    """One job of a file that was handed in."""

    key: str
    kind: str  #: `background` or `touch_up`
    state: str  #: `waiting`, `running`, `done`, `dead`, `cancelled` or `skipped`
    step: str  #: empty before the first one
    progress: float  #: 0 to 1
    season: str
    time: str
    error: str  #: why it is dead
    error_kind: str
    version: str  #: the Version's name in the tracker, once it stands
    url: str  #: where a person can look at it


@dataclass(frozen=True)
class Submission:
    """A file that was handed in, and what became of it."""

    key: str
    state: str  #: as of its jobs, or `planned` (a dry run) or `received` (no job yet)
    path: str
    project: str
    sequence: str
    shot: str
    jobs: tuple[Job, ...]
    new: bool  #: whether it was not known before it was handed in
    variants: tuple[str, ...]  #: what is made of it, such as `summer day`; known when handed in
    episode: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self.state in {"done", "dead", "cancelled", "skipped"}


@dataclass(frozen=True)
class Version:
    """One version of a background."""

    key: str
    code: str  #: its name in the tracker
    project: str
    sequence: str
    shot: str
    season: str
    time: str
    version: int
    state: str  #: `in_review`, `approved`, `retake`, `on_hold` or `omitted`
    path: str  #: its file, as the server sees it
    sha256: str
    url: str
    episode: str = ""


class Client:
    """
    One studio's Haikei; threads may share it.

    What can pass is tried again, and nothing is carried out twice.

    Args:
        url: where `haikei web` answers; by default `$HAIKEI_URL`.
        token: of `haikei web token create`; by default `$HAIKEI_TOKEN`.
        timeout: seconds without an answer after which a request is given up.
        tries: of one request, where the reason can pass.
        context: for TLS; by default certificates are checked against the system's.

    Raises:
        ClientError: there is no address or no token, or the token would be sent in the clear.
    """

    def __init__(
        self,
        url: str = "",
        token: str = "",
        *,
        timeout: float = 60.0,
        tries: int = 5,
        context: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        url = (url or os.environ.get(URL_VARIABLE, "")).rstrip("/")
        self._token = token or os.environ.get(TOKEN_VARIABLE, "")
        self._timeout = timeout
        self._tries = max(1, tries)
        self._context = context
        self._sleep = sleep
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            raise ClientError(f"{url!r} is no address.", advice=f"Set {URL_VARIABLE}.") from None
        self._secure, self._base = parts.scheme == "https", parts.path
        if parts.scheme not in {"http", "https"} or not self._host or parts.query:
            raise ClientError(
                f"{url!r} is no address of a server." if url else "No server is named.",
                advice=f"Give its address, such as https://haikei.studio, or set {URL_VARIABLE}.",
            )
        if not self._secure and not _is_loopback(self._host):
            raise ClientError(
                f"The token would be sent to {self._host} in the clear.",
                advice="Use the https address of the server.",
            )
        if not self._token or not self._token.isascii() or not self._token.isprintable():
            raise ClientError(
                "There is no token." if not self._token else "The token is none.",
                advice=f"Make one with `haikei web token create`, and set {TOKEN_VARIABLE}.",
            )

    def submit(
        self,
        path: PathLike,
        *,
        project: str = "",
        sequence: str = "",
        shot: str = "",
        name: str = "",
        version: int | None = None,
        episode: str = "",
        upload: bool = False,
        dry_run: bool = False,
        key: str = "",
    ) -> Submission:
        """
        Hand a layout in.

        Args:
            path: the file; as the server sees it, unless it is uploaded.
            project: where it belongs, as paths name it; empty: its path says it.
            sequence: may be empty.
            shot: given together with the project.
            name: the layout's stream, such as `bg`.
            version: the layout's own.
            episode: needed only where shots of one name stand in several.
            upload: send the bytes, for a server that does not see the file.
            dry_run: only say what would be made.
            key: of this request: given again, the same answer comes. By default a new one.

        Raises:
            ClientError: it is refused; the message says why and what to do.
            ServerAway: the server gives no answer.
        """
        given: dict[str, Any] = {
            "project": project,
            "episode": episode,
            "sequence": sequence,
            "shot": shot,
            "name": name,
            "version": version,
            "dry_run": dry_run,
        }
        key = key or uuid.uuid4().hex
        if not upload:
            body = {"path": os.fspath(path), **given}
            return _submission(self._ask("POST", "/submissions", body=body, key=key))
        file = Path(path)
        query = {"filename": file.name, **given, "dry_run": "true" if dry_run else "false"}
        sent = {field: value for field, value in query.items() if value not in {None, ""}}
        try:
            answer = self._ask("POST", "/uploads", query=sent, file=file, key=key)
        except OSError as error:
            raise ClientError(f"{file} cannot be read: {error}.", kind="file-unreadable") from error
        return _submission(answer)

    def status(self, key: str) -> Submission:
        """
        Return what became of a file that was handed in, by the key of its submission.

        Raises:
            ClientError: nothing was handed in under this key.
            ServerAway: the server gives no answer.
        """
        return _submission(self._ask("GET", f"/submissions/{quote(key, safe='')}"))

    def wait(
        self,
        key: str,
        *,
        timeout: float = 3600.0,
        on_change: Callable[[Submission], object] | None = None,
    ) -> Submission:
        """
        Return what became of a file once nothing more comes of it by itself.

        Args:
            key: of its submission.
            timeout: seconds.
            on_change: called with it at first, and whenever it has gone on.

        Raises:
            StillRunning: it has not ended in time.
            ClientError: nothing was handed in under this key.
            ServerAway: the server gives no answer.
        """
        until, pause = time.monotonic() + timeout, _LOOK
        before: Submission | None = None
        while True:
            found = self.status(key)
            if found != before:
                before, pause = found, _LOOK
                if on_change is not None:
                    on_change(found)
            if found.has_ended:
                return found
            left = until - time.monotonic()
            if left <= 0:
                raise StillRunning(
                    f"{key} is {found.state} after {timeout:g} seconds.",
                    advice="It goes on; ask again later.",
                )
            self._sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_LOOK)

    def versions(
        self,
        shot: str = "",
        *,
        project: str = "",
        sequence: str = "",
        season: str = "",
        time: str = "",
        state: str = "",
        episode: str = "",
    ) -> Iterator[Version]:
        """
        Yield versions, the newest first, page by page.

        Args:
            shot: only those of this shot; shots of several projects may have the same name.
            project: only those of this project.
            sequence: only those of this sequence.
            season: only those of this season.
            time: only those of this time of day.
            state: only those about which this was decided, such as `approved`.
            episode: only those of this episode.

        Raises:
            ClientError: the server refuses.
            ServerAway: the server gives no answer.
        """
        wanted = {
            "project": project,
            "episode": episode,
            "sequence": sequence,
            "shot": shot,
            "season": season,
            "time": time,
            "state": state,
        }
        query: dict[str, Any] = {field: value for field, value in wanted.items() if value}
        while True:
            page = self._ask("GET", "/versions", query=query)
            for item in page["items"]:
                yield _made(Version, item)
            if not page["next_cursor"]:
                return
            query["cursor"] = page["next_cursor"]

    def version(self, code: str) -> Version:
        """
        Return one version, by its key or its name in the tracker.

        Raises:
            ClientError: there is none.
            ServerAway: the server gives no answer.
        """
        return _made(Version, self._ask("GET", f"/versions/{quote(code, safe='')}"))

    def decide(
        self,
        code: str,
        decision: str,
        *,
        note: str = "",
        by: str = "",
        seen: str = "",
        key: str = "",
    ) -> str:
        """
        Decide about a version; return its key. The tracker has the decision then.

        Args:
            code: the version's key or its name in the tracker.
            decision: `approve`, `retake`, `hold`, `omit`, or `none`, which puts it back.
            note: why, or what a retake shall be like.
            by: login of the person who decides; empty: nobody is credited.
            seen: what stood when it was decided; refused when something else stands by now.
            key: of this request: given again, the same answer comes. By default a new one.

        Raises:
            ClientError: it cannot be decided so.
            ServerAway: the server gives no answer.
        """
        body = {"decision": decision, "note": note, "by": by, "seen": seen or None}
        path = f"/versions/{quote(code, safe='')}/decision"
        return str(self._ask("POST", path, body=body, key=key or uuid.uuid4().hex)["key"])

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        file: Path | None = None,
        key: str = "",
    ) -> dict[str, Any]:
        target = f"{self._base}{_PREFIX}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {
            "accept": "application/json, application/problem+json",
            "authorization": f"Bearer {self._token}",
            "user-agent": "haikei-client",
        }
        if key:
            headers["idempotency-key"] = key
        sent = None
        if body is not None:
            headers["content-type"] = "application/json"
            sent = json.dumps(body).encode()
        pause = _FIRST_PAUSE
        for left in range(self._tries - 1, -1, -1):
            try:
                if file is None:
                    return self._once(method, target, headers, sent)
                with file.open("rb") as stream:
                    headers["content-type"] = "application/octet-stream"
                    headers["content-length"] = str(os.fstat(stream.fileno()).st_size)
                    return self._once(method, target, headers, stream)
            except _Passing as error:  # noqa: PERF203 - each try may fail
                if not left:
                    raise error.reason from None
                self._sleep(min(max(pause, error.wait), _LONGEST_PAUSE))
                pause *= 2
        raise AssertionError("unreachable: the last try returns or raises")

    def _once(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | IO[bytes] | None
    ) -> dict[str, Any]:
        # Redirects are not followed, so the token goes to nobody else; and no proxy is asked.
        connection: http.client.HTTPConnection
        if self._secure:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._context
            )
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            # What is refused before all of it was sent has an answer that says why.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, body, dict(headers))
            with connection.getresponse() as answer:
                content = answer.read(_LARGEST)
        except ssl.SSLCertVerificationError as error:
            raise ClientError(
                f"The certificate of {self._host} is not trusted ({error.verify_message})."
            ) from None
        except (OSError, http.client.HTTPException) as error:
            name = type(error).__name__
            raise _Passing(ServerAway(f"{self._host} gives no answer ({name}).")) from None
        finally:
            connection.close()
        found = _object(content)
        if 200 <= answer.status < 300 and found:
            return found
        refusal = _refusal(self._host, answer.status, found)
        under_way = refusal.kind == "request-under-way"
        if answer.status in _PASSING or under_way:
            wait = answer.getheader("retry-after") or ""
            raise _Passing(refusal, float(wait) if wait.isascii() and wait.isdigit() else 0.0)
        raise refusal


class _Passing(Exception):
    """What may be tried again."""

    def __init__(self, reason: ClientError, wait: float = 0.0) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.wait = wait


def _refusal(host: str, status: int, found: Mapping[str, Any]) -> ClientError:
    kind = str(found.get("type", "")).rpartition(":")[2]
    text = str(found.get("detail", "")) or f"{host} answered with {status}."
    mistakes = [f"{one['field']}: {one['message']}" for one in found.get("mistakes") or ()]
    if mistakes:
        text = f"{text} {'; '.join(mistakes)}."
    make = ServerAway if status in _PASSING else ClientError
    return make(text, status=status, kind=kind, advice=str(found.get("advice", "")))


def _object(content: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _submission(found: Mapping[str, Any]) -> Submission:
    jobs = tuple(_made(Job, {**one, "step": one.get("step") or ""}) for one in found["jobs"])
    variants = tuple(f"{one['season']} {one['time']}" for one in found.get("variants", ()))
    return _made(
        Submission,
        {**found, "jobs": jobs, "variants": variants, "new": bool(found.get("new", False))},
    )


def _made(kind: type[_Kind], found: Mapping[str, Any]) -> _Kind:
    # What a newer server adds is left out, and what an older one lacks has its default.
    names = {one.name: one.default is MISSING for one in fields(cast("Any", kind))}
    return kind(**{name: found[name] for name, must in names.items() if must or name in found})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def verified(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance: float = 300.0,
    now: float | None = None,
) -> dict[str, Any]:
    """
    Return what one of Haikei's webhooks delivered, once it is sure that it was Haikei.

    Args:
        body: exactly as it came.
        headers: of the request; letter case does not count.
        secret: that both sides know.
        tolerance: seconds that its time stamp may be from now.
        now: seconds since 1970; by default the present moment.

    Raises:
        SignatureInvalid: it is not signed with this secret, or too long ago.
    """
    folded = {name.lower(): value for name, value in headers.items()}
    stamp, given = folded.get("haikei-timestamp", ""), folded.get("haikei-signature", "")
    if not secret:
        raise SignatureInvalid("There is no secret to check deliveries with.")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise SignatureInvalid("The delivery has no time stamp.")
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v1={expected}".encode(), given.encode("utf-8", "replace")):
        raise SignatureInvalid("The delivery is not signed with this secret.")
    if abs((time.time() if now is None else now) - float(stamp)) > tolerance:
        raise SignatureInvalid("The delivery was sent too long ago, or is from the future.")
    return _object(body)
