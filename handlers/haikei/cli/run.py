"""`haikei run`: everything that a studio needs, in one supervised tree of processes."""

from pathlib import Path
from typing import Annotated

import typer

from haikei.cli.output import say
from haikei.cli.process import SupervisedOption, die_with, stop_on_signals
from haikei.cli.studio import SettingsOption, load_settings, open_studio


def run(
    settings: SettingsOption = None,
    *,
    log_file: Annotated[
        Path | None, typer.Option(help="Write all log lines to this file instead of the terminal.")
    ] = None,
    supervised_by: SupervisedOption = 0,
) -> None:
    """Watch, follow, generate and publish, until Ctrl-C. What dies is started again."""
    die_with(supervised_by)
    from haikei.cli.logs import configure_logs
    from haikei.processes import Supervisor, studio_processes
    from haikei.settings import settings_path

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    # Bring the schema up to date once, before several processes want to.
    open_studio(loaded).dispose()
    children = studio_processes(loaded, settings_path(settings))
    say(f"Running {', '.join(child.name for child in children)}. Ctrl-C stops everything.")
    Supervisor(children, log_file=log_file).run(stop_on_signals())
