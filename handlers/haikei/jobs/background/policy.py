"""What must not happen: consent, the show's rule about AI, and the licences of models."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from haikei.credits import Person, System
from haikei.errors import PolicyRefusal, SheetBlank
from haikei.settings import BlankSheets, PersonEntry, Settings, Stage, Unnamed
from haikei.trackers import LayoutContext

if TYPE_CHECKING:
    from haikei.images import Picture


def named_artists(context: LayoutContext, settings: Settings) -> tuple[Person, ...]:
    """
    Return who drew the layout, as the studio's credits name them.

    Where the studio allows layouts for which nobody is named, somebody without a name is returned:
    no credits are printed until `haikei credits rename` gives one.

    Raises:
        PolicyRefusal: an artist has not consented, or nobody is named where somebody must be.
    """
    for entry in settings.people:
        if not entry.consent and _names(entry) & {
            name.casefold()
            for name in (*context.artist_logins, *(person.name for person in context.artists))
        }:
            raise PolicyRefusal(
                f"{entry.name} does not consent to layouts being given to a generator.",
                advice="Have this background painted by hand, or ask the artist again.",
            )
    if context.artists:
        return tuple(as_credited(person, settings.people) for person in context.artists)
    if settings.policy.unnamed_layouts is Unnamed.ALLOW:
        shot = context.shot
        return (Person(id=f"person:layout-of-{shot.type}:{shot.id}", name=""),)
    raise PolicyRefusal(
        f"The tracker names nobody as the artist of the layout of {context.shot.name}.",
        advice="Assign the shot's layout task to its artist, then retry the job.",
    )


def require_allowed(project: str, systems: Iterable[System], settings: Settings) -> None:
    """
    Check that a project takes what these systems are.

    Raises:
        PolicyRefusal: a trained model would run in a project that forbids AI.
    """
    rule = _no_ai_rule(project, settings)
    if rule is None:
        return
    for system in systems:
        if system.source_type.is_ai:
            raise PolicyRefusal(
                f"{project} takes no AI (policy.no_ai_projects has {rule!r}), but the recipe runs "
                f"{system.name} {system.version}.",
                advice="Route the project to a recipe without a trained model.",
            )


def require_drawn(project: str, layout: str, settings: Settings) -> None:
    """
    Check that a project takes a layout whose own marks say that a trained model made it.

    Raises:
        PolicyRefusal: it does not.
    """
    rule = _no_ai_rule(project, settings)
    if rule is not None:
        raise PolicyRefusal(
            f"{project} takes no AI (policy.no_ai_projects has {rule!r}), but the layout {layout} "
            "carries marks of a trained model.",
            advice="Ask who made it and how; `haikei verify` shows what the file says.",
        )


def require_drawing(layout: "Picture", name: str, settings: Settings) -> None:
    """
    Make sure that something is drawn on a layout, unless the studio has blank sheets painted.

    Args:
        layout: as it was decoded.
        name: of its file, for the message.
        settings: the studio's.

    Raises:
        SheetBlank: it shows paper, its grain and dust, and nothing else.
    """
    from haikei.images.blank import is_blank

    if settings.policy.blank_sheets is BlankSheets.ASK and is_blank(layout):
        raise SheetBlank(
            f"There is no drawing on this sheet: {name} is blank paper.",
            advice=(
                "Publish the drawing; or, where empty paper is meant, set policy.blank_sheets to "
                '"paint" and try again.'
            ),
        )


def require_licensed(stages: Iterable[Stage], settings: Settings) -> None:
    """
    Check that each stage's model is declared, and may be used for the studio's work.

    Raises:
        PolicyRefusal: it is not.
    """
    for stage in stages:
        if stage.model is None:
            continue
        model = settings.models.get(stage.model)
        if model is None:
            raise PolicyRefusal(
                f"The stage {stage.name} runs the model {stage.model!r}, which is not declared.",
                advice="Declare it in [models] with its licence and what it was trained on.",
            )
        if model.commercial == "no" and not settings.policy.allow_non_commercial:
            raise PolicyRefusal(
                f"The licence of {model.name} ({model.licence}) forbids commercial use.",
                advice="Use another model, or set policy.allow_non_commercial.",
            )


def _no_ai_rule(project: str, settings: Settings) -> str | None:
    rules = settings.policy.no_ai_projects
    return next((rule for rule in rules if fnmatchcase(project, rule)), None)


def as_credited(person: Person, people: Iterable[PersonEntry]) -> Person:
    """Return a person by the names that the studio's settings give them."""
    for entry in people:
        if person.name.casefold() in _names(entry):
            return replace(
                person,
                name=entry.name,
                name_ja=entry.name_ja or person.name_ja,
                opt_out=entry.opt_out or person.opt_out,
            )
    return person


def _names(entry: PersonEntry) -> set[str]:
    return {name.casefold() for name in (entry.name, *entry.logins)}
