"""A touch-up in a real tracker, handed in on the command line."""

import json
import os
import shlex
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from haikei.cli import app
from haikei.errors import CreditError, PainterDisputed, ReviewError
from haikei.generators.production import Production
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs.background import BackgroundHandlers
from haikei.jobs.engine import Gate
from haikei.jobs.tools import Tools
from haikei.show import Place, StoredFile
from haikei.trackers import ContextRequest
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.jobs import JobStudio, announce, put_layout
from support.sites import RunningSite, Show, make_show, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site"), thumbnail_delay=0.0) as running:
        yield running


@pytest.fixture(scope="module")
def studio(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobStudio]:
    folder = tmp_path_factory.mktemp("studio")
    key = SecretStr(site.key)
    with ExitStack() as stack:
        studio = JobStudio(folder, tracker={"url": site.url, "script": site.script})
        tracker = ShotGridTracker(studio.settings, key)
        stack.callback(tracker.close)
        tracker.setup(dry_run=False)
        studio.tools = Tools(
            studio.settings,
            studio.database,
            threading.Event(),
            production=Production(studio.settings, generators={"flat": studio.generator}),
            open_tracker=lambda _: tracker,
        )
        studio.engine.handlers = BackgroundHandlers(studio.tools, Gate(2)).handlers()
        stack.callback(studio.database.dispose)
        stack.callback(studio.tools.close)
        yield studio


@pytest.fixture(scope="module")
def show(site: RunningSite, studio: JobStudio) -> Show:
    made = make_show(site.connect(), studio.settings, SecretStr(site.key), name="PORT")
    event = put_layout(studio.settings, size=(240, 160))
    drawn = np.random.default_rng(7).uniform(0.2, 1.0, (20, 30, 3)).astype(np.float32)
    blocks = np.repeat(np.repeat(drawn, 8, axis=0), 8, axis=1)
    write_picture(Picture(pixels=blocks), event.layout, bits=8)
    announce(studio.database, studio.replace_layout(event, event.layout.read_bytes()))
    studio.work()
    return made


