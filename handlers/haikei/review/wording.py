"""What Haikei answers in the tracker, in English and Japanese."""

from collections.abc import Sequence

from haikei.jobs.instructions import Instructions
from haikei.jobs.job import JobState

_ENDED = {
    JobState.DEAD: ("could not be made", "作成できませんでした"),
    JobState.CANCELLED: ("was cancelled", "中止されました"),
    JobState.SKIPPED: ("was found not to be needed", "不要と判断されました"),
}


def made(code: str, instructions: Instructions, *, same_seed: bool) -> str:
    """Return the answer to a note for which a version was made."""
    understood = "; ".join(instructions.understood)
    seed = "" if same_seed else " Another seed. (シードは新規)"
    if understood:
        said = f"Understood (反映した内容): {understood}.{seed}"
    elif instructions.text:
        said = (
            "None of Haikei's own turns was recognised in the words; a model reads them as they "
            f"are. (調整として読み取れる言葉はありませんでした){seed}"
        )
    else:
        said = (
            "No words were given; what is drawn or attached is not read. "
            f"(言葉の指示はありませんでした。描き込みや添付は読み取りません){seed}"
        )
    return f"{code} is ready for review. (新しいバージョンができました)\n{said}"


def locked(code: str) -> str:
    """Return the answer to a note that came after the approval."""
    return (
        f"{code} is approved; set it to retake first, and this note counts. "
        "(承認済みです。先にリテイクに戻してください)"
    )


def reworded() -> str:
    """Return the answer to a note that was changed after a retake was ordered for it."""
    return (
        "This note was changed after it was acted on, and counts as it was. Write what is new as a "
        "Reply. (対応を始めた後の変更は反映されません。追加の指示は返信に書いてください)"
    )


def painted(code: str) -> str:
    """Return the answer to a note on a version that was painted by hand."""
    return (
        f"{code} was painted by hand, and Haikei paints over nobody's work: this note is for its "
        "artist. For a generated version, ask for a retake of a generated one. "
        "(手描きのバージョンです。修正は担当の方にお願いします)"
    )


def too_many(code: str, retakes: int) -> str:
    """Return the question that stands in place of one more retake."""
    return (
        f"{retakes} retakes of {code} were made already, the most that the studio allows "
        "(review.max_retakes). Shall an artist take over? Nothing more is generated until the "
        "limit is raised and another note written. (リテイクの上限に達しました。ご判断ください)"
    )


def no_job(code: str) -> str:
    """Return the question about a version that no job of ours has made."""
    return (
        f"No generated version of {code} is known here that a retake could go on from. What shall "
        "be done? (元になる生成ジョブが見つかりません。ご判断ください)"
    )


def ended(code: str, state: JobState, reason: str) -> str:
    """Return what is told of a retake that ended without a version."""
    en, ja = _ENDED[state]
    why = f" {reason}" if reason else ""
    return f"The retake of {code} {en}.{why} Another note begins a new one. (リテイクは{ja})"


def subject(codes: Sequence[str]) -> str:
    """Return the subject of a question."""
    return f"Haikei asks about {', '.join(codes)}"
