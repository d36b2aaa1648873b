"""
How words become wishes: thing, place, way and amount, clause by clause.

A sentence is cut at "and", commas and their likes into clauses; a clause without a way of its own
("the roof and …") lends its things to the next or takes the way of the one before.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from haikei.note_language.moments import moment_of
from haikei.note_language.tokens import Sense, Token, any_of, normal, tokens_of
from haikei.note_language.vocabulary import (
    JA_REFUSED_ENDS,
    KEEP_SEED,
    LAMPS,
    NEW_SEED,
    ONLY,
    WHY,
)
from haikei.note_language.ways import (
    MOST,
    PLAIN,
    Thing,
    Treatment,
    described_at,
    is_address,
    parts_of,
    strange_object,
    text_of,
    things_of,
    ways_of,
)
from haikei.presets import (
    SEASON_WORDS,
    TIME_WORDS,
    Act,
    Part,
    Quality,
    RegionChange,
    Spot,
    Subject,
    split_noted,
    where_drawn,
)
from haikei.texts import Bilingual

#: Words of a clause, beyond which it is prose and no wish.
LONGEST = 80
_SENTENCE = re.compile(
    r"(?<!\d)\.|\.(?!\d)|[!?;\n。！？；]+|\bbut\b|\bthen\b|\bwhile\b|\bhowever\b|\bwhereas\b"
    r"|けれども|けれど|けど|ただし|ただ(?=[、,])|一方|が、"
)
_QUOTE = re.compile(
    r'"([^"]{4,})"|「([^」]{3,})」|『([^』]{3,})』|\'(?=[^\']* )([^\']{6,})\'(?![a-z])'
)
#: Whom it addresses, and who writes it, as trackers write it into notes.
_MENTION = re.compile(r"@[\w.-]+")
_SPEAKER = re.compile(r"([^:]{1,40}):\s*(?=\S)")
_ASKS_BACK = re.compile(r"(?:です|ます|でしょう)か$")
_ONLY_WORDS = re.compile("|".join(rf"\b{one}\b" if one.isascii() else one for one in ONLY))
_REQUESTS = re.compile(r"もらえ|いただけ|頂け|くれ|でき|ません|貰え|可能")
#: A clause with one of these means something, also where it is not understood.
_MEANT = (
    Sense.UNKNOWN,
    Sense.NOUN,
    Sense.PART,
    Sense.SHADE,
    Sense.MORE,
    Sense.LESS,
    Sense.AMOUNT,
    Sense.COLOUR,
    Sense.UNSEEN,
    Sense.BEYOND,
    Sense.TOO,
)


@dataclass(slots=True, kw_only=True)
class Wishes:
    """What one note, or several, ask for."""

    turns: list[tuple[Quality, int]] = field(default_factory=list[tuple[Quality, int]])
    changes: list[RegionChange] = field(default_factory=list[RegionChange])
    season: str = ""
    time: str = ""
    keep_seed: bool = False
    new_seed: bool = False
    apart: list[Subject] = field(default_factory=list[Subject])
    beyond: list[str] = field(default_factory=list[str])  #: read, and nothing can do it
    unread: list[str] = field(default_factory=list[str])
    names: dict[Subject, str] = field(default_factory=dict[Subject, str])  #: as the note has them
    blind: list[Bilingual] = field(default_factory=list[Bilingual])  #: no words: nobody reads it

    @property
    def anything(self) -> bool:
        """Whether something is asked for that a next version would show."""
        moment = self.season or self.time
        return bool(self.turns or self.changes or moment or self.keep_seed or self.new_seed)


def wishes_of(note: str) -> Wishes:
    """Return what one note asks for; what stands apart in it holds for all of it."""
    wishes = Wishes()
    note, spots, unread = split_noted(note)
    text = "\n".join(
        line for line in normal(note).splitlines() if not line.lstrip().startswith(">")
    )
    plain = _QUOTE.sub(" ", text)
    if plain != text:
        _read(plain, wishes)
        if not wishes.anything and not wishes.beyond:
            # What is quoted is the wish itself, where nothing else is one.
            wishes = Wishes()
            for quoted in _QUOTE.finditer(text):
                _read(next(filter(None, quoted.groups())), wishes)
    else:
        _read(text, wishes)
    if wishes.apart:
        _set_apart(wishes)
    if spots:
        _limit(wishes, spots)
    wishes.blind += [Bilingual(one, one) for one in unread]
    wishes.changes = list(dict.fromkeys(wishes.changes))
    return wishes


def _limit(wishes: Wishes, spots: tuple[Spot, ...]) -> None:
    """Limit all that a note asks for to the places drawn for it, and note what cannot be."""
    wishes.changes = [replace(one, within=spots) for one in wishes.changes]
    wishes.changes += [
        RegionChange(
            subject=Subject.PICTURE,
            act=Act.TURN,
            quality=quality.value,
            amount=amount,
            within=spots,
        )
        for quality, amount in wishes.turns
        if quality is not Quality.CLOUDS
    ]
    # Clouds are painted with the whole sky: more of them in one place would change all of it.
    clouds = [turn for turn in wishes.turns if turn[0] is Quality.CLOUDS]
    wishes.turns = []
    where = where_drawn(spots)
    wishes.blind += [Bilingual(f"clouds {where.en}", f"{where.ja}だけの雲の増減") for _ in clouds]
    if not wishes.changes and not clouds:
        wishes.blind += [
            Bilingual(f"what is drawn at {one.text.en}", f"描き込み（{one.text.ja}）")
            for one in spots
        ]


def _set_apart(wishes: Wishes) -> None:
    """Let what stands apart be left out of changes of the whole picture, and of turns."""
    changes: list[RegionChange] = []
    for change in wishes.changes:
        apart = tuple(one for one in wishes.apart if one is not change.subject)
        whole = change.subject is Subject.PICTURE
        changes.append(replace(change, apart=apart) if whole else change)
    turns: list[tuple[Quality, int]] = []
    for quality, amount in wishes.turns:
        if quality is Quality.CLOUDS:
            turns.append((quality, amount))
            continue
        changes.append(
            RegionChange(
                subject=Subject.PICTURE,
                act=Act.TURN,
                quality=quality.value,
                amount=amount,
                apart=tuple(dict.fromkeys(wishes.apart)),
            )
        )
    wishes.changes, wishes.turns = changes, turns


def _read(text: str, wishes: Wishes) -> None:
    last: list[Thing] = []
    since = 0
    for original in _sentences(_MENTION.sub(" ", text)):
        raw = _without_speaker(original)
        sentence = _Sentence(raw, last, wishes, since)
        since = len(wishes.turns)
        if _asks_why(raw):
            wishes.unread.append(raw.strip())
            continue
        sentence.read()
        last = sentence.things or last


def _without_speaker(sentence: str) -> str:
    """Return a sentence without who is named before it: "Mori: darker"."""
    speaker = _SPEAKER.match(sentence)
    if speaker is None:
        return sentence
    _, tokens = tokens_of(speaker.group(1))
    named = any_of(tokens, Sense.UNKNOWN)
    plain = all(token.has(Sense.UNKNOWN, Sense.FILLER, Sense.AND) for token in tokens)
    return sentence[speaker.end() :] if named and plain else sentence


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for match in _SENTENCE.finditer(text):
        if text[start : match.start()].strip():
            yield text[start : match.start()].strip()
        start = match.end()
    if text[start:].strip():
        yield text[start:].strip()


def _asks_why(sentence: str) -> bool:
    words = sentence.lstrip("「『\"' ")
    if any(re.match(rf"{word}\b", words) if word.isascii() else word in words for word in WHY):
        return not words.startswith(("what if", "what about", "how about", "is it possible"))
    return bool(_ASKS_BACK.search(words)) and not _REQUESTS.search(words)


class _Sentence:
    """Reads the clauses of one sentence in order."""

    def __init__(self, text: str, before: list[Thing], wishes: Wishes, since: int) -> None:
        self._text = text
        self._since = since  #: turns of the whole picture from here on may still be narrowed
        self._before = before
        self._wishes = wishes
        self.things: list[Thing] = []
        self._waiting: list[Thing] = []  #: named, and nothing is asked of them yet
        self._waiting_parts: tuple[Part, ...] = ()
        self._ways: list[Treatment] = []
        self._parts: tuple[Part, ...] = ()
        self._removes = False
        self._sets_apart = False
        self._leads = False  #: the way stood before its things

    def read(self) -> None:
        for clause, text in _clauses(self._text):
            self._clause(clause, text)
        self.things = self.things or self._waiting
        if self._waiting:
            if self._ways or self._removes:
                self._apply(self._waiting, self._ways, self._waiting_parts)
            elif not self._sets_apart:
                self._unread(self._text)
            self._waiting = []

    def _clause(self, tokens: Sequence[Token], text: str) -> None:
        wishes = self._wishes
        if len(tokens) > LONGEST:
            self._unread(text)
            return
        if any_of(tokens, Sense.SEED):
            wishes.keep_seed = wishes.keep_seed or any(word in text for word in KEEP_SEED)
            wishes.new_seed = wishes.new_seed or any(word in text for word in NEW_SEED)
            tokens = [token for token in tokens if not token.has(Sense.SEED, Sense.KEEP)]
        enough = any_of(tokens, Sense.ENOUGH)
        refused = (any_of(tokens, Sense.NOT) or text.endswith(JA_REFUSED_ENDS)) and not enough
        if any_of(tokens, Sense.NOT_NEEDED) and any_of(tokens, Sense.MORE, Sense.LESS, Sense.TURN):
            refused = True
        if refused or any_of(tokens, Sense.KEEP):
            self._keep(tokens)
            return
        if any_of(tokens, Sense.PRAISE) and not any_of(
            tokens, Sense.WISH, Sense.REMOVE, Sense.MORE, Sense.LESS, Sense.SLIGHTLY
        ):
            return
        found = self._moment(tokens, text)
        tokens = self._take_apart(tokens)
        removes = any_of(tokens, Sense.REMOVE, Sense.NONE, Sense.NOT_NEEDED)
        if any_of(tokens, Sense.CLEAR_SKY):
            self._remove([Thing(subject=Subject.CLOUDS, text="clouds", start=0)], ())
            return
        things = things_of(tokens)
        ways = list(ways_of(tokens, enough=enough))
        parts = parts_of(tokens)
        if found and not ways and not removes:
            return
        behind = any(
            token.has(Sense.REMOVE_BEHIND)
            for token in tokens
            if things and token.start > things[0].start
        )
        if (removes or behind) and not ways:
            self._removal(tokens, things, parts)
            return
        if self._is_beyond(tokens, things, ways):
            wishes.beyond.append(text)
            return
        if not ways:
            self._without_way(tokens, text, things, parts)
            return
        self._with_ways(tokens, things, ways, parts)

    def _keep(self, tokens: Sequence[Token]) -> None:
        things = [*self._waiting, *things_of(tokens)]
        self._waiting = []
        self.things = self.things or things
        self._wishes.apart += [
            one.subject for one in things if one.subject and one.subject is not Subject.PICTURE
        ]
        self._sets_apart = True

    def _moment(self, tokens: Sequence[Token], text: str) -> bool:
        if not any_of(tokens, Sense.MOMENT):
            return False
        acts = any_of(tokens, Sense.REMOVE, Sense.NONE, Sense.NOT_NEEDED, Sense.TINT)
        season = "" if acts else moment_of(text, SEASON_WORDS)
        time = moment_of(text, TIME_WORDS)
        for at, token in enumerate(tokens[:-1]):
            names = token.text in {*TIME_WORDS.get(time, ()), *SEASON_WORDS.get(season, ())}
            if names and tokens[at + 1].has(Sense.SUBJECT) and not token.has(Sense.SUBJECT):
                # "The night sky" names a sky.
                return False
        self._wishes.season = season or self._wishes.season
        self._wishes.time = time or self._wishes.time
        return bool(season or time)

    def _take_apart(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """Note what a clause leaves out, and return the rest of it."""
        at = next((at for at, one in enumerate(tokens) if one.has(Sense.APART)), None)
        if at is None:
            return tokens
        if tokens[at].text.isascii():
            left_out, rest = tokens[at + 1 :], tokens[:at]
            ways = [one for one in left_out if one.has(Sense.TURN, Sense.TINT)]
            rest = (*rest, *ways)
        else:
            left_out, rest = tokens[:at], tokens[at + 1 :]
        things = [*self._waiting, *things_of(left_out)]
        self._waiting = []
        self._wishes.apart += [one.subject for one in things if one.subject]
        self._wishes.beyond += [one.text for one in things if one.subject is None]
        self._sets_apart = True
        return rest

    def _removal(
        self, tokens: Sequence[Token], things: list[Thing], parts: tuple[Part, ...]
    ) -> None:
        nouns = [
            Quality(noun.value)
            for token in tokens
            if (noun := token.find(Sense.NOUN)) and not token.has(Sense.SUBJECT, Sense.COLOUR)
        ]
        things = [*self._waiting, *things]
        self._waiting = []
        if not things and any_of(tokens, Sense.IT):
            things = self._before
        if things and any(token.text in LAMPS for token in tokens):
            # "Take the lights out of the windows": the windows stay.
            dark = Treatment(act=Act.TURN, start=0, quality=Quality.LIGHT, amount=-PLAIN)
            self._apply(things, [dark], parts)
        elif things:
            self._remove(things, parts)
        elif nouns:
            self._wishes.turns += [(quality, -MOST) for quality in nouns]
        elif any(token.has(Sense.NOUN) for token in tokens):
            self._wishes.turns += [
                (Quality(noun.value), -MOST)
                for token in tokens
                if (noun := token.find(Sense.NOUN)) is not None
            ]
        elif any_of(tokens, Sense.UNKNOWN, Sense.BEYOND, Sense.MOMENT, Sense.PART):
            self._wishes.beyond.append(text_of(tokens))

    def _remove(self, things: Sequence[Thing], parts: tuple[Part, ...]) -> None:
        self._removes, self._leads, self._ways = True, True, []
        self.things = list(things)
        self._parts = parts
        for thing in things:
            if thing.subject is None or thing.subject is Subject.PICTURE:
                self._wishes.beyond.append(f"remove {thing.text}")
                continue
            self._wishes.names[thing.subject] = thing.text
            self._wishes.changes.append(
                RegionChange(subject=thing.subject, act=Act.REMOVE, parts=parts)
            )

    def _is_beyond(
        self, tokens: Sequence[Token], things: Sequence[Thing], ways: Sequence[Treatment]
    ) -> bool:
        if ways:
            return False
        if any_of(tokens, Sense.BEYOND):
            return bool(things) or any_of(tokens, Sense.UNKNOWN, Sense.IT)
        counted = any_of(tokens, Sense.MORE, Sense.LESS)
        return counted and (bool(things) or any_of(tokens, Sense.UNKNOWN))

    def _without_way(
        self,
        tokens: Sequence[Token],
        text: str,
        things: list[Thing],
        parts: tuple[Part, ...],
    ) -> None:
        if things and _ONLY_WORDS.search(text) and self._narrow(things, parts):
            return
        if things and self._sets_apart and not self._ways and not self._removes:
            self._wishes.apart += [one.subject for one in things if one.subject]
        elif any_of(tokens, Sense.UNKNOWN) and (self._ways or self._removes):
            # "…, they clutter the sky" says why.
            self._unread(text)
        elif things and self._leads and (self._ways or self._removes):
            self._apply(things, self._ways, parts or self._parts)
        elif things:
            self._waiting += things
            self._waiting_parts = parts
        elif any_of(tokens, *_MEANT) and not is_address(text):
            self._unread(text)

    def _narrow(self, things: list[Thing], parts: tuple[Part, ...]) -> bool:
        """Limit what was just asked of the whole picture: "warmer, but only the walls"."""
        turns = self._wishes.turns[self._since :]
        if not turns or any(one.subject is None for one in things):
            return False
        del self._wishes.turns[self._since :]
        for quality, amount in turns:
            way = Treatment(act=Act.TURN, start=0, quality=quality, amount=amount)
            for thing in things:
                self._wish(thing, way, parts)
        self.things = things
        return True

    def _unread(self, text: str) -> None:
        if text not in self._wishes.unread:
            self._wishes.unread.append(text)

    def _with_ways(
        self,
        tokens: Sequence[Token],
        things: list[Thing],
        ways: list[Treatment],
        parts: tuple[Part, ...],
    ) -> None:
        wishes = self._wishes
        leads = bool(things) and ways[0].start < things[0].start
        if self._waiting:
            things = [*self._waiting, *things]
            parts = parts or self._waiting_parts
            self._waiting = []
        if not things:
            if any_of(tokens, Sense.IT) and self._before:
                things = self._before
            elif strange := strange_object(tokens, ways[0].start):
                wishes.beyond.append(text_of(tokens))
                self.things = [Thing(subject=None, text=strange, start=0)]
                return
            elif self._goes_on(ways, parts):
                things, parts = self.things, self._parts
            elif all(way.act is Act.COLOUR for way in ways) and self._before and not parts:
                things = self._before
        self._leads = leads
        self._removes = False
        if len(ways) == 1 and len(things) > 1 and (described := described_at(tokens, ways[0])):
            things = [one for one in things if one.start == described] or things
        if len(ways) > 1 and len(things) > 1:
            self._pairs(things, ways, parts)
        else:
            self._apply(things, ways, parts)
        self._ways = ways
        self._parts = parts
        self.things = things

    def _goes_on(self, ways: Sequence[Treatment], parts: tuple[Part, ...]) -> bool:
        """Tell whether a clause without a thing is about those of the clause before."""
        if not self.things or not self._ways or parts:
            return False
        named = [one for one in self.things if one.subject is not Subject.PICTURE]
        return bool(named) and (self._joined_by_word or not ways[0].quality)

    @property
    def _joined_by_word(self) -> bool:
        """Whether clauses are joined by "and" or in Japanese, where a topic goes on."""
        return " and " in self._text or not self._text.isascii()

    def _pairs(self, things: list[Thing], ways: list[Treatment], parts: tuple[Part, ...]) -> None:
        before = things[0].start < ways[0].start
        for way in ways:
            side = [one for one in things if (one.start < way.start) == before]
            if side:
                self._apply([side[-1] if before else side[0]], [way], parts)

    def _apply(
        self, things: Sequence[Thing], ways: Sequence[Treatment], parts: tuple[Part, ...]
    ) -> None:
        if self._removes and not ways:
            self._remove(things, parts)
            return
        subjects = list(things)
        if not subjects:
            subjects = [Thing(subject=Subject.PICTURE, text="", start=0)]
        for thing in subjects:
            for way in ways:
                self._wish(thing, way, parts)

    def _wish(self, thing: Thing, way: Treatment, parts: tuple[Part, ...]) -> None:
        wishes = self._wishes
        subject = thing.subject
        if subject is None:
            wishes.beyond.append(f"{thing.text}: {self._text}")
            return
        whole = subject is Subject.PICTURE and not parts
        if way.act is Act.TURN and way.quality is not None:
            sky = subject in {Subject.SKY, Subject.CLOUDS, Subject.PICTURE} and not parts
            if whole or (way.quality is Quality.CLOUDS and sky):
                wishes.turns.append((way.quality, way.amount))
                return
            if way.quality is Quality.CLOUDS:
                wishes.beyond.append(self._text)
                return
        elif whole and way.act is Act.COLOUR:
            # "Make it red": what shall be red?
            wishes.unread.append(self._text)
            return
        elif whole and way.colour == "blue" and not thing.text:
            # "Bluer", by itself, is about the light.
            wishes.turns.append((Quality.WARMTH, -way.amount))
            return
        wishes.names[subject] = thing.text
        wishes.changes.append(
            RegionChange(
                subject=subject,
                act=way.act,
                parts=parts,
                quality=way.quality.value if way.quality else "",
                colour=way.colour,
                shade=way.shade,
                amount=way.amount,
            )
        )


def _clauses(sentence: str) -> Iterator[tuple[list[Token], str]]:
    """Yield the words of each clause and the clause as it stands."""
    sentence, tokens = tokens_of(sentence)
    clause: list[Token] = []
    for at, token in enumerate(tokens):
        new = token.text == "not" and not any_of(tokens[at:], Sense.ENOUGH)
        if token.has(Sense.AND) or new:
            if clause:
                yield clause, sentence[clause[0].start : token.start].strip()
            clause = [token] if new else []
            continue
        clause.append(token)
    if clause:
        yield clause, sentence[clause[0].start :].strip()
