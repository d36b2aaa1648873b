"""Live progress of the demonstration, one bar a cut."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from haikei.jobs.job import Job, JobState


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
        self._told: dict[str, str] = {}

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
            self._progress.console.print(line, markup=False)

    def update(self, jobs: list[Job]) -> None:
        """Show how far each job is."""
        for job in sorted(jobs, key=lambda one: one.layout):
            step = job.state.value if job.step is None else job.step.value
            shown = step if job.state is JobState.RUNNING else job.state.value
            name = f"{job.place.project} {job.place.sequence} {job.place.shot}"
            if job.key not in self._tasks:
                self._tasks[job.key] = self._progress.add_task(name, total=1.0, step="")
            self._progress.update(self._tasks[job.key], completed=job.progress, step=shown)
            if not self._console.is_terminal and self._told.get(job.key) != shown:
                self._told[job.key] = shown
                self.tell(f"{name}: {shown}")
