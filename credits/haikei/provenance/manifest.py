"""
The C2PA 2.4 manifest of one step, as plain data for the signing library.

Rules followed (Content Credentials specification 2.4 and its conformance rubric): one
`c2pa.created` or `c2pa.opened` comes first; every perceptible action has a digital source type and
`c2pa.opened` has none; every ingredient is named by an action; own names hold a dot;
`allActionsIncluded` stands. Names stand in `cawg.metadata` alone, since actions can never be
redacted.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from haikei.credits import Contribution, ImageKind, Relation, SourceType, System, shows_change
from haikei.errors import MarksError
from haikei.measurements import Change
from haikei.printable import printable
from haikei.provenance.c2pa_python import DISCLOSURE, MINING, PEOPLE, STEP
from haikei.provenance.filemarks import MarkRequest, named_people
from haikei.provenance.source_types import marked_source_type, source_type_uri
from haikei.provenance.xmp import DC, IPTC_EXT
from haikei.texts import NOT_DECLARED_HOW

_MOST_REGIONS = 100
_LEFT_OUT = "left out: it names a person whose name was withdrawn"
_MINING_USES = ("cawg.data_mining", "cawg.ai_training", "cawg.ai_generative_training")

Json = dict[str, Any]  #: as the library reads it


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIngredient:
    """An ingredient that was read and found whole."""

    label: str  #: by which the actions name it
    relation: Relation
    title: str
    sha256: str  #: of its file
    left_out: bool = False  #: its manifest names somebody whose name was withdrawn


def definition(
    request: MarkRequest,
    ingredients: Sequence[SeenIngredient],
    *,
    mining: Literal["forbidden", "allowed", "unsaid"],
    xmp_sha256: str,
) -> Json:
    """
    Return the manifest's definition.

    Args:
        request: the step.
        ingredients: what it was made from; at most one is the parent.
        mining: what the file says of data mining.
        xmp_sha256: of an XMP sidecar; empty when the packet stands in the file itself.

    Raises:
        MarksError: two parents, or a touch-up of nothing.
        SourceTypeUnknown: the step's source type is in no vocabulary.
    """
    actions = {"actions": _actions(request, ingredients), "allActionsIncluded": True}
    assertions: list[Json] = [
        {"label": "c2pa.actions.v2", "data": actions},
        {"label": STEP, "data": _step(request, ingredients, xmp_sha256)},
    ]
    disclosure = _disclosure(request)
    if disclosure is not None:
        assertions.append({"label": DISCLOSURE, "data": disclosure})
    people = _people(request.contributions)
    if people is not None:
        assertions.append({"label": PEOPLE, "kind": "Json", "data": people})
    if mining != "unsaid":
        use = "notAllowed" if mining == "forbidden" else "allowed"
        entries = {name: {"use": use} for name in _MINING_USES}
        assertions.append({"label": MINING, "data": {"entries": entries}})
    return {"title": printable(request.title), "assertions": _printable(assertions)}


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printable(one) for one in value]
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    return value


def _actions(request: MarkRequest, ingredients: Sequence[SeenIngredient]) -> list[Json]:
    parents = [seen.label for seen in ingredients if seen.relation is Relation.PARENT]
    inputs = [seen.label for seen in ingredients if seen.relation is Relation.INPUT]
    if len(parents) > 1:
        raise MarksError(f"{request.title} has {len(parents)} parents; an image has one at most.")
    if not parents and request.kind is ImageKind.TOUCH_UP:
        raise MarksError(
            f"The touch-up {request.title} has no parent.",
            advice="Name the image that was painted over as an ingredient, as its parent.",
        )
    work: Json = {
        "action": "c2pa.created",
        "when": _moment(_when(request)),
    }
    system = _system(request)
    if system is not None:
        agent = {"name": system.name} | ({"version": system.version} if system.version else {})
        work["softwareAgent"] = agent
    parameters: Json = {"ingredientIds": inputs} if inputs else {}
    if request.request_json:
        parameters["org.haikei.request_sha256"] = _sha256(request.request_json)
    change = _change(request)
    if change is not None:
        parameters["org.haikei.change.method"] = change.method
        parameters["org.haikei.change.area_ppm"] = change.area_ppm
        if change.regions:
            work["changes"] = [_changed(change)]
        if not shows_change(change):
            work["description"] = "declared by a person; no change was measured"
    if parameters:
        work["parameters"] = parameters
    if parents and request.kind is ImageKind.LAYOUT:
        # Nothing that is seen was changed: the file is handed on, by no system that made it.
        work.pop("softwareAgent", None)
    else:
        term = marked_source_type(request.kind, request.source_type)
        work["digitalSourceType"] = source_type_uri(term or request.source_type)
    if request.kind is ImageKind.TOUCH_UP and request.source_type is SourceType.NOT_DECLARED:
        descriptions = [work.get("description"), NOT_DECLARED_HOW.en]
        work["description"] = "; ".join(filter(None, descriptions))
    if not parents:
        return [work]
    opened: Json = {"action": "c2pa.opened", "parameters": {"ingredientIds": parents}}
    work["action"] = _verb(request)
    return [opened, work]


def _verb(request: MarkRequest) -> str:
    match request.kind:
        case ImageKind.TOUCH_UP:
            # "Changes using drawing tools" stands for what somebody declares to be drawn.
            undeclared = request.source_type is SourceType.NOT_DECLARED
            return "c2pa.edited" if undeclared else "c2pa.drawing"
        case ImageKind.LAYOUT:
            return "c2pa.published"
        case ImageKind.GENERATION | ImageKind.BACKGROUND:
            return "c2pa.edited"


def _step(request: MarkRequest, ingredients: Sequence[SeenIngredient], xmp_sha256: str) -> Json:
    step: Json = {
        "kind": request.kind.value,
        "ingredients": [
            {"title": seen.title, "relationship": seen.relation.value, "sha256": seen.sha256}
            | ({"manifest": _LEFT_OUT} if seen.left_out else {})
            for seen in ingredients
        ],
        "contributions": [
            {"role": contribution.role.value, "grade": contribution.grade.value}
            for contribution in request.contributions
        ],
    }
    if request.request_json:
        step["requestSha256"] = _sha256(request.request_json)
    if xmp_sha256:
        step["xmpSha256"] = xmp_sha256
    return step


def _disclosure(request: MarkRequest) -> Json | None:
    # C2PA 2.4, section 18.28.
    system = _system(request)
    if system is None or not system.source_type.is_ai:
        return None
    disclosure: Json = {
        "modelType": "c2pa.types.model",
        "modelName": f"{system.name} {system.version}".strip(),
    }
    if request.oversight is not None:
        disclosure["contentProfile"] = {"humanOversightLevel": request.oversight}
    if system.sha256:
        disclosure["modelIdentifier"] = f"sha256:{system.sha256}"
    return disclosure


def _people(contributions: Sequence[Contribution]) -> Json | None:
    people = named_people(contributions)
    if not people:
        return None
    listed: list[Json] = []
    for person in people:
        names = {"x-default": person.name, "en": person.name}
        entry: Json = {
            "Iptc4xmpExt:Name": names | ({"ja": person.name_ja} if person.name_ja else {}),
            "Iptc4xmpExt:Role": list(person.roles),
        }
        if person.id:
            entry["Iptc4xmpExt:Identifier"] = [person.id]
        listed.append(entry)
    return {
        "@context": {"dc": DC, "Iptc4xmpExt": IPTC_EXT},
        "dc:contributor": [person.name for person in people],
        "Iptc4xmpExt:Contributor": listed,
    }


def _system(request: MarkRequest) -> System | None:
    for contribution in request.contributions:
        if isinstance(contribution.actor, System):
            return contribution.actor
    return None


def _change(request: MarkRequest) -> Change | None:
    for contribution in request.contributions:
        if contribution.evidence.change is not None:
            return contribution.evidence.change
    return None


def _changed(change: Change) -> Json:
    return {
        "description": "changed locally, as measured",
        "region": [
            {
                "type": "spatial",
                "shape": {
                    "type": "rectangle",
                    "unit": "pixel",
                    "origin": {"x": region.x, "y": region.y},
                    "width": region.width,
                    "height": region.height,
                },
            }
            for region in change.regions[:_MOST_REGIONS]
        ],
    }


def _when(request: MarkRequest) -> datetime:
    # Reviews come later than the work that this step is about.
    return request.contributions[0].at if request.contributions else request.at


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
