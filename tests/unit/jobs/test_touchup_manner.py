"""By what means a touch-up was made is declared, by whom and when, or it is not declared."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from haikei.credits import (
    BackgroundVersion,
    Person,
    SourceType,
    Statement,
    StatementKind,
    facets,
    overall_source_type,
    records,
)
from haikei.credits.records import statements
from haikei.database import reading
from haikei.errors import CreditError, TouchUpRefused
from haikei.intake.agreement import disagreements
from haikei.jobs.job import TouchUpOrder
from haikei.jobs.touchup.publish import is_undeclared
from haikei.jobs.touchup.taking_in import TakenIn, take_in
from haikei.provenance import read_marks
from haikei.reports.facts.version_lineage import touch_up_origin
from haikei.reports.facts.works import author_created, not_claimed, work_of
from support.jobs import JobStudio, make_background, paint, version_of

SAKURA = Person(id="HumanUser:21", name="Sakura Ito", name_ja="伊藤桜")
MORI = Person(id="HumanUser:30", name="Riku Mori")
SAYS = Statement(
    key="said-1",
    kind=StatementKind.HAND_PAINTED,
    project="PORT",
    sequence="",
    shot="",
    image_sha256="",
    by=MORI,
    to="",
    subject="",
    answer="yes",
    text="Nobody here uses a generative tool in touch-ups.",
    reference="",
    at=datetime(2026, 1, 2, tzinfo=UTC),
)


@pytest.fixture
def studio(tmp_path: Path) -> Generator[JobStudio]:
    one = JobStudio(tmp_path)
    make_background(one)
    yield one
    one.tools.close()
    one.database.dispose()


def take(studio: JobStudio, name: str = "mine.png", *, at: int = 20, **said: str) -> TakenIn:
    parent = version_of(studio, 1)
    file = paint(studio, parent, name, at=at)
    order = TouchUpOrder(file=file, of=parent.code, artists=(SAKURA,))
    return take_in(replace(order, **said), studio.tools)  # type: ignore[arg-type]


def declare(studio: JobStudio, statement: Statement) -> None:
    with studio.database.begin() as connection:
        statements.declare(connection, statement)


def recorded(studio: JobStudio, taken: TakenIn) -> BackgroundVersion:
    with reading(studio.database) as connection:
        found = records.background(connection, taken.background.key)
    assert found is not None
    return found


def in_c2pa(studio: JobStudio, taken: TakenIn) -> tuple[tuple[str, str], str]:
    """Return action and term of the newest step, and the term of the XMP packet."""
    marks = read_marks(taken.path, trust_pem=studio.tools.marks().trust_pem)
    action = next(step for step in marks.steps if step.title == taken.code).actions[-1]
    xmp = marks.xmp.digital_source_type.rpartition("/")[2] if marks.xmp else ""
    return (action.action, action.source_type), xmp


def test_nobody_has_said_how_a_touch_up_was_made_and_nothing_claims_it(studio: JobStudio) -> None:
    taken = take(studio)

    version = recorded(studio, taken)
    assert is_undeclared(version)
    assert overall_source_type(version.images) is SourceType.NOT_DECLARED
    assert in_c2pa(studio, taken) == (("c2pa.edited", "composite"), "composite")
    assert facets(version)[2].text.en.endswith("; not declared how it was made")
    assert facets(version)[2].text.ja.endswith("制作方法の申告なし")
    assert [one.name for one in version.final.people] == ["Sakura Ito"]
    claimed = author_created(work_of(version))
    assert claimed is None or "Sakura" not in claimed.en
    assert "The touch-up by Sakura Ito: not declared how it was made." in [
        one.en for one in not_claimed(work_of(version))
    ]
    request = studio.tracker.published[version.key]
    assert request.source_type == "notDeclared"
    assert "Not declared how it was made" in request.description
    with studio.database.begin() as connection:
        marks = read_marks(taken.path, trust_pem=studio.tools.marks().trust_pem)
        lineage = list(zip(version.ledger, version.images, strict=True))
        assert disagreements(connection, marks, lineage) == ()


def test_whoever_hands_it_in_can_say_who_declares_that_it_was_made_by_hand(
    studio: JobStudio,
) -> None:
    taken = take(studio, by_hand="HumanUser:21")

    version = recorded(studio, taken)
    (painted,) = version.final.contributions
    assert version.final.source_type is SourceType.HUMAN_EDITS
    assert "made by hand, as declared by HumanUser:21" in painted.evidence.note
    assert in_c2pa(studio, taken)[0] == ("c2pa.drawing", "humanEdits")
    assert "not declared" not in facets(version)[2].text.en
    claimed = author_created(work_of(version))
    assert claimed is not None
    assert "additions and corrections by Sakura Ito" in claimed.en


def test_a_declaration_for_the_show_holds_for_what_is_handed_in_after_it(
    studio: JobStudio,
) -> None:
    declare(studio, SAYS)

    version = recorded(studio, take(studio))

    assert version.final.source_type is SourceType.HUMAN_EDITS
    assert "as declared by HumanUser:30 (entry" in version.final.contributions[0].evidence.note


def test_a_declaration_about_one_picture_holds_for_it_alone_and_can_be_taken_back(
    studio: JobStudio,
) -> None:
    first, second = take(studio), take(studio, "other.png", at=90)
    of = first.background.final.sha256
    declare(studio, replace(SAYS, image_sha256=of))

    assert not is_undeclared(recorded(studio, first))
    assert is_undeclared(recorded(studio, second))
    origin = touch_up_origin(recorded(studio, first), first.background.final)
    assert (origin.en, origin.ja) == (
        "made by hand, declared by Riku Mori, 2026-01-02",
        "手作業（Riku Moriの申告、2026-01-02）",
    )

    later = datetime(2026, 1, 9, tzinfo=UTC)
    declare(studio, replace(SAYS, key="said-2", image_sha256=of, answer="no", at=later))

    assert is_undeclared(recorded(studio, first))


def test_a_declaration_by_nobody_known_or_a_machine_is_refused_before_a_number_is_taken(
    studio: JobStudio,
) -> None:
    for name in ("Nobody We Know", "Midjourney v7"):
        with pytest.raises(CreditError, match=name):
            take(studio, by_hand=name)

    assert take(studio).background.version == 2


def test_by_hand_and_generative_fill_exclude_each_other(studio: JobStudio) -> None:
    parent = version_of(studio, 1)
    order = TouchUpOrder(
        file=paint(studio, parent, "mine.png"),
        of=parent.code,
        artists=(SAKURA,),
        by_hand="HumanUser:21",
        used_generative_fill=True,
    )

    with pytest.raises(CreditError, match="by hand, and with generative fill"):
        take_in(order, studio.tools)


def test_by_hand_for_what_was_taken_in_undeclared_is_not_ignored(studio: JobStudio) -> None:
    take(studio)

    with pytest.raises(TouchUpRefused, match="nobody declared how it was made") as refused:
        take(studio, by_hand="HumanUser:21")

    assert "haikei credits declare hand_painted" in str(refused.value.advice)
