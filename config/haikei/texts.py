"""
Text in English and Japanese, and what roles, states, decisions, steps, seasons and the like are
called: one table each, for reports, pages, notes, mails and commands alike.

Keys are the values of the enumerations that the tables name; a key and its table change together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from haikei.show import Season, TimeOfDay


class Language(StrEnum):
    """The language of a report or page."""

    EN = "en"
    JA = "ja"
    BOTH = "both"  #: English, and Japanese beside it


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One phrase in English and in Japanese."""

    en: str
    ja: str

    def filled(self, **values: object) -> "Bilingual":
        """Return the phrase with its `{name}` fields filled in, a bilingual value in each one."""
        english = {
            key: value.en if isinstance(value, Bilingual) else value
            for key, value in values.items()
        }
        japanese = {
            key: value.ja if isinstance(value, Bilingual) else value
            for key, value in values.items()
        }
        return Bilingual(self.en.format(**english), self.ja.format(**japanese))

    def __str__(self) -> str:
        """Return both, Japanese in brackets, as notes and mails print a label."""
        return f"{self.en} ({self.ja})"


#: A plain string is the same in every language, such as a hash or a file's name.
Text = str | Bilingual


def in_language(text: Text, language: Language) -> str:
    """
    Return the text in the language; for both, English and Japanese with a slash between.

    Where one is missing the other stands in for it.
    """
    if isinstance(text, str):
        return text
    if language is Language.BOTH and text.en and text.ja and text.en != text.ja:
        return f"{text.en} / {text.ja}"
    if language is Language.JA:
        return text.ja or text.en
    return text.en or text.ja


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTexts:
    """What one role is called. Usage of the Japanese and the English-language trade."""

    heading: Bilingual  #: as an end roll's heading
    short: Bilingual  #: before a name, in a credit line
    in_line: bool = True  #: whether a background's credit line names who has the role


#: `haikei.credits.Role`, in the order of a film's end roll.
ROLES: Mapping[str, RoleTexts] = {
    "art_director": RoleTexts(
        heading=Bilingual("Art Director", "美術監督"),
        short=Bilingual("Art Director", "美術監督"),
    ),
    "assistant_art_director": RoleTexts(
        heading=Bilingual("Assistant Art Director", "美術監督補佐"),
        short=Bilingual("Assistant Art Director", "美術監督補佐"),
    ),
    "art_setting": RoleTexts(
        heading=Bilingual("Art Design (Settings)", "美術設定"),
        short=Bilingual("Art Design", "美術設定"),
    ),
    "art_board": RoleTexts(
        heading=Bilingual("Art Boards", "美術ボード"),
        short=Bilingual("Art Board", "美術ボード"),
    ),
    "layout": RoleTexts(
        heading=Bilingual("Layout", "レイアウト"),
        short=Bilingual("Layout", "レイアウト"),
    ),
    "genzu": RoleTexts(
        heading=Bilingual("Background Layout (Genzu)", "背景原図"),
        short=Bilingual("Layout", "原図"),
    ),
    "genzu_clean_up": RoleTexts(
        heading=Bilingual("Background Layout Clean-up", "原図整理"),
        short=Bilingual("Layout clean-up", "原図整理"),
    ),
    "ai_layout": RoleTexts(
        heading=Bilingual("AI in Layouts (tool)", "原図のAI（ツール）"),
        short=Bilingual("AI in the layout", "原図のAI"),
    ),
    "ai_generation": RoleTexts(
        heading=Bilingual("AI Background Generation (tool)", "AI背景生成（ツール）"),
        short=Bilingual("AI generation", "AI生成"),
    ),
    "painting_algorithm": RoleTexts(
        heading=Bilingual("Painting Algorithm (tool)", "描画アルゴリズム（ツール）"),
        short=Bilingual("Painting algorithm", "描画アルゴリズム"),
    ),
    "ai_operation": RoleTexts(
        heading=Bilingual("AI Generation Operator", "AI生成オペレーション"),
        short=Bilingual("operated by", "操作"),
    ),
    "selection": RoleTexts(
        heading=Bilingual("Selection", "選定"),
        short=Bilingual("Selection", "選定"),
    ),
    "touch_up": RoleTexts(
        heading=Bilingual("Background Art (Paint-over)", "背景（加筆・修正）"),
        short=Bilingual("Touch-up", "加筆"),
    ),
    "background": RoleTexts(
        heading=Bilingual("Background Art", "背景"),
        short=Bilingual("Background art", "背景"),
    ),
    "background_check": RoleTexts(
        heading=Bilingual("Background Check", "背景検査"),
        short=Bilingual("Background check", "背景検査"),
    ),
    "retake": RoleTexts(
        heading=Bilingual("Retake Direction", "リテイク指示"),
        short=Bilingual("Retake", "リテイク"),
        in_line=False,
    ),
    "approval": RoleTexts(
        heading=Bilingual("Approval", "承認"),
        short=Bilingual("Approval", "承認"),
        in_line=False,
    ),
    "pipeline": RoleTexts(
        heading=Bilingual("AI Pipeline Development", "AIパイプライン開発"),
        short=Bilingual("Pipeline", "パイプライン"),
        in_line=False,
    ),
}

