"""`haikei report` writes what is asked for, where it is asked for, and says what became of it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.credits import Person, StatementKind
from haikei.errors import CreditError, HaikeiError, ReportError
from haikei.reports import Format, reports
from haikei.settings import Settings
from haikei.trackers import ListedPerson
from haikei.trackers.memory.tracker import MemoryTracker
from support.records import PAINTER, a_background, a_chain, a_layout, a_person, a_system
from support.reports import ReportDesk, declare_statement


@pytest.fixture(autouse=True)
def studio(desk: ReportDesk, monkeypatch: pytest.MonkeyPatch) -> Path:
    (desk.folder / "haikei.toml").write_text(
        '[studio]\nstate = "state"\n[[storage.roots]]\nname = "primary"\npath = "projects"\n'
    )
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(desk.folder)
    return desk.folder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def test_reports_are_listed_with_their_formats() -> None:
    listed = json.loads(call("list", "--json").stdout)["reports"]

    assert [one["name"] for one in listed] == [one.name for one in reports()]
    assert {"credits-roll", "breakdown", "dashboard", "image-sheet"} <= {
        one["name"] for one in listed
    }
    assert "credits-roll" in call("list").stdout


def test_the_ending_of_the_file_says_the_format(desk: ReportDesk) -> None:
    desk.save(a_background())

    done = call("credits-roll", "--project", "akane", "--no-tracker", "--out", "a/roll.txt")

    assert done.exit_code == 0, done.output
    assert "Yuki Tanaka" in (desk.folder / "a" / "roll.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("show", "sequence"),
    [("AKANÉ", "EP01"), ("akane\u0301", "Ep01"), ("ＡＫＡＮÉ", "ep０１"), ("Akané", "")],
)
def test_names_of_a_part_count_in_any_case_and_form(
    desk: ReportDesk, show: str, sequence: str
) -> None:
    desk.save(a_background(project="akané"))
    part = ("--sequence", sequence) if sequence else ()

    done = call("credits-roll", "--project", show, *part, "--no-tracker", "--out", "roll.txt")

    assert done.exit_code == 0, done.output
    assert "Yuki Tanaka" in (desk.folder / "roll.txt").read_text(encoding="utf-8")
    assert "Nothing is recorded" not in done.output


def test_a_file_without_a_name_is_named_after_the_report_and_its_scope(desk: ReportDesk) -> None:
    desk.save(a_background())

    done = call(
        *("credits-roll", "--project", "akane", "--sequence", "ep01", "--no-tracker", "--json"),
        *("--format", "csv", "--language", "ja"),
    )

    assert json.loads(done.stdout)["files"] == ["credits-roll-akane-ep01.csv"]


def test_an_end_roll_is_sorted_by_the_readings_of_names(desk: ReportDesk, studio: Path) -> None:
    artists = tuple(
        a_person(number, name=name, name_ja=ja)
        for number, name, ja in (
            (21, "Ai Wada", "和田愛"),
            (22, "Jo Blank", ""),
            (23, "Ren Abe", "阿部蓮"),
            (24, "Mio Kato", "加藤澪"),
        )
    )
    desk.save(a_background(images=(a_layout(artists=artists),)))
    with (studio / "haikei.toml").open("a", encoding="utf-8") as file:
        file.write('[credits]\npeople_file = "people.csv"\n')
    (studio / "people.csv").write_text(
        "name,name_ja,reading\nAi Wada,和田愛,わだ あい\nRen Abe,阿部蓮,アベ レン\n"
        "Mio Kato,加藤澪,かとう みお\n",
        encoding="utf-8",
    )
    line = ("credits-roll", "--project", "akane", "--no-tracker", "--by-reading", "--force")

    for form in ("csv", "json", "txt"):
        done = call(*line, "--out", f"roll.{form}")
        assert done.exit_code == 0, (done.output, done.exception)
        text = (studio / f"roll.{form}").read_text(encoding="utf-8-sig")
        places = [text.index(name) for name in ("Ren Abe", "Mio Kato", "Ai Wada", "Jo Blank")]
        assert places == sorted(places)
    assert "アベ レン" in (studio / "roll.csv").read_text(encoding="utf-8-sig")
    assert call("breakdown", *line[1:]).exit_code == 2


def test_an_end_roll_takes_readings_from_the_trackers_own_field(
    desk: ReportDesk, studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artists = (a_person(21, name="Ai Wada"), a_person(23, name="Ren Abe"), a_person(24, name="Mio"))
    desk.save(a_background(images=(a_layout(artists=artists),)))
    site = MemoryTracker(url="http://tracker.test")
    for one, kana in zip(artists, ("わだ あい", "あべ れん", ""), strict=True):
        site.directory.people[one.id] = ListedPerson(person=one, names=(), reading=kana)

    def open_site(_settings: Settings) -> MemoryTracker:
        return site

    monkeypatch.setattr("haikei.jobs.page_inputs.load_tracker", open_site)
    with (studio / "haikei.toml").open("a", encoding="utf-8") as file:
        file.write('[tracker.person_fields]\nname_kana = "sg_kana"\n')
        file.write('[[people]]\nname = "Mio"\nreading = "かとう みお"\n')

    line = ("credits-roll", "--project", "akane", "--by-reading", "--out", "roll.csv")
    done = call(*line)

    assert done.exit_code == 0, (done.output, done.exception)
    text = (studio / "roll.csv").read_text(encoding="utf-8-sig")
    assert [text.index(one) for one in ("あべ れん", "かとう みお", "わだ あい")] == sorted(
        text.index(one) for one in ("あべ れん", "かとう みお", "わだ あい")
    )
    assert call(*line, "--force", "--no-tracker").exit_code == 0
    assert "わだ" not in (studio / "roll.csv").read_text(encoding="utf-8-sig")


def test_a_file_that_stands_is_kept_without_force(desk: ReportDesk) -> None:
    desk.save(a_background())
    (desk.folder / "roll.html").write_text("mine")
    line = ("credits-roll", "--project", "akane", "--no-tracker", "--out", "roll.html")

    done = call(*line)

    assert isinstance(done.exception, ReportError)
    assert (desk.folder / "roll.html").read_text() == "mine"
    assert call(*line, "--force").exit_code == 0
    assert "Yuki Tanaka" in (desk.folder / "roll.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("nothing", "--project", "akane"), "no report 'nothing'"),
        (("credits-roll", "--project", "akane", "--format", "png"), "not written as png"),
        (("image-sheet", "--project", "akane", "--of", "c9"), "No version 'c9'"),
    ],
)
def test_what_cannot_be_is_one_clear_error(line: tuple[str, ...], words: str) -> None:
    done = call(*line, "--no-tracker")

    assert isinstance(done.exception, HaikeiError)
    assert words in str(done.exception)


def test_without_a_project_the_command_line_is_wrong() -> None:
    assert call("credits-roll").exit_code == 2


def test_unnamed_work_makes_the_command_fail_and_leaves_no_file(desk: ReportDesk) -> None:
    desk.save(a_background(images=(a_layout(artists=()),)))

    done = call("credits-roll", "--project", "akane", "--no-tracker")

    assert isinstance(done.exception, CreditError)
    assert not list(desk.folder.glob("credits-roll*"))


def test_an_unknown_project_is_told_with_those_that_are_known(desk: ReportDesk) -> None:
    desk.save(a_background())

    done = call("dashboard", "--project", "akana", "--no-tracker")

    assert "known: akane" in done.stderr


def test_a_cut_that_is_not_recorded_is_no_empty_report(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))

    done = call("dashboard", "--project", "akane", "--shot", "c0001", "--no-tracker")

    assert isinstance(done.exception, ReportError)
    assert "akane / c0001" in str(done.exception)
    assert not list(desk.folder.glob("dashboard*"))


def test_a_tracker_that_cannot_be_asked_leaves_hours_unknown(desk: ReportDesk) -> None:
    desk.save(a_background())

    done = call("dashboard", "--project", "akane")

    assert done.exit_code == 0
    assert "Hours are unknown" in done.stderr


def test_all_reports_are_written_with_an_index_that_leads_to_them(desk: ReportDesk) -> None:
    desk.save(a_background(), a_background("c002", images=a_chain("b")))

    done = call("all", "--project", "akane", "--out", "all", "--no-tracker", "--format", "html")

    assert done.exit_code == 0, done.output
    index = (desk.folder / "all" / "index.html").read_text(encoding="utf-8")
    for name in ("credits-roll", "breakdown", "dashboard"):
        assert f'href="{name}.html"' in index
        assert (desk.folder / "all" / f"{name}.html").exists()
    assert "several versions" in index  # why there is no image sheet


def test_all_reports_fail_when_credits_do_and_the_index_says_why(desk: ReportDesk) -> None:
    desk.save(a_background(images=(a_layout(artists=()),)))

    done = call("all", "--project", "akane", "--out", "all", "--no-tracker", "--format", "html")

    assert done.exit_code == 1
    index = (desk.folder / "all" / "index.html").read_text(encoding="utf-8")
    assert "No credits without names" in index
    assert 'href="dashboard.html"' in index


#: What only somebody at the studio's keyboard can use: commands, options, settings.
_FOR_THE_STUDIO = re.compile(
    r"haikei [a-z][a-z-]+|(?<![\w-])--[a-z]|`|\[\[|\[models\]|signing\.[a-z]|haikei\.toml|\$ "
)


def _text_of(file: Path) -> str:
    if file.suffix == ".pdf":
        paper = pypdfium2.PdfDocument(file)
        return "\n".join(page.get_textpage().get_text_range() for page in paper)
    return re.sub("<style>.*?</style>", "", file.read_text(encoding="utf-8-sig"), flags=re.DOTALL)


@pytest.mark.parametrize("name", [one.name for one in reports()])
def test_no_paper_holds_a_command_or_a_setting(name: str, desk: ReportDesk) -> None:
    """With everything missing that can be: statements, files, models in the settings, unions."""
    by_hand = a_chain("c003", system=PAINTER, touch_up_by=())
    broken = a_background("c001")
    bare = replace(a_system("Bare Model", "2"), licence="", data="")
    desk.save(broken, a_background("c002", images=a_chain("b", system=bare)))
    desk.save(a_background("c003", images=by_hand))
    desk.paint(broken.final.path).write_bytes(b"no picture at all")
    line = (name, "--project", "akane", "--no-tracker", "--json", "--out")
    of = ("--of", broken.code) if name == "image-sheet" else ()
    notes: list[str] = []

    (wanted,) = (one for one in reports() if one.name == name)
    for form in wanted.formats:
        if form is Format.PNG:
            continue  # the pages of the PDF
        # A PDF is the page of HTML: in one language it shows the same, in half the time.
        language = "en" if form is Format.PDF else "both"
        done = call(*line, f"paper.{form.value}", *of, "--language", language)
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        notes += [one["en"] for one in told["cover_note"]]
        found = _FOR_THE_STUDIO.search(_text_of(Path(told["files"][0])))
        assert found is None, (name, form, found)
    assert bool(notes) == (name in _WITH_A_NOTE)


#: They reorder, hide or erase what stands beside them, in one program or another.
_HIDERS = re.compile("[\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\x1b\x07]")
_HIDDEN = "\u202eevolG\u202c \u2066Nakata\u2069\u200b \x1b[2K\x07"


@pytest.mark.parametrize("name", [one.name for one in reports()])
def test_no_sign_of_a_name_or_file_hides_or_reorders_others_in_any_report(
    name: str, desk: ReportDesk, studio: Path
) -> None:
    """Records of old hold texts as they were typed: names, models, licences, paths, statements."""
    person = Person(id="HumanUser:77", name=f"A {_HIDDEN}", name_ja=f"葵{_HIDDEN}")
    system = a_system(f"Model {_HIDDEN}", f"1{_HIDDEN}")
    system = replace(system, licence=_HIDDEN, data=_HIDDEN, sha256=system.sha256)
    chain = a_chain(
        "c001", artists=(person,), system=system, operator=person, touch_up_by=(person,)
    )
    version = a_background("c001", images=chain)
    code = f"c001_{_HIDDEN}"
    desk.save(replace(version, code=code))
    desk.paint(version.final.path)
    for kind in (
        StatementKind.INTENDED_USE,
        StatementKind.CLIENT_APPROVAL,
        StatementKind.UNION_NOTICE,
    ):
        declare_statement(desk, kind, text=_HIDDEN, subject=_HIDDEN, reference=_HIDDEN, by=person)
    toml = studio / "haikei.toml"
    toml.write_text(toml.read_text().replace("[studio]", '[studio]\nname = "K \\u202eS\\u202c"'))
    line = (name, "--project", "akane", "--no-tracker", "--json", "--out")
    of = ("--of", code) if name == "image-sheet" else ()

    (wanted,) = (one for one in reports() if one.name == name)
    for form in wanted.formats:
        if form is Format.PNG:
            continue  # the pages of the PDF
        language = "en" if form is Format.PDF else "both"
        done = call(*line, f"paper.{form.value}", *of, "--language", language)
        assert done.exit_code == 0, done.output
        files = json.loads(done.stdout)["files"]
        assert _HIDERS.search(done.output) is None
        for text in map(_text_of, map(Path, files)):
            assert _HIDERS.search(text) is None, (name, form, _HIDERS.search(text))


#: Reports that ask for what people can record, or open files that are broken here.
_WITH_A_NOTE = {"ai-use", "article-50", "image-sheet", "no-ai", "union-log", "verification"}


def test_the_cover_note_is_printed_for_whoever_runs_the_report(desk: ReportDesk) -> None:
    desk.save(a_background())
    line = ("article-50", "--project", "akane", "--no-tracker")

    done = call(*line, "--out", "a.html")
    japanese = call(*line, "--out", "b.html", "--language", "ja")

    files, _, note = done.stdout.partition("Cover note, for you alone (no report holds it):")
    assert files.split() == ["a.html"]
    assert "haikei credits declare viewer_disclosure --project akane" in note
    assert "deepfake_assessment --project akane --of c001_bg_summer_day_v001" in note
    assert "Official Journal" in note
    assert "添え書き" in japanese.stdout


def test_a_report_that_misses_nothing_has_no_cover_note(desk: ReportDesk) -> None:
    desk.save(a_background())

    done = call("credits-roll", "--project", "akane", "--no-tracker", "--out", "roll.html")

    assert done.stdout.split() == ["roll.html"]


def test_the_index_of_all_reports_says_why_and_the_note_what_to_do(desk: ReportDesk) -> None:
    desk.save(a_background(images=(a_layout(artists=()),)))

    done = call("all", "--project", "akane", "--out", "all", "--no-tracker", "--format", "html")

    index = _text_of(desk.folder / "all" / "index.html")
    assert _FOR_THE_STUDIO.search(index) is None
    assert "haikei credits opt-out" in done.stdout.partition("Cover note")[2]


def test_pictures_outside_the_storage_roots_are_never_read(desk: ReportDesk) -> None:
    from haikei.cli.report_source import report_source
    from haikei.credits import Scope

    desk.paint("show/c001.png")
    (desk.folder / "secret.png").write_bytes(b"secret")
    (desk.folder / "projects" / "link.png").symlink_to(desk.folder / "secret.png")

    with report_source(None, Scope(project="akane"), ask_tracker=False) as source:
        assert source.find_file("show/c001.png") is not None
        for path in ("../secret.png", "link.png", str(desk.folder / "secret.png"), "", "show"):
            assert source.find_file(path) is None


def test_a_dash_means_standard_output_and_notes_go_beside_it(desk: ReportDesk) -> None:
    desk.save(a_background())
    asked = ("credits-roll", "--project", "akane", "--no-tracker", "--out")

    file = call(*asked, "roll.csv", "--format", "csv")
    printed = call(*asked, "-", "--format", "csv")

    assert file.exit_code == printed.exit_code == 0
    assert printed.stdout_bytes == (desk.folder / "roll.csv").read_bytes()
    assert "have not confirmed" in printed.stderr
    assert not (desk.folder / "-").exists()


def test_what_cannot_go_to_standard_output_is_said_before_anything_is_written(
    desk: ReportDesk,
) -> None:
    desk.save(a_background())
    asked = ("--project", "akane", "--no-tracker", "--out", "-")

    assert call("all", *asked).exit_code == 2
    assert call("credits-roll", *asked, "--json").exit_code == 2
    signed = call("no-ai", *asked)
    assert isinstance(signed.exception, ReportError)
    assert "signature is a file" in str(signed.exception)
    assert not list(desk.folder.glob("reports-*"))


def test_list_is_a_verb_that_ignores_nothing() -> None:
    assert call("list", "--project", "akane").exit_code == 2
    assert json.loads(call("--json", "list").stdout) == json.loads(call("list", "--json").stdout)


def test_a_report_may_be_named_after_its_options(desk: ReportDesk) -> None:
    desk.save(a_background())

    done = call("--project", "akane", "--no-tracker", "--out", "roll.txt", "credits-roll")

    assert done.exit_code == 0, done.output
    assert (desk.folder / "roll.txt").exists()
