"""Every phrase of the pages, in English and Japanese. Templates say them with `say(w.name)`."""

from functools import cache

from haikei.credits import Facet, Grade, ReviewState
from haikei.jobs.job import JobState, Step
from haikei.presets import FACETS, GRADES, SEASONS, TIMES, Label
from haikei.reports import Words
from haikei.review import Decision
from haikei.review.notes import NoteState

# The frame around every page.
SKIP = Words("Skip to the content", "本文へ移動")
SHOWS = Words("Shows", "作品一覧")
REPORTS = Words("Reports", "レポート")
DISPLAY = Words("Display", "表示設定")
THEME = Words("Colours", "配色")
THEME_AUTO = Words("as the system", "システムに合わせる")
THEME_DARK = Words("dark", "ダーク")
THEME_LIGHT = Words("light", "ライト")
LANGUAGE = Words("Language", "言語")
APPLY = Words("Apply", "適用")
SIGNED_IN = Words("Signed in as {name}", "{name} としてサインイン中")
SIGN_OUT = Words("Sign out", "サインアウト")
BREADCRUMB = Words("You are here", "現在地")
OFFLINE = Words(
    "The connection is gone; what you see may be old.",
    "接続が切れています。表示は最新でない可能性があります。",
)

# Shows and their cuts.
NO_SHOWS = Words("No background has been made yet.", "まだ背景は作られていません。")
NO_SHOWS_ADVICE = Words(
    "Publish a layout in a watched folder or in the tracker; it appears here by itself.",
    "監視フォルダまたはトラッカーにレイアウトを公開すると、自動的にここに現れます。",
)
CUTS = Words("{number:,} backgrounds", "背景 {number:,} 点")
ONE_CUT = Words("1 background", "背景 1 点")
SEQUENCES = Words("{number:,} sequences", "シークエンス {number:,} 本")
ONE_SEQUENCE = Words("1 sequence", "シークエンス 1 本")
SHOWN = Words("{shown:,} of {all:,} backgrounds", "{all:,} 点中 {shown:,} 点を表示")
NO_SEQUENCE = Words("Without a sequence", "シークエンスなし")
FILTERS = Words("Filter", "絞り込み")
SEQUENCE = Words("Sequence", "シークエンス")
STATE = Words("State", "状態")
SEASON = Words("Season", "季節")
TIME = Words("Time of day", "時間帯")
TEXT = Words("Cut or version", "カット・版名")
ALL = Words("all", "すべて")
CLEAR = Words("Clear", "解除")
SHOW_THEM = Words("Show", "表示")
NOTHING_FITS = Words("No background fits these filters.", "条件に合う背景はありません。")
NO_PICTURE_YET = Words("no picture yet", "画像はまだありません")
LIVE = Words("Work in progress", "作業の進行状況")
MORE_REFUSED = Words("And {number:,} more:", "ほか {number:,} 件：")
REFUSED_FILES = Words("Refused files", "受け付けられなかったファイル")

# States, also of what is not a version yet.
BEING_MADE = Words("being made", "作成中")
REFUSED = Words("refused", "拒否")
WAITING = Words("waiting", "待機中")

