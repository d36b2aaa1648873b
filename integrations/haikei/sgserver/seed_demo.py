"""A small studio to try things with: two shows, their shots, and who works on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

from haikei.sgserver.rpc import dispatch
from haikei.sgserver.seed_empty import find_or_create, link, seed_empty
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json, Row

#: The field that holds a person's name in Japanese script.
NAME_JA = "sg_name_ja"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    login: str
    first: str
    last: str
    name_ja: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    code: str
    description: str
    layout_artist: str
    layout_status: str = "fin"
    background_status: str = "rdy"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Show:
    name: str
    tank_name: str
    description: str
    sequences: Mapping[str, tuple[str, Sequence[_Cut]]]  #: by code: description and cuts


_PEOPLE = (
    _Person(login="ytanaka", first="Yuki", last="Tanaka", name_ja="田中 優希", department="Layout"),
    _Person(login="hsato", first="Haruto", last="Sato", name_ja="佐藤 陽翔", department="Layout"),
    _Person(login="rmori", first="Ren", last="Mori", name_ja="森 蓮", department="Layout"),
    _Person(
        login="asuzuki", first="Aoi", last="Suzuki", name_ja="鈴木 葵", department="Background"
    ),
    _Person(
        login="sito", first="Sakura", last="Ito", name_ja="伊藤 さくら", department="Background"
    ),
    _Person(
        login="kwatanabe", first="Kenji", last="Watanabe", name_ja="渡辺 健二", department="Art"
    ),
    _Person(
        login="mnakamura",
        first="Mika",
        last="Nakamura",
        name_ja="中村 美香",
        department="Production",
    ),
)
_BACKGROUND_ARTISTS = ("asuzuki", "sito")

_SHOWS = (
    _Show(
        name="Port Town",
        tank_name="PORT",
        description="港町の夏。 A summer in a harbour town.",
        sequences={
            "s01": (
                "朝の港 / The harbour in the morning",
                (
                    _Cut(
                        code="c001", description="港の全景 / The harbour", layout_artist="ytanaka"
                    ),
                    _Cut(code="c002", description="桟橋 / The pier", layout_artist="ytanaka"),
                    _Cut(code="c003", description="市場 / The fish market", layout_artist="hsato"),
                    _Cut(
                        code="c004",
                        description="灯台 / The lighthouse",
                        layout_artist="hsato",
                        layout_status="ip",
                        background_status="wtg",
                    ),
                ),
            ),
            "s02": (
                "丘の道 / The road over the hills",
                (
                    _Cut(code="c010", description="丘と海 / Hills and sea", layout_artist="rmori"),
                    _Cut(code="c011", description="坂道 / The slope", layout_artist="rmori"),
                    _Cut(
                        code="c012",
                        description="神社の階段 / The shrine's steps",
                        layout_artist="ytanaka",
                        layout_status="rdy",
                        background_status="wtg",
                    ),
                ),
            ),
        },
    ),
    _Show(
        name="Small Station",
        tank_name="STATION",
        description="山あいの無人駅。 An unattended station in the mountains.",
        sequences={
            "s01": (
                "終電 / The last train",
                (
                    _Cut(code="c001", description="ホーム / The platform", layout_artist="hsato"),
                    _Cut(code="c002", description="踏切 / The crossing", layout_artist="rmori"),
                    _Cut(code="c003", description="村 / The village", layout_artist="ytanaka"),
                    _Cut(
                        code="c004",
                        description="待合室 / The waiting room",
                        layout_artist="hsato",
                        layout_status="wtg",
                        background_status="wtg",
                    ),
                ),
            ),
        },
    ),
)


def seed_demo(site: Site) -> None:
    """Add what is missing of the small studio; what is there stays as it is."""
    seed_empty(site)
    _ensure_japanese_names(site)
    people = {person.login: link(_person(site, person)) for person in _PEOPLE}
    steps = {
        code: link(find_or_create(site, "Step", {"code": code, "entity_type": "Shot"}, {}))
        for code in ("Layout", "Background")
    }
    for show in _SHOWS:
        _show(site, show, people, steps)


def _ensure_japanese_names(site: Site) -> None:
    known = dispatch(site, site.system, "schema_field_read", {"type": "HumanUser"})
    if isinstance(known, Mapping) and NAME_JA in known:
        return
    dispatch(
        site,
        site.system,
        "schema_field_create",
        {
            "type": "HumanUser",
            "data_type": "text",
            "properties": [
                {"property_name": "name", "value": "Name JA"},
                {"property_name": "description", "value": "The name in Japanese script."},
            ],
        },
    )


def _person(site: Site, person: _Person) -> Row:
    department = find_or_create(site, "Department", {"name": person.department}, {})
    return find_or_create(
        site,
        "HumanUser",
        {"login": person.login},
        {
            "name": f"{person.first} {person.last}",
            "firstname": person.first,
            "lastname": person.last,
            "email": f"{person.login}@localhost",
            "sg_status_list": "act",
            "department": link(department),
            NAME_JA: person.name_ja,
        },
    )


def _show(site: Site, show: _Show, people: Mapping[str, Row], steps: Mapping[str, Row]) -> None:
    project = link(
        find_or_create(
            site,
            "Project",
            {"tank_name": show.tank_name},
            {
                "name": show.name,
                "code": show.tank_name,
                "sg_description": show.description,
                "sg_status": "Active",
                "users": list(people.values()),
            },
        )
    )
    painters = cycle(_BACKGROUND_ARTISTS)
    for code, (description, cuts) in show.sequences.items():
        sequence = link(
            find_or_create(
                site,
                "Sequence",
                {"code": code, "project": project},
                {"description": description},
            )
        )
        for cut in cuts:
            shot = find_or_create(
                site,
                "Shot",
                {"code": cut.code, "project": project, "sg_sequence": sequence},
                {"description": cut.description, "sg_status_list": "ip"},
            )
            for step, artist, status in (
                ("Layout", cut.layout_artist, cut.layout_status),
                ("Background", next(painters), cut.background_status),
            ):
                _task(site, project, link(shot), step, steps[step], people[artist], status)


def _task(
    site: Site,
    project: Row,
    shot: Row,
    name: str,
    step: Row,
    artist: Row,
    status: str,
) -> None:
    assignees: list[Json] = [artist]
    find_or_create(
        site,
        "Task",
        {"content": name, "entity": shot},
        {
            "project": project,
            "step": step,
            "task_assignees": assignees,
            "sg_status_list": status,
        },
    )
