"""What `haikei doctor` looks at on this machine."""

import os
import shutil
import sqlite3
from collections.abc import Iterator

from haikei.errors import HaikeiError
from haikei.presets import recipe
from haikei.settings import Settings
from haikei.trackers import Finding

#: Older ones lack UPDATE … RETURNING, which the job engine needs.
OLDEST_SQLITE = (3, 35, 0)
#: A state folder with less room than this stops soon.
LEAST_STATE_MIB = 256


def state(settings: Settings) -> Iterator[Finding]:
    """Yield findings about the state folder and its databases."""
    from haikei.database import open_database

    folder = settings.studio.state
    subject = f"state folder {folder}"
    try:
        open_database(f"sqlite:///{folder / 'haikei.db'}").dispose()
    except (HaikeiError, OSError) as error:
        yield Finding(
            ok=False,
            subject=subject,
            message=f"It cannot be used: {error}",
            advice="Give this user write access to it, on a local disk.",
        )
        return
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


def storage(settings: Settings) -> Iterator[Finding]:
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


def watching(settings: Settings) -> Iterator[Finding]:
    """Yield findings about the watched folders and the kernel's limits."""
    from haikei.watch import watch_findings

    yield from watch_findings(settings)


def generators(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each stage of each recipe that a route uses."""
    from haikei.generators import StageOrder, load_generator

    names = sorted({route.recipe for route in settings.routes})
    for name in names:
        for stage in recipe(settings, name).stages:
            subject = f"recipe {name}, stage {stage.name}"
            order = StageOrder(
                generator=stage.generator,
                model=stage.model or "",
                options=tuple(sorted(stage.options.items())),
            )
            try:
                described = load_generator(stage.generator, settings).describe(order)
            except HaikeiError as error:
                yield Finding(
                    ok=False, subject=subject, message=error.message, advice=error.advice or ""
                )
                continue
            system = described.system
            kind = "AI" if system.source_type.is_ai else "an algorithm"
            licence = f", licence {system.licence}" if system.licence else ""
            yield Finding(
                ok=True,
                subject=subject,
                message=f"{system.name} {system.version} ({kind}{licence}).",
            )
