"""Marks in files: XMP that people read, and signed C2PA manifests that anybody can check."""

from haikei.provenance.ai_signs import system_of
from haikei.provenance.certificate import TrustedRoots, read_roots, trusted_roots
from haikei.provenance.filemarks import (
    AiSign,
    EngineVerdict,
    FileMarks,
    MarkedAction,
    MarkedStep,
    MarksState,
    NamedPerson,
    SignedIdentity,
    XmpMarks,
)
from haikei.provenance.mark_reading import read_marks
from haikei.provenance.marking import mark
from haikei.provenance.request import Marked, MarkedIngredient, MarkRequest, Oversight
from haikei.provenance.signer import MarkSigner
from haikei.provenance.source_types import names_ai, source_term

__all__ = [
    "AiSign",
    "EngineVerdict",
    "FileMarks",
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
    "names_ai",
    "read_marks",
    "read_roots",
    "source_term",
    "system_of",
    "trusted_roots",
]
