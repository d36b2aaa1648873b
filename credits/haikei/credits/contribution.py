"""
One thing that a person or a system did for an image: who, in which role, and how that is known.

The one table of machines' names stands here too: signs of AI in files and the names of people are
held against it.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from haikei.errors import CreditError
from haikei.measurements import Change, LineRecall

#: Generators and services, as programs write them into files.
GENERATORS = re.compile(
    r"\b(stable[ _-]?diffusion|comfyui|invokeai|automatic1111|novelai|midjourney|dall[·-]?e"
    r"|firefly|imagen\b|ideogram|leonardo\.ai|fooocus|sd\.?next|swarmui|draw things|niji"
    r"|flux\.?1?-?(?:dev|schnell|pro|kontext)|gpt-image|nano banana|made with google ai|seedream"
    r"|qwen-image|krita ai|dreamstudio|nijijourney|grok imagine)\b",
    re.IGNORECASE,
)
#: Letters and digits of names that stand for a generator in whatever company and spelling.
_ONLY_GENERATORS = (
    "animagine",
    "automatic1111",
    "chatgpt",
    "comfyui",
    "controlnet",
    "dreamstudio",
    "fooocus",
    "generativefill",
    "gptimage",
    "haikeipainter",
    "hunyuanimage",
    "imagecreator",
    "invokeai",
    "leonardoai",
    "magicmedia",
    "midjourney",
    "nanobanana",
    "nijijourney",
    "novelai",
    "openai",
    "ponydiffusion",
    "qwenimage",
    "sdxl",
    "seedream",
    "stabilityai",
    "stablediffusion",
    "swarmui",
    "ステーブルディフュージョン",
    "ステイブルディフュージョン",
    "ノベルai",
    "ミッドジャーニー",
    "にじジャーニー",
    "ニジジャーニー",
    "ファイアフライ",
    "ナノバナナ",
    "生成塗りつぶし",
    "即夢",
    "即梦",
    "通義万相",
    "通义万相",
    "文心一格",
    "豆包",
)
#: Signs of other scripts, and digits, that are put in the place of Latin letters.
_LOOKALIKES = str.maketrans("аеіоурсхԁјѕαειορυν013!|$@", "aeioypcxdjsaeiopuvoieilsa")
#: Services whose names people have as well.
_ALSO_PEOPLE = re.compile(
    r"\b(niji|sora|flux|gemini|claude|copilot|grok|krea|kling|leonardo|dalle|runway|veo|gpt"
    r"|hailuo|hunyuan|illustrious|mj|playground|recraft|sd|wan|z-image)"
    r"(?=\d|\b)",
    re.IGNORECASE,
)
_MAKERS = frozenset(
    {"adobe", "anthropic", "bing", "canva", "google", "kuaishou", "meta", "microsoft", "xai"}
)
_VERSION = re.compile(
    r"(?:\b|(?<=[a-z]))v?\.?\d+(?:\.\d+)*[a-z]?\b|\b(?:xl|pro|ultra|turbo|beta|alpha|dev|max|opus|sonnet|haiku)\b"
    r"|\bgen[ -]?\d+\b",
    re.IGNORECASE,
)
#: Written so, it is a part of a model; Lora is a name.
_LORA = re.compile(r"\bLoRAs?\b")
_LETTERS = re.compile(r"[^\W\d_]+")

# "Ai" is a name that people have; "AI", "A.I." and "ai" alone, or with words like these, are not.
_AI_ALONE = {"AI", "ai", "A.I.", "A.I", "a.i."}
_AI_WORDS = {"ai", "a.i.", "a.i", "artificial", "generative", "生成ai", "人工知能", "生成"}
_COMPANY = {
    "art",
    "アート",
    "and",
    "artist",
    "assisted",
    "background",
    "bot",
    "by",
    "designer",
    "generated",
    "generation",
    "generator",
    "human",
    "humans",
    "image",
    "intelligence",
    "model",
    "painter",
    "system",
    "with",
    "人間",
    "人",
    "ヒト",
    "アーティスト",
    "イラスト",
    "ペインター",
    "作画",
    "画像",
    "絵師",
    "背景",
}
#: "AI" beside letters of another script, as in 画像生成AI.
_AI_IN_JAPANESE = re.compile(r"(?<![^\W\d_ぁ-んァ-ヶー一-龠々])(生成ai|ai)(?![a-z])", re.IGNORECASE)
_WORD = re.compile(r"a\.i\.?|生成ai|ai|人工知能|人間|ヒト|人|生成|[^\W\d_]+", re.IGNORECASE)


@lru_cache(maxsize=4096)
def is_machine_name(name: str) -> bool:
    """Tell whether a name means a machine, such as `AI` or `Midjourney v7`, and not a person."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if plain in _AI_ALONE or _is_generator(plain):
        return True
    found = _WORD.findall(_AI_IN_JAPANESE.sub(r" \1 ", plain))
    words = [word.casefold() for word in found]
    ai = [word for word in words if word in _AI_WORDS]
    others = [word for word in words if word not in _AI_WORDS]
    if not ai or any(word not in _COMPANY | _MAKERS for word in others):
        return False
    if not others and all(word == "Ai" for word in found):
        return False  # a given name, and a family's
    return bool(others) or len(ai) > 1 or ai[0] not in {"ai", "生成", "artificial", "generative"}


