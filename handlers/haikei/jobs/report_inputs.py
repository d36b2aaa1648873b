"""What reports ask for beyond the records: published files, and the hours that people logged."""

from collections.abc import Callable
from pathlib import Path

from haikei.reports import LoggedTime
from haikei.settings import Settings
from haikei.trackers import load_tracker


def published_files(settings: Settings) -> Callable[[str], Path | None]:
    """Return what finds a recorded path on this machine; None where nothing stands there."""
    roots = [root.path.resolve() for root in settings.storage.roots]

    def find(path: str) -> Path | None:
        for root in roots:
            file = (root / path).resolve() if path else root
            # A record is no permission to read anything else of this machine.
            if file.is_relative_to(root) and file.is_file():
                return file
        return None

    return find


def logged_hours(settings: Settings, project: str) -> tuple[LoggedTime, ...] | None:
    """
    Return the time that was logged in a project; None when the tracker keeps none.

    Raises:
        SettingsError: there is no such adapter, or no key.
        TrackerError: the tracker does not answer, or refuses.
    """
    desk = load_tracker(settings).parts.credits
    if desk is None:
        return None
    return tuple(
        LoggedTime(
            person=row.person.id,
            sequence=row.sequence,
            shot=row.shot,
            step=row.step,
            minutes=row.minutes,
            date=row.date,
        )
        for row in desk.hours(project)
    )
