"""`haikei status`: how the studio stands now, on one screen."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, print_table, say
from haikei.cli.startup import SettingsOption, load_settings, open_studio

if TYPE_CHECKING:
    from haikei.processes import StudioStatus

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
    database = open_studio(loaded)
    patience = timedelta(minutes=still_after) if still_after else None
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
