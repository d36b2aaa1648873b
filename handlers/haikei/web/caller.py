"""From which address a request comes, for limits and for the log."""

from starlette.requests import Request

from haikei.settings import Settings
from haikei.web.address import is_loopback


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
