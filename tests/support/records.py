"""Records of images and versions, one by one or by the ten thousand, and ledgers of them."""

import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, text, update

from haikei.canonical import canonical_json
from haikei.credits import (
    BackgroundVersion,
    Contribution,
    Evidence,
    Grade,
    ImageKind,
    ImageRecord,
    Ingredient,
    Person,
    Relation,
    Role,
    SourceType,
    System,
    records,
)
from haikei.database import ledger, ledger_nodes
from haikei.decisions import ReviewState
from haikei.ledger import NoteSigner, append_many, note_signer
from haikei.ledger.outlet import DropFolder
from haikei.ledger.tree import Frontier, leaf_hash
from haikei.measurements import Change, LineRecall, Region
from haikei.settings import Settings
from support.databases import fresh_database
from support.jobs import studio_settings

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
TANAKA = Person(id="HumanUser:11", name="Yuki Tanaka", name_ja="田中ゆき")
SATO = Person(id="HumanUser:12", name="A. Sato", name_ja="佐藤葵")
ITO = Person(id="HumanUser:13", name="M. Ito", name_ja="伊藤真")
MORI = Person(id="HumanUser:14", name="K. Mori", name_ja="森健")
#: Names of all kinds: without a Japanese form, long, in other scripts, withheld.
ARTISTS = (
    TANAKA,
    Person(id="HumanUser:21", name="Haruka Kobayashi", name_ja="小林遥"),
    Person(id="HumanUser:22", name="Nguyễn Thị Minh Khai"),
    Person(
        id="HumanUser:23",
        name="Maximiliana Konstantinopoulou-Wolfeschlegelsteinhausenbergerdorff",
        name_ja="マクシミリアーナ・コンスタンティノポーロウ＝ヴォルフェシュレーゲルシュタインハウゼン",
    ),
    Person(id="HumanUser:24", name="Rin Aoki", name_ja="青木凛", opt_out="letter of 2026-10-02"),
    Person(id="HumanUser:25", name="Jun Li", name_ja="李俊"),
    *(
        Person(id=f"HumanUser:{30 + n}", name=f"{given} {family}", name_ja=f"{kanji}{kana}")
        for n, (given, family, kanji, kana) in enumerate(
            (given, family, kanji, kana)
            for family, kanji in (("Suzuki", "鈴木"), ("Takahashi", "高橋"), ("Watanabe", "渡辺"))
            for given, kana in (
                ("Sora", "そら"),
                ("Mei", "めい"),
                ("Ren", "れん"),
                ("Aoi", "あおい"),
            )
        )
    ),
)
TOUCH_UP_ARTISTS = (
    SATO,
    Person(id="HumanUser:50", name="Mio Fujita", name_ja="藤田澪"),
    Person(id="HumanUser:51", name="O'Brien, Seán"),
    Person(id="HumanUser:52", name="Chika Ono", name_ja="小野千佳", opt_out="mail of 2026-09-14"),
)
_SEASONS = (("summer", "day"), ("summer", "sunset"), ("winter", "night"), ("spring", "morning"))


