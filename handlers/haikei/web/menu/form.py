"""The form that a ShotGrid site sends for an item of its menus, and whether to believe it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from haikei.settings import Settings
from haikei.web.security.signatures import SIGNATURE, is_same, menu_signature

#: How old a form may be; the site's own sample says ten seconds.
AGE = timedelta(seconds=10)
#: How far the site's clock and ours may be apart.
SKEW = timedelta(seconds=5)
#: Rows that one item is used on.
ROWS = 100
_TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"


class FormRefused(Exception):
    """A form is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuForm:
    """A form that the studio's site has signed a moment ago."""

    entity_type: str
    ids: tuple[int, ...]  #: what was selected
    login: str  #: of the person, as the site says
    key: str  #: the same when the form is sent again


def read_menu_form(fields: Mapping[str, str], settings: Settings, now: datetime) -> MenuForm:
    """
    Return what a form says.

    Raises:
        FormRefused: it is not signed, too old, another site's, or malformed.
    """
    secret = settings.web.menu_secret.get_secret_value() if settings.web.menu_secret else ""
    if not secret:
        raise FormRefused("No menu items are taken here: set HAIKEI_WEB__MENU_SECRET.")
    given = fields.get(SIGNATURE, "")
    right = menu_signature(secret, fields)
    if not given or not is_same(given, right):
        raise FormRefused("The signature is missing or wrong.")
    try:
        sent_at = datetime.strptime(fields.get("timestamp", ""), _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        raise FormRefused("There is no timestamp.") from None
    if not now - AGE - SKEW <= sent_at <= now + SKEW:
        raise FormRefused("It is too old. Use the menu item again.")
    if _hostname(fields.get("server_hostname", "")) != (
        settings.tracker.url.host or ""
    ).casefold().strip("[]"):
        raise FormRefused("It comes from another site.")
    login = fields.get("user_login", "")
    if not login or len(login) > 200:
        raise FormRefused("It does not say who sends it.")
    return MenuForm(
        entity_type=fields.get("entity_type", ""),
        ids=_ids(fields.get("selected_ids", "")),
        login=login,
        key=f"menu/{right}",
    )


def _hostname(text: str) -> str:
    try:
        return urlsplit(f"//{text.strip()}").hostname or ""
    except ValueError:
        return ""


def _ids(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    if not all(word.isascii() and word.isdecimal() and len(word) < 19 for word in words):
        raise FormRefused("The selected rows are no numbers.")
    if len(words) > ROWS:
        raise FormRefused(f"More than {ROWS} rows are selected; select fewer.")
    return tuple(dict.fromkeys(int(word) for word in words))
