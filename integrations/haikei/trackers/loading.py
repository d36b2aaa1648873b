"""Find the tracker adapter by name, and its key where secrets are kept."""

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from haikei.errors import SettingsError
from haikei.trackers.contract.credits import (
    CheckpointBoard,
    CreditDesk,
    KeepsCredits,
    ShowsCheckpoints,
)
from haikei.trackers.contract.playlists import KeepsPlaylists, PlaylistDesk
from haikei.trackers.contract.review import ReviewDesk, TakesReviews
from haikei.trackers.contract.tracker import TrackerAdapter

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


def load_tracker(settings: "Settings") -> TrackerAdapter:
    """
    Return the adapter that the settings name, ready for use in this thread.

    Raises:
        SettingsError: there is no such adapter, or no key.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if settings.tracker.kind not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(
            f"There is no tracker adapter {settings.tracker.kind!r}.",
            advice=f"Installed adapters: {known}.",
        )
    make = found[settings.tracker.kind].load()
    return cast("TrackerAdapter", make(settings, tracker_key(settings)))


def load_desk(settings: "Settings") -> CreditDesk:
    """
    Return the tracker's credits and hours, ready for use in this thread.

    Raises:
        SettingsError: there is no such adapter, it keeps no credits, or there is no key.
    """
    adapter = load_tracker(settings)
    if isinstance(adapter, KeepsCredits):
        return adapter.credit_desk()
    raise SettingsError(
        f"The tracker adapter {settings.tracker.kind!r} keeps neither credits nor hours.",
        advice="Use the adapter of a tracker that does; reports can be made without hours.",
    )


def load_board(settings: "Settings") -> CheckpointBoard:
    """
    Return the tracker's board for the ledger's heads; threads may share it.

    Raises:
        SettingsError: there is no such adapter, it has no board, or there is no key.
    """
    adapter = load_tracker(settings)
    if isinstance(adapter, ShowsCheckpoints):
        return adapter.checkpoint_board()
    raise SettingsError(
        f"The tracker adapter {settings.tracker.kind!r} cannot show the ledger's heads.",
        advice="Set ledger.tracker_field to false.",
    )


def load_review_desk(settings: "Settings") -> ReviewDesk:
    """
    Return what people decide in the tracker, ready for use in this thread.

    Raises:
        SettingsError: there is no such adapter, nobody reviews in it, or there is no key.
    """
    adapter = load_tracker(settings)
    if isinstance(adapter, TakesReviews):
        return adapter.review_desk()
    raise SettingsError(
        f"The tracker adapter {settings.tracker.kind!r} knows no decisions and no notes.",
        advice="Use the adapter of a tracker in which versions are reviewed.",
    )


def load_playlist_desk(settings: "Settings") -> PlaylistDesk:
    """
    Return the tracker's playlists, ready for use in this thread.

    Raises:
        SettingsError: there is no such adapter, it has no playlists, or there is no key.
    """
    adapter = load_tracker(settings)
    if isinstance(adapter, KeepsPlaylists):
        return adapter.playlist_desk()
    raise SettingsError(
        f"The tracker adapter {settings.tracker.kind!r} has no playlists.",
        advice="Set review.dailies.enabled to false.",
    )
