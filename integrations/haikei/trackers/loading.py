"""
Find the tracker adapter by name, its key where secrets are kept, and the parts that it has.

Whoever needs a part that is missing gets an error that says what follows from that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, TypeVar, cast

from haikei.checkup import Finding
from haikei.errors import SettingsError
from haikei.trackers.contract.tracker import Tracker

if TYPE_CHECKING:
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


T = TypeVar("T")


class Part(StrEnum):
    """The optional parts of a tracker, by their field in `TrackerParts`."""

    FEED = "feed"
    REVIEW = "review"
    CREDITS = "credits"
    PLAYLISTS = "playlists"
    CHECKPOINTS = "checkpoints"
    SELECTION = "selection"
    SIGN_IN = "sign_in"
    WEBHOOKS = "webhooks"
    MENU = "menu"
    DIRECTORY = "directory"
    DOORBELL = "doorbell"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lack:
    text: str
    advice: str


_LACKS = {
    Part.FEED: _Lack(
        text="has no event log that can be followed",
        advice="Set events.enabled to false, and let layouts be found by watch.folders.",
    ),
    Part.REVIEW: _Lack(
        text="knows no decisions and no notes",
        advice="Use the adapter of a tracker in which versions are reviewed.",
    ),
    Part.CREDITS: _Lack(
        text="keeps neither credits nor hours",
        advice="Use the adapter of a tracker that does; reports can be made without hours.",
    ),
    Part.PLAYLISTS: _Lack(text="has no playlists", advice="Set review.dailies.enabled to false."),
    Part.CHECKPOINTS: _Lack(
        text="cannot show the ledger's heads", advice="Set ledger.tracker_field to false."
    ),
    Part.SELECTION: _Lack(
        text="cannot be asked for rows and people",
        advice="Decide without --by, or in the tracker itself.",
    ),
    Part.SIGN_IN: _Lack(
        text="checks no passwords, so nobody can sign in",
        advice="Set web.host to 127.0.0.1, or web.enabled to false.",
    ),
    Part.WEBHOOKS: _Lack(
        text="sends no webhooks", advice="Nothing needs to be done: the event log is followed."
    ),
    Part.MENU: _Lack(
        text="has no menus for Haikei's items", advice="Use Haikei's own pages instead."
    ),
    Part.DIRECTORY: _Lack(
        text="does not list its projects and people",
        advice="Names in the settings are not checked: compare them with the tracker's yourself.",
    ),
    Part.DOORBELL: _Lack(
        text="says nothing by itself when something happens",
        advice="Nothing needs to be done: the event log is read every few seconds (events.poll).",
    ),
}


def needed(part: T | None, tracker: Tracker, name: Part) -> T:
    """
    Return a part that somebody cannot do without.

    Args:
        part: as `tracker.parts` has it.
        tracker: whose part it is.
        name: which part it is.

    Raises:
        SettingsError: the tracker does not have it; the text says what to do instead.
    """
    if part is None:
        lack = _LACKS[name]
        raise SettingsError(f"The tracker {tracker.name} {lack.text}.", advice=lack.advice)
    return part


def check_parts(tracker: Tracker, settings: "Settings") -> Iterator[Finding]:
    """Yield a finding for each part that is missing; it fails where the settings ask for it."""
    asked_for = {
        Part.FEED: settings.events.enabled,
        Part.REVIEW: True,
        Part.PLAYLISTS: settings.review.dailies.enabled,
        Part.CHECKPOINTS: settings.ledger.tracker_field,
        Part.WEBHOOKS: settings.web.webhook_token is not None,
        Part.MENU: settings.web.menu_secret is not None,
    }
    for name in Part:
        if getattr(tracker.parts, name.value) is None:
            lack = _LACKS[name]
            yield Finding(
                ok=not asked_for.get(name, False),
                subject=f"tracker part {name.value}",
                message=f"{tracker.name} {lack.text}.",
                advice=lack.advice,
            )
