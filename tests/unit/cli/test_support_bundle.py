"""What is sent to somebody outside holds what helps them, and nobody's name or secret."""

import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from haikei.cli import app
from haikei.database import jobs, utc_now
from support.databases import fresh_database

SECRETS = ("Hoshino", "c0ffee-key", "SECRETSHOW", "shot042", "hoshino.example", "/mnt/secret")


def test_a_bundle_holds_counts_and_versions_and_no_text_of_the_studios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").mkdir()
    settings = tmp_path / "haikei.toml"
    settings.write_text(
        '[studio]\nname = "Hoshino"\nstate = "state"\n'
        '[tracker]\nurl = "https://hoshino.example"\nprojects = ["SECRETSHOW"]\n'
        '[[storage.roots]]\nname = "SECRETSHOW"\npath = "secret"\n'
        '[web]\nsupervisors = ["Hoshino"]\nrate = 77\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("HAIKEI_TRACKER__KEY", "c0ffee-key")
    database = fresh_database(tmp_path / "state" / "haikei.db")
    row = {
        "key": "k",
        "event_key": "k",
        "state": "dead",
        "step": "collect",
        "project": "SECRETSHOW",
        "shot": "shot042",
        "layout": "/mnt/secret/x.png",
        "error": "Hoshino is nobody",
        "error_kind": "PlaceUnknown",
        "created_at": utc_now(),
        "updated_at": utc_now(),
    }
    with database.begin() as connection:
        connection.execute(insert(jobs), row)
    database.dispose()
    log = tmp_path / "haikei.log"
    said: dict[str, object] = {"event": "step_failed", "job": "k", "step": "collect"}
    said["kind"] = "PlaceUnknown"
    said |= {"error": "Hoshino is nobody", "shot": "shot042", "seconds": 0.5, "level": "error"}
    log.write_text(
        f"{json.dumps(said)}\nno json with Hoshino\n"
        f"{json.dumps({'event': 'Hoshino said /mnt/secret', 'level': 'info'})}\n"
    )
    out = tmp_path / "bundle.zip"

    done = CliRunner().invoke(
        app,
        ["support-bundle", "--out", str(out), "--log", str(log), "--settings", str(settings)],
    )

    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(out) as bundle:
        files = {name: bundle.read(name).decode() for name in bundle.namelist()}
    for name, text in files.items():
        for secret in (*SECRETS, str(tmp_path)):
            assert secret not in text, (name, secret)
    state = json.loads(files["state.json"])
    dead = {"state": "dead", "step": "collect", "kind": "PlaceUnknown", "count": 1}
    assert state["jobs"] == [dead]
    assert json.loads(files["settings.json"])["web"]["rate"] == 77
    assert json.loads(files["settings.json"])["tracker"]["url"] == "set"
    assert json.loads(files["versions.json"])["libraries"]["dbos"]
    kept: dict[str, object] = {"event": "step_failed", "level": "error", "seconds": 0.5}
    kept |= {"kind": "PlaceUnknown", "step": "collect"}
    assert [json.loads(one) for one in files["log-1.jsonl"].splitlines()] == [
        kept,
        {"level": "info"},
    ]
    assert "haikei_dead_letters" in files["metrics.txt"]
