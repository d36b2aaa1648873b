"""
Write marks into a file: XMP first, then the C2PA manifest that covers it.

In this order, since XMP that is written after signing breaks the signature. OpenEXR, PSD and other
formats that hold neither get sidecars beside them; the manifest then holds the XMP sidecar's hash.
"""

import hashlib
import io
import os
import tempfile
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from typing_extensions import Buffer, override

from haikei.credits import SourceType, System
from haikei.errors import (
    HaikeiError,
    MarksError,
    MarksUnreadable,
    SettingsError,
    SigningUnavailable,
    StorageUnavailable,
)
from haikei.provenance import c2pa_python, xmp
from haikei.provenance.c2pa_python import Trust
from haikei.provenance.certificate import require_valid_now
from haikei.provenance.filemarks import Marked, MarkRequest, creators, named_people
from haikei.provenance.formats.detection import (
    MANIFEST_SUFFIX,
    XMP_SUFFIX,
    FileFormat,
    file_format,
    read_metadata,
)
from haikei.provenance.identity import SigningPerson, room_for, sign_for_step, signing_people
from haikei.provenance.ingredient import (
    IngredientReader,
    ReadIngredient,
    add_ingredients,
    read_ingredients,
    sidecar_definitions,
    steps,
)
from haikei.provenance.manifest import Json, definition
from haikei.provenance.signer import MarkSigner, put_store, sign_claim, staple, time_stamp
from haikei.provenance.source_types import marked_source_type, names_ai, source_type_uri


def mark(
    request: MarkRequest, signer: MarkSigner, reader: IngredientReader | None = None
) -> Marked:
    """
    Write the marked copy of a file; its pixels' bytes are those of the source.

    A target that stands there is replaced as a whole, so that a job which was cut off can mark
    again. Marks that the source itself carries become the new manifest's parent.

    Args:
        request: what is marked.
        signer: signs it.
        reader: remembers ingredients that it has checked, for a chain of pictures.

    Raises:
        MarksUnreadable: the source's or an ingredient's structure is malformed.
        MarksBroken: the marks of an ingredient, or of the source, do not hold.
        MarksError: the request contradicts itself or what the source says of AI.
        SourceTypeUnknown: a source type is in no vocabulary.
        SigningUnavailable: the time-stamp authority or key service gives no answer.
        SettingsError: the signer's key is not the certificate's, or the time stamp's root is not
            the one that was set.
        StorageUnavailable: the target cannot be written.
    """
    if request.source == request.target:
        raise MarksError(f"{request.source} would replace itself.")
    trust = Trust(
        signers=signer.trust_pem,
        time_stamps=signer.timestamp_trust_pem,
        people=signer.people_trust_pem,
    )
    known = file_format(request.source)
    packet = xmp.build(_statement(request, signer), _existing_packet(request))
    ingredients = read_ingredients(request, trust, reader or IngredientReader())
    plain = definition(
        request,
        [ingredient.seen for ingredient in ingredients],
        mining=signer.mining,
        xmp_sha256="" if known.embeds else hashlib.sha256(packet).hexdigest(),
    )
    plain["ingredients"] = sidecar_definitions(ingredients)
    try:
        with tempfile.TemporaryDirectory(prefix=".marking-", dir=request.target.parent) as folder:
            marked = Path(folder) / "marked"
            with_xmp = request.source
            if known.write_xmp is not None:
                with_xmp = Path(folder) / "with-xmp"
                with request.source.open("rb") as source, with_xmp.open("wb") as target:
                    known.write_xmp(source, target, packet)
            people = signing_people(request.contributions, signer.identities)
            plain["assertions"] += map(room_for, people)
            store = _sign(
                plain, ingredients, known, with_xmp, marked, signer=signer, trust=trust, by=people
            )
            if people:
                _require_sound(marked, known, store, trust, request.title)
            label, stamped = _signed(store, signer, trust, people=len(people))
            xmp_file = manifest_file = None
            if not known.embeds:
                # The picture comes last: whoever sees it finds its sidecars.
                xmp_file = _place(packet, folder, request.target.with_suffix(XMP_SUFFIX))
                manifest_file = _place(store, folder, request.target.with_suffix(MANIFEST_SUFFIX))
            _sync(marked)
            marked.replace(request.target)
    except OSError as error:
        raise StorageUnavailable(
            f"{request.target} cannot be written: {error.strerror or error}."
        ) from error
    return Marked(
        path=request.target,
        manifest=manifest_file,
        xmp=xmp_file,
        label=label,
        time_stamped=stamped,
    )


def _statement(request: MarkRequest, signer: MarkSigner) -> xmp.XmpStatement:
    models = [
        (contribution.actor.name, contribution.actor.version)
        for contribution in request.credited
        if isinstance(contribution.actor, System) and contribution.actor.source_type.is_ai
    ]
    allowed = signer.write_prompts
    return xmp.XmpStatement(
        title=request.title,
        digital_source_type=_source_type(request),
        ai_systems=tuple(dict.fromkeys(models)),
        prompt=request.prompt if allowed else "",
        prompt_writer=request.prompt_writer if allowed else "",
        creators=creators(request.credited),
        contributors=named_people(request.credited),
        credit=request.credit.en,
        mining=signer.mining,
        tool=f"Haikei {version('haikei')}",
        at=request.at,
    )


def _source_type(request: MarkRequest) -> str:
    # What nobody has declared is not claimed; what the file itself says stays.
    term = marked_source_type(request.kind, SourceType(request.overall_source_type))
    return source_type_uri(term) if term else ""


