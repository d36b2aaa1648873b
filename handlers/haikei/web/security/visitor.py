"""Who looks at the pages, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import Request

from haikei.settings import Web
from haikei.web.address import is_open


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

    @property
    def signed_in(self) -> bool:
        """Whether it is known who they are."""
        return bool(self.login)


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
