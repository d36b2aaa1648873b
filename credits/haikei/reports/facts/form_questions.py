"""What clients, academies and laws ask, as data with its sources; the askers' own words decide."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from haikei.texts import Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class FormQuestion:
    """One thing that is asked."""

    key: str  #: the `subject` of statements that answer it
    text: Bilingual


class RuleKind(StrEnum):
    """Who says a thing: the law itself, or somebody about it."""

    LAW = "law"
    GUIDANCE = "guidance"
    CODE = "code"
    READING = "reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a law or an agreement says, and how sure we are of it."""

    key: str
    text: Bilingual
    source: str
    kind: RuleKind
    applies: Bilingual | None = None  #: since when, or that it binds nobody


#: Partner Help Center, "Using Generative AI in Content Production", article 43393929218323.
NETFLIX_SOURCE = "https://partnerhelp.netflixstudios.com/hc/en-us/articles/43393929218323"

#: In short; an answer of `no` or `unsure` to any of them goes to the client before use.
NETFLIX_PRINCIPLES = (
    FormQuestion(
        key="1",
        text=Bilingual(
            "The outputs do not replicate or recreate identifiable material that is not owned, "
            "or is under someone's copyright.",
            "出力は、権利を持たない素材や著作権のある素材を識別できる形で複製・再現していない。",
        ),
    ),
    FormQuestion(
        key="2",
        text=Bilingual(
            "The tool does not store, reuse or train on what goes in or comes out.",
            "ツールは入力・出力を保存・再利用・学習しない。",
        ),
    ),
    FormQuestion(
        key="3",
        text=Bilingual(
            "The tool runs in an environment that is secured for the enterprise, where possible.",
            "可能な限り、企業向けに保護された環境でツールを使用している。",
        ),
    ),
    FormQuestion(
        key="4",
        text=Bilingual(
            "What is generated is temporary and no part of the final deliverables.",
            "生成物は一時的なもので、最終納品物に含まれない。",
        ),
    ),
    FormQuestion(
        key="5",
        text=Bilingual(
            "Nothing replaces or makes performances, or work that a union covers, without consent.",
            "同意なく、演技や組合の対象となる作業を置き換えたり生成したりしない。",
        ),
    ),
)

#: Rules of the 99th Academy Awards, 1 May 2026 (read in secondary pages).
ACADEMY_SOURCE = "Academy of Motion Picture Arts and Sciences, rules of 1 May 2026 (99th Oscars)"
#: Television Academy, January 2026 (read in secondary pages).
EMMY_SOURCE = "Television Academy, rules of January 2026 (78th Emmys)"

ACADEMIES_SAY = Bilingual(
    "The Academy: such tools neither help nor harm; branches judge the degree to which a human was "
    "at the heart of the creative authorship, and may ask for more about the use and about human "
    "authorship. The Television Academy may inquire about the use of AI in submissions.",
    "米アカデミー：AIの使用自体は有利にも不利にもならない。創作の中心に人間がいた度合いを各部会が判断し、"
    "使用内容と人間の関与について追加の説明を求めることがある。テレビジョン・アカデミーもAIの使用について"
    "照会することがある。",
)

#: From when Article 50 applies, and when the period of Article 111(4) for older systems ends.
ARTICLE_50_APPLIES = date(2026, 8, 2)
ARTICLE_50_GRACE_ENDS = date(2026, 12, 2)
#: Of the facts below. For the cover note of who runs the report: the acts decide, not this table.
ARTICLE_50_READ = Bilingual(
    "The rules on the sheet were read in secondary pages that agree, as of 30 November 2026, the "
    "Commission's guidelines in one: compare them with the Official Journal before the sheet goes "
    "out.",
    "シート上の規定は、2026年11月30日時点で内容が一致する二次資料（欧州委員会ガイドラインは1件のみ）による"
    "ものです。提出前に官報（Official Journal）と照合してください。",
)
_SINCE = Bilingual("since 2 August 2026", "2026年8月2日から適用")
_NOT_BINDING = Bilingual("not binding", "拘束力なし")
_VOLUNTARY = Bilingual("voluntary", "任意")
_EU_ACT = "Regulation (EU) 2024/1689, Article"
_EU_GUIDELINES = "Commission Guidelines C(2026) 5054 final, 20 July 2026"
_EU_CODE = "Code of Practice on Transparency of AI-Generated Content, 10 June 2026"


def _law(key: str, en: str, ja: str, *, source: str = "", applies: Bilingual = _SINCE) -> Rule:
    return Rule(
        key=key,
        text=Bilingual(en, ja),
        source=source or f"{_EU_ACT} {key.partition(',')[0]}",
        kind=RuleKind.LAW,
        applies=applies,
    )


