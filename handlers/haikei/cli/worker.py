"""`haikei worker`: a process that carries jobs out."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.process import SupervisedOption, die_with, stop_on_signals
from haikei.cli.studio import SettingsOption, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Role(StrEnum):
    """What a worker does."""

    STEPS = "steps"
    GENERATE = "generate"


def worker(
    role: Annotated[
        Role, typer.Option(help="`steps` talks to tracker and files, `generate` makes pictures.")
    ] = Role.STEPS,
    device: Annotated[
        str | None, typer.Option(help="The device on which pictures are made, such as cuda:0.")
    ] = None,
    settings: SettingsOption = None,
    supervised_by: SupervisedOption = 0,
) -> None:
    """Carry out jobs, until Ctrl-C; unfinished ones go on at the next start."""
    die_with(supervised_by)
    from haikei.cli.logs import configure_logs
    from haikei.jobs.worker import WorkerRole, run_worker

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    run_worker(
        loaded,
        role=WorkerRole(role.value),
        device=device,
        stop=stop_on_signals(),
        tell=_wake_reviewer,
    )


def _wake_reviewer(connection: "Connection", version: int) -> None:
    from haikei.events import Source
    from haikei.review import wake

    wake(connection, {version}, source=Source.WATCH)
