"""`haikei watch`: the file-system handler."""

from haikei.cli.process import SupervisedOption, die_with, stop_on_signals
from haikei.cli.studio import SettingsOption, load_settings, open_studio
from haikei.errors import SettingsError


def watch(settings: SettingsOption = None, supervised_by: SupervisedOption = 0) -> None:
    """Watch the layout folders and hand complete layouts to the jobs, until Ctrl-C."""
    die_with(supervised_by)
    from haikei.cli.logs import configure_logs
    from haikei.watch import Watcher

    loaded = load_settings(settings)
    if not loaded.watch.folders and not loaded.watch.touch_ups:
        raise SettingsError(
            "There is no folder to watch.", advice="Add a [[watch.folders]] table to the settings."
        )
    configure_logs(loaded.log)
    stop = stop_on_signals()
    Watcher(loaded, open_studio(loaded)).run(stop)
