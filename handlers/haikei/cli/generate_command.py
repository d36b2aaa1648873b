"""`haikei generate FILE` and `haikei backfill`: layouts that no source announced."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import STDOUT, JsonOption, print_json, say, warn
from haikei.cli.startup import SettingsOption, load_settings, open_studio
from haikei.show import CutFacts, Season, TimeOfDay

if TYPE_CHECKING:
    from haikei.generators import Production
    from haikei.jobs.oneoff import Made, OneOff
    from haikei.settings import Settings


def generate(
    file: Annotated[Path, typer.Argument(help="The layout.", exists=True, dir_okay=False)],
    out: Annotated[
        Path | None, typer.Option(help="Where pictures go; by default a folder beside the layout.")
    ] = None,
    artist: Annotated[str, typer.Option(help="Who drew the layout.")] = "",
    artist_ja: Annotated[str, typer.Option(help="The same name in Japanese script.")] = "",
    operator: Annotated[str, typer.Option(help="Who operates the tool, where a person does.")] = "",
    operator_ja: Annotated[str, typer.Option(help="The same name in Japanese script.")] = "",
    season: Annotated[
        list[Season] | None, typer.Option(help="The season; by default summer. Repeatable.")
    ] = None,
    time: Annotated[
        list[TimeOfDay] | None,
        typer.Option(help="The time of day; by default day. Repeatable: each in each season."),
    ] = None,
    place: Annotated[
        str, typer.Option(help="What kind of place it is: port, station, village, hills …")
    ] = "",
    weather: Annotated[str, typer.Option(help="The weather, in English or Japanese.")] = "",
    notes: Annotated[
        str, typer.Option(help="What the storyboard notes of it, in English or Japanese.")
    ] = "",
    location: Annotated[
        str, typer.Option(help="The location of the story: looks of the settings fit it.")
    ] = "",
    recipe: Annotated[str, typer.Option(help="The recipe; see `haikei recipes list`.")] = (
        "watercolour"
    ),
    seed: Annotated[
        int | None, typer.Option(help="A seed; by default it follows from the layout.", min=0)
    ] = None,
    project: Annotated[
        str, typer.Option(help="The show; by default the one that the layout's path says.")
    ] = "",
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make backgrounds from one layout file, and a record of who and what made each."""
    from haikei.cli.name_check import place_of_layout, project_of_layout
    from haikei.cli.startup import configure_logs
    from haikei.generators import Production
    from haikei.jobs.oneoff import OneOff

    loaded = _settings(settings)
    configure_logs(loaded.log)

    @cache
    def names() -> tuple[str, ...]:
        found = project_of_layout(loaded, file.absolute(), project)
        if not found and loaded.policy.has_show_rules:
            warn("No show is known of this layout: rules about AI in shows need --project.")
        return found

    if project:
        names()
    first = OneOff(
        layout=file.absolute(),
        out=(out or file.parent / f"{file.stem}_background").absolute(),
        artist=artist,
        artist_ja=artist_ja,
        operator=operator,
        operator_ja=operator_ja,
        season=(season or [Season.SUMMER])[0].value,
        time=(time or [TimeOfDay.DAY])[0].value,
        place=place,
        recipe=recipe,
        seed=seed,
        where=place_of_layout(loaded, file.absolute(), project),
        cut=CutFacts(weather=weather, notes=notes, location=location),
    )
    if out == STDOUT:
        raise typer.BadParameter("it writes several files: name a folder", param_hint="--out")
    orders = [
        replace(first, season=one.value, time=other.value)
        for one in dict.fromkeys(season or [Season.SUMMER])
        for other in dict.fromkeys(time or [TimeOfDay.DAY])
    ]
    made = _make(loaded, orders, names, Production(loaded), dry_run=dry_run, quiet=as_json)
    sheet = None
    if len(orders) > 1 and not dry_run:
        sheet = _sheet(orders, made, columns=len(dict.fromkeys(time or [TimeOfDay.DAY])))
    if as_json:
        plain = [_plain(order, one) for order, one in zip(orders, made, strict=True)]
        head = {"layout": first.layout, "dry_run": dry_run}
        print_json({**head, **plain[0]} if len(plain) == 1 else {
            **head, "variants": plain, "sheet": sheet,
        })  # fmt: skip
        return
    if not dry_run:
        say(made[0].credit_en or "Nobody is named for the layout: give --artist NAME.")
        for one in made:
            say(f"Background  {one.stages[-1].path}", colour="green")
            say(f"Record      {one.record}")
    if sheet is not None:
        say(f"Sheet       {sheet}", colour="green")


def _make(
    settings: "Settings",
    orders: "Sequence[OneOff]",
    project: "Callable[[], Sequence[str]]",
    production: "Production",
    *,
    dry_run: bool,
    quiet: bool,
) -> "list[Made]":
    from haikei.jobs.oneoff import make_one

    made: list[Made] = []
    for order in orders:
        if len(orders) > 1 and not quiet:
            say(f"{order.season}, {order.time}:")
        made.append(
            make_one(
                settings,
                order,
                project=project,
                dry_run=dry_run,
                report=_silent if quiet else say,
                production=production,
            )
        )
    return made


def _sheet(orders: "Sequence[OneOff]", made: "Sequence[Made]", *, columns: int) -> Path:
    """Write one sheet of all seasons and times, and return where."""
    from haikei.files import sha256_of
    from haikei.images import SheetRow, write_sheet

    rows = [
        SheetRow(
            title=f"{order.season} {order.time}",
            caption=f"{order.layout.name} · {order.recipe}",
            pictures=(one.stages[-1].path,),
        )
        for order, one in zip(orders, made, strict=True)
    ]
    # By what it shows: other seasons of the same layout get a sheet of their own.
    shown = hashlib.sha256("".join(one.stages[-1].request_sha256 for one in made).encode())
    first = orders[0]
    name = f"sheet-{sha256_of(first.layout)[:8]}-{shown.hexdigest()[:8]}.jpg"
    path = first.out / name
    write_sheet(rows, path, columns=columns, cell_width=320)
    return path


def _plain(order: "OneOff", made: "Made") -> dict[str, object]:
    return {
        "season": order.season,
        "time": order.time,
        "credit": made.credit_en,
        "credit_ja": made.credit_ja,
        "record": made.record,
        "stages": [
            {
                "stage": stage.name,
                "system": stage.system,
                "path": stage.path,
                "request_sha256": stage.request_sha256,
                "seconds": round(stage.seconds, 3),
                "reused": stage.reused,
            }
            for stage in made.stages
        ],
    }


def _silent(_: str) -> None:
    return


def _settings(path: Path | None) -> "Settings":
    from haikei.settings import Settings, Storage, StorageRoot, Studio, settings_path

    if path is not None or settings_path().exists():
        return load_settings(path)
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state").absolute()
    return Settings(
        studio=Studio(state=home / "haikei"),
        storage=Storage(roots=(StorageRoot(name="here", path=Path.cwd()),)),
    )


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
    from haikei.sources.eventlog.follower import Follower
    from haikei.storage import Storage
    from haikei.trackers import Part, load_tracker, needed

    loaded = load_settings(settings)
    last = datetime.now(UTC) if end is None else _whole_day(end)
    counts: Counter[str] = Counter()
    entries: list[dict[str, object]] = []
    with closing(load_tracker(loaded)) as tracker, open_studio(loaded) as database:
        feed = needed(tracker.parts.feed, tracker, Part.FEED)
        follower = Follower(loaded, database, feed, Storage(loaded))
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
