"""What the records of one version say about how it was made."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import lru_cache

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    ImageKind,
    ImageRecord,
    Person,
    Role,
    System,
    is_ai,
    printed_person,
    printed_system,
)
from haikei.texts import NOT_DECLARED_HOW, Bilingual

# One object for each of these, whichever version it describes: what is set once is taken again.
_BY_HAND = Bilingual("made by hand, as declared when it was handed in", "手作業（提出時の申告）")
_BY_ITS_MARKS = Bilingual(
    "drawn by hand, as its own marks state", "手描き（ファイル自身の記録による）"
)
_NOT_DECLARED = Bilingual("not declared how it was drawn", "描き方の申告なし")
#: Roles of those who drew a layout.
DRAWING = frozenset({Role.LAYOUT, Role.GENZU, Role.GENZU_CLEAN_UP})
#: Roles of those who painted, or painted over, a picture.
PAINTING = frozenset({Role.TOUCH_UP, Role.BACKGROUND})


def ai_images(version: BackgroundVersion) -> tuple[tuple[ImageRecord, int], ...]:
    """Return the images that a trained model made, with their ledger entries, oldest first."""
    return tuple(
        (image, entry)
        for image, entry in zip(version.images, version.ledger, strict=True)
        if is_ai(image)
    )


def first_ai_at(made: Iterable[tuple[ImageRecord, int]]) -> datetime | None:
    """Return when the first of these images was generated; None: there is none."""
    first: datetime | None = None
    for image, _ in made:
        moments = [one.at for one in image.contributions if one.role is Role.AI_GENERATION]
        moment = min((image.created_at, *moments))
        first = moment if first is None else min(first, moment)
    return first


def systems(version: BackgroundVersion) -> tuple[System, ...]:
    """Return the programs and models that made pixels, each once, in the order of their work."""
    return tuple(
        dict.fromkeys(one.actor for one in contributions(version) if isinstance(one.actor, System))
    )


def contributions(version: BackgroundVersion) -> Iterator[Contribution]:
    """Yield what everybody did, the layout's first."""
    for image in version.images:
        yield from image.contributions


def drawings(image: ImageRecord) -> tuple[Contribution, ...]:
    """Return the contributions of those who drew this image as a layout."""
    return tuple(one for one in image.contributions if one.role in DRAWING)


def paintings(image: ImageRecord) -> tuple[Contribution, ...]:
    """Return the contributions of those who painted, or painted over, this image."""
    return tuple(one for one in image.contributions if one.role in PAINTING)


def layouts(version: BackgroundVersion) -> tuple[ImageRecord, ...]:
    """Return the layouts; there is one, unless the record is odd."""
    return tuple(image for image in version.images if image.kind is ImageKind.LAYOUT)


def loose_ends(version: BackgroundVersion) -> tuple[str, ...]:
    """Return the hashes of ingredients that this version's records do not hold."""
    known = {image.sha256 for image in version.images}
    return tuple(
        dict.fromkeys(
            one.sha256
            for image in version.images
            for one in image.ingredients
            if one.sha256 not in known
        )
    )


def layout_systems(version: BackgroundVersion) -> tuple[System, ...]:
    """Return the trained models that marks in the layout tell of, each once."""
    parts = (one for image in layouts(version) if is_ai(image) for one in image.contributions)
    return tuple(dict.fromkeys(one.actor for one in parts if isinstance(one.actor, System)))


def touch_up_origin(version: BackgroundVersion, image: ImageRecord) -> Bilingual:
    """Return how a touch-up was made: with a model, by hand as declared, or not declared."""
    if is_ai(image):
        names = ", ".join(
            printed_system(one.actor)
            for one in image.contributions
            if isinstance(one.actor, System) and one.actor.source_type.is_ai
        )
        return Bilingual(f"made with AI: {names or '–'}", f"AI使用：{names or '–'}")
    if not version.is_drawn(image):
        return NOT_DECLARED_HOW
    statement = version.hand_statement(image)
    if statement is None:
        return _BY_HAND
    return _made_by_hand(statement.by, statement.at.date())


@lru_cache(maxsize=256)
def _made_by_hand(by: Person, day: date) -> Bilingual:
    who = printed_person(by)
    return Bilingual(
        f"made by hand, declared by {who.en}, {day}", f"手作業（{who.ja}の申告、{day}）"
    )


def touch_ups(version: BackgroundVersion) -> tuple[ImageRecord, ...]:
    """Return the paint-overs, the earliest first."""
    return tuple(image for image in version.images if image.kind is ImageKind.TOUCH_UP)


def layout_origin(version: BackgroundVersion) -> Bilingual:
    """
    Return how the layout came to be: by a model, by hand as somebody declared, or not declared.

    Who the tracker names as its artist is another matter, and says nothing of how it was drawn.
    """
    statement, drawn = version.hand_drawn, layouts(version)
    if any(map(is_ai, drawn)):
        who = None if statement is None else printed_person(statement.by)
        day = "" if statement is None else statement.at.date().isoformat()
        names = ", ".join(map(printed_system, layout_systems(version))) or "–"
        en = f"made with AI, by marks in the file: {names}"
        ja = f"ファイルの記録によりAI使用：{names}"
        if who is not None:
            en += f"; declared to be drawn by hand by {who.en}, {day}, and the file says otherwise"
            ja += f"（{who.ja}による手描きの申告（{day}）と矛盾）"
        return Bilingual(en, ja)
    if statement is not None:
        return _drawn_by_hand(statement.by, statement.at.date())
    return _BY_ITS_MARKS if all(map(version.is_drawn, drawn)) else _NOT_DECLARED


@lru_cache(maxsize=256)
def _drawn_by_hand(by: Person, day: date) -> Bilingual:
    who = printed_person(by)
    return Bilingual(
        f"drawn by hand, declared by {who.en}, {day}", f"手描き（{who.ja}の申告、{day}）"
    )
