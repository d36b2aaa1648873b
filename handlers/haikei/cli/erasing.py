"""What `haikei credits erase` says of where a name still lies, and what to do about it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from haikei.cli.output import say

if TYPE_CHECKING:
    from haikei.credits.people import Erased
    from haikei.settings import Settings


def tell_what_is_left(settings: "Settings", erased: "Erased") -> None:
    """
    Take a name out of the job engine's database, and say where Haikei cannot take it away.

    Raises:
        StateError: the job engine's database cannot be used.
    """
    from haikei.jobs.dbos_names import forget_names

    state = settings.studio.state
    _warn(
        "Files are called by the name. Rename them, then erase once more with --name:", erased.paths
    )
    left = forget_names(settings.engine.url or f"sqlite:///{state / 'engine.db'}", erased.names)
    if left.deleted:
        say(f"The job engine forgot {left.deleted} ended tasks that held the name.")
    _warn(
        "Tasks that wait or run hold the name. Let these jobs end, or stop each of them by "
        "`haikei jobs cancel`; then erase once more with --name:",
        left.running,
    )
    if not left.dropped:
        _warn(
            "The job engine's database may hold deleted rows while workers use it: stop Haikei and "
            "erase once more."
        )
    _warn(
        "Folders of jobs hold the name until their jobs are done; those of jobs that ended badly "
        "go soon after `haikei jobs skip`:",
        map(str, _files_with(state / "jobs", erased.names)),
    )


def _warn(text: str, items: Iterable[str] | None = None) -> None:
    lines = None if items is None else [f"  {item}" for item in items]
    if lines is None or lines:
        say("\n".join([text, *(lines or ())]), colour="yellow")


def _files_with(folder: Path, names: Iterable[str]) -> list[Path]:
    wanted = [name.encode() for name in names]
    return [
        path
        for path in sorted(folder.glob("*/*.json"))
        if any(name in path.read_bytes() for name in wanted)
    ]
