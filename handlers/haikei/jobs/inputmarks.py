"""What the marks of a layout mean for the pictures that will stand on it."""

from collections.abc import Mapping

from haikei.credits import SourceType
from haikei.errors import MarksBroken
from haikei.provenance import FileMarks, MarksState
from haikei.provenance.source_types import names_ai, source_term

#: Terms of the vocabulary that our records say in other words.
_SAID: Mapping[str, SourceType] = {
    "minorHumanEdits": SourceType.HUMAN_EDITS,
    "digitalCapture": SourceType.PRINT,
    "computationalCapture": SourceType.PRINT,
    "negativeFilm": SourceType.PRINT,
    "positiveFilm": SourceType.PRINT,
}


def require_whole(marks: FileMarks) -> None:
    """
    Check that nothing is signed on top of marks that do not hold.

    Raises:
        MarksBroken: they do not.
    """
    if marks.state is MarksState.BROKEN:
        raise MarksBroken(
            f"{marks.path.name} carries marks (C2PA) that do not hold: "
            f"{', '.join(marks.failures) or 'it was changed after it was signed'}.",
            advice="Ask for the file as it was signed, or for an export without marks.",
        )


def drawn_as(marks: FileMarks) -> SourceType:
    """
    Return how a layout was drawn, as it says of itself; by hand and digitally unless it says so.

    Raises:
        SourceTypeUnknown: it says what no vocabulary holds.
    """
    said = marks.xmp.digital_source_type if marks.xmp is not None else ""
    if not said:
        return SourceType.TRAINED if marks.says_ai else SourceType.DIGITAL_CREATION
    term = source_term(said)
    if term in set(SourceType):
        return SourceType(term)
    if names_ai(said) or marks.says_ai:
        return SourceType.COMPOSITE_TRAINED
    return _SAID.get(term, SourceType.DIGITAL_CREATION)
