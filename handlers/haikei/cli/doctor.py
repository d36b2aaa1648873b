"""`haikei setup`, `haikei doctor` and `haikei status`: is everything ready, right, and moving?"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.checkup import Finding
from haikei.cli.output import (
    Exit,
    JsonOption,
    finding_row,
    print_json,
    print_table,
    say,
    say_finding,
)
from haikei.cli.startup import SettingsOption, load_settings, open_studio
from haikei.errors import HaikeiError

if TYPE_CHECKING:
    from haikei.errors import StorageUnavailable
    from haikei.processes import StudioStatus
    from haikei.settings import Settings

#: Older ones lack UPDATE … RETURNING, which the job engine needs.
OLDEST_SQLITE = (3, 35, 0)
#: A state folder with less room than this stops soon.
LEAST_STATE_MIB = 256


def state(settings: "Settings") -> Iterator[Finding]:
    """Yield findings about the state folder and its databases."""
    from haikei.jobs.state import open_state

    folder = settings.studio.state
    subject = f"state folder {folder}"
    try:
        open_state(settings).dispose()
    except (HaikeiError, OSError) as error:
        yield Finding(
            ok=False,
            subject=subject,
            message=f"It cannot be used: {error}",
            advice="Give this user write access to it, on a local disk.",
        )
        return
    mode = folder.stat().st_mode & 0o777
    yield Finding(
        ok=not mode & 0o077,
        subject=f"{subject}, permissions",
        message=f"Its mode is {mode:04o}; it holds keys, names and the ledger.",
        advice=f"Let its owner alone in: chmod 700 {folder}.",
    )
    free = shutil.disk_usage(folder).free // 2**20
    yield Finding(
        ok=free >= LEAST_STATE_MIB,
        subject=subject,
        message=f"The database opens; {free} MiB are free.",
        advice=f"Free at least {LEAST_STATE_MIB} MiB.",
    )
    yield Finding(
        ok=sqlite3.sqlite_version_info >= OLDEST_SQLITE,
        subject="SQLite",
        message=f"Version {sqlite3.sqlite_version}.",
        advice=f"Use a Python with SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer.",
    )


def pages(settings: "Settings") -> Iterator[Finding]:
    """Yield whether passwords and sessions could be read on their way to the pages."""
    from haikei.settings import is_loopback
    from haikei.web.address import address, is_open

    web = settings.web
    if not web.enabled or is_open(web):
        return
    at = address(settings)
    # A proxy on this machine takes what comes to loopback; what listens further is reached at once.
    plain = at.startswith("http:") or not is_loopback(web.host)
    yield Finding(
        ok=not plain,
        subject=f"pages at {at}",
        message=(
            f"They listen on {web.host} without TLS: passwords and sessions travel in the clear."
            if plain
            else "They are reached over https, through a proxy on this machine."
        ),
        advice="Put a proxy with TLS before them, set web.host to 127.0.0.1 and web.url to its "
        "https address.",
    )


def storage(settings: "Settings") -> Iterator[Finding]:
    """Yield findings about each storage root."""
    for index, root in enumerate(settings.storage.roots):
        subject = f"storage root {root.name} ({root.path})"
        if not root.path.is_dir():
            yield Finding(
                ok=False,
                subject=subject,
                message="There is no such folder.",
                advice="Mount it, or correct storage.roots in the settings.",
            )
            continue
        must_write = index == 0
        if must_write and (found := _another_storage(settings)):
            yield Finding(
                ok=False, subject=subject, message=found.message, advice=found.advice or ""
            )
            continue
        access = os.R_OK | os.X_OK | (os.W_OK if must_write else 0)
        free = shutil.disk_usage(root.path).free // 2**20
        enough = not must_write or free >= settings.storage.reserve_mib
        yield Finding(
            ok=os.access(root.path, access) and enough,
            subject=subject,
            message=f"{'Writable' if must_write else 'Readable'}; {free} MiB are free."
            if os.access(root.path, access)
            else f"This user may not {'write to' if must_write else 'read'} it.",
            advice=f"Give access, and keep {settings.storage.reserve_mib} MiB free.",
        )
    if settings.storage.colour_space:
        yield _colour_space(settings)


def _colour_space(settings: "Settings") -> "Finding":
    from haikei.images import light_space

    subject = f"colour space {settings.storage.colour_space}"
    try:
        found = light_space(settings.storage.colour_space, settings.storage.ocio_config)
    except HaikeiError as error:
        return Finding(ok=False, subject=subject, message=error.message, advice=error.advice or "")
    red = ", ".join(f"{value:.4f}" for value in found.chromaticities[:2])
    return Finding(ok=True, subject=subject, message=f"Linear light, with its red at {red}.")


def _another_storage(settings: "Settings") -> "StorageUnavailable | None":
    """Return why the first root is not what was published to; None where it is, or is new."""
    from haikei.errors import HaikeiError, StorageUnavailable
    from haikei.jobs.state import open_state, require_storage

    try:
        database = open_state(settings)
    except HaikeiError:
        return None  # what is wrong with it stands in lines of its own
    try:
        require_storage(settings, database)
    except StorageUnavailable as error:
        return error
    finally:
        database.dispose()
    return None


def watching(settings: "Settings") -> Iterator[Finding]:
    """Yield findings about the watched folders, the kernel's limits and what stands in them."""
    from haikei.sources.watch import standing_findings, watch_findings

    yield from watch_findings(settings)
    yield from standing_findings(settings)


