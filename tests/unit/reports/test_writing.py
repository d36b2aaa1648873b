"""A report's file is there whole or not at all, and never in place of another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from haikei.errors import CreditError, ReportError
from haikei.reports import Block, Card, Format, Paragraph, Style
from haikei.reports.report_writing import write_report
from support.reports import a_document


def failing() -> Iterator[Block]:
    yield Paragraph("the first half")
    message = "Nobody is named."
    raise CreditError(message)


@pytest.mark.parametrize("form", [Format.HTML, Format.JSON, Format.TXT, Format.PDF])
def test_a_report_that_fails_halfway_leaves_nothing(form: Format, tmp_path: Path) -> None:
    with pytest.raises(CreditError):
        write_report(a_document(rows=failing()), form, tmp_path / f"out.{form.value}")

    assert not list(tmp_path.iterdir())


def test_a_report_that_fails_halfway_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    path.write_text("before")

    with pytest.raises(CreditError):
        write_report(a_document(rows=failing()), Format.HTML, path, force=True)

    assert path.read_text() == "before"


def test_another_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("mine")

    with pytest.raises(ReportError, match="stands already"):
        write_report(a_document(), Format.TXT, path)
    assert path.read_text() == "mine"

    write_report(a_document(), Format.TXT, path, force=True)
    assert "Test Studio" in path.read_text()


def test_a_file_that_comes_while_a_report_is_written_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"

    def blocks() -> Iterator[Block]:
        path.write_text("theirs")
        yield Paragraph("ours")

    with pytest.raises(ReportError, match="stands already"):
        write_report(a_document(rows=blocks()), Format.TXT, path)

    assert path.read_text() == "theirs"
    assert [file.name for file in tmp_path.iterdir()] == ["out.txt"]


def test_the_folder_of_a_report_is_made(tmp_path: Path) -> None:
    (file,) = write_report(a_document(), Format.HTML, tmp_path / "a" / "b" / "out.html")

    assert file.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ReportError, match="cannot be written"):
        write_report(a_document(), Format.HTML, tmp_path / "file" / "out.html")


def test_one_card_alone_takes_the_name_that_was_asked_for(tmp_path: Path) -> None:
    card = Card(name="c001", title="Cut", pictures=())

    files = write_report(a_document(card, style=Style.CARD), Format.PNG, tmp_path / "card.png")

    assert files == (tmp_path / "card.png",)


def test_a_document_without_cards_is_refused_as_pictures(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="nothing to draw"):
        write_report(a_document(), Format.PNG, tmp_path / "card.png")

    assert not list(tmp_path.iterdir())