def _existing_packet(request: MarkRequest) -> bytes | None:
    packet = read_metadata(request.source).xmp
    if packet is None:
        return None
    marks = xmp.read(packet)
    says_ai = names_ai(marks.digital_source_type) or bool(marks.ai_system)
    if says_ai and not SourceType(request.overall_source_type).is_ai:
        raise MarksError(
            f"{request.source} says that a trained model made it"
            f" ({marks.ai_system or marks.digital_source_type}), "
            "and would be marked as if none had.",
            advice="Record the model as a part of the picture's making, or get the right file.",
        )
    return packet


def _sign(
    plain: Json,
    ingredients: tuple[ReadIngredient, ...],
    known: FileFormat,
    source: Path,
    target: Path,
    *,
    signer: MarkSigner,
    trust: Trust,
    by: tuple[SigningPerson, ...],
) -> bytes:
    import c2pa  # type: ignore[import-untyped]

    failed: list[HaikeiError] = []
    # A draft's signature is replaced when everybody has signed: it only has its length.
    blank = bytes(signer.chain.signature_size)

    def sign(data: bytes) -> bytes:
        if by:
            return blank
        try:
            return signer.sign(data)
        except HaikeiError as error:
            # The library reports to its caller only that there was no signature.
            failed.append(error)
            raise

    status = signer.status()
    algorithm = c2pa.C2paSigningAlg[signer.chain.algorithm.value]
    context = c2pa_python.drafting_context(trust) if by else c2pa_python.context(trust)
    written = _RememberingFile(target, "w+")
    try:
        with (
            c2pa.Signer.from_callback(
                sign, algorithm, signer.chain.pem, signer.timestamp_url
            ) as native,
            c2pa.Builder(plain, context) as builder,
            source.open("rb") as file,
            io.BufferedRandom(written) as out,
        ):
            add_ingredients(builder, ingredients)
            if not known.embeds:
                builder.set_no_embed()
            store = bytes(builder.sign(native, known.mime, file, out))
    except c2pa.C2paError as error:
        if written.refused is not None:
            raise written.refused from error
        raise _unsigned(error, failed, signer, str(plain["title"])) from error
    final = store
    if by:
        url = signer.timestamp_url
        stamp = None if url is None else partial(time_stamp, url)
        final = sign_claim(sign_for_step(store, by), signer.sign, stamp)
    if status:
        final = staple(final, status)
    if final != store and known.embeds:
        put_store(target, known, store, final)
    return final


class _RememberingFile(io.FileIO):
    """A file that knows why it took no bytes; the library says only that there was an error."""

    refused: OSError | None = None

    @override
    def write(self, b: Buffer, /) -> int:
        try:
            return super().write(b)
        except OSError as error:
            self.refused = error
            raise


def _require_sound(path: Path, known: FileFormat, store: bytes, trust: Trust, title: str) -> None:
    """Check what the library has not checked, since it signed a draft only."""
    with path.open("rb") as file:
        manifest = None if known.embeds else store
        found = c2pa_python.validate(file, known.mime, trust, manifest)
    if found is None or found.verdict.state == "Invalid" or found.verdict.failures:
        reason = "no marks" if found is None else ", ".join(found.verdict.failures)
        raise MarksError(f"{title} cannot be signed: {reason}.")


def _unsigned(
    error: Exception, failed: list[HaikeiError], signer: MarkSigner, title: str
) -> HaikeiError:
    """Return what to say of a file that the library did not sign."""
    import c2pa

    if failed:
        return failed[0]
    kinds: Any = c2pa.C2paError  # the kinds of error are added to it at run time
    if signer.timestamp_url is not None and isinstance(error, kinds.Signature):
        return SigningUnavailable(
            f"The time-stamp authority {signer.timestamp_url} gave no token: {error}.",
            advice="See whether it can be reached; files wait for it.",
        )
    try:
        require_valid_now(signer.chain)
    except SettingsError as found:
        return SigningUnavailable(found.message, advice=found.advice)
    return MarksError(f"{title} cannot be signed: {error}.")


def _signed(store: bytes, signer: MarkSigner, trust: Trust, *, people: int) -> tuple[str, bool]:
    # The store alone is read: its hash over the picture was checked when it was signed.
    written = c2pa_python.validate(io.BytesIO(store), "application/c2pa", trust)
    if written is None or not written.active:
        raise MarksUnreadable("The signed manifest cannot be read back.")
    if sum(one.holds for one in steps(written)[-1].identities) != people:
        raise MarksError(
            "The signatures of people's certificates do not hold in the manifest.",
            advice="Check the certificates and keys of their [[people]] entries.",
        )
    stamp = c2pa_python.time_stamp_state(written.results)
    if signer.timestamp_url is not None and stamp == "none":
        raise SigningUnavailable(
            f"The time-stamp authority {signer.timestamp_url} gave a token that does not hold.",
            advice="Check its address; files wait for it.",
        )
    if signer.timestamp_trust_pem and stamp == "untrusted":
        raise SettingsError(
            f"The time-stamp authority {signer.timestamp_url} is not below a root of ours.",
            advice="Set signing.timestamp_trust_file to its root certificate.",
        )
    return written.active, stamp != "none"


def _place(data: bytes, folder: str, target: Path) -> Path:
    made = Path(folder) / target.name
    made.write_bytes(data)
    _sync(made)
    return made.replace(target)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
