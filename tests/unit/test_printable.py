"""No sign in a text hides, reorders or erases others, wherever the text leaves."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pypdfium2  # type: ignore[import-untyped]
import pytest
import structlog
from sqlalchemy import select

from haikei.cli.output import print_json, print_table, say
from haikei.cli.startup import configure_logs
from haikei.credits import Person, printed_person
from haikei.database import hook_deliveries, notices, reading, utc_now
from haikei.errors import LayoutChanged
from haikei.images import write_picture
from haikei.notify.channel import compose
from haikei.notify.hooks import gather
from haikei.notify.notice import Notice, NoticeKind
from haikei.printable import escaped, printable
from haikei.provenance import MarkSigner, mark, read_marks
from haikei.reports import Format
from haikei.reports.document.blocks import Column, Document, Paragraph, Table
from haikei.reports.report_writing import write_report
from haikei.settings import Log
from haikei.show import StoredFile
from haikei.texts import Bilingual, Language
from haikei.trackers import PublishedImage, ReplyWrite
from haikei.web.api.schemas import refused_for
from haikei.web.context import changes_since
from haikei.web.pages.rendering import Renderer
from support.jobs import (
    JobStudio,
    announce_touch_up,
    another_drawing,
    make_background,
    studio_settings,
    touch_up_event,
)
from support.signing import DREW, contribution, mark_request, signing_settings, write_noise

#: Reads `Yuki Tanaka` in a program that obeys U+202E.
SPOOFED = "\u202eakanaT ikuY\u202c"
HIDDEN = "Yuki\u200b\u2066 Tanaka\u2069\x1b[2K"


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (SPOOFED, "akanaT ikuY"),
        (HIDDEN, "Yuki Tanaka[2K"),
        ("Yuki\u2028Tanaka\rX", "Yuki Tanaka X"),
        ("a\tb\r\nc\n", "a\tb\r\nc\n"),
        ("\U000e0041\ufeffYuki", "Yuki"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("نمی\u200cدانم", "نمی\u200cدانم"),
        ("क्\u200dष", "क्\u200dष"),
        ("田\u200d中", "田中"),
        ("Yu\u200dki", "Yuki"),
    ],
)
def test_signs_that_act_are_taken_out_and_letters_stay(given: str, left: str) -> None:
    assert printable(given) == left


def test_json_keeps_the_data_and_no_sign_acts() -> None:
    text = json.dumps({"name": SPOOFED + "\U000e0041"}, ensure_ascii=False)

    assert "\\u202e" in escaped(text)
    assert json.loads(escaped(text)) == json.loads(text)
    assert printable(escaped(text)) == escaped(text)


def test_two_names_that_look_alike_are_one_name() -> None:
    spoofed = Person(id="p", name=HIDDEN.replace("\x1b[2K", ""), name_ja="佐藤\u200f葵")

    assert printed_person(spoofed).en == "Yuki Tanaka"
    assert printed_person(spoofed).ja == "佐藤葵"


@pytest.mark.parametrize("form", [Format.HTML, Format.CSV, Format.TXT, Format.JSON])
def test_reports_hold_no_such_sign(form: Format, tmp_path: Path) -> None:
    path = tmp_path / f"out.{form.value}"
    write_report(a_document(SPOOFED), form, path)
    text = path.read_text("utf-8-sig" if form is Format.CSV else "utf-8")

    assert "akanaT ikuY" in text
    assert printable(text) == text
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") is (form is Format.CSV)


def test_a_pdf_names_emoji_and_holds_no_such_sign(tmp_path: Path) -> None:
    path = tmp_path / "out.pdf"
    write_report(a_document(f"{SPOOFED} 佐藤葵 🌸👩🏽\u200d🎨 ❤\ufe0f ★"), Format.PDF, path)
    document = pypdfium2.PdfDocument(path)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    fonts = set(re.findall(rb"/BaseFont /(?:\w+\+)?([\w-]+)", path.read_bytes()))
    document.close()

    said = " ".join(text.split())
    emoji = "[cherry blossom][woman][artist palette] [heavy black heart] ★"
    assert f"akanaT ikuY 佐藤葵 {emoji}" in said
    assert not [font for font in fonts if b"moji" in font]


def test_marks_hold_no_such_sign(tmp_path: Path) -> None:
    drew = contribution(DREW.role, Person(id="HumanUser:12", name=SPOOFED, name_ja=f"葵{SPOOFED}"))
    signer = MarkSigner.from_settings(signing_settings(tmp_path))
    asked = mark_request(
        write_noise(1, tmp_path / "plain.png"),
        tmp_path / "c012.png",
        title=f"c012{SPOOFED}",
        contributions=(drew,),
        credited=(drew,),
    )
    made = mark(asked, signer)

    content = made.path.read_bytes()
    found = read_marks(made.path, trust_pem=signer.trust_pem)
    assert found.xmp is not None
    assert found.xmp.creators == ("akanaT ikuY",)
    assert found.steps[-1].title == "c012akanaT ikuY"
    assert [one.name for one in found.steps[-1].people] == ["akanaT ikuY"]
    assert "\u202e".encode() not in content


def test_commands_print_no_such_sign(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"made by {SPOOFED}", colour="red")
    print_table(("name",), [(SPOOFED,), (HIDDEN,)])
    print_json({"name": SPOOFED})

    out = capsys.readouterr().out
    assert out.count("akanaT ikuY") == 3
    assert not re.search("[\u200b\u202c\u202e\u2066\u2069]", out)


def test_pages_print_no_such_sign() -> None:
    templates = Renderer()._templates  # pyright: ignore[reportPrivateUsage]
    template = templates.from_string("<p>{{ name }}</p>{{ kept|safe }}")

    shown = template.render(name=SPOOFED + "<b>", kept=f"<i>{HIDDEN}</i>")

    assert shown == "<p>akanaT ikuY&lt;b&gt;</p><i>Yuki Tanaka[2K</i>"


def test_what_a_file_is_called_reaches_nobody_with_such_a_sign(tmp_path: Path) -> None:
    """By a Note in the tracker, mail, programs' hooks, the API, the live page and commands."""
    studio = JobStudio(tmp_path)
    tracker = make_background(studio)
    secret = {"name": "n8n", "url": "http://127.0.0.1:9/hook", "loopback": True}
    hook = studio_settings(
        tmp_path, notifications={"hooks": [secret], "hook_secret": "a-secret-of-both-sides"}
    ).notifications.hooks[0]
    gather(studio.database, hook, "Studio", utc_now())
    file = tmp_path / f"{SPOOFED}gnp.exe\u2066\u200b.png"
    write_picture(another_drawing(), file, bits=8)
    spoofed = Person(id="HumanUser:66", name=SPOOFED, name_ja=f"葵{SPOOFED}")
    announce_touch_up(studio, touch_up_event(file, artist=spoofed))
    gather(studio.database, hook, f"Studio {SPOOFED}", utc_now())

    with reading(studio.database) as connection:
        texts = connection.execute(select(notices.c.text)).scalars().all()
        bodies = connection.execute(select(hook_deliveries.c.body)).scalars().all()
    mail = compose("1", f"Studio {SPOOFED}", [a_notice(text) for text in texts])
    refused = refused_for(LayoutChanged(f"{file.name} changed.", advice=SPOOFED))
    changes = changes_since(studio.database, datetime(2026, 1, 1, tzinfo=UTC))
    live = [str(json.loads(one.data)) for one in changes]
    (note,) = tracker.desk.notes.values()
    reply = ReplyWrite(key="r", note=1, text=f"{HIDDEN}\nis the artist.")
    image = PublishedImage(
        file=StoredFile(root="primary", relative="x.png", path=file, sha256=""),
        type="x",
        name="y",
        description=HIDDEN,
    )
    studio.tools.close()
    studio.database.dispose()

    told = [note.subject, note.text, reply.text, image.description, mail.subject, mail.text]
    told += [*bodies, *live, bytes(refused.answer().body).decode()]
    assert bodies
    assert sum("gnp.exe" in one for one in told) >= 4
    assert [one for one in told if printable(one) != one] == []


