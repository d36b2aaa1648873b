"""Marks in files: XMP that people read, and signed C2PA manifests that anybody can check."""

from haikei.provenance.filemarks import (
    AiSign,
    EngineVerdict,
    FileMarks,
    MarkedAction,
    MarkedStep,
    MarksState,
    NamedPerson,
    XmpMarks,
)
from haikei.provenance.marking import mark
from haikei.provenance.reading import read_marks
from haikei.provenance.request import Marked, MarkedIngredient, MarkRequest, Oversight
from haikei.provenance.signer import MarkSigner
from haikei.provenance.trust import TrustedRoots, read_roots, trusted_roots

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
    "TrustedRoots",
    "XmpMarks",
    "mark",
    "read_marks",
    "read_roots",
    "trusted_roots",
]