@pytest.fixture
def call(
    site: RunningSite, studio: JobStudio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> "Call":
    settings = tmp_path / "haikei.toml"
    root = studio.settings.storage.roots[0].path
    settings.write_text(
        f'[studio]\nname = "Test Studio"\nstate = "{studio.settings.studio.state}"\n'
        f'[tracker]\nurl = "{site.url}"\nscript = "{site.script}"\n'
        f'[storage]\nreserve_mib = 0\n[[storage.roots]]\nname = "primary"\npath = "{root}"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("HAIKEI_TRACKER__KEY", site.key)
    monkeypatch.setenv("HAIKEI_SETTINGS", os.fspath(settings))
    return Call()


class Call:
    """Runs `haikei touchup`."""

    def __call__(self, *arguments: str) -> dict[str, object]:
        done = CliRunner().invoke(app, ["touchup", *arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def refused(self, *arguments: str) -> str:
        """Return the words of the error."""
        done = CliRunner().invoke(app, ["touchup", *arguments])
        assert isinstance(done.exception, CreditError), done.output
        return str(done.exception)


def painted(studio: JobStudio, code: str, name: str, *, at: int) -> Path:
    found = next(path for path in studio.files if path.name == f"{code}.png")
    pixels = read_picture(found).pixels.copy()
    pixels[at : at + 40, at : at + 60] = (0.9, 0.2, 0.1)
    path = studio.settings.studio.state.parent / name
    write_picture(Picture(pixels=pixels), path)
    return path


def test_two_artists_in_a_row_are_both_in_the_tracker_and_nobody_is_replaced(
    show: Show, studio: JobStudio, call: Call
) -> None:
    show.sg.create("HumanUser", {"name": "Sakura Ito", "login": "sakura", "sg_status_list": "dis"})
    one = painted(studio, "c001_bg_summer_day_v001", "one.png", at=20)
    of = ("--of", "c001_bg_summer_day_v001")

    compared = call(os.fspath(one), *of, "--artist", "sakura", "--dry-run")
    first = call(os.fspath(one), *of, "--artist", "sakura", "--minutes", "30")
    again = call(os.fspath(one), *of, "--artist", "Sakura Ito")
    two = painted(studio, "c001_bg_summer_day_v002", "two.png", at=90)
    second = call(
        os.fspath(two),
        "--of",
        str(first["code"]),
        "--artist",
        "Riku Mori",
        "--artist-ja",
        "森陸",
        "--new-person",
    )

    assert first["change"] == compared["change"]
    assert (first["created"], again["created"]) == (True, False)
    assert again["code"] == first["code"] == "c001_bg_summer_day_v002"
    assert second["code"] == "c001_bg_summer_day_v003"
    rows = show.own("Version", fields="code user sg_haikei_credit_en sg_haikei_roles")
    assert [row["code"] for row in rows] == [
        "c001_bg_summer_day_v001",
        "c001_bg_summer_day_v002",
        "c001_bg_summer_day_v003",
    ]
    assert rows[1]["user"]["name"] == "Sakura Ito"
    for name in ("Sakura Ito", "Riku Mori"):
        assert name in rows[2]["sg_haikei_roles"]
    assert "森陸" in str(second["credit_ja"])
    files = show.own(
        "PublishedFile", fields="code published_file_type upstream_published_files version"
    )
    by_code = {row["code"]: row for row in files}
    touched = by_code["c001_bg_summer_day_v003.png"]
    assert touched["published_file_type"]["name"] == "Background Touch-up"
    upstream = {link["name"] for link in touched["upstream_published_files"]}
    assert upstream == {"c001_bg_summer_day_v002.png", "c001_bg_v001.png"}


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
def test_a_generator_is_no_artist_even_when_it_is_to_be_registered(
    show: Show, studio: JobStudio, call: Call, name: str
) -> None:
    file = painted(studio, "c001_bg_summer_day_v001", "machine.png", at=50)

    for more in ((), ("--new-person",)):
        refused = call.refused(
            os.fspath(file), "--of", "c001_bg_summer_day_v001", "--artist", name, *more
        )
        assert "is the name of a machine" in refused
    assert all(name not in str(row) for row in show.own("Version", fields="sg_haikei_roles"))


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
@pytest.mark.usefixtures("call")
def test_a_generators_account_decides_nothing(show: Show, name: str) -> None:
    login = f"service-{name.encode().hex()}"
    show.sg.create("HumanUser", {"name": name, "login": login, "sg_status_list": "act"})
    code = "c001_bg_summer_day_v001"
    before = show.own("Version", fields="code sg_status_list")

    done = CliRunner().invoke(app, ["decide", code, "approve", "--by", login])

    assert isinstance(done.exception, ReviewError), done.output
    assert f"is the account of {name!r}, which is no person" in str(done.exception)
    assert show.own("Version", fields="code sg_status_list") == before


@pytest.mark.usefixtures("show")
def test_an_artist_whom_nobody_knows_is_asked_about(studio: JobStudio, call: Call) -> None:
    file = painted(studio, "c001_bg_summer_day_v001", "unknown.png", at=50)
    of = (os.fspath(file), "--of", "c001_bg_summer_day_v001", "--artist", "Nobody Atall")

    assert "know 'Nobody Atall'" in call.refused(*of)
    assert "has anybody with the id 'HumanUser:99999'" in call.refused(
        *of, "--person", "HumanUser:99999"
    )


@pytest.mark.parametrize("how", ["again.png", "again.tif", "again.jpg"])
def test_a_file_that_was_only_saved_again_credits_nobody_until_somebody_insists(
    show: Show, studio: JobStudio, call: Call, how: str
) -> None:
    found = next(path for path in studio.files if path.name == "c001_bg_summer_day_v001.png")
    file = studio.settings.studio.state.parent / how
    write_picture(read_picture(found), file, bits=8)
    before = show.own("Version", fields="code")
    of = (
        os.fspath(file),
        "--of",
        "c001_bg_summer_day_v001",
        "--artist",
        f"HumanUser:{show.artist}",
    )

    compared = call(*of, "--dry-run")
    answer = call(*of)

    assert compared["conversion_of"] == "c001_bg_summer_day_v001"
    assert answer["created"] is False
    assert "no change is measured. It is a conversion, saved by" in str(answer["conversion"])
    assert "--reason" in str(answer["to_insist"])
    assert show.own("Version", fields="code") == before
    if how != "again.jpg":
        return
    insisted = call(*of, "--reason", "one faint stroke on the roof")
    assert insisted["created"] is True
    assert len(show.own("Version", fields="code")) == len(before) + 1


@pytest.mark.usefixtures("show")
def test_two_artists_of_one_touch_up_are_named_and_a_third_is_asked_about(
    show: Show, studio: JobStudio, call: Call
) -> None:
    for login in ("haru", "yuki", "mei"):
        person = {"name": f"{login.title()} Abe", "login": login, "sg_status_list": "dis"}
        show.sg.create("HumanUser", person)
    file = painted(studio, "c001_bg_summer_day_v001", "shared.png", at=70)
    of = (os.fspath(file), "--of", "c001_bg_summer_day_v001")

    both = call(*of, "--artist", "haru", "--artist", "yuki")
    marked = next(one for one in studio.files if one.name == f"{both['code']}.png").read_bytes()
    refused = CliRunner().invoke(app, ["touchup", *of, "--artist", "mei"])
    answered = call(*of, "--artist", "mei", "--reason", "mei painted the water")

    assert "Touch-up Haru Abe, Yuki Abe" in str(both["credit"])
    assert isinstance(refused.exception, PainterDisputed)
    assert "by Haru Abe, Yuki Abe, and not by Mei Abe" in str(refused.exception)
    assert (answered["created"], answered["code"]) == (False, both["code"])
    (row,) = [
        row
        for row in show.own("Version", fields="code sg_haikei_roles")
        if row["code"] == both["code"]
    ]
    assert all(f"{name} Abe" in row["sg_haikei_roles"] for name in ("Haru", "Yuki", "Mei"))
    published = next(path for path in studio.files if path.name == f"{both['code']}.png")
    verified = CliRunner().invoke(app, ["verify", os.fspath(published)])
    assert verified.exit_code == 0, verified.output
    assert "later" in verified.output
    assert "Mei Abe, recorded on" in verified.output
    assert "Haru Abe, recorded on" not in verified.output
    put_right = CliRunner().invoke(app, ["credits", "recompute", "--project", "PORT"])
    assert put_right.exit_code == 0, put_right.output
    assert "Published files keep the marks" in " ".join(put_right.output.split())
    assert published.read_bytes() == marked


def test_a_layout_by_two_people_is_asked_about_and_answered_by_the_command_that_is_named(
    show: Show, studio: JobStudio, call: Call
) -> None:
    del call  # its settings are those of the command below
    ids = [
        show.sg.create("HumanUser", {"name": name, "login": login, "sg_status_list": "dis"})["id"]
        for name, login in (("Nao Ueda", "nao"), ("Jun Ueda", "jun"))
    ]
    first, second = (f"HumanUser:{one}" for one in ids)
    task = {"task_assignees": [{"type": "HumanUser", "id": ids[0]}]}
    show.sg.update("Task", show.layout_task, task)
    event = put_layout(studio.settings, size=(240, 160), shade=0.3)
    event = replace(event, published_by=first, published_file=901)
    announce(studio.database, event, replace(event, published_by=second, published_file=902))
    studio.work()
    asked = next(one for one in studio.store.list() if one.error_kind == "LayoutDisputed")
    (question,) = [
        row
        for row in show.own("Note", fields="subject content")
        if row["subject"] == f"Who drew {event.layout.name}?"
    ]
    named = question["content"].partition("--artist: haikei ")[2].partition(", then haikei")[0]
    command = shlex.split(named)
    command[command.index("--by") + 1] = second

    done = CliRunner().invoke(app, command)
    retried = CliRunner().invoke(app, ["jobs", "retry", asked.key])
    studio.work()

    assert (done.exit_code, retried.exit_code) == (0, 0), (done.output, done.exception)
    code = studio.store.get(asked.key).version_code
    (row,) = [
        row for row in show.own("Version", fields="code sg_haikei_roles") if row["code"] == code
    ]
    assert f"Nao Ueda ({first}), Jun Ueda ({second})" in row["sg_haikei_roles"].splitlines()[0]


@pytest.mark.parametrize("name", ["port", "Port Town", "Ｐort  Town"])
def test_a_project_is_known_by_each_of_its_names(
    show: Show, studio: JobStudio, site: RunningSite, name: str
) -> None:
    show.sg.update("Project", show.project, {"name": "Port Town"})
    tracker = ShotGridTracker(studio.settings, SecretStr(site.key))
    file = next(path for path in studio.files if path.name == "c001_bg_summer_day_v001.png")

    try:
        found = tracker.context(
            ContextRequest(
                place=Place(project=name, sequence="", shot="c001"),
                layout=StoredFile(root="primary", relative="x.png", path=file, sha256="0" * 64),
                published_file=None,
                stream="summer_day",
            )
        )
        directory = tracker.parts.directory
        assert directory is not None
        listed = directory.read()
    finally:
        tracker.close()
        show.sg.update("Project", show.project, {"name": "PORT"})

    assert found.project.name == "Port Town"
    assert found.project_names == ("PORT",)
    assert ("PORT", "Port Town") in {(one.path_name, one.title) for one in listed.projects}
    assert "葵 佐藤" in {one.person.name for one in listed.people}
