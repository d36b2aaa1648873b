"""
What people and tools do, in the words of credits, in the order of a film's end roll.

Names: usage of the Japanese and the English-language trade. Keys are the values of
`haikei.credits.Role`; a new language is a new field.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleName:
    """One role as it is printed."""

    en: str  #: as an end roll's heading
    ja: str
    short_en: str  #: as a word before a name, in a credit line
    short_ja: str
    in_line: bool = True  #: whether a background's credit line names who has it


#: In the order of an end roll.
ROLES: Mapping[str, RoleName] = {
    "art_director": RoleName(
        en="Art Director", ja="美術監督", short_en="Art Director", short_ja="美術監督"
    ),
    "assistant_art_director": RoleName(
        en="Assistant Art Director",
        ja="美術監督補佐",
        short_en="Assistant Art Director",
        short_ja="美術監督補佐",
    ),
    "art_setting": RoleName(
        en="Art Design (Settings)", ja="美術設定", short_en="Art Design", short_ja="美術設定"
    ),
    "art_board": RoleName(
        en="Art Boards", ja="美術ボード", short_en="Art Board", short_ja="美術ボード"
    ),
    "layout": RoleName(en="Layout", ja="レイアウト", short_en="Layout", short_ja="レイアウト"),
    "genzu": RoleName(
        en="Background Layout (Genzu)", ja="背景原図", short_en="Layout", short_ja="原図"
    ),
    "genzu_clean_up": RoleName(
        en="Background Layout Clean-up",
        ja="原図整理",
        short_en="Layout clean-up",
        short_ja="原図整理",
    ),
    "ai_generation": RoleName(
        en="AI Background Generation (tool)",
        ja="AI背景生成（ツール）",
        short_en="AI generation",
        short_ja="AI生成",
    ),
    "painting_algorithm": RoleName(
        en="Painting Algorithm (tool)",
        ja="描画アルゴリズム（ツール）",
        short_en="Painting algorithm",
        short_ja="描画アルゴリズム",
    ),
    "ai_operation": RoleName(
        en="AI Generation Operator",
        ja="AI生成オペレーション",
        short_en="operated by",
        short_ja="操作",
    ),
    "selection": RoleName(en="Selection", ja="選定", short_en="Selection", short_ja="選定"),
    "touch_up": RoleName(
        en="Background Art (Paint-over)",
        ja="背景（加筆・修正）",
        short_en="Touch-up",
        short_ja="加筆",
    ),
    "background": RoleName(
        en="Background Art", ja="背景", short_en="Background art", short_ja="背景"
    ),
    "background_check": RoleName(
        en="Background Check", ja="背景検査", short_en="Background check", short_ja="背景検査"
    ),
    "retake": RoleName(
        en="Retake Direction",
        ja="リテイク指示",
        short_en="Retake",
        short_ja="リテイク",
        in_line=False,
    ),
    "approval": RoleName(
        en="Approval", ja="承認", short_en="Approval", short_ja="承認", in_line=False
    ),
    "pipeline": RoleName(
        en="AI Pipeline Development",
        ja="AIパイプライン開発",
        short_en="Pipeline",
        short_ja="パイプライン",
        in_line=False,
    ),
}
