"""What the records of one version say about how it was made."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    ImageKind,
    ImageRecord,
    Person,
    Role,
    SourceType,
    System,
    is_ai,
)

_DRAWING = frozenset({Role.LAYOUT, Role.GENZU, Role.GENZU_CLEAN_UP})
_PAINTING = frozenset({Role.TOUCH_UP, Role.BACKGROUND})


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


def people(version: BackgroundVersion, *roles: Role) -> tuple[Person, ...]:
    """Return who had one of these roles, each once."""
    return tuple(
        {
            one.actor.id: one.actor
            for one in contributions(version)
            if one.role in roles and isinstance(one.actor, Person)
        }.values()
    )


def layout_artists(version: BackgroundVersion) -> tuple[Person, ...]:
    """Return who drew the layout."""
    return people(version, *_DRAWING)


def drawings(image: ImageRecord) -> tuple[Contribution, ...]:
    """Return the contributions of those who drew this image as a layout."""
    return tuple(one for one in image.contributions if one.role in _DRAWING)


def paintings(image: ImageRecord) -> tuple[Contribution, ...]:
    """Return the contributions of those who painted, or painted over, this image."""
    return tuple(one for one in image.contributions if one.role in _PAINTING)


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


def is_human_drawing(image: ImageRecord) -> bool:
    """Whether a human drew these pixels, digitally or on paper."""
    return image.source_type in {SourceType.DIGITAL_CREATION, SourceType.PRINT}
