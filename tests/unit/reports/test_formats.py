"""One document in every format: safe, whole and in both languages."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from haikei.errors import ReportError
from haikei.reports import (
    Align,
    Badge,
    Block,
    Bullets,
    Card,
    Cell,
    Chart,
    Column,
    Document,
    Fact,
    Facts,
    Figure,
    Format,
    Heading,
    Lines,
    Link,
    Notice,
    PageBreak,
    Paragraph,
    Picture,
    RollPart,
    Strip,
    Style,
    Table,
    Tone,
)
from haikei.reports.document.embedding import Bar, bars, columns
from haikei.reports.formats.pdf import lay_out, write_pdf
from haikei.reports.report_writing import write_report
from haikei.texts import Bilingual, Language, in_language
from support.reports import NOW, PAGED, ReportDesk, a_document, filled_pages, pages_of

EVIL = '<script>alert("x")</script>'


def written(document: Document, form: Format, folder: Path) -> str:
    (file,) = write_report(document, form, folder / f"out.{form.value}")
    return file.read_bytes().decode("utf-8")


def a_table(*rows: tuple[Cell, ...], key: str = "cuts", printed: bool = True) -> Table:
    return Table(
        key=key,
        columns=(
            Column(key="cut", title=Bilingual("Cut", "カット"), linked=True),
            Column(key="count", title=Bilingual("Count", "数"), align=Align.END),
        ),
        rows=rows,
        printed=printed,
    )


def every_block() -> tuple[Block, ...]:
    words = Bilingual("English words", "日本語の言葉")
    picture = Picture(source=None, expected="show/missing.png", caption=words, lines=(words,))
    return (
        Heading(words),
        Heading(words, 3, "place"),
        Paragraph(words),
        Bullets((words,)),
        Facts((Fact("a", words, words),)),
        Notice(words, Tone.ALERT),
        a_table(
            (Link(words, "https://studio.example/1"), 3), (Lines((words, None)), Figure(4, "4"))
        ),
        picture,
        Strip(pictures=(picture, picture)),
        Chart(svg=bars([Bar(label="x", value=1)], title="t"), title=words),
        RollPart(key="genzu", role=words, names=(words,)),
        Card(name="c001", title=words, pictures=(picture,)),
        PageBreak(),
        a_table((Badge(words), None)),
    )


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_holds_every_kind_of_block_and_closes_every_tag(tmp_path: Path) -> None:
    page = written(a_document(*every_block(), language=Language.BOTH), Format.HTML, tmp_path)

    tags = Tags(page)

    assert not tags.open
    assert {"h2", "h3", "ul", "dl", "table", "figure", "svg", "section"} <= {
        tag for tag, _ in tags.found
    }


def test_a_page_runs_nothing_and_loads_nothing(tmp_path: Path) -> None:
    page = written(a_document(*every_block()), Format.HTML, tmp_path)

    tags = Tags(page)

    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in tags.found}
    for _, attributes in tags.found:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("src") or "data:").startswith("data:")
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_the_policy_of_a_page_allows_exactly_its_own_styles(tmp_path: Path) -> None:
    import base64
    import hashlib

    page = written(a_document(), Format.HTML, tmp_path)
    styles = re.search(r"<style>(.*?)</style>", page, re.DOTALL)

    assert styles is not None
    digest = base64.b64encode(hashlib.sha256(styles[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page


@pytest.mark.parametrize(
    "block",
    [
        Paragraph(EVIL),
        Heading(EVIL, 2, EVIL),
        Notice(EVIL),
        Bullets((EVIL,)),
        Facts((Fact("a", EVIL, EVIL),)),
        a_table((Link(EVIL, f"https://x.example/{EVIL}"), Badge(EVIL))),
        Picture(source=None, expected=EVIL, caption=EVIL, lines=(EVIL,)),
        RollPart(key="a", role=EVIL, names=(EVIL,), notes=(EVIL,)),
        Card(name=EVIL, title=EVIL, subtitle=EVIL, pictures=(), lines=(EVIL,)),
        Chart(
            svg=bars([Bar(label=EVIL, value=1, shown=EVIL)], title=EVIL)
            + columns([Bar(label=EVIL, value=1)], title=EVIL, x_label=EVIL, y_label=EVIL),
            title=EVIL,
            note=EVIL,
        ),
    ],
)
def test_text_from_records_is_never_markup(block: Block, tmp_path: Path) -> None:
    page = written(a_document(block, title=EVIL), Format.HTML, tmp_path)

    assert "<script" not in page
    assert "&lt;script" in page


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd", ""],
)
def test_a_link_that_leads_nowhere_good_is_only_text(target: str, tmp_path: Path) -> None:
    page = written(a_document(a_table((Link("c001", target), 1))), Format.HTML, tmp_path)

    assert "c001" in page
    assert "<a " not in page


@pytest.mark.parametrize(
    "first", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "\uff20SUM(A1)"]
)
def test_a_spreadsheet_never_takes_a_name_for_a_formula(first: str, tmp_path: Path) -> None:
    rows = ((Link(first, first), first), (Lines((first,)), Bilingual(first, first)))

    text = written(a_document(a_table(*rows)), Format.CSV, tmp_path)

    cells = [cell for row in csv.reader(text.removeprefix("\ufeff").splitlines()) for cell in row]
    assert not any(cell.startswith(first) for cell in cells)


def test_numbers_stay_numbers_in_csv(tmp_path: Path) -> None:
    text = written(
        a_document(a_table(("c001", -3), ("c002", Figure(-4, "minus 4")))), Format.CSV, tmp_path
    )

    assert [row[2] for row in csv.reader(text.splitlines())] == ["count", "-3", "-4"]


def test_csv_is_quoted_as_other_programs_write_and_read_it(tmp_path: Path) -> None:
    hard = ("a,b", 'say "x"', "two\nlines", "two\r\nlines", " blank ", "", "'", ";", "日本語、,")
    rows: list[tuple[Cell, ...]] = [*((one, one.upper()) for one in hard), (None, 7)]
    columns_ = (Column(key="a", title="A"), Column(key="b", title="B"))
    table = Table(key="t", columns=columns_, rows=rows)
    expected = io.StringIO(newline="")
    csv.writer(expected).writerows([("a", "b"), *rows])

    text = written(a_document(table), Format.CSV, tmp_path)
    assert text.removeprefix("\ufeff") == expected.getvalue()


def test_a_row_of_one_empty_cell_is_no_empty_line_in_csv(tmp_path: Path) -> None:
    table = Table(key="t", columns=(Column(key="a", title="A"),), rows=[("",), ("x",)])

    text = written(a_document(table), Format.CSV, tmp_path)
    assert text.removeprefix("\ufeff") == 'a\r\n""\r\nx\r\n'


def test_csv_has_the_link_of_a_linked_column_beside_it(tmp_path: Path) -> None:
    text = written(
        a_document(a_table((Link("c001", "https://studio.example/1"), 1))), Format.CSV, tmp_path
    )

    head, row = csv.reader(text.removeprefix("\ufeff").splitlines())
    assert head == ["cut", "cut_link", "count"]
    assert row == ["c001", "https://studio.example/1", "1"]


def test_tables_of_one_key_are_one_in_csv_and_others_are_left_out(tmp_path: Path) -> None:
    document = a_document(
        a_table(("c001", 1)), a_table(("x", 9), key="other"), a_table(("c002", 2))
    )

    text = written(document, Format.CSV, tmp_path)

    assert [row[0] for row in csv.reader(text.removeprefix("\ufeff").splitlines())] == [
        "cut",
        "c001",
        "c002",
    ]


def test_a_document_without_a_table_is_refused_as_csv_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no table"):
        write_report(a_document(Paragraph("words")), Format.CSV, tmp_path / "out.csv")

    assert not list(tmp_path.iterdir())


def test_json_is_one_document_with_rows_by_the_keys_of_their_columns(tmp_path: Path) -> None:
    found: dict[str, Any] = json.loads(written(a_document(*every_block()), Format.JSON, tmp_path))

    tables = [block for block in found["blocks"] if block["type"] == "table"]
    assert found["made_at"] == "2026-11-22T06:30:00+00:00"
    assert found["title"] == {"en": "Test", "ja": "試験"}
    assert tables[0]["rows"][0] == {
        "cut": {
            "value": {"en": "English words", "ja": "日本語の言葉"},
            "link": "https://studio.example/1",
        },
        "count": 3,
    }
    assert tables[0]["rows"][1]["count"] == 4


def test_an_empty_document_is_whole_in_every_format_that_needs_no_table(tmp_path: Path) -> None:
    assert json.loads(written(a_document(), Format.JSON, tmp_path))["blocks"] == []
    assert "Test" in written(a_document(), Format.TXT, tmp_path)
    assert written(a_document(), Format.HTML, tmp_path).endswith("</html>\n")


def test_columns_of_text_line_up_where_japanese_counts_two_places(tmp_path: Path) -> None:
    text = written(
        a_document(a_table(("田中ゆき", "x"), ("Tanaka", "x")), language=Language.JA),
        Format.TXT,
        tmp_path,
    )

    first = next(line for line in text.splitlines() if line.startswith("田中ゆき"))
    second = next(line for line in text.splitlines() if line.startswith("Tanaka"))
    assert len(first) + len("田中ゆき") == len(second)


@pytest.mark.parametrize(
    ("language", "shown"),
    [(Language.EN, "Cut"), (Language.JA, "カット"), (Language.BOTH, "Cut / カット")],
)
def test_words_are_said_in_the_language_that_is_asked_for(language: Language, shown: str) -> None:
    assert in_language(Bilingual("Cut", "カット"), language) == shown


def test_words_without_one_language_fall_back_on_the_other() -> None:
    assert in_language(Bilingual("O'Brien", ""), Language.JA) == "O'Brien"
    assert in_language(Bilingual("", "田中"), Language.EN) == "田中"
    assert in_language(Bilingual("SDXL", "SDXL"), Language.BOTH) == "SDXL"


def test_a_table_for_programs_is_on_no_page(tmp_path: Path) -> None:
    document = a_document(a_table(("only-for-programs", 1), printed=False))

    assert "only-for-programs" not in written(document, Format.HTML, tmp_path)


def test_a_missing_picture_is_said_with_its_path(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    document = a_document(
        Picture(source=None, expected="show/c001.png"), Picture(source=broken), language=Language.JA
    )

    page = written(document, Format.HTML, tmp_path)

    assert "画像が見つかりません" in page
    assert "show/c001.png" in page
    assert "画像を読み込めません" in page


@pytest.mark.parametrize("paragraphs", range(35, 45, 2))
def test_no_report_ends_in_a_nearly_empty_page(paragraphs: int) -> None:
    """One more paragraph each time, around the end of the first page."""
    blocks = [Paragraph("One line of words.")] * paragraphs

    assert not lay_out(a_document(*blocks)).ends_nearly_empty


@pytest.mark.parametrize("rows", range(19, 27))
def test_no_report_with_a_wide_table_ends_in_a_nearly_empty_page(rows: int) -> None:
    columns = tuple(Column(key=f"c{number}", title=f"Column {number}") for number in range(10))
    table = Table(key="t", columns=columns, rows=[("word",) * 10] * rows)

    assert not lay_out(a_document(Heading("Rows"), table)).ends_nearly_empty


@pytest.mark.parametrize("name", PAGED)
def test_no_page_of_a_report_is_nearly_empty(desk: ReportDesk, name: str) -> None:
    """Reports of other lengths stand among the proofs."""
    pages = filled_pages(desk, name, cuts=4)

    assert len(pages) == 1 or min(pages) >= 0.25, pages


def test_what_must_be_set_just_so_may_end_nearly_empty() -> None:
    documents = (a_document(*[Paragraph("One line of words.")] * count) for count in (34, 40))

    assert any(lay_out(one, styles="p { color: red }").ends_nearly_empty for one in documents)


def test_a_pdf_has_its_pages_and_opens_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    path = tmp_path / "out.pdf"

    write_pdf(a_document(*every_block(), language=Language.BOTH), path)

    assert path.read_bytes().startswith(b"%PDF-")
    assert pages_of(path) >= 2


def test_a_show_too_long_for_paper_is_refused_with_advice(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[Cell, ...]]:
        yield from ((f"c{number}", number) for number in range(10**9))

    endless = Table(key="cuts", columns=a_table().columns, rows=rows())

    with pytest.raises(ReportError, match="1,500 rows") as refused:
        write_report(a_document(endless), Format.PDF, tmp_path / "out.pdf")

    assert "--sequence" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_every_card_is_a_picture_of_its_own(tmp_path: Path) -> None:
    import cv2

    name = Bilingual("Maximiliana " + "Konstantinopoulou-" * 6, "田中ゆき" * 12)
    picture = Picture(source=None, expected="show/c001.png", caption="Layout", lines=(name, name))
    cards = tuple(
        Card(name=f"c00{number}", title="Cut", pictures=(picture,) * number, lines=(name,))
        for number in (1, 4, 7)
    )

    files = write_report(
        a_document(*cards, style=Style.CARD, language=Language.BOTH),
        Format.PNG,
        tmp_path / "cards.png",
    )

    assert [file.name for file in files] == ["cards-c001.png", "cards-c004.png", "cards-c007.png"]
    image = cv2.imread(str(files[0]))
    assert image is not None
    assert image.shape == (1080, 1920, 3)


def test_a_card_with_more_than_a_picture_holds_is_refused_and_never_cut_off(tmp_path: Path) -> None:
    picture = Picture(source=None, expected="show/c001.png", lines=("Yuki Tanaka",) * 400)
    card = Card(name="c001", title="Cut", pictures=(picture,))

    with pytest.raises(ReportError, match="c001 has more to say"):
        write_report(a_document(card, style=Style.CARD), Format.PNG, tmp_path / "card.png")

    assert not list(tmp_path.iterdir())


def test_a_moment_is_in_universal_time(tmp_path: Path) -> None:
    document = a_document(a_table(("c001", NOW)))

    assert "2026-11-22 06:30 UTC" in written(document, Format.HTML, tmp_path)
    assert "2026-11-22T06:30:00+00:00" in written(document, Format.CSV, tmp_path)


@pytest.mark.parametrize("form", [Format.CSV, Format.HTML])
def test_a_cell_that_many_rows_share_stands_in_each_of_them(form: Format, tmp_path: Path) -> None:
    shared = Lines((Bilingual("logged", "自動記録"), NOW))
    rows = ((Bilingual(f"row {n}.", f"行 {n}"), shared) for n in range(5_000))
    table = Table(
        key="t", columns=(Column(key="a", title="A"), Column(key="b", title="B")), rows=rows
    )
    (file,) = write_report(a_document(table), form, tmp_path / "report")
    text = file.read_text(encoding="utf-8-sig")
    assert text.count("logged") == 5_000
    assert all(f"row {n}." in text for n in range(0, 5_000, 97))
