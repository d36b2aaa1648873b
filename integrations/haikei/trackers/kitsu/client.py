"""The official client, gazu, behind one door: typed rows in, `TrackerError` out."""

import json
import threading
import weakref
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import gazu.client
import requests
import stamina
from gazu.client import KitsuClient
from gazu.exception import (
    GazuException,
    NotAllowedException,
    NotAuthenticatedException,
    ParameterException,
    RouteNotFoundException,
    ServerErrorException,
)
from pydantic import SecretStr, ValidationError

from haikei.errors import (
    RowMissing,
    TrackerDenied,
    TrackerError,
    TrackerRejected,
    TrackerUnavailable,
)
from haikei.settings import Tracker
from haikei.trackers.kitsu.rows import EventRow, KitsuRow

LOG_PAGE = 1000  #: events of the audit log that the server gives at most

R = TypeVar("R", bound=KitsuRow)
T = TypeVar("T")
_READ_ATTEMPTS = 3
#: What the client, what carries it, and a body that is no JSON raise.
_ERRORS = (requests.RequestException, GazuException, ValueError)
#: Answers that pass, which gazu takes for good ones.
_PASSING = (429, 503, 504)
_UNREADABLE = 422


class Begin(Protocol):
    """Begins a call in a thread of its own."""

    def __call__(self, call: Callable[[], T], /) -> "Future[T]":
        """Return what will hold its result."""
        ...


#: Calls that are made at the same time.
_AT_ONCE = 6


