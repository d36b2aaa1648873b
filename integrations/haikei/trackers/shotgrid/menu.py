"""Haikei's items in a ShotGrid site's menus (ActionMenuItem rows)."""

from collections.abc import Iterator
from dataclasses import dataclass

from haikei.checkup import Finding
from haikei.errors import TrackerRejected
from haikei.settings import Settings
from haikei.trackers.contract.visitors import MENU
from haikei.trackers.shotgrid.client import CreateRow, SiteClient, UpdateRow
from haikei.trackers.shotgrid.record import Record

#: The submenu; with the title and the type it tells which rows are ours.
FOLDER = "Haikei"

_TYPE = "ActionMenuItem"
_FIELDS = ("title", "url", "entity_type", "folder")
_NO_URL = "None is made, as web.url is not set: it says where people reach Haikei's pages."
_SHARE = (
    "Give the site and Haikei the same secret: set HAIKEI_WEB__MENU_SECRET, run `haikei setup` "
    "again, and look at the item's Secret Token on the site."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    title: str
    entity_type: str
    url: str
    order: int

    @property
    def subject(self) -> str:
        return f"menu item {self.entity_type} {self.title!r}"


def set_up_menu(client: SiteClient, settings: Settings, *, dry_run: bool) -> Iterator[Finding]:
    """
    Create the items that are missing, and lead those that stand to where the pages are now.

    Raises:
        TrackerError: the site does not answer.
    """
    wanted = _wanted(settings)
    if not wanted:
        yield Finding(ok=True, subject="menu items", message=_NO_URL)
        return
    standing = _standing(client)
    for item in wanted:
        row = standing.get((item.entity_type, item.title))
        if row is not None and row.text("url") == item.url:
            yield Finding(ok=True, subject=item.subject, message="It stands already.")
        elif dry_run:
            yield Finding(
                ok=True,
                planned=True,
                subject=item.subject,
                message="It is missing, and would be created."
                if row is None
                else f"It leads to {row.text('url')}, and would be led to {item.url}.",
            )
        else:
            yield _write(client, settings, item, row)


def check_menu(client: SiteClient, settings: Settings) -> Iterator[Finding]:
    """
    Yield whether each item is in the site's menus and leads to us.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    wanted = _wanted(settings)
    if not wanted:
        yield Finding(ok=True, subject="menu items", message=_NO_URL)
        return
    standing = _standing(client)
    for item in wanted:
        row = standing.get((item.entity_type, item.title))
        if row is None:
            message = "It is missing."
        elif row.text("url") != item.url:
            message = f"It leads to {row.text('url')} instead of {item.url}."
        else:
            yield Finding(ok=True, subject=item.subject, message="It is there.")
            continue
        yield Finding(ok=False, subject=item.subject, message=message, advice="Run `haikei setup`.")
    if settings.web.menu_secret is None:
        yield Finding(
            ok=False,
            subject="menu secret",
            message="There is none, and without it no menu item is taken.",
            advice=_SHARE,
        )


def _wanted(settings: Settings) -> tuple[_Wanted, ...]:
    web = settings.web
    if not web.enabled or web.url is None:
        return ()
    base = str(web.url).rstrip("/")
    return tuple(
        _Wanted(title=item.title, entity_type=entity_type, url=f"{base}{item.path}", order=order)
        for order, item in enumerate(MENU, start=1)
        for entity_type in item.entity_types
    )


def _standing(client: SiteClient) -> dict[tuple[str, str], Record]:
    rows = client.find(_TYPE, [["folder", "is", FOLDER]], _FIELDS)
    # The oldest counts, should somebody have made a second one.
    return {(row.text("entity_type"), row.text("title")): row for row in reversed(rows)}


def _write(client: SiteClient, settings: Settings, item: _Wanted, row: Record | None) -> Finding:
    secret = settings.web.menu_secret
    fields: dict[str, object] = {"url": item.url}
    if row is None:
        fields |= {
            "title": item.title,
            "entity_type": item.entity_type,
            "folder": FOLDER,
            "list_order": item.order,
            "selection_required": True,
        }
    # The token can be given once, with the row.
    token = {} if secret is None or row is not None else {"secret_token": secret.get_secret_value()}
    try:
        try:
            _send(client, fields | token, row)
        except TrackerRejected:
            if not token:
                raise
            # Not every site lets a script give the token: then an admin types it in.
            _send(client, fields, row)
            return Finding(
                ok=False,
                subject=item.subject,
                message="Created, but the site did not take its secret token from us.",
                advice="As an admin of the site, give the item the Secret Token that Haikei has in "
                "HAIKEI_WEB__MENU_SECRET.",
            )
    except TrackerRejected as error:
        return Finding(
            ok=False,
            subject=item.subject,
            message=error.message,
            advice=error.advice or f"As an admin of the site, add it with the address {item.url}.",
        )
    if row is None and not token:
        return Finding(
            ok=False,
            subject=item.subject,
            message="Created, without a secret token; Haikei takes no unsigned request.",
            advice=_SHARE,
        )
    return Finding(ok=True, subject=item.subject, message="Created." if row is None else "Mended.")


def _send(client: SiteClient, fields: dict[str, object], row: Record | None) -> None:
    client.batch(
        [
            CreateRow(type=_TYPE, fields=fields)
            if row is None
            else UpdateRow(type=_TYPE, id=row.id, fields=fields)
        ]
    )