def sha256_of(*parts: object) -> str:
    """Return a hash that follows from what it is for."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()


def a_person(number: int = 1, *, name: str = "", name_ja: str = "", opt_out: str = "") -> Person:
    return Person(
        id=f"HumanUser:{number}", name=name or f"Artist {number}", name_ja=name_ja, opt_out=opt_out
    )


def a_system(
    name: str = "SDXL",
    version: str = "1.0",
    source_type: SourceType = SourceType.TRAINED,
) -> System:
    ai = source_type.is_ai
    return System(
        name=name,
        version=version,
        source_type=source_type,
        sha256=sha256_of("weights", name, version) if ai else "",
        licence="CreativeML Open RAIL++-M" if ai else "Apache-2.0",
        data="Pictures and captions of the web, as its card says." if ai else "",
    )


PAINTER = a_system("haikei-painter", "1", SourceType.ALGORITHMIC)


def a_contribution(
    role: Role,
    actor: Person | System,
    *,
    grade: Grade = Grade.LOGGED,
    source: str = "test",
    sha256: str = "",
    note: str = "",
    minutes: int | None = None,
    change: Change | None = None,
    recall: LineRecall | None = None,
    at: datetime = START,
) -> Contribution:
    evidence = Evidence(
        source=source, sha256=sha256, note=note, minutes=minutes, change=change, recall=recall
    )
    return Contribution(role=role, actor=actor, grade=grade, evidence=evidence, at=at)


def a_change(*, area_ppm: int = 34_800, regions: int = 2, global_milli_de: int = 0) -> Change:
    return Change(
        method="haikei-change/2",
        parameters='{"threshold_milli_de":5000}',
        area_ppm=area_ppm,
        regions=tuple(
            Region(x=190 + 300 * n, y=106, width=157, height=113, pixels=9000 - n)
            for n in range(regions)
        ),
        global_milli_de=global_milli_de,
        shift_milli_px=0,
        map_sha256=sha256_of("map", area_ppm, regions),
    )


def a_recall(observed_ppm: int = 938_000) -> LineRecall:
    return LineRecall(
        method="haikei-recall/1",
        tolerance_px=3,
        observed_ppm=observed_ppm,
        chance_ppm=145_000,
        chance_sd_ppm=9_000,
    )


def a_layout(
    name: str = "c001",
    *,
    artists: Sequence[Person] = (TANAKA,),
    role: Role = Role.GENZU,
    source_type: SourceType = SourceType.DIGITAL_CREATION,
    contributions: Sequence[Contribution] = (),
    at: datetime = START,
) -> ImageRecord:
    drawn = tuple(
        a_contribution(role, artist, source=f"Task:{name} assignee", at=at) for artist in artists
    )
    return ImageRecord(
        key=f"layout-{name}/layout",
        sha256=sha256_of("layout", name),
        pixels_sha256=sha256_of("layout pixels", name),
        kind=ImageKind.LAYOUT,
        source_type=source_type,
        ingredients=(),
        contributions=(*drawn, *contributions),
        request_json="",
        path=f"show/{name}/layout/{name}_bg_v001.png",
        created_at=at,
    )


def a_generation(
    name: str = "c001",
    *,
    stage: str = "gen1",
    layout: ImageRecord | None = None,
    parent: ImageRecord | None = None,
    system: System | None = None,
    operator: Person | None = None,
    kind: ImageKind | None = None,
    contributions: Sequence[Contribution] = (),
    at: datetime = START,
) -> ImageRecord:
    """Return a generation; it is the background itself when it is named so or has a parent."""
    system = a_system() if system is None else system
    request = json.dumps(
        {"layout_sha256": "" if layout is None else layout.sha256, "prompt": name, "seed": 1234},
        sort_keys=True,
        separators=(",", ":"),
    )
    role = Role.AI_GENERATION if system.source_type.is_ai else Role.PAINTING_ALGORITHM
    made = a_contribution(
        role, system, source="generation request", sha256=sha256_of(request), at=at
    )
    run = () if operator is None else (a_contribution(Role.AI_OPERATION, operator, at=at),)
    above: tuple[Ingredient, ...] = ()
    if parent is not None:
        above += (Ingredient(sha256=parent.sha256, relation=Relation.PARENT),)
    if layout is not None:
        above += (Ingredient(sha256=layout.sha256, relation=Relation.INPUT),)
    if kind is None:
        kind = ImageKind.GENERATION if parent is None else ImageKind.BACKGROUND
    return ImageRecord(
        key=f"{name}/{stage}",
        sha256=sha256_of(name, stage),
        pixels_sha256=sha256_of("pixels", name, stage),
        kind=kind,
        source_type=system.source_type,
        ingredients=above,
        contributions=(made, *run, *contributions),
        request_json=request,
        path=f"show/{name}/{stage}.png",
        created_at=at,
    )


def a_touch_up(
    name: str = "c001",
    *,
    parent: ImageRecord | None = None,
    artists: Sequence[Person] = (SATO,),
    change: Change | None = None,
    stage: str = "touch_up",
    contributions: Sequence[Contribution] = (),
    at: datetime = START,
) -> ImageRecord:
    measured = a_change() if change is None else change
    return ImageRecord(
        key=f"{name}/{stage}",
        sha256=sha256_of(name, stage),
        pixels_sha256=sha256_of("pixels", name, stage),
        kind=ImageKind.TOUCH_UP,
        source_type=SourceType.HUMAN_EDITS,
        ingredients=()
        if parent is None
        else (Ingredient(sha256=parent.sha256, relation=Relation.PARENT),),
        contributions=(
            *(
                a_contribution(
                    Role.TOUCH_UP,
                    artist,
                    grade=Grade.LOGGED,
                    source="PublishedFile created_by",
                    change=measured,
                    minutes=45,
                    at=at,
                )
                for artist in artists
            ),
            *contributions,
        ),
        request_json="",
        path=f"show/{name}/{stage}.png",
        created_at=at,
    )


def a_chain(
    name: str = "c001",
    *,
    artists: Sequence[Person] = (TANAKA,),
    system: System | None = None,
    operator: Person | None = ITO,
    touch_up_by: Sequence[Person] = (SATO,),
    at: datetime = START,
) -> tuple[ImageRecord, ...]:
    """Return the four images of a chain: layout, two generations, touch-up if anyone made one."""
    layout = a_layout(name, artists=artists, at=at)
    first = a_generation(name, layout=layout, system=system, operator=operator, at=at)
    second = a_generation(
        name, stage="gen2", layout=layout, parent=first, system=system, operator=operator, at=at
    )
    chain = (layout, first, second)
    if not touch_up_by:
        return chain
    return (*chain, a_touch_up(name, parent=second, artists=touch_up_by, at=at))


def a_background(
    shot: str = "c001",
    *,
    project: str = "akane",
    sequence: str = "ep01",
    season: str = "summer",
    time: str = "day",
    version: int = 1,
    images: Sequence[ImageRecord] | None = None,
    state: ReviewState = ReviewState.IN_REVIEW,
    tracker_id: int | None = None,
    created_at: datetime = START,
) -> BackgroundVersion:
    name = f"{project}_{sequence}_{shot}_{season}_{time}_v{version:03d}"
    return BackgroundVersion(
        key=f"job-{name}",
        project=project,
        sequence=sequence,
        shot=shot,
        season=season,
        time=time,
        version=version,
        code=f"{shot}_bg_{season}_{time}_v{version:03d}",
        tracker_id=tracker_id,
        url="" if tracker_id is None else f"http://127.0.0.1:8770/detail/Version/{tracker_id}",
        state=state,
        images=a_chain(name) if images is None else tuple(images),
        ledger=(),
        created_at=created_at,
    )


def save_background(connection: Connection, told: BackgroundVersion) -> BackgroundVersion:
    """Save a version as the job does, and return it as it stands."""
    return records.save(
        connection,
        key=told.key,
        project=told.project,
        episode=told.episode,
        sequence=told.sequence,
        shot=told.shot,
        season=told.season,
        time=told.time,
        version=told.version,
        code=told.code,
        images=told.images,
        created_at=told.created_at,
    )


def save_show(
    connection: Connection,
    *,
    versions: int,
    project: str = "akane",
    touch_ups_every: int = 3,
    retakes_every: int = 7,
    by_hand_every: int = 11,
    variants: int = 2,
    shots_a_sequence: int = 300,
) -> None:
    """
    Fill a database with a generated show, in bulk.

    Each shot has a layout and a background for each of its variants; some have a retake, some a
    touch-up by one or two artists as a further version, and some were painted with no AI at all.
    Names are of all kinds; the same numbers give the same show.
    """
    records.save_all(
        connection,
        a_show(
            versions=versions,
            project=project,
            touch_ups_every=touch_ups_every,
            retakes_every=retakes_every,
            by_hand_every=by_hand_every,
            variants=variants,
            shots_a_sequence=shots_a_sequence,
        ),
    )


def a_show(
    *,
    versions: int,
    project: str = "akane",
    touch_ups_every: int = 3,
    retakes_every: int = 7,
    by_hand_every: int = 11,
    variants: int = 2,
    shots_a_sequence: int = 300,
) -> Iterator[BackgroundVersion]:
    """Yield the versions of such a show; see `save_show`."""
    made = cut = 0
    while made < versions:
        sequence, shot = f"ep{1 + cut // shots_a_sequence:03d}", f"c{cut % shots_a_sequence:04d}"
        at = START + timedelta(minutes=3 * cut)
        name = f"{project}_{sequence}_{shot}"
        layout = a_layout(
            name,
            artists=(ARTISTS[cut % len(ARTISTS)],),
            source_type=SourceType.PRINT if cut % 5 == 0 else SourceType.DIGITAL_CREATION,
            at=at,
        )
        for variant in range(variants):
            season, time = _SEASONS[(cut + variant) % len(_SEASONS)]
            number = cut * variants + variant
            by_hand = by_hand_every and number % by_hand_every == by_hand_every - 1
            takes = 2 if retakes_every and number % retakes_every == 0 else 1
            version, stem = 0, name
            images: tuple[ImageRecord, ...] = (layout,)
            for take in range(takes):
                version += 1
                again = take + 1 < takes
                stem = f"{name}_{season}_{time}_t{take + 1}"
                images = _by_hand(stem, layout, at) if by_hand else _made(stem, number, layout, at)
                yield _shown(
                    project, sequence, shot, season, time, version, images, at, again=again
                )
                made += 1
                if made == versions:
                    return
            if touch_ups_every and number % touch_ups_every == 0 and not by_hand:
                over = _touched(stem, number, images[-1], at + timedelta(hours=5))
                yield _shown(
                    project, sequence, shot, season, time, version + 1, (*images, *over), at
                )
                made += 1
                if made == versions:
                    return
        cut += 1


def _shown(
    project: str,
    sequence: str,
    shot: str,
    season: str,
    time: str,
    version: int,
    images: tuple[ImageRecord, ...],
    at: datetime,
    *,
    again: bool = False,
) -> BackgroundVersion:
    number = int(sha256_of(project, sequence, shot, season, time, version)[:6], 16)
    states = (ReviewState.APPROVED, ReviewState.IN_REVIEW, ReviewState.APPROVED)
    told = a_background(
        shot,
        project=project,
        sequence=sequence,
        season=season,
        time=time,
        version=version,
        images=images,
        state=ReviewState.RETAKE if again else states[number % 3],
        tracker_id=1000 + number,
        created_at=at + timedelta(hours=version),
    )
    return replace(told, code=f"{sequence}_{told.code}")


def _made(stem: str, number: int, layout: ImageRecord, at: datetime) -> tuple[ImageRecord, ...]:
    systems = (a_system(), a_system("FLUX.2 klein", "4B"), PAINTER)
    system = systems[number % 10 % 3]
    operator = ITO if number % 4 else None
    done = at + timedelta(minutes=30)
    first = a_generation(stem, layout=layout, system=system, operator=operator, at=done)
    chosen = (a_contribution(Role.SELECTION, MORI, source="Note:4 reply", at=done),)
    recall = (
        a_contribution(
            Role.GENZU,
            ARTISTS[number % len(ARTISTS)],
            grade=Grade.LOGGED,
            source="layout lines",
            recall=a_recall(900_000 + number % 90_000),
            at=done,
        ),
    )
    second = a_generation(
        stem,
        stage="gen2",
        layout=layout,
        parent=first,
        system=system,
        operator=operator,
        contributions=(*(chosen if number % 2 else ()), *(recall if number % 50 == 0 else ())),
        at=done,
    )
    return layout, first, second


def _by_hand(stem: str, layout: ImageRecord, at: datetime) -> tuple[ImageRecord, ...]:
    painter = TOUCH_UP_ARTISTS[int(sha256_of(stem)[:4], 16) % len(TOUCH_UP_ARTISTS)]
    return layout, ImageRecord(
        key=f"{stem}/background",
        sha256=sha256_of(stem, "background"),
        pixels_sha256=sha256_of("pixels", stem, "background"),
        kind=ImageKind.BACKGROUND,
        source_type=SourceType.DIGITAL_CREATION,
        ingredients=(Ingredient(sha256=layout.sha256, relation=Relation.INPUT),),
        contributions=(
            a_contribution(
                Role.BACKGROUND,
                painter,
                grade=Grade.DECLARED,
                source="delivery",
                minutes=390,
                at=at,
            ),
        ),
        request_json="",
        path=f"show/{stem}/background.psd",
        created_at=at,
    )


def _touched(stem: str, number: int, parent: ImageRecord, at: datetime) -> tuple[ImageRecord, ...]:
    artist = TOUCH_UP_ARTISTS[number % len(TOUCH_UP_ARTISTS)]
    approved = a_contribution(Role.APPROVAL, MORI, source="Version status", at=at)
    change = a_change(area_ppm=number * 7919 % 400_000, regions=1 + number % 4)
    first = a_touch_up(
        stem, parent=parent, artists=(artist,), change=change, contributions=(approved,), at=at
    )
    if number % 5:
        return (first,)
    other = TOUCH_UP_ARTISTS[(number + 1) % len(TOUCH_UP_ARTISTS)]
    second = a_touch_up(stem, stage="touch_up_2", parent=first, artists=(other,), at=at)
    return first, second


def without_guards(connection: Connection) -> None:
    """Drop every trigger on the ledger's tables, as somebody with full access can."""
    query = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for name in connection.execute(query).scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))


