"""`haikei review`: the process that acts on what supervisors decide."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from haikei.cli.process import SupervisedOption, die_with, stop_on_signals
from haikei.cli.studio import SettingsOption, load_settings, open_studio

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from haikei.review.reviewer import Ticker
    from haikei.settings import Settings


def review(settings: SettingsOption = None, supervised_by: SupervisedOption = 0) -> None:
    """Act on statuses and Notes of versions in the tracker, and answer, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.logs import configure_logs
    from haikei.review import Reviewer

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    stop = stop_on_signals()
    database = open_studio(loaded)
    Reviewer(loaded, database).run(stop, _tickers(loaded, database))


def _tickers(settings: "Settings", database: "Engine") -> "Sequence[Ticker]":
    """Return what else is done now and then in this process."""
    return ()
