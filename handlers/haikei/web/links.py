"""The addresses of pages, as other pages, menu items and messages link to them."""

from urllib.parse import quote, urlencode


def to_shows() -> str:
    """Return the first page."""
    return "/"


def to_show(project: str, *, sequence: str = "", state: str = "", text: str = "") -> str:
    """Return the gallery of a show, filtered."""
    wanted = {"sequence": sequence, "state": state, "text": text}
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


def to_sign_in(next_page: str = "") -> str:
    """Return the page on which people sign in, and where it leads them afterwards."""
    return "/sign-in" + (f"?{urlencode({'next': next_page})}" if next_page else "")