def _is_generator(name: str) -> bool:
    """
    Tell whether a name is a generator's.

    Names that nobody but a generator has are found in any company; words that people are called
    too (Niji, Firefly) only when nothing stands beside them but a maker, a version or a wrapper.
    """
    seen = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    small = seen.casefold()
    compact = "".join(sign for sign in small if sign.isalnum())
    looks = "".join(sign for sign in small.translate(_LOOKALIKES) if sign.isalnum())
    if any(own in compact or own in looks for own in _ONLY_GENERATORS) or _LORA.search(seen):
        return True
    rest, generators = GENERATORS.subn(" ", seen)
    rest, words = _ALSO_PEOPLE.subn(" ", rest)
    if not generators and not words:
        return False
    rest, versions = _VERSION.subn(" ", rest)
    others = [word.casefold() for word in _LETTERS.findall(rest)]
    alone = all(word in _COMPANY | _AI_WORDS | _MAKERS for word in others)
    # A word that people are called too needs a maker or a version to mean the machine.
    return alone and bool(generators or versions or others)


class SourceType(StrEnum):
    """
    How the pixels came to be, in the words of the IPTC Digital Source Type vocabulary.

    Source: http://cv.iptc.org/newscodes/digitalsourcetype/ (copy of 2026-08-17).
    """

    DIGITAL_CREATION = "digitalCreation"  #: drawn by a human with non-generative tools
    PRINT = "print"  #: scanned from paper
    HUMAN_EDITS = "humanEdits"  #: corrected by a human with non-generative tools
    ALGORITHMIC = "algorithmicMedia"  #: made by an algorithm without training data
    TRAINED = "trainedAlgorithmicMedia"  #: made by a model trained on captured content
    COMPOSITE_TRAINED = "compositeWithTrainedAlgorithmicMedia"  #: augmented by such a model
    NOT_DECLARED = (
        "notDeclared"  #: not declared by anybody; no term of the vocabulary, and in no file
    )

    @property
    def is_ai(self) -> bool:
        """Whether a trained model made any of the pixels."""
        return self in {SourceType.TRAINED, SourceType.COMPOSITE_TRAINED}

    @property
    def is_drawn(self) -> bool:
        """Whether it is stated that a human drew it, on paper or with non-generative tools."""
        return self in {SourceType.DIGITAL_CREATION, SourceType.PRINT}


