"""The demonstration's reports: the credits of each show as people and clients read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from haikei.credits import Scope, records
from haikei.database import reading, utc_now
from haikei.jobs import logged_hours, published_files
from haikei.reports import Format, ReportOptions, ReportSource, find_report, write_report
from haikei.settings import Settings
from haikei.texts import Language


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
