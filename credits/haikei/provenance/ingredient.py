"""
The files that a step is made from: read, checked, and handed to the signing library.

The chain of steps that a file's manifests tell is read the oldest first.
"""

import hashlib
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from haikei.credits import ImageKind, Relation, SourceType
from haikei.errors import MarksBroken, MarksUnreadable, SourceTypeUnknown
from haikei.provenance import c2pa_python
from haikei.provenance.c2pa_python import (
    DISCLOSURE,
    IDENTITY,
    PEOPLE,
    STEP,
    UNTRUSTED,
    Trust,
    Validated,
    failures_of,
)
from haikei.provenance.filemarks import (
    MarkedAction,
    MarkedIngredient,
    MarkedStep,
    MarkRequest,
    NamedPerson,
    SignedIdentity,
)
from haikei.provenance.formats.detection import file_format, manifest_beside
from haikei.provenance.manifest import Json, SeenIngredient
from haikei.provenance.source_types import IPTC, source_term

_Part = Mapping[str, Any]  #: as the signing library gives it


def steps(validated: Validated) -> tuple[MarkedStep, ...]:
    """Return each manifest that the file's own stands on, once, and the file's own last."""
    ordered: dict[str, _Part] = {}
    # An explicit stack: strangers decide how long a chain is.
    open_labels: list[tuple[str, bool]] = [(validated.active, False)]
    entered: set[str] = set()
    while open_labels:
        label, done = open_labels.pop()
        manifest = validated.manifests.get(label)
        if manifest is None:
            continue
        if done:
            ordered.setdefault(label, manifest)
        elif label not in entered:
            entered.add(label)
            open_labels.append((label, True))
            open_labels += [(below, False) for below in reversed(list(_below(manifest)))]
    found = _identity_codes(validated)
    return tuple(_step(label, manifest, found) for label, manifest in ordered.items())


def check_source_types(validated: Validated) -> None:
    """
    Check each action's digital source type, which signing libraries take as it comes.

    Raises:
        SourceTypeUnknown: one is in no vocabulary.
    """
    for manifest in validated.manifests.values():
        for action in _actions(manifest):
            uri = action.get("digitalSourceType")
            if uri is not None:
                source_term(str(uri))


def xmp_sidecar_sha256(validated: Validated) -> str:
    """Return the SHA-256 that the file's own manifest gives for its XMP sidecar, if any."""
    step = _assertion(validated.manifests.get(validated.active, {}), STEP)
    return str(step.get("xmpSha256", ""))


def _step(label: str, manifest: _Part, codes: Mapping[str, Sequence[str]]) -> MarkedStep:
    ingredients = list(_ingredients(manifest))
    disclosure = _assertion(manifest, DISCLOSURE)
    profile = disclosure.get("contentProfile")
    signature = _mapping(manifest.get("signature_info"))
    found = [code for ingredient in ingredients for code in failures_of(ingredient)]
    return MarkedStep(
        label=label,
        title=str(manifest.get("title", "")),
        kind=str(_assertion(manifest, STEP).get("kind", "")),
        actions=tuple(_action(action) for action in _actions(manifest)),
        people=tuple(_people(_assertion(manifest, PEOPLE))),
        model=str(disclosure.get("modelName", "")),
        oversight=str(_mapping(profile).get("humanOversightLevel", "")),
        signer=", ".join(
            str(signature[key]) for key in ("common_name", "issuer") if signature.get(key)
        ),
        signed_at=_moment(signature.get("time")),
        ingredients=tuple(_below(manifest)),
        plain_ingredients=tuple(
            str(ingredient.get("title", ""))
            for ingredient in ingredients
            if not ingredient.get("active_manifest")
        ),
        failures=tuple(dict.fromkeys(found)),
        redactions=tuple(str(uri) for uri in manifest.get("redactions") or ()),
        identities=tuple(_identities(label, manifest, codes)),
    )


def _identity_codes(validated: Validated) -> Mapping[str, Sequence[str]]:
    """
    Return what was found about identity assertions that hold, in order, by their manifest's label.

    The library gives each of a manifest's assertions the same address; what it finds stands in
    the order in which it looks at them.
    """
    found: dict[str, Sequence[str]] = {}
    all_results = [_mapping(validated.results.get("activeManifest"))]
    # Of earlier steps the signers after them wrote down what they found.
    for manifest in validated.manifests.values():
        for ingredient in _ingredients(_mapping(manifest)):
            results = _mapping(ingredient.get("validation_results"))
            all_results.append(_mapping(results.get("activeManifest")))
    for results in all_results:
        here: dict[str, list[str]] = {}
        for one in map(_mapping, _list(results.get("success"))):
            store, _, name = str(one.get("url", "")).partition(f"/c2pa.assertions/{IDENTITY}")
            code = str(one.get("code", ""))
            if not name.strip("_0123456789") and code.startswith("cawg."):
                here.setdefault(store.rpartition("/")[2], []).append(code)
        found = {**here, **found}
    return found


