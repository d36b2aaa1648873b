"""
The second half of the demonstration: paint-overs, an approval, statements, a checkpoint, reports.

Reports are the credits of each show as people and clients read them.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from haikei.credits import (
    Person,
    Scope,
    Statement,
    StatementKind,
    credit_line,
    records,
)
from haikei.credits.records import statements
from haikei.database import open_database, reading, utc_now
from haikei.decisions import Decision, ReviewState
from haikei.demo.paint_overs import PAINT_OVERS, ReviewRow, paint
from haikei.demo.studio import DemoStudio
from haikei.events import Source
from haikei.jobs.checkpointing import Checkpointing
from haikei.jobs.engine.recovery import open_locks
from haikei.jobs.job import TouchUpOrder
from haikei.jobs.page_inputs import logged_hours, published_files
from haikei.jobs.recomputing import recompute
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.taking_in import take_in
from haikei.ledger import newest_checkpoint, size
from haikei.reports import Format, ReportOptions, ReportSource, find_report, write_report
from haikei.review.deciding import Deciding
from haikei.review.decisions import Decider, ReviewVerdict
from haikei.review.reviewer import Reviewer
from haikei.settings import Settings
from haikei.texts import Language
from haikei.trackers import Part, load_tracker, needed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    report: str
    form: Format
    language: Language = Language.EN


_OF_A_SHOW = (
    _Wanted(report="credits-roll", form=Format.HTML),
    _Wanted(report="credits-roll", form=Format.PDF),
    _Wanted(report="credits-roll", form=Format.HTML, language=Language.JA),
    _Wanted(report="breakdown", form=Format.HTML),
    _Wanted(report="breakdown", form=Format.PDF),
    _Wanted(report="dashboard", form=Format.HTML),
    _Wanted(report="dashboard", form=Format.PDF),
)
_OF_AN_IMAGE = (
    _Wanted(report="image-sheet", form=Format.HTML),
    _Wanted(report="image-sheet", form=Format.PDF),
)


def write_reports(
    settings: Settings, database: Engine, folder: Path, code: str
) -> tuple[Path, ...]:
    """
    Write the reports of every show, and the sheet of one version; those of a run before go.

    Args:
        settings: the studio's.
        database: the studio's own.
        folder: where they go, a folder a show.
        code: the version that gets a sheet; empty for none.

    Raises:
        CreditError: human work has no name and no opt-out.
        ReportError: a file cannot be written.
        TrackerError: the tracker does not tell its hours.
    """
    with reading(database) as connection:
        projects = records.projects(connection)
        found = records.by_code(connection, code) if code else None
    written: list[Path] = []
    for project in projects:
        scope = Scope(project=project)
        written += _write(settings, database, scope, _OF_A_SHOW, folder / project, "")
        if found is not None and found.project == project:
            written += _write(settings, database, scope, _OF_AN_IMAGE, folder / project, code)
    return tuple(written)


def _write(
    settings: Settings,
    database: Engine,
    scope: Scope,
    wanted: tuple[_Wanted, ...],
    folder: Path,
    code: str,
) -> Iterator[Path]:
    hours = logged_hours(settings, scope.project)
    with reading(database) as connection:
        source = ReportSource(
            connection=connection,
            settings=settings,
            scope=scope,
            now=utc_now(),
            find_file=published_files(settings),
            hours=lambda: hours,
        )
        for one in wanted:
            language = "" if one.language is Language.EN else f"-{one.language.value}"
            path = folder / f"{code or one.report}{language}.{one.form.value}"
            document = find_report(one.report).document(
                source, ReportOptions(language=one.language, code=code)
            )
            yield from write_report(document, one.form, path, force=True)


#: The art director, as the tracker knows him.
DIRECTOR = "Kenji Watanabe"
_HERE = "demonstration"


def approve(settings: Settings, database: Engine, code: str, director: Person) -> bool:
    """
    Approve a version in the director's name: in the tracker, which is the truth.

    Returns:
        False when it was approved already.

    Raises:
        ReviewError: the tracker does not show the version.
        TrackerError: the tracker does not answer, or refuses.
    """
    with reading(database) as connection:
        version = records.by_code(connection, code)
    if version is None or version.state is ReviewState.APPROVED:
        return False
    tracker = load_tracker(settings)
    desk = needed(tracker.parts.review, tracker, Part.REVIEW)
    decider = Decider(login="", name=director.name, person_id=director.id)
    verdict = ReviewVerdict(decision=Decision.APPROVE, text="", by=decider)
    Deciding(settings, database, desk, source=Source.COMMAND).decide(version.key, verdict)
    # The reviewer that runs beside would do the same; whoever comes first does it.
    Reviewer(settings, database).tick()
    return True


def declare(
    database: Engine,
    projects: tuple[str, ...],
    director: Person,
    *,
    approved: str,
    model: bool,
) -> None:
    """Let the director answer for each show, and for the picture that they approved, once each."""
    with database.begin() as connection:
        seen = records.by_code(connection, approved) if approved else None
        for project in projects:
            answers = [(*one, "") for one in _answers(model=model)]
            if seen is not None and seen.project == project:
                answers.append((*_DRAWN, seen.final.sha256))
            for kind, answer, text, picture in answers:
                key = f"{_HERE}/{project}/{kind.value}{'/' * bool(picture)}{picture}"
                if any(
                    one.key == key for one in statements.statements(connection, project=project)
                ):
                    continue
                statements.declare(
                    connection,
                    Statement(
                        key=key,
                        kind=kind,
                        project=project,
                        sequence="",
                        shot="",
                        image_sha256=picture,
                        by=director,
                        to="",
                        subject="",
                        answer=answer,
                        text=text,
                        reference=_HERE,
                        at=utc_now(),
                    ),
                )


#: What the director says of the one picture that they looked at.
_DRAWN = (
    StatementKind.DEEPFAKE_ASSESSMENT,
    "no",
    "A drawn place that nobody would take for a photograph of a real one.",
)


def _answers(*, model: bool) -> tuple[tuple[StatementKind, str, str], ...]:
    if model:
        used = "A trained model takes painted backgrounds on; people draw the layouts and finish."
        return ((StatementKind.INTENDED_USE, "yes", used),)
    none = "Layouts and touch-ups are drawn by people; the painter is an algorithm without a model."
    return ((StatementKind.NO_AI, "yes", none),)


Tell = Callable[[str], None]
#: Strokes of our own code stand in for those of a hand.
_TOOL = "Haikei's demonstration brushes 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedRow:
    """One background that an artist painted over, in review."""

    code: str
    first: str  #: the code of the cut's first version
    credit_en: str
    credit_ja: str
    url: str
    picture: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """What the shows' credits are in the end."""

    touched: tuple[TouchedRow, ...]  #: in the order in which artists painted
    approved: str  #: the code of the version that was approved
    entries: int  #: of the ledger
    reports: tuple[Path, ...]


