"""
Sessions: who somebody is, in a cookie signed with a key that only this studio has.

A visitor may look, or decide too.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from haikei.files import secret_key
from haikei.settings import Web
from haikei.web.address import is_open

_LONGEST = 3000  # what a browser keeps of one cookie is not much more


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a browser's cookie says."""

    id: str
    login: str  #: as the tracker knows the person; empty when nobody has signed in
    name: str
    person_id: str  #: such as `HumanUser:12`; empty when nobody has signed in
    expires: float  #: seconds since 1970


class _Cookie(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    login: str
    name: str
    person_id: str
    expires: float


class Sessions:
    """
    Writes and reads sessions; signed with HMAC-SHA256.

    Args:
        key: the studio's own.
        hours: how long a session lasts.
        secure: browsers send it over TLS only.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        key: bytes,
        *,
        hours: float,
        secure: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._seconds = hours * 3600
        self._clock = clock
        self.secure = secure
        #: A `__Host-` cookie can be set by no other host of the domain (RFC 6265bis, 4.1.3).
        self.cookie = "__Host-haikei" if secure else "haikei"

    @property
    def seconds(self) -> int:
        """How long a session lasts."""
        return int(self._seconds)

    def begin(self, *, login: str = "", name: str = "", person_id: str = "") -> Session:
        """Return a new session; without a login it is that of a browser alone."""
        return Session(
            id=secrets.token_urlsafe(18),
            login=login,
            name=name[:200],
            person_id=person_id,
            expires=self._clock() + self._seconds,
        )

    def renew(self, session: Session) -> Session:
        """Return the same session with all its time before it."""
        return replace(session, expires=self._clock() + self._seconds)

    def write(self, session: Session) -> str:
        """Return the cookie's value."""
        payload = _Cookie(
            id=session.id,
            login=session.login,
            name=session.name,
            person_id=session.person_id,
            expires=session.expires,
        )
        text = base64.urlsafe_b64encode(payload.model_dump_json().encode()).decode().rstrip("=")
        return f"{text}.{self._sign('session', text)}"

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None when we did not write it, or it is over."""
        text, dot, signature = cookie.partition(".")
        if not dot or len(cookie) > _LONGEST:
            return None
        if not hmac.compare_digest(self._sign("session", text).encode(), signature.encode()):
            return None
        try:
            padded = text + "=" * (-len(text) % 4)
            payload = _Cookie.model_validate_json(base64.urlsafe_b64decode(padded))
        except (ValidationError, binascii.Error, ValueError):
            return None
        if payload.expires <= self._clock():
            return None
        return Session(
            id=payload.id,
            login=payload.login,
            name=payload.name,
            person_id=payload.person_id,
            expires=payload.expires,
        )

    def is_aging(self, session: Session) -> bool:
        """Tell whether more than half of a session's time is over."""
        return session.expires - self._clock() < self._seconds / 2

    def csrf(self, session: Session) -> str:
        """Return what every form of this session has to carry."""
        return self._sign("csrf", session.id)

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def session_key(folder: Path) -> bytes:
    """
    Return the key that is kept in a folder.

    Raises:
        StateError: it can be neither read nor made.
    """
    path = folder / "web-sessions.key"
    return secret_key(path, advice="Remove it; people then sign in anew.")


class VisitorRole(StrEnum):
    """What somebody may do; each may do all that those before it may."""

    VIEWER = "viewer"  #: look
    SUPERVISOR = "supervisor"  #: decide
    ADMIN = "admin"  #: change what is configured for a show

    @property
    def decides(self) -> bool:
        """Whether decisions are taken from them."""
        return self is not VisitorRole.VIEWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody, as a request shows them."""

    login: str  #: as the tracker knows them; empty when nobody has signed in
    name: str
    person_id: str  #: such as `HumanUser:12`; empty when nobody has signed in
    role: VisitorRole
    csrf: str  #: every form carries it in its field `csrf`, or a header `X-CSRF-Token`

    local: bool = False  #: known by the settings, as they sit at this machine

    @property
    def signed_in(self) -> bool:
        """Whether they have signed in, and may sign out."""
        return bool(self.login) and not self.local


def role_of(login: str, web: Web) -> VisitorRole:
    """Return what a person may do; the login is empty when nobody has signed in."""
    folded = login.casefold()
    admins = {one.casefold() for one in web.admins}
    supervisors = {one.casefold() for one in web.supervisors}
    everybody = is_open(web)
    if (folded and folded in admins) or (everybody and not admins and not supervisors):
        return VisitorRole.ADMIN
    if (folded and folded in supervisors) or (everybody and not supervisors):
        return VisitorRole.SUPERVISOR
    return VisitorRole.VIEWER


def visitor(request: Request) -> Visitor:
    """Return who makes a request; the application's middleware has found it out."""
    return cast("Visitor", request.state.visitor)


def require_supervisor(request: Request) -> Visitor:
    """
    Return who makes a request, if they may decide.

    Raises:
        HTTPException: 403; they may only look.
    """
    found = visitor(request)
    if not found.role.decides:
        raise HTTPException(403, "You may look, and others decide. Ask for `web.supervisors`.")
    return found
