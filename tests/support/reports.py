"""A studio with records, statements and pictures, and reports on them as files."""

import json
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from sqlalchemy import Engine

from haikei.credits import BackgroundVersion, Person, Scope, Statement, StatementKind
from haikei.credits.records.statements import declare
from haikei.database import reading
from haikei.reports import (
    Block,
    Document,
    Format,
    LoggedTime,
    ReportOptions,
    ReportSource,
    Style,
    find_report,
)
from haikei.reports.report_writing import write_report
from haikei.settings import Settings
from haikei.texts import Bilingual, Language
from support.databases import fresh_database
from support.records import PAINTER, a_background, a_chain, save_background

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDesk:
    """Writes reports of one studio into one folder."""

    folder: Path
    database: Engine
    settings: Settings

    def save(self, *told: BackgroundVersion) -> None:
        with self.database.begin() as connection:
            for one in told:
                save_background(connection, one)

    def paint(self, path: str, *, level: int = 128) -> Path:
        """Publish a small picture of one grey."""
        file = self.folder / "projects" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((72, 128, 3), level, np.uint8))
        return file

    def write(
        self,
        name: str,
        form: Format,
        *,
        scope: Scope | None = None,
        language: Language = Language.EN,
        code: str = "",
        hours: tuple[LoggedTime, ...] | None = None,
        settings: Settings | None = None,
        now: datetime = NOW,
        advise: Callable[[Bilingual], None] = lambda advice: None,
    ) -> tuple[Path, ...]:
        with reading(self.database) as connection:
            source = ReportSource(
                connection=connection,
                settings=settings or self.settings,
                scope=scope or Scope(project="akane"),
                now=now,
                find_file=self.find,
                hours=lambda: hours,
                advise=advise,
            )
            document = find_report(name).document(
                source, ReportOptions(language=language, code=code)
            )
            return write_report(document, form, self.folder / f"{name}.{form.value}", force=True)

    def text(self, name: str, form: Format = Format.HTML, **options: Any) -> str:
        """Return a report as the text of its one file."""
        (file,) = self.write(name, form, **options)
        return file.read_text(encoding="utf-8-sig")

    def json(self, name: str, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(name, Format.JSON, **options))
        return found

    def find(self, path: str) -> Path | None:
        file = self.folder / "projects" / path
        return file if file.is_file() else None


@contextmanager
def report_desk(folder: Path) -> Generator[ReportDesk]:
    """Open a studio without records in that folder."""
    (folder / "projects").mkdir()
    database = fresh_database(folder / "state" / "haikei.db")
    settings = Settings.model_validate(
        {
            "studio": {"name": "Test Studio", "state": str(folder / "state")},
            "storage": {"roots": [{"name": "primary", "path": str(folder / "projects")}]},
        }
    )
    yield ReportDesk(folder=folder, database=database, settings=settings)
    database.dispose()


def a_document(
    *blocks: Block,
    language: Language = Language.EN,
    title: str = "Test",
    rows: Iterable[Block] = (),
    style: Style = Style.REPORT,
) -> Document:
    return Document(
        name="test",
        title=Bilingual(title, "試験"),
        language=language,
        scope="akane",
        studio="Test Studio",
        made_at=NOW,
        style=style,
        blocks=blocks or rows,
    )


def pages_of(pdf: Path) -> int:
    """Return how many pages a PDF has."""
    return len(pypdfium2.PdfDocument(pdf))


def filled(pdf: Path) -> list[float]:
    """Return how far down each page of a PDF has ink, of the height between its margins."""
    shares: list[float] = []
    for page in pypdfium2.PdfDocument(pdf):
        seen = np.asarray(page.render(scale=1).to_pil().convert("L"))
        height = seen.shape[0]
        body = seen[int(0.06 * height) : int(0.93 * height)]
        rows = np.flatnonzero((body < 200).any(axis=1))
        shares.append(float(rows[-1] + 1) / body.shape[0] if rows.size else 0.0)
    return shares


#: Reports of more than one page, whose last one may be nearly empty.
PAGED = ("ai-use", "article-50", "breakdown", "credits-roll", "dashboard", "no-ai", "union-log")


def filled_pages(desk: ReportDesk, name: str, *, cuts: int) -> list[float]:
    """
    Return how full the pages of that report are, on a show of so many cuts.

    Some have a part by hand and some no trained model, so that each list has rows or none.
    """
    for number in range(cuts):
        stem = f"c{number:03}"
        images = a_chain(stem, system=PAINTER) if number % 3 == 1 else a_chain(stem)
        desk.save(a_background(stem, images=images))
    (file, *_) = desk.write(name, Format.PDF)
    return filled(file)


def rows_of(report: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the rows of the tables of that key, of a report in JSON."""
    return [
        row
        for block in report["blocks"]
        if block["type"] == "table" and block["key"] == key
        for row in block["rows"]
    ]


LEGAL = Person(id="HumanUser:90", name="Rika Legal", name_ja="法務里香")
BEFORE = datetime(2026, 10, 20, tzinfo=UTC)
AFTER = datetime(2026, 11, 20, tzinfo=UTC)


def declare_statement(
    desk: ReportDesk,
    kind: StatementKind,
    *,
    answer: str = "",
    text: str = "As agreed.",
    sequence: str = "",
    shot: str = "",
    image_sha256: str = "",
    subject: str = "",
    to: str = "",
    reference: str = "",
    by: Person = LEGAL,
    at: datetime = BEFORE,
) -> int:
    """Declare something about the show and return its ledger entry."""
    told = (kind.value, image_sha256[:12], answer, text, sequence, shot, subject, at.isoformat())
    with desk.database.begin() as connection:
        return declare(
            connection,
            Statement(
                key="/".join(told)[:160],
                kind=kind,
                project="akane",
                sequence=sequence,
                shot=shot,
                image_sha256=image_sha256,
                by=by,
                to=to,
                subject=subject,
                answer=answer,
                text=text,
                reference=reference,
                at=at,
            ),
        )
