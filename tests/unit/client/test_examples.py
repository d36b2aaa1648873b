"""The tools in examples/tools run: in their hosts where these can be had, else in their API."""

import ast
import importlib.util
import json
import logging
import os
import subprocess
import sys
import types
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from haikei.client import ServerAway
from haikei.notify.hooks import send
from haikei.settings import Hook
from support.api import ServedApi, served_api
from support.clocks import PATIENCE
from support.jobs import put_layout
from support.studio import end_badly

TOOLS = Path(__file__).parents[3] / "examples" / "tools"
SECRET = "a-secret-of-both-sides"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedApi]:
    with served_api(tmp_path) as one:
        monkeypatch.setenv("HAIKEI_URL", one.url)
        monkeypatch.setenv("HAIKEI_TOKEN", one.token)
        yield one


def load(name: str) -> Any:
    """Load a tool as its host does: by its file."""
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tools_are_written_for_the_pythons_of_their_hosts() -> None:
    for file in TOOLS.glob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))


def test_a_toolkit_publish_is_handed_in(
    api: ServedApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Hook:
        """What Toolkit gives a hook."""

        logger = logging.getLogger("toolkit")

        def post_publish(self, publish_tree: object) -> None:
            self.published = publish_tree

    class Item:
        def __init__(self, kind: str, path: Path) -> None:
            data = {"path": {"local_path": str(path)}}
            self.properties = {"sg_publish_data": data, "publish_type": kind}

    toolkit = types.ModuleType("sgtk")
    toolkit.__dict__["get_hook_baseclass"] = lambda: Hook
    monkeypatch.setitem(sys.modules, "sgtk", toolkit)
    event, foreign = put_layout(api.settings), Path("/somewhere/else.png")
    unticked = Item("Layout", foreign)
    unticked.properties = {}
    tree = [
        Item("Layout", event.layout),
        Item("Maya Scene", event.layout),
        Item("Layout", foreign),
        unticked,
    ]
    with caplog.at_level(logging.INFO, logger="toolkit"):
        hook = load("toolkit_post_phase").HaikeiPostPhase()
        hook.post_publish(tree)

    assert hook.published is tree, "what Toolkit does afterwards is still done"
    took, refused = (record.getMessage() for record in caplog.records if record.name == "toolkit")
    assert took == f"Haikei took {event.layout} ({event.key})"
    assert "Haikei did not take /somewhere/else.png" in refused
    assert "below no storage root" in refused


class Rows:
    """What a plugin of the daemon asks a client of the tracker for."""

    def __init__(self, row: dict[str, Any] | None) -> None:
        self.row = row

    def find_one(self, entity: str, filters: object, fields: list[str]) -> dict[str, Any] | None:
        assert (entity, filters) == ("PublishedFile", [["id", "is", 7]])
        return self.row and {name: self.row.get(name) for name in ["id", *fields]}


def test_the_event_daemon_hands_published_layouts_in(
    api: ServedApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    registered: list[tuple[Any, ...]] = []

    class Registrar:
        def registerCallback(self, *given: Any) -> None:  # noqa: N802 - the daemon's name for it
            registered.append(given)

    monkeypatch.setenv("SGDAEMON_HAIKEI_NAME", "haikei")
    monkeypatch.setenv("SGDAEMON_HAIKEI_KEY", "key")
    load("shotgun_events_plugin").registerCallbacks(Registrar())
    ((name, key, callback, matches, args),) = registered
    assert (name, key, matches) == ("haikei", "key", {"Shotgun_PublishedFile_New": None})
    layout = put_layout(api.settings)
    kind = "published_file_type.PublishedFileType.code"
    row = {"id": 7, "path": {"local_path": str(layout.layout)}, kind: "Layout"}
    event = {"meta": {"entity_id": 7}}
    log = logging.getLogger("daemon")

    with caplog.at_level(logging.INFO, logger="daemon"):
        for one in (row, {**row, kind: "Movie"}, {**row, "path": None}, None):
            callback(Rows(one), log, event, args)
    said = [record.getMessage() for record in caplog.records if record.name == "daemon"]
    assert said == [
        f"Haikei took {layout.layout} ({layout.key})",
        "PublishedFile 7 has no path here",
    ]
    monkeypatch.setenv("HAIKEI_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("haikei.client.client._FIRST_PAUSE", 0.0)
    with pytest.raises(ServerAway):
        callback(Rows(row), log, event, args)


#: In a process of its own: pyblish brings an old `six`, which meddles with how modules are found.
PUBLISH = """
import importlib.util, json, sys
import pyblish.api, pyblish.util
spec = importlib.util.spec_from_file_location("plugin", sys.argv[1])
plugin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plugin)
context = pyblish.api.Context()
for family, path in (("layout", sys.argv[2]), ("layout", "/no/file.png"), ("scene", "/no/s.ma")):
    context.create_instance(path, families=[family], publishedPath=path)
pyblish.util.publish(context, plugins=[plugin.HandLayoutToHaikei])
failed = [one for one in context.data["results"] if one["error"]]
errors = {one["instance"].name: str(one["error"]) for one in failed}
print(json.dumps([[one.data.get("haikeiKey") for one in context], errors]))
"""


def test_a_pyblish_publish_is_handed_in(api: ServedApi) -> None:
    event = put_layout(api.settings)
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH, TOOLS / "pyblish_plugin.py", event.layout],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    keys, errors = json.loads(done.stdout.splitlines()[-1])
    assert keys == [event.key, None, None]
    assert list(errors) == ["/no/file.png"]
    assert "below no storage root" in errors["/no/file.png"]


def run_farm_job(folder: Path, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the farm's job; the command `haikei` is on its path."""
    command = folder / "bin" / "haikei"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m haikei.cli "$@"\n')
    command.chmod(0o755)
    given = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", **environment}
    return subprocess.run(
        [TOOLS / "farm_job.sh", path],
        env=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_farm_learns_by_the_exit_code_what_to_do(api: ServedApi, tmp_path: Path) -> None:
    layout = put_layout(api.settings).layout

    late = run_farm_job(tmp_path, layout, HAIKEI_PATIENCE="0")
    assert late.returncode == 75
    api.dispatch()
    (job,) = api.client().submit(layout).jobs
    end_badly(api.database, job.key)
    dead = run_farm_job(tmp_path, layout)
    assert dead.returncode == 1
    assert json.loads(dead.stdout)["state"] == "dead"
    refused = run_farm_job(tmp_path, Path("/somewhere/else.png"))
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"] == "PathRefused"
    assert run_farm_job(tmp_path, layout, HAIKEI_TOKEN="haikei_x").returncode == 3
    assert run_farm_job(tmp_path, layout, HAIKEI_TOKEN="").returncode == 3


def test_a_receiver_takes_what_is_signed_once_and_nothing_else() -> None:
    process = subprocess.Popen(
        [sys.executable, TOOLS / "webhook_receiver.py", "0"],
        env={**os.environ, "HOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        port = int(process.stderr.readline().split()[-1])
        url = f"http://127.0.0.1:{port}/haikei"
        hook = Hook.model_validate({"name": "n8n", "url": url, "loopback": True})
        now = datetime.now(UTC)
        for key, number in (("a", 1), ("a", 1), ("b", 2)):
            body = json.dumps({"event": "decided", "number": number}).encode()
            send(hook, SecretStr(SECRET), key, "decided", body, now)
        forged = urllib.request.Request(url, b'{"event": "decided", "number": 3}', method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(forged, timeout=PATIENCE)
        refused.value.close()
        told = [json.loads(process.stdout.readline())["number"] for _ in range(2)]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)

    assert refused.value.code == 401
    assert told == [1, 2]
