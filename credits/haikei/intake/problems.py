"""The problems of a file, in words: what is wrong, and what to do about it."""

from haikei.credits import BackgroundVersion, ImageRecord
from haikei.intake.examination import Problem, ProblemKind, Recognition
from haikei.provenance import FileMarks


def _signer(marks: FileMarks) -> str:
    named = marks.steps[-1].signer if marks.steps else ""
    return named or "a certificate without a name"


def resigned(
    marks: FileMarks, record: ImageRecord, version: BackgroundVersion | None, studio: str
) -> Problem:
    """Return that a file shows pixels of the studio's under the signature of somebody else."""
    code = version.code if version else record.path
    signer = _signer(marks)
    return Problem(
        kind=ProblemKind.RESIGNED,
        message=(
            f"{marks.path.name} shows the pixels of {code}, which {studio} published on "
            f"{record.created_at:%Y-%m-%d}, under the signature of {signer}."
        ),
        advice=f"It is no file of {studio}'s, whatever it says: use {record.path}, and ask who "
        f"signs as {signer} where they had it from.",
    )


def untrusted(marks: FileMarks, record: ImageRecord | None, recognition: Recognition) -> Problem:
    """Return that nobody here knows who signed a file, and what to do by how it is recorded."""
    message = (
        f"The marks of {marks.path.name} hold, but we do not know {_signer(marks)}, who signed"
    )
    advice = (
        "Ask them by another road whether it is theirs; only then let their root count, with "
        "--trust."
    )
    if recognition is Recognition.BYTES:
        message += " these bytes, which our records know."
        advice = "Only if it is an earlier certificate of ours, add its root to signing.trust_file."
    elif record is not None:
        message += f" it; it shows the drawing that was recorded as {record.path}."
        advice = "Use the published copy, which bears our marks."
    else:
        message += " it."
    return Problem(kind=ProblemKind.UNTRUSTED, message=message, advice=advice)


def contradicts(marks: FileMarks, said: str) -> Problem:
    """Return in what a file's marks and its sealed record differ."""
    return Problem(
        kind=ProblemKind.MARKS_DIFFER,
        message=f"The marks of {marks.path.name} {said}.",
        advice="One of the two was rewritten: run `haikei ledger verify`, and compare "
        "with a checkpoint that left the building.",
    )


def broken(message: str) -> Problem:
    """Return that marks do not hold."""
    return Problem(
        kind=ProblemKind.MARKS_BROKEN,
        message=message,
        advice="Do not use it: ask its maker for the file as it was signed.",
    )


def differs(message: str) -> Problem:
    """Return that the ledger and what is read beside it are not alike."""
    return Problem(
        kind=ProblemKind.LEDGER_DIFFERS,
        message=message,
        advice="Run `haikei ledger verify`, and compare with a checkpoint outside.",
    )


def not_a_picture(message: str) -> Problem:
    """Return that a file cannot be read."""
    return Problem(
        kind=ProblemKind.UNREADABLE, message=message, advice="Ask its maker for a whole file."
    )
