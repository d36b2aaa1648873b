"""Units, the container's recipe and the dashboard say nothing that does not exist."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from click import Command
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from haikei.cli import app
from haikei.generators import stage_file
from haikei.jobs.engine import step_run
from haikei.processes import supervisor
from haikei.trackers.shotgrid import client
from haikei.web.metrics import StudioNumbers
from support.clocks import PATIENCE
from support.jobs import studio_database, studio_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [one for one in UNITS if one.suffix == ".service"]
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
}


def options(unit: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in unit.read_text().splitlines() if line[:1].isalpha())
    return {name: value for name, _, value in lines}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda one: one.name)
def test_a_unit_runs_a_command_that_exists_with_options_that_it_has(unit: Path) -> None:
    words = re.findall(r"[^\s'\"]+", options(unit)["ExecStart"])
    words = words[words.index("/opt/haikei/bin/haikei") + 1 :]
    group = typer.main.get_command(app)
    found: Command = group.commands[words[0]]  # type: ignore[attr-defined]
    known = {option for one in found.params for option in (*one.opts, *one.secondary_opts)}

    assert {word for word in words if word.startswith("--")} <= known
    assert {name: options(unit).get(name) for name in HARDENED} == HARDENED


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for one in UNITS:
        text = one.read_text().replace("/opt/haikei/bin/haikei", sys.executable)
        (tmp_path / one.name).write_text(text)
    name = unit.name.replace("@", "@cpu")
    (tmp_path / unit.name).rename(tmp_path / name)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    said = [line for line in done.stderr.splitlines() if line.startswith((name, str(tmp_path)))]
    assert said == []


def test_the_container_copies_what_there_is_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line.strip() and line[0] != "#"]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL"}
    known |= {"HEALTHCHECK", "ENTRYPOINT", "CMD"}

    assert {step for step, _ in steps} <= known
    root = DEPLOY.parent
    copied = [rest.split()[:-1] for step, rest in steps if step == "COPY" and "--from" not in rest]
    assert all((root / name).exists() for names in copied for name in names)
    users = [rest for step, rest in steps if step == "USER"]
    assert users
    assert not users[-1].startswith(("0", "root"))
    code = {line.split('", "')[2] for line in lines if "urllib" in line}
    assert all(compile(one.split('"]')[0], "healthcheck", "exec") for one in code)


def test_every_number_on_the_dashboard_is_one_that_haikei_gives(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path)
    database = studio_database(settings)
    registry = CollectorRegistry()
    registry.register(StudioNumbers(settings, database))
    for counted in (
        *(step_run.SECONDS, stage_file.STAGE_SECONDS, stage_file.MEMORY),
        *(supervisor.RESTARTS, client.CALLS, client.FAILURES),
    ):
        registry.register(counted)
    text = generate_latest(registry).decode()
    database.dispose()
    families = {one.name: one.type for one in text_string_to_metric_families(text)}
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    given = {
        f"{name}{ending}" for name, kind in families.items() for ending in endings.get(kind, ("",))
    }
    board = json.loads((DEPLOY / "grafana" / "haikei.json").read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"haikei_\w+", target["expr"])
    }

    assert asked
    assert asked <= given
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
