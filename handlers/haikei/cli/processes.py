"""The long-running commands: `watch`, `events`, `review`, `worker`, `run` for all; `reload`."""

import os
import signal
import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import JsonOption, print_json, say
from haikei.cli.startup import (
    SettingsOption,
    SupervisedOption,
    die_with,
    keep_metrics,
    load_settings,
    open_studio,
    require_adopted,
    set_on,
    stop_on_signals,
)
from haikei.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from haikei.settings import Settings


def events(settings: SettingsOption = None, supervised_by: SupervisedOption = 0) -> None:
    """Follow the tracker's event log and hand published layouts to the jobs, until Ctrl-C."""
    die_with(supervised_by)
    loaded = load_settings(settings)
    keep_metrics(loaded)
    from haikei.cli.startup import configure_logs
    from haikei.jobs.engine.presence import attending
    from haikei.sources.eventlog.follower import Follower
    from haikei.storage import Storage
    from haikei.trackers import Part, load_tracker, needed

    configure_logs(loaded.log)
    stop = stop_on_signals()
    with closing(load_tracker(loaded)) as tracker:
        feed = needed(tracker.parts.feed, tracker, Part.FEED)
        bell = tracker.parts.doorbell
        with (
            open_studio(loaded) as database,
            attending(loaded, database, "events", stop, alone="events") as ours,
        ):
            if ours:
                Follower(loaded, database, feed, Storage(loaded), doorbell=bell).run(stop)


def review(settings: SettingsOption = None, supervised_by: SupervisedOption = 0) -> None:
    """Act on statuses and Notes of versions in the tracker, and answer, until Ctrl-C."""
    die_with(supervised_by)
    loaded = load_settings(settings)
    keep_metrics(loaded)
    from haikei.cli.startup import configure_logs
    from haikei.dailies.collecting import Dailies
    from haikei.database import utc_now
    from haikei.jobs.engine.presence import attending
    from haikei.notify.hooks import HookSender
    from haikei.notify.notifier import Notifier
    from haikei.processes import HealthWatch
    from haikei.review.reviewer import Reviewer

    configure_logs(loaded.log)
    stop = stop_on_signals()
    with (
        open_studio(loaded) as database,
        attending(loaded, database, "review", stop, alone="review") as ours,
        closing(Dailies(loaded, database)) as dailies,
    ):
        if not ours:
            return
        hooks, notifier = HookSender(loaded, database), Notifier(loaded, database)
        health = HealthWatch(loaded, database, started=utc_now())
        tickers = dailies.tick, notifier.tick, hooks.tick, health.tick
        Reviewer(loaded, database).run(stop, tickers)


def run(
    settings: SettingsOption = None,
    *,
    log_file: Annotated[
        Path | None, typer.Option(help="Write all log lines to this file instead of the terminal.")
    ] = None,
    roles: Annotated[
        str | None,
        typer.Option(
            help="Do only these here, by commas: steps, generate, review, watch, events, web."
        ),
    ] = None,
    supervised_by: SupervisedOption = 0,
) -> None:
    """
    Watch, follow, generate and publish, until Ctrl-C. What dies is started again.

    On several hosts of one studio what must be done once is done by one of them; another takes
    over when that one is gone.

    `haikei reload`, or SIGHUP where no terminal started it, takes over changed settings.
    """
    die_with(supervised_by)
    from haikei.settings import settings_path

    file = settings_path(settings).absolute()
    chosen = _roles(roles)
    keep_metrics(load_settings(file), anew=True)
    from haikei.cli.startup import configure_logs
    from haikei.processes import Plan, Supervisor, studio_processes

    def plan() -> Plan:
        loaded = load_settings(file)
        configure_logs(loaded.log)
        # Bring the schema up to date once, before several processes want to.
        with open_studio(loaded):
            pass
        read = tuple(filter(None, (file, loaded.credits.people_file)))
        children = studio_processes(loaded, file, chosen)
        if not children:
            raise SettingsError(
                f"These settings ask for no process with the role {', '.join(sorted(chosen))}.",
                advice="Choose other --roles, or turn it on in the settings.",
            )
        return Plan(children=tuple(children), files=read)

    first = plan()
    say(f"Running {', '.join(child.name for child in first.children)}. Ctrl-C stops everything.")
    # A terminal that closes sends SIGHUP too, and ends what it started.
    hangup = () if sys.stdin is not None and sys.stdin.isatty() else ("SIGHUP",)
    supervisor = Supervisor(
        first.children,
        log_file=log_file,
        files=first.files,
        plan=plan,
        reload=set_on("SIGUSR1", *hangup),
    )
    supervisor.run(stop_on_signals())


