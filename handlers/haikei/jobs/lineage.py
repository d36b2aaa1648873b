"""What a chain of images is as a whole, in the few words that trackers and marks have room for."""

from collections.abc import Sequence

from haikei.credits import (
    ImageRecord,
    Person,
    Role,
    System,
    printed_person,
    printed_system,
)
from haikei.provenance import Oversight


def oversight(images: Sequence[ImageRecord]) -> Oversight:
    """Return how far people looked after the models: nobody has reviewed the picture yet."""
    operated = any(
        contribution.role in {Role.AI_OPERATION, Role.RETAKE}
        for image in images
        for contribution in image.contributions
    )
    return "prompt_guided" if operated else "fully_autonomous"


def systems_text(images: Sequence[ImageRecord]) -> str:
    """Return the systems' names and versions, each once, in the order in which they ran."""
    actors = (one.actor for image in images for one in image.contributions)
    return ", ".join(
        dict.fromkeys(
            f"{actor.name} {actor.version}".strip() for actor in actors if isinstance(actor, System)
        )
    )


def roles_text(images: Sequence[ImageRecord]) -> str:
    """
    Return one line a role with those who had it, such as `genzu: Yuki Tanaka (HumanUser:12)`.

    Who does not want to be named is withheld, the tracker's id too: it leads to the name.
    """
    lines: dict[str, dict[str, None]] = {}
    for image in images:
        for one in image.contributions:
            lines.setdefault(one.role.value, {})[_named(one.actor)] = None
    return "\n".join(f"{role}: {', '.join(names)}" for role, names in lines.items())


def _named(actor: Person | System) -> str:
    if isinstance(actor, System):
        return printed_system(actor)
    name = printed_person(actor).en
    return name if actor.opt_out else f"{name} ({actor.id})" if name else actor.id
