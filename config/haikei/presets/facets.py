"""The sides of an image's making, their states and how they are known, in the words of reports."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One term as reports print it."""

    en: str
    ja: str


#: Keys are the values of `haikei.credits.Facet`.
FACETS: Mapping[str, Label] = {
    "layout": Label(en="Concept and layout", ja="構想・レイアウト"),
    "generation": Label(en="Generation", ja="生成"),
    "touch_up": Label(en="Touch-up", ja="加筆"),
    "review": Label(en="Selection and review", ja="選定・検査"),
}
#: Keys are the values of `haikei.credits.Grade`.
GRADES: Mapping[str, Label] = {
    "measured": Label(en="measured", ja="計測"),
    "logged": Label(en="logged", ja="記録"),
    "declared": Label(en="declared", ja="申告"),
}
#: Keys are the values of `haikei.credits.FacetState`.
FACET_STATES: Mapping[str, Label] = {
    "none": Label(en="none", ja="なし"),
    "human": Label(en="human", ja="人間"),
    "human_and_ai": Label(en="human and AI", ja="人間とAI"),
    "ai": Label(en="AI", ja="AI"),
    "algorithm": Label(en="algorithm without AI", ja="AIでないアルゴリズム"),
    "by_hand": Label(en="painted by hand", ja="手描き"),
    "local": Label(en="local", ja="部分的"),
    "global_grade": Label(en="grade of the whole image", ja="全体の色調整"),
    "full_repaint": Label(en="full repaint", ja="全面描き直し"),
    "unmeasured": Label(en="not measured", ja="計測なし"),
    "selected": Label(en="selected", ja="選定済み"),
    "approved": Label(en="approved", ja="承認済み"),
    "withdrawn": Label(en="approval taken back", ja="承認取り消し"),
    "retake": Label(en="retake asked for", ja="リテイク"),
    "on_hold": Label(en="on hold", ja="保留"),
    "omitted": Label(en="omitted", ja="欠番"),
}
