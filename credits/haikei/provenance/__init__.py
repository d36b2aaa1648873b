"""Marks in files: XMP that people read, and signed C2PA manifests that anybody can check."""

from haikei.provenance.certificate import TrustedRoots, read_roots, trusted_roots
from haikei.provenance.filemarks import (
    AiSign,
    EngineVerdict,
    FileMarks,
    Marked,
    MarkedAction,
    MarkedIngredient,
    MarkedStep,
    MarkRequest,
    MarksState,
    NamedPerson,
    Oversight,
    SignedIdentity,
    XmpMarks,
)
from haikei.provenance.ingredient import IngredientReader
from haikei.provenance.mark_reading import read_marks
from haikei.provenance.marking import mark
from haikei.provenance.signer import MarkSigner
from haikei.provenance.source_types import marked_source_type, names_ai, source_term, system_of

__all__ = [
    "AiSign",
    "EngineVerdict",
    "FileMarks",
    "IngredientReader",
    "MarkRequest",
    "MarkSigner",
    "Marked",
    "MarkedAction",
    "MarkedIngredient",
    "MarkedStep",
    "MarksState",
    "NamedPerson",
    "Oversight",
    "SignedIdentity",
    "TrustedRoots",
    "XmpMarks",
    "mark",
    "marked_source_type",
    "names_ai",
    "read_marks",
    "read_roots",
    "source_term",
    "system_of",
    "trusted_roots",
]
