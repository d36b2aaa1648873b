"""Find the tracker adapter by name, and its key where secrets are kept."""

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from haikei.errors import SettingsError
from haikei.trackers.contract.tracker import Tracker

if TYPE_CHECKING:
    # The seam's words are used by commands that must start at once.
    from pydantic import SecretStr

    from haikei.settings import Settings

GROUP = "haikei.trackers"
KEYRING_SERVICE = "haikei"


def tracker_key(settings: "Settings") -> "SecretStr":
    """
    Return the script key: from the environment, else the key file, else the keyring.

    Raises:
        SettingsError: it is nowhere.
    """
    import keyring
    from keyring.errors import KeyringError
    from pydantic import SecretStr

    tracker = settings.tracker
    if tracker.key is not None:
        return tracker.key
    if tracker.key_file is not None:
        try:
            return SecretStr(tracker.key_file.read_text(encoding="utf-8").strip())
        except OSError as error:
            raise SettingsError(f"The key file cannot be read: {error}.") from error
    try:
        stored = keyring.get_password(KEYRING_SERVICE, f"{tracker.script}@{tracker.url.host}")
    except KeyringError:
        stored = None
    if stored:
        return SecretStr(stored)
    raise SettingsError(
        f"There is no key for the script {tracker.script!r} at {tracker.url}.",
        advice="Set HAIKEI_TRACKER__KEY, or tracker.key_file in the settings.",
    )


def load_tracker(settings: "Settings") -> Tracker:
    """
    Return the adapter that the settings name, ready for use in this thread.

    Raises:
        SettingsError: there is no such adapter, or no key where it needs one.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if settings.tracker.kind not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(
            f"There is no tracker adapter {settings.tracker.kind!r}.",
            advice=f"Installed adapters: {known}.",
        )
    make = found[settings.tracker.kind].load()
    return cast("Tracker", make(settings))
