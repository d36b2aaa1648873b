"""`haikei ledger` answers a TD in sentences, programs in JSON, and both in exit codes."""

import dataclasses
import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from typer.testing import CliRunner, Result

from haikei.cli import app, main
from haikei.credits import ImageKind
from haikei.database import people
from haikei.errors import CreditError, LedgerError
from haikei.ledger import InclusionProof, VerifierKey
from support.databases import fresh_database
from support.records import a_background, a_chain, rewrite, save_background

SETTINGS = """
[studio]
name = "Test Studio"
state = "state"
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"
[ledger]
drop = ["outside"]
tracker_field = false
"""


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("projects", "outside"):
        (tmp_path / name).mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def database(studio: Path) -> Iterator[Engine]:
    database = fresh_database(studio / "state" / "haikei.db")
    yield database
    database.dispose()


@pytest.fixture
def layout(studio: Path, database: Engine) -> Path:
    """A layout that is published and recorded, with what was made from it."""
    path = studio / "projects" / "akane" / "c001.png"
    path.parent.mkdir()
    path.write_bytes(b"drawn by hand")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    drawn, *made = a_chain("c001")
    assert drawn.kind is ImageKind.LAYOUT
    images = (dataclasses.replace(drawn, sha256=sha256, path="akane/c001.png"), *made)
    with database.begin() as connection:
        save_background(connection, a_background("c001", images=images))
    return path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["ledger", *arguments])


def test_a_ledger_is_sealed_sent_and_audited(studio: Path, layout: Path) -> None:
    made = call("checkpoint", "--json")
    assert made.exit_code == 0, made.output
    size = json.loads(made.stdout)["size"]
    assert (studio / "outside" / f"checkpoint-{size}.txt").is_file()
    assert "— test-studio/haikei " in call("checkpoint").stdout

    found = json.loads(call("verify", "--json").stdout)

    assert (found["ok"], found["entries"], found["checkpoints"]) == (True, size, 1)
    assert "The ledger is whole" in call("verify").stdout


def test_records_that_the_ledger_does_not_seal_so_fail_the_audit(
    database: Engine, layout: Path
) -> None:
    with database.begin() as connection:
        connection.execute(update(people).values(name="Somebody Else"))

    found = call("verify", "--json")

    assert found.exit_code == 1
    assert "not one that was recorded" in json.loads(found.stdout)["findings"][0]