class _Session(requests.Session):
    """A session whose calls end: gazu gives none of them a time-out."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", self._timeout)
        answer = super().request(*args, **kwargs)
        if answer.status_code in _PASSING:
            raise requests.HTTPError(f"it answers {answer.status_code}", response=answer)
        if answer.status_code == _UNREADABLE and '"msg"' in answer.text[:200]:
            # What is no token at all is refused in this way, which gazu takes for a bad request.
            raise NotAuthenticatedException(answer.url)
        return answer


class KitsuSite:
    """
    A Kitsu server, as Haikei's bot. Threads may share it; each gets its own connection.

    What only reads is asked again after a passing error; what writes is sent once, since nobody
    can know whether an unanswered write was carried out. Every method raises `TrackerError`.

    Args:
        tracker: the studio's section of settings.
        key: the bot's token.
        before: called before each call; it may wait.
    """

    def __init__(
        self, tracker: Tracker, key: SecretStr, *, before: Callable[[], None] | None = None
    ) -> None:
        self._before = before
        self.url = str(tracker.url).rstrip("/")
        self._timeout = tracker.timeout
        self._key = key
        self._clients: weakref.WeakKeyDictionary[threading.Thread, KitsuClient] = (
            weakref.WeakKeyDictionary()
        )
        self._crew: ThreadPoolExecutor | None = None
        self._base = ""  # where the API stands: below /api, or at the root of a bare server
        self._me = ""

    def authorization(self) -> dict[str, str]:
        """Return the headers by which the server knows Haikei's own account."""
        return {"Authorization": f"Bearer {self._key.get_secret_value()}"}

    def without_key(self, text: str) -> str:
        """Return a text in which the token does not stand."""
        key = self._key.get_secret_value()
        return text.replace(key, "********") if key else text

    def me(self) -> str:
        """Return the id of Haikei's own account."""
        if not self._me:
            answer = self.read("auth/authenticated")
            self._me = str(answer["user"]["id"])
        return self._me

    def read(self, path: str, /, **filters: str) -> Any:
        """Return what the server has at a path, as JSON gives it."""
        for attempt in stamina.retry_context(
            on=TrackerUnavailable,
            attempts=_READ_ATTEMPTS,
            timeout=2 * self._timeout,
            wait_initial=0.2,
            wait_max=5.0,
        ):
            with attempt:
                return self._once(
                    f"reading {path or 'its version'}",
                    lambda client: gazu.client.get(path, params=filters, client=client),
                )
        raise AssertionError("unreachable")

    def rows(self, kind: type[R], path: str, /, **filters: str) -> tuple[R, ...]:
        """Return the rows at a path."""
        answer = self.read(path, **filters)
        return self._checked(path, lambda: tuple(kind.model_validate(one) for one in answer))

    def row(self, kind: type[R], path: str) -> R | None:
        """Return one row; None when it is not there."""
        try:
            answer = self.read(path)
        except RowMissing:
            return None
        return self._checked(path, lambda: kind.model_validate(answer))

    def add(self, kind: type[R], path: str, fields: Mapping[str, object]) -> R:
        """Create a row; sent once."""
        answer = self._once(
            f"adding to {path}",
            lambda client: gazu.client.post(path, dict(fields), client=client),
        )
        return self._checked(path, lambda: kind.model_validate(answer))

    def send(self, path: str, fields: Mapping[str, object]) -> Any:
        """Post what answers with something else than a row; sent once."""
        return self._once(
            f"posting to {path}",
            lambda client: gazu.client.post(path, dict(fields), client=client),
        )

    def change(self, path: str, fields: Mapping[str, object]) -> None:
        """Change fields of a row; sent once."""
        self._once(
            f"changing {path}", lambda client: gazu.client.put(path, dict(fields), client=client)
        )

    def upload(
        self,
        path: str,
        file: Path,
        name: str,
        *,
        field: str = "file",
        fields: Mapping[str, object] | None = None,
    ) -> Any:
        """Upload a file under a name of its own, with further fields as JSON; sent once."""

        def send(client: KitsuClient) -> Any:
            # gazu's upload sends a file under its name on disk.
            with file.open("rb") as content:
                answer = client.session.post(
                    f"{client.host}/{path}",
                    headers=client.make_auth_header(),
                    files={field: (name, content)},
                    data={key: json.dumps(value) for key, value in (fields or {}).items()},
                )
            gazu.client.check_status(answer, path, client=client)
            return answer.json()

        return self._once(f"the upload of {name}", send)

    def download(self, path: str, to: Path) -> None:
        """Write what stands at a path into a file."""
        self._once(
            f"downloading {path}",
            lambda client: gazu.client.download(path, str(to), client=client),
        )

    def signed_in(self, login: str, password: SecretStr, code: str) -> str | None:
        """Return the id of who has this password; None when nobody has."""
        client = self._client(None)
        try:
            fields = {"email": login, "password": password.get_secret_value(), "totp": code or None}
            answer = gazu.client.post("auth/login", fields, client=client)
        except (NotAuthenticatedException, ParameterException):
            return None
        except _ERRORS as error:
            raise self._error(error, "the sign-in") from error
        finally:
            client.session.close()
        if not answer.get("login"):
            return None
        return str(answer["user"]["id"])

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        if self._crew is not None:
            self._crew.shutdown()
            self._crew = None
        here = threading.current_thread()
        for thread in list(self._clients):
            if (thread is here or not thread.is_alive()) and (
                client := self._clients.pop(thread, None)
            ):
                client.session.close()

    @contextmanager
    def together(self) -> Generator[Begin]:
        """
        Have calls made at the same time; when the block ends, all of them have.

        Raises:
            TrackerError: what the first of them raised that failed.
        """
        if self._crew is None:
            self._crew = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kitsu")
        crew, begun = self._crew, list[Future[Any]]()

        def begin(call: Callable[[], T]) -> "Future[T]":
            begun.append(future := crew.submit(call))
            return future

        try:
            yield begin
        finally:
            wait(begun)
        for future in begun:
            future.result()

    def _once(self, doing: str, call: Callable[[KitsuClient], T]) -> T:
        try:
            if self._before is not None:
                self._before()
            here = threading.current_thread()
            client = self._clients.get(here)
            if client is None:
                client = self._clients[here] = self._client(self._key)
            return call(client)
        except _ERRORS as error:
            raise self._error(error, doing) from error

    def _client(self, key: SecretStr | None) -> KitsuClient:
        session = _Session(self._timeout)
        if not self._base:
            self._base = self._found(session)
        token = key.get_secret_value() if key else None
        client = gazu.client.create_client(self._base, access_token=token)
        client.session.close()
        client.session = session
        return client

    def _found(self, session: requests.Session) -> str:
        """Return where the API answers; a bare zou server has no web server before it."""
        for base in (f"{self.url}/api", self.url):
            answer = session.get(f"{base}/", allow_redirects=False)
            if answer.status_code >= 500:
                raise TrackerUnavailable(
                    f"{base} answers {answer.status_code}.", advice="Is Kitsu being upgraded?"
                )
            try:
                if answer.ok and answer.json().get("api") == "Zou":
                    return base
            except (ValueError, AttributeError):
                continue
        raise TrackerDenied(
            f"{self.url} is no Kitsu server: neither / nor /api/ says so.",
            advice="Set tracker.url to the address at which people open Kitsu.",
        )

    def _checked(self, path: str, make: Callable[[], T]) -> T:
        try:
            return make()
        except ValidationError as error:
            raise self._error(error, f"reading {path}") from error

    def _error(self, error: Exception, doing: str) -> TrackerError:
        reason = self.without_key(str(error))
        reason = reason if len(reason) <= 300 else f"{reason[:300]} …"
        match error:
            case requests.Timeout():
                return TrackerUnavailable(
                    f"{self.url} gave no answer to {doing} within {self._timeout:g} s.",
                    advice="It is tried again; is the server busy?",
                )
            case requests.ConnectionError():
                return TrackerUnavailable(
                    f"{self.url} does not answer {doing}: {self.without_key(_cause(error))}.",
                    advice="It is tried again. Is the server running, and tracker.url right?",
                )
            case requests.RequestException() | ServerErrorException():
                return TrackerUnavailable(
                    f"{self.url} does not answer {doing}: {reason}.",
                    advice="It is tried again; the server's own log says more.",
                )
            case NotAuthenticatedException():
                return TrackerDenied(
                    f"{self.url} does not take Haikei's token.",
                    advice="Make a token of a bot with the role admin, and give it as "
                    "HAIKEI_TRACKER__KEY or tracker.key_file.",
                )
            case NotAllowedException():
                return TrackerDenied(
                    f"{self.url} does not allow {doing}.", advice="Give the bot the role admin."
                )
            case RouteNotFoundException():
                return RowMissing(
                    f"{self.url} has nothing for {doing}: {reason}.",
                    advice="Was it deleted, or is the server older than Haikei needs?",
                )
            case ValueError():
                return TrackerUnavailable(
                    f"{self.url} answered {doing} with something else than Kitsu would.",
                    advice="Check tracker.url, and proxies on the way.",
                )
            case _:
                return TrackerRejected(
                    f"{self.url} refuses {doing}: {reason}.", advice="The server's log says more."
                )


