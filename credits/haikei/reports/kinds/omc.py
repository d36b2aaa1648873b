"""
The lineage in MovieLabs' Ontology for Media Creation, OMC-JSON 2.8, for other tools of a studio.

Each image is an Asset whose provenance names its maker; each of its steps is a Task, whose Context
says who contributed (a Person, or a Service for programs and models: never a person), which Assets
it used and which it produced. OMC has no words for AI or backgrounds, so that these facts stand in
`customData`, under the domain `haikei`. The file is one array of entities, each written once.
Source: https://github.com/MovieLabs/OMC, OMC-JSON-v2.8.schema.json.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from haikei.canonical import to_plain
from haikei.credits import (
    BackgroundVersion,
    Contribution,
    ImageKind,
    ImageRecord,
    Person,
    Relation,
    Role,
    SourceType,
    System,
    overall_source_type,
)
from haikei.formats import format_of
from haikei.reports.document.blocks import Document
from haikei.reports.document.phrases import compose, is_named, shown
from haikei.reports.facts.ai_scan import read
from haikei.reports.facts.system_facts import system_name
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import ROLES, Bilingual

_VERSION = "https://movielabs.com/omc/json/schema/v2.8"
_ENTITIES_A_PIECE = 200
#: OMC's nearest words: it has neither layouts nor backgrounds.
_FUNCTIONAL = {
    ImageKind.LAYOUT: "artwork.storyboard.frame",
    ImageKind.GENERATION: "artwork",
    ImageKind.BACKGROUND: "artwork",
    ImageKind.TOUCH_UP: "artwork",
}

_Entity = dict[str, Any]


class OmcReport:
    """The lineage for other tools, as MovieLabs' OMC-JSON."""

    name = "omc"
    title = Bilingual("Lineage as MovieLabs OMC-JSON 2.8", "来歴データ（MovieLabs OMC-JSON 2.8）")
    purpose = "The lineage as MovieLabs OMC-JSON 2.8: assets, versions, tasks, participants."
    formats = (Format.JSON,)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """Return the export; versions are read while it is written."""
        return compose(self, source, options, blocks=(), json=omc_json(source))


def _media(name: str) -> str | None:
    known = format_of(name)
    return None if known is None else known.mime


def omc_json(source: ReportSource) -> Iterator[str]:
    """Yield one JSON array of OMC entities, piece by piece."""
    entities = _Lineage(source).entities()
    begin = "[\n"
    while waiting := list(islice(entities, _ENTITIES_A_PIECE)):
        # Several times faster than the standard library's encoder, and there is much to encode.
        yield begin + orjson.dumps(waiting).decode()[1:-1]
        begin = ",\n"
    yield "\n]\n"


