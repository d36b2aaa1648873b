"""
What pages and reports ask for beyond the records: published files, previews of them, logged hours.

Small pictures for pages are kept beside the job's other files, and made again where they are gone.
"""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from haikei.errors import StorageUnavailable
from haikei.images import AS_IT_IS, Look, Picture, write_review
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
            episode=row.episode,
            sequence=row.sequence,
            shot=row.shot,
            step=row.step,
            minutes=row.minutes,
            date=row.date,
        )
        for row in desk.hours(project)
    )


def name_readings(settings: Settings) -> Mapping[str, str]:
    """
    Return how the tracker's people are read in kana, by id, as its own field says.

    Raises:
        SettingsError: there is no such adapter, or no key.
        TrackerError: the tracker does not answer, or refuses.
    """
    if not settings.tracker.person_fields.name_kana:
        return {}
    tracker = load_tracker(settings)
    try:
        listed = tracker.parts.directory
        people = () if listed is None else listed.read().people
    finally:
        tracker.close()
    return {one.person.id: one.reading for one in people if one.reading}


log = structlog.get_logger()

#: The longer side of a picture on a card, in pixels.
CARD = 360
_FOLDER = "web-thumbnails"


def preview_file(state: Path, sha256: str, longest: int, look: Look = AS_IT_IS) -> Path:
    """
    Return where a published image's picture is kept; whether it is there or not.

    Args:
        state: the studio's folder; what is kept there may be deleted at any time.
        sha256: of the published file.
        longest: its longer side in pixels.
        look: how it is looked at.
    """
    seen = "" if look.is_plain else f"-{look.view.value}{look.stops:+d}"
    return state / _FOLDER / sha256[:2] / f"{sha256}-{longest}{seen}.jpg"


def write_preview(picture: Picture, file: Path, *, longest: int) -> None:
    """
    Write a picture for pages; it is complete under its name, or not there.

    Raises:
        StorageUnavailable: the disk does not take it.
    """
    # The writer chooses the format by the ending.
    unfinished = file.with_name(f".{os.getpid()}-{threading.get_ident()}-{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_review(picture, unfinished, longest=longest)
        unfinished.replace(file)
    except OSError as error:
        raise StorageUnavailable(
            f"{file} cannot be written: {error.strerror or error}.",
            advice="Check free space and permissions of the state folder.",
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def keep_card(picture: Picture, sha256: str, *, state: Path) -> None:
    """
    Make a card's picture while the whole one is at hand.

    It saves the first who looks from waiting, and nothing depends on it: where it cannot be
    written, that is only logged.
    """
    file = preview_file(state, sha256, CARD)
    try:
        if not file.is_file():
            write_preview(picture, file, longest=CARD)
    except StorageUnavailable as error:
        log.warning("preview_not_kept", file=str(file), error=str(error))
