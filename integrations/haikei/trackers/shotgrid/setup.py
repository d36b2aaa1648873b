"""Make a site ready for Haikei: fields, file types, storages, statuses and menu items."""

import platform
from collections.abc import Iterator
from contextlib import suppress

from haikei.checkup import Finding
from haikei.errors import TrackerRejected
from haikei.settings import Settings, StorageRoot
from haikei.trackers.shotgrid.client import CreateRow, SiteClient
from haikei.trackers.shotgrid.menu import set_up_menu
from haikei.trackers.shotgrid.projects import STORAGE_PATHS, Catalogue, type_codes
from haikei.trackers.shotgrid.schema import FIELDS_OF, FieldState, HaikeiField, field_state, twins
from haikei.trackers.shotgrid.statuses import set_up_statuses

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
