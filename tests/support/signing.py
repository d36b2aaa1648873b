"""Pictures with marks of four steps, and what is marked into them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import c2pa  # type: ignore[import-untyped]
import numpy as np

from haikei.credits import (
    Contribution,
    CreditLine,
    Evidence,
    Grade,
    ImageKind,
    Person,
    Relation,
    Role,
    SourceType,
    System,
)
from haikei.images import Picture, write_picture
from haikei.measurements import Change, Region
from haikei.provenance import Marked, MarkedIngredient, MarkRequest, MarkSigner, c2pa_python, mark
from haikei.provenance.c2pa_python import Trust
from haikei.provenance.source_types import IPTC
from haikei.settings import Settings

AT = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
TANAKA = Person(id="HumanUser:12", name="Yuki Tanaka", name_ja="田中ゆき")
SATO = Person(id="HumanUser:14", name="A. Sato", name_ja="佐藤葵")
MODEL = System(
    name="SDXL",
    version="1.0",
    source_type=SourceType.TRAINED,
    sha256="31" * 32,
    licence="OpenRAIL++-M",
    data="as its maker discloses",
)
PAINTER = System(name="Haikei painter", version="1", source_type=SourceType.ALGORITHMIC)
CREDIT = CreditLine(en="Background: Layout Yuki Tanaka", ja="背景：原図 田中ゆき")
REQUEST = '{"prompt":"autumn harbour","seed":1234}'


def contribution(
    role: Role, actor: Person | System, *, grade: Grade = Grade.LOGGED, change: Change | None = None
) -> Contribution:
    """Return one contribution."""
    evidence = Evidence(source="Task:14 assignee", change=change)
    return Contribution(role=role, actor=actor, grade=grade, evidence=evidence, at=AT)


DREW = contribution(Role.GENZU, TANAKA)
GENERATED = contribution(Role.AI_GENERATION, MODEL)
PAINTED_OVER = contribution(
    Role.TOUCH_UP,
    SATO,
    grade=Grade.MEASURED,
    change=Change(
        method="haikei-change/2",
        parameters="{}",
        area_ppm=36_000,
        regions=(Region(x=40, y=20, width=30, height=20, pixels=500),),
        global_milli_de=0,
        shift_milli_px=0,
    ),
)


def signing_settings(folder: Path, **signing: object) -> Settings:
    """Return the settings of a studio in this folder."""
    return Settings.model_validate(
        {
            "studio": {"name": "Test Studio", "state": str(folder / "state")},
            "storage": {"roots": [{"name": "primary", "path": str(folder)}]},
            "signing": signing,
        }
    )


def write_noise(seed: int, path: Path, *, width: int = 96, height: int = 64) -> Path:
    """Write a picture of noise in the format of the path's ending."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((height, width, 3), dtype=np.float32)
    write_picture(Picture(pixels=pixels), path)
    return path


def mark_request(source: Path, target: Path, **changes: object) -> MarkRequest:
    """Return the request to mark a layout, with these changes."""
    values: dict[str, object] = {
        "source": source,
        "target": target,
        "title": target.stem,
        "kind": ImageKind.LAYOUT,
        "source_type": SourceType.DIGITAL_CREATION,
        "overall_source_type": SourceType.DIGITAL_CREATION,
        "contributions": (DREW,),
        "credited": (DREW,),
        "credit": CREDIT,
        "ingredients": (),
        "request_json": "",
        "oversight": "prompt_guided",
        "at": AT,
    }
    return MarkRequest(**{**values, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class FourSteps:
    """The marked files of a background, in the order in which they were made."""

    layout: Marked
    first: Marked
    second: Marked
    final: Marked


def four_steps(
    folder: Path,
    signer: MarkSigner,
    *,
    stages: str = "png",
    final: str = "png",
    make: Callable[[int, Path], Path] = write_noise,
) -> FourSteps:
    """Mark a layout, a first and a second generation, and a touch-up on top of them."""
    folder.mkdir(parents=True, exist_ok=True)

    def plain(seed: int, name: str) -> Path:
        return make(seed, folder / f"plain-{name}")

    def parent(marked: Marked) -> MarkedIngredient:
        return _ingredient(marked, Relation.PARENT)

    def given(marked: Marked) -> MarkedIngredient:
        return _ingredient(marked, Relation.INPUT)

    layout = mark(mark_request(plain(1, "layout.png"), folder / "c012_layout.png"), signer)
    first = mark(
        mark_request(
            plain(2, f"gen1.{stages}"),
            folder / f"c012_gen1.{stages}",
            kind=ImageKind.GENERATION,
            source_type=SourceType.TRAINED,
            overall_source_type=SourceType.COMPOSITE_TRAINED,
            contributions=(GENERATED,),
            credited=(DREW, GENERATED),
            ingredients=(given(layout),),
            request_json=REQUEST,
        ),
        signer,
    )
    second = mark(
        mark_request(
            plain(3, f"gen2.{stages}"),
            folder / f"c012_gen2.{stages}",
            kind=ImageKind.BACKGROUND,
            source_type=SourceType.TRAINED,
            overall_source_type=SourceType.COMPOSITE_TRAINED,
            contributions=(GENERATED,),
            credited=(DREW, GENERATED),
            ingredients=(parent(first), given(layout)),
            request_json=REQUEST,
        ),
        signer,
    )
    last = mark(
        mark_request(
            plain(4, f"final.{final}"),
            folder / f"c012_final.{final}",
            kind=ImageKind.TOUCH_UP,
            source_type=SourceType.HUMAN_EDITS,
            overall_source_type=SourceType.COMPOSITE_TRAINED,
            contributions=(PAINTED_OVER,),
            credited=(DREW, GENERATED, PAINTED_OVER),
            ingredients=(parent(second),),
            oversight="human_validated",
        ),
        signer,
    )
    return FourSteps(layout=layout, first=first, second=second, final=last)


def _ingredient(marked: Marked, relation: Relation) -> MarkedIngredient:
    return MarkedIngredient(
        path=marked.path, manifest=marked.manifest, relation=relation, title=marked.path.stem
    )


#: Who made each of the four steps, as marks and records say alike.
MADE_BY = ((DREW,), (GENERATED,), (GENERATED,), (PAINTED_OVER,))


def sign_raw(
    source: Path,
    target: Path,
    signer: MarkSigner,
    *,
    source_type: str = IPTC + "digitalCreation",
    ingredient: Path | None = None,
    mining: str = "",
) -> None:
    """Sign a PNG as another program would: straight through the library, with nobody checking."""
    action: dict[str, object] = {"action": "c2pa.created", "digitalSourceType": source_type}
    if ingredient is not None:
        action = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
    actions = {"actions": [action], "allActionsIncluded": True}
    assertions: list[dict[str, object]] = [{"label": "c2pa.actions.v2", "data": actions}]
    if mining:
        entries = {"cawg.ai_inference": {"use": mining}}
        assertions.append({"label": "cawg.training-mining", "data": {"entries": entries}})
    plain = {"title": "raw", "assertions": assertions}
    trust = Trust(signers=signer.trust_pem)
    with (
        c2pa.Builder(plain, c2pa_python.context(trust)) as builder,
        c2pa.Signer.from_callback(
            signer.sign, c2pa.C2paSigningAlg.ES256, signer.chain.pem, None
        ) as native,
        source.open("rb") as file,
        target.open("w+b") as out,
    ):
        if ingredient is not None:
            about = {"title": "parent", "relationship": "parentOf", "label": "parent"}
            with ingredient.open("rb") as parent:
                builder.add_ingredient(about, "image/png", parent)
        builder.sign(native, "image/png", file, out)
