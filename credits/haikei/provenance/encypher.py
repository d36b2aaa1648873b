"""The second engine: encypher-c2pa, a validator that shares no code with the first."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from haikei.provenance.c2pa_python import Trust, time_stamp_note
from haikei.provenance.filemarks import EngineVerdict

#: With a sidecar the hash is over the file's bytes as they are, whatever their format; the engine
#: knows no name for OpenEXR and PSD, and the name only chooses where it looks for embedded marks.
_ANY_WITH_SIDECAR = "image/png"


def validate(
    path: Path, mime: str, trust: Trust, manifest: bytes | None = None
) -> EngineVerdict | None:
    """Return whether the file's marks hold; None without any."""
    import encypher_c2pa

    name = f"encypher-c2pa {version('encypher-c2pa')}"
    if manifest is None and mime not in encypher_c2pa.supported_mime_types():
        return EngineVerdict(
            engine=name,
            available=False,
            state="",
            failures=(),
            ingredient_failures=(),
            note="not available for this format",
        )
    try:
        report = encypher_c2pa.verify(
            path.read_bytes(),
            mime if manifest is None else _ANY_WITH_SIDECAR,
            manifest_store=manifest,
            # Roots that are not there are no roots: an empty text is refused.
            trust_pem=trust.signers or None,
            tsa_trust_pem=trust.time_stamps or None,
            no_default_trust=True,
            online=False,
            # False also notes the choice in the user's own settings of that package.
            telemetry=False,
        )
    except (ValueError, RuntimeError) as error:
        return EngineVerdict(
            engine=name,
            available=True,
            state="Invalid",
            failures=("unreadable",),
            ingredient_failures=(),
            note=str(error)[:500],
        )
    if not report["present"]:
        return None
    whole = (report.get("manifest_report") or {}).get("validation_results") or {}
    own = dict.fromkeys(
        [
            *_codes(report.get("validation_results")),
            *_codes(whole.get("activeManifest")),
        ]
    )
    below = dict.fromkeys(
        code
        for delta in whole.get("ingredientDeltas") or ()
        for code in _codes(delta.get("validationDeltas"))
    )
    return EngineVerdict(
        engine=name,
        available=True,
        state=str(report["validation_state"]),
        failures=tuple(own),
        ingredient_failures=tuple(below),
        note=time_stamp_note(report.get("validation_results")),
    )


def _codes(results: Mapping[str, Any] | None) -> Iterator[str]:
    for failure in (results or {}).get("failure") or ():
        yield str(failure.get("code", "unknown"))