class _Lineage:
    """Entities of a show; people, systems, roles and images are written when first met."""

    def __init__(self, source: ReportSource) -> None:
        self._source = source
        project = source.scope.project
        self._scope = f"haikei:{project}"
        self._written: set[str] = set()
        self._roles: set[Role] = set()
        self._unnamed: dict[str, int] = {}
        self._ids: dict[Person | System, str] = {}
        #: Images of the present cut, and of it alone: other cuts do not share them.
        self._images: set[str] = set()

    def entities(self) -> Iterator[_Entity]:
        """Yield every entity once."""
        project = self._source.scope.project
        yield self._entity(
            "CreativeWork", f"work/{project}", name=project, creativeWorkType="creativeWork"
        )
        cut: tuple[str, str] | None = None
        for version in read(self._source):
            if (version.part, version.shot) != cut:
                cut = (version.part, version.shot)
                self._images.clear()
            for position, (image, entry) in enumerate(
                zip(version.images, version.ledger, strict=True)
            ):
                if image.key not in self._images:
                    self._images.add(image.key)
                    yield from self._image(version, position, image, entry)
            yield self._group(version)

    def _image(
        self, version: BackgroundVersion, position: int, image: ImageRecord, entry: int
    ) -> Iterator[_Entity]:
        for one in image.contributions:
            if self._id(one.actor) not in self._written:
                yield from self._maker(one.actor)
            if one.role not in self._roles:
                self._roles.add(one.role)
                yield self._entity(
                    "Role", f"role/{one.role}", name=ROLES[one.role].heading.en, roleType=one.role
                )
        maker = _maker_of(image)
        before = version.images[:position]
        known = {other.sha256: other for other in before}
        parents = [
            known[one.sha256]
            for one in image.ingredients
            if one.relation is Relation.PARENT and one.sha256 in known
        ]
        inputs = [known[one.sha256] for one in image.ingredients if one.sha256 in known]
        origin = next(iter((*parents, *inputs)), None)
        provenance: _Entity = {"createdOn": _moment(image.created_at)}
        if maker is not None:
            provenance["CreatedBy"] = self._ref(self._id(maker.actor))
            provenance["Role"] = self._ref(f"role/{maker.role}")
        if origin is not None:
            provenance["Origin"] = self._ref(f"image/{origin.key}")
        folder, _, name = image.path.rpartition("/")
        ending = name.rpartition(".")[2].lower() if "." in name else ""
        yield self._entity(
            "Asset",
            f"image/{image.key}",
            also=(("sha256", image.sha256),),
            name=name,
            version={"DerivationOf": self._ref(f"image/{origin.key}")}
            if origin is not None
            else None,
            provenance=provenance,
            assetFC={"functionalType": _FUNCTIONAL[image.kind]},
            AssetSC=self._entity(
                "AssetSC",
                f"file/{image.key}",
                structuralType="digital.image",
                structuralProperties={
                    "fileDetails": {
                        "fileName": name,
                        "filePath": f"{folder}/",
                        "fileExtension": ending,
                        "mediaType": _media(name),
                    }
                },
            ),
            customData=_custom(
                "image",
                {
                    "kind": image.kind,
                    "sha256": image.sha256,
                    "pixelsSha256": image.pixels_sha256,
                    "digitalSourceType": ""
                    if image.source_type is SourceType.NOT_DECLARED
                    else image.source_type,
                    "sourceType": image.source_type,
                    "ledgerEntry": entry,
                    "ingredients": [
                        {"sha256": one.sha256, "relation": one.relation}
                        for one in image.ingredients
                    ],
                },
            ),
        )
        yield self._task(image, inputs)

    def _task(self, image: ImageRecord, inputs: Iterable[ImageRecord]) -> _Entity:
        """Return the step that made an image, with its context inside."""
        makers = dict.fromkeys(self._id(one.actor) for one in image.contributions)
        context = self._entity(
            "Context",
            f"step-context/{image.key}",
            contextType="production",
            contributor={"Participant": [self._ref(maker) for maker in makers]},
            uses={"Asset": [self._ref(f"image/{other.key}") for other in inputs]},
            produces={"Asset": [self._ref(f"image/{image.key}")]},
        )
        return self._entity(
            "Task",
            f"step/{image.key}",
            name=image.kind,
            taskFC={"functionalType": image.kind},
            Context=[context],
            customData=_custom(
                "contributions",
                {"contributions": [self._contribution(one) for one in image.contributions]},
            ),
        )

    def _group(self, version: BackgroundVersion) -> _Entity:
        """Return a version as the group of its images, with its number."""
        own: _Entity = {"versionNumber": version.version, "name": version.code}
        also = (("tracker", f"Version/{version.tracker_id}"),) if version.tracker_id else ()
        return self._entity(
            "Asset",
            f"version/{version.key}",
            also=also,
            url=version.url,
            name=version.code,
            version=own,
            assetFC={"functionalType": "artwork"},
            AssetSC=self._entity(
                "AssetSC",
                f"version-form/{version.key}",
                structuralType="assetGroup",
                structuralProperties={"assetGroup": {"isOrdered": True}},
            ),
            Asset=[self._ref(f"image/{image.key}") for image in version.images],
            customData=_custom(
                "version",
                {
                    **({"episode": version.episode} if version.episode else {}),
                    "sequence": version.sequence,
                    "shot": version.shot,
                    "season": version.season,
                    "time": version.time,
                    "state": version.state,
                    "digitalSourceType": overall_source_type(version.images).value,
                    "ledgerEntries": list(version.ledger),
                },
            ),
        )

    def _maker(self, actor: Person | System) -> Iterator[_Entity]:
        key = self._id(actor)
        self._written.add(key)
        if isinstance(actor, Person):
            name = shown(actor)
            form = self._entity(
                "Person",
                f"{key}/form",
                personName={
                    "fullName": name.en,
                    "altName": name.ja if is_named(actor) else None,
                },
            )
            yield self._entity("Participant", key, name=name.en, ParticipantSC=form)
            return
        form = self._entity(
            "Service",
            f"{key}/form",
            serviceName={"fullName": system_name(actor)},
            software=[{"softwareName": actor.name, "softwareVersion": actor.version}],
        )
        yield self._entity(
            "Participant",
            key,
            name=system_name(actor),
            ParticipantSC=form,
            customData=_custom(
                "system",
                {
                    "isAi": "yes" if actor.source_type.is_ai else "no",
                    "digitalSourceType": actor.source_type.value,
                    "weightsSha256": actor.sha256,
                    "licence": actor.licence,
                    "trainingData": actor.data,
                },
            ),
        )

    def _id(self, actor: Person | System) -> str:
        found = self._ids.get(actor)
        if found is None:
            found = self._ids[actor] = self._new_id(actor)
        return found

    def _new_id(self, actor: Person | System) -> str:
        if isinstance(actor, System):
            return f"system/{actor.name}/{actor.version}/{actor.sha256[:16]}".rstrip("/")
        if is_named(actor):
            return f"person/{actor.id}"
        # An id may be a name, too: who wants none is a number, the same within one file.
        return f"person/unnamed-{self._unnamed.setdefault(actor.id, len(self._unnamed) + 1)}"

    def _contribution(self, one: Contribution) -> _Entity:
        return _plain(one, self._id(one.actor))

    def _entity(
        self,
        kind: str,
        key: str,
        *,
        also: tuple[tuple[str, str], ...] = (),
        url: str = "",
        **properties: Any,
    ) -> _Entity:
        own: _Entity = {"identifierScope": self._scope, "identifierValue": key}
        if url:
            own["url"] = url
        identifiers = [own]
        for scope, value in also:
            identifiers.append({"identifierScope": scope, "identifierValue": value})
        return {
            "schemaVersion": _VERSION,
            "entityType": kind,
            "identifier": identifiers,
            **properties,
        }

    def _ref(self, key: str) -> _Entity:
        return {"identifier": [{"identifierScope": self._scope, "identifierValue": key}]}


def _maker_of(image: ImageRecord) -> Contribution | None:
    """Return who made the image: the tool of a generation, else the first person."""
    tools = (one for one in image.contributions if isinstance(one.actor, System))
    return next(tools, image.contributions[0] if image.contributions else None)


def _plain(one: Contribution, participant: str) -> _Entity:
    evidence = one.evidence
    plain: _Entity = {
        "role": one.role,
        "participant": participant,
        "grade": one.grade,
        "at": _moment(one.at),
        "source": evidence.source,
    }
    if evidence.sha256:
        plain["evidenceSha256"] = evidence.sha256
    if evidence.note:
        plain["note"] = evidence.note
    if evidence.minutes is not None:
        plain["minutes"] = evidence.minutes
    if evidence.change is not None:
        plain["change"] = to_plain(evidence.change)
    if evidence.recall is not None:
        plain["recall"] = to_plain(evidence.recall)
    return plain


def _custom(namespace: str, value: _Entity) -> list[_Entity]:
    return [{"domain": "haikei", "namespace": namespace, "value": value}]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
