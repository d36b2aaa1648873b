"""How one person wants to see the pages: language and colours, kept in cookies."""

from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from haikei.reports import Language

LANGUAGE_COOKIE = "haikei_language"
THEME_COOKIE = "haikei_theme"
_YEAR = 365 * 24 * 3600


class Theme(StrEnum):
    """Which colours."""

    AUTO = "auto"  #: as the system has it
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person chose, or what their browser says."""

    language: Language = Language.EN
    theme: Theme = Theme.AUTO


def preferences(request: Request) -> Preferences:
    """Return what this browser wants; a cookie that is no choice of ours does not count."""
    return Preferences(language=_language(request), theme=_theme(request))


def keep(response: Response, chosen: Preferences, *, secure: bool) -> None:
    """Let the browser remember a choice for a year."""
    for name, value in (
        (LANGUAGE_COOKIE, chosen.language.value),
        (THEME_COOKIE, chosen.theme.value),
    ):
        response.set_cookie(
            name, value, max_age=_YEAR, httponly=True, samesite="lax", secure=secure
        )


def chosen_language(text: str, default: Language) -> Language:
    """Return a language that pages speak; one at a time."""
    return {"en": Language.EN, "ja": Language.JA}.get(text, default)


def chosen_theme(text: str, default: Theme) -> Theme:
    """Return the theme of this name."""
    return Theme(text) if text in set(Theme) else default


def _language(request: Request) -> Language:
    accepted = _accepted(request.headers.get("accept-language", ""))
    return chosen_language(request.cookies.get(LANGUAGE_COOKIE, ""), accepted)


def _theme(request: Request) -> Theme:
    return chosen_theme(request.cookies.get(THEME_COOKIE, ""), Theme.AUTO)


def _accepted(header: str) -> Language:
    """Return the better liked of our languages. Source: RFC 9110, section 12.5.4."""
    best, language = 0.0, Language.EN
    for part in header.split(",")[:20]:
        tag, _, quality = part.partition(";")
        found = {"en": Language.EN, "ja": Language.JA}.get(tag.strip().lower().partition("-")[0])
        weight = _weight(quality)
        if found is not None and weight > best:
            best, language = weight, found
    return language


def _weight(quality: str) -> float:
    name, _, value = quality.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
