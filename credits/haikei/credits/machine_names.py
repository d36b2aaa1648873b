"""
Names of generators and services, and whether somebody who is called so is a machine.

The one table of them: signs of AI in files and the names of people are held against it.
"""

import re
import unicodedata
from functools import lru_cache

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
    "automatic1111",
    "chatgpt",
    "comfyui",
    "dreamstudio",
    "fooocus",
    "gptimage",
    "invokeai",
    "leonardoai",
    "midjourney",
    "nijijourney",
    "novelai",
    "openai",
    "qwenimage",
    "sdxl",
    "seedream",
    "stabilityai",
    "stablediffusion",
    "swarmui",
    "ステーブルディフュージョン",
    "ステイブルディフュージョン",
    "ミッドジャーニー",
    "にじジャーニー",
    "ニジジャーニー",
)
#: Services whose names people have as well.
_ALSO_PEOPLE = re.compile(
    r"\b(niji|sora|flux|gemini|claude|copilot|grok|krea|kling|leonardo|dalle|runway|veo|gpt)"
    r"(?=\d|\b)",
    re.IGNORECASE,
)
_MAKERS = frozenset({"adobe", "anthropic", "google", "kuaishou", "meta", "microsoft", "xai"})
_VERSION = re.compile(
    r"(?:\b|(?<=[a-z]))v?\.?\d+(?:\.\d+)*[a-z]?\b|\b(?:xl|pro|ultra|turbo|beta|alpha|dev|max)\b",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]+")

# "Ai" is a name that people have; "AI", "A.I." and "ai" alone, or with words like these, are not.
_AI_ALONE = {"AI", "ai", "A.I.", "A.I", "a.i."}
_AI_WORDS = {"ai", "a.i.", "a.i", "artificial", "generative", "生成ai", "人工知能", "生成"}
_COMPANY = {
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
    "intelligence",
    "model",
    "painter",
    "system",
    "with",
    "人間",
    "人",
    "ヒト",
}
_WORD = re.compile(r"a\.i\.?|生成ai|ai|人工知能|人間|ヒト|人|生成|[^\W\d_]+", re.IGNORECASE)


@lru_cache(maxsize=4096)
def is_machine_name(name: str) -> bool:
    """Tell whether a name means a machine, such as `AI` or `Midjourney v7`, and not a person."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if plain in _AI_ALONE or _is_generator(plain):
        return True
    words = [word.casefold() for word in _WORD.findall(plain)]
    ai = [word for word in words if word in _AI_WORDS]
    others = [word for word in words if word not in _AI_WORDS]
    if not ai or any(word not in _COMPANY for word in others):
        return False
    return bool(others) or len(ai) > 1 or ai[0] not in {"ai", "生成", "artificial", "generative"}


def _is_generator(name: str) -> bool:
    """
    Tell whether a name is a generator's.

    Names that nobody but a generator has are found in any company; words that people are called
    too (Niji, Firefly) only when nothing stands beside them but a maker, a version or a wrapper.
    """
    seen = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    compact = "".join(sign for sign in seen.casefold() if sign.isalnum())
    if any(own in compact for own in _ONLY_GENERATORS):
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
