"""Who asks and with what: keys and passwords are kept as salted hashes only."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from haikei.sgserver.store import Session
from haikei.sgserver.values import AuthenticationFault, Json

UserType = Literal["ApiUser", "HumanUser"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as it is written into `created_by` and into the event log."""

    kind: UserType
    id: int
    name: str
    session_uuid: str | None = None  #: of the web page whose work this is, None for scripts
    generates_events: bool = True  #: False: what this script writes leaves no event log entries


# scrypt's cost: about 50 ms, paid once for each secret and run of the server.
_COST = 2**14
_BLOCK = 8
#: How many sessions are kept; the oldest make room for new ones.
SESSIONS = 10_000


class Credentials:
    """Check secrets, and remember within this process which ones were right."""

    def __init__(self) -> None:
        self._verified: dict[tuple[int, bytes], bytes] = {}
        self._key = secrets.token_bytes(32)
        self._sessions: dict[str, Caller] = {}
        self._lock = threading.Lock()

    def matches(self, session: Session, user: int, secret: str) -> bool:
        """Return whether that is the user's secret."""
        kept = session.secret(user)
        if kept is None:
            return False
        salt, digest = kept
        mark = hmac.new(self._key, secret.encode(), hashlib.sha256).digest()
        known = self._verified.get((user, digest))
        if known is not None and hmac.compare_digest(known, mark):
            return True
        if not hmac.compare_digest(_digest(secret, salt), digest):
            return False
        with self._lock:
            self._verified[user, digest] = mark
        return True

    def new_session(self, caller: Caller) -> str:
        """Return a token that stands for this caller."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._sessions) >= SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[token] = caller
        return token

    def session_caller(self, token: str) -> Caller:
        """
        Return whose token that is.

        Raises:
            AuthenticationFault: nobody's.
        """
        # The token is 256 random bits: finding it in a table tells an attacker nothing.
        found = self._sessions.get(token)
        if found is None:
            raise AuthenticationFault(
                f"Can't authenticate session token ending with '{token[-4:]}'"
            )
        return found


def keep_secret(session: Session, user: int, secret: str) -> None:
    """Let a user sign in with this secret from now on, and with no other."""
    salt = secrets.token_bytes(16)
    session.keep_secret(user, salt, _digest(secret, salt))


def _digest(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_COST, r=_BLOCK, p=1, dklen=32)


def sign_in(session: Session, credentials: Credentials, auth: Mapping[str, Json]) -> Caller:
    """
    Return who these parameters of a request stand for.

    Raises:
        AuthenticationFault: nobody, or one who is disabled.
    """
    token = auth.get("session_token")
    if isinstance(token, str):
        caller = credentials.session_caller(token)
    elif isinstance(auth.get("script_name"), str):
        caller = _script(session, credentials, str(auth["script_name"]), auth.get("script_key"))
    elif isinstance(auth.get("user_login"), str):
        login, password = str(auth["user_login"]), auth.get("user_password")
        person = _person(session, login)
        if person is None or not (
            isinstance(password, str) and credentials.matches(session, person.id, password)
        ):
            raise AuthenticationFault(f"Can't authenticate user '{login}'.")
        caller = person
    else:
        raise AuthenticationFault("Missing or invalid authentication arguments")
    sudo = auth.get("sudo_as_login")
    if isinstance(sudo, str):
        caller = _impersonated(session, caller, sudo)
    page = auth.get("session_uuid")
    if isinstance(page, str):
        caller = Caller(
            kind=caller.kind,
            id=caller.id,
            name=caller.name,
            session_uuid=page,
            generates_events=caller.generates_events,
        )
    return caller


def _script(session: Session, credentials: Credentials, name: str, key: Json) -> Caller:
    sql = (
        "SELECT id, cached_display_name, generate_event_log_entries "
        'FROM "ApiUser" WHERE firstname = ? AND _retired = 0'
    )
    for user, shown, generates in session.rows(sql, (name,)):
        if isinstance(key, str) and credentials.matches(session, int(user or 0), key):
            return Caller(
                kind="ApiUser",
                id=int(user or 0),
                name=str(shown),
                generates_events=bool(generates),
            )
    raise AuthenticationFault(f"Can't authenticate script '{name}'")


def _person(session: Session, login: str) -> Caller | None:
    sql = (
        'SELECT id, cached_display_name FROM "HumanUser" '
        "WHERE login = ? AND _retired = 0 AND COALESCE(sg_status_list, 'act') <> 'dis'"
    )
    found = session.row(sql, (login,))
    if found is None:
        return None
    return Caller(kind="HumanUser", id=int(found[0] or 0), name=str(found[1]))


def _impersonated(session: Session, caller: Caller, login: str) -> Caller:
    if caller.kind != "ApiUser":
        raise AuthenticationFault(f"The user does not have permission to 'sudo': {caller.name}")
    person = _person(session, login)
    if person is None:
        raise AuthenticationFault(f"Can't impersonate user '{login}'.")
    return Caller(
        kind=person.kind,
        id=person.id,
        name=person.name,
        generates_events=caller.generates_events,
    )