def _cause(error: BaseException) -> str:
    """Return the words of the system, below all that libraries add to it."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return str(getattr(error, "strerror", "") or error)[:200]


def read_log(site: KitsuSite, after: datetime, before: datetime | None = None) -> list[EventRow]:
    """
    Return what the log holds of that time, oldest first, each event once.

    Raises:
        TrackerError: the server does not answer, or refuses.
    """
    found: dict[str, EventRow] = {}
    until = before
    while True:
        page = _log_page(site, after, until)
        fresh = [one for one in page if one.id not in found]
        found |= {one.id: one for one in fresh}
        if len(page) < LOG_PAGE:
            break
        # The next page begins within the second in which this one ends: moments are cut.
        oldest = page[-1].created_at + timedelta(seconds=1)
        if not fresh or oldest == until:
            oldest -= timedelta(seconds=1)
        until = oldest
    # Within one second the server's own order holds: the newest came first.
    order = list(found.values())
    order.reverse()
    order.sort(key=lambda one: one.created_at)
    return order


def _log_page(site: KitsuSite, after: datetime, before: datetime | None) -> tuple[EventRow, ...]:
    filters = {"after": _moment(after), "limit": str(LOG_PAGE)}
    if before is not None:
        filters["before"] = _moment(before)
    return site.rows(EventRow, "data/events/last", **filters)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
