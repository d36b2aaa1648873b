"""
The policy: whether a layout may be given to what a recipe runs, by consent, show, model and file.

Each rule is one sentence to those whom it stops. All of it is asked before the first pixel.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from haikei.credits import Person, System, is_machine_name
from haikei.credits.record import Statement, StatementKind
from haikei.errors import PolicyRefusal
from haikei.jobs.contributions import as_credited
from haikei.models import RegistryEntry, registry_entry
from haikei.names import fits, same_name
from haikei.settings import Reservations, Settings, ShowRule, Stage, Unnamed
from haikei.show import Place
from haikei.trackers import LayoutContext


def named_artists(
    context: LayoutContext,
    settings: Settings,
    *,
    earlier_names: Mapping[str, Sequence[str]] = MappingProxyType({}),
    asked: Person | None = None,
    answered: Sequence[Person] = (),
    project: Sequence[str] = (),
) -> tuple[Person, ...]:
    """
    Return who drew the layout, as the studio's credits name them.

    Where the studio allows layouts for which nobody is named, a person without a name is returned:
    no credits are printed until `haikei credits rename` gives one.

    Args:
        context: what the tracker knows of the layout.
        settings: the studio's.
        earlier_names: what artists were called before, by id: a refusal under one of these holds.
        asked: who stands for the artist where the tracker leaves it open among several.
        answered: who was named since as the artist of this layout.
        project: each of the project's names.

    Raises:
        PolicyRefusal: an artist has not consented, or nobody is named where a name is needed.
    """
    for person in (*context.artists, *context.candidates):
        # The logins of several artists come in one list: each may be anybody's among them.
        former = earlier_names.get(person.id, ())
        names = (*context.artist_logins, person.name, person.name_ja, *former)
        entry = next(
            (
                one
                for one in settings.people
                if (not one.consent or _fitting(one.no_consent, project))
                and one.means(person.id, names)
            ),
            None,
        )
        if entry is not None:
            where = f" in {project[0]}" if entry.consent else ""
            raise PolicyRefusal(
                f"{entry.name} does not consent to layouts being given to a generator{where}.",
                advice="Have this background painted by hand, or ask the artist again.",
            )
        if is_machine_name(person.name) or is_machine_name(person.name_ja):
            raise PolicyRefusal(
                f"The tracker names {person.name!r} as the artist of the layout of "
                f"{context.shot.name}: that is a generator, not a person.",
                advice="Assign the layout's task to the person who answers for it, then retry the "
                "job.",
            )
    found = context.artists or answered or ((asked,) if context.candidates and asked else ())
    if found:
        return tuple(
            as_credited(person, settings.people, earlier_names.get(person.id, ()))
            for person in found
        )
    if settings.policy.unnamed_layouts is Unnamed.ALLOW:
        shot = context.shot
        return (Person(id=f"person:layout-of-{shot.type}:{shot.id}", name=""),)
    raise PolicyRefusal(
        f"The tracker names nobody as the artist of the layout of {context.shot.name}.",
        advice="Assign the shot's layout task to its artist, then retry the job.",
    )


def project_names(place: Place, context: LayoutContext) -> tuple[str, ...]:
    """Return each name of a layout's project: as its path has it, the tracker's, and its id."""
    row = context.project
    return (place.project, row.name, *context.project_names, f"{row.type}:{row.id}")


def require_allowed(
    project: Sequence[str], systems: Callable[[], Iterable[System]], settings: Settings
) -> None:
    """
    Check that a project takes what the systems of a recipe are.

    Args:
        project: each of its names; the first is for the message.
        systems: asks the generators; called only where a rule forbids AI.
        settings: the studio's.

    Raises:
        PolicyRefusal: a trained model would run in a project that forbids AI, if only to help an
            algorithm.
    """
    rule = _fitting(settings.policy.no_ai_projects, project)
    if rule is None:
        return
    for system in systems():
        if system.source_type.is_ai:
            raise PolicyRefusal(
                f"{project[0]} takes no AI (policy.no_ai_projects has {rule!r}), but the recipe "
                f"runs {system.name} {system.version}.",
                advice="Route the project to a recipe without a trained model.",
            )
        # An algorithm with weights: a trained model takes part, though it makes no pixels.
        if system.sha256:
            raise PolicyRefusal(
                f"{project[0]} takes no AI (policy.no_ai_projects has {rule!r}), but in the "
                f"recipe {system.name} {system.version} is helped by a trained model: "
                f"{system.data}.",
                advice="Choose the way without one; for the painter, write "
                '`reader = "geometric"` in the stage\'s options.',
            )


def require_drawn(project: Sequence[str], layout: str, settings: Settings) -> None:
    """
    Check that a project, by any of its names, takes a layout that says a trained model made it.

    Raises:
        PolicyRefusal: it does not.
    """
    policy = settings.policy
    for key, rules in (
        ("no_ai_projects", policy.no_ai_projects),
        ("no_ai_layouts", policy.no_ai_layouts),
    ):
        rule = _fitting(rules, project)
        if rule is None:
            continue
        takes = "AI" if key == "no_ai_projects" else "AI layouts"
        raise PolicyRefusal(
            f"{project[0]} takes no {takes} (policy.{key} has {rule!r}), but the layout "
            f"{layout} carries marks of a trained model.",
            advice="Ask who made it and how; `haikei verify` shows what the file says.",
        )


def require_licensed(
    stages: Sequence[Stage], systems: Callable[[], Iterable[System]], settings: Settings
) -> tuple[RegistryEntry, ...]:
    """
    Return what the registry says of what each stage runs, which is there and may be used.

    A trained system that a generator brings without a model of `[models]` must itself state its
    licence and what it was trained on as well.

    Args:
        stages: of the recipe.
        systems: asks the generators what runs in each stage, in the same order; called only where
            every stage has its entry.
        settings: the studio's.

    Raises:
        PolicyRefusal: it is not.
    """
    found: list[RegistryEntry] = []
    for stage in stages:
        entry = registry_entry(settings, model=stage.model or "", generator=stage.generator)
        if entry is None and stage.model is not None:
            raise PolicyRefusal(
                f"The stage {stage.name} runs the model {stage.model!r}, which is not declared.",
                advice="Declare it in [models] with its licence and what it was trained on.",
            )
        if entry is None:
            raise PolicyRefusal(
                f"The stage {stage.name} runs the generator {stage.generator!r}, which names no "
                "model and is not in the registry.",
                advice=f"Declare it as [generators.{stage.generator}] with its licence and what it "
                "was trained on; `haikei models list` shows what is known.",
            )
        for what, commercial, licence in entry.terms:
            if commercial == "no" and not settings.policy.allow_non_commercial:
                raise PolicyRefusal(
                    f"The licence of {what} ({licence}) forbids commercial use.",
                    advice="Use another model, or set policy.allow_non_commercial.",
                )
        found.append(entry)
    for stage, system in zip(stages, systems(), strict=True):
        if stage.model is None:
            _require_stated(stage, system)
    return tuple(found)


def _require_stated(stage: Stage, system: System) -> None:
    if system.source_type.is_ai and not (system.licence.strip() and system.data.strip()):
        raise PolicyRefusal(
            f"The stage {stage.name} runs {system.name} {system.version}, a trained system without "
            "a licence or a statement of what it was trained on.",
            advice="Name its model in [models], with both, as the stage's `model`; or have the "
            f"generator {stage.generator!r} describe both.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One stage as the policy looks at it: what it runs, and what the registry says of that."""

    stage: Stage
    system: System
    entry: RegistryEntry


