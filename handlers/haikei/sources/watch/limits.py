"""The kernel's limits on native watching, compared with the trees that are to be watched."""

import os
from collections.abc import Iterator
from pathlib import Path

from haikei.checkup import Finding
from haikei.settings import Settings
from haikei.sources.watch.root import mount_of, watched_roots

PROC_SYS = Path("/proc/sys")

#: One watch a folder. The global limit of a user comes first, then that of the user namespace.
_WATCHES = ("fs/inotify/max_user_watches", "user/max_inotify_watches")
_INSTANCES = ("fs/inotify/max_user_instances", "user/max_inotify_instances")
#: Editors, desktops and other daemons of the same user draw from the same purse.
_SHARE = 0.8


def watch_limit(proc_sys: Path = PROC_SYS) -> int | None:
    """Return how many folders one user may watch natively, None where the kernel does not say."""
    return _least(proc_sys, _WATCHES)


def limit_finding(folders: int, proc_sys: Path = PROC_SYS) -> Finding:
    """Compare the number of natively watched folders with the kernel's limit."""
    limit = watch_limit(proc_sys)
    enough = limit is None or folders <= limit * _SHARE
    return Finding(
        ok=enough,
        subject="inotify watches",
        message=(
            f"{folders} folders are to be watched natively; "
            f"the kernel allows this user {'any number' if limit is None else limit}."
        ),
        advice=(
            ""
            if enough
            else f"Set fs.inotify.max_user_watches to at least {2 * folders} with sysctl, "
            'or watch.mode to "polling"; until then scans find what events miss.'
        ),
    )


def watch_findings(settings: Settings, *, proc_sys: Path = PROC_SYS) -> Iterator[Finding]:
    """Yield findings about each watched folder and about the kernel's limits."""
    native = 0
    folders = 0
    for root in watched_roots(settings.watch):
        top = Path(root.path)
        subject = f"watched folder {top}"
        if not top.is_dir():
            yield Finding(
                ok=False,
                subject=subject,
                message="There is no such folder.",
                advice="Mount or make it; the watcher waits for it.",
            )
            continue
        if not os.access(top, os.R_OK | os.X_OK):
            yield Finding(
                ok=False,
                subject=subject,
                message="This user may not read it.",
                advice="Give this user the right to list and enter it.",
            )
            continue
        count = count_folders(root.path)
        if root.native:
            native += 1
            folders += count
        mount = mount_of(top)
        network = mount is not None and mount.is_network
        deaf = root.native and network
        how = "native events and scans" if root.native else "scans only"
        yield Finding(
            ok=not deaf,
            subject=subject,
            message=(
                f"{count} folders on {mount.kind if mount is not None else 'an unknown disk'}, "
                f"watched by {how}."
            ),
            advice='Set watch.mode to "auto": other machines\' changes give no events here.'
            if deaf
            else "",
        )
    if native:
        yield limit_finding(folders, proc_sys)
        yield _instances(native, proc_sys)


def count_folders(top: str) -> int:
    """Return the number of folders in a tree, the top one included; links are not followed."""
    return sum(1 for _ in os.walk(top))


def _instances(native: int, proc_sys: Path) -> Finding:
    limit = _least(proc_sys, _INSTANCES)
    enough = limit is None or native <= limit * _SHARE
    return Finding(
        ok=enough,
        subject="inotify instances",
        message=(
            f"{native} are needed, one a watched folder tree; "
            f"the kernel allows this user {'any number' if limit is None else limit}."
        ),
        advice="" if enough else "Set fs.inotify.max_user_instances higher with sysctl.",
    )


def _least(proc_sys: Path, names: tuple[str, ...]) -> int | None:
    found: list[int] = []
    for name in names:
        try:
            found.append(int((proc_sys / name).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return min(found, default=None)
