"""
Every phrase of the pages, in English and Japanese. Templates print them with `say(w.name)`, and
the labels that reports and notes share, of `haikei.texts`, with `say(texts.NAME[…])`.
"""

from collections.abc import Callable
from functools import cache

from haikei.jobs.job import JobState
from haikei.texts import JOB_STATES, REVIEW_STATES, Bilingual, variant_text

# The frame around every page.
SKIP = Bilingual("Skip to the content", "本文へ移動")
SHOWS = Bilingual("Shows", "作品一覧")
REPORTS = Bilingual("Reports", "レポート")
DISPLAY = Bilingual("Display", "表示設定")
THEME = Bilingual("Colours", "配色")
THEME_AUTO = Bilingual("as the system", "システムに合わせる")
THEME_DARK = Bilingual("dark", "ダーク")
THEME_LIGHT = Bilingual("light", "ライト")
LANGUAGE = Bilingual("Language", "言語")
APPLY = Bilingual("Apply", "適用")
SIGNED_IN = Bilingual("Signed in as {name}", "{name} としてサインイン中")
SIGN_OUT = Bilingual("Sign out", "サインアウト")
BREADCRUMB = Bilingual("You are here", "現在地")
OFFLINE = Bilingual(
    "The connection is gone; what you see may be old.",
    "接続が切れています。表示は最新でない可能性があります。",
)

# Shows and their cuts.
NO_SHOWS = Bilingual("No background has been made yet.", "まだ背景は作られていません。")
NO_SHOWS_ADVICE = Bilingual(
    "Publish a layout in a watched folder or in the tracker; it appears here by itself.",
    "監視フォルダまたはトラッカーにレイアウトを公開すると、自動的にここに現れます。",
)
CUTS = Bilingual("{number:,} backgrounds", "背景 {number:,} 点")
ONE_CUT = Bilingual("1 background", "背景 1 点")
SEQUENCES = Bilingual("{number:,} sequences", "シークエンス {number:,} 本")
ONE_SEQUENCE = Bilingual("1 sequence", "シークエンス 1 本")
SHOWN = Bilingual("{shown:,} of {all:,} backgrounds", "{all:,} 点中 {shown:,} 点を表示")
NO_SEQUENCE = Bilingual("Without a sequence", "シークエンスなし")
FILTERS = Bilingual("Filter", "絞り込み")
SEQUENCE = Bilingual("Sequence", "シークエンス")
STATE = Bilingual("State", "状態")
SEASON = Bilingual("Season", "季節")
TIME = Bilingual("Time of day", "時間帯")
TEXT = Bilingual("Cut or version", "カット・版名")
ALL = Bilingual("all", "すべて")
CLEAR = Bilingual("Clear", "解除")
SHOW_THEM = Bilingual("Show", "表示")
STATUS = Bilingual("Jobs and processes", "ジョブとプロセス")
LANES = Bilingual("Lanes", "レーン")
LANE = Bilingual("Lane", "レーン")
LANE_NAMES = {
    "steps": Bilingual("Steps before and after generation", "生成の前後の工程"),
    "generate": Bilingual("Generation", "生成"),
}
OPEN_LANE = Bilingual("open", "稼働中")
PROCESS_STATES = {
    "works": Bilingual("running", "稼働中"),
    "stands_by": Bilingual("standing by", "待機"),
    "drains": Bilingual("finishing what it is at", "終了処理中"),
    "silent": Bilingual("silent", "応答なし"),
}
PROCESSES = Bilingual("Processes", "プロセス")
HOST = Bilingual("Host", "ホスト")
ROLE = Bilingual("Role", "役割")
HOLDS = Bilingual("Work", "担当")
LAST_SIGN = Bilingual("Last sign of life", "最終応答")
HAIKEI_VERSION = Bilingual("Version", "バージョン")
NO_PROCESS = Bilingual(
    "No process of Haikei is running on any host. `haikei run` starts them.",
    "どのホストでもプロセスが動いていません。`haikei run` で起動します。",
)
WAITING_JOBS = Bilingual(
    "Jobs: {waiting:,} waiting, {running:,} running, {dead:,} failed and waiting for a decision.",
    "ジョブ：待機 {waiting:,} 件、実行中 {running:,} 件、失敗（要対応） {dead:,} 件。",
)
STANDS_STILL = Bilingual(
    "Jobs are waiting, and none has moved for some time. `haikei status` says why.",
    "ジョブが待機したまま進んでいません。`haikei status` で原因を確認してください。",
)
NEXT_CUTS = Bilingual("Next cuts", "次のカット")
NOTHING_FITS = Bilingual("No background fits these filters.", "条件に合う背景はありません。")
NO_PICTURE_YET = Bilingual("no picture yet", "画像はまだありません")
LIVE = Bilingual("Work in progress", "作業の進行状況")
MORE_REFUSED = Bilingual("And {number:,} more:", "ほか {number:,} 件：")
REFUSED_FILES = Bilingual("Refused files", "受け付けられなかったファイル")