def _roles(given: str | None) -> frozenset[str]:
    from haikei.processes.supervisor import ROLES

    if given is None:
        return frozenset(ROLES)
    chosen = frozenset(one.strip() for one in given.split(",") if one.strip())
    unknown = chosen - set(ROLES)
    if unknown or not chosen:
        wrong = ", ".join(sorted(unknown)) or "no role"
        choices = ", ".join(map(repr, ROLES))
        raise typer.BadParameter(f"{wrong!r} is not one of {choices}.", param_hint="--roles")
    return chosen


def reload(
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be told.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Have a running `haikei run` take over changed settings and people.

    Its processes end the step that they are at and are started again in order; the jobs go on.
    Settings with mistakes are refused here, and nothing is stopped.
    """
    from haikei.errors import StateError
    from haikei.processes import supervisors
    from haikei.settings import settings_path

    load_settings(settings)
    file = settings_path(settings).absolute()
    found = supervisors(file)
    if not found:
        raise StateError(
            f"No `haikei run` with {file} is running on this host.",
            advice="Start it with `haikei run`; it reads the settings as they are.",
        )
    for pid in () if dry_run else found:
        os.kill(pid, signal.SIGUSR1)
    if as_json:
        print_json({"dry_run": dry_run, "settings": file, "told": found})
    else:
        word = "would be told" if dry_run else "is told"
        say(f"`haikei run` ({', '.join(map(str, found))}) {word} to take over {file}.")
        say("`haikei status` shows since when each process runs.")


def watch(
    settings: SettingsOption = None,
    *,
    explain: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Watch nothing; say why this file was taken or not."),
    ] = None,
    as_json: JsonOption = False,
    supervised_by: SupervisedOption = 0,
) -> None:
    """Watch the layout folders and hand complete layouts to the jobs, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.startup import configure_logs
    from haikei.jobs.engine.presence import attending, of_folders
    from haikei.sources.watch import Watcher

    if as_json and explain is None:
        raise typer.BadParameter("--json goes with --explain PATH")
    loaded = load_settings(settings)
    if explain is not None:
        _explain(explain.expanduser(), loaded, as_json=as_json)
        return
    if not loaded.watch.folders and not loaded.watch.touch_ups:
        raise SettingsError(
            "There is no folder to watch.", advice="Add a [[watch.folders]] table to the settings."
        )
    configure_logs(loaded.log)
    stop = stop_on_signals()
    folders = [one.path for one in loaded.watch.folders]
    folders += [one.path for one in loaded.watch.touch_ups]
    alone = of_folders("watch", folders)
    with (
        open_studio(loaded) as database,
        attending(loaded, database, "watch", stop, alone=alone) as ours,
    ):
        if ours:
            Watcher(loaded, database).run(stop)


def _explain(path: Path, settings: "Settings", *, as_json: bool) -> None:
    from dataclasses import asdict

    from haikei.sources.watch import explain

    with open_studio(settings) as database:
        found = explain(path, settings, database)
    if as_json:
        print_json(asdict(found))
        return
    say(f"{found.path}: {found.outcome.value.replace('_', ' ')}")
    say(f"  {found.message}")
    if found.advice:
        say(f"  {found.advice}", colour="yellow")
    for job in found.jobs:
        say(f"  job {job.key}: {job.state}{f' ({job.reason})' if job.reason else ''}")


class WorkerOption(StrEnum):
    """What a worker does."""

    STEPS = "steps"
    GENERATE = "generate"


def worker(
    role: Annotated[
        WorkerOption,
        typer.Option(help="`steps` talks to tracker and files, `generate` makes pictures."),
    ] = WorkerOption.STEPS,
    device: Annotated[
        str | None, typer.Option(help="The device on which pictures are made, such as cuda:0.")
    ] = None,
    settings: SettingsOption = None,
    supervised_by: SupervisedOption = 0,
) -> None:
    """Carry out jobs, until Ctrl-C; unfinished ones go on at the next start."""
    die_with(supervised_by)
    loaded = load_settings(settings)
    keep_metrics(loaded)
    from haikei.cli.startup import configure_logs
    from haikei.jobs.engine.worker import WorkerRole, run_worker

    configure_logs(loaded.log)
    require_adopted(loaded)
    run_worker(
        loaded,
        role=WorkerRole(role.value),
        device=device,
        stop=stop_on_signals(),
        leave=set_on("SIGHUP"),
        on_version=_wake_reviewer,
    )


def _wake_reviewer(connection: "Connection", version: int) -> None:
    from haikei.events import Source
    from haikei.review.deciding import wake

    wake(connection, {version}, source=Source.WATCH)