def _identities(
    label: str, manifest: _Part, codes: Mapping[str, Sequence[str]]
) -> Iterator[SignedIdentity]:
    own = [
        _mapping(one.get("data"))
        for one in map(_mapping, _list(manifest.get("assertions")))
        if str(one.get("label", "")) == IDENTITY
    ]
    found = codes.get(label, ())
    # Each that holds ends with this; where one does not, nobody can tell which.
    whole = found.count(_WELL_FORMED) == len(own)
    rest = iter(found)
    for data in own:
        known = set(iter(lambda: next(rest, _WELL_FORMED), _WELL_FORMED))
        signed, payload = _mapping(data.get("signature_info")), _mapping(data.get("signer_payload"))
        yield SignedIdentity(
            name=str(signed.get("common_name") or signed.get("issuer") or ""),
            roles=tuple(str(role) for role in _list(payload.get("role"))),
            holds=whole,
            trusted=whole and "cawg.x509.credential.trusted" in known,
        )


def _action(action: _Part) -> MarkedAction:
    agent = action.get("softwareAgent")
    named = _mapping(agent)
    system = f"{named.get('name', '')} {named.get('version', '')}".strip() if named else agent
    uri = str(action.get("digitalSourceType", ""))
    try:
        source_type = source_term(uri) if uri.replace("https", "http").startswith(IPTC) else uri
    except SourceTypeUnknown:
        source_type = uri
    return MarkedAction(
        action=str(action.get("action", "")),
        source_type=source_type,
        system=str(system or ""),
        at=_moment(action.get("when")),
        description=str(action.get("description", "")),
        regions=sum(
            len(_list(_mapping(change).get("region"))) for change in _list(action.get("changes"))
        ),
    )


def _people(metadata: _Part) -> Iterator[NamedPerson]:
    for entry in _list(metadata.get("Iptc4xmpExt:Contributor")):
        fields = _mapping(entry)
        names = fields.get("Iptc4xmpExt:Name")
        languages = _mapping(names)
        default = languages.get("en") or languages.get("x-default")
        identifiers = _list(fields.get("Iptc4xmpExt:Identifier"))
        yield NamedPerson(
            name=str(default or (names if isinstance(names, str) else "")),
            name_ja=str(languages.get("ja", "")),
            roles=tuple(str(role) for role in _list(fields.get("Iptc4xmpExt:Role"))),
            id=str(identifiers[0]) if identifiers else "",
        )


def _actions(manifest: _Part) -> Iterator[_Part]:
    for assertion in _list(manifest.get("assertions")):
        fields = _mapping(assertion)
        if str(fields.get("label", "")).startswith("c2pa.actions"):
            for action in _list(_mapping(fields.get("data")).get("actions")):
                yield _mapping(action)


def _assertion(manifest: _Part, label: str) -> _Part:
    for assertion in _list(manifest.get("assertions")):
        fields = _mapping(assertion)
        if fields.get("label") == label:
            return _mapping(fields.get("data"))
    return {}


def _ingredients(manifest: _Part) -> Iterator[_Part]:
    # The parent comes first: the spine of the chain is read before what was only looked at.
    found = [_mapping(ingredient) for ingredient in _list(manifest.get("ingredients"))]
    yield from sorted(found, key=lambda each: each.get("relationship") != "parentOf")


def _below(manifest: _Part) -> Iterator[str]:
    for ingredient in _ingredients(manifest):
        label = ingredient.get("active_manifest")
        if label:
            yield str(label)


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _mapping(value: object) -> _Part:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_MANIFEST_MIME = "application/c2pa"
#: What the library finds last about an identity assertion that holds.
_WELL_FORMED = "cawg.identity.well-formed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadIngredient:
    """An ingredient whose marks hold, or that carries none."""

    seen: SeenIngredient
    path: Path
    mime: str
    manifest: bytes | None  #: from a sidecar
    validated: Validated | None  #: None: it carries no marks

    def without_names(self, withdrawn: Collection[str]) -> "ReadIngredient":
        """Return it without its manifests where one of them names a person of these ids."""
        chain = () if self.validated is None else steps(self.validated)
        if not any(person.id in withdrawn for step in chain for person in step.people):
            return self
        # To redact the names alone breaks the chain for engines that hash ingredients as they were;
        # the ledger, which the file's hash leads to, keeps the whole lineage.
        return replace(self, manifest=None, seen=replace(self.seen, left_out=True))