# One cut.
CUT = Bilingual("Cut {name}", "カット {name}")
VARIANTS = Bilingual("Season and time", "季節・時間帯")
COMPARISON = Bilingual("The picture, and what it is compared with", "画像と比較")
PREVIOUS_VERSION = Bilingual("Previous version ({version})", "前の版（{version}）")
PREVIOUS_CUT = Bilingual("Previous cut ({name})", "前のカット（{name}）")
NEXT_CUT = Bilingual("Next cut ({name})", "次のカット（{name}）")
KEYS = Bilingual("Keyboard", "キー操作")
KEYS_ON = Bilingual("Use single keys on this page", "このページで 1 文字のキー操作を使う")
KEY_HELP = (
    ("A", Bilingual("approve", "承認")),
    (
        "R",
        Bilingual(
            "retake with what is written and drawn; first the note",
            "書いた指示と描き込みでリテイク（空ならコメント欄へ）",
        ),
    ),
    ("P N", Bilingual("previous and next cut", "前・次のカット")),
    (
        "1 – 9",
        Bilingual("show one picture; again for the finished one", "1 枚だけ表示・再度で完成画"),
    ),
    ("W S B D", Bilingual("wipe, side by side, blink, difference", "ワイプ・左右・点滅・差分")),
    ("← →", Bilingual("move the divider; Shift for further", "仕切りを移動（Shift で大きく）")),
    ("+ − 0", Bilingual("zoom in, zoom out, fit", "拡大・縮小・全体")),
    ("F", Bilingual("full screen", "全画面")),
    ("Esc", Bilingual("put the pen down", "描き込みをやめる")),
)
#: Texts of scripts in the viewer, by their names there.
VIEWER = {
    "label": COMPARISON,
    "picture": Bilingual("Picture", "画像"),
    "against": Bilingual("Compare with", "比較する画像"),
    "nothing": Bilingual("nothing", "なし"),
    "modes": Bilingual("How to compare", "比較方法"),
    "wipe": Bilingual("Wipe", "ワイプ"),
    "side": Bilingual("Side by side", "左右に並べる"),
    "blink": Bilingual("Blink", "点滅"),
    "difference": Bilingual("Difference", "差分"),
    "divider": Bilingual("Divider between {left} and {right}", "{left} と {right} の仕切り"),
    "zoom": Bilingual("Zoom", "拡大率"),
    "in": Bilingual("Zoom in", "拡大"),
    "out": Bilingual("Zoom out", "縮小"),
    "fit": Bilingual("Fit", "全体"),
    "full": Bilingual("Full screen", "全画面"),
    "layers": Bilingual("Layers", "レイヤー"),
    "sheet": Bilingual("Sheet", "用紙"),
    "regions": Bilingual("Regions", "領域"),
    "traces": Bilingual("Trace lines", "色トレス線"),
    "doubts": Bilingual("Doubts", "不確かな所"),
    "notes": Bilingual("Drawings", "描き込み"),
    "failed": Bilingual("cannot be shown", "表示できません"),
    "exposure": Bilingual("Exposure", "露出"),
    "stops": Bilingual("{number} stops", "{number} 段"),
    "gamma": Bilingual("Gamma", "ガンマ"),
    "view": Bilingual("View", "ビュー"),
    "plain": Bilingual("sRGB, cut off", "sRGB（切り捨て）"),
    "aces": Bilingual("ACES 2.0, rolled off", "ACES 2.0（圧縮）"),
    "reset": Bilingual("Reset", "リセット"),
    "pixel": Bilingual("Pixel", "画素"),
    "draw": Bilingual("Draw", "描き込み"),
    "box": Bilingual("Box", "枠"),
    "arrow": Bilingual("Arrow", "矢印"),
    "line": Bilingual("Free line", "フリー線"),
    "undo": Bilingual("Undo", "元に戻す"),
    "clear": Bilingual("Clear", "消去"),
    "drawn": Bilingual(
        "{number} drawn: the note is about these places alone.",
        "描き込み {number} 件：コメントはこの場所だけに適用されます。",
    ),
}
DOWNLOADS = Bilingual("Download", "ダウンロード")
PUBLISHED_FILE = Bilingual("Published file", "公開ファイル")
LAYERED_FILE = Bilingual("Layered file (PSD)", "レイヤー付き（PSD）")
ALL_FILES = Bilingual("All files with their marks (ZIP)", "全ファイル・来歴付き（ZIP）")
THE_SHEET = Bilingual("Layout sheet", "原図用紙")
SHEET_HELP = Bilingual(
    "What was found on the layout: frames, pegs, notes and trace lines, what each region was taken "
    "for, and what is not sure.",
    "原図から読み取った内容：フレーム、タップ穴、書き込み、色トレス線、各領域の判別、不確かな所。",
)
SHEET_FAILED = Bilingual("The layout could not be read.", "原図を読み取れませんでした。")
UNREAD = Bilingual("Not read", "読み取れず")
UNREAD_SHARE = Bilingual("{share} of the picture", "画面の {share}")
READ_BY = Bilingual("Read by", "読み取り")
PAPER = Bilingual("Sheet", "用紙")
PAPER_SIZE = Bilingual("{width} × {height} pixels, {tint}", "{width} × {height} 画素、{tint}")
FRAMES = Bilingual("Frames", "フレーム")
NO_FRAMES = Bilingual("none: all of the sheet is the picture", "なし（用紙全体が画面）")
PEGS = Bilingual("Peg holes", "タップ穴")
WRITTEN = Bilingual("Notes on the sheet", "用紙の書き込み")
WRITTEN_COUNT = Bilingual(
    "{number}, {inside} of them on the picture", "{number} か所（画面内 {inside}）"
)
TRACED = Bilingual("Trace lines", "色トレス線")
NONE_FOUND = Bilingual("none", "なし")
UNSURE = Bilingual("Not sure", "不確か")
READ_AS = Bilingual("Read as", "判別")
LAYER_TEXTS = {name: VIEWER[name] for name in ("sheet", "regions", "traces", "doubts")}
BACK_TO_CUT = Bilingual("Back to the cut", "カットへ戻る")
ASKED_FOR = Bilingual("What this version was asked for", "この版への指示")
ACTING = Bilingual("Haikei is acting on it.", "処理しています。")
DECIDE_AS = Bilingual("You decide as {name}.", "判定者：{name}")
PICK = Bilingual("Pick {name}", "{name} を選択")
PICK_ALL = Bilingual("Pick all that are shown", "表示中をすべて選択")
DECIDE_PICKED = Bilingual("Decide about the picked cuts", "選択したカットをまとめて判定")
PICKED_COUNT = Bilingual("{number} picked", "{number} 件選択中")
NONE_PICKED = Bilingual(
    "No cut was picked; nothing was written.", "カットが選択されていません。記録はしていません。"
)
NOT_THERE = Bilingual("There is no such version any more.", "この版は見つかりません。")
OUTCOME = Bilingual("{done} of {all} written", "{all} 件中 {done} 件を記録")


