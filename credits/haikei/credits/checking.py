"""What makes credits untrue: people who are tools, tools that are people, and work by nobody."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from haikei.credits.contribution import Contribution
from haikei.credits.maker import Person
from haikei.errors import CreditError

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
def is_ai_name(name: str) -> bool:
    """Tell whether a name means a machine, such as `AI` or `AI (+Human)`, and not a person."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if plain in _AI_ALONE:
        return True
    words = [word.casefold() for word in _WORD.findall(plain)]
    ai = [word for word in words if word in _AI_WORDS]
    others = [word for word in words if word not in _AI_WORDS]
    if not ai or any(word not in _COMPANY for word in others):
        return False
    return bool(others) or len(ai) > 1 or ai[0] not in {"ai", "生成", "artificial", "generative"}


def check_makers(contributions: Iterable[Contribution], what: str) -> None:
    """
    Check that people have people's roles and systems have tools', and that nobody is called AI.

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
        if isinstance(actor, Person) and (is_ai_name(actor.name) or is_ai_name(actor.name_ja)):
            raise CreditError(
                f"{actor.name or actor.name_ja!r} is credited as a person for {what}.",
                advice="Credit the system as a tool, and name the people who worked on it.",
            )
