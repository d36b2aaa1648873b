"""
The lineage in MovieLabs' Ontology for Media Creation, OMC-JSON 2.8, for other tools of a studio.

Each image is an Asset whose provenance names its maker; each of its steps is a Task, whose Context
says who contributed (a Person, or a Service for programs and models: never a person), which Assets
it used and which it produced. OMC has no words for AI or backgrounds, so that these facts stand in
`customData`, under the domain `haikei`. The file is one array of entities, each written once.
Source: https://github.com/MovieLabs/OMC, OMC-JSON-v2.8.schema.json.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import islice
from typing import Any

import orjson

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


def omc_json(source: ReportSource) -> Iterator[str]:
    """Yield one JSON array of OMC entities, piece by piece."""
    entities = _Lineage(source).entities()
    begin = "[\n"
    while waiting := list(islice(entities, _ENTITIES_A_PIECE)):
        yield begin + ",".join(waiting)
        begin = ",\n"
    yield "\n]\n"


# Where a form is filled in: inside a string, or with JSON in place of a string.
_IN_STRING = re.compile("\ue000(\\w+)\ue001")
_IN_PLACE = re.compile('"\ue002(\\w+)\ue001"')


def _text(name: str) -> str:
    return f"\ue000{name}\ue001"


def _json(name: str) -> str:
    return f"\ue002{name}\ue001"


class _Form:
    """
    An entity as JSON text, in which `_text` and `_json` are filled in for each one.

    A large show has hundreds of thousands of entities that differ in a few values: to fill in a
    text takes a tenth of the time of making objects and encoding them.
    """

    def __init__(self, entity: _Entity) -> None:
        text = _IN_PLACE.sub("\ue000\\1\ue001", orjson.dumps(entity).decode())
        # Text and names by turns, from the first text to the last.
        self._pieces = _IN_STRING.split(text)
        self._names = self._pieces[1::2]

    def filled(self, values: dict[str, str]) -> str:
        """Return the entity with these values, each as JSON or as `_inner` gives it."""
        pieces = self._pieces.copy()
        pieces[1::2] = map(values.__getitem__, self._names)
        return "".join(pieces)


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()


def _inner(text: str) -> str:
    """Return a text as it stands inside a JSON string."""
    return orjson.dumps(text)[1:-1].decode()


def _inner_all(texts: tuple[str, ...]) -> list[str]:
    """Return texts as `_inner` does, in one call for all."""
    found = orjson.dumps(texts)[2:-2].decode()
    if '\\"' in found:
        # With quotation marks inside them, it is not plain where each one ends.
        return list(map(_inner, texts))
    return found.split('","')


class _Lineage:
    """Entities of a show; people, systems, roles and images are written when first met."""

    def __init__(self, source: ReportSource) -> None:
        self._source = source
        self._own = f"haikei:{source.scope.project}"
        self._scope = _inner(self._own)
        self._written: set[str] = set()
        self._roles: set[Role] = set()
        self._unnamed: dict[str, int] = {}
        self._ids: dict[Person | System, str] = {}
        #: Images of the present cut by their keys, each with the reference to it; of it alone:
        #: other cuts do not share them.
        self._images: dict[str, str] = {}
        self._begin = f'{{"identifier":[{{"identifierScope":"{self._scope}","identifierValue":'
        self._makers = lru_cache(maxsize=4096)(self._refs)

    def entities(self) -> Iterator[str]:
        """Yield every entity once, as JSON."""
        project = self._source.scope.project
        work = self._entity("CreativeWork", f"work/{project}")
        yield _dump(work | {"name": project, "creativeWorkType": "creativeWork"})
        cut: tuple[str, str] | None = None
        for version in read(self._source):
            if (version.part, version.shot) != cut:
                cut = (version.part, version.shot)
                self._images.clear()
            for position, (image, entry) in enumerate(
                zip(version.images, version.ledger, strict=True)
            ):
                if image.key not in self._images:
                    key = _inner(image.key)
                    self._images[image.key] = f'{self._begin}"image/{key}"}}]}}'
                    yield from self._image(version, position, image, entry, key)
            yield self._group(version)

    def _entity(self, kind: str, key: str) -> _Entity:
        """Return an entity of which there are few: they need no form."""
        return _entity(kind, key, scope=self._own)

    def _image(
        self, version: BackgroundVersion, position: int, image: ImageRecord, entry: int, key: str
    ) -> Iterator[str]:
        participants = [self._id(one.actor) for one in image.contributions]
        for one, maker_id in zip(image.contributions, participants, strict=True):
            if maker_id not in self._written:
                yield self._maker(one.actor, maker_id)
            if one.role not in self._roles:
                self._roles.add(one.role)
                role = self._entity("Role", f"role/{one.role}")
                yield _dump(role | {"name": ROLES[one.role].heading.en, "roleType": one.role})
        known = {other.sha256: other for other in version.images[:position]}
        inputs = [known[one.sha256] for one in image.ingredients if one.sha256 in known]
        parents = (
            known[one.sha256]
            for one in image.ingredients
            if one.relation is Relation.PARENT and one.sha256 in known
        )
        origin = next(parents, inputs[0] if inputs else None)
        maker = _maker_of(image)
        folder, _, name = image.path.rpartition("/")
        stem, _, ending = name.rpartition(".")
        sha256, pixels, place, ending_name, inner_name, created = _inner_all(
            (
                image.sha256,
                image.pixels_sha256,
                folder,
                ending.lower(),
                name,
                _moment(image.created_at),
            )
        )
        asset = _asset_form(made=maker is not None, derived=origin is not None)
        yield asset.filled(
            {
                "scope": self._scope,
                "key": key,
                "sha256": sha256,
                "pixels": pixels,
                "name": inner_name,
                "origin": "" if origin is None else _inner(origin.key),
                "created": created,
                "maker": "" if maker is None else _inner(participants[maker]),
                "role": "" if maker is None else image.contributions[maker].role,
                "function": _FUNCTIONAL[image.kind],
                "folder": place,
                "ending": ending_name if "." in name else "",
                "media": _media(f"x.{ending}" if stem.strip(".") and ending else name),
                "kind": image.kind,
                "source": "" if image.source_type is SourceType.NOT_DECLARED else image.source_type,
                "known_source": image.source_type,
                "entry": str(entry),
                "ingredients": ",".join(
                    f'{{"sha256":{_dump(one.sha256)},"relation":"{one.relation}"}}'
                    for one in image.ingredients
                ),
            }
        )
        contributions = map(_contribution, image.contributions, participants)
        yield _task_form().filled(
            {
                "scope": self._scope,
                "key": key,
                "kind": image.kind,
                "makers": self._makers(tuple(dict.fromkeys(participants))),
                "inputs": ",".join([self._image_ref(other) for other in inputs]),
                "contributions": ",".join(contributions),
            }
        )

    def _group(self, version: BackgroundVersion) -> str:
        """Return a version as the group of its images, with its number."""
        form = _group_form(
            tracked=bool(version.tracker_id), shown=bool(version.url), episode=bool(version.episode)
        )
        key, url, code, episode, sequence, shot, season, time = _inner_all(
            (
                version.key,
                version.url,
                version.code,
                version.episode,
                version.sequence,
                version.shot,
                version.season,
                version.time,
            )
        )
        return form.filled(
            {
                "scope": self._scope,
                "key": key,
                "tracker": str(version.tracker_id),
                "url": url,
                "code": code,
                "number": str(version.version),
                "images": ",".join(map(self._image_ref, version.images)),
                "episode": episode,
                "sequence": sequence,
                "shot": shot,
                "season": season,
                "time": time,
                "state": version.state,
                "source": overall_source_type(version.images).value,
                "entries": ",".join(map(str, version.ledger)),
            }
        )

    def _maker(self, actor: Person | System, key: str) -> str:
        self._written.add(key)
        if isinstance(actor, Person):
            name = shown(actor)
            names = {"fullName": name.en, "altName": name.ja if is_named(actor) else None}
            form = self._entity("Person", f"{key}/form") | {"personName": names}
            participant = self._entity("Participant", key)
            return _dump(participant | {"name": name.en, "ParticipantSC": form})
        form = self._entity("Service", f"{key}/form") | {
            "serviceName": {"fullName": system_name(actor)},
            "software": [{"softwareName": actor.name, "softwareVersion": actor.version}],
        }
        facts = {
            "isAi": "yes" if actor.source_type.is_ai else "no",
            "digitalSourceType": actor.source_type.value,
            "weightsSha256": actor.sha256,
            "licence": actor.licence,
            "trainingData": actor.data,
        }
        return _dump(
            self._entity("Participant", key)
            | {
                "name": system_name(actor),
                "ParticipantSC": form,
                "customData": _custom("system", facts),
            }
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

    def _refs(self, keys: tuple[str, ...]) -> str:
        return ",".join([f"{self._begin}{_dump(key)}}}]}}" for key in keys])

    def _image_ref(self, image: ImageRecord) -> str:
        # Each image of a version is written before what stands on it, and before the version.
        return self._images[image.key]


def _entity(
    kind: str,
    key: str,
    *,
    scope: str = _text("scope"),
    also: Sequence[tuple[str, str]] = (),
    url: str = "",
) -> _Entity:
    own: _Entity = {"identifierScope": scope, "identifierValue": key}
    if url:
        own["url"] = url
    others = [{"identifierScope": where, "identifierValue": value} for where, value in also]
    return {"schemaVersion": _VERSION, "entityType": kind, "identifier": [own, *others]}


def _ref(key: str) -> _Entity:
    return {"identifier": [{"identifierScope": _text("scope"), "identifierValue": key}]}


@cache
def _asset_form(*, made: bool, derived: bool) -> _Form:
    origin = _ref(f"image/{_text('origin')}")
    provenance: _Entity = {"createdOn": _text("created")}
    if made:
        provenance["CreatedBy"] = _ref(_text("maker"))
        provenance["Role"] = _ref(f"role/{_text('role')}")
    if derived:
        provenance["Origin"] = origin
    details = {
        "fileName": _text("name"),
        "filePath": f"{_text('folder')}/",
        "fileExtension": _text("ending"),
        "mediaType": _json("media"),
    }
    facts = {
        "kind": _text("kind"),
        "sha256": _text("sha256"),
        "pixelsSha256": _text("pixels"),
        "digitalSourceType": _text("source"),
        "sourceType": _text("known_source"),
        "ledgerEntry": _json("entry"),
        "ingredients": [_json("ingredients")],
    }
    key = _text("key")
    return _Form(
        _entity("Asset", f"image/{key}", also=(("sha256", _text("sha256")),))
        | {
            "name": _text("name"),
            "version": {"DerivationOf": origin} if derived else None,
            "provenance": provenance,
            "assetFC": {"functionalType": _text("function")},
            "AssetSC": _entity("AssetSC", f"file/{key}")
            | {
                "structuralType": "digital.image",
                "structuralProperties": {"fileDetails": details},
            },
            "customData": _custom("image", facts),
        }
    )


@cache
def _task_form() -> _Form:
    """Return the step that made an image, with its context inside."""
    key = _text("key")
    context = _entity("Context", f"step-context/{key}") | {
        "contextType": "production",
        "contributor": {"Participant": [_json("makers")]},
        "uses": {"Asset": [_json("inputs")]},
        "produces": {"Asset": [_ref(f"image/{key}")]},
    }
    return _Form(
        _entity("Task", f"step/{key}")
        | {
            "name": _text("kind"),
            "taskFC": {"functionalType": _text("kind")},
            "Context": [context],
            "customData": _custom("contributions", {"contributions": [_json("contributions")]}),
        }
    )


@cache
def _group_form(*, tracked: bool, shown: bool, episode: bool) -> _Form:
    key = _text("key")
    facts = {
        **({"episode": _text("episode")} if episode else {}),
        "sequence": _text("sequence"),
        "shot": _text("shot"),
        "season": _text("season"),
        "time": _text("time"),
        "state": _text("state"),
        "digitalSourceType": _text("source"),
        "ledgerEntries": [_json("entries")],
    }
    return _Form(
        _entity(
            "Asset",
            f"version/{key}",
            also=(("tracker", f"Version/{_text('tracker')}"),) if tracked else (),
            url=_text("url") if shown else "",
        )
        | {
            "name": _text("code"),
            "version": {"versionNumber": _json("number"), "name": _text("code")},
            "assetFC": {"functionalType": "artwork"},
            "AssetSC": _entity("AssetSC", f"version-form/{key}")
            | {
                "structuralType": "assetGroup",
                "structuralProperties": {"assetGroup": {"isOrdered": True}},
            },
            "Asset": [_json("images")],
            "customData": _custom("version", facts),
        }
    )


def _maker_of(image: ImageRecord) -> int | None:
    """Return the place of who made the image: the tool of a generation, else the first person."""
    for place, one in enumerate(image.contributions):
        if isinstance(one.actor, System):
            return place
    return 0 if image.contributions else None


def _contribution(one: Contribution, participant: str) -> str:
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
        plain["change"] = evidence.change
    if evidence.recall is not None:
        plain["recall"] = evidence.recall
    return _dump(plain)


@lru_cache(maxsize=256)
def _media(name: str) -> str:
    known = format_of(name)
    return "null" if known is None else _dump(known.mime)


def _custom(namespace: str, value: _Entity) -> list[_Entity]:
    return [{"domain": "haikei", "namespace": namespace, "value": value}]


@lru_cache(maxsize=256)
def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