def viewer_words(say: Callable[[Bilingual], str]) -> dict[str, str]:
    """Return the texts of scripts in the viewer, in the language of a page."""
    return {name: say(text) for name, text in VIEWER.items()}


OPEN_PICTURE = Bilingual("Open the picture alone", "画像だけを開く")
IN_TRACKER = Bilingual("Open in {tracker}", "{tracker}で開く")
THE_TRACKER = Bilingual("the tracker", "トラッカー")
REVIEW = Bilingual("Review", "チェック")
DECIDE = Bilingual("Decide", "判定")
NOTE = Bilingual("Note", "コメント")
NOTE_HINT = Bilingual(
    "Say what the next version should be: “less green, more clouds, in the evening”. What nobody "
    "mentions stays. Draw on the picture to say where; “[box 10,20-40,60 %]” says the same.",
    "次の版への指示を書いてください（例：「緑を控えめに、雲を増やして、夕方で」）。触れていない所はそのままです。"
    "場所は画像に描き込むか、「[枠 10,20-40,60 %]」のように書けます。",
)
ONLY_SUPERVISORS = Bilingual(
    "Only supervisors decide. Sign in as one to decide here.",
    "判定できるのは監督・演出権限のある方だけです。",
)
NOT_PUBLISHED = Bilingual(
    "This version is not in the tracker yet; it can be decided about once it is.",
    "この版はまだトラッカーに登録されていません。登録後に判定できます。",
)
OLDER = Bilingual(
    "A newer version stands: {code}. A decision here is about the version you see.",
    "新しい版 {code} があります。ここでの判定は表示中の版に対するものです。",
)
DECIDED = Bilingual("{decision} by {name}", "{name}：{decision}")
UNDECIDED = Bilingual("Nobody has decided yet.", "まだ判定されていません。")
DECISION_WRITTEN = Bilingual(
    "“{decision}” stands in the tracker.", "「{decision}」をトラッカーに記録しました。"
)
DECISION_NOT_WRITTEN = Bilingual("Your decision was not written.", "判定は記録されませんでした。")
OVERTAKEN = Bilingual(
    "Somebody decided otherwise meanwhile. Nothing was written; your note is kept below.",
    "その間に別の判定がありました。記録はしていません。コメントは下に残っています。",
)
TRACKER_AWAY = Bilingual(
    "The tracker does not answer. Nothing was decided; your note is kept below. Try again.",
    "トラッカーが応答しません。判定は行われていません。コメントは下に残っています。もう一度お試しください。",
)
NOTES = Bilingual("Notes", "コメント一覧")
SOMEBODY = Bilingual("somebody", "記名なし")
HAIKEI = Bilingual("Haikei", "Haikei")
UNDERSTOOD = Bilingual("Understood: {what}", "解釈：{what}")
HISTORY = Bilingual("Versions", "版の履歴")
LINEAGE = Bilingual("Lineage", "来歴")
LINEAGE_HELP = Bilingual(
    "What this picture was made from, and what was made from it; the numbers are ledger entries.",
    "この画像の元になったものと、この画像から作られたもの。番号は台帳の項目です。",
)
LINEAGE_MISSING = Bilingual(
    "Not recorded: {number} images that the records name.",
    "記録に名前だけがある画像：{number} 枚",
)
CREDITS = Bilingual("Credits", "クレジット")
NOBODY = Bilingual("nobody recorded", "記録なし")
MINUTES = Bilingual("{number} minutes, self-reported", "{number} 分（自己申告）")
CHANGED = Bilingual(
    "measured: {share} of the area changed, in {regions} regions",
    "測定：面積の {share} が変化（{regions} か所）",
)
CHANGED_IN_ONE = Bilingual(
    "measured: {share} of the area changed, in 1 region", "測定：面積の {share} が変化（1 か所）"
)
RECALLED = Bilingual(
    "{share} of the layout's lines seen again (chance: {chance})",
    "原図の線の {share} を確認（偶然：{chance}）",
)
LEDGER = Bilingual("Ledger", "台帳")
ENTRY = Bilingual("entry {number}", "項目 {number}")
RECORD = Bilingual("Signed record", "署名付き記録")
IMAGE_SHEET = Bilingual("Image sheet", "画像記録票")
REFUSALS = Bilingual("Refused or stopped", "拒否・停止")
TRY_AGAIN = Bilingual("Try again", "再試行")
TRYING = Bilingual("It is tried again.", "再試行を受け付けました。")
OTHER_ADVICE = Bilingual(
    "Repair what it says, then let it be tried again.", "原因を取り除いてから、再試行してください。"
)
NO_VERSION = Bilingual(
    "There is no finished version of this cut yet.", "このカットの完成版はまだありません。"
)