# One cut.
CUT = Words("Cut {name}", "カット {name}")
VARIANTS = Words("Season and time", "季節・時間帯")
COMPARISON = Words("Comparison of the layers", "レイヤー比較")
COMPARE_HELP = Words(
    "Drag a divider, or move it with the arrow keys; 1–9 show one layer alone, + and − zoom, 0 "
    "fits. Drag the picture to move it while it is zoomed.",
    "仕切りはドラッグまたは矢印キーで動かせます。1〜9 で 1 枚だけ表示、+ と − で拡大縮小、"
    "0 で全体表示。拡大中は画像をドラッグして移動できます。",
)
DIVIDER = Words("Divider between {left} and {right}", "{left} と {right} の仕切り")
ALL_LAYERS = Words("Compare", "比較")
ZOOM = Words("Zoom", "拡大率")
ZOOM_IN = Words("Zoom in", "拡大")
ZOOM_OUT = Words("Zoom out", "縮小")
FIT = Words("Fit", "全体")
OPEN_PICTURE = Words("Open the picture alone", "画像だけを開く")
IN_TRACKER = Words("Open in the tracker", "トラッカーで開く")
REVIEW = Words("Review", "チェック")
DECIDE = Words("Decide", "判定")
NOTE = Words("Note", "コメント")
NOTE_HINT = Words(
    "Say what the next version should be: “less green, more clouds, in the evening”. "
    "A new seed is drawn unless you write “keep the seed”.",
    "次の版への指示を書いてください（例：「緑を控えめに、雲を増やして、夕方で」）。"
    "「シードはそのまま」と書かない限り、新しいシードで作り直します。",
)
APPROVE = Words("Approve", "承認")
RETAKE = Words("Retake", "リテイク")
HOLD = Words("Hold", "保留")
OMIT = Words("Omit", "欠番")
REOPEN = Words("Back to review", "チェック中に戻す")
ONLY_SUPERVISORS = Words(
    "Only supervisors decide. Sign in as one to decide here.",
    "判定できるのは監督・演出権限のある方だけです。",
)
NOT_PUBLISHED = Words(
    "This version is not in the tracker yet; it can be decided about once it is.",
    "この版はまだトラッカーに登録されていません。登録後に判定できます。",
)
OLDER = Words(
    "A newer version stands: {code}. A decision here is about the version you see.",
    "新しい版 {code} があります。ここでの判定は表示中の版に対するものです。",
)
DECIDED = Words("{decision} by {name}", "{name}：{decision}")
UNDECIDED = Words("Nobody has decided yet.", "まだ判定されていません。")
SAID = Words(
    "“{decision}” stands in the tracker. Haikei is acting on it.",
    "「{decision}」をトラッカーに記録しました。処理しています。",
)
NOT_SAID = Words("Your decision was not written.", "判定は記録されませんでした。")
OVERTAKEN = Words(
    "Somebody decided otherwise meanwhile. Nothing was written; your note is kept below.",
    "その間に別の判定がありました。記録はしていません。コメントは下に残っています。",
)
TRACKER_AWAY = Words(
    "The tracker does not answer. Nothing was decided; your note is kept below. Try again.",
    "トラッカーが応答しません。判定は行われていません。コメントは下に残っています。もう一度お試しください。",
)
NOTES = Words("Notes", "コメント一覧")
SOMEBODY = Words("somebody", "記名なし")
HAIKEI = Words("Haikei", "Haikei")
UNDERSTOOD = Words("Understood: {what}", "解釈：{what}")
HISTORY = Words("Versions", "版の履歴")
LINEAGE = Words("Lineage", "来歴")
LINEAGE_HELP = Words(
    "What this picture was made from, and what was made from it; the numbers are ledger entries.",
    "この画像の元になったものと、この画像から作られたもの。番号は台帳の項目です。",
)
LINEAGE_MISSING = Words(
    "Not recorded: {number} images that the records name.",
    "記録に名前だけがある画像：{number} 枚",
)
CREDITS = Words("Credits", "クレジット")
NOBODY = Words("nobody recorded", "記録なし")
MINUTES = Words("{number} minutes, self-reported", "{number} 分（自己申告）")
CHANGED = Words(
    "{share} of the area changed, in {regions} regions", "面積の {share} が変化（{regions} か所）"
)
CHANGED_IN_ONE = Words(
    "{share} of the area changed, in 1 region", "面積の {share} が変化（1 か所）"
)
RECALLED = Words(
    "{share} of the layout's lines seen again (chance: {chance})",
    "原図の線の {share} を確認（偶然：{chance}）",
)
LEDGER = Words("Ledger", "台帳")
ENTRY = Words("entry {number}", "項目 {number}")
RECORD = Words("Signed record", "署名付き記録")
IMAGE_SHEET = Words("Image sheet", "画像記録票")
REFUSALS = Words("Refused or stopped", "拒否・停止")
TRY_AGAIN = Words("Try again", "再試行")
TRYING = Words("It is tried again.", "再試行を受け付けました。")
OTHER_ADVICE = Words(
    "Repair what it says, then let it be tried again.", "原因を取り除いてから、再試行してください。"
)
NO_VERSION = Words(
    "There is no finished version of this cut yet.", "このカットの完成版はまだありません。"
)

# Reports.
REPORTS_OF = Words("Reports on {name}", "{name} のレポート")
REPORT_HELP = Words(
    "Each is made when you ask for it, from the records as they are now. PDF takes a while.",
    "開くたびに最新の記録から作成します。PDF は少し時間がかかります。",
)
PURPOSES = {
    "credits-roll": Words(
        "The end roll of a show's backgrounds; refused while human work is unnamed.",
        "作品の背景美術のエンドロール。人の作業に記名がない間は作成されません。",
    ),
    "breakdown": Words(
        "End cards: layout, generations and touch-up side by side, with the names.",
        "原図・生成・加筆を名前とともに並べたエンドカード。",
    ),
    "dashboard": Words(
        "The show at a glance: states, versions a day, hours, tools, retakes, touch-ups.",
        "作品の全体像：状態、日別の版数、時間、ツール、リテイク、加筆。",
    ),
    "ai-use": Words(
        "Where AI was used, with what, by whom and agreed when, as clients and academies ask.",
        "どこで、どの AI を、誰が、いつの合意で使ったか（発注元・映画賞向け）。",
    ),
    "article-50": Words(
        "Marks in files, systems, deep-fake assessments and disclosures under EU law.",
        "EU 法に基づくファイルの標識、システム、ディープフェイク評価、開示。",
    ),
    "copyright": Words(
        "Per work the human part, the AI part to exclude, and the evidence, for registration.",
        "著作物ごとの人の寄与、除外すべき AI 部分、その根拠（登録用）。",
    ),
    "union-log": Words(
        "Covered people, notices and consultations, operators of AI steps, credit kept.",
        "対象者、通知と協議、AI 工程の操作者、守られたクレジット。",
    ),
    "no-ai": Words(
        "Backgrounds without any pixel by a trained model, signed; and those with, with why.",
        "学習済みモデルの画素を含まない背景（署名付き）と、含む背景およびその理由。",
    ),
    "verification": Words(
        "Every published file examined: its marks, its bytes, its entry in the ledger.",
        "公開した全ファイルの検証：標識、内容、台帳の項目。",
    ),
    "omc": Words(
        "The lineage as MovieLabs OMC-JSON 2.8: assets, versions, tasks, participants.",
        "MovieLabs OMC-JSON 2.8 形式の来歴：アセット、版、作業、関係者。",
    ),
}
VIEW = Words("View", "表示")
DOWNLOAD = Words("Download as {form}", "{form} でダウンロード")
REPORT_REFUSED = Words("This report cannot be made.", "このレポートは作成できません。")

