"""
Signs of trained models in a file, as known generators leave them.

A proof is what a program writes only about its own output: a workflow, a list of sampling steps,
a digital source type. A hint is a program's name, which stands in other files too.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from haikei.credits import GENERATORS
from haikei.provenance.filemarks import AiSign, MarkedStep, XmpMarks
from haikei.provenance.formats.metadata import TextPiece
from haikei.provenance.source_types import names_ai

#: Longer texts are looked at up to here.
_LOOKED_AT = 1_000_000
_SAMPLING = re.compile(r"Steps: \d+, Sampler: ")
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
            yield AiSign(where=where, what=known[0], proof=True)
        elif _SAMPLING.search(text):
            yield AiSign(where=where, what="Stable Diffusion WebUI", proof=True)
        elif piece.name.lower() in _SOFTWARE and (named := GENERATORS.search(text)):
            yield AiSign(where=where, what=named[0], proof=False)


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
            yield AiSign(where=f"XMP {name}", what=value[:100], proof=True)
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
                )
        if step.model:
            yield AiSign(
                where=f"C2PA ai-disclosure of {step.title or step.label}",
                what=step.model,
                proof=True,
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
    "generation_data": ("a generator", lambda text: '"prompt"' in text),
    "comment": ("NovelAI", lambda text: '"sampler"' in text and '"steps"' in text),
}
