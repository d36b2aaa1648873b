"""Commands answer people in sentences, programs in JSON, and both in exit codes."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from typer.testing import CliRunner, Result

from haikei.cli import app, main
from haikei.cli.startup import stop_on_signals
from haikei.database import jobs
from haikei.errors import CreditError, HaikeiError, PolicyRefusal
from haikei.files import sha256_of
from haikei.presets import RECIPES
from haikei.provenance import MarkSigner, read_marks
from haikei.scenes import Scene, SceneKind, draw, save_layout
from haikei.settings import Settings, load
from haikei.trackers import ListedProject
from haikei.trackers.memory import MemoryTracker
from support.clocks import PATIENCE
from support.databases import fresh_database

SETTINGS = """
[studio]
state = "state"
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"
"""


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("HAIKEI_"):
            monkeypatch.delenv(name)
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def add_job(studio: Path, key: str, state: str, **values: object) -> None:
    database = fresh_database(studio / "state" / "haikei.db")
    now = datetime.now(UTC)
    row = {
        "key": key,
        "event_key": key,
        "state": state,
        "project": "PORT",
        "sequence": "s01",
        "shot": "c001",
        "season": "summer",
        "time": "day",
        "recipe": "watercolour",
        "created_at": now,
        "updated_at": now,
        **values,
    }
    with database.begin() as connection:
        connection.execute(insert(jobs), row)
    database.dispose()


def test_a_wrong_settings_file_is_a_sentence_and_an_exit_code(studio: Path) -> None:
    (studio / "haikei.toml").write_text("[studio]\ncolour = 1\n", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "haikei.cli", "jobs", "list"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "studio.colour" in done.stderr
    assert "storage" in done.stderr


def test_an_error_is_json_when_json_is_asked_for(studio: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "haikei.cli", "jobs", "list", "--json", "-s", "none.toml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    error = json.loads(done.stdout)
    assert error["error"] == "SettingsError"
    assert "config init" in error["advice"]


def test_an_error_in_process_ends_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["haikei", "jobs", "list", "-s", "none.toml"])

    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 3
    assert "There is no settings file" in capsys.readouterr().err


def test_config_init_writes_once_and_check_agrees(studio: Path) -> None:
    made = call("config", "init", "new.toml", "--projects", "shows")
    again = call("config", "init", "new.toml")

    assert made.exit_code == 0
    assert isinstance(again.exception, HaikeiError)
    assert "stands already" in str(again.exception)
    assert call("config", "check", "-s", "new.toml").exit_code == 0
    shown = json.loads(call("config", "show", "-s", "new.toml", "--json").stdout)
    assert shown["storage"]["roots"][0]["path"] == str(studio / "shows")


def test_config_check_lists_every_mistake(studio: Path) -> None:
    (studio / "haikei.toml").write_text(SETTINGS + "[watch]\nsettle = 'x'\nmod = 1\n")

    text = call("config", "check")
    plain = json.loads(call("config", "check", "--json").stdout)

    assert text.exit_code == 3
    assert "watch.settle" in text.stdout
    assert {one["key"] for one in plain["mistakes"]} == {"watch.settle", "watch.mod"}


def test_config_show_says_where_each_value_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIKEI_WATCH__SETTLE", "7.5")
    monkeypatch.setenv("HAIKEI_TRACKER__KEY", "s3cret")

    shown = call("config", "show").stdout

    def origin(key: str) -> str:
        line = next(line for line in shown.splitlines() if line.split()[:1] == [key])
        return line.split()[-1]

    assert origin("watch.settle") == "environment"
    assert origin("studio.state") == "file"
    assert origin("events.poll") == "default"
    assert "s3cret" not in shown


def test_jobs_are_listed_and_shown_by_the_beginning_of_their_key(studio: Path) -> None:
    add_job(studio, "layout-aaa-watercolour", "running", step="generate", progress=0.5)
    add_job(studio, "layout-bbb-watercolour", "dead", step="validate", error="It is damaged.")

    listed = call("jobs", "list")
    dead = json.loads(call("jobs", "list", "--state", "dead", "--json").stdout)
    shown = call("jobs", "show", "layout-b")

    assert "1 running" in listed.stdout
    assert "It is damaged." in listed.stdout
    assert [job["key"] for job in dead["jobs"]] == ["layout-bbb-watercolour"]
    assert dead["counts"]["dead"] == 1
    assert "validate" in shown.stdout
    assert json.loads(call("jobs", "show", "layout-a", "--json").stdout)["progress"] == 0.5
    assert isinstance(call("jobs", "show", "layout-").exception, HaikeiError)
    assert isinstance(call("jobs", "show", "nothing").exception, HaikeiError)


def test_dead_letters_are_retried_and_skipped_together(studio: Path) -> None:
    order = {"order_json": "{}", "step": "validate", "layout": "/x.png"}
    add_job(studio, "layout-aaa", "dead", **order)
    add_job(studio, "layout-bbb", "dead", **order)

    skipped = call("jobs", "skip", "layout-aaa", "--note", "cut from the film")
    retried = call("jobs", "retry", "--all")

    assert "skipped" in skipped.stdout
    assert retried.stdout.count("layout-") == 1
    assert json.loads(call("jobs", "show", "layout-aaa", "--json").stdout)["note"]
    assert json.loads(call("jobs", "show", "layout-bbb", "--json").stdout)["state"] == "waiting"
    assert isinstance(call("jobs", "retry", "layout-bbb").exception, HaikeiError)
    assert call("jobs", "cancel").exit_code == 2
    assert "asked to stop" in call("jobs", "cancel", "layout-bbb").stdout


def test_dead_letters_are_counted_first_and_chosen_by_kind_time_and_project(studio: Path) -> None:
    old = datetime.now(UTC) - timedelta(days=3)
    order = {"order_json": "{}", "step": "validate"}
    place, image = {"error_kind": "PlaceUnknown"}, {"error_kind": "ImageUnreadable"}
    now = datetime.now(UTC)
    add_job(studio, "layout-aaa", "dead", **order, **place, finished_at=old)
    add_job(studio, "layout-bbb", "dead", **order, **place, finished_at=now)
    add_job(studio, "layout-ccc", "dead", **order, **image, finished_at=now)
    add_job(studio, "layout-ddd", "dead", **order, **place, finished_at=now, project="SEA")

    def chosen(*options: str) -> list[str]:
        said = json.loads(call("jobs", "retry", *options, "--dry-run", "--json").stdout)
        assert said["count"] == len(said["jobs"]) == sum(said["kinds"].values())
        return [job["key"][-3:] for job in said["jobs"]]

    assert chosen("--all") == ["aaa", "bbb", "ccc", "ddd"]
    assert chosen("--kind", "placeunknown", "--project", "port") == ["aaa", "bbb"]
    assert chosen("--since", "2h") == ["bbb", "ccc", "ddd"]
    assert chosen("--since", f"{old:%Y-%m-%d}", "--kind", "ImageUnreadable") == ["ccc"]
    dry = call("jobs", "skip", "--kind", "PlaceUnknown", "--dry-run").stdout
    assert dry.splitlines()[0] == "3 jobs: 3 PlaceUnknown"
    assert call("jobs", "skip", "--kind", "PlaceUnknown", "--note", "moved").exit_code == 0
    assert chosen("--all") == ["ccc"]
    assert json.loads(call("jobs", "show", "layout-ddd", "--json").stdout)["note"] == "moved"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "name at least one job"),
        (("layout-aaa", "--all"), "not both"),
        (("--kind", "PlaceUnknow"), "did you mean PlaceUnknown?"),
        (("--kind", "ｐｌａｃｅunknow"), "did you mean PlaceUnknown?"),
        (("--since", "yesterday"), "is no moment"),
        (("--since", "999999999999d"), "is no moment"),
    ],
)
def test_a_choice_of_jobs_that_means_nothing_is_a_usage_error(
    studio: Path, options: tuple[str, ...], said: str
) -> None:
    answer = call("jobs", "retry", *options)

    assert answer.exit_code == 2
    assert said in " ".join(answer.output.replace("│", " ").split())


def test_watch_explains_one_file(studio: Path) -> None:
    layout = studio / "layout.png"
    layout.write_bytes(b"anything")

    said = json.loads(call("watch", "--explain", str(layout), "--json").stdout)
    text = call("watch", "--explain", "layout.png").stdout

    assert said["outcome"] == "elsewhere"
    assert said["path"] == str(layout)
    assert "below no watched folder" in text
    assert call("watch", "--json").exit_code == 2


def test_jobs_watch_tells_each_change_once_and_ends_when_idle(studio: Path) -> None:
    add_job(studio, "layout-aaa", "running", step="generate", progress=0.5)
    output: list[str] = []

    def watch() -> None:
        output.append(call("jobs", "watch", "--until-idle", "--json").stdout)

    thread = threading.Thread(target=watch)
    thread.start()
    database = fresh_database(studio / "state" / "haikei.db")
    with database.begin() as connection:
        connection.execute(
            update(jobs).values(state="done", progress=1.0, updated_at=datetime.now(UTC))
        )
    database.dispose()
    thread.join(PATIENCE)

    states = [json.loads(line)["state"] for line in output[0].splitlines()]
    assert states[-1] == "done"
    assert len(states) <= 2
    assert call("jobs", "watch", "--until-idle").stdout.count("done") == 1


def test_generate_makes_a_background_without_a_tracker(studio: Path) -> None:
    layout = studio / "layout.png"
    save_layout(draw(Scene(kind=SceneKind.HILLS, width=320, height=180, seed=1)), layout)
    order = ("generate", "layout.png", "--artist", "Yuki Tanaka", "--artist-ja", "田中優希")

    dry = call(*order, "--dry-run")
    made = call(*order, "--season", "winter", "--place", "hills")
    again = json.loads(call(*order, "--season", "winter", "--place", "hills", "--json").stdout)

    assert dry.exit_code == 0, dry.output
    assert "gen2: Haikei painter" in dry.stdout
    assert made.exit_code == 0, made.output
    assert "Layout Yuki Tanaka" in made.stdout
    assert all(stage["reused"] for stage in again["stages"])
    record = json.loads(Path(again["record"]).read_text(encoding="utf-8"))
    assert record["credit"]["ja"].startswith("背景：原図 田中優希")
    kinds = [image["kind"] for image in record["images"]]
    assert kinds == ["layout", "generation", "background"]
    drawn, first, last = record["images"]
    assert [one["sha256"] for one in last["ingredients"]] == [first["sha256"], drawn["sha256"]]
    for image in record["images"]:
        path = Path(again["record"]).with_name(image["path"])
        assert sha256_of(path) == image["sha256"]
    assert not any(path.name.startswith(".mark") for path in Path(again["record"]).parent.iterdir())


def test_generate_names_who_operated_and_marks_the_files_anew_for_another(studio: Path) -> None:
    layout = studio / "layout.png"
    save_layout(draw(Scene(kind=SceneKind.HILLS, width=160, height=96, seed=1)), layout)
    order = ("generate", "layout.png", "--artist", "Yuki Tanaka", "--json")

    alone = json.loads(call(*order).stdout)
    operated = json.loads(
        call(*order, "--operator", "Makoto Ito", "--operator-ja", "伊藤真").stdout
    )

    assert "run by pipeline" in alone["credit"]
    assert "operated by Makoto Ito" in operated["credit"]
    assert "操作 伊藤真" in operated["credit_ja"]
    assert all(stage["reused"] for stage in operated["stages"])
    paths = [Path(stage["path"]) for stage in (*alone["stages"], *operated["stages"])]
    assert len(set(paths)) == 4
    assert all(path.exists() for path in paths)


def test_generate_without_settings_or_artist_says_what_is_missing(studio: Path) -> None:
    (studio / "haikei.toml").unlink()
    layout = studio / "layout.png"
    save_layout(draw(Scene(kind=SceneKind.PORT, width=160, height=96, seed=1)), layout)

    made = call("generate", "layout.png", "--out", "out")

    assert made.exit_code == 0, made.output
    assert "Nobody is named" in made.stdout
    (studio / "broken.png").write_bytes(layout.read_bytes()[:200])
    assert isinstance(call("generate", "broken.png").exception, HaikeiError)


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
@pytest.mark.parametrize("option", ["--artist", "--artist-ja", "--operator", "--operator-ja"])
def test_generate_takes_no_machine_for_a_person(studio: Path, option: str, name: str) -> None:
    layout = studio / "layout.png"
    save_layout(draw(Scene(kind=SceneKind.HILLS, width=160, height=96, seed=1)), layout)

    refused = call("generate", "layout.png", option, name, "--out", "out")

    assert isinstance(refused.exception, CreditError)
    assert f"{name!r} is the name of a machine" in str(refused.exception)
    assert not (studio / "out").exists()


_ENTRY = """
[generators.brush]
licence = "MIT"
licence_url = "https://opensource.org/license/mit"
commercial = "yes"
data = "Own paintings."
"""
_PLUGIN = """
from haikei.credits import SourceType, System
from haikei.generators import StageSystem
from haikei.settings import Settings