def credit(
    settings: Settings,
    studio: DemoStudio,
    rows: Sequence[ReviewRow],
    *,
    stop: threading.Event,
    tell: Tell,
) -> Credited:
    """
    Let artists paint over some backgrounds, approve one, seal the ledger and write the reports.

    Done again it adds nothing; only the reports are written anew.

    Raises:
        HaikeiError: a file, the tracker, the ledger or a report is not as needed.
    """
    database = open_database(settings.database_url)
    tools = Tools(settings, database, stop)
    try:
        touched = _paint_over(tools, studio, rows, stop=stop, tell=tell)
        approved = touched[-1].code if touched else ""
        tracker = load_tracker(settings)
        desk = needed(tracker.parts.credits, tracker, Part.CREDITS)
        director = desk.people([DIRECTOR])[DIRECTOR]
        with reading(database) as connection:
            projects = records.projects(connection)
        if approved and approve(settings, database, approved, director):
            tell(f"{director.name} approves {approved}")
        declare(database, projects, director, approved=approved, model=bool(settings.models))
        for project in projects:
            recompute(database, desk, Scope(project=project, latest=False))
        entries = _seal(settings, database, tell)
        tell("Reports are being written")
        reports = write_reports(settings, database, studio.reports, approved)
    finally:
        tools.close()
        database.dispose()
    return Credited(touched=touched, approved=approved, entries=entries, reports=reports)


def _paint_over(
    tools: Tools,
    studio: DemoStudio,
    rows: Sequence[ReviewRow],
    *,
    stop: threading.Event,
    tell: Tell,
) -> tuple[TouchedRow, ...]:
    standing = _standing(tools.database, rows)
    first = {cut: code for cut, (code, _) in standing.items()}
    touched: list[TouchedRow] = []
    for over in PAINT_OVERS:
        if stop.is_set() or over.cut not in standing:
            continue
        code, background = standing[over.cut]
        name = over.artist.replace(" ", "_").lower()
        file = studio.artists / f"{code}_{name}.png"
        if not file.exists():
            paint(over, background, file)
        taken = take_in(TouchUpOrder(file=file, of=code, artists=(over.artist,), tool=_TOOL), tools)
        share = taken.change.area_ppm / 10_000
        tell(f"{over.artist} painted over {share:.1f} % of {code}: it is {taken.code} now")
        standing[over.cut] = (taken.code, taken.path)
        line = credit_line(taken.background.images)
        touched.append(
            TouchedRow(
                code=taken.code,
                first=first[over.cut],
                credit_en=line.en,
                credit_ja=line.ja,
                url=taken.background.url,
                picture=taken.path,
            )
        )
    return tuple(touched)


def _standing(
    database: Engine, rows: Sequence[ReviewRow]
) -> dict[tuple[str, str, str], tuple[str, Path]]:
    """Return each cut's first background: its code, and where it stands."""
    found: dict[tuple[str, str, str], tuple[str, Path]] = {}
    with reading(database) as connection:
        for row in rows:
            version = records.by_code(connection, row.code)
            if version is not None:
                cut = (version.project, version.sequence, version.shot)
                found[cut] = (row.code, row.lineage[-1])
    return found


def _seal(settings: Settings, database: Engine, tell: Tell) -> int:
    with reading(database) as connection:
        count = size(connection)
        newest = newest_checkpoint(connection)
    if newest is None or newest.checkpoint.size < count:
        state = settings.studio.state
        locks = open_locks(settings.database_url, state / "locks")
        try:
            made = Checkpointing(settings, database, locks).make()
        finally:
            locks.release()
        tell(f"The ledger is sealed: {made.checkpoint.size} entries")
    return count
