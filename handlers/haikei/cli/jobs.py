"""`haikei jobs`: see what is being made, and decide about what is not."""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, print_table, say
from haikei.cli.startup import SettingsOption, load_settings, open_studio
from haikei.jobs import Job, JobState

if TYPE_CHECKING:
    from haikei.jobs import JobStore

app = typer.Typer(help="List, show, retry, skip, cancel or watch jobs.", no_args_is_help=True)

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
    store = _store(settings)
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
    job = _store(settings).get(key)
    if as_json:
        print_json(_plain(job))
        return
    for name, value in _plain(job).items():
        if value not in {None, ""}:
            say(f"{name:12} {value}")


@app.command()
def retry(
    key: KeysArgument = None,
    *,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="Retry every dead letter.")] = False,
    settings: SettingsOption = None,
) -> None:
    """Try dead, skipped or cancelled jobs again; what they had made already is used."""
    store = _store(settings)
    keys = _keys(key, store, all_dead=all_dead)
    for one in keys:
        job = store.retry(one)
        say(f"{job.key}: {job.state.value}")


@app.command()
def skip(
    key: KeysArgument = None,
    *,
    note: Annotated[str, typer.Option(help="Why it is not needed; it is kept with the job.")] = "",
    all_dead: Annotated[bool, typer.Option("--all-dead", help="Skip every dead letter.")] = False,
    settings: SettingsOption = None,
) -> None:
    """Take jobs off the dead letters for good."""
    store = _store(settings)
    for one in _keys(key, store, all_dead=all_dead):
        job = store.skip(one, note)
        say(f"{job.key}: {job.state.value}")


@app.command()
def cancel(key: KeysArgument = None, settings: SettingsOption = None) -> None:
    """Stop jobs that wait or run."""
    store = _store(settings)
    for one in _keys(key, store, all_dead=False):
        job = store.cancel(one)
        say(f"{job.key}: {job.state.value}, asked to stop")


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
    store = _store(settings)
    since: datetime | None = None
    told: dict[str, tuple[object, ...]] = {}
    while True:
        for job in store.changes(since):
            since = job.updated_at if since is None else max(since, job.updated_at)
            state = (job.state, job.step, round(job.progress, 1), job.error)
            if told.get(job.key) == state:
                continue
            told[job.key] = state
            if as_json:
                say(_one_line(job))
            else:
                where = f"{job.place.project}/{job.place.shot}" if job.place.shot else job.layout
                step = f"{job.step.value} {job.progress:4.0%}" if job.step else ""
                say(f"{job.updated_at:%H:%M:%S} {job.state.value:9} {step:15} {where} {job.error}")
        if until_idle and not any(store.counts().get(state, 0) for state in _OPEN):
            return
        time.sleep(0.3)


def _store(settings: Path | None) -> "JobStore":
    from haikei.jobs import JobStore

    return JobStore(open_studio(load_settings(settings)))


def _keys(given: list[str] | None, store: "JobStore", *, all_dead: bool) -> list[str]:
    if all_dead:
        return [job.key for job in store.list(states=(JobState.DEAD,), limit=1_000_000)]
    if not given:
        typer.secho("Name at least one job, or see `haikei jobs list`.", fg="red", err=True)
        raise typer.Exit(Exit.USAGE)
    return given


def _row(job: Job) -> tuple[object, ...]:
    last = job.version_code or job.error or job.note
    variant = f"{job.season} {job.time}".strip()
    shot = "/".join(part for part in (job.place.sequence, job.place.shot) if part)
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

    return json.dumps(_plain(job), ensure_ascii=False)