#: The subject of a Note that asks who drew a layout; replies to it are answers.
ARTIST_QUESTION = Bilingual("Who drew the layout?", "原図を描いたのはどなたですか")
#: The subject of a Note on a version that stays out of review until somebody has looked at it.
LOOK_QUESTION = Bilingual("This background needs a look", "この背景は確認が必要です")

#: The subject of a Note that tells why a layout is given to no generator.
REFUSED = Bilingual("No background is made", "背景は作成されません")

#: `haikei.credits.Facet`: the sides of an image's making.
#: Of a system that no person is named for: what the pipeline ran itself, and what ran elsewhere.
BY_PIPELINE = Bilingual("run by pipeline", "パイプライン自動実行")
NO_OPERATOR = Bilingual("operator not recorded", "操作者の記録なし")

#: Of a touch-up of which nobody says by what means it was made.
NOT_DECLARED_HOW = Bilingual("not declared how it was made", "制作方法の申告なし")

FACETS: Mapping[str, Bilingual] = {
    "layout": Bilingual("Concept and layout", "構想・レイアウト"),
    "generation": Bilingual("Generation", "生成"),
    "touch_up": Bilingual("Touch-up", "加筆"),
    "review": Bilingual("Selection and review", "選定・検査"),
}
#: `haikei.credits.FacetState`.
FACET_STATES: Mapping[str, Bilingual] = {
    "none": Bilingual("none", "なし"),
    "human": Bilingual("human", "人間"),
    "human_and_ai": Bilingual("human and AI", "人間とAI"),
    "not_declared": Bilingual("not declared how it was drawn", "描き方の申告なし"),
    "ai": Bilingual("AI", "AI"),
    "algorithm": Bilingual("algorithm without AI", "AIでないアルゴリズム"),
    "by_hand": Bilingual("painted by hand", "手描き"),
    "local": Bilingual("local", "部分的"),
    "global_grade": Bilingual("grade of the whole image", "全体の色調整"),
    "full_repaint": Bilingual("full repaint", "全面描き直し"),
    "unmeasured": Bilingual("not measured", "計測なし"),
    "declared": Bilingual("declared; no change measured", "申告のみ（変化の計測なし）"),
    "selected": Bilingual("selected", "選定済み"),
    "withdrawn": Bilingual("approval taken back", "承認取り消し"),
}
#: `haikei.credits.Grade`: how a contribution is known.
GRADES: Mapping[str, Bilingual] = {
    "confirmed": Bilingual("confirmed", "本人確認"),
    "measured": Bilingual("measured", "測定"),
    "logged": Bilingual("logged", "自動記録"),
    "declared": Bilingual("declared", "申告"),
}
#: `haikei.credits.ImageKind`.
IMAGE_KINDS: Mapping[str, Bilingual] = {
    "layout": Bilingual("Layout", "原図"),
    "generation": Bilingual("Generation", "生成"),
    "background": Bilingual("Background", "背景"),
    "touch_up": Bilingual("Touch-up", "加筆"),
}

#: `haikei.decisions.ReviewState`.
REVIEW_STATES: Mapping[str, Bilingual] = {
    "in_review": Bilingual("in review", "チェック中"),
    "approved": Bilingual("approved", "承認済み"),
    "retake": Bilingual("retake", "リテイク"),
    "on_hold": Bilingual("on hold", "保留"),
    "omitted": Bilingual("omitted", "欠番"),
}
#: `haikei.decisions.Decision`, as a command.
DECISIONS: Mapping[str, Bilingual] = {
    "approve": Bilingual("Approve", "承認"),
    "retake": Bilingual("Retake", "リテイク"),
    "hold": Bilingual("Hold", "保留"),
    "omit": Bilingual("Omit", "欠番"),
    "none": Bilingual("Back to review", "チェック中に戻す"),
}
#: `haikei.review.notes.NoteState`: what became of a note.
NOTE_STATES: Mapping[str, Bilingual] = {
    "waiting": Bilingual("waits for a retake", "リテイク待ち"),
    "taken": Bilingual("a retake is being made", "リテイク作成中"),
    "done": Bilingual("done", "対応済み"),
    "failed": Bilingual("the retake failed", "リテイク失敗"),
    "locked": Bilingual("came after approval", "承認後のコメント"),
    "asked": Bilingual("a person was asked", "担当者に確認中"),
    "withdrawn": Bilingual("withdrawn", "取り下げ"),
    "thanks": Bilingual("thanks", "お礼・了解"),
    "said": Bilingual("decided", "判定"),
}

