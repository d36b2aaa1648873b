"""A studio with Kitsu: a layout uploaded there is painted, reviewed, touched up and credited."""

import json
import random
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gazu
import gazu.client
import pytest

from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import JobState, Step
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.kills import kill_in
from support.kitsu import RunningKitsu, running_kitsu, sign_in
from support.studio import Studio

_SETTINGS = """
[studio]
name = "Test Studio"
state = "state"
[tracker]
kind = "kitsu"
key_file = "tracker.key"
review_status = "wfa"
look_status = "todo"
[tracker.person_fields]
name_ja = "name_ja"
[review.statuses]
approve = ["done"]
retake = ["retake"]
hold = []
omit = []
task_approved = ""
task_retake = ""
[review.dailies]
enabled = false
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"
[web]
enabled = false
[events]
poll = 0.5
[engine]
poll = 0.05
backoff = 0.2
"""


@dataclass(slots=True, kw_only=True)
class KitsuShow:
    """A show of one cut, and the people who work on it."""

    server: RunningKitsu
    studio: Studio
    admin: Any
    project: Any
    shot: Any
    artist: Any
    supervisor: Any
    layout: Any
    background: Any

    def upload(self, task: Any, file: Path, by: Any) -> Any:
        """Upload a picture to a task, as a person does in Kitsu's pages."""
        client = gazu.client.create_client(self.server.url)
        sign_in(client, by["email"])
        status = gazu.task.get_task_status_by_short_name("wfa", client=client)
        comment = gazu.task.add_comment(task, status, "", client=client)
        preview = gazu.task.create_preview(task, comment, client=client)
        gazu.task.upload_preview_file(preview, str(file), client=client)
        return preview

    def comment(self, status: str, text: str) -> Any:
        """Comment on the background's task, as the supervisor does."""
        client = gazu.client.create_client(self.server.url)
        sign_in(client, self.supervisor["email"])
        found = gazu.task.get_task_status_by_short_name(status, client=client)
        return gazu.task.add_comment(self.background, found, text, client=client)

    def versions(self) -> list[Any]:
        """Return Haikei's versions of the cut, oldest first."""
        rows = gazu.client.get(
            "data/preview-files", params={"task_id": self.background["id"]}, client=self.admin
        )
        ours = [one for one in rows if "haikei" in (one["data"] or {})]
        return sorted(ours, key=lambda one: one["revision"])

    def comments(self) -> list[Any]:
        """Return what stands on the background's task, oldest first."""
        found = gazu.task.all_comments_for_task(self.background, client=self.admin)
        return list(reversed(found))


@pytest.fixture
def show(tmp_path: Path) -> Generator[KitsuShow]:
    server = running_kitsu()
    admin = server.client()
    folder = tmp_path / "studio"
    (folder / "projects").mkdir(parents=True)
    (folder / "tracker.key").write_text(server.token)
    studio = Studio(folder=folder, url=server.url)
    project = gazu.project.new_project(f"UMI {folder.stat().st_ino}", client=admin)
    # Other tests have shows on this server as well.
    heeded = f'projects = ["{project["name"]}"]\n[tracker.person_fields]'
    settings = _SETTINGS.replace("[tracker.person_fields]", heeded)
    (folder / "haikei.toml").write_text(settings, encoding="utf-8")
    studio.call("setup")
    sequence = gazu.shot.new_sequence(project, "s01", client=admin)
    shot = gazu.shot.new_shot(project, sequence, "c001", client=admin)
    people = []
    for first, last, login in (("Aoi", "Sato", "aoi"), ("Haruka", "Mori", "haruka")):
        person = gazu.person.get_person_by_email(f"{login}@example.com", client=admin)
        if person is None:
            person = gazu.person.new_person(
                first, last, f"{login}@example.com", role="supervisor", client=admin
            )
        gazu.person.change_password_for_person(person, "mysecretpassword", client=admin)
        gazu.project.add_person_to_team(project, person, client=admin)
        people.append(person)
    types = {
        one["name"]: one
        for one in gazu.task.all_task_types(client=admin)
        if one["for_entity"] == "Shot"
    }
    layout = gazu.task.new_task(shot, types["Layout"], client=admin)
    background = gazu.task.new_task(shot, types["Background"], client=admin)
    gazu.task.assign_task(layout, people[0], client=admin)
    try:
        yield KitsuShow(
            server=server,
            studio=studio,
            admin=admin,
            project=project,
            shot=shot,
            artist=people[0],
            supervisor=people[1],
            layout=layout,
            background=background,
        )
    finally:
        studio.stop()
        admin.session.close()


def _done(show: KitsuShow, count: int) -> bool:
    return len(show.studio.jobs(JobState.DONE)) >= count


