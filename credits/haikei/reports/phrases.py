"""What states, kinds and sources of images are called in reports, and the small print."""

from haikei.credits import (
    BackgroundVersion,
    ImageKind,
    ImageRecord,
    ReviewState,
    SourceType,
)
from haikei.presets import SEASONS, TIMES
from haikei.reports.words import Words

STATES = {
    ReviewState.IN_REVIEW: Words("in review", "確認中"),
    ReviewState.APPROVED: Words("approved", "承認"),
    ReviewState.RETAKE: Words("retake", "リテイク"),
    ReviewState.ON_HOLD: Words("on hold", "保留"),
    ReviewState.OMITTED: Words("omitted", "欠番"),
}
#: In the words of IPTC, shortened.
SOURCES = {
    SourceType.DIGITAL_CREATION: Words("drawn by a human", "人による描画"),
    SourceType.PRINT: Words("scanned from paper", "紙からのスキャン"),
    SourceType.HUMAN_EDITS: Words("edited by a human", "人による加筆・修正"),
    SourceType.ALGORITHMIC: Words(
        "algorithm without training data", "学習データを用いないアルゴリズム"
    ),
    SourceType.TRAINED: Words("trained model", "学習済みモデル"),
    SourceType.COMPOSITE_TRAINED: Words("augmented by a trained model", "学習済みモデルによる加工"),
}
_LAYOUT = Words("Layout", "原図")
_TOUCH_UP = Words("Touch-up {number}", "加筆 {number}")
_TOUCH_UP_ONLY = Words("Touch-up", "加筆")
_PAINTED = Words("Background art", "背景")
_AI = Words("AI generation {number}", "AI生成 {number}")
_AI_ONLY = Words("AI generation", "AI生成")
_ALGORITHM = Words("Painting algorithm {number}", "描画アルゴリズム {number}")
_ALGORITHM_ONLY = Words("Painting algorithm", "描画アルゴリズム")
_ONLY = {_AI: _AI_ONLY, _ALGORITHM: _ALGORITHM_ONLY, _TOUCH_UP: _TOUCH_UP_ONLY}

#: The pitfalls of measuring, under every report that shows a share of an area.
PITFALLS = Words(
    "How to read measures: area is not effort (one stroke may save a picture); a repaint that "
    "matches the picture below counts zero, a deletion counts as change, a grade of the whole "
    "picture is work but not local; generative fill looks like human work unless it is declared; "
    "lines that are seen again do not say who drew them; hours are reported by people; thresholds "
    "move figures. Never rank artists by them; one image says nothing about an episode.",
    "数値の読み方：面積は労力ではない（一筆が絵を救うこともある）。下の絵と同じ描き直しはゼロ、削除は変化、"
    "全体の色調整は作業だが局所変化ではない。生成塗りつぶしは申告がなければ人の作業に見える。線の再現は誰が"
    "描いたかを示さない。時間は自己申告であり、しきい値で数値は動く。作家の順位づけに使わないこと。一枚の"
    "数値から話数全体は語れない。",
)


def steps(version: BackgroundVersion) -> tuple[Words, ...]:
    """Return what each image of a version is called, in order; several of one kind are numbered."""
    kinds = [_kind(image) for image in version.images]
    named: list[Words] = []
    for place, kind in enumerate(kinds):
        if kind in _ONLY and kinds.count(kind) > 1:
            named.append(kind.filled(number=kinds[: place + 1].count(kind)))
        else:
            named.append(_ONLY.get(kind, kind))
    return tuple(named)


def _kind(image: ImageRecord) -> Words:
    if image.kind is ImageKind.LAYOUT:
        return _LAYOUT
    if image.kind is ImageKind.TOUCH_UP:
        return _TOUCH_UP
    if image.system is None:
        return _PAINTED
    return _AI if image.source_type.is_ai else _ALGORITHM


def variant(version: BackgroundVersion) -> Words:
    """Return a version's season and time of day."""
    season, time = SEASONS.get(version.season), TIMES.get(version.time)
    return Words(
        ", ".join(
            filter(
                None, (season.en if season else version.season, time.en if time else version.time)
            )
        ),
        "・".join(
            filter(
                None, (season.ja if season else version.season, time.ja if time else version.time)
            )
        ),
    )


def share(ppm: int) -> str:
    """Return millionths of an image's area as people read them."""
    percent = ppm / 10_000
    if ppm == 0:
        return "0 %"
    return f"{percent:.2f} %" if percent < 1 else f"{percent:.1f} %"
