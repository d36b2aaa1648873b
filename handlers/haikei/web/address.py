"""Where people and the tracker reach the pages, and the addresses of single pages."""

import socket
from urllib.parse import quote, urlencode, urlsplit

from haikei.settings import Settings, Web, is_loopback

#: The page on which people confirm their credits; who has a link signs in nowhere.
CONFIRMATION = "/confirm"
#: Where monitors ask whether the process lives, and whether the studio works.
HEALTH, READINESS = "/healthz", "/readyz"
#: Where Prometheus reads numbers.
METRICS = "/metrics"
_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


def address(settings: Settings) -> str:
    """Return the public address, without a slash at its end."""
    web = settings.web
    return own_address(web.host, web.port) if web.url is None else str(web.url).rstrip("/")


def own_address(host: str, port: int) -> str:
    """Return the address of what listens there, proxies left out."""
    name = socket.gethostname() if host in _ANYWHERE else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def is_open(web: Web) -> bool:
    """
    Tell whether nobody has to sign in: only people on this machine come.

    Behind a proxy everybody seems to come from this machine; an address for others closes it.
    """
    return is_loopback(web.host) and (web.url is None or is_loopback(web.url.host or ""))


def hosts(settings: Settings) -> list[str]:
    """
    Return the host names by which the pages may be asked for.

    Any other name means that some web page had its own name point here (DNS rebinding), to read
    what needs no login.
    """
    web = settings.web
    if not is_open(web) and web.url is None:
        # Nothing is to be had here without signing in, and a studio has many names for a machine.
        return ["*"]
    public = urlsplit(address(settings)).hostname or ""
    own = {"127.0.0.1", "localhost", "::1", "[::1]", web.host, public, f"[{public}]"}
    return sorted(name for name in own if name not in {"", "[]", *_ANYWHERE})


def to_shows() -> str:
    """Return the first page."""
    return "/"


def to_show(project: str, **wanted: str) -> str:
    """Return the gallery of a show, filtered by what the page's form has."""
    query = urlencode({name: value for name, value in wanted.items() if value})
    return f"/shows/{quote(project, safe='')}" + (f"?{query}" if query else "")


def to_version(key: str) -> str:
    """Return the page of one version of a background, by the background's key."""
    return f"/versions/{quote(key, safe='')}"


def to_credits(key: str) -> str:
    """Return where a version's page shows who made it."""
    return f"{to_version(key)}#credits"


def to_retake(key: str) -> str:
    """Return where a version's page takes the note for a retake."""
    return f"{to_version(key)}#decide"


def to_confirmation(token: str) -> str:
    """Return the page on which a person confirms their credits; logs keep paths, not queries."""
    return f"{CONFIRMATION}?{urlencode({'link': token})}"


def to_sign_in(next_page: str = "") -> str:
    """Return the page on which people sign in, and where it leads them afterwards."""
    return "/sign-in" + (f"?{urlencode({'next': next_page})}" if next_page else "")
