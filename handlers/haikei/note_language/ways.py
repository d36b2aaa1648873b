"""What a clause names and what shall become of it: things, places, ways and amounts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haikei.note_language.tokens import Sense, Token, any_of, tokens_of
from haikei.note_language.vocabulary import CASTS, JA_INSTEAD, LAMPS, WANTED
from haikei.presets import Act, Part, Quality, Subject

#: How far a word turns a quality, in percent.
PLAIN, STRONG, SLIGHT = 50, 80, 25
#: The most that several notes together turn one quality.
MOST = 100

#: English verbs stand before what they act on; then the wish goes on to further things.
_STOPS = frozenset({"for", "because", "so", "since", "as", "with", "if", "when", "than", "like"})

#: Words that put one thing in or on another, and those that say by another which one is meant.
_WHERE = frozenset({"from", "in", "on", "at", "over", "under", "along", "around", "across", "into"})
_WHICH = frozenset({"next to", "beside", "in front of", "behind", "near", "between", "opposite"})
_ADDRESS = re.compile(r"(?:さん|様|くん|君|-san|\bsan)[へ、,]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that a clause names; `subject` is None where no region stands for it."""

    subject: Subject | None
    text: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What shall become of things."""

    act: Act
    start: int
    quality: Quality | None = None
    colour: str = ""
    shade: str = ""
    amount: int = 100


def text_of(tokens: Sequence[Token]) -> str:
    """Return the known words of a clause as they stand."""
    parts: list[str] = []
    for at, token in enumerate(tokens):
        if at and token.start > tokens[at - 1].end:
            parts.append(" ")
        parts.append(token.text)
    return "".join(parts)


def things_of(tokens: Sequence[Token]) -> list[Thing]:
    """Return what a clause names; of "the roof of the house", 家の屋根, the roof alone."""
    found: list[Thing] = []
    modifies_next = False  #: the next thing only says whose the last one is
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        subject, unseen = token.find(Sense.SUBJECT), token.has(Sense.UNSEEN)
        owned = before is not None and before.text in {"の", "'s"}
        if token.text in {"of", "of the"} and found:
            modifies_next = True
            continue
        if subject is None and not unseen:
            strange = token.has(Sense.UNKNOWN)
            if strange and owned and found:
                found[-1] = Thing(subject=None, text=token.text, start=token.start)
            continue
        if modifies_next:
            modifies_next = False
            continue
        beside = _stands_beside(tokens, at) if found else ""
        if beside:
            # "The cars on the street" are cars; which tree is "next to the house" is not known.
            if beside in _WHICH:
                found[-1] = Thing(
                    subject=None, text=f"{found[-1].text} {beside} {token.text}", start=token.start
                )
            continue
        thing = Thing(
            subject=Subject(subject.value) if subject is not None else None,
            text=token.text,
            start=token.start,
        )
        straight = before is not None and before.has(Sense.SUBJECT)
        joined = straight and (token.text.isascii() or tokens[at - 1].end == token.start)
        if found and (owned or joined):
            found[-1] = thing
        else:
            found.append(thing)
    # "The whole picture of the sky": a thing that is named says more than the picture.
    named = [one for one in found if one.subject is not Subject.PICTURE]
    return named or found


def _stands_beside(tokens: Sequence[Token], at: int) -> str:
    """Return the word that puts an earlier thing beside, on or in this one; empty for none."""
    for before in reversed(tokens[max(0, at - 3) : at]):
        if before.text in {*_WHERE, *_WHICH}:
            return before.text
        if before.text not in {"the", "a", "an", "this", "that", "our"}:
            return ""
    return ""


def described_at(tokens: Sequence[Token], way: Treatment) -> int:
    """Return where the thing stands that a way directly before it describes; 0 for none."""
    for at, token in enumerate(tokens[:-1]):
        after = tokens[at + 1]
        if token.start == way.start and after.has(Sense.SUBJECT, Sense.UNSEEN):
            return after.start
    return 0


def parts_of(tokens: Sequence[Token]) -> tuple[Part, ...]:
    """Return the places that a clause names."""
    found: list[Part] = []
    for at, token in enumerate(tokens):
        part = token.find(Sense.PART)
        if part is None or _strengthens(tokens, at) or _turns_back(tokens, at):
            continue
        found.append(Part(part.value))
    return tuple(dict.fromkeys(found))


def _strengthens(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether "far" stands for how much: "far brighter"."""
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    return (
        tokens[at].has(Sense.STRONGLY)
        and following is not None
        and following.has(Sense.TURN, Sense.TINT, Sense.MORE, Sense.LESS, Sense.TOO)
    )


