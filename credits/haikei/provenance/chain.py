"""The chain of steps that a file's manifests tell, the oldest first."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from haikei.errors import SourceTypeUnknown
from haikei.provenance.c2pa_python import (
    DISCLOSURE,
    IDENTITY,
    PEOPLE,
    STEP,
    Validated,
    failures_of,
)
from haikei.provenance.filemarks import MarkedAction, MarkedStep, NamedPerson, SignedIdentity
from haikei.provenance.source_types import IPTC, source_term

Json = Mapping[str, Any]  #: as the signing library gives it


def steps(validated: Validated) -> tuple[MarkedStep, ...]:
    """Return each manifest that the file's own stands on, once, and the file's own last."""
    ordered: dict[str, Json] = {}
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


def _step(label: str, manifest: Json, codes: Mapping[str, set[str]]) -> MarkedStep:
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


def _identity_codes(validated: Validated) -> Mapping[str, set[str]]:
    """Return what was found about identity assertions, by their address in the store."""
    found: dict[str, set[str]] = {}
    told = [_mapping(validated.results.get("activeManifest"))]
    # Of earlier steps the signers after them wrote down what they found.
    for manifest in validated.manifests.values():
        for ingredient in _ingredients(_mapping(manifest)):
            results = _mapping(ingredient.get("validation_results"))
            told.append(_mapping(results.get("activeManifest")))
    for results in told:
        for status in (*_list(results.get("success")), *_list(results.get("failure"))):
            one = _mapping(status)
            found.setdefault(str(one.get("url", "")), set()).add(str(one.get("code", "")))
    return found


def _identities(
    label: str, manifest: Json, codes: Mapping[str, set[str]]
) -> Iterator[SignedIdentity]:
    for assertion in map(_mapping, _list(manifest.get("assertions"))):
        if not str(assertion.get("label", "")).startswith(IDENTITY):
            continue
        data = _mapping(assertion.get("data"))
        signed, payload = _mapping(data.get("signature_info")), _mapping(data.get("signer_payload"))
        known = {
            code
            for url, told in codes.items()
            if f"/{label}/" in url and url.rpartition("/")[2].startswith(IDENTITY)
            for code in told
        }
        yield SignedIdentity(
            name=str(signed.get("common_name") or signed.get("issuer") or ""),
            roles=tuple(str(role) for role in _list(payload.get("role"))),
            holds="cawg.identity.well-formed" in known,
            trusted="cawg.x509.credential.trusted" in known,
        )


def _action(action: Json) -> MarkedAction:
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


def _people(metadata: Json) -> Iterator[NamedPerson]:
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


def _actions(manifest: Json) -> Iterator[Json]:
    for assertion in _list(manifest.get("assertions")):
        fields = _mapping(assertion)
        if str(fields.get("label", "")).startswith("c2pa.actions"):
            for action in _list(_mapping(fields.get("data")).get("actions")):
                yield _mapping(action)


def _assertion(manifest: Json, label: str) -> Json:
    for assertion in _list(manifest.get("assertions")):
        fields = _mapping(assertion)
        if fields.get("label") == label:
            return _mapping(fields.get("data"))
    return {}


def _ingredients(manifest: Json) -> Iterator[Json]:
    # The parent comes first: the spine of the chain is read before what was only looked at.
    found = [_mapping(ingredient) for ingredient in _list(manifest.get("ingredients"))]
    yield from sorted(found, key=lambda each: each.get("relationship") != "parentOf")


def _below(manifest: Json) -> Iterator[str]:
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


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
