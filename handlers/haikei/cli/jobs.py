"""`haikei jobs`: see what is being made, and decide about what is not."""

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, print_table, say, warn
from haikei.cli.startup import SettingsOption, load_settings, open_studio
from haikei.errors import JobError
from haikei.jobs.job import Job, JobState

if TYPE_CHECKING:
    from haikei.jobs.table import JobStore

app = typer.Typer(
    help="See jobs and decide about them; hold the lanes that they take.", no_args_is_help=True
)

KeyArgument = Annotated[str, typer.Argument(help="A job's key, or enough of its beginning.")]
KeysArgument = Annotated[
    list[str] | None, typer.Argument(help="Jobs' keys, or enough of their beginnings.")
]
_OPEN = (JobState.WAITING, JobState.RUNNING)


@app.command("list")
def list_jobs(
    state: Annotated[
        list[JobState] | None, typer.Option(help="Only jobs in this state. Repeatable.")
    ] = None,
    project: Annotated[str | None, typer.Option(help="Only jobs of this project.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most jobs to list.")] = 50,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List jobs, the newest first."""
    with _store(settings) as store:
        if project is not None:
            project = _project(settings, store, project)
        found = store.list(states=tuple(state or ()), project=project, limit=limit)
        counts = store.counts()
    if as_json:
        print_json(
            {
                "counts": {one.value: number for one, number in counts.items()},
                "jobs": [_plain(job) for job in found],
            }
        )
        return
    print_table(
        ("job", "state", "step", "project", "shot", "variant", "%", "version or reason"),
        [_row(job) for job in found],
    )
    say(
        " · ".join(f"{number} {one.value}" for one, number in counts.items() if number) or "no jobs"
    )


@app.command()
def show(key: KeyArgument, settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Show one job with all that is known of it."""
    with _store(settings) as store:
        job = store.get(key)
    if as_json:
        print_json(_plain(job))
        return
    for name, value in _plain(job).items():
        if value not in {None, ""}:
            say(f"{name:12} {value}")


KindOption = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Dead letters of this kind, such as PlaceUnknown. Repeatable."),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="Dead letters since a moment (2026-11-30, in UTC) or for 2h, 3d."),
]
ProjectOption = Annotated[
    str | None, typer.Option("--project", help="Dead letters of this project.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every dead letter.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say which ones it would be.")]


