"""Who looks at the site's pages."""

from starlette.requests import Request

from haikei.sgserver.caller import Caller
from haikei.sgserver.faults import Fault
from haikei.sgserver.site import Site

#: The name that the real site gives its cookie; the official client sends it for downloads.
SESSION_COOKIE = "_session_id"


class Visitors:
    """
    Knows a browser by its session.

    Args:
        site: whose pages.
        remote: False when only this machine can reach the site; then reading needs no login.
    """

    def __init__(self, site: Site, *, remote: bool) -> None:
        self._site = site
        self._remote = remote

    def caller(self, request: Request) -> Caller | None:
        """Return as whom this request may read, None when it must sign in first."""
        token = request.cookies.get(SESSION_COOKIE)
        if token:
            try:
                return self._site.session_caller(token)
            except Fault:
                pass  # an old cookie is as good as none
        return None if self._remote else self._site.system

    def sign_in(self, login: str, password: str) -> str:
        """
        Return the session of a person.

        Raises:
            Fault: nobody has this login and password.
        """
        caller = self._site.authenticate({"user_login": login, "user_password": password})
        return self._site.new_session(caller)
