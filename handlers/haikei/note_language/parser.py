"""
Read a note's words: "less green, more clouds, at sunset", 「緑を抑えて、雲を増やして」, and notes
that only thank.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from haikei.jobs.job import Instructions, Turn
from haikei.note_language.vocabulary import (
    AFTER_LESS,
    AFTER_MORE,
    CHANGE,
    COMPARATIVES,
    INSTEAD,
    JA_CHANGE,
    JA_INSTEAD,
    JA_KEEP,
    JA_LESS,
    JA_MORE,
    JA_REFUSED,
    JA_REFUSED_ENDS,
    KEEP,
    KEEP_SEED,
    LESS,
    MORE,
    NEW_SEED,
    NONE,
    NOUNS,
    REFUSED,
    SEASON_WORDS,
    SLIGHTLY,
    STRONGLY,
    TIME_WORDS,
)
from haikei.presets import QUALITIES, Quality
from haikei.texts import season_text, time_text

#: How far a word turns a quality, in percent.
PLAIN, STRONG, SLIGHT = 50, 80, 25
#: The most that several notes together turn one quality.
MOST = 100

# What follows "not" is a clause of its own: "brighter not greener".
_CLAUSE = re.compile(r"[.!?;,\n。！？；、，]+|\band\b|\bbut\b|\bthen\b|(?=\bnot\b)")
_NOT_ENOUGH = re.compile(r"(?:\bnot|n't)\b.*\benough\b")


def read_notes(notes: Sequence[str]) -> Instructions:
    """
    Return what several notes together ask for.

    Notes are read in order. A later season or time of day replaces an earlier one; turns of one
    quality add up, to at most 100 %.
    """
    season = time = ""
    keep_seed = False
    turns: dict[Quality, int] = {}
    unwanted: list[str] = []
    understood: list[str] = []
    for clause in (clause for note in notes for clause in _clauses(note)):
        keep_seed = (keep_seed or _has(clause, KEEP_SEED)) and not _has(clause, NEW_SEED)
        found = _moment(clause, SEASON_WORDS)
        if found:
            season = found
        found = _moment(clause, TIME_WORDS)
        if found:
            time = found
        for turn in _turns(clause):
            total = turns.get(turn.quality, 0) + turn.amount
            turns[turn.quality] = max(-MOST, min(MOST, total))
        unwanted += _unwanted(clause)
    if season:
        understood.append(str(season_text(season)))
    if time:
        understood.append(str(time_text(time)))
    understood += [_said(quality, amount) for quality, amount in turns.items() if amount]
    understood += [f"without {word}" for word in unwanted]
    if keep_seed:
        understood.append("same seed (同じシード)")
    return Instructions(
        text="\n".join(note.strip() for note in notes if note.strip()),
        season=season,
        time=time,
        keep_seed=keep_seed,
        turns=tuple(
            Turn(quality=quality, amount=amount) for quality, amount in turns.items() if amount
        ),
        unwanted=tuple(dict.fromkeys(unwanted)),
        understood=tuple(dict.fromkeys(understood)),
    )


def _clauses(note: str) -> Iterator[str]:
    # NFKC makes full-width letters and punctuation the ones that people also type.
    text = unicodedata.normalize("NFKC", note).casefold().replace("’", "'")
    for clause in _CLAUSE.split(text):
        if clause.strip():
            yield " ".join(clause.split())


def _has(clause: str, words: Sequence[str]) -> bool:
    return any(_finds(clause, word) for word in words)


def _finds(clause: str, word: str) -> bool:
    """Tell whether a word stands in a clause: whole in Latin script, anywhere in Japanese."""
    word = word.casefold()
    if word.isascii():
        return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", clause) is not None
    return word in clause


def _moment(clause: str, words: Mapping[str, tuple[str, ...]]) -> str:
    """Return what is asked for; of several the last: "change sunset to night"."""
    if _refuses(clause):
        return ""
    found = [
        (match.start(), len(word), name)
        for name, known in words.items()
        for word in known
        for match in _places(clause, word)
        if _asks_for(clause, word, match)
    ]
    return max(found)[2] if found else ""


def _places(clause: str, word: str) -> Iterator[re.Match[str]]:
    word = word.casefold()
    pattern = rf"(?<![\w-]){re.escape(word)}(?![\w-])" if word.isascii() else re.escape(word)
    return re.finditer(pattern, clause)


def _refuses(clause: str) -> bool:
    """Tell whether a clause says what is not to be done."""
    if _has(clause, REFUSED):
        return True
    # 少なくていい says that less will do.
    plain = clause.replace("少なくて", "")
    return any(word in plain for word in JA_REFUSED) or clause.endswith(JA_REFUSED_ENDS)


def _asks_for(clause: str, word: str, match: re.Match[str]) -> bool:
    """Tell whether a clause asks for a moment, rather than praising or refusing it."""
    before, after = clause[: match.start()].rstrip(), clause[match.end() :]
    if word.isascii():
        if _has(clause, KEEP) or _has(clause, (*NONE, "remove")):
            return False
        if any(re.search(rf"\b{one}(?: the| a)?$", before) for one in INSTEAD):
            return False
        return clause == word or _has(clause, CHANGE) or len(clause.split()) <= 3
    if _has(clause, JA_KEEP) or after.startswith(JA_INSTEAD):
        return False
    return not after or after.startswith(JA_CHANGE) or "変更" in clause


def _turns(clause: str) -> Iterator[Turn]:
    lacking = _NOT_ENOUGH.search(clause) is not None
    refused = _refuses(clause) and not lacking
    strength = _strength(clause)
    seen: set[Quality] = set()
    for word, (quality, direction) in sorted(COMPARATIVES.items(), key=lambda one: -len(one[0])):
        if quality not in seen and _finds(clause, word) and not refused and not lacking:
            seen.add(quality)
            yield Turn(quality=quality, amount=direction * strength)
    for quality, nouns in NOUNS.items():
        noun = next((noun for noun in nouns if _finds(clause, noun)), None)
        if quality in seen or noun is None or refused:
            continue
        direction = 1 if lacking else _direction(clause, noun)
        if direction:
            whole = abs(direction) > 1
            yield Turn(
                quality=quality, amount=(direction // 2) * MOST if whole else direction * strength
            )


def _direction(clause: str, noun: str) -> int:
    """Return 1 for more, -1 for less, -2 for none at all, 0 when the clause does not say."""
    if not noun.isascii():
        if any(word in clause for word in JA_LESS):
            return -1
        return 1 if any(word in clause for word in JA_MORE) else 0
    before = clause[: clause.index(noun)]
    # The nearest word before the noun decides: "less green than more blue".
    places = [
        (match.start(), direction)
        for words, direction in ((MORE, 1), (LESS, -1), (NONE, -2))
        for word in words
        for match in re.finditer(rf"(?<![\w-]){re.escape(word)}(?![\w-])", before)
    ]
    if places:
        return max(places)[1]
    after = clause[clause.index(noun) + len(noun) :]
    if _has(after, AFTER_LESS) or _finds(clause, f"too {noun}"):
        return -1
    return 1 if _has(after, AFTER_MORE) else 0


def _strength(clause: str) -> int:
    if _has(clause, SLIGHTLY):
        return SLIGHT
    # "too much green" asks for less, not for much less.
    plain = clause.replace("too much", "").replace("too many", "")
    return STRONG if _has(plain, STRONGLY) else PLAIN


def _unwanted(clause: str) -> Iterator[str]:
    found = re.match(r"(?:no|without|remove(?: the)?) ([a-z][a-z ]{1,40})$", clause)
    if found and not any(_finds(clause, noun) for nouns in NOUNS.values() for noun in nouns):
        yield found.group(1)


def _said(quality: Quality, amount: int) -> str:
    name = QUALITIES[quality].name
    way, way_ja = ("more", "増") if amount > 0 else ("less", "減")
    return f"{way} {name.en} {amount:+d} % ({name.ja}{way_ja})"


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
