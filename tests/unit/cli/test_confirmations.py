"""`haikei credits ask-confirmation` sends links, and its like list and decide what comes back."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.credits import Grade, Scope, people, records
from haikei.database import reading
from haikei.settings import load
from haikei.web import make_app
from support.certificates import loopback_server
from support.databases import fresh_database
from support.records import ITO, SATO, TANAKA, a_background, save_background
from support.servers import Mailbox, mail_server
from support.web import csrf, read

SETTINGS = """
[studio]
name = "Studio Akane"
state = "state"
[web]
url = "https://haikei.test"
[storage]
[[storage.roots]]
name = "primary"
path = "projects"
[[people]]
id = "HumanUser:12"
name = "A. Sato"
mail = "sato@studio.example"
[ledger]
tracker_field = false
"""
MAIL = """
[ledger.mail]
host = "127.0.0.1"
port = {port}
sender = "haikei@studio.example"
"""
LINK = re.compile(r"https://haikei\.test(/confirm\?link=\S+)")


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    database = fresh_database(tmp_path / "state" / "haikei.db")
    with database.begin() as connection:
        save_background(connection, a_background())
    yield database
    database.dispose()


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    context, trusted = loopback_server(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with mail_server(context) as running:
        with (tmp_path / "haikei.toml").open("a", encoding="utf-8") as file:
            file.write(MAIL.format(port=running.port))
        yield running


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["credits", *arguments])


def done(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def told(*arguments: str) -> Any:
    return json.loads(done(*arguments, "--project", "akane", "--json"))


def answer(database: Engine, path: str, **more: str) -> None:
    """Open a link in a browser, and send the form."""
    made = make_app(load(Path("haikei.toml")), database)
    with TestClient(made, base_url="https://haikei.test") as browser:
        page = read(browser.get(path).text)
        hidden = {one["name"]: one["value"] for one in page.all("input", type="hidden")}
        form = {"csrf": csrf(page), "link": hidden["link"], "shown": hidden["shown"]}
        boxes = page.all("input", type="checkbox")
        named = {one["name"]: one["value"] for one in boxes if one["name"] in more}
        sent = browser.post("/confirm/answer", data=form | more | named, follow_redirects=False)
        assert sent.status_code == 303, sent.text


def link_of(person: str, output: str) -> str:
    found = LINK.search(output[output.index(person) :])
    assert found is not None
    return found[1]


def test_a_printed_link_is_answered_in_a_browser_and_the_person_is_done(studio: Engine) -> None:
    output = done("ask-confirmation", "--project", "akane")
    assert "3 people were asked" in output

    answer(studio, link_of(SATO.id, output))

    people_ = {one["id"]: one for one in told("confirmations")["people"]}
    assert people_[SATO.id]["done"] is True
    assert people_[SATO.id]["link"] == "answered"
    assert people_[TANAKA.id]["done"] is False
    assert people_[TANAKA.id]["link"] == "open"
    text = done("confirmations", "--project", "akane")
    assert "1 of 3 people have confirmed" in text
    shown = done("show", "c001_bg_summer_day_v001")
    assert "[confirmed (logged): PublishedFile created_by" in shown


def test_who_was_asked_is_asked_anew_only_by_name(studio: Engine) -> None:
    first = done("ask-confirmation", "--project", "akane")
    assert "0 people were asked" in done("ask-confirmation", "--project", "akane")
    again = done("ask-confirmation", "--project", "akane", "--person", SATO.id)
    assert link_of(SATO.id, again) != link_of(SATO.id, first)
    assert "1 open links" in done("revoke-confirmation", "--project", "akane", "--person", SATO.id)


@pytest.mark.usefixtures("studio")
def test_a_dry_run_asks_nobody() -> None:
    asked = told("ask-confirmation", "--dry-run")
    assert [one["person"] for one in asked["asked"]] == [TANAKA.id, SATO.id, ITO.id]
    assert "/confirm" not in json.dumps(asked)
    assert all(one["link"] is None for one in told("confirmations")["people"])


def test_a_mail_reaches_its_person_alone_and_no_output_holds_the_link(
    studio: Engine, mailbox: Mailbox
) -> None:
    output = done("ask-confirmation", "--project", "akane", "--person", SATO.id, "--by", "mail")
    (mail,) = mailbox.messages
    assert mail["To"] == "sato@studio.example"
    assert mailbox.protected == [True]
    text = mail.get_content()
    assert "ご確認" in text
    assert "Studio Akane" in text
    path = LINK.search(text)
    assert path is not None
    assert "/confirm" not in output

    answer(studio, path[1])
    assert SATO.id in done("confirmations", "--project", "akane")


def test_a_person_without_address_is_not_asked_and_is_named(
    studio: Engine, mailbox: Mailbox
) -> None:
    result = call("ask-confirmation", "--project", "akane", "--by", "mail")
    assert result.exit_code == 1
    assert f"not asked: {TANAKA.id}: No mail address" in result.output
    assert len(mailbox.messages) == 1
    with reading(studio) as connection:
        standing = {one.person.id: one for one in records.standings(connection, "akane")}
    question = standing[TANAKA.id].question
    assert question is not None
    assert question.revoked_at is not None


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask-confirmation", "--project", "other"), "Nothing is recorded for other"),
        (("ask-confirmation", "--project", "akane", "--person", "HumanUser:99"), "Not credited"),
        (("ask-confirmation", "--project", "akane", "--by", "mail"), "no mail server"),
        (("confirmations", "--project", "other"), "Nothing is recorded for other"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_sentence(arguments: tuple[str, ...], words: str) -> None:
    result = call(*arguments)
    assert result.exit_code != 0
    assert words in str(result.exception)


def test_not_me_is_listed_with_its_command_which_credits_somebody_else(studio: Engine) -> None:
    link = link_of(SATO.id, done("ask-confirmation", "--project", "akane"))
    answer(studio, link, **{"not-me-1": ""}, words="I was ill.")

    (wrong,) = told("confirmations")["corrections"]
    assert wrong["what"] == "not_me"
    assert wrong["commands"][0].startswith("haikei credits resolve-correction")
    entry = str(wrong["entry"])
    decided = ("--project", "akane", "--by", ITO.id, "--reason", "The schedule says so.")
    bare = call("resolve-correction", entry, *decided, "--accept", "--role", "touch_up")
    assert "says nothing about entry" in str(bare.exception)
    trial = done("resolve-correction", entry, *decided, "--accept", "--dry-run")
    assert "would be accepted" in trial
    assert SATO.name in done("show", "c001_bg_summer_day_v001")

    done("resolve-correction", entry, *decided, "--accept", "--instead", TANAKA.id)

    line = done("show", "c001_bg_summer_day_v001").splitlines()[1]
    assert SATO.name not in line
    assert "Touch-up Yuki Tanaka" in line
    assert told("confirmations")["corrections"] == []
    assert "no open correction" in str(
        call("resolve-correction", entry, *decided, "--accept").exception
    )
    result = CliRunner().invoke(app, ["ledger", "verify"])
    assert result.exit_code == 0, result.output


def test_i_also_did_is_applied_to_the_picture_that_the_production_names(studio: Engine) -> None:
    link = link_of(TANAKA.id, done("ask-confirmation", "--project", "akane"))
    answer(studio, link, also="I painted the sky.")
    (wrong,) = told("confirmations")["corrections"]
    decided = ("--project", "akane", "--by", ITO.id, "--reason", "Seen in the file.", "--accept")
    entry = str(wrong["entry"])
    assert "says in words" in str(call("resolve-correction", entry, *decided).exception)
    done(
        "resolve-correction",
        entry,
        *decided,
        "--version",
        "c001_bg_summer_day_v001",
        "--role",
        "touch_up",
    )
    with reading(studio) as connection:
        (version,) = records.backgrounds(connection, Scope(project="akane"))
    (made,) = [one for one in version.final.contributions if one.actor == TANAKA]
    assert made.grade is Grade.DECLARED


def test_a_rename_and_an_opt_out_are_applied_by_the_commands_that_are_listed(
    studio: Engine,
) -> None:
    link = link_of(SATO.id, done("ask-confirmation", "--project", "akane"))
    answer(studio, link, name="Aoi Sato", name_ja="佐藤 葵", withhold="1")
    by_what = {one["what"]: one for one in told("confirmations")["corrections"]}
    rename = by_what["name"]["commands"][0]
    assert rename == f"haikei credits rename {SATO.id} --name 'Aoi Sato' --ja '佐藤 葵'"
    done("rename", SATO.id, "--name", "Aoi Sato", "--ja", "佐藤 葵")
    done("opt-out", SATO.id, "--reference", f"ledger entry {by_what['withhold']['entry']}")
    assert told("confirmations")["corrections"] == []
    with reading(studio) as connection:
        assert people.look_up(connection, [SATO.id])[SATO.id].name == "Aoi Sato"


@pytest.mark.usefixtures("studio")
def test_who_makes_the_roll_is_told_who_has_not_confirmed() -> None:
    result = CliRunner().invoke(
        app, ["report", "credits-roll", "--project", "akane", "--no-tracker", "--out", "roll.txt"]
    )
    assert result.exit_code == 0, result.output
    assert "3 people have not confirmed their credits: HumanUser:11" in result.stderr
    assert "confirm" not in Path("roll.txt").read_text("utf-8")


def test_a_bundle_holds_what_people_answered_and_the_auditors_script_takes_it(
    studio: Engine, tmp_path: Path
) -> None:
    answer(studio, link_of(SATO.id, done("ask-confirmation", "--project", "akane")))
    for command in (
        ["ledger", "checkpoint"],
        ["ledger", "export", "--project", "akane", "--out", "akane.zip"],
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "akane.zip") as bundle:
        entries = [bundle.read(one).decode() for one in bundle.namelist() if "entries/" in one]
        (tmp_path / "verify_bundle.py").write_bytes(bundle.read("verify_bundle.py"))
        (tmp_path / "vkey.txt").write_bytes(bundle.read("vkey.txt"))
    assert any('"kind":"confirmation"' in one for one in entries)
    key = (tmp_path / "vkey.txt").read_text().strip()
    script = [sys.executable, "verify_bundle.py", "akane.zip", key]
    told = subprocess.run(script, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "BAD" not in told.stdout, told.stdout
    assert f"touch_up: {SATO.name}" in told.stdout


@pytest.mark.parametrize("decided", [(), ("--accept",), ("--decline",)])
def test_the_auditors_script_lists_nobody_as_a_maker_who_denies_it(
    studio: Engine, tmp_path: Path, decided: tuple[str, ...]
) -> None:
    link = link_of(SATO.id, done("ask-confirmation", "--project", "akane"))
    answer(studio, link, **{"not-me-1": ""})
    if decided:
        (wrong,) = told("confirmations")["corrections"]
        by = ("--project", "akane", "--by", ITO.id, "--reason", "As the schedule says.")
        done("resolve-correction", str(wrong["entry"]), *by, *decided)
    for command in (
        ["checkpoint"],
        ["export", "--project", "akane", "--out", "akane.zip"],
    ):
        result = CliRunner().invoke(app, ["ledger", *command])
        assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "akane.zip") as bundle:
        (tmp_path / "verify_bundle.py").write_bytes(bundle.read("verify_bundle.py"))
        key = bundle.read("vkey.txt").decode().strip()
    script = [sys.executable, "verify_bundle.py", "akane.zip", key]
    said = subprocess.run(script, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert said.returncode == 0, said.stdout
    assert "touch_up: denied since" in said.stdout
    assert f"touch_up: {SATO.name}" not in said.stdout
    assert f"genzu: {TANAKA.name}" in said.stdout
