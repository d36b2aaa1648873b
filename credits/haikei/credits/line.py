"""The line that names everyone who had a part in a background, in English and Japanese."""

from collections.abc import Sequence
from dataclasses import dataclass

from haikei.credits.maker import Person, System
from haikei.errors import CreditError


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """One background's credits as a single line."""

    en: str
    ja: str


def credit_line(
    *, artists: Sequence[Person], systems: Sequence[System], operator: Person | None
) -> CreditLine:
    """
    Return the credit line of a background.

    A system is printed as a tool with who ran it, never as a person, and never as "AI (+Human)".
    A system that holds no trained model is not called AI.

    Raises:
        CreditError: nobody is named for the layout.
    """
    if not artists or not all(person.name.strip() for person in artists):
        raise CreditError(
            "No credit line without a name: nobody is named for the layout.",
            advice="Assign the layout's task to its artist, or record the artist's opt-out.",
        )
    seen: dict[tuple[str, str], System] = {}
    for system in systems:
        seen.setdefault((system.name, system.version), system)
    en = ["Layout " + ", ".join(person.name for person in artists)]
    ja = ["原図 " + "、".join(person.name_ja or person.name for person in artists)]
    run_en = f"operated by {operator.name}" if operator else "run by pipeline"
    run_ja = f"操作 {operator.name_ja or operator.name}" if operator else "パイプライン自動実行"
    for system in seen.values():
        ai = system.source_type.is_ai
        tool = f"{system.name} {system.version}".strip()
        en.append(f"{'AI generation' if ai else 'Painting algorithm'} {tool} ({run_en})")
        ja.append(f"{'AI生成' if ai else '描画アルゴリズム'} {tool}（{run_ja}）")
    return CreditLine(en="Background: " + " · ".join(en), ja="背景：" + " · ".join(ja))
