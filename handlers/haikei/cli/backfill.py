"""`haikei backfill`: layouts that were published before Haikei was there."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from haikei.cli.output import JsonOption, print_json, say
from haikei.cli.studio import SettingsOption, load_settings, open_studio

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def backfill(
    start: Annotated[
        datetime, typer.Option("--from", formats=_FORMATS, help="The first day, in UTC.")
    ],
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=_FORMATS, help="The last day, in UTC; by default today."),
    ] = None,
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the layouts.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Hand layouts that the tracker has from some days to the jobs. Known ones are left alone."""
    from haikei.eventlog import Follower
    from haikei.storage import Storage
    from haikei.trackers import tracker_key
    from haikei.trackers.shotgrid_feed import ShotGridFeed

    loaded = load_settings(settings)
    feed = ShotGridFeed(loaded, tracker_key(loaded))
    follower = Follower(loaded, open_studio(loaded), feed, Storage(loaded))
    last = datetime.now(UTC) if end is None else _whole_day(end)
    counts: Counter[str] = Counter()
    entries: list[dict[str, object]] = []
    for entry in follower.backfill(start.replace(tzinfo=UTC), last, dry_run=dry_run):
        counts[entry.outcome.value] += 1
        if as_json:
            entries.append(
                {
                    "published_file": entry.published_file,
                    "path": entry.path,
                    "outcome": entry.outcome.value,
                    "key": entry.event.key if entry.event else None,
                    "reason": entry.reason,
                }
            )
        else:
            say(f"{entry.outcome.value:8} {entry.path or entry.published_file} {entry.reason}")
    if as_json:
        print_json({"counts": dict(counts), "dry_run": dry_run, "layouts": entries})
    else:
        summary = " · ".join(f"{number} {name}" for name, number in counts.items())
        say(f"{summary or 'no layouts in that time'}{' (dry run)' if dry_run else ''}")


def _whole_day(moment: datetime) -> datetime:
    day_only = moment.time() == datetime.min.time()
    return moment.replace(tzinfo=UTC) + (timedelta(days=1) if day_only else timedelta())
