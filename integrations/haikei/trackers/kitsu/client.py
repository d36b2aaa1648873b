"""The official client, gazu, behind one door: typed rows in, `TrackerError` out."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

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

from haikei.errors import TrackerError, TrackerRejected, TrackerUnavailable
from haikei.settings import Tracker
from haikei.trackers.kitsu.rows import KitsuRow

R = TypeVar("R", bound=KitsuRow)
T = TypeVar("T")
_READ_ATTEMPTS = 3
#: What the client, what carries it, and a body that is no JSON raise.
_ERRORS = (requests.RequestException, GazuException, ValueError)
#: Answers that pass, which gazu takes for good ones.
_PASSING = (429, 503, 504)


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
        return answer


class KitsuSite:
    """
    A Kitsu server, as Haikei's bot. Threads may share it; each gets its own connection.

    What only reads is asked again after a passing error; what writes is sent once, since nobody
    can know whether an unanswered write was carried out. Every method raises `TrackerError`.
    """

    def __init__(self, tracker: Tracker, key: SecretStr) -> None:
        self.url = str(tracker.url).rstrip("/")
        self._timeout = tracker.timeout
        self._key = key
        self._local = threading.local()
        self._base = ""  # where the API stands: below /api, or at the root of a bare server
        self._me = ""

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
                    f"reading {path}",
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
        except _Missing:
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

    def upload(self, path: str, file: Path, name: str) -> Any:
        """Upload a file under a name of its own; sent once."""

        def send(client: KitsuClient) -> Any:
            # gazu's upload sends a file under its name on disk.
            with file.open("rb") as content:
                answer = client.session.post(
                    f"{client.host}/{path}",
                    headers=client.make_auth_header(),
                    files={"file": (name, content)},
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
        client: KitsuClient | None = getattr(self._local, "client", None)
        if client is not None:
            client.session.close()
            del self._local.client

    def _once(self, doing: str, call: Callable[[KitsuClient], T]) -> T:
        try:
            client: KitsuClient | None = getattr(self._local, "client", None)
            if client is None:
                client = self._local.client = self._client(self._key)
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
        raise TrackerRejected(
            f"{self.url} is no Kitsu server: neither / nor /api/ says so.",
            advice="Set tracker.url to the address at which people open Kitsu.",
        )

    def _checked(self, path: str, make: Callable[[], T]) -> T:
        try:
            return make()
        except ValidationError as error:
            raise self._error(error, f"reading {path}") from error

    def _error(self, error: Exception, doing: str) -> TrackerError:
        said = str(error)
        if key := self._key.get_secret_value():
            said = said.replace(key, "********")
        said = said if len(said) <= 300 else f"{said[:300]} …"
        match error:
            case requests.Timeout():
                return TrackerUnavailable(
                    f"{self.url} gave no answer to {doing} within {self._timeout:g} s.",
                    advice="It is tried again; is the server busy?",
                )
            case requests.RequestException() | ServerErrorException():
                return TrackerUnavailable(f"{self.url} does not answer {doing}: {said}.")
            case NotAuthenticatedException():
                return TrackerRejected(
                    f"{self.url} does not take Haikei's token.",
                    advice="Make a token of a bot with the role admin, and give it as "
                    "HAIKEI_TRACKER__KEY or tracker.key_file.",
                )
            case NotAllowedException():
                return TrackerRejected(
                    f"{self.url} does not allow {doing}.", advice="Give the bot the role admin."
                )
            case RouteNotFoundException():
                return _Missing(f"{self.url} has nothing for {doing}: {said}.")
            case ValueError():
                return TrackerUnavailable(
                    f"{self.url} answered {doing} with something else than Kitsu would.",
                    advice="Check tracker.url, and proxies on the way.",
                )
            case _:
                return TrackerRejected(f"{self.url} refuses {doing}: {said}.")


class _Missing(TrackerRejected):
    """There is no such row."""
