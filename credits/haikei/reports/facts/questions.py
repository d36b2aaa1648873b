"""What clients, academies and laws ask, as data with its sources; the askers' own words decide."""

from dataclasses import dataclass

from haikei.texts import Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that is asked."""

    key: str  #: the `subject` of statements that answer it
    text: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a law or an agreement says, and how sure we are of it."""

    key: str
    text: Bilingual
    source: str
    is_law: bool  #: else it is a reading of it, or voluntary


#: Partner Help Center, "Using Generative AI in Content Production", article 43393929218323.
NETFLIX_SOURCE = "https://partnerhelp.netflixstudios.com/hc/en-us/articles/43393929218323"

#: In short; an answer of `no` or `unsure` to any of them goes to the client before use.
NETFLIX_PRINCIPLES = (
    Question(
        key="1",
        text=Bilingual(
            "The outputs do not replicate or recreate identifiable material that is not owned, "
            "or is under someone's copyright.",
            "出力は、権利を持たない素材や著作権のある素材を識別できる形で複製・再現していない。",
        ),
    ),
    Question(
        key="2",
        text=Bilingual(
            "The tool does not store, reuse or train on what goes in or comes out.",
            "ツールは入力・出力を保存・再利用・学習しない。",
        ),
    ),
    Question(
        key="3",
        text=Bilingual(
            "The tool runs in an environment that is secured for the enterprise, where possible.",
            "可能な限り、企業向けに保護された環境でツールを使用している。",
        ),
    ),
    Question(
        key="4",
        text=Bilingual(
            "What is generated is temporary and no part of the final deliverables.",
            "生成物は一時的なもので、最終納品物に含まれない。",
        ),
    ),
    Question(
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

EU_ACT = "Regulation (EU) 2024/1689, Article 50"
EU_OMNIBUS = "Digital Omnibus (Parliament 16 June, Council 29 June 2026), read in secondary pages"
EU_CODE = "Code of Practice on Transparency of AI-Generated Content, final 10 June 2026"

ARTICLE_50_RULES = (
    Rule(
        key="50(2)",
        text=Bilingual(
            "Providers of systems that make synthetic images mark their output in a "
            "machine-readable way as artificially generated or manipulated.",
            "合成画像を生成するシステムの提供者（provider）は、出力が人工的に生成・加工されたものであることを"
            "機械可読の形で表示する。",
        ),
        source=EU_ACT,
        is_law=True,
    ),
    Rule(
        key="dates",
        text=Bilingual(
            "Article 50 applies from 2 August 2026; 50(2) from 2 December 2026 to systems that "
            "were on the market before 2 August 2026.",
            "第50条は2026年8月2日から適用。2026年8月2日より前に市場に出ていたシステムについて、第50条2項は"
            "2026年12月2日から適用。",
        ),
        source=f"{EU_ACT}; {EU_OMNIBUS}",
        is_law=True,
    ),
    Rule(
        key="50(4)",
        text=Bilingual(
            "Deployers disclose deep fakes; for evidently artistic or fictional works it is enough "
            "to disclose their existence in a way that does not hamper the enjoyment of the work.",
            "利用者（deployer）はディープフェイクを開示する。明らかに芸術的・創作的な作品では、鑑賞を妨げない"
            "適切な方法でその存在を開示すれば足りる。",
        ),
        source=EU_ACT,
        is_law=True,
    ),
    Rule(
        key="3(60)",
        text=Bilingual(
            "A deep fake resembles existing persons, objects, places or events and would falsely "
            "appear to be authentic.",
            "ディープフェイクとは、実在の人物・物・場所・出来事に似ており、本物であると誤認されるものをいう。",
        ),
        source="Regulation (EU) 2024/1689, Article 3(60)",
        is_law=True,
    ),
    Rule(
        key="code",
        text=Bilingual(
            "The code asks for two layers, metadata that is signed and time-stamped and an "
            "imperceptible watermark, and to keep marks of inputs; logging is optional.",
            "行動規範は、署名・タイムスタンプ付きメタデータと不可視の電子透かしの二層、入力素材のマークの保持を"
            "求める。ログは任意。",
        ),
        source=f"{EU_CODE} (voluntary)",
        is_law=False,
    ),
    Rule(
        key="stylised",
        text=Bilingual(
            "Stylised animation backgrounds are in general no deep fakes; each picture of a real "
            "place is to be looked at.",
            "様式化されたアニメ背景は一般にディープフェイクではないが、実在の場所を描いたものは個別に確認する。",
        ),
        source="our reading; for counsel",
        is_law=False,
    ),
    Rule(
        key="role",
        text=Bilingual(
            "A studio that runs its own models may be a provider as well as a deployer.",
            "自社でモデルを運用するスタジオは、利用者であると同時に提供者とみなされる可能性がある。",
        ),
        source="open question; for counsel",
        is_law=False,
    ),
)

US_COPYRIGHT_SOURCE = (
    "US Copyright Office, 88 FR 16190 (16 March 2023); Part 2 report (29 Jan 2025)"
)
JAPAN_COPYRIGHT_SOURCE = (
    "Agency for Cultural Affairs, General Understanding on AI and Copyright in Japan (March 2024)"
)
TAG_SOURCE = "TAG / IATSE 839 agreement, 1 August 2024 to 31 July 2027, read in secondary pages"