def signing(settings: "Settings") -> Iterator[Finding]:
    """Yield findings about what signs files, and what strict validators miss in them."""
    from haikei.provenance import MarkSigner
    from haikei.provenance.signer import responder

    subject = "signing of files"
    try:
        signer = MarkSigner.from_settings(settings)
        signer.status()
    except HaikeiError as error:
        yield Finding(ok=False, subject=subject, message=error.message, advice=error.advice or "")
        return
    missing = [
        what
        for what, there in (
            ("a certificate of an authority (signing.certificate_file)", signer.kind == "studio"),
            ("a time-stamp authority (signing.timestamp_url)", signer.timestamp_url is not None),
            ("a certificate whose authority answers OCSP", bool(responder(signer.chain))),
        )
        if not there
    ]
    message = f"{signer.chain.name}, {signer.kind} certificate."
    if missing:
        message += f" C2PA's strict conformance asks for more: {'; '.join(missing)}."
    yield Finding(ok=True, subject=subject, message=message)


def generators(settings: "Settings") -> Iterator[Finding]:
    """Yield a finding for each stage of each recipe that a route uses."""
    from haikei.generators import load_generator, stage_order
    from haikei.models import registry_entry
    from haikei.presets import recipe

    names = sorted({route.recipe for route in settings.routes})
    for name in names:
        for stage in recipe(settings, name).stages:
            subject = f"recipe {name}, stage {stage.name}"
            try:
                described = load_generator(stage.generator, settings).describe(stage_order(stage))
            except HaikeiError as error:
                yield Finding(
                    ok=False, subject=subject, message=error.message, advice=error.advice or ""
                )
                continue
            if registry_entry(settings, model=stage.model or "", generator=stage.generator) is None:
                yield Finding(
                    ok=False,
                    subject=subject,
                    message=f"The generator {stage.generator!r} names no model and is in no "
                    "registry: the stage makes nothing.",
                    advice=f"Declare it as [generators.{stage.generator}].",
                )
                continue
            system = described.system
            kind = "AI" if system.source_type.is_ai else "an algorithm"
            licence = f", licence {system.licence}" if system.licence else ""
            yield Finding(
                ok=True,
                subject=subject,
                message=" ".join(
                    (f"{system.name} {system.version} ({kind}{licence}).", *described.notes)
                ),
            )