# Reports.
REPORTS_OF = Bilingual("Reports on {name}", "{name} のレポート")
REPORT_HELP = Bilingual(
    "Each is made when you ask for it, from the records as they are now. PDF takes a while.",
    "開くたびに最新の記録から作成します。PDF は少し時間がかかります。",
)
PURPOSES = {
    "credits-roll": Bilingual(
        "The end roll of a show's backgrounds; refused while human work is unnamed.",
        "作品の背景美術のエンドロール。人の作業に記名がない間は作成されません。",
    ),
    "breakdown": Bilingual(
        "End cards: layout, generations and touch-up side by side, with the names.",
        "原図・生成・加筆を名前とともに並べたエンドカード。",
    ),
    "dashboard": Bilingual(
        "The show at a glance: states, versions a day, hours, tools, retakes, touch-ups.",
        "作品の全体像：状態、日別の版数、時間、ツール、リテイク、加筆。",
    ),
    "ai-use": Bilingual(
        "Where AI was used, with what, by whom and agreed when, as clients and academies ask.",
        "どこで、どの AI を、誰が、いつの合意で使ったか（発注元・映画賞向け）。",
    ),
    "article-50": Bilingual(
        "Marks looked for in files, systems, deep-fake statements and disclosures, for EU law.",
        "EU 法のために確認したファイルの標識、システム、ディープフェイクに関する申告、開示。",
    ),
    "copyright": Bilingual(
        "Per work the human part, the AI part to exclude, and the evidence, for registration.",
        "著作物ごとの人の寄与、除外すべき AI 部分、その根拠（登録用）。",
    ),
    "union-log": Bilingual(
        "Covered people, notices and consultations, operators of AI steps, credit kept.",
        "対象者、通知と協議、AI 工程の操作者、守られたクレジット。",
    ),
    "no-ai": Bilingual(
        "Backgrounds without any pixel by a trained model, signed; and those with, with why.",
        "学習済みモデルの画素を含まない背景（署名付き）と、含む背景およびその理由。",
    ),
    "verification": Bilingual(
        "Every published file examined: its marks, its bytes, its entry in the ledger.",
        "公開した全ファイルの検証：標識、内容、台帳の項目。",
    ),
    "omc": Bilingual(
        "The lineage as MovieLabs OMC-JSON 2.8: assets, versions, tasks, participants.",
        "MovieLabs OMC-JSON 2.8 形式の来歴：アセット、版、作業、関係者。",
    ),
}
VIEW = Bilingual("View", "表示")
DOWNLOAD = Bilingual("Download as {form}", "{form} でダウンロード")
REPORT_REFUSED = Bilingual("This report cannot be made.", "このレポートは作成できません。")

