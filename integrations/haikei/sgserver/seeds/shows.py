"""The people and shows of the small studio that the embedded tracker can be filled with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works in the small studio."""

    login: str
    first: str
    last: str
    name_ja: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedCut:
    """A shot, what it shows, and who has worked on it for how long."""

    code: str
    description: str
    layout_artist: str
    layout_status: str = "fin"
    background_status: str = "rdy"
    layout_minutes: Sequence[int] = ()  #: a day each, from `drawn` on
    drawn: date = date(2026, 10, 5)
    painter: str = ""  #: who has painted over the background
    painter_minutes: Sequence[int] = ()  #: a day each, from a week after `drawn` on


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A project with its sequences."""

    name: str
    tank_name: str
    description: str
    sequences: Mapping[str, tuple[str, Sequence[SeedCut]]]  #: by code: description and cuts


#: Everyone who works in the small studio.
PEOPLE = (
    Person(login="ytanaka", first="Yuki", last="Tanaka", name_ja="田中 優希", department="Layout"),
    Person(login="hsato", first="Haruto", last="Sato", name_ja="佐藤 陽翔", department="Layout"),
    Person(login="rmori", first="Ren", last="Mori", name_ja="森 蓮", department="Layout"),
    Person(login="asuzuki", first="Aoi", last="Suzuki", name_ja="鈴木 葵", department="Background"),
    Person(
        login="sito", first="Sakura", last="Ito", name_ja="伊藤 さくら", department="Background"
    ),
    Person(
        login="ekobayashi",
        first="Emi",
        last="Kobayashi",
        name_ja="小林 恵美",
        department="Background",
    ),
    Person(login="tkato", first="Takumi", last="Kato", name_ja="加藤 匠", department="Background"),
    Person(
        login="kwatanabe", first="Kenji", last="Watanabe", name_ja="渡辺 健二", department="Art"
    ),
    Person(
        login="mnakamura",
        first="Mika",
        last="Nakamura",
        name_ja="中村 美香",
        department="Production",
    ),
)
#: Those to whom background tasks are given in turn.
BACKGROUND_ARTISTS = ("asuzuki", "sito")

#: The shows that the small studio works on.
SHOWS = (
    Show(
        name="Port Town",
        tank_name="PORT",
        description="港町の夏。 A summer in a harbour town.",
        sequences={
            "s01": (
                "朝の港 / The harbour in the morning",
                (
                    SeedCut(
                        code="c001",
                        description="港の全景 / The harbour",
                        layout_artist="ytanaka",
                        layout_minutes=(240, 150),
                        painter="ekobayashi",
                        painter_minutes=(95,),
                    ),
                    SeedCut(
                        code="c002",
                        description="桟橋 / The pier",
                        layout_artist="ytanaka",
                        layout_minutes=(180,),
                        drawn=date(2026, 10, 7),
                    ),
                    SeedCut(
                        code="c003",
                        description="市場 / The fish market",
                        layout_artist="hsato",
                        layout_minutes=(300, 210),
                        painter="tkato",
                        painter_minutes=(180, 60),
                    ),
                    SeedCut(
                        code="c004",
                        description="灯台 / The lighthouse",
                        layout_artist="hsato",
                        layout_minutes=(45,),
                        drawn=date(2026, 10, 19),
                        layout_status="ip",
                        background_status="wtg",
                    ),
                ),
            ),
            "s02": (
                "丘の道 / The road over the hills",
                (
                    SeedCut(
                        code="c010",
                        description="丘と海 / Hills and sea",
                        layout_artist="rmori",
                        layout_minutes=(200, 120),
                        painter="asuzuki",
                        painter_minutes=(75,),
                    ),
                    SeedCut(
                        code="c011",
                        description="坂道 / The slope",
                        layout_artist="rmori",
                        layout_minutes=(160,),
                        drawn=date(2026, 10, 8),
                    ),
                    SeedCut(
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
    Show(
        name="Small Station",
        tank_name="STATION",
        description="山あいの無人駅。 An unattended station in the mountains.",
        sequences={
            "s01": (
                "終電 / The last train",
                (
                    SeedCut(
                        code="c001",
                        description="ホーム / The platform",
                        layout_artist="hsato",
                        layout_minutes=(190,),
                        drawn=date(2026, 10, 12),
                        painter="sito",
                        painter_minutes=(120,),
                    ),
                    SeedCut(
                        code="c002",
                        description="踏切 / The crossing",
                        layout_artist="rmori",
                        layout_minutes=(140, 35),
                        drawn=date(2026, 10, 12),
                    ),
                    SeedCut(
                        code="c003",
                        description="村 / The village",
                        layout_artist="ytanaka",
                        layout_minutes=(260,),
                        drawn=date(2026, 10, 13),
                    ),
                    SeedCut(
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
