"""
`haikei demo`: the main job on real input with nothing to set up, one progress bar a
cut.
"""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from haikei.cli.output import Commercial, Exit, JsonOption, print_json, print_table, say
from haikei.cli.startup import stop_on_signals
from haikei.demo import DemoTracker
from haikei.jobs.job import Job, JobState
from haikei.printable import printable

if TYPE_CHECKING:
    from haikei.demo.show import DemoResult


class DemoProgress:
    """Bars in a terminal, plain lines anywhere else, nothing when quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[step]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._printed: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bars as they are; what is printed next comes below them."""
        self._progress.stop()

    def tell(self, line: str) -> None:
        """Print one line above the bars."""
        if not self._quiet:
            self._progress.console.print(printable(line), markup=False)

    def update(self, jobs: list[Job]) -> None:
        """Show how far each job is."""
        for job in sorted(jobs, key=lambda one: one.layout):
            step = job.state.value if job.step is None else job.step.value
            shown = step if job.state is JobState.RUNNING else job.state.value
            name = f"{job.place.project} {job.place.sequence} {job.place.shot}"
            if job.key not in self._tasks:
                self._tasks[job.key] = self._progress.add_task(name, total=1.0, step="")
            self._progress.update(self._tasks[job.key], completed=job.progress, step=shown)
            if not self._console.is_terminal and self._printed.get(job.key) != shown:
                self._printed[job.key] = shown
                self.tell(f"{name}: {shown}")


#: Columns of the smallest terminal that is still in use.
_WIDTH = 80


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demonstration studio stands.")] = Path(
        "demo"
    ),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the embedded tracker; 0 picks one.")
    ] = 0,
    model: Annotated[
        Path | None,
        typer.Option(help="A model folder in diffusers format that takes the cuts on."),
    ] = None,
    controlnet: Annotated[
        Path | None, typer.Option(help="A ControlNet folder that follows the lines.")
    ] = None,
    model_licence: Annotated[
        str, typer.Option(help="The model's licence, when its model card says none.")
    ] = "",
    model_licence_url: Annotated[str, typer.Option(help="Where that licence can be read.")] = "",
    model_commercial: Annotated[
        Commercial | None, typer.Option(help="Whether it allows commercial use.")
    ] = None,
    model_data: Annotated[
        str, typer.Option(help="What the model was trained on, when its card does not say.")
    ] = "",
    timeout: Annotated[
        float, typer.Option(help="Seconds in which every cut must be in review.")
    ] = 900.0,
    tracker: Annotated[
        DemoTracker,
        typer.Option(help="The tracker that is started: the embedded one, or a real Kitsu."),
    ] = DemoTracker.EMBEDDED,
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop when every cut is in review.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Draw layouts, let them land, and see credited backgrounds in review minutes later."""
    from haikei.cli.startup import configure_logs
    from haikei.demo.show import DemoOptions, run_demo
    from haikei.settings import Log

    configure_logs(Log(level="warning"))
    declared = None
    if model is not None:
        from haikei.models import model_from_folder

        declared = model_from_folder(
            model,
            controlnet=controlnet,
            licence=model_licence,
            licence_url=model_licence_url,
            commercial=model_commercial.value if model_commercial else None,
            data=model_data,
        )
    stop = stop_on_signals()
    options = DemoOptions(
        folder=folder,
        port=port,
        model=declared,
        timeout=timeout,
        tracker=tracker,
    )
    with DemoProgress(quiet=as_json) as progress:

        def show(result: "DemoResult") -> None:
            progress.stop()
            _show(result, as_json=as_json, serving=not once)

        result = run_demo(
            options,
            stop=stop,
            tell=progress.tell,
            on_jobs=progress.update,
            on_result=show,
            once=once,
        )
    if result.missing:
        raise typer.Exit(Exit.FAILED)


def _show(result: "DemoResult", *, as_json: bool, serving: bool) -> None:
    if as_json:
        print_json(
            {
                "url": result.url,
                "pages": result.pages,
                "contact_sheet": result.studio.contact_sheet,
                "missing": result.missing,
                "credited": None
                if result.credited is None
                else {
                    "touch_ups": [
                        {
                            "code": row.code,
                            "first": row.first,
                            "url": row.url,
                            "credit": row.credit_en,
                            "credit_ja": row.credit_ja,
                            "picture": row.picture,
                        }
                        for row in result.credited.touched
                    ],
                    "approved": result.credited.approved,
                    "ledger_entries": result.credited.entries,
                    "reports": result.credited.reports,
                },
                "versions": [
                    {
                        "code": row.code,
                        "status": row.status,
                        "url": row.url,
                        "credit": row.credit_en,
                        "credit_ja": row.credit_ja,
                        "layout": row.layout,
                        "files": row.lineage,
                        "seconds": round(row.seconds, 1),
                    }
                    for row in result.rows
                ],
            }
        )
        return
    print_table(
        ("version", "status", "credits"),
        [(row.code, row.status, f"{row.credit_en}\n{row.credit_ja}") for row in result.rows],
        width=_WIDTH,
    )
    if result.credited is not None:
        print_table(
            ("painted over by an artist", "credits"),
            [(row.code, f"{row.credit_en}\n{row.credit_ja}") for row in result.credited.touched],
            width=_WIDTH,
        )
    for reason in result.missing:
        say(f"missing  {reason}", colour="red")
    if serving:
        say(f"Review         {result.pages}", colour="green")
        say(f"Tracker        {result.url}")
    else:
        say("Review         the pages have stopped; without --once they stay open")
    if result.credited is not None:
        say(f"Approved       {result.credited.approved}")
        say(f"Ledger         {result.credited.entries} entries, see `haikei ledger verify`")
        reports = {path.parent.parent for path in result.credited.reports}
        for folder in sorted(reports):
            say(f"Reports        {_short(folder)}")
    say(f"Contact sheet  {_short(result.studio.contact_sheet)}")
    say(f"Files          {_short(result.studio.projects)}")
    say(f"Log            {_short(result.studio.log)}")
    if serving:
        say("Open the first link. Drop another layout below the files. Ctrl-C stops it all.")


def _short(path: Path) -> Path:
    """Return a path from here where it is below, which fits a terminal of 80 columns."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
