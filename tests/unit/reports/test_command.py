"""`haikei report` writes what is asked for, where it is asked for, and says what became of it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from haikei.cli.app import app
from haikei.errors import CreditError, HaikeiError, ReportError
from haikei.reports import reports
from support.records import a_background, a_chain, a_layout
from support.reports import ReportDesk


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
    listed = json.loads(call("list", "--json").stdout)

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


def test_a_file_without_a_name_is_named_after_the_report_and_its_scope(desk: ReportDesk) -> None:
    desk.save(a_background())

    done = call(
        *("credits-roll", "--project", "akane", "--sequence", "ep01", "--no-tracker", "--json"),
        *("--format", "csv", "--language", "ja"),
    )

    assert json.loads(done.stdout)["files"] == ["credits-roll-akane-ep01.csv"]


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
