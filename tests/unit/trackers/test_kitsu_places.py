"""What the columns of Kitsu say is read as it is now, though the lists of rows are kept."""

from collections.abc import Sequence
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr

from haikei.settings import Tracker
from haikei.show import Place
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.places import KitsuPlaces, KitsuShot
from haikei.trackers.kitsu.rows import KitsuRow

R = TypeVar("R", bound=KitsuRow)

PLACE = Place(project="PORT", sequence="s01", shot="c001")
LISTS = {
    "data/projects": ("show",),
    "data/projects/show/shots": ("shot",),
    "data/projects/show/sequences": ("sequence",),
    "data/projects/show/episodes": ("episode",),
}


class Server(KitsuSite):
    """Answers from rows in memory."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__(tracker, SecretStr("key"))
        self.season = "spring"
        self.asked: list[str] = []

    def rows(self, kind: type[R], path: str, /, **filters: str) -> tuple[R, ...]:
        del filters
        return tuple(kind.model_validate(self._row(uid)) for uid in LISTS[path])

    def row(self, kind: type[R], path: str) -> R | None:
        uid = path.rpartition("/")[2]
        self.asked.append(uid)
        return kind.model_validate(self._row(uid))

    def _row(self, uid: str) -> dict[str, Any]:
        names = {"show": "PORT", "episode": "e01", "sequence": "s01", "shot": "c001"}
        parents = {"shot": "sequence", "sequence": "episode"}
        return {
            "id": uid,
            "name": names[uid],
            "type": uid.capitalize(),
            "project_id": "show",
            "parent_id": parents.get(uid),
            "data": {"season": self.season},
        }


def seasons(found: KitsuShot) -> dict[str, str]:
    rows = {
        "": found.shot,
        "sequence": found.sequence,
        "episode": found.episode,
        "project": found.project,
    }
    return {name: row.data["season"] for name, row in rows.items() if row is not None}


@pytest.mark.parametrize(
    "named", [(), ("",), ("sequence",), ("episode",), ("project",), ("", "sequence", "project")]
)
def test_rows_are_read_again_whose_columns_the_settings_name(named: Sequence[str]) -> None:
    fields = [f"{one}.season".lstrip(".") for one in named]
    tracker = Tracker.model_validate({"kind": "kitsu", "cut_fields": {"season": fields}})
    server = Server(tracker)
    places = KitsuPlaces(server, tracker)
    places.with_parents_now(places.shot(PLACE))

    server.season = "winter"
    server.asked.clear()
    found = seasons(places.with_parents_now(places.shot(PLACE)))

    assert found == {
        whose: "winter" if whose in named else "spring"
        for whose in ("", "sequence", "episode", "project")
    }
    assert len(server.asked) == len(named)


def test_the_shot_is_read_again_for_the_column_that_keeps_it_from_models() -> None:
    tracker = Tracker.model_validate({"kind": "kitsu", "no_ai_field": "season"})
    server = Server(tracker)
    places = KitsuPlaces(server, tracker)
    places.shot(PLACE)

    server.season = "winter"

    assert places.shot(PLACE).shot.data["season"] == "winter"