def require_show_rules(
    project: Sequence[str],
    runs: Iterable[Run],
    settings: Settings,
    *,
    stand_in: bool,
    approvals: Iterable[Statement],
    ordered_at: datetime,
) -> None:
    """
    Check what a show asks of the trained models that make its pictures.

    Args:
        project: each of its names; the first is for messages.
        runs: the stages of the recipe; those that run neither a trained model nor outside of the
            studio are not looked at.
        settings: the studio's.
        stand_in: whether the recipe says that its pictures are stand-ins.
        approvals: what was stated of models for this show, the earliest first.
        ordered_at: when the pictures are made.

    Raises:
        PolicyRefusal: a rule forbids a model.
    """
    rules = [rule for rule in settings.policy.shows if _fitting(rule.projects, project)]
    earlier = [one for one in approvals if one.at <= ordered_at]
    for run in runs:
        # What leaves the studio leaves it, whatever is done with it there.
        if not run.system.source_type.is_ai and run.entry.runs != "cloud":
            continue
        _require_provider(project, run, rules)
        if not run.system.source_type.is_ai:
            continue
        for rule in rules:
            _require_rule(project, run, rule, stand_in=stand_in, approvals=earlier)


def _require_provider(project: Sequence[str], run: Run, rules: Sequence[ShowRule]) -> None:
    entry = run.entry
    named = [rule for rule in rules if rule.providers]
    allowed = all(any(same_name(entry.provider, one) for one in rule.providers) for rule in named)
    if entry.runs == "cloud" and not (named and allowed):
        raise PolicyRefusal(
            f"The stage {run.stage.name} sends the layout to {entry.provider or 'a provider'} "
            f"({entry.name}), outside the studio, which {_called(project)} does not allow.",
            advice="Name the provider in a rule of the show ([[policy.shows]] providers), or use a "
            "model on the studio's own machines.",
        )
    if named and not allowed:
        raise PolicyRefusal(
            f"{project[0]} takes models of {', '.join(named[0].providers)} only; {entry.name} is "
            f"of {entry.provider or 'nobody who is named'}.",
            advice=f"Use another model, or correct the provider of {entry.key!r}.",
        )