def _turns_back(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether "back" says which way a quality goes: "knock the contrast back"."""
    if not tokens[at].has(Sense.BEHIND_LESS) or not any_of(tokens[:at], Sense.NOUN):
        return False
    return tokens[at - 1].text not in {"the", "at", "at the", "in", "in the", "on the"}


def _strength(tokens: Sequence[Token]) -> tuple[int, bool]:
    """Return how far a clause turns something, and whether it says so."""
    for token in tokens:
        amount = token.find(Sense.AMOUNT)
        if amount is not None:
            return int(amount.value), True
    if any_of(tokens, Sense.SLIGHTLY):
        return SLIGHT, True
    for at, token in enumerate(tokens):
        if token.has(Sense.STRONGLY) and (not token.has(Sense.PART) or _strengthens(tokens, at)):
            return STRONG, True
    return PLAIN, False


def ways_of(tokens: Sequence[Token], *, enough: bool) -> Iterator[Treatment]:
    """Yield what shall become of the things of a clause, in its order."""
    ways = [
        (at, way)
        for at in range(len(tokens))
        if (way := _way_at(tokens, at, enough=enough)) is not None
    ]
    yield from _settled(tokens, ways)


def _way_at(tokens: Sequence[Token], at: int, *, enough: bool) -> Treatment | None:
    token = tokens[at]
    strength, explicit = _strength(tokens)
    colour, tint = token.find(Sense.COLOUR), token.find(Sense.TINT)
    if colour is not None and not _is_instead(tokens, at):
        return _colour_way(tokens, at, colour.value, strength, explicit=explicit)
    if tint is not None:
        if _before(tokens, at, Sense.LESS, Sense.TOO) or any_of(tokens[at:], Sense.LESS):
            return _turn(Quality.SATURATION, -strength, token)
        return Treatment(act=Act.TINT, start=token.start, colour=tint.value, amount=strength)
    # "A slightly darker blue" is a step to it; "dark blue" is a colour.
    steps = any_of(tokens, Sense.SLIGHTLY, Sense.MORE) and token.has(Sense.TURN)
    if token.has(Sense.SHADE) and _shades(tokens, at) and not steps:
        return None
    too_much = token.find(Sense.TOO_MUCH)
    if too_much is not None:
        return _cast(tokens, _colour_in(token), strength, token) or _turn(
            Quality(too_much.value), too_much.sign * strength, token
        )
    return _quality_way(tokens, at, strength, enough=enough)


def _quality_way(
    tokens: Sequence[Token], at: int, strength: int, *, enough: bool
) -> Treatment | None:
    token = tokens[at]
    turn, noun = token.find(Sense.TURN), token.find(Sense.NOUN)
    if turn is not None:
        if enough and not any_of(tokens, Sense.NOT):
            return None
        back = _before(tokens, at, Sense.LESS, Sense.TOO) or _half_as(tokens, at)
        sign = -turn.sign if back else turn.sign
        return _turn(Quality(turn.value), sign * strength, token)
    if noun is None:
        return None
    sign = _direction(tokens, at, enough=enough)
    if sign:
        return _turn(Quality(noun.value), sign * strength, token)
    if token.text in LAMPS and _switched_on(tokens):
        return _turn(Quality.LIGHT, strength, token)
    follows = at > 0 and tokens[at - 1].has(Sense.TURN)
    if token.text == "light" and not follows and _stands_alone(tokens, at):
        return _turn(Quality.LIGHT, strength, token)
    return None


def _turn(quality: Quality, amount: int, token: Token) -> Treatment:
    return Treatment(act=Act.TURN, start=token.start, quality=quality, amount=amount)


def _settled(tokens: Sequence[Token], ways: list[tuple[int, Treatment]]) -> Iterator[Treatment]:
    """Leave out words that only say which thing is meant: "the red roof should be blue"."""
    for number, (at, way) in enumerate(ways):
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        describes = (
            following is not None
            and following.has(Sense.SUBJECT)
            and len(ways) > number + 1
            and way.act is not Act.TINT
        )
        if describes:
            continue
        same = [
            other
            for _, other in ways[:number]
            if other.act is way.act and other.quality is way.quality and way.quality
        ]
        # "The light is too dark", "bright enough light": one wish in two words.
        if not same:
            yield way


def _colour_way(
    tokens: Sequence[Token], at: int, colour: str, strength: int, *, explicit: bool
) -> Treatment | None:
    token = tokens[at]
    noun = token.find(Sense.NOUN)
    direction = _direction(tokens, at, enough=any_of(tokens, Sense.ENOUGH))
    things = any_of(tokens, Sense.SUBJECT)
    if noun is not None and direction and (noun.value == Quality.GREEN.value or not things):
        return _turn(Quality(noun.value), direction * strength, token)
    if noun is not None and not things and noun.value == Quality.WARMTH.value and explicit:
        return None
    if direction < 0:
        cast = _cast(tokens, colour, strength, token) if _before(tokens, at, Sense.TOO) else None
        return cast or _turn(Quality.SATURATION, -strength, token)
    shade = next(
        (
            shade.value
            for before in (tokens[at - 1 : at] if at else ())
            if (shade := before.find(Sense.SHADE)) is not None
        ),
        "",
    )
    slightly = any_of(tokens, Sense.SLIGHTLY, Sense.ENOUGH)
    if slightly or any_of(tokens, Sense.MORE):
        return Treatment(act=Act.TINT, start=token.start, colour=colour, amount=strength)
    percent = any(one.has(Sense.AMOUNT) for one in tokens)
    amount = strength if percent else MOST
    return Treatment(act=Act.COLOUR, start=token.start, colour=colour, shade=shade, amount=amount)


def _colour_in(token: Token) -> str:
    """Return the colour of a Japanese word that says that there is too much of it."""
    _, inner = tokens_of(token.text.removesuffix("すぎ").removesuffix("過ぎ"))
    found = next((one.find(Sense.COLOUR) for one in inner), None)
    return "" if found is None else found.value


def _cast(tokens: Sequence[Token], colour: str, strength: int, token: Token) -> Treatment | None:
    """Return what is done about too much of a colour in all of a picture: its light is turned."""
    sign = CASTS.get(colour, 0)
    whole = all(one.subject is Subject.PICTURE for one in things_of(tokens))
    if not sign or not whole or any_of(tokens, Sense.PART, Sense.UNKNOWN, Sense.IT):
        return None
    return _turn(Quality.WARMTH, sign * strength, token)


def _shades(tokens: Sequence[Token], at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at + 1].has(Sense.COLOUR)


def _is_instead(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a colour is the one that goes: "from red to blue", 赤ではなく青."""
    before = tokens[at - 1] if at else None
    if before is not None and (before.text == "from" or before.has(Sense.INSTEAD)):
        return before.text.isascii() or not before.has(Sense.INSTEAD)
    after = "".join(token.text for token in tokens[at + 1 : at + 2])
    gap_follows = at + 1 < len(tokens) and tokens[at + 1].start > tokens[at].end
    return not tokens[at].text.isascii() and (after.startswith(JA_INSTEAD) and not gap_follows)


def _before(tokens: Sequence[Token], at: int, *senses: Sense) -> bool:
    return any_of(tokens[max(0, at - 2) : at], *senses)


def _half_as(tokens: Sequence[Token], at: int) -> bool:
    return any(one.text.startswith("half as") for one in tokens[max(0, at - 1) : at])


def _switched_on(tokens: Sequence[Token]) -> bool:
    """Tell whether a clause only says where lights are to be: 窓に明かり."""
    other = (Sense.TURN, Sense.TINT, Sense.COLOUR, Sense.REMOVE, Sense.NONE, Sense.NOT_NEEDED)
    return any_of(tokens, Sense.SUBJECT) and not any_of(tokens, *other, Sense.TOO)


def _stands_alone(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether "light" says how something shall be, rather than naming the light."""
    named = at > 0 and tokens[at - 1].text in {"the", "this", "that", "some", "of", "of the"}
    return not named and any_of(tokens, Sense.PART, Sense.SUBJECT)


def _direction(tokens: Sequence[Token], at: int, *, enough: bool) -> int:
    """Return 1 for more of a quality, -1 for less, 0 where a clause does not say."""
    token = tokens[at]
    if enough:
        return 1
    if not token.text.isascii():
        if any_of(tokens, Sense.LESS):
            return -1
        if any_of(tokens, Sense.MORE) or any(one.text in WANTED for one in tokens[at + 1 : at + 2]):
            return 1
        return -1 if _halves(tokens) else 0
    before = [one for one in tokens[:at] if one.has(Sense.MORE, Sense.LESS)]
    if before:
        return 1 if before[-1].has(Sense.MORE) else -1
    if token.has(Sense.AMOUNT) and at and tokens[at - 1].has(Sense.BEHIND_MORE, Sense.BEHIND_LESS):
        # "Down a stop", "up half a stop".
        return 1 if tokens[at - 1].has(Sense.BEHIND_MORE) else -1
    if _before(tokens, at, Sense.TOO):
        return -1
    more, less = (Sense.MORE, Sense.BEHIND_MORE), (Sense.LESS, Sense.BEHIND_LESS)
    after = next((one for one in tokens[at:] if one.has(*more, *less)), None)
    if after is not None:
        return 1 if after.has(*more) else -1
    return -1 if _halves(tokens) else 0


def _halves(tokens: Sequence[Token]) -> bool:
    return any(
        (amount := one.find(Sense.AMOUNT)) is not None and amount.value == str(PLAIN)
        for one in tokens
    ) and not any_of(tokens, Sense.TURN, Sense.TINT, Sense.COLOUR)


def strange_object(tokens: Sequence[Token], way: int) -> str:
    """Return a word for which no thing is known and that the way describes; empty for none."""
    japanese = any(not token.text.isascii() for token in tokens if token.start <= way)
    for at, token in enumerate(tokens):
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if at == 0 and following in {"the", "this", "that", "those", "these"}:
            # A verb that is not known stands before what it acts on.
            continue
        if not token.has(Sense.UNKNOWN, Sense.UNSEEN):
            if token.text in _STOPS and token.start > way:
                return ""
            continue
        if token.start < way or not japanese:
            return token.text
    return ""


def is_address(clause: str) -> bool:
    """Tell whether a clause only names somebody: さん and -san follow a name."""
    return _ADDRESS.search(clause) is not None