def rewrite(connection: Connection, seq: int, payload: str) -> None:
    """Change a record and every stored hash that follows from it, leaving no inner trace."""
    without_guards(connection)
    connection.execute(update(ledger).where(ledger.c.seq == seq).values(payload=payload))
    connection.execute(delete(ledger_nodes))
    tree = Frontier()
    nodes: list[dict[str, int | bytes]] = []
    for number, text_ in connection.execute(text("SELECT seq, payload FROM ledger ORDER BY seq")):
        leaf = leaf_hash(text_)
        connection.execute(update(ledger).where(ledger.c.seq == number).values(leaf=leaf))
        nodes += [
            {"level": level, "idx": at, "hash": value} for level, at, value in tree.append(leaf)
        ]
    if nodes:
        connection.execute(insert(ledger_nodes), nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStudio:
    """What keeping a ledger takes."""

    settings: Settings
    database: Engine
    signer: NoteSigner
    drop: DropFolder

    def add(self, count: int) -> None:
        """Append records that have not been there yet."""
        with self.database.begin() as connection:
            before = connection.exec_driver_sql("SELECT count(*) FROM ledger").scalar_one()
            append_many(
                connection,
                [
                    (f"record/{number}", canonical_json({"artist": "佐藤葵", "number": number}))
                    for number in range(before, before + count)
                ],
            )


@contextmanager
def ledger_studio(folder: Path) -> Generator[LedgerStudio, None, None]:
    """Yield a studio whose ledger is empty, with a drop folder outside."""
    settings = studio_settings(folder)
    database = fresh_database(settings.studio.state / "haikei.db")
    outside = folder / "outside"
    outside.mkdir()
    yield LedgerStudio(
        settings=settings,
        database=database,
        signer=note_signer(settings),
        drop=DropFolder(folder=outside),
    )
    database.dispose()