def doctor(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Check settings, folders, generators, notifications and the tracker; say what to do."""
    findings: list[Finding] = []
    for one in check_up(settings):
        findings.append(one)
        if not as_json:
            say_finding(one)
    bad = sum(not one.ok for one in findings)
    if as_json:
        print_json({"ok": not bad, "findings": [finding_row(one) for one in findings]})
    elif bad:
        say(f"{bad} of {len(findings)} things need you.", colour="red")
    else:
        say(f"All {len(findings)} things are right.", colour="green")
    if bad:
        raise typer.Exit(Exit.FAILED)


def check_up(path: Path | None) -> "Iterator[Finding]":
    """Yield a finding for each thing, from the settings to the tracker."""
    from haikei.checkup import Finding
    from haikei.cli.name_check import template_findings
    from haikei.presets import RECIPES
    from haikei.settings import read, settings_path

    reading = read(settings_path(path), built_in_recipes=RECIPES)
    for mistake in reading.mistakes:
        yield Finding(
            ok=False,
            subject="settings",
            message=str(mistake),
            advice=f"Mend it in {reading.path}.",
        )
    loaded = reading.settings
    if loaded is None:
        return
    yield Finding(ok=True, subject="settings", message=f"{reading.path} is right.")

    yield from template_findings(loaded)
    yield from state(loaded)
    yield from episodes(loaded)
    yield from storage(loaded)
    yield from watching(loaded)
    yield from pages(loaded)
    yield from generators(loaded)
    yield from signing(loaded)
    yield from _notifications(loaded)
    yield from tracker(loaded)
    yield from statuses(loaded)
    yield from names(loaded)


def _notifications(settings: "Settings") -> "Iterator[Finding]":
    from haikei.notify.notifier import check_notifications

    yield from check_notifications(settings)


def tracker(settings: "Settings") -> "Iterator[Finding]":
    """Yield what the tracker lacks, and what its adapter finds."""
    from haikei.checkup import Finding
    from haikei.errors import HaikeiError
    from haikei.trackers import check_parts, load_tracker

    try:
        adapter = load_tracker(settings)
    except HaikeiError as error:
        yield Finding(ok=False, subject="tracker", message=error.message, advice=error.advice or "")
        return
    yield from check_parts(adapter, settings)
    yield from adapter.check()


def statuses(settings: "Settings") -> "Iterator[Finding]":
    """Yield whether decisions can be shown in the tracker; nothing where nobody reviews in it."""
    from haikei.errors import HaikeiError
    from haikei.review.decisions import check_statuses
    from haikei.trackers import load_tracker

    try:
        desk = load_tracker(settings).parts.review
    except HaikeiError:
        # What is wrong with the tracker stands in the lines before.
        return
    if desk is None:
        return
    try:
        yield from check_statuses(settings, desk)
    finally:
        desk.close()


def episodes(settings: "Settings") -> "Iterator[Finding]":
    """Yield what storage and records leave out about episodes."""
    from haikei.cli.name_check import episode_findings
    from haikei.database import reading
    from haikei.errors import HaikeiError
    from haikei.jobs.state import open_state

    try:
        database = open_state(settings)
    except HaikeiError:
        return  # what is wrong with it stands in the lines before
    try:
        with reading(database) as connection:
            yield from episode_findings(settings, connection)
    finally:
        database.dispose()


def names(settings: "Settings") -> "Iterator[Finding]":
    """Yield names in the settings that fit nothing in the tracker or the register of credits."""
    from haikei.cli.name_check import people_findings, project_findings
    from haikei.credits import people
    from haikei.database import reading
    from haikei.errors import HaikeiError
    from haikei.jobs.state import open_state
    from haikei.trackers import load_tracker

    try:
        tracker = load_tracker(settings)
        listed = tracker.parts.directory
        if listed is None:
            return
        try:
            directory = listed.read()
        finally:
            tracker.close()
        database = open_state(settings)
    except HaikeiError:
        # What is wrong with the tracker or the state folder stands in the lines before.
        return
    try:
        with reading(database) as connection:
            register = tuple(people.everyone(connection))
    finally:
        database.dispose()
    yield from project_findings(settings, directory)
    yield from people_findings(settings, directory, register)


def setup(
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create the fields, file types and storages that Haikei needs in the tracker."""
    from haikei.trackers import load_tracker

    findings = load_tracker(load_settings(settings)).setup(dry_run=dry_run)
    ok = all(one.ok for one in findings)
    if as_json:
        rows = [finding_row(one) for one in findings]
        print_json({"ok": ok, "dry_run": dry_run, "findings": rows})
    else:
        for one in findings:
            say_finding(one)
        planned = sum(one.planned for one in findings)
        if planned:
            say(f"{planned} would be made. `haikei setup` without --dry-run makes them.")
    if not ok:
        raise typer.Exit(Exit.FAILED)


_GIB = 1024**3


def status(
    settings: SettingsOption = None,
    *,
    still_after: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Minutes without a change, while work waits, that are a standstill, instead of "
            "`notifications.standstill`.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with 1 where somebody should look; for monitoring.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how the studio stands: processes, queue, last events, disks, standstill."""
    from haikei.processes import studio_status
    from haikei.settings import settings_path

    loaded = load_settings(settings)
    patience = timedelta(minutes=still_after) if still_after else None
    with open_studio(loaded) as database:
        found = studio_status(loaded, settings_path(settings), database, still_after=patience)
    if as_json:
        counts = {state.value: number for state, number in found.queue.counts.items()}
        shown = asdict(found)
        shown["queue"] |= {"counts": counts}
        print_json({**shown, "troubles": found.troubles})
    else:
        _tell(found)
    if check and found.troubles:
        raise typer.Exit(Exit.FAILED)


def _tell(found: "StudioStatus") -> None:
    def ago(moment: datetime | None) -> str:
        if moment is None:
            return "never"
        seconds = int((found.at - moment).total_seconds())
        for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
            if seconds >= size:
                return f"{seconds // size} {unit} ago"
        return f"{max(0, seconds)} s ago"

    print_table(
        ("process", "pid", "started"),
        [
            (one.name, one.pid or "-", ago(one.since) if one.pid else "not running")
            for one in found.processes
        ],
    )
    if found.hosts:
        print_table(
            ("host", "role", "does", "lanes", "version", "seen"),
            [
                (
                    f"{one.host} ({one.pid})",
                    one.role,
                    one.state.value.replace("_", " "),
                    " ".join(one.lanes),
                    one.version,
                    ago(one.seen_at),
                )
                for one in found.hosts
            ],
        )
    for lane in found.lanes:
        say(f"lane         {lane.name}: {lane.state}")
    queue, sources = found.queue, found.sources
    counts = " · ".join(f"{number} {one.value}" for one, number in queue.counts.items() if number)
    say(f"jobs         {counts or 'none'}")
    if queue.oldest_open is not None:
        say(f"  oldest     {ago(queue.oldest_open)}")
    say(f"  moved      {ago(queue.last_change)}")
    say(f"last event   {ago(sources.last_event)}")
    say(f"last file    {ago(sources.last_file)}")
    say(f"event log    read {ago(sources.last_feed)}, compared {ago(sources.feed_reconciled)}")
    for disk in found.disks:
        space = "cannot be reached"
        if disk.free is not None and disk.total is not None:
            space = f"{disk.free / _GIB:.1f} of {disk.total / _GIB:.1f} GiB free"
        say(f"{disk.what:12} {space}  {disk.path}")
    for trouble in found.troubles:
        say(trouble, colour="yellow")
