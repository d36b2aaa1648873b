"""Pictures that Haikei published itself are not layouts, wherever they stand."""

from pathlib import Path

import numpy as np
from sqlalchemy import select

from haikei.database import files, jobs, reading
from haikei.images import Picture, write_picture
from haikei.settings import Settings
from haikei.sources.watch import Watcher
from support.databases import fresh_database


def test_published_backgrounds_in_the_watched_tree_are_left_alone(tmp_path: Path) -> None:
    projects = tmp_path / "projects"
    settings = Settings.model_validate(
        {
            "studio": {"state": str(tmp_path / "state")},
            "storage": {"roots": [{"name": "primary", "path": str(projects)}]},
            "watch": {"folders": [{"path": str(projects)}], "settle": 0.05},
        }
    )
    shot = projects / "PORT" / "s01" / "c001"
    version = shot / "background" / "summer_day" / "v001"
    picture = Picture(pixels=np.ones((16, 16, 3), np.float32))
    for path in (
        version / "c001_bg_summer_day_v001.png",
        version / "c001_bg_summer_day_v001_change.png",
        version / "stages" / "c001_bg_summer_day_v001_gen1.png",
        shot / "background" / "reference.png",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(picture, path, bits=8)
    database = fresh_database(tmp_path / "state" / "haikei.db")
    watcher = Watcher(settings, database)

    assert watcher.scan_once() == 0

    with reading(database) as connection:
        known = connection.execute(select(files.c.path)).scalars().all()
        refused = connection.execute(select(jobs.c.layout)).scalars().all()
    database.dispose()
    assert refused == known == []
    assert watcher.status.left_alone == 1
