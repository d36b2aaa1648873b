"""`haikei review`: the process that acts on what supervisors decide."""

from contextlib import closing

from haikei.cli.process import SupervisedOption, die_with, stop_on_signals
from haikei.cli.studio import SettingsOption, load_settings, open_studio


def review(settings: SettingsOption = None, supervised_by: SupervisedOption = 0) -> None:
    """Act on statuses and Notes of versions in the tracker, and answer, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.logs import configure_logs
    from haikei.dailies import Dailies
    from haikei.notify import Notifier
    from haikei.review import Reviewer

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    stop = stop_on_signals()
    database = open_studio(loaded)
    with closing(Dailies(loaded, database)) as dailies:
        tickers = dailies.tick, Notifier(loaded, database).tick
        Reviewer(loaded, database).run(stop, tickers)
