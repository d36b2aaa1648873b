"""The first engine: c2pa-python, the C2PA reference library (c2pa-rs) that signs and validates."""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, BinaryIO, Literal, cast

from haikei.provenance.certificate import CLAIM_SIGNING_USAGES
from haikei.provenance.filemarks import EngineVerdict

SPECIFICATION = "2.4.0"
STEP = "org.haikei.step"
DISCLOSURE = "c2pa.ai-disclosure"
PEOPLE = "cawg.metadata"
IDENTITY = "cawg.identity"
MINING = "cawg.training-mining"
#: What the signer vouches for; the library counts all else as gathered from elsewhere.
CREATED = (
    "c2pa.actions",
    "c2pa.actions.v2",
    "c2pa.ingredient",
    "c2pa.ingredient.v3",
    DISCLOSURE,
    MINING,
    PEOPLE,
    STEP,
)

_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
_SIGNERS = "signers"
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
UNTRUSTED = "signingCredential.untrusted"
#: Nobody here knows who issued a person's certificate; that says nothing of the file's signer.
UNKNOWN_IDENTITY = "cawg.x509.credential.untrusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Root certificates (PEM) against which marks are checked."""

    signers: str
    time_stamps: str = ""
    people: str = ""  #: for identity assertions; those of signers count for these as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """What the engine read from a file."""

    verdict: EngineVerdict
    active: str  #: the label of the file's own manifest
    manifests: Mapping[str, Any]  #: by label, as the library gives them
    results: Mapping[str, Any]  #: the validation results, as the library gives them


class _Contexts(threading.local):
    """The library's contexts of one thread; they hold no more than settings and trust."""

    def __init__(self) -> None:
        self.process = 0
        self.made: dict[Trust, Any] = {}


_contexts = _Contexts()


def context(trust: Trust) -> Any:
    """Return the library's context for this trust, made once a thread and never across a fork."""
    # The library refuses handles that a forked parent made.
    if _contexts.process != os.getpid():
        _contexts.process = os.getpid()
        _contexts.made = {}
    if trust not in _contexts.made:
        import c2pa  # type: ignore[import-untyped]

        _contexts.made[trust] = c2pa.Context.from_dict(_settings(trust))
    return _contexts.made[trust]


def drafting_context(trust: Trust) -> Any:
    """Return a context for drafts, whose signatures the library does not check."""
    import c2pa

    settings = _settings(trust)
    settings["verify"]["verify_after_sign"] = False
    return c2pa.Context.from_dict(settings)


def validate(
    file: BinaryIO, mime: str, trust: Trust, manifest: bytes | None = None
) -> Validated | None:
    """Return what the file or its sidecar says and whether it holds; None without any marks."""
    import c2pa

    kinds: Any = c2pa.C2paError  # the kinds of error are added to it at run time
    try:
        if manifest is None:
            reader = c2pa.Reader.try_create(mime, file, context=context(trust))
        else:
            reader = c2pa.Reader(mime, file, manifest_data=manifest, context=context(trust))
    except (kinds.NotSupported, kinds.ManifestNotFound):
        return None
    except c2pa.C2paError as error:
        return _unreadable(error)
    if reader is None:
        return None
    try:
        with reader:
            text = reader.json()
            state = str(reader.get_validation_state())
            results = cast("Mapping[str, Any]", reader.get_validation_results() or {})
        store = cast("Mapping[str, Any]", json.loads(text))
        active = str(store["active_manifest"])
        manifests = cast("Mapping[str, Any]", store["manifests"])
    except (c2pa.C2paError, ValueError, KeyError, RecursionError) as error:
        return _unreadable(error)
    own = list(_codes(results.get("activeManifest")))
    if state == "Valid" and not own and results.get("trustListUri") == _SIGNERS:
        # The library takes an unknown issuer of a person's certificate for one of the signer's.
        state = "Trusted"
    if state == "Trusted" and results.get("trustListUri") != _SIGNERS:
        # The library takes a time-stamp authority's root for a signer's as well.
        state = "Valid"
        own.append(UNTRUSTED)
    return Validated(
        verdict=EngineVerdict(
            engine=_name(),
            available=True,
            state=state,
            failures=tuple(own),
            ingredient_failures=tuple(
                dict.fromkeys([*_deltas(results), *recorded_failures(manifests)])
            ),
            note=time_stamp_note(results.get("activeManifest")),
        ),
        active=active,
        manifests=manifests,
        results=results,
    )