class Brush:
    def __init__(self, settings: Settings) -> None:
        pass

    def describe(self, stage):
        system = System(name="Brush", version="2", source_type=SourceType.{source}, {stated})
        return StageSystem(system=system, libraries=())

    def generate(self, request, *, layout, previous, progress):
        raise AssertionError("nothing may be generated")
"""


@pytest.mark.parametrize(
    ("source", "stated"),
    [
        ("TRAINED", ""),
        ("TRAINED", 'licence="MIT"'),
        ("COMPOSITE_TRAINED", 'licence=" ", data="Own paintings."'),
    ],
)
def test_generate_runs_no_trained_plug_in_without_a_licence_and_its_data(
    studio: Path, monkeypatch: pytest.MonkeyPatch, source: str, stated: str
) -> None:
    installed = studio / "installed"
    info = installed / "studio_brush-1.0.dist-info"
    info.mkdir(parents=True)
    module = f"studio_brush_{len(stated)}"
    (installed / f"{module}.py").write_text(_PLUGIN.format(source=source, stated=stated))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: studio-brush\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[haikei.generators]\nbrush = {module}:Brush\n")
    monkeypatch.syspath_prepend(installed)
    with (studio / "haikei.toml").open("a", encoding="utf-8") as file:
        file.write('[recipes.brushed]\nstages = [{ name = "gen1", generator = "brush" }]\n')
        file.write(_ENTRY)
    layout = studio / "layout.png"
    save_layout(draw(Scene(kind=SceneKind.HILLS, width=160, height=96, seed=1)), layout)
    order = ("generate", "layout.png", "--recipe", "brushed", "--out", "out")

    for more in ((), ("--dry-run",)):
        refused = call(*order, *more)
        assert isinstance(refused.exception, PolicyRefusal)
        assert "Brush 2, a trained system without a licence or a statement" in str(
            refused.exception
        )
    assert not (studio / "out").exists()


@pytest.mark.usefixtures("port")
def test_generate_runs_no_trained_model_in_a_show_that_takes_no_ai(
    studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = studio / "installed"
    info = installed / "studio_brush-1.0.dist-info"
    info.mkdir(parents=True)
    stated = 'licence="MIT", data="Own paintings."'
    text = _PLUGIN.format(source="TRAINED", stated=stated)
    (installed / "studio_brush_shown.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: studio-brush\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[haikei.generators]\nbrush = studio_brush_shown:Brush\n"
    )
    monkeypatch.syspath_prepend(installed)
    with (studio / "haikei.toml").open("a", encoding="utf-8") as file:
        file.write('[recipes.brushed]\nstages = [{ name = "gen1", generator = "brush" }]\n')
        file.write(_ENTRY)
        file.write('[policy]\nno_ai_projects = ["The Port"]\n')
    layout = studio / "layout.png"
    save_layout(draw(Scene(kind=SceneKind.HILLS, width=160, height=96, seed=1)), layout)
    order = ("generate", "layout.png", "--recipe", "brushed", "--out", "out", "--dry-run")

    refused = call(*order, "--project", "Project:12")
    other = call(*order, "--project", "HILLS")

    assert isinstance(refused.exception, PolicyRefusal)
    assert "the recipe runs Brush 2" in str(refused.exception)
    assert other.exit_code == 0, other.output


A1111 = (
    b"harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7, Model hash: 31e35c80fc, "
    b"Model: sd_xl_base_1.0, Version: v1.9.4"
)


def ai_layout(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_layout(draw(Scene(kind=SceneKind.HILLS, width=160, height=96, seed=1)), path)
    chunk = b"tEXtparameters\0" + A1111
    content = path.read_bytes()
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(content[:33] + framed + content[33:])
    return path


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> MemoryTracker:
    tracker = MemoryTracker()
    for number, (name, title) in enumerate((("PORT", "The Port"), ("HILLS", "Hills")), 12):
        id_ = f"Project:{number}"
        tracker.directory.projects[id_] = ListedProject(id=id_, path_name=name, title=title)

    def load_tracker(_: Settings) -> MemoryTracker:
        return tracker

    monkeypatch.setattr("haikei.trackers.load_tracker", load_tracker)
    return tracker


def test_generate_says_of_an_ai_layout_what_it_is_in_credit_marks_and_record(studio: Path) -> None:
    ai_layout(studio / "layout.png")

    made = json.loads(call("generate", "layout.png", "--artist", "Yuki Tanaka", "--json").stdout)

    assert "Stable Diffusion WebUI" in made["credit"]
    assert "operator not recorded" in made["credit"]
    assert "操作者の記録なし" in made["credit_ja"]
    record = json.loads(Path(made["record"]).read_text(encoding="utf-8"))
    settings = load(Path("haikei.toml"), built_in_recipes=RECIPES)
    trust = MarkSigner.from_settings(settings).trust_pem
    layout = record["images"][0]
    assert layout["source_type"] in {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
    }
    assert [one["role"] for one in layout["contributions"]] == ["genzu", "ai_layout"]
    for image in record["images"]:
        path = Path(made["record"]).with_name(image["path"])
        marks = read_marks(path, trust_pem=trust)
        assert marks.says_ai
        assert marks.xmp is not None
        assert "Stable Diffusion WebUI" in marks.xmp.ai_system, image["path"]


@pytest.mark.usefixtures("port")
@pytest.mark.parametrize("key", ["no_ai_layouts", "no_ai_projects"])
@pytest.mark.parametrize("rule", ["port", "the port", "Project:12", "P*"])
@pytest.mark.parametrize("told", ["by the path", "--project", "by both"])
def test_generate_takes_no_ai_layout_where_its_show_takes_none(
    studio: Path, key: str, rule: str, told: str
) -> None:
    with (studio / "haikei.toml").open("a", encoding="utf-8") as file:
        file.write(f'[policy]\n{key} = ["{rule}"]\n')
    place = "projects/PORT/sq010/c001/layout/c001_bg_v001.png"
    layout = ai_layout(studio / ("layout.png" if told == "--project" else place))
    # Another show's name does not lead past the rule of the one that the path says.
    option = {
        "by the path": (),
        "--project": ("--project", "Ｐort"),
        "by both": ("--project", "HILLS"),
    }

    for more in ((), ("--dry-run",)):
        refused = call("generate", str(layout), "--out", "out", *option[told], *more)
        assert isinstance(refused.exception, PolicyRefusal), refused.output
        assert f"policy.{key}" in str(refused.exception)
        assert "carries marks of a trained model" in str(refused.exception)
    assert not (studio / "out").exists()


@pytest.mark.usefixtures("port")
def test_generate_takes_an_ai_layout_of_another_show_and_says_where_none_is_known(
    studio: Path,
) -> None:
    with (studio / "haikei.toml").open("a", encoding="utf-8") as file:
        file.write('[policy]\nno_ai_layouts = ["PORT"]\n')
    ai_layout(studio / "layout.png")

    other = call("generate", "layout.png", "--project", "hills", "--dry-run")
    unknown = call("generate", "layout.png", "--dry-run")
    misspelt = call("generate", "layout.png", "--project", "PROT", "--dry-run")

    assert other.exit_code == 0, other.output
    assert "--project" not in other.output
    assert unknown.exit_code == 0
    assert "No show is known of this layout" in unknown.output
    assert isinstance(misspelt.exception, CreditError)
    assert "near ones: PORT" in str(misspelt.exception)


def test_doctor_finds_what_is_wrong_on_this_machine(studio: Path) -> None:
    (studio / "projects").rmdir()
    space = '[storage]\nformat = "exr"\ncolour_space = "ACEScct"'
    (studio / "haikei.toml").write_text(
        SETTINGS.replace("[storage]", space)
        + """
