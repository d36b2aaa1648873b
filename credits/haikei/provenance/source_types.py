"""
The vocabularies of digital source types, and other signs of trained models in a file.

Sources: IPTC NewsCodes (http://cv.iptc.org/newscodes/digitalsourcetype/, copy of 2026-08-17) and
the two terms of C2PA. Signing libraries sign any word; we sign and accept none but these.

A proof is what a program writes only about its own output: a workflow, a list of sampling steps,
a digital source type. A hint is a program's name, which stands in other files too.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence

from haikei.credits import GENERATORS, ImageKind, SourceType, System
from haikei.errors import SourceTypeUnknown
from haikei.provenance.filemarks import AiSign, MarkedStep, XmpMarks
from haikei.provenance.formats.metadata import TextPiece

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_C2PA = "http://c2pa.org/digitalsourcetype/"
_IPTC_TERMS = frozenset(
    {
        "algorithmicMedia",
        "algorithmicallyEnhanced",
        "composite",
        "compositeCapture",
        "compositeSynthetic",
        "compositeWithTrainedAlgorithmicMedia",
        "computationalCapture",
        "dataDrivenMedia",
        "digitalArt",  # retired 2024-09-17 for digitalCreation; older files hold it
        "digitalCapture",
        "digitalCreation",
        "humanEdits",
        "minorHumanEdits",  # retired 2024-09-17 for humanEdits
        "negativeFilm",
        "positiveFilm",
        "print",
        "screenCapture",
        "softwareImage",  # retired 2022-06-14
        "trainedAlgorithmicMedia",
        "virtualRecording",
    }
)
_C2PA_TERMS = frozenset({"empty", "trainedAlgorithmicData"})
_AI_TERMS = frozenset(
    {
        "compositeSynthetic",
        "compositeWithTrainedAlgorithmicMedia",
        "trainedAlgorithmicData",
        "trainedAlgorithmicMedia",
    }
)


def source_type_uri(source_type: str) -> str:
    """
    Return the vocabulary's URI of a source type.

    Raises:
        SourceTypeUnknown: no vocabulary holds it.
    """
    if source_type not in _IPTC_TERMS:
        raise _unknown(str(source_type))
    return IPTC + str(source_type)


def marked_source_type(kind: ImageKind, source_type: SourceType) -> str:
    """
    Return the term by which files tell how a picture came to be; empty where none is claimed.

    A touch-up of which nobody says how it was made, and what stands on it, is called `composite`, a
    "mix of elements, any of which may or may not be generative AI": an action has to have a term,
    and no other is true.
    """
    if source_type is not SourceType.NOT_DECLARED:
        return str(source_type)
    return "" if kind is ImageKind.LAYOUT else "composite"


def source_term(uri: str) -> str:
    """
    Return the term of a URI; `https` is read like `http`, which is the literal value.

    Raises:
        SourceTypeUnknown: no vocabulary holds it.
    """
    literal = "http://" + uri.removeprefix("https://") if uri.startswith("https://") else uri
    for prefix, terms in ((IPTC, _IPTC_TERMS), (_C2PA, _C2PA_TERMS)):
        term = literal.removeprefix(prefix)
        if term != literal and term in terms:
            return term
    raise _unknown(uri)


def names_ai(uri: str) -> bool:
    """Tell whether a URI, or a bare term, says that a trained model made any of the picture."""
    return uri.rstrip("/").rpartition("/")[2] in _AI_TERMS


def _unknown(value: str) -> SourceTypeUnknown:
    return SourceTypeUnknown(
        f"No vocabulary holds the digital source type {value[:200]!r}.",
        advice=f"Use a term of {IPTC}, such as `digitalCreation` or `humanEdits`.",
    )


#: Longer texts are looked at up to here.
_LOOKED_AT = 1_000_000
_SAMPLING = re.compile(r"Steps: \d+, Sampler: ")
_LONGEST = 100
_UNKNOWN = "a generator"
_UNNAMED = "Trained model without a name"
_MODEL = re.compile(
    r"\bModel: ([^,\n]+)|\"([^\"\\]+)\.(?:safetensors|ckpt|gguf)\""
    r"|\"(?:model_name|base_model_name)\"\s*:\s*\"([^\"\\]+)\""
)
_VERSION = re.compile(r"(?:\bVersion: |\"app_version\"\s*:\s*\")([^,\"\n]+)")
_SOFTWARE = frozenset({"software", "creatortool", "source", "generator", "make", "description"})


def ai_signs(
    texts: Sequence[TextPiece], xmp: XmpMarks | None, steps: Sequence[MarkedStep]
) -> tuple[AiSign, ...]:
    """Return each sign of a trained model in a file's texts, XMP packet and C2PA manifests."""
    found = [*_in_texts(texts), *_in_xmp(xmp), *_in_steps(steps)]
    return tuple(dict.fromkeys(found))


