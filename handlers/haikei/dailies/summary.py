"""The summary Note and the contact sheets of a day, in English and Japanese."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from haikei.credits import BackgroundVersion, ReviewState
from haikei.database import backgrounds, jobs, review_notes
from haikei.images import SheetRow, write_sheet
from haikei.jobs import JobKind, JobState, order_of, published_files
from haikei.jobs.touchup import open_questions
from haikei.review.notes import NoteState
from haikei.settings import Settings
from haikei.texts import REVIEW_STATES, variant_text

#: Lines of one list that are written out.
LISTED = 40
#: Jobs that carry out an order: neither paint-overs nor refused files.
_GENERATED = (jobs.c.kind == JobKind.BACKGROUND.value) & (jobs.c.order_json != "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a day came to."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLinks:
    """Where a person looks further."""

    playlist: str
    pages: str  #: Haikei's own; empty when nobody but this machine reaches them


def summarize(
    connection: Connection,
    project: str,
    name: str,
    versions: Sequence[BackgroundVersion],
    links: DayLinks,
) -> Summary:
    """
    Return the summary of a day.

    Args:
        connection: to the studio's database.
        project: the show.
        name: the playlist's.
        versions: what the day showed, in cut order.
        links: where to look further.
    """
    states = Counter(version.state for version in versions)
    retakes = _retakes(connection, [version.key for version in versions])
    lines = [
        f"{str(text).capitalize()}: {states[ReviewState(state)]}"
        for state, text in REVIEW_STATES.items()
        if states[ReviewState(state)]
    ]
    lines += ["", "New versions (新しいバージョン):"]
    lines += _listed([_line(version, retakes) for version in versions])
    if making := _being_made(connection, project):
        lines += ["", f"Retakes being made (作成中のリテイク): {making}"]
    if questions := _questions(connection, project):
        lines += ["", "A person must decide (ご判断ください):", *_listed(questions)]
    if asked := open_questions(connection, project):
        told = [f"- {one.text} {one.url}".rstrip() for one in asked]
        lines += ["", "Touch-ups that wait for an answer (加筆元をご確認ください):"]
        lines += _listed(told)
    lines += ["", f"Playlist: {links.playlist}"]
    if links.pages:
        lines.append(f"Haikei: {links.pages}")
    count = len(versions)
    return Summary(
        subject=f"{name}: {count} new version{'' if count == 1 else 's'}", text="\n".join(lines)
    )


def _line(version: BackgroundVersion, retakes: Mapping[str, str]) -> str:
    retake = f", retake of (リテイク元) {retakes[version.key]}" if version.key in retakes else ""
    return f"- {version.code}{retake} {version.url}".rstrip()


def _listed(lines: Sequence[str]) -> list[str]:
    if len(lines) <= LISTED:
        return list(lines)
    return [*lines[:LISTED], f"and {len(lines) - LISTED} more"]


def _retakes(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return the names of the versions that retakes were made of, by the retakes' keys."""
    rows = connection.execute(
        select(jobs.c.key, jobs.c.order_json).where(jobs.c.key.in_(keys), _GENERATED)
    )
    orders = {row.key: order_of(row.order_json).retake for row in rows}
    return {key: order.parent_version_code for key, order in orders.items() if order is not None}


def _being_made(connection: Connection, project: str) -> int:
    unfinished = [JobState.WAITING.value, JobState.RUNNING.value]
    query = select(jobs.c.order_json).where(
        jobs.c.project == project, jobs.c.state.in_(unfinished), _GENERATED
    )
    return sum(order_of(text).retake is not None for text in connection.execute(query).scalars())


def _questions(connection: Connection, project: str) -> list[str]:
    """Return the versions that are not decided and on which a person was asked something."""
    open_states = (ReviewState.IN_REVIEW, ReviewState.RETAKE, ReviewState.ON_HOLD)
    version = backgrounds.c
    query = (
        select(version.code, func.max(version.url).label("url"))
        .join(review_notes, review_notes.c.background_key == version.key)
        .where(
            version.project == project,
            version.state.in_([state.value for state in open_states]),
            review_notes.c.state == NoteState.ASKED.value,
        )
        .group_by(version.code)
        .order_by(version.code)
    )
    return [f"- {row.code} {row.url}".rstrip() for row in connection.execute(query)]


COLUMNS, LINES, CELL_WIDTH = 3, 8, 320


def write_sheets(
    settings: Settings, versions: Sequence[BackgroundVersion], day: str, folder: Path
) -> Iterator[Path]:
    """
    Write as many JPEG sheets as the versions need, one at a time.

    Args:
        settings: where published files stand.
        versions: in the order in which they are watched.
        day: names the files.
        folder: where to.

    Raises:
        StorageUnavailable: the disk does not take a sheet.
    """
    find = published_files(settings)
    root = settings.storage.roots[0].path
    size = COLUMNS * LINES
    for start in range(0, len(versions), size):
        rows = [
            SheetRow(
                title=version.code,
                caption=f"{variant_text(version.season, version.time).en} · "
                f"{REVIEW_STATES[version.state].en}",
                pictures=tuple(
                    find(image.path) or root / image.path
                    for image in (version.images[0], version.final)
                ),
            )
            for version in versions[start : start + size]
        ]
        number = f" {start // size + 1}" if len(versions) > size else ""
        path = folder / f"Contact sheet {day}{number}.jpg"
        write_sheet(rows, path, columns=min(COLUMNS, len(rows)), cell_width=CELL_WIDTH)
        yield path