class IngredientReader:
    """
    Reads and checks ingredients, each file once as long as it stays as it is.

    The pictures of a chain all stand on its first ones: a layout is an input to each of them.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], ReadIngredient] = {}

    def read(self, ingredient: MarkedIngredient, label: str, trust: Trust) -> ReadIngredient:
        """
        Return an ingredient whose marks hold, or that carries none.

        Raises:
            MarksUnreadable: it cannot be read.
            MarksBroken: its marks do not hold.
            SourceTypeUnknown: its marks name a source type that is in no vocabulary.
        """
        state = (trust, *_state(ingredient.path), *_state(ingredient.manifest))
        if state not in self._known:
            self._known[state] = _read(ingredient, label, trust)
        known = self._known[state]
        seen = replace(
            known.seen, label=label, relation=ingredient.relation, title=ingredient.title
        )
        return replace(known, seen=seen)


def _state(path: Path | None) -> tuple[object, ...]:
    if path is None:
        return ()
    try:
        found = path.stat()
    except OSError as error:
        raise MarksUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    return path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_ingredients(
    request: MarkRequest, trust: Trust, reader: IngredientReader
) -> tuple[ReadIngredient, ...]:
    """
    Return what a step is made from, the parent first.

    Marks that the source itself carries are what it went through before it came here: it then
    becomes the parent, and the requested parent an input. A program that signs names our image as
    its own parent already.

    Raises:
        MarksUnreadable: a file cannot be read.
        MarksBroken: the marks of one do not hold.
        SourceTypeUnknown: the marks of one name a source type that is in no vocabulary.
    """
    listed = list(request.ingredients)
    source = MarkedIngredient(
        path=request.source, relation=Relation.PARENT, title=request.source.name
    )
    own = reader.read(source, "source", trust)
    if own.validated is not None:
        listed = [replace(ingredient, relation=Relation.INPUT) for ingredient in listed]
    own = own.without_names(request.withdrawn)
    found = [
        reader.read(each, f"ingredient-{index}", trust).without_names(request.withdrawn)
        for index, each in enumerate(listed)
    ]
    found.sort(key=lambda each: each.seen.relation is not Relation.PARENT)
    # Where nobody says how a layout came to be, it is opened as it was handed in, not created.
    undeclared = request.kind is ImageKind.LAYOUT and request.source_type is SourceType.NOT_DECLARED
    opened = own.validated is not None or undeclared
    return (own, *found) if opened else tuple(found)


def sidecar_definitions(ingredients: Sequence[ReadIngredient]) -> list[Json]:
    """
    Return the part of a manifest's definition for ingredients whose files the library cannot read.

    The library reads manifests of formats that it does not know from nowhere; what it would have
    found is handed over as it was validated. Of those that are left out only the hash is.
    """
    left_out = [
        {**_about(one), "instance_id": f"sha256:{one.seen.sha256}"}
        for one in ingredients
        if one.seen.left_out
    ]
    return left_out + [
        {
            **_about(ingredient),
            "instance_id": f"sha256:{ingredient.seen.sha256}",
            "active_manifest": ingredient.validated.active,
            "manifest_data": {"format": _MANIFEST_MIME, "identifier": ingredient.seen.label},
            "validation_results": dict(ingredient.validated.results),
        }
        for ingredient in ingredients
        if ingredient.manifest is not None and ingredient.validated is not None
    ]


def add_ingredients(builder: Any, ingredients: Sequence[ReadIngredient]) -> None:
    """Give the library the files and manifests of ingredients."""
    for ingredient in ingredients:
        if ingredient.seen.left_out:
            continue
        if ingredient.manifest is not None:
            builder.add_resource(ingredient.seen.label, io.BytesIO(ingredient.manifest))
            continue
        with ingredient.path.open("rb") as file:
            builder.add_ingredient(_about(ingredient), ingredient.mime, file)


def _about(ingredient: ReadIngredient) -> Json:
    return {
        "title": ingredient.seen.title,
        "format": ingredient.mime,
        "relationship": ingredient.seen.relation.value,
        "label": ingredient.seen.label,
    }


def _read(ingredient: MarkedIngredient, label: str, trust: Trust) -> ReadIngredient:
    known = file_format(ingredient.path)
    sidecar = ingredient.manifest
    if sidecar is None and not known.embeds:
        sidecar = manifest_beside(ingredient.path)
    try:
        manifest = None if sidecar is None else sidecar.read_bytes()
        with ingredient.path.open("rb") as file:
            validated = c2pa_python.validate(file, known.mime, trust, manifest)
            file.seek(0)
            digest = ingredient.sha256 or hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MarksUnreadable(
            f"{ingredient.path} or its manifest cannot be read: {error.strerror or error}."
        ) from error
    if validated is not None:
        _check_holds(validated, ingredient.path)
        check_source_types(validated)
    return ReadIngredient(
        seen=SeenIngredient(
            label=label, relation=ingredient.relation, title=ingredient.title, sha256=digest
        ),
        path=ingredient.path,
        mime=known.mime,
        manifest=manifest,
        validated=validated,
    )


def _check_holds(validated: Validated, path: Path) -> None:
    verdict = validated.verdict
    codes = dict.fromkeys([*verdict.failures, *verdict.ingredient_failures])
    # A stranger's marks that hold are kept; that we do not know the stranger is recorded.
    broken = [code for code in codes if code != UNTRUSTED]
    if broken or verdict.state == "Invalid":
        raise MarksBroken(
            f"The marks in {path} do not hold: {', '.join(broken)} {verdict.note}".strip() + ".",
            advice="Get the file as it was signed; nothing is signed on top of a broken one.",
        )