@pytest.mark.timeout(600)
def test_a_layout_a_retake_a_touch_up_and_the_roll_go_through_kitsu(
    show: KitsuShow, tmp_path: Path
) -> None:
    drawn = tmp_path / "layout.png"
    save_layout(draw(Scene(kind=SceneKind.VILLAGE, width=320, height=180, seed=3)), drawn)
    doctor = json.loads(show.studio.run("doctor", "--json").stdout)
    assert [one for one in doctor["findings"] if "kitsu" in one["subject"] and not one["ok"]] == []
    show.studio.start()
    show.studio.wait_for("the follower", lambda: show.studio.said("following_event_log"))

    show.upload(show.layout, drawn, show.artist)
    show.studio.wait_for("the first version", lambda: len(show.versions()) == 1)
    show.studio.wait_for("the first job", lambda: _done(show, 1))
    (first,) = show.versions()
    assert "Aoi Sato" in first["data"]["haikei"]["credit_en"]
    shot = gazu.shot.get_shot(show.shot["id"], client=show.admin)
    assert "Aoi Sato" in shot["data"]["haikei_credit"]

    show.comment("retake", "More clouds, please.")
    show.studio.wait_for("the retake", lambda: len(show.versions()) == 2)
    show.studio.wait_for("its job", lambda: _done(show, 2))
    second = show.versions()[1]
    assert second["data"]["haikei"]["key"] != first["data"]["haikei"]["key"]
    show.studio.wait_for(
        "the answer", lambda: any(one["replies"] for one in show.comments() if one["text"])
    )

    painted = tmp_path / "painted.png"
    finished = next(
        one["path"]
        for one in gazu.client.get(
            "data/output-files", params={"entity_id": show.shot["id"]}, client=show.admin
        )
        if (one["data"] or {}).get("haikei", {}).get("key") == second["data"]["haikei"]["key"]
        and one["data"]["haikei"]["stream"] == "result"
    )
    pixels = read_picture(Path(finished)).pixels.copy()
    pixels[40:120, 60:200] = (0.8, 0.2, 0.1)
    write_picture(Picture(pixels=pixels), painted, bits=8)
    show.upload(show.background, painted, show.supervisor)
    show.studio.wait_for("the touch-up", lambda: len(show.versions()) == 3)
    show.studio.wait_for("its job", lambda: _done(show, 3))
    assert "Haruka Mori" in show.versions()[2]["data"]["haikei"]["credit_en"]

    decided = show.studio.log_text().count('"decided"')
    show.comment("done", "")
    show.studio.wait_for(
        "the approval", lambda: show.studio.log_text().count('"decided"') > decided
    )
    show.studio.stop()
    roll = show.studio.call(
        "report", "credits-roll", "--project", show.project["name"], "--format", "txt", "--out", "-"
    )
    assert "Aoi Sato" in roll
    assert "Haruka Mori" in roll


def _settled(show: KitsuShow, count: int) -> bool:
    return len(show.studio.jobs(JobState.DONE, JobState.DEAD)) >= count


def _layouts(show: KitsuShow, tmp_path: Path) -> Iterator[Any]:
    """Yield shots, each with a layout that was uploaded for it just before."""
    types = {
        one["name"]: one
        for one in gazu.task.all_task_types(client=show.admin)
        if one["for_entity"] == "Shot"
    }
    sequence = gazu.shot.get_sequence_by_name(show.project, "s01", client=show.admin)
    for number in range(2, 100):
        shot = gazu.shot.new_shot(show.project, sequence, f"c{number:03d}", client=show.admin)
        task = gazu.task.new_task(shot, types["Layout"], client=show.admin)
        gazu.task.assign_task(task, show.artist, client=show.admin)
        drawn = tmp_path / f"c{number:03d}.png"
        scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=number)
        save_layout(draw(scene), drawn)
        show.upload(task, drawn, show.artist)
        yield shot


@pytest.mark.timeout(900)
def test_a_kill_in_each_step_leaves_one_preview_a_version(show: KitsuShow, tmp_path: Path) -> None:
    layouts = _layouts(show, tmp_path)
    shots: list[Any] = []

    def draw_one() -> None:
        shots.append(next(layouts))

    # What is published before the log is followed for the first time is for a backfill.
    show.studio.start()
    show.studio.wait_for("the follower", lambda: show.studio.said("following_event_log"))
    show.studio.stop()
    chance = random.Random(7)
    steps = [step for step in Step if step not in {Step.DETECT, Step.TAKE_IN}]
    # An upload takes longer than a short step: whoever waits for the step must not wait for it.
    with ThreadPoolExecutor(max_workers=1) as artist:
        uploads: list[Future[None]] = []
        for step in (*steps, Step.INTEGRATE, Step.INTEGRATE):
            uploads.append(artist.submit(draw_one))
            uploads.append(artist.submit(draw_one))
            show.studio.start()
            kill_in(show.studio, step, lambda: uploads.append(artist.submit(draw_one)), chance)
        for upload in uploads:
            upload.result()
    show.studio.start()
    show.studio.wait_for("all", lambda: _settled(show, len(shots)))
    # Chance may kill one job four times in one step, which is then taken for its fault.
    for unlucky in show.studio.jobs(JobState.DEAD):
        assert unlucky.error.startswith("The worker died"), unlucky.error
        show.studio.call("jobs", "retry", unlucky.key)
    show.studio.wait_for("the rest", lambda: _done(show, len(shots)))
    show.studio.stop()

    keys = {job.key for job in show.studio.jobs()}
    assert len(keys) == len(shots)
    found: list[str] = []
    for shot in shots:
        tasks = gazu.task.all_tasks_for_shot(shot, client=show.admin)
        (background,) = [one for one in tasks if one["task_type_name"] == "Background"]
        rows = gazu.client.get(
            "data/preview-files", params={"task_id": background["id"]}, client=show.admin
        )
        (version,) = rows
        assert version["original_name"]
        found.append(version["data"]["haikei"]["key"])
        (comment,) = gazu.task.all_comments_for_task(background, client=show.admin)
        assert f"haikei:{found[-1]}" in comment["links"]
        files = gazu.client.get(
            "data/output-files", params={"entity_id": shot["id"]}, client=show.admin
        )
        paths = [one["path"] for one in files]
        assert len(paths) == len(set(paths)) >= 2
    assert sorted(found) == sorted(keys)