@app.command()
def retry(
    key: KeysArgument = None,
    *,
    kind: KindOption = None,
    since: SinceOption = None,
    project: ProjectOption = None,
    every: AllOption = False,
    dry_run: DryRunOption = False,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Try dead, skipped or cancelled jobs again, by their keys or all that the options choose.

    What they had made already is used; the settings, the tracker and the file are read anew.
    """
    with _store(settings) as store:
        if project:
            project = _project(settings, store, project)
        chosen = _chosen(store, key, kind=kind, since=since, project=project, every=every)
        _decide(chosen, store.retry, dry_run=dry_run, as_json=as_json)


@app.command()
def skip(
    key: KeysArgument = None,
    *,
    note: Annotated[str, typer.Option(help="Why it is not needed; it is kept with the job.")] = "",
    kind: KindOption = None,
    since: SinceOption = None,
    project: ProjectOption = None,
    every: AllOption = False,
    dry_run: DryRunOption = False,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take jobs off the dead letters for good, by their keys or all that the options choose."""
    with _store(settings) as store:
        if project:
            project = _project(settings, store, project)
        chosen = _chosen(store, key, kind=kind, since=since, project=project, every=every)
        _decide(chosen, lambda one: store.skip(one, note), dry_run=dry_run, as_json=as_json)


@app.command()
def cancel(
    key: KeysArgument = None, settings: SettingsOption = None, *, as_json: JsonOption = False
) -> None:
    """Stop jobs that wait or run."""
    with _store(settings) as store:
        if not key:
            raise _nothing_named()
        chosen = [store.get(one) for one in key]
        _decide(chosen, store.cancel, word=", asked to stop", dry_run=False, as_json=as_json)


class LaneOption(StrEnum):
    """One of the ways through the workers."""

    STEPS = "steps"
    GENERATE = "generate"


LaneArgument = Annotated[
    LaneOption, typer.Argument(help="`steps` (tracker and files) or `generate` (pictures).")
]
ByOption = Annotated[str, typer.Option("--by", help="Who orders it; `haikei status` shows it.")]


@app.command()
def pause(
    lane: LaneArgument,
    by: ByOption = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Begin no step in a lane, on no host, until it is resumed; steps that run are done."""
    _order(lane, "paused", by=by, settings=settings, as_json=as_json)


@app.command()
def drain(
    lane: LaneArgument,
    by: ByOption = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Begin no job in a lane until it is resumed; those that have begun are done."""
    _order(lane, "draining", by=by, settings=settings, as_json=as_json)


@app.command()
def resume(
    lane: LaneArgument, settings: SettingsOption = None, *, as_json: JsonOption = False
) -> None:
    """Let a lane that was paused or drained go on."""
    _order(lane, "", by="", settings=settings, as_json=as_json)


def _order(lane: LaneOption, order: str, *, by: str, settings: Path | None, as_json: bool) -> None:
    from haikei.jobs.lanes import Lane, LaneOrder, order_lane

    with open_studio(load_settings(settings)) as database, database.begin() as connection:
        state = order_lane(connection, Lane(lane.value), LaneOrder(order), by=by)
    if as_json:
        print_json(
            {
                "lane": lane.value,
                "order": order or "open",
                "by": state.ordered_by,
                "held_since": state.held_since,
                "fault": state.fault,
            }
        )
    else:
        say(f"{lane.value}: {state}")


@app.command("watch")
def watch_jobs(
    settings: SettingsOption = None,
    *,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Stop when no job waits or runs.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow jobs as they go on, one line a change, until Ctrl-C."""
    with _store(settings) as store:
        since: datetime | None = None
        printed: dict[str, tuple[object, ...]] = {}
        ends = "until no job waits or runs" if until_idle else "until Ctrl-C"
        warn(f"Waiting for changes of jobs, {ends}.")
        while True:
            for job in store.changes(since):
                since = job.updated_at if since is None else max(since, job.updated_at)
                state = (job.state, job.step, round(job.progress, 1), job.error)
                if printed.get(job.key) == state:
                    continue
                printed[job.key] = state
                if as_json:
                    say(_one_line(job))
                else:
                    say(_changed_line(job))
            if until_idle and not any(store.counts().get(state, 0) for state in _OPEN):
                return
            time.sleep(0.3)


def _changed_line(job: Job) -> str:
    where = f"{job.place.project}/{job.place.shot}" if job.place.shot else job.layout
    step = f"{job.step.value} {job.progress:4.0%}" if job.step else ""
    return f"{job.updated_at:%H:%M:%S} {job.state.value:9} {step:15} {where} {job.error}"


@contextmanager
def _store(settings: Path | None) -> "Generator[JobStore]":
    from haikei.jobs.table import JobStore

    with open_studio(load_settings(settings)) as database:
        yield JobStore(database)


def _project(settings: Path | None, store: "JobStore", name: str) -> str:
    """Return the project that a name means; one that nobody knows is an error, not no jobs."""
    from haikei.cli.name_check import known_project
    from haikei.database import reading

    loaded = load_settings(settings)
    with open_studio(loaded) as database, reading(database) as connection:
        return known_project(connection, loaded, name, store.projects())


def _nothing_named() -> typer.BadParameter:
    return typer.BadParameter("name at least one job; `haikei jobs list` shows them")


def _chosen(
    store: "JobStore",
    keys: list[str] | None,
    *,
    kind: list[str] | None,
    since: str | None,
    project: str | None,
    every: bool,
) -> list[Job]:
    """Return the jobs that somebody names, or the dead letters that options choose."""
    options = bool(kind or since or project)
    if keys and (options or every):
        raise typer.BadParameter("name jobs, or choose dead letters by options, but not both")
    if keys:
        return list({job.key: job for job in map(store.get, keys)}.values())
    if not options and not every:
        raise typer.BadParameter(
            "name at least one job, or choose dead letters with --kind, --since, --project or "
            "--all; `haikei jobs list --state dead` shows them"
        )
    for one in kind or ():
        _require_kind(one, store)
    moment = _moment(since) if since else None
    return list(store.dead(kinds=kind or (), since=moment, project=project))


def _require_kind(kind: str, store: "JobStore") -> None:
    from haikei import errors
    from haikei.names import nearest_names, same_name

    known = {job.error_kind for job in store.dead()} | {
        name
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, errors.HaikeiError)
    }
    if not any(same_name(kind, name) for name in known):
        near = nearest_names(kind, sorted(known))
        hint = f"did you mean {near[0]}?" if near else "see `haikei jobs list`"
        raise typer.BadParameter(f"there is no kind of dead letter {kind!r}; {hint}")


_AGES = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _moment(text: str) -> datetime:
    """Return the moment that a date, a time or an age such as `2h` means."""
    number, unit = text[:-1], text[-1:]
    now = datetime.now(UTC)
    try:
        if number.isdecimal() and unit in _AGES:
            return now - timedelta(**{_AGES[unit]: int(number)})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"--since {text!r} is no moment: write 2026-11-30, 2026-11-30T18:00, 2h or 3d"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _decide(
    chosen: list[Job],
    act: Callable[[str], Job],
    *,
    dry_run: bool,
    as_json: bool,
    word: str = "",
) -> None:
    """Count the jobs, then decide about each; one that somebody else decided about is reported."""
    kinds = Counter(job.error_kind or job.state.value for job in chosen)
    if not as_json:
        parts = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
        what = "job" if len(chosen) == 1 else "jobs"
        say(f"{len(chosen)} {what}{f': {parts}' if parts else '; nothing to do'}")
    rows: list[dict[str, object]] = []
    failed: list[JobError] = []
    for job in chosen:
        state, error = job.state, ""
        if not dry_run:
            try:
                state = act(job.key).state
            except JobError as raised:
                if len(chosen) == 1:
                    raise
                failed.append(raised)
                error = str(raised)
        rows.append({"key": job.key, "kind": job.error_kind, "state": state.value, "error": error})
        if not as_json:
            done = f"would be taken ({state.value})" if dry_run else f"{state}{word}"
            say(f"{job.key}: {error or done}")
    if as_json:
        print_json({"count": len(chosen), "kinds": kinds, "dry_run": dry_run, "jobs": rows})
    if failed:
        raise typer.Exit(Exit.FAILED)


def _row(job: Job) -> tuple[object, ...]:
    last = job.version_code or job.error or job.note
    variant = f"{job.season} {job.time}".strip()
    shot = "/".join(
        part for part in (job.place.episode, job.place.sequence, job.place.shot) if part
    )
    step = job.step.value if job.step else ""
    where = shot or Path(job.layout).name
    percent = f"{job.progress:.0%}"
    return (job.key[:20], job.state.value, step, job.place.project, where, variant, percent, last)


def _plain(job: Job) -> dict[str, object]:
    return {
        "key": job.key,
        "state": job.state.value,
        "step": job.step.value if job.step else None,
        "run": job.run,
        "priority": job.priority,
        "project": job.place.project,
        "episode": job.place.episode,
        "sequence": job.place.sequence,
        "shot": job.place.shot,
        "season": job.season,
        "time": job.time,
        "recipe": job.recipe,
        "layout": job.layout,
        "progress": round(job.progress, 3),
        "note": job.note,
        "error": job.error,
        "error_kind": job.error_kind,
        "attempts": job.attempts,
        "version": job.version_code,
        "url": job.version_url,
        "created_at": job.created_at.isoformat(),
        "started_at": job.started_at.isoformat() if job.started_at else None,
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "updated_at": job.updated_at.isoformat(),
    }


def _one_line(job: Job) -> str:
    import json

    from haikei.printable import escaped

    return escaped(json.dumps(_plain(job), ensure_ascii=False))
