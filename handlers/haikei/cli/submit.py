"""`haikei submit FILE`: hand a layout in, over a server or on the studio's own machine."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_error, print_json, say, warn
from haikei.cli.startup import SettingsOption, load_settings, open_studio

if TYPE_CHECKING:
    from haikei.client import ClientError, Submission

#: Seconds between two looks at the studio's own database.
_LOOK = 0.5


def submit(
    file: Annotated[Path, typer.Argument(help="The layout.")],
    *,
    project: Annotated[str, typer.Option(help="As paths name it; else the file's path says.")] = "",
    episode: Annotated[
        str, typer.Option(help="Where shots of one name stand in several episodes.")
    ] = "",
    sequence: Annotated[str, typer.Option(help="As the tracker names it; may be left out.")] = "",
    shot: Annotated[str, typer.Option(help="As the tracker names it; with --project.")] = "",
    name: Annotated[str, typer.Option(help="The layout's stream, such as `bg`.")] = "",
    version: Annotated[
        int | None, typer.Option(min=1, max=9999, help="The layout's own version.")
    ] = None,
    server: Annotated[
        str,
        typer.Option(
            envvar="HAIKEI_URL",
            help="Address of the studio's pages; its token stands in $HAIKEI_TOKEN. "
            "Without one, the studio's settings on this machine are used.",
        ),
    ] = "",
    upload: Annotated[
        bool, typer.Option("--upload", help="Send the bytes: the server does not see the file.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until its backgrounds stand, or are dead.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds for which --wait waits.")] = 3600.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made.")
    ] = False,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand a layout in. The same file handed in again is answered, and not made again."""
    from haikei.client import Client, ClientError

    path = file.expanduser().absolute()
    if upload and not server:
        raise typer.BadParameter("--upload needs a server: give --server or $HAIKEI_URL.")
    show = _silent if as_json else _say
    place = {
        "project": project,
        "episode": episode,
        "sequence": sequence,
        "shot": shot,
        "name": name,
    }
    try:
        if server:
            client = Client(server)
            found = client.submit(path, **place, version=version, upload=upload, dry_run=dry_run)
            if not dry_run:
                show(found)
                if wait:
                    _say_wait(found, timeout)
                    found = _kept(found, client.wait(found.key, timeout=timeout, on_change=show))
        else:
            handing = _submit_here(path, place, version, settings, dry_run=dry_run)
            with handing as (planned, look):
                found = planned
                if not dry_run:
                    show(found)
                if wait and not dry_run:
                    _say_wait(found, timeout)
                    found = _kept(found, _wait(look, timeout, show))
    except ClientError as error:
        raise typer.Exit(_fail(error, as_json=as_json)) from None
    if as_json:
        print_json({**asdict(found), "dry_run": dry_run})
    elif dry_run:
        made = ", ".join(found.variants) or "a touch-up"
        known = "" if found.new else f"; it is known already ({found.state})"
        where = "/".join(filter(None, (found.project, found.episode, found.sequence, found.shot)))
        say(f"{found.path} would be handed in for {where}: {made}{known}.")
    if wait and found.state != "done" and not dry_run:
        raise typer.Exit(Exit.FAILED)


@contextmanager
def _submit_here(
    path: Path,
    place: dict[str, str],
    version: int | None,
    settings: Path | None,
    *,
    dry_run: bool,
) -> "Generator[tuple[Submission, Callable[[], Submission]]]":
    from haikei.client import Job, Submission
    from haikei.events import Source
    from haikei.jobs.table import JobStore
    from haikei.sources.submitting import HandedIn, Submitting, state_of

    loaded = load_settings(settings)
    with open_studio(loaded) as database:
        with Submitting(loaded, database, source=Source.COMMAND) as submitting:
            judged = submitting.judge(path, HandedIn(**place, version=version))
            new = not judged.is_known if dry_run else submitting.submit(judged)
        event, store = judged.event, JobStore(database)

        def look() -> Submission:
            jobs = store.of_event(event.key)
            return Submission(
                key=event.key,
                state="planned" if dry_run and new else state_of([job.state for job in jobs]).value,
                path=str(judged.file),
                project=event.place.project,
                episode=event.place.episode,
                sequence=event.place.sequence,
                shot=event.place.shot,
                jobs=tuple(
                    Job(
                        key=job.key,
                        kind=job.kind.value,
                        state=job.state.value,
                        step=job.step.value if job.step else "",
                        progress=round(job.progress, 3),
                        season=job.season,
                        time=job.time,
                        error=job.error,
                        error_kind=job.error_kind,
                        version=job.version_code,
                        url=job.version_url,
                    )
                    for job in jobs
                ),
                new=new,
                variants=tuple(f"{one.season} {one.time}" for one in judged.variants),
            )

        yield look(), look


def _wait(
    look: "Callable[[], Submission]", timeout: float, show: "Callable[[Submission], None]"
) -> "Submission":
    from haikei.client import StillRunning

    until, before = time.monotonic() + timeout, look()
    while not before.has_ended:
        left = until - time.monotonic()
        if left <= 0:
            raise StillRunning(
                f"{before.key} is {before.state} after {timeout:g} seconds.",
                advice="It goes on; see `haikei jobs list`.",
            )
        time.sleep(min(_LOOK, left))
        found = look()
        if found != before:
            show(found)
        before = found
    return before


def _kept(asked: "Submission", found: "Submission") -> "Submission":
    """Return what became of a file, with what was stated when it was handed in."""
    return replace(found, new=asked.new, variants=asked.variants)


def _say(found: "Submission") -> None:
    for job in found.jobs:
        what = f"{job.season} {job.time}".strip() or job.kind
        last = job.version or job.error or (f"{job.step} {job.progress:.0%}" if job.step else "")
        say(f"{found.key}  {what}: {job.state} {last}".rstrip())
    if not found.jobs:
        say(f"{found.key}  {found.state}")


def _say_wait(found: "Submission", timeout: float) -> None:
    """Say on standard error what is waited for, also to whom reads JSON."""
    if not found.has_ended:
        what = "its jobs" if not found.jobs else f"{len(found.jobs)} jobs"
        warn(
            f"Waiting for {what} to end ({found.state} now), at most {timeout:g} s. `haikei run` "
            "must be at work; Ctrl-C ends the waiting and no job."
        )


def _silent(_: "Submission") -> None:
    return


def _fail(error: "ClientError", *, as_json: bool) -> Exit:
    from haikei.client import ServerAway, StillRunning

    kind = error.kind or type(error).__name__
    print_error(kind, error.message, error.advice, as_json=as_json)
    if isinstance(error, (ServerAway, StillRunning)):
        return Exit.TRY_AGAIN
    no_way_in = error.status in {401, 403} or not (error.status or error.kind)
    return Exit.SETTINGS if no_way_in else Exit.FAILED