[tracker]
url = "http://127.0.0.1:9"
timeout = 2
[[routes]]
recipe = "own"
[recipes.own]
stages = [{ name = "one", generator = "none-such" }]
"""
    )

    result = call("doctor", "--json")

    findings = {one["subject"]: one for one in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 1
    assert findings["settings"]["ok"]
    assert not findings[f"storage root primary ({studio / 'projects'})"]["ok"]
    assert not findings["recipe own, stage one"]["ok"]
    assert "does not hold linear light" in findings["colour space ACEScct"]["message"]
    assert "HAIKEI_TRACKER__KEY" in findings["tracker"]["advice"]
    assert findings["signing of files"]["ok"]
    assert (
        "strict conformance asks for more: a certificate of an authority"
        in (findings["signing of files"]["message"])
    )
    assert "OCSP" in findings["signing of files"]["message"]
    assert all(one["ok"] or one["advice"] for one in findings.values())


def test_doctor_names_every_mistake_of_the_settings(studio: Path) -> None:
    (studio / "haikei.toml").write_text("[studio]\n")

    text = call("doctor")

    assert text.exit_code == 1
    assert text.stdout.count("FAIL settings") == 2


def test_watch_needs_a_folder() -> None:
    assert "no folder to watch" in str(call("watch").exception)


def test_a_second_signal_ends_a_process_that_does_not_stop() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        stop = stop_on_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(PATIENCE)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
