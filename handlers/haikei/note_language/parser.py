"""
Read notes and say what becomes of them: done by a generator, handed to a model as text, or beyond
what the recipe's generators can do.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from haikei.jobs.job import Instructions, Turn
from haikei.note_language.grammar import Wishes, wishes_of
from haikei.note_language.ways import MOST
from haikei.presets import (
    PAINTER_ABILITIES,
    QUALITIES,
    SUBJECTS,
    Abilities,
    Act,
    Quality,
    RegionChange,
    Subject,
    change_text,
)
from haikei.texts import Bilingual, season_text, time_text

#: Characters of a clause that was not read, which its answer repeats.
QUOTED = 120


def read_notes(notes: Sequence[str], abilities: Abilities = PAINTER_ABILITIES) -> Instructions:
    """
    Return what several notes together ask for, and what of it the generators can do.

    Notes are read in order. A later season or time of day replaces an earlier one; turns of one
    quality add up, to at most 100 %; a later colour of a thing replaces an earlier one. Where a
    place is drawn, all that its note asks for is limited to it, but for season and time of day.

    Args:
        notes: the oldest first.
        abilities: of the generators that will answer.
    """
    read = [wishes_of(note) for note in notes]
    cannot: list[Bilingual] = []
    season = next((one.season for one in reversed(read) if one.season), "")
    time = next((one.time for one in reversed(read) if one.time), "")
    changes = added_changes((), [change for one in read for change in one.changes])
    turns = _turns(read, changes)
    keep_seed = any(one.keep_seed for one in read)
    new_seed = any(one.new_seed for one in read) and not keep_seed
    names = {subject: text for one in read for subject, text in one.names.items()}
    asked: list[Bilingual] = [
        text
        for text in (
            season_text(season) if season else None,
            time_text(time) if time else None,
            Bilingual("another seed", "別のシード") if new_seed else None,
            Bilingual("same seed", "同じシード") if keep_seed else None,
        )
        if text is not None
    ]
    handed: list[Bilingual] = []
    kept_turns, kept_changes, unwanted = [], [], []
    for turn in turns:
        if turn.quality in abilities.turns:
            asked.append(turn_text(turn))
        else:
            (handed if abilities.reads else cannot).append(turn_text(turn))
        if turn.quality in abilities.turns or abilities.reads:
            kept_turns.append(turn)
    for change in changes:
        if change.act is Act.REMOVE:
            unwanted.append(_unwanted(change, names))
        if change.act in abilities.acts:
            asked.append(change_text(change))
            kept_changes.append(change)
        elif change.act is Act.REMOVE:
            # A model that is asked to leave something out by its name draws it all the more.
            (handed if abilities.negates else cannot).append(change_text(change))
        else:
            (handed if abilities.reads else cannot).append(change_text(change))
    strange = [text for one in read for text in (*one.beyond, *one.unread)]
    unwanted += [found for text in strange if (found := _strange_removal(text))]
    quoted = [text if len(text) <= QUOTED else f"{text[:QUOTED]}…" for text in strange]
    (handed if abilities.reads else cannot).extend(Bilingual(text, text) for text in quoted)
    cannot += [text for one in read for text in one.blind]
    return Instructions(
        text="\n".join(note.strip() for note in notes if note.strip()),
        season=season,
        time=time,
        keep_seed=keep_seed,
        new_seed=new_seed,
        turns=tuple(kept_turns),
        changes=tuple(kept_changes),
        unwanted=tuple(dict.fromkeys(unwanted)),
        understood=tuple(dict.fromkeys(str(text) for text in asked)),
        asked=tuple(dict.fromkeys(asked)),
        handed=tuple(dict.fromkeys(handed)),
        cannot=tuple(dict.fromkeys(cannot)),
        beyond=any(one.beyond for one in read),
    )


def added_changes(
    before: Sequence[RegionChange], now: Sequence[RegionChange]
) -> tuple[RegionChange, ...]:
    """
    Return changes of two retakes as one, in the order in which they are made.

    Turns of one quality of a thing add up; another colour replaces the one before; what is removed
    stays so.
    """
    found: dict[tuple[str, ...], RegionChange] = {}
    for change in (*before, *now):
        known = found.pop(change.aim, None)
        if known is not None and change.act is Act.TURN and known.apart == change.apart:
            amount = max(-MOST, min(MOST, known.amount + change.amount))
            if amount:
                found[change.aim] = replace(change, amount=amount)
        elif known is not None and change.act is known.act is Act.TINT:
            same = known.colour == change.colour
            amount = min(MOST, known.amount + change.amount) if same else change.amount
            found[change.aim] = replace(change, amount=amount)
        else:
            found[change.aim] = change
    return tuple(found.values())


def _turns(read: Sequence[Wishes], changes: Sequence[RegionChange]) -> list[Turn]:
    totals: dict[Quality, int] = {}
    for quality, amount in (turn for one in read for turn in one.turns):
        totals[quality] = max(-MOST, min(MOST, totals.get(quality, 0) + amount))
    if any(one.act is Act.REMOVE and one.subject is Subject.CLOUDS for one in changes):
        totals.pop(Quality.CLOUDS, None)
    return [Turn(quality=quality, amount=amount) for quality, amount in totals.items() if amount]


def turn_text(turn: Turn) -> Bilingual:
    """Return a turn as people read it: "less green -50 %"."""
    name = QUALITIES[turn.quality].name
    way, way_ja = ("more", "増") if turn.amount > 0 else ("less", "減")
    return Bilingual(f"{way} {name.en} {turn.amount:+d} %", f"{name.ja}{way_ja} {turn.amount:+d} %")


def _unwanted(change: RegionChange, names: dict[Subject, str]) -> str:
    """Return what a negative prompt calls a thing: the note's own word, where it is English."""
    name = names.get(change.subject, "")
    return name if name and name.isascii() else SUBJECTS[change.subject].en


def _strange_removal(text: str) -> str:
    found = re.match(r"(?:no|without|remove(?: the)?|delete(?: the)?) ([a-z][a-z ]{1,40})$", text)
    return found.group(1) if found else ""


def is_japanese(text: str) -> bool:
    """Tell whether a text is written in Japanese, as its answer then is."""
    return any("぀" <= one <= "ヿ" or "㐀" <= one <= "鿿" for one in text)


#: All that a note may hold, without what stands between: a note of these alone asks for nothing.
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
#: Whom it addresses, after it or by itself: "thanks, Sato-san", "佐藤さん、ありがとう".
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
    phrases = [part for part in parts if part and not _is_address(part)]
    return bool(phrases) and all(_TO.sub("", part).strip() in _ALL for part in phrases)


def _is_address(part: str) -> bool:
    return part not in _ALL and _TO.fullmatch(part) is not None
