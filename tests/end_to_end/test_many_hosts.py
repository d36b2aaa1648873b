"""Two hosts of one studio on one PostgreSQL: nothing waits, nothing is doubled, one takes over."""

from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.databases import postgres_url
from support.studio import SiteRow, Studio, studio

SHOTS = tuple(f"c{number:03d}" for number in range(1, 9))


@pytest.fixture
def hosts(tmp_path: Path) -> Generator[tuple[Studio, Studio]]:
    database = f'[database]\nurl = "{postgres_url()}"\n'
    with studio(tmp_path / "one", extra_settings=database) as one:
        one.cast([("PORT", "s01", shot) for shot in SHOTS])
        two = one.another_host(tmp_path / "two")
        try:
            yield one, two
        finally:
            two.stop()


def _draw(here: Studio, shot: str) -> None:
    path = here.projects / "PORT" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=int(shot[1:]))
    save_layout(draw(scene), path)


def _versions(here: Studio) -> list[dict[str, Any]]:
    client = here.connect()
    found = cast("list[SiteRow]", client.find("Version", [], ["entity", "sg_haikei_key"]))
    client.close()
    return found


def test_two_hosts_share_the_work_and_one_goes_on_when_the_other_is_gone(
    hosts: tuple[Studio, Studio],
) -> None:
    one, two = hosts
    one.start()
    one.wait_for("workers", lambda: one.log_text().count("worker_ready") == 2)
    two.start()
    two.wait_for("workers", lambda: two.log_text().count("worker_ready") == 2)
    two.wait_for("standing by", lambda: two.log_text().count("stands_by") >= 3)
    for shot in SHOTS[:6]:
        _draw(one, shot)
    one.wait_for("some backgrounds", lambda: len(one.jobs(JobState.DONE)) >= 2)
    one.kill()
    for shot in SHOTS[6:]:
        _draw(one, shot)
    two.wait_for("all backgrounds", lambda: len(two.jobs(JobState.DONE)) == len(SHOTS))
    two.wait_for("taking over", lambda: two.log_text().count("takes_over") >= 3)
    two.stop()

    assert {job.state for job in two.jobs()} == {JobState.DONE}
    versions = _versions(one)
    assert Counter(row["entity"]["name"] for row in versions) == Counter(SHOTS)
    assert len({row["sg_haikei_key"] for row in versions}) == len(SHOTS)
    assert not list((two.folder / "state").rglob("*.png"))
    two.call("ledger", "verify")


def test_another_studio_on_the_same_database_is_refused(
    hosts: tuple[Studio, Studio], tmp_path: Path
) -> None:
    one, two = hosts
    one.call("jobs", "list")
    assert two.run("jobs", "list").returncode == 0
    text = one.settings_file.read_text(encoding="utf-8").replace('"Test Studio"', '"Another"')
    other = Studio(folder=tmp_path / "other", url=one.url)
    (other.folder / "projects").mkdir(parents=True)
    (other.folder / "tracker.key").write_text("test-key")
    other.settings_file.write_text(text, encoding="utf-8")

    refused = other.run("jobs", "list")

    assert refused.returncode != 0
    assert "another studio" in refused.stderr
    assert "'Test Studio'" in refused.stderr