def _guidance(key: str, en: str, ja: str) -> Rule:
    return Rule(
        key=key,
        text=Bilingual(en, ja),
        source=_EU_GUIDELINES,
        kind=RuleKind.GUIDANCE,
        applies=_NOT_BINDING,
    )


def _code(en: str, ja: str) -> Rule:
    return Rule(
        key="code",
        text=Bilingual(en, ja),
        source=_EU_CODE,
        kind=RuleKind.CODE,
        applies=_VOLUNTARY,
    )


def _reading(key: str, en: str, ja: str, *, source: str = "Haikei's reading") -> Rule:
    return Rule(key=key, text=Bilingual(en, ja), source=source, kind=RuleKind.READING)


#: In short, in our words and without any view of what follows; the acts' own text counts.
ARTICLE_50_LAW = (
    _law(
        "50(1)",
        "Providers see to it that people who deal directly with an AI system are told so.",
        "提供者（provider）は、AIシステムと直接やり取りする人にその旨が知らされるようにする。",
    ),
    _law(
        "50(2), marking",
        "Providers of systems that generate synthetic images, audio, video or text see to it that "
        "outputs are marked in a machine-readable format, by solutions that are effective, "
        "interoperable, robust and reliable as far as is technically feasible.",
        "画像・音声・動画・文章を生成するシステムの提供者は、出力に機械可読の表示が付されるようにする。手段は、"
        "技術的に可能な限り、有効で相互運用でき、堅牢かつ信頼できるものとする。",
    ),
    _law(
        "50(2), detection",
        "The same outputs are to be detectable as artificially generated or manipulated.",
        "同じ出力は、人工的に生成・加工されたものとして検出できなければならない。",
    ),
    _law(
        "50(2), exceptions",
        "It does not apply to the extent that a system has an assistive function for standard "
        "editing, or does not substantially alter the deployer's input or its semantics; nor where "
        "law authorises the use to detect, prevent, investigate or prosecute crime.",
        "標準的な編集を補助する機能にとどまる場合、利用者の入力またはその意味を実質的に変えない場合、および"
        "犯罪の探知・防止・捜査・訴追のため法律で認められた場合には、その限度で適用されない。",
    ),
    _law(
        "50(4), deep fakes",
        "Deployers of a system that generates or manipulates images, audio or video that are a "
        "deep fake disclose that the content was artificially generated or manipulated (exception: "
        "use that law authorises against crime).",
        "ディープフェイクに当たる画像・音声・動画を生成・加工するシステムの利用者（deployer）は、人工的に生成・"
        "加工された旨を開示する（犯罪対策のため法律で認められた使用を除く）。",
    ),
    _law(
        "50(4), evidently artistic work",
        "Where such content is part of an evidently artistic, creative, satirical, fictional or "
        "analogous work, the duty is limited to disclosing that it exists, in an appropriate "
        "manner that does not hamper the display or enjoyment of the work.",
        "明らかに芸術的・創作的・風刺的・虚構的またはこれらに類する作品の一部である場合、義務は、作品の表示や鑑賞を"
        "妨げない適切な方法でその存在を開示することに限られる。",
    ),
    _law(
        "50(4), text",
        "Deployers disclose generated text that is published to inform the public on matters of "
        "public interest, unless a person reviewed it and somebody answers for it.",
        "公共の関心事を知らせるために公表される生成文章は開示する。人による確認を経て、責任を負う者がいる場合を除く。",
    ),
    _law(
        "50(5)",
        "What 50(1) to 50(4) ask for is given clearly and distinguishably, at the latest at the "
        "first interaction or exposure, and meets accessibility requirements.",
        "第50条1項から4項の情報は、明瞭かつ識別できる形で、遅くとも最初の接触・視聴の時点までに提供し、"
        "アクセシビリティの要件を満たす。",
    ),
    _law(
        "3(60)",
        "A deep fake is generated or manipulated image, audio or video content that resembles "
        "existing persons, objects, places, entities or events and would falsely appear to a "
        "person to be authentic or truthful.",
        "ディープフェイクとは、実在の人物・物・場所・団体・出来事に似ており、人に本物または真実であると誤認させる、"
        "生成・加工された画像・音声・動画をいう。",
    ),
    _law(
        "113",
        "Article 50 applies since 2 August 2026.",
        "第50条は2026年8月2日から適用されている。",
    ),
    _law(
        "111(4)",
        "Providers of generating systems that were placed on the market before 2 August 2026 have "
        "until 2 December 2026, for 50(2) alone. The same regulation replaces 50(7).",
        "2026年8月2日より前に市場に置かれた生成システムの提供者には、第50条2項についてのみ2026年12月2日までの"
        "猶予がある。同規則は第50条7項も置き換えた。",
        source="Regulation (EU) 2026/1744 of 8 July 2026 (OJ 24 July 2026), which inserts it",
        applies=Bilingual("in force since 27 July 2026", "2026年7月27日発効"),
    ),
    _law(
        "99(4)(g)",
        "Fines of up to EUR 15 million or 3 % of the worldwide annual turnover, whichever is "
        "higher; for small and medium-sized enterprises whichever is lower.",
        "1,500万ユーロまたは全世界年間売上高の3%のいずれか高い方（中小企業は低い方）を上限とする制裁金。",
    ),
)
ARTICLE_50_GUIDANCE = (
    _guidance(
        "guidelines, final output",
        "As reported: in film and animation production it is the final output that is marked.",
        "報告によれば、映画・アニメーション制作では最終出力に表示を行う。",
    ),
    _guidance(
        "guidelines, logs",
        "As reported: logs alone never suffice as marks.",
        "報告によれば、ログのみでは表示として十分ではない。",
    ),
    _guidance(
        "guidelines, mixed systems",
        "As reported: a system that also deals with people owes 50(1) separately.",
        "報告によれば、人とやり取りもするシステムは第50条1項の義務を別途負う。",
    ),
    _code(
        "Marks in two layers, metadata that is signed and time-stamped and an imperceptible "
        "watermark; marks of inputs are kept; logging is optional.",
        "署名・タイムスタンプ付きメタデータと不可視の電子透かしの二層の表示、入力素材の表示の保持。ログは任意。",
    ),
    _code(
        "About 190 organisations had signed by the end of July 2026.",
        "2026年7月末時点の署名は約190団体。",
    ),
    _code(
        "A common icon for deep fakes; detectors that work together by 2 February 2027.",
        "ディープフェイクのための共通アイコン。2027年2月2日までに検出手段の相互運用。",
    ),
)
ARTICLE_50_READING = (
    _reading(
        "who is who",
        "A studio that runs a model is a deployer; who offers the model or the service is its "
        "provider; a studio that trains and offers its own can be both. The sheet asks and does "
        "not decide.",
        "モデルを使用するスタジオは利用者（deployer）、モデルやサービスを提供する者は提供者（provider）であり、自ら"
        "学習させ提供するスタジオは両方になりうる。本書は問うのみで、判断しない。",
    ),
    _reading(
        "what the marks show",
        "A mark that was found shows what the file says of itself. Whether a mark is robust, "
        "detectable by others, or enough is not examined here.",
        "見つかった表示は、ファイル自身の記載を示す。その堅牢性、第三者による検出可能性、十分性は確認していない。",
    ),
)
#: The one place that says what holds in the United Kingdom.
UNITED_KINGDOM = (
    _reading(
        "UK, not required",
        "We know of no Act in force in the United Kingdom that requires pictures to be marked or "
        "labelled as generated by AI; the EU's Article 50 is not law there. On 18 March 2026 the "
        "government announced that it would consider labels.",
        "画像にAI生成である旨の表示を義務づける施行中の英国法は、把握している限り存在せず、EUの第50条は英国法では"
        "ない。英国政府は2026年3月18日、表示義務を検討すると発表した。",
        source="Haikei's reading, as of 30 November 2026",
    ),
    _reading(
        "UK, required",
        "General law stays: audiences and buyers must not be misled (consumer protection, "
        "advertising and broadcasting rules), and people's and others' rights hold for generated "
        "pictures too.",
        "一般法は適用される：視聴者や購入者を誤認させてはならず（消費者保護・広告・放送の規則）、人や他者の権利は"
        "生成画像にも及ぶ。",
        source="Haikei's reading, as of 30 November 2026",
    ),
    _law(
        "2(1)(c)",
        "The EU's act also applies to providers and deployers in other countries, such as the "
        "United Kingdom, where the output of the system is used in the Union.",
        "EUのAI法は、システムの出力がEU域内で使用される場合、英国など域外の提供者・利用者にも適用される。",
    ),
)

US_COPYRIGHT_SOURCE = (
    "US Copyright Office, 88 FR 16190 (16 March 2023); Part 2 report (29 Jan 2025)"
)
JAPAN_COPYRIGHT_SOURCE = (
    "Agency for Cultural Affairs, General Understanding on AI and Copyright in Japan (March 2024)"
)
TAG_SOURCE = "TAG / IATSE 839 agreement, 1 August 2024 to 31 July 2027, read in secondary pages"
