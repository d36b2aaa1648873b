"""How a report says how something is known, and what to do about what is not recorded."""

from haikei.credits import Grade, Scope, StatementKind
from haikei.reports.document import Badge, Item, Lines, Tone
from haikei.reports.words import Text, Words

MEASURED = Badge(Words("measured", "測定"), Tone.SOLID)
LOGGED = Badge(Words("logged", "自動記録"), Tone.OUTLINE)
DECLARED = Badge(Words("declared", "申告"), Tone.DASHED)
NOT_RECORDED = Badge(Words("not recorded", "記録なし"), Tone.DASHED)
#: The sentence under every report that tells the three apart.
KNOWN_NOTE = Words(
    "Measured: computed from the files by a named method. Logged: written by a machine when it "
    "happened. Declared: said by a person, who answers for it. Not recorded: nobody knows from "
    "these records, and nothing is guessed.",
    "測定：名前のある方法でファイルから計算したもの。自動記録：その時点で機械が書いたもの。申告：本人が責任を"
    "もって述べたもの。記録なし：この記録からはわからず、推測もしません。",
)
#: What every report for a legal purpose says of itself.
COUNSEL_NOTE = Words(
    "This report collects records. It is no legal advice: counsel decides what follows from them.",
    "本書は記録をまとめたものであり、法的助言ではありません。判断は法律の専門家にご確認ください。",
)
_GRADES = {Grade.MEASURED: MEASURED, Grade.LOGGED: LOGGED, Grade.DECLARED: DECLARED}


def grade(known: Grade) -> Badge:
    """Return the badge of a grade."""
    return _GRADES[known]


def not_recorded(how: Text) -> Lines:
    """Return what stands in place of a fact that nobody recorded, with how to record it."""
    return Lines((NOT_RECORDED, how))


def declare(kind: StatementKind, scope: Scope, *, shot: str = "", subject: str = "") -> Words:
    """Return the words that tell how to record a statement about a part of the show."""
    command = f"haikei credits declare {kind.value} --project {_quoted(scope.project)}"
    if scope.sequence:
        command += f" --sequence {_quoted(scope.sequence)}"
    if shot or scope.shot:
        command += f" --shot {_quoted(shot or scope.shot)}"
    if subject:
        command += f" --subject {_quoted(subject)}"
    return Words(f"Record it: {command} …", f"記録方法：{command} …")


def listed(items: tuple[Item, ...], badge: Badge) -> Lines:
    """Return several lines and, last, how they are known."""
    return Lines((*items, badge))


def _quoted(name: str) -> str:
    plain = name.replace("-", "").replace("_", "").isalnum()
    return name if plain else "'" + name.replace("'", "'\\''") + "'"