def time_stamp_note(results: Mapping[str, Any] | None) -> str:
    """Return what is wrong with a time stamp: engines believe the rest of such a signature."""
    statuses = (results or {}).get("informational") or ()
    codes = [str(each.get("code", "")) for each in statuses]
    return ", ".join(dict.fromkeys(code for code in codes if code.startswith("timeStamp.")))


def time_stamp_state(results: Mapping[str, Any]) -> Literal["none", "untrusted", "trusted"]:
    """Return whether a token stands in the file's own signature, holds, and is by someone known."""
    statuses = (results.get("activeManifest") or {}).get("success") or ()
    codes = {str(each.get("code", "")) for each in statuses}
    if "timeStamp.validated" not in codes:
        return "none"
    return "trusted" if "timeStamp.trusted" in codes else "untrusted"


def recorded_failures(manifests: Mapping[str, Any]) -> Iterator[str]:
    """
    Yield what signers found broken in their ingredients and signed over.

    No engine counts these against the file: a damaged parent is laundered so.
    """
    for manifest in manifests.values():
        for ingredient in manifest.get("ingredients") or ():
            yield from failures_of(ingredient)


def failures_of(ingredient: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a signer found broken in one ingredient."""
    results = ingredient.get("validation_results") or {}
    yield from _codes(results.get("activeManifest"))
    yield from _deltas(results)


def _deltas(results: Mapping[str, Any]) -> Iterator[str]:
    for delta in results.get("ingredientDeltas") or ():
        yield from _codes(delta.get("validationDeltas"))


def _codes(results: Mapping[str, Any] | None) -> Iterator[str]:
    for failure in (results or {}).get("failure") or ():
        code = str(failure.get("code", "unknown"))
        if code != UNKNOWN_IDENTITY:
            yield code


def _unreadable(error: Exception) -> Validated:
    verdict = EngineVerdict(
        engine=_name(),
        available=True,
        state="Invalid",
        failures=("unreadable",),
        ingredient_failures=(),
        note=str(error)[:500],
    )
    return Validated(verdict=verdict, active="", manifests={}, results={})


def _name() -> str:
    import c2pa

    return f"c2pa-rs {c2pa.sdk_version()}"


def _certificates(pem: str) -> list[str]:
    """Return the certificates in a text, each in PEM."""
    return [f"{one.strip()}\n" for one in _CERTIFICATE.findall(pem)]


def _settings(trust: Trust) -> dict[str, Any]:
    anchors = [
        {
            "trust_anchors": trust.signers,
            "trust_kind": "manifest",
            "trust_uri": _SIGNERS,
            "trust_config": "\n".join(CLAIM_SIGNING_USAGES),
        }
    ]
    signers = set(_certificates(trust.signers))
    stamping, people = _certificates(trust.time_stamps), _certificates(trust.people)
    usages = "\n".join(CLAIM_SIGNING_USAGES)
    # The library names any list that holds a signer's root. A root of both is named as a signer's.
    for kind, uri, roots, usage in (
        ("tsa", _SIGNERS, [one for one in stamping if one in signers], _TIME_STAMPING),
        ("tsa", "time-stamps", [one for one in stamping if one not in signers], _TIME_STAMPING),
        ("cawg", _SIGNERS, sorted(signers), usages),
        ("cawg", "people", [one for one in people if one not in signers], usages),
    ):
        if roots:
            anchors.append(
                {
                    "trust_anchors": "".join(roots),
                    "trust_kind": kind,
                    "trust_uri": uri,
                    "trust_config": usage,
                }
            )
    return {
        "version": 1,
        "trust": {"anchors": anchors},
        # verify_after_sign is what makes the library refuse manifests that are not well-formed.
        "verify": {
            "verify_after_sign": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
        "builder": {
            "thumbnail": {"enabled": False},
            "claim_generator_info": _claim_generator(),
            "created_assertion_labels": list(CREATED),
            "actions": {
                "auto_created_action": {"enabled": False},
                "auto_opened_action": {"enabled": False},
                "auto_placed_action": {"enabled": False},
            },
        },
    }


def _claim_generator() -> dict[str, str]:
    """Return what makes the claim: this program, and the specification that it follows."""
    return {"name": "Haikei", "version": version("haikei"), "specVersion": SPECIFICATION}
