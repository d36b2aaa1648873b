"""
The vocabularies of digital source types, as files may name them.

Sources: IPTC NewsCodes (http://cv.iptc.org/newscodes/digitalsourcetype/, copy of 2026-08-17) and
the two terms of C2PA. Signing libraries sign any word; we sign and accept none but these.
"""

from haikei.credits import SourceType
from haikei.errors import SourceTypeUnknown

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


def source_type_uri(source_type: SourceType) -> str:
    """
    Return the vocabulary's URI of a source type.

    Raises:
        SourceTypeUnknown: no vocabulary holds it.
    """
    if source_type not in _IPTC_TERMS:
        raise _unknown(str(source_type))
    return IPTC + str(source_type)


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
