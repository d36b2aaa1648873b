"""
Notes that only thank or acknowledge: they ask for nothing and want no answer.

The list is closed, and a note counts only when nothing else stands in it: one word that is not
known here, or a question mark, and it is read like any other.
"""

import re
import unicodedata

#: All that may be said, without what stands between: a note of these alone asks for nothing.
THANKS = (
    "thanks",
    "thank you",
    "thanks a lot",
    "thanks again",
    "thanks so much",
    "many thanks",
    "thank you so much",
    "thank you very much",
    "thx",
    "cheers",
    "much appreciated",
    "ok",
    "okay",
    "got it",
    "noted",
    "understood",
    "ありがとう",
    "ありがとうございます",
    "ありがとうございました",
    "有難うございます",
    "有難うございました",
    "有り難うございます",
    "有り難うございました",
    "どうもありがとう",
    "どうもありがとうございます",
    "どうもありがとうございました",
    "感謝です",
    "感謝します",
    "助かります",
    "助かりました",
    "お疲れ様です",
    "お疲れ様でした",
    "お疲れさまです",
    "お疲れさまでした",
    "了解",
    "了解です",
    "了解しました",
    "了解いたしました",
    "承知しました",
    "承知いたしました",
    "かしこまりました",
    "わかりました",
    "分かりました",
    "確認しました",
    "👍",
    "🙏",
    "👌",
)
#: Whom it is said to, after it or by itself: "thanks, Sato-san", "佐藤さん、ありがとう".
_TO = re.compile(r"(?:^|\s)(?:@\S+|[\w.]+-san|[^\W\d_]{1,8}(?:さん|様)|all|everyone|team|haikei)$")
#: A question mark separates nothing: "ok?" is a question.
_BETWEEN = re.compile(r"[.,!;:\n。！；、，・…~〜♪]+|(?<=[👍🙏👌])|(?=[👍🙏👌])")
_ALL = frozenset(THANKS)


def only_thanks(text: str) -> bool:
    """Tell whether a note thanks or acknowledges and says nothing else."""
    # Skin tones and joiners change how a sign looks, not what it says.
    plain = "".join(
        one
        for one in unicodedata.normalize("NFKC", text).casefold()
        if unicodedata.category(one) not in {"Cf", "Sk"} and one != "\ufe0f"
    )
    parts = [" ".join(part.split()) for part in _BETWEEN.split(plain)]
    said = [part for part in parts if part and not _is_address(part)]
    return bool(said) and all(_TO.sub("", part).strip() in _ALL for part in said)


def _is_address(part: str) -> bool:
    return part not in _ALL and _TO.fullmatch(part) is not None
