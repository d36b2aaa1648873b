"""
Make a site ready for Haikei: fields, file types, storages, statuses and menu items.

Menu items are ActionMenuItem rows.
"""

import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from haikei.checkup import Finding
from haikei.errors import TrackerRejected
from haikei.settings import Settings, StorageRoot
from haikei.trackers.contract.visitors import MENU
from haikei.trackers.shotgrid.client import CreateRow, Record, SiteClient, UpdateRow
from haikei.trackers.shotgrid.projects import STORAGE_PATHS, Catalogue, type_codes
from haikei.trackers.shotgrid.schema import FIELDS_OF, FieldState, HaikeiField, field_state, twins
from haikei.trackers.shotgrid.statuses import set_up_statuses

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


_TRASH = (
    "A field of that name is in the site's trash: restore it there, or delete it for good with "
    "Autodesk's support."
)


def set_up(client: SiteClient, settings: Settings, *, dry_run: bool) -> tuple[Finding, ...]:
    """
    Create what is missing, and leave alone what stands.

    Returns:
        one finding for each thing; with `dry_run`, what is missing is planned.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    return (
        *_fields(client, dry_run=dry_run),
        *_file_types(client, settings, dry_run=dry_run),
        *_storages(client, settings, dry_run=dry_run),
        *set_up_statuses(client, settings, dry_run=dry_run),
        *set_up_menu(client, settings, dry_run=dry_run),
    )


def _fields(client: SiteClient, *, dry_run: bool) -> Iterator[Finding]:
    for owner, fields in FIELDS_OF.items():
        schema = client.schema(owner)
        for field in fields:
            subject = f"field {owner}.{field.name}"
            state = field_state(schema, field)
            if state is FieldState.RIGHT:
                yield Finding(ok=True, subject=subject, message="It stands already.")
            elif state is FieldState.OTHER_TYPE:
                yield Finding(
                    ok=False,
                    subject=subject,
                    message=f"It is there, but is no {field.data_type} field.",
                    advice="Delete or rename it on the site; then run `haikei setup` again.",
                )
            elif found := twins(schema, field):
                yield Finding(
                    ok=False,
                    subject=subject,
                    message=f"It is missing, and {', '.join(found)} stands in its place.",
                    advice=_TRASH,
                )
            elif dry_run:
                yield _would(subject)
            else:
                yield _create_field(client, owner, field, subject)


def _create_field(client: SiteClient, owner: str, field: HaikeiField, subject: str) -> Finding:
    try:
        name = client.create_field(owner, field.data_type, field.label, field.description)
    except TrackerRejected as error:
        # A name that was deleted stays taken, and the site says no more than that it failed.
        return Finding(
            ok=False, subject=subject, message=error.message, advice=error.advice or _TRASH
        )
    if name == field.name:
        return Finding(ok=True, subject=subject, message="Created.")
    # The site took the next free name without a word. Nobody would ever look into that field.
    with suppress(TrackerRejected):
        client.delete_field(owner, name)
    return Finding(
        ok=False,
        subject=subject,
        message=f"The site called it {name} instead, so it was removed again.",
        advice=_TRASH,
    )


def _file_types(client: SiteClient, settings: Settings, *, dry_run: bool) -> Iterator[Finding]:
    codes = type_codes(settings.tracker)
    known = Catalogue(client).file_types(codes)
    missing = [code for code in codes if code not in known]
    if missing and not dry_run:
        client.batch(
            [CreateRow(type="PublishedFileType", fields={"code": code}) for code in missing]
        )
    for code in codes:
        subject = f"published file type {code}"
        if code in known:
            yield Finding(ok=True, subject=subject, message="It stands already.")
        else:
            yield _would(subject) if dry_run else _created(subject)


def _storages(client: SiteClient, settings: Settings, *, dry_run: bool) -> Iterator[Finding]:
    roots = settings.storage.roots
    known = Catalogue(client).storages([root.name for root in roots])
    field = STORAGE_PATHS.get(platform.system(), "linux_path")
    for root in roots:
        subject = f"local storage {root.name}"
        storage = known.get(root.name)
        if storage is None:
            if not dry_run:
                client.batch([_storage_row(root, field)])
            yield _would(subject) if dry_run else _created(subject)
        elif same_path(storage.paths.get(field, ""), root):
            yield Finding(ok=True, subject=subject, message="It stands already.")
        else:
            yield storage_elsewhere(subject, storage.paths.get(field, ""), root)


def same_path(found: str, root: StorageRoot) -> bool:
    """Tell whether a storage's path is where the settings have it."""
    return found.rstrip("/\\") == str(root.path)


def storage_elsewhere(subject: str, found: str, root: StorageRoot) -> Finding:
    """Return the finding for a storage that the site has at another path."""
    where = f"at {found}" if found else "without a path for this system"
    return Finding(
        ok=False,
        subject=subject,
        message=f"The site has it {where}; the settings have it at {root.path}.",
        advice="Correct storage.roots, or the storage in the site's file management settings.",
    )


def _storage_row(root: StorageRoot, field: str) -> CreateRow:
    return CreateRow(type="LocalStorage", fields={"code": root.name, field: str(root.path)})


def _created(subject: str) -> Finding:
    return Finding(ok=True, subject=subject, message="Created.")


def _would(subject: str) -> Finding:
    message = "It is missing, and would be created."
    return Finding(ok=True, planned=True, subject=subject, message=message)
