"""
Read what a file says about itself, and check it with two engines and for bits that no hash covers.

The second engine is encypher-c2pa, a validator that shares no code with the first.
"""

import hashlib
import mmap
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from haikei.errors import MarksUnreadable, SourceTypeUnknown
from haikei.provenance import c2pa_python, xmp
from haikei.provenance.c2pa_python import UNTRUSTED, Trust, Validated, time_stamp_note
from haikei.provenance.filemarks import EngineVerdict, FileMarks, MarksState, XmpMarks
from haikei.provenance.formats.detection import (
    FileFormat,
    file_format,
    manifest_beside,
    read_metadata,
    xmp_beside,
)
from haikei.provenance.formats.metadata import Metadata
from haikei.provenance.ingredient import check_source_types, steps, xmp_sidecar_sha256
from haikei.provenance.source_types import ai_signs
from haikei.provenance.xmp import LARGEST

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


_RESERVED = re.compile(
    rb"jumdc2..\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71[\x20-\xff]",
    re.DOTALL,
)


def reserved_bits_set(path: Path, store: bytes | None) -> bool:
    """
    Tell whether a reserved bit is set in the marks of a file, or in `store`, its sidecar's bytes.

    Raises:
        OSError: the file cannot be read.
    """
    if store is not None:
        return _RESERVED.search(store) is not None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _RESERVED.search(data) is not None


#: Our own codes, in the manner of C2PA's.
XMP_MISMATCH = "org.haikei.xmp.mismatch"
SOURCE_TYPE_UNKNOWN = "org.haikei.sourceType.unknown"
ENGINES_DISAGREE = "org.haikei.engines.disagree"
RESERVED_BITS = "org.haikei.jumbf.reserved"
_LARGEST_MANIFEST = 256 * 1024 * 1024


def read_marks(
    path: Path,
    *,
    trust_pem: str,
    timestamp_trust_pem: str = "",
    people_trust_pem: str = "",
    manifest: Path | None = None,
) -> FileMarks:
    """
    Return what a file says about itself, and whether it holds.

    The state is `TRUSTED` only if every engine says so and none finds a failure, in the file's own
    manifest or in any that came with its ingredients, now or when they were signed over.

    Args:
        path: the file.
        trust_pem: roots that signers' certificates must lead to.
        timestamp_trust_pem: roots of time-stamp authorities.
        people_trust_pem: roots of the certificates with which people sign for their own steps.
        manifest: its `.c2pa` sidecar; by default the one beside it, for formats without marks.

    Raises:
        MarksUnreadable: the file or its sidecar cannot be read, or its structure is malformed.
    """
    known = file_format(path)
    trust = Trust(signers=trust_pem, time_stamps=timestamp_trust_pem, people=people_trust_pem)
    if manifest is None and not known.embeds:
        manifest = manifest_beside(path)
    metadata = read_metadata(path)
    sidecar = None if known.embeds else xmp_beside(path)
    packet = metadata.xmp if sidecar is None else _bytes(sidecar, LARGEST)
    marks = None if packet is None else xmp.read(packet)
    store = None if manifest is None else _bytes(manifest, _LARGEST_MANIFEST)
    validated, verdicts = _validated(path, known, trust, store)
    if validated is not None and sidecar is not None and packet is not None:
        promised = xmp_sidecar_sha256(validated)
        if promised and hashlib.sha256(packet).hexdigest() != promised:
            verdicts = _with_failure(verdicts, XMP_MISMATCH)
    chain = () if validated is None else steps(validated)
    return FileMarks(
        path=path,
        state=_state(verdicts),
        engines=verdicts,
        steps=chain,
        xmp=marks,
        ai_signs=ai_signs(metadata.texts, marks, chain),
        reservations=tuple(_reservations(metadata, marks, validated)),
    )


#: Words with which programs and services keep a picture from models, alone in a text or its name.
_NO_AI = re.compile(
    r"\s*no[-_ ]?(image[-_ ]?)?ai(\s*[,;]\s*no[-_ ]?(image[-_ ]?)?ai)*\s*", re.IGNORECASE
)


def _reservations(
    metadata: Metadata, marks: XmpMarks | None, validated: Validated | None
) -> Iterator[str]:
    """Yield where somebody else than Haikei keeps the file from models or from data mining."""
    ours = marks is not None and marks.creator_tool.startswith("Haikei")
    if marks is not None and "PROHIBITED" in marks.data_mining.upper() and not ours:
        yield f"XMP plus:DataMining {marks.data_mining.rpartition('/')[2]}"
    for text in metadata.texts:
        if _NO_AI.fullmatch(text.name) or _NO_AI.fullmatch(text.text):
            yield f"{text.where} {text.name!r}"
    manifests: Mapping[str, Any] = {} if validated is None else validated.manifests
    for manifest in manifests.values():
        assertions = manifest.get("assertions", ())
        labels = {str(one.get("label", "")) for one in assertions}
        if c2pa_python.STEP in labels:
            continue
        for one in assertions:
            label = str(one.get("label", ""))
            if not label.startswith(("cawg.training-mining", "c2pa.training-mining")):
                continue
            entries = one.get("data", {}).get("entries", {})
            forbidden = [
                str(name) for name, entry in entries.items() if entry.get("use") == "notAllowed"
            ]
            if forbidden:
                yield f"C2PA {label}: {', '.join(sorted(forbidden))}"


def _validated(
    path: Path, known: FileFormat, trust: Trust, store: bytes | None
) -> tuple[Validated | None, tuple[EngineVerdict, ...]]:
    try:
        with path.open("rb") as file:
            validated = c2pa_python.validate(file, known.mime, trust, store)
        second = validate(path, known.mime, trust, store)
        touched = validated is not None and reserved_bits_set(path, store)
    except OSError as error:
        raise MarksUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    found = second is not None and second.available
    if validated is None and not found:
        return None, ()
    verdicts = [] if validated is None else [validated.verdict]
    if second is not None:
        verdicts.append(second)
    both = tuple(verdicts)
    if validated is None or second is None:
        # One sees marks where the other sees none: neither can be believed.
        return validated, _with_failure(both, ENGINES_DISAGREE)
    try:
        check_source_types(validated)
    except SourceTypeUnknown:
        both = _with_failure(both, SOURCE_TYPE_UNKNOWN)
    if touched:
        both = _with_failure(both, RESERVED_BITS)
    return validated, both


def _with_failure(verdicts: tuple[EngineVerdict, ...], code: str) -> tuple[EngineVerdict, ...]:
    first, *others = verdicts
    return (replace(first, failures=(*first.failures, code)), *others)


def _state(verdicts: Sequence[EngineVerdict]) -> MarksState:
    heard = [verdict for verdict in verdicts if verdict.available]
    if not heard:
        return MarksState.NONE
    codes = {
        code for verdict in heard for code in (*verdict.failures, *verdict.ingredient_failures)
    }
    if codes - {UNTRUSTED} or any(verdict.state == "Invalid" for verdict in heard):
        return MarksState.BROKEN
    if codes or any(verdict.state != "Trusted" for verdict in heard):
        return MarksState.UNTRUSTED
    return MarksState.TRUSTED


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise MarksUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > most:
        raise MarksUnreadable(f"{path} has more than {most} bytes.")
    return data