def _in_texts(texts: Sequence[TextPiece]) -> Iterator[AiSign]:
    for piece in texts:
        where = f'{piece.where} "{piece.name}"'
        text = piece.text[:_LOOKED_AT]
        known = _KNOWN_NAMES.get(piece.name.lower())
        if known is not None and known[1](text):
            yield _text_sign(where, known[0], text)
        elif _SAMPLING.search(text):
            yield _text_sign(where, "Stable Diffusion WebUI", text)
        elif piece.name.lower() in _SOFTWARE and (named := GENERATORS.search(text)):
            yield AiSign(where=where, what=named[0], proof=False)


def _text_sign(where: str, tool: str, text: str) -> AiSign:
    """Return the proof that is a program's own text, with the model and version that it names."""
    model, version = _MODEL.search(text), _VERSION.search(text)
    return AiSign(
        where=where,
        what=tool,
        proof=True,
        tool="" if tool == _UNKNOWN else tool,
        version=version[1].strip()[:_LONGEST] if version else "",
        model=next((one for one in model.groups() if one), "").strip()[:_LONGEST] if model else "",
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )


def system_of(signs: Sequence[AiSign], source_type: SourceType) -> System:
    """
    Return the system that proofs in a file tell of, with what is known: one, whatever they are.

    Args:
        signs: those of the file; hints do not count.
        source_type: what it made of the picture.
    """
    proofs = [sign for sign in signs if sign.proof]
    names = list(dict.fromkeys(sign.tool for sign in proofs if sign.tool))
    # One mark tells name and version in one, another apart; and a model by its program's name.
    tools = [one for one in names if not any(one.startswith(f"{name} ") for name in names)]
    models = dict.fromkeys(sign.model for sign in proofs if sign.model and sign.model not in names)
    versions = [sign.version for sign in proofs if sign.version]
    if len(tools) == 1:
        versions += [one.removeprefix(f"{tools[0]} ") for one in names if one not in tools]
    name = " and ".join(tools) or ", ".join(models) or _UNNAMED
    if tools and models:
        name += f" with {', '.join(models)}"
    version = versions[0] if versions and len(tools) == 1 else ""
    return System(name=name, version=version, source_type=source_type, data="not disclosed")


def _in_xmp(xmp: XmpMarks | None) -> Iterator[AiSign]:
    if xmp is None:
        return
    if names_ai(xmp.digital_source_type):
        term = xmp.digital_source_type.rpartition("/")[2]
        yield AiSign(where="XMP DigitalSourceType", what=term, proof=True)
    for name, value in (
        ("AISystemUsed", xmp.ai_system),
        ("AIPromptInformation", xmp.ai_prompt),
    ):
        if value:
            tool = xmp.ai_system[:_LONGEST]
            version = xmp.ai_system_version[:_LONGEST] if tool else ""
            yield AiSign(
                where=f"XMP {name}", what=value[:100], proof=True, tool=tool, version=version
            )
    for name, value in (("CreatorTool", xmp.creator_tool), ("Credit", xmp.credit)):
        named = GENERATORS.search(value)
        if named:
            yield AiSign(where=f"XMP {name}", what=named[0], proof=False)


def _in_steps(steps: Sequence[MarkedStep]) -> Iterator[AiSign]:
    for step in steps:
        for action in step.actions:
            if names_ai(action.source_type):
                made_by = f" by {action.system}" if action.system else ""
                yield AiSign(
                    where=f"C2PA {action.action} of {step.title or step.label}",
                    what=f"{action.source_type}{made_by}",
                    proof=True,
                    tool=action.system[:_LONGEST],
                    model=step.model[:_LONGEST],
                )
        if step.model:
            yield AiSign(
                where=f"C2PA ai-disclosure of {step.title or step.label}",
                what=step.model,
                proof=True,
                model=step.model[:_LONGEST],
            )


def _any(text: str) -> bool:
    return bool(text.strip())


def _graph(text: str) -> bool:
    # Other programs use such short names too; what a graph of nodes holds is plain.
    return '"class_type"' in text or '"nodes"' in text or '"last_node_id"' in text


def _sampling(text: str) -> bool:
    return bool(_SAMPLING.search(text)) or '"sui_image_params"' in text


#: Names of texts, what writes them, and what such a text must hold.
_KNOWN_NAMES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "prompt": ("ComfyUI", _graph),
    "workflow": ("ComfyUI", _graph),
    "parameters": ("Stable Diffusion WebUI", _sampling),
    "postprocessing": ("Stable Diffusion WebUI", _any),
    "invokeai_metadata": ("InvokeAI", _any),
    "invokeai_workflow": ("InvokeAI", _any),
    "invokeai_graph": ("InvokeAI", _any),
    "sd-metadata": ("InvokeAI", _any),
    "dream": ("InvokeAI", _any),
    "fooocus_scheme": ("Fooocus", _any),
    "generation_data": (_UNKNOWN, lambda text: '"prompt"' in text),
    "comment": ("NovelAI", lambda text: '"sampler"' in text and '"steps"' in text),
}