# What went wrong.
NO_SUCH_SHOW = Words(
    "Nothing is recorded of a show “{name}”.", "作品「{name}」の記録はありません。"
)
NO_SUCH_CUT = Words("Nothing is recorded of cut {name}.", "カット {name} の記録はありません。")
NO_SUCH_VERSION = Words("There is no version {name}.", "{name} という版はありません。")
BACK = Words("Back to the shows", "作品一覧へ戻る")

STATES = {
    ReviewState.IN_REVIEW.value: Words("in review", "チェック中"),
    ReviewState.APPROVED.value: Words("approved", "承認"),
    ReviewState.RETAKE.value: Words("retake", "リテイク"),
    ReviewState.ON_HOLD.value: Words("on hold", "保留"),
    ReviewState.OMITTED.value: Words("omitted", "欠番"),
    "making": BEING_MADE,
    "refused": REFUSED,
}
DECISIONS = {
    Decision.APPROVE.value: APPROVE,
    Decision.RETAKE.value: RETAKE,
    Decision.HOLD.value: HOLD,
    Decision.OMIT.value: OMIT,
    Decision.NONE.value: REOPEN,
}
NOTE_STATES = {
    NoteState.WAITING.value: Words("waits for a retake", "リテイク待ち"),
    NoteState.TAKEN.value: Words("a retake is being made", "リテイク作成中"),
    NoteState.DONE.value: Words("done", "対応済み"),
    NoteState.FAILED.value: Words("the retake failed", "リテイク失敗"),
    NoteState.LOCKED.value: Words("came after approval", "承認後のコメント"),
    NoteState.ASKED.value: Words("a person was asked", "担当者に確認中"),
    NoteState.WITHDRAWN.value: Words("withdrawn", "取り下げ"),
    NoteState.THANKS.value: Words("thanks", "お礼・了解"),
    NoteState.SAID.value: Words("decided", "判定"),
}
STEPS = {
    "": WAITING,
    Step.DETECT.value: Words("look at the file", "ファイル確認"),
    Step.COLLECT.value: Words("collect", "情報収集"),
    Step.VALIDATE.value: Words("validate", "検証"),
    Step.GENERATE.value: Words("generate", "生成"),
    Step.EXTRACT.value: Words("publish files", "ファイル公開"),
    Step.RECORD.value: Words("record", "記録"),
    Step.INTEGRATE.value: Words("publish the version", "版の登録"),
}
JOB_STATES = {
    JobState.WAITING.value: WAITING,
    JobState.RUNNING.value: BEING_MADE,
    JobState.DONE.value: Words("in review", "チェック中"),
    JobState.DEAD.value: REFUSED,
    JobState.CANCELLED.value: Words("cancelled", "中止"),
    JobState.SKIPPED.value: Words("skipped", "不要"),
}


def season(name: str) -> Words:
    """Return what a season is called; its own name when it is none of ours."""
    found = SEASONS.get(name)
    return Words(found.en, found.ja) if found else Words(name, name)


def time_of_day(name: str) -> Words:
    """Return what a time of day is called; its own name when it is none of ours."""
    found = TIMES.get(name)
    return Words(found.en, found.ja) if found else Words(name, name)


@cache
def variant(season_name: str, time_name: str) -> Words:
    """Return a season and a time of day together."""
    one, other = season(season_name), time_of_day(time_name)
    return Words(
        " · ".join(filter(None, (one.en, other.en))), "・".join(filter(None, (one.ja, other.ja)))
    )


def facet(name: Facet) -> Words:
    """Return what a side of an image's making is called."""
    return label(FACETS[name.value])


def grade(name: Grade) -> Words:
    """Return how something is known."""
    return label(GRADES[name.value])


def label(given: Label) -> Words:
    """Return a preset's label as a phrase."""
    return Words(given.en, given.ja)