def _called(project: Sequence[str]) -> str:
    return project[0] if project else "no rule of a show"


def _require_rule(
    project: Sequence[str],
    run: Run,
    rule: ShowRule,
    *,
    stand_in: bool,
    approvals: Sequence[Statement],
) -> None:
    entry = run.entry
    if rule.data_classes:
        for what, data_class in entry.data_classes:
            if data_class not in rule.data_classes:
                raise PolicyRefusal(
                    f"{project[0]} takes models whose training data are of the kinds "
                    f"{', '.join(rule.data_classes)} only; those of {what} are: {data_class}.",
                    advice="Route the project to a recipe with another model.",
                )
    if rule.stand_ins and not stand_in:
        raise PolicyRefusal(
            f"{project[0]} takes trained models for stand-ins only, and the recipe does not say "
            f"that its pictures are: it runs {entry.name}.",
            advice="Route the project to a recipe with stand_in = true, or to one without a model.",
        )
    if rule.approved and not is_approved(entry.key, run.system.sha256, approvals):
        raise PolicyRefusal(
            f"{entry.name} {entry.version} is not approved for {project[0]}, with the weights that "
            "are there now.",
            advice=f"Look at `haikei models show {entry.key}`; whoever answers for the show "
            f"approves it with `haikei models approve {entry.key}`, and the job is retried.",
        )


def is_approved(model: str, sha256: str, statements: Iterable[Statement]) -> bool:
    """
    Tell whether the last word about a model's weights approves them.

    Args:
        model: its key.
        sha256: of its weights.
        statements: what was stated of models, the earliest first.
    """
    last = None
    for one in statements:
        if one.subject == model and sha256 and sha256 in one.text:
            last = one
    return last is not None and last.answer == "yes"


def require_unreserved(
    place: Place,
    layout: str,
    runs: Iterable[Run],
    settings: Settings,
    *,
    tracker: str,
    reservations: Sequence[str],
    refused: Sequence[Statement],
) -> None:
    """
    Check that nobody keeps this layout from the trained models of a recipe.

    Args:
        place: where it belongs.
        layout: its file's name.
        runs: the stages of the recipe.
        settings: the studio's.
        tracker: what in the tracker keeps it from them; empty where nothing does.
        reservations: what in its file does.
        refused: the last word of each artist whose answer is no, about this layout, cut or show.

    Raises:
        PolicyRefusal: somebody does.
    """
    for one in refused:
        raise PolicyRefusal(
            f"{one.by.name or one.by.id} does not consent to {layout} being given to a generator "
            f"(statement {one.key}).",
            advice="Have this background painted by hand, or ask the artist again.",
        )
    trained = next((run for run in runs if run.system.source_type.is_ai), None)
    if trained is None:
        return
    runs_what = f"the recipe runs {trained.system.name} {trained.system.version}"
    if tracker:
        raise PolicyRefusal(
            f"The tracker keeps the layouts of {place.name} from trained models ({tracker}), but "
            f"{runs_what}.",
            advice="Route the cut to a recipe without a trained model, or ask who set the field.",
        )
    if reservations and settings.policy.reservations is Reservations.HEED:
        raise PolicyRefusal(
            f"The file {layout} is reserved against use by models ({'; '.join(reservations)}), "
            f"but {runs_what}.",
            advice="Ask who drew it and publish it without the reservation, or route the cut to a "
            "recipe without a trained model.",
        )


def refusals_of_consent(
    statements: Iterable[Statement], artists: Sequence[Person]
) -> tuple[Statement, ...]:
    """
    Return the last word of each artist about generators, where it is no.

    Args:
        statements: what was stated of consent about a layout, its cut and its show, earliest first.
        artists: who drew it.
    """
    ids = {person.id for person in artists}
    last = {
        one.by.id: one
        for one in statements
        if one.by.id in ids
        and one.kind is StatementKind.CONSENT
        and plain_subject(one.subject) == "generator"
    }
    return tuple(one for one in last.values() if one.answer == "no")


def plain_subject(subject: str) -> str:
    """Return what a statement is about, in one spelling; a consent to generators is meant by it."""
    return subject.strip().casefold() or "generator"


def _fitting(rules: Iterable[str], project: Sequence[str]) -> str | None:
    return next((rule for rule in rules if fits(rule, project)), None)