# A person's own credits.
YOUR_CREDITS = Bilingual("Your credits on “{show}”", "「{show}」でのあなたのクレジット")
CONFIRM_HELP = Bilingual(
    "{studio} asks you to confirm what you are credited for. What you answer is sealed with the "
    "record, word for word; a correction is put to the production and changes nothing by itself. "
    "The link can be answered once, until {until}.",
    "{studio} から、あなたのクレジットの確認をお願いしています。回答はそのまま記録に封印されます。"
    "訂正は制作側への確認事項となり、自動的には反映されません。"
    "このリンクは {until} まで、一度だけ回答できます。",
)
PRINTED_AS = Bilingual("Your name as it will be printed", "表示されるお名前")
IN_ENGLISH = Bilingual("In English", "英語表記")
IN_JAPANESE = Bilingual("In Japanese", "日本語表記")
YOUR_WORK = Bilingual("What you are credited for", "クレジットの対象")
NO_WORK = Bilingual(
    "You are credited for nothing on this show.", "この作品であなたのクレジットはありません。"
)
NOT_ME = Bilingual("Not me", "自分の作業ではない")
NONE_MINE = Bilingual("None of this is my work", "いずれも自分の作業ではない")
WRONG_HELP = Bilingual("Is something wrong or missing?", "誤りや不足がありますか")
NAME_IS = Bilingual("My name is written so (Latin letters)", "氏名の表記（ローマ字）")
NAME_JA_IS = Bilingual("My name is written so (Japanese)", "氏名の表記（日本語）")
ALSO_DID = Bilingual("I also did this (which cut, what)", "ほかに担当した作業（カット名と内容）")
WITHHOLD_ME = Bilingual("Do not name me in credits", "クレジットに氏名を表示しない")
IN_WORDS = Bilingual("In your own words", "ご自身の言葉で")
SEND_ANSWER = Bilingual("Send my answer", "回答を送信")
SENDING_MEANS = Bilingual(
    "By sending you confirm everything above that you have not marked “Not me”.",
    "送信すると、「自分の作業ではない」を選ばなかったものすべてを確認したことになります。",
)
SHOWN_CHANGED = Bilingual(
    "Your credits have changed since you opened this page; look at them again, then send.",
    "ページを開いた後にクレジットが変わりました。もう一度ご確認のうえ送信してください。",
)
NOT_TAKEN = Bilingual(
    "Nothing was kept: a name must be a person's and have at most 255 characters, a text 1,000.",
    "記録していません。氏名は人の名前で255文字以内、文章は1,000文字以内にしてください。",
)
LINK_STATES = {
    "wrong": Bilingual(
        "This link is not one of ours, or was cut off; open it again as it was sent to you.",
        "このリンクは正しくないか、途中で切れています。受け取ったとおりに開いてください。",
    ),
    "expired": Bilingual(
        "This link ended on {until}; ask the production for a new one.",
        "このリンクの期限（{until}）は過ぎました。制作側に新しいリンクを依頼してください。",
    ),
    "revoked": Bilingual(
        "This link was taken back, or a newer one was sent to you; use that one.",
        "このリンクは取り消されたか、新しいリンクが送られています。そちらをお使いください。",
    ),
    "answered": Bilingual(
        "Your answer of {answered} is kept, and this link is used up; ask the production for a new "
        "one if it should change.",
        "{answered} の回答を記録しました。このリンクは使用済みです。"
        "変更は制作側に新しいリンクを依頼してください。",
    ),
}

# What went wrong.
NO_SUCH_SHOW = Bilingual(
    "Nothing is recorded of a show “{name}”.", "作品「{name}」の記録はありません。"
)
NO_SUCH_CUT = Bilingual("Nothing is recorded of cut {name}.", "カット {name} の記録はありません。")
NO_SUCH_VERSION = Bilingual("There is no version {name}.", "{name} という版はありません。")
BACK = Bilingual("Back to the shows", "作品一覧へ戻る")

#: What a card shows: the state of its version, or of the job while there is none.
STATES = {
    **REVIEW_STATES,
    "making": JOB_STATES[JobState.RUNNING],
    "refused": JOB_STATES[JobState.DEAD],
}


@cache
def variant(season: str, time: str) -> Bilingual:
    """Return a season and a time of day together."""
    return variant_text(season, time, " · ")
