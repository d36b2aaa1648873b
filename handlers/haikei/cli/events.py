"""`haikei events`: the event-log handler."""

from haikei.cli.process import SupervisedOption, die_with, stop_on_signals
from haikei.cli.studio import SettingsOption, load_settings, open_studio


def events(settings: SettingsOption = None, supervised_by: SupervisedOption = 0) -> None:
    """Follow the tracker's event log and hand published layouts to the jobs, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.logs import configure_logs
    from haikei.eventlog import Follower
    from haikei.storage import Storage
    from haikei.trackers import tracker_key
    from haikei.trackers.shotgrid_feed import ShotGridFeed

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    stop = stop_on_signals()
    feed = ShotGridFeed(loaded, tracker_key(loaded))
    Follower(loaded, open_studio(loaded), feed, Storage(loaded)).run(stop)