def a_notice(text: str) -> Notice:
    return Notice(key="1", kind=NoticeKind.TOUCH_UP, text=text, url="")


def a_document(name: str) -> Document:
    column = Column(key="name", title=Bilingual("Name", "氏名"))
    return Document(
        name="test",
        title="Test",
        language=Language.EN,
        scope=f"show {name}",
        studio="Test Studio",
        made_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
        blocks=(Paragraph(name), Table(key="names", columns=(column,), rows=((name,),))),
    )


def _lose() -> None:
    raise LayoutChanged(f"{HIDDEN} went away.")


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("library", ["ours", "another"])
def test_a_log_line_holds_no_such_sign(
    form: Literal["json", "console"],
    library: str,
    capsys: pytest.CaptureFixture[str],
    restored_logs: None,
) -> None:
    configure_logs(Log(format=form))
    try:
        _lose()
    except LayoutChanged:
        if library == "ours":
            structlog.get_logger().error("layout_lost", file=SPOOFED, paths=[HIDDEN], exc_info=True)
        else:
            logging.getLogger("watchdog").exception(SPOOFED)
    written = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)

    assert "akanaT ikuY" in written
    assert "went away" in written
    assert re.search("[\u200b\u202a-\u202e\u2066-\u2069\x1b]", written) is None


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Put the logs' configuration back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)
    root.handlers[:] = handlers
    root.setLevel(level)


#: One of each kind, among them those that Unicode counts as printable.
_ACTING = (
    "\x07\x7f\x85\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b"
    "\u2028\u202e\u2060\u3164\ufeff\uffa0\ufff9\U000e0041"
)


@pytest.mark.parametrize("sign", _ACTING)
def test_a_sign_that_acts_is_found_in_whatever_company(sign: str) -> None:
    for around in ("Yuki\n", "ゆき\n", "é "):
        assert sign not in printable(f"{around}{sign}{around}")
        kept = json.dumps(f"{around}{sign}", ensure_ascii=False)
        assert sign not in escaped(kept)
        assert json.loads(escaped(kept)) == f"{around}{sign}"