#: How the id of a person begins whom people were asked to name.
ASKED_FOR = "person:asked-"
#: How the id begins of who stands for work that was credited to somebody whose it is not.
DISOWNED = f"{ASKED_FOR}disowned-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human who worked on an image."""

    id: str  #: the tracker's, such as `HumanUser:12`; else `person:` and what is no name
    name: str  #: in Latin letters
    name_ja: str = ""  #: in Japanese script; empty when unknown
    opt_out: str = ""  #: where it is recorded that they do not want to be named; else empty

    @property
    def is_asked_for(self) -> bool:
        """Whether this stands for somebody until it is known who it was."""
        return self.id.startswith(ASKED_FOR)

    @property
    def is_disowned(self) -> bool:
        """Whether this stands for whoever did what was credited to somebody else."""
        return self.id.startswith(DISOWNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A program or a model that made pixels; credited as a tool, with who ran it."""

    name: str
    version: str
    source_type: SourceType
    #: Of the weights, as one hash over all files. An algorithm has one where a network helps it,
    #: which makes no pixel.
    sha256: str = ""
    licence: str = ""
    data: str = ""  #: what a model was trained on, in a sentence


class Facet(StrEnum):
    """The sides of an image's making; they are never added up into one figure."""

    LAYOUT = "layout"
    GENERATION = "generation"
    TOUCH_UP = "touch_up"
    REVIEW = "review"  #: selection and review


class Grade(StrEnum):
    """How it is known that somebody did something, the strongest first."""

    CONFIRMED = "confirmed"  #: the person themself agrees to what was known in another way
    MEASURED = "measured"  #: computed from the files, by a named method
    LOGGED = "logged"  #: written by a machine when it happened
    DECLARED = "declared"  #: a person's statement


class Role(StrEnum):
    """What someone did. What roles are called stands in `haikei.texts`."""

    ART_DIRECTOR = "art_director"
    ASSISTANT_ART_DIRECTOR = "assistant_art_director"
    ART_SETTING = "art_setting"
    ART_BOARD = "art_board"
    LAYOUT = "layout"
    GENZU = "genzu"
    GENZU_CLEAN_UP = "genzu_clean_up"
    AI_LAYOUT = "ai_layout"  #: a tool's, in a layout that bears signs of it
    AI_GENERATION = "ai_generation"  #: a tool's, never a person's
    PAINTING_ALGORITHM = "painting_algorithm"  #: a tool's whose pixels no trained model makes
    AI_OPERATION = "ai_operation"
    TOUCH_UP = "touch_up"
    BACKGROUND = "background"
    BACKGROUND_CHECK = "background_check"
    SELECTION = "selection"
    RETAKE = "retake"  #: asked for another version
    APPROVAL = "approval"
    PIPELINE = "pipeline"

    @property
    def is_tool(self) -> bool:
        """Whether a system, and never a person, has this role."""
        return self in {Role.AI_LAYOUT, Role.AI_GENERATION, Role.PAINTING_ALGORITHM}

    @property
    def facet(self) -> Facet:
        """The side of the image's making that this role belongs to."""
        return _FACETS.get(self, Facet.LAYOUT)


_FACETS = {
    Role.AI_GENERATION: Facet.GENERATION,
    Role.PAINTING_ALGORITHM: Facet.GENERATION,
    Role.AI_OPERATION: Facet.GENERATION,
    Role.PIPELINE: Facet.GENERATION,
    Role.TOUCH_UP: Facet.TOUCH_UP,
    Role.BACKGROUND: Facet.TOUCH_UP,
    Role.BACKGROUND_CHECK: Facet.REVIEW,
    Role.SELECTION: Facet.REVIEW,
    Role.RETAKE: Facet.REVIEW,
    Role.APPROVAL: Facet.REVIEW,
    Role.ART_DIRECTOR: Facet.REVIEW,
    Role.ASSISTANT_ART_DIRECTOR: Facet.REVIEW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that a contribution happened."""

    source: str  #: where it is known from, such as `Task:14 assignee` or `generation request`
    sha256: str = ""  #: of the thing itself (a request, a layered file), so that it can be examined
    change: Change | None = None
    recall: LineRecall | None = None
    minutes: int | None = None  #: time that was logged for it
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One role that one person or system had in one image."""

    role: Role
    actor: Person | System
    grade: Grade
    evidence: Evidence
    at: datetime
    #: How it was known before the person confirmed it, which is what its own entry seals.
    found: Grade | None = None

    @property
    def sealed_grade(self) -> Grade:
        """How it was known when it was recorded."""
        return self.grade if self.found is None else self.found


def check_makers(contributions: Iterable[Contribution], what: str) -> None:
    """
    Check that people have people's roles and systems have tools', and that no machine is a person.

    Raises:
        CreditError: it is not so; the message names `what`.
    """
    for contribution in contributions:
        actor, role = contribution.actor, contribution.role
        if isinstance(actor, Person) == role.is_tool:
            kind = "a person" if isinstance(actor, Person) else "a system"
            raise CreditError(
                f"{actor.name or 'Someone'} is {kind} and cannot be credited as {role.value} "
                f"of {what}.",
                advice="Credit a system as a tool, and whoever ran it as its operator.",
            )
        if isinstance(actor, Person) and (
            is_machine_name(actor.name) or is_machine_name(actor.name_ja)
        ):
            raise CreditError(
                f"{actor.name or actor.name_ja!r} is credited as a person for {what}.",
                advice="Credit the system as a tool, and name the people who worked on it.",
            )