def test_a_rewritten_ledger_is_told_in_a_sentence_and_an_exit_code(
    database: Engine,
    layout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("checkpoint").exit_code == 0
    with database.begin() as connection:
        rewrite(connection, 0, '{"type":"image"}')

    found = call("verify")
    assert found.exit_code == 1
    assert "are not those that" in found.stdout

    monkeypatch.setattr(sys, "argv", ["haikei", "ledger", "checkpoint"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "are not those that" in capsys.readouterr().err


def test_a_checkpoint_that_cannot_be_sent_says_try_again(studio: Path, layout: Path) -> None:
    (studio / "outside").rmdir()

    assert call("checkpoint").exit_code == 75


def test_an_image_is_proved_by_its_file_or_its_hash(studio: Path, layout: Path) -> None:
    key = VerifierKey.parse(call("key").stdout)
    sha256 = hashlib.sha256(layout.read_bytes()).hexdigest()

    text = call("prove", str(layout)).stdout
    written = call("prove", sha256, "--out", "proofs")

    assert written.exit_code == 0, written.output
    (record,) = (studio / "proofs").glob("*.json")
    (file,) = (studio / "proofs").glob("*.tlog-proof")
    assert file.read_text("utf-8") == text
    assert InclusionProof.parse(text).check(record.read_text("utf-8"), key).size > 0
    assert isinstance(call("prove", sha256, "--out", "proofs").exception, LedgerError)
    assert isinstance(call("prove", "0" * 64).exception, LedgerError)
    assert isinstance(call("prove", "nothing.png").exception, LedgerError)


def test_a_bundle_is_exported_and_verifies(studio: Path, layout: Path) -> None:
    done = call("export", "--image", str(layout), "--out", "bundle.zip", "--files", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["files"] == 1

    with zipfile.ZipFile("bundle.zip") as archive:
        archive.extract("verify_bundle.py")
    verified = subprocess.run(
        [sys.executable, "-I", "-S", "verify_bundle.py", "bundle.zip", call("key").stdout],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
    assert "files/akane/c001.png is a file that was sealed" in verified.stdout


def test_images_that_are_not_where_they_were_are_named(layout: Path) -> None:
    done = call("export", "--project", "akane", "--shot", "c001", "--out", "bundle.zip", "--files")

    assert done.exit_code == 1
    assert "not in it, since it is not where it was" in done.output
    assert "people by name" in done.output


def test_a_selection_must_be_clear() -> None:
    assert call("export", "--out", "bundle.zip").exit_code == 2
    assert call("export", "--out", "b.zip", "--project", "x", "--image", "y").exit_code == 2
    none = call("export", "--out", "bundle.zip", "--project", "none")
    assert isinstance(none.exception, CreditError)


@pytest.mark.parametrize(
    ("part", "near"),
    [
        (("--project", "akana"), "akane"),
        (("--project", "akane", "--shot", "c01"), "c001"),
        (("--project", "akane", "--episode", "EP01"), "none"),
    ],
)
def test_a_bundle_of_a_cut_that_is_not_there_is_not_one_of_the_show(
    layout: Path, part: tuple[str, ...], near: str
) -> None:
    wrong = call("export", *part, "--out", "bundle.zip")

    assert isinstance(wrong.exception, CreditError)
    assert f"near ones: {near}." in str(wrong.exception)
    assert not Path("bundle.zip").exists()


def test_a_bundle_is_of_the_cut_in_whatever_spelling(layout: Path) -> None:
    done = call("export", "--project", " Ａkane", "--shot", "C001", "--out", "bundle.zip", "--json")

    assert json.loads(done.stdout)["entries"] >= 1


def test_entries_are_listed_and_found(layout: Path) -> None:
    everything = json.loads(call("log", "--json").stdout)["entries"]
    found = json.loads(call("log", "--json", "--about", "akane/c001.png").stdout)["entries"]
    first = json.loads(call("log", "--json", "--start", "0", "--limit", "1").stdout)["entries"]

    assert [one["seq"] for one in everything] == list(range(len(everything)))
    assert [one["record"]["path"] for one in found] == ["akane/c001.png"]
    assert first[0]["seq"] == 0
    assert "image layout" in call("log").stdout


def test_a_copy_of_the_state_folder_can_be_restored(studio: Path, layout: Path) -> None:
    """As docs/how-to/production.md says it: .backup, keys and checkpoints, put back together."""
    state, copy = studio / "state", studio / "copy"
    call("checkpoint")
    before = json.loads(call("verify", "--json").stdout)
    copy.mkdir()
    with (
        closing(sqlite3.connect(state / "haikei.db")) as here,
        closing(sqlite3.connect(copy / "haikei.db")) as there,
    ):
        here.backup(there)
    for name in ("keys", "checkpoints"):
        shutil.copytree(state / name, copy / name)
    key = call("key").stdout

    settings = SETTINGS.replace('"state"', '"copy"')
    (studio / "haikei.toml").write_text(settings, encoding="utf-8")

    assert json.loads(call("verify", "--json").stdout) == before
    assert before["ok"]
    assert call("key").stdout == key


def test_an_old_copy_beside_newer_checkpoints_is_told_of(
    studio: Path, layout: Path, database: Engine
) -> None:
    state = studio / "state"
    call("checkpoint")
    with (
        closing(sqlite3.connect(state / "haikei.db")) as here,
        closing(sqlite3.connect(studio / "old.db")) as there,
    ):
        here.backup(there)
    with database.begin() as connection:
        save_background(connection, a_background("c002", images=a_chain("c002")))
    assert call("checkpoint").exit_code == 0
    database.dispose()
    for file in state.glob("haikei.db*"):
        file.unlink()
    shutil.copy(studio / "old.db", state / "haikei.db")

    found = call("verify")

    assert found.exit_code == 1
    assert "are left" in found.output


def test_a_bundle_goes_to_standard_output_whole(layout: Path) -> None:
    export = ("export", "--project", "akane", "--out")

    printed = call(*export, "-")

    assert printed.exit_code == 0, printed.output
    with zipfile.ZipFile(io.BytesIO(printed.stdout_bytes)) as bundle:
        assert bundle.testzip() is None
    assert "people by name" in printed.stderr
    assert call(*export, "-", "--json").exit_code == 2
    assert call(*export, ".").exit_code == 2
    assert call("export", "--out", "a.zip").exit_code == 2
