"""What the whole site lacks for a while costs no job: all go on by themselves, told of once."""

from pathlib import Path

from sqlalchemy import select

from haikei.database import notices, open_database, reading
from haikei.jobs import JobState
from haikei.jobs.lanes import Lane, lane_states
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.studio import KEY, Studio, studio

SHOTS = tuple(f"c{number:03d}" for number in range(1, 7))


def _draw(here: Studio, shot: str) -> None:
    path = here.projects / "PORT" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=int(shot[1:]))
    save_layout(draw(scene), path)


def _held(here: Studio) -> str:
    database = open_database(here.settings().database_url)
    with reading(database) as connection:
        states = {one.lane: one.fault for one in lane_states(connection)}
    database.dispose()
    return states[Lane.STEPS]


def _told(here: Studio) -> list[str]:
    database = open_database(here.settings().database_url)
    with reading(database) as connection:
        query = select(notices.c.text).where(notices.c.key.startswith("held/"))
        found = list(connection.execute(query).scalars())
    database.dispose()
    return found


def test_a_wrong_key_for_a_while_and_a_share_that_is_away_cost_no_job(tmp_path: Path) -> None:
    with studio(tmp_path / "studio") as here:
        here.cast([("PORT", "s01", shot) for shot in SHOTS])
        key = here.folder / "tracker.key"
        key.write_text("changed-on-the-site")
        here.start()
        for shot in SHOTS[:3]:
            _draw(here, shot)
        here.wait_for("a lane held by the key", lambda: "sign in" in _held(here))
        assert here.jobs(JobState.DEAD) == []
        key.write_text(KEY)
        here.wait_for("all backgrounds", lambda: len(here.jobs(JobState.DONE)) == 3)
        assert len(_told(here)) == 1
        assert "tracker.script and its key" in _told(here)[0]

        for shot in SHOTS[3:]:
            _draw(here, shot)
        here.wait_for("jobs", lambda: len(here.jobs()) == len(SHOTS))
        away = here.folder / "away"
        here.projects.rename(away)
        here.wait_for(
            "a lane held by the share",
            lambda: "is not there" in _held(here) or len(here.jobs(JobState.DONE)) == len(SHOTS),
        )
        away.rename(here.projects)
        here.wait_for("the rest", lambda: len(here.jobs(JobState.DONE)) == len(SHOTS))
        here.stop()

        assert {job.state for job in here.jobs()} == {JobState.DONE}
        client = here.connect()
        assert len(client.find("Version", [])) == len(SHOTS)
        client.close()