#: `haikei.jobs.job.JobState`.
JOB_STATES: Mapping[str, Bilingual] = {
    "waiting": Bilingual("waiting", "待機中"),
    "running": Bilingual("being made", "作成中"),
    "done": REVIEW_STATES["in_review"],
    "dead": Bilingual("refused", "拒否"),
    "cancelled": Bilingual("cancelled", "中止"),
    "skipped": Bilingual("skipped", "不要"),
}
#: `haikei.jobs.job.Step`; empty before the first.
STEPS: Mapping[str, Bilingual] = {
    "": JOB_STATES["waiting"],
    "detect": Bilingual("look at the file", "ファイル確認"),
    "collect": Bilingual("collect", "情報収集"),
    "validate": Bilingual("validate", "検証"),
    "generate": Bilingual("generate", "生成"),
    "extract": Bilingual("publish files", "ファイル公開"),
    "record": Bilingual("record", "記録"),
    "integrate": Bilingual("publish the version", "版の登録"),
    "take_in": Bilingual("take in the paint-over", "加筆の取り込み"),
}

#: `haikei.reading.Kind`, in small letters: what a region of a layout was taken for.
REGION_KINDS: Mapping[str, Bilingual] = {
    "sky": Bilingual("sky", "空"),
    "cloud": Bilingual("cloud", "雲"),
    "hill": Bilingual("hill", "山"),
    "forest": Bilingual("forest", "森"),
    "water": Bilingual("water", "水"),
    "grass": Bilingual("grass", "草"),
    "paving": Bilingual("paving, street", "舗装・道路"),
    "earth": Bilingual("earth, path", "土・小道"),
    "tree": Bilingual("foliage", "木・葉"),
    "wall": Bilingual("wall", "壁"),
    "roof": Bilingual("roof", "屋根"),
    "window": Bilingual("window", "窓"),
    "door": Bilingual("door", "ドア"),
    "post": Bilingual("post, pole", "柱・電柱"),
    "hull": Bilingual("hull", "船体"),
    "other": Bilingual("something else", "その他"),
    "sand": Bilingual("sand", "砂"),
    "snow": Bilingual("snow", "雪"),
    "rock": Bilingual("rock", "岩"),
    "trunk": Bilingual("trunk", "幹"),
    "wood": Bilingual("woodwork", "木部"),
    "rail": Bilingual("rail", "線路"),
    "wire": Bilingual("wire", "電線"),
    "vehicle": Bilingual("vehicle", "車両"),
    "room_wall": Bilingual("wall of a room", "室内の壁"),
    "floor": Bilingual("floor", "床"),
    "ceiling": Bilingual("ceiling", "天井"),
    "furniture": Bilingual("furniture", "家具"),
    "lamp": Bilingual("lamp", "照明"),
    "figure": Bilingual("figure, cel", "人物・セル"),
    "unknown": Bilingual("not read", "読み取れず"),
}
#: `haikei.sheets.PaperTint`: the colour of a sheet's paper.
PAPER_TINTS: Mapping[str, Bilingual] = {
    "white": Bilingual("white paper", "白い紙"),
    "red": Bilingual("red paper", "赤い紙"),
    "yellow": Bilingual("yellow paper", "黄色い紙"),
    "green": Bilingual("green paper", "緑の紙"),
    "blue": Bilingual("blue paper", "青い紙"),
    "dark": Bilingual("dark paper", "暗い紙"),
    "unknown": Bilingual("no paper to be seen", "紙は見えません"),
}
#: `haikei.sheets.TraceColour` and `TraceRole`: lines on a layout that are no drawing.
TRACE_COLOURS: Mapping[str, Bilingual] = {
    "red": Bilingual("red", "赤"),
    "blue": Bilingual("blue", "青"),
    "green": Bilingual("green", "緑"),
    "brown": Bilingual("brown", "茶"),
}
TRACE_ROLES: Mapping[str, Bilingual] = {
    "light": Bilingual("edges of light", "ハイライト"),
    "shadow": Bilingual("edges of shadow", "影"),
    "border": Bilingual("borders of colours", "色分け"),
}

SEASONS: Mapping[str, Bilingual] = {
    Season.SPRING: Bilingual("spring", "春"),
    Season.SUMMER: Bilingual("summer", "夏"),
    Season.AUTUMN: Bilingual("autumn", "秋"),
    Season.WINTER: Bilingual("winter", "冬"),
}
TIMES: Mapping[str, Bilingual] = {
    TimeOfDay.MORNING: Bilingual("morning", "朝"),
    TimeOfDay.DAY: Bilingual("day", "昼"),
    TimeOfDay.SUNSET: Bilingual("sunset", "夕方"),
    TimeOfDay.NIGHT: Bilingual("night", "夜"),
}


def season_text(season: str) -> Bilingual:
    """Return what a season is called; a studio's own season is called by its name."""
    return SEASONS.get(season) or Bilingual(season, season)


def time_text(time: str) -> Bilingual:
    """Return what a time of day is called; a studio's own time is called by its name."""
    return TIMES.get(time) or Bilingual(time, time)


def variant_text(season: str, time: str, separator: str = ", ") -> Bilingual:
    """Return season and time of day together; what is empty is left out."""
    parts = [text for text in (season_text(season), time_text(time)) if text.en]
    return Bilingual(
        separator.join(text.en for text in parts), "・".join(text.ja for text in parts)
    )
