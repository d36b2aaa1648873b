"""
What is written into the tracker for a decision, and a version's review as pages show it.

Replies are kept in the transaction that decided, in English and Japanese; pages show what was
acted on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, select, update

from haikei.credits import people, printed_person
from haikei.database import inserting, jobs, reading, review_answers, reviews
from haikei.decisions import Decision
from haikei.errors import HaikeiError
from haikei.jobs.job import Instructions, JobState
from haikei.jobs.table import order_of, result_of
from haikei.presets import (
    PARTS,
    SUBJECTS,
    RegionChange,
    RegionChanged,
    Spot,
    change_text,
    spots_of,
    where_drawn,
    without_spots,
)
from haikei.review.notes import KeptNote, NoteState, notes_for, notes_of
from haikei.texts import Bilingual
from haikei.trackers import NoteWrite, ReplyWrite, ReviewDesk, ReviewWrite, StatusWrite

log = structlog.get_logger()

#: Seconds after which an answer that was begun and not noted is begun again.
LEASE = 120.0
#: Seconds before an answer is tried again, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 3600.0
_BATCH = 50
_columns = review_answers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingReply:
    """One change of the tracker, of one kind."""

    status: StatusWrite | None = None
    note: NoteWrite | None = None
    reply: ReplyWrite | None = None

    @property
    def write(self) -> ReviewWrite:
        """The change itself."""
        found = self.status or self.note or self.reply
        if found is None:
            message = "an answer without a change"
            raise ValueError(message)
        return found


_ANSWER = TypeAdapter(PendingReply)


def answer(connection: Connection, change: NoteWrite | ReplyWrite, now: datetime) -> None:
    """Ask that a Note or Reply be written, once for its key."""
    pending = (
        PendingReply(note=change) if isinstance(change, NoteWrite) else PendingReply(reply=change)
    )
    statement = inserting(connection, review_answers).on_conflict_do_nothing(index_elements=["key"])
    connection.execute(statement, _row(change.key, pending, now))


def set_status(connection: Connection, key: str, change: StatusWrite, now: datetime) -> None:
    """Ask that a status be set, instead of what was asked under this key before."""
    row = _row(key, PendingReply(status=change), now)
    statement = inserting(connection, review_answers)
    replaced = {name: value for name, value in row.items() if name != "key"}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={**replaced, "done_at": None}),
        row,
    )


def answered(connection: Connection, keys: Collection[str]) -> Mapping[str, str]:
    """Return the texts of Notes and Replies by their keys; keys of none are left out."""
    rows = connection.execute(
        select(_columns.key, _columns.payload).where(_columns.key.in_(list(keys)))
    )
    found: dict[str, str] = {}
    for row in rows:
        pending = _ANSWER.validate_json(row.payload)
        text = pending.note or pending.reply
        if text is not None:
            found[row.key] = text.text
    return found


def write_answers(database: Engine, desk: ReviewDesk, now: datetime) -> int:
    """Write what is due, the oldest first; return how many now stand."""
    written = 0
    for _ in range(_BATCH):
        taken = _take(database, now)
        if taken is None:
            break
        key, payload = taken
        try:
            desk.write(_ANSWER.validate_json(payload).write)
        except HaikeiError as error:
            log.warning("answer_not_written", answer=key, error=str(error))
            _put_off(database, key, now, error)
            if error.transient:
                break
            continue
        with database.begin() as connection:
            # Another payload under this key is a newer wish, which is still to be written.
            connection.execute(
                update(review_answers)
                .where(_columns.key == key, _columns.payload == payload)
                .values(done_at=now, error="")
            )
        log.info("answer_written", answer=key)
        written += 1
    return written


def _take(database: Engine, now: datetime) -> tuple[str, str] | None:
    due = _columns.done_at.is_(None) & (_columns.try_at <= now)
    query = select(review_answers).where(due).order_by(_columns.try_at, _columns.key).limit(1)
    with reading(database) as connection:
        if connection.execute(query).first() is None:
            return None
    with database.begin() as connection:
        row = connection.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        connection.execute(
            update(review_answers)
            .where(_columns.key == row.key)
            .values(try_at=now + timedelta(seconds=LEASE))
        )
        return row.key, row.payload


def _put_off(database: Engine, key: str, now: datetime, error: HaikeiError) -> None:
    with database.begin() as connection:
        attempts = connection.execute(
            select(_columns.attempts).where(_columns.key == key)
        ).scalar_one()
        pause = error.retry_after or min(FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE)
        connection.execute(
            update(review_answers)
            .where(_columns.key == key)
            .values(try_at=now + timedelta(seconds=pause), attempts=attempts + 1, error=str(error))
        )


def _row(key: str, pending: PendingReply, now: datetime) -> dict[str, object]:
    return {
        "key": key,
        "payload": _ANSWER.dump_json(pending).decode(),
        "try_at": now,
        "attempts": 0,
        "error": "",
    }


_ENDED = {
    JobState.DEAD: ("could not be made", "作成できませんでした"),
    JobState.CANCELLED: ("was cancelled", "中止されました"),
    JobState.SKIPPED: ("was found not to be needed", "不要と判断されました"),
}


def taken(code: str, instructions: Instructions, *, another_seed: bool, japanese: bool) -> str:
    """Return the first answer to a note: what is done, handed to a model, and cannot be done."""
    lines = [
        _say(
            f"{code} is being made again.",
            f"{code} のリテイクを作成しています。",
            japanese=japanese,
        )
    ]
    if instructions.asked:
        lines.append(_listed("I will", "変更します", instructions.asked, japanese=japanese))
    lines += _not_by_us(instructions, japanese=japanese)
    if another_seed:
        lines.append(_say("Another seed.", "シードを変えます。", japanese=japanese))
    elif instructions.asked:
        lines.append(
            _say(
                "The seed stays, and with it what nobody mentioned.",
                "シードは同じです。触れていない所はそのままです。",
                japanese=japanese,
            )
        )
    return "\n".join(lines)


def made(
    code: str,
    instructions: Instructions,
    changed: Sequence[RegionChanged],
    *,
    another_seed: bool,
    japanese: bool,
) -> str:
    """Return the answer to a note for which a version was made: what acted on how much of it."""
    lines = [
        _say(
            f"{code} is ready for review.",
            f"{code} ができました。ご確認ください。",
            japanese=japanese,
        )
    ]
    # What earlier retakes asked for acts again; the answer is about this one.
    acted = {one.change.aim: one for one in changed}
    wanted = {change_text(one): one.aim for one in instructions.changes}
    done: list[Bilingual] = []
    missing: list[Bilingual] = []
    for text in instructions.asked:
        found = acted.get(wanted[text]) if text in wanted else None
        if found is None:
            done.append(text)
        elif found.ppm:
            share = _share(found.ppm)
            done.append(
                Bilingual(f"{text.en} ({share} of the picture)", f"{text.ja}（画面の{share}）")
            )
        else:
            missing.append(_named(found.change))
    if done:
        lines.append(_listed("Done", "反映しました", done, japanese=japanese))
    lines += [
        _say(
            f"I see no {one.en} in this layout: nothing was changed for that.",
            f"この原図に{one.ja}は見つかりませんでした。そこは変わっていません。",
            japanese=japanese,
        )
        for one in dict.fromkeys(missing)
    ]
    lines += _not_by_us(instructions, japanese=japanese)
    if not instructions.text:
        lines.append(
            _say(
                "No words were given; what is drawn or attached is not read.",
                "言葉の指示はありませんでした。描き込みや添付は読み取りません。",
                japanese=japanese,
            )
        )
    if another_seed:
        lines.append(_say("Another seed.", "シードは新規です。", japanese=japanese))
    return "\n".join(lines)


def not_read(instructions: Instructions, *, japanese: bool) -> str:
    """Return the question to a note of which nothing can be made."""
    lines: list[str] = []
    if instructions.cannot:
        lines += _not_by_us(instructions, japanese=japanese)
    lines.append(
        _say(
            "I read nothing in this note that I could change, so no version is made. What shall be "
            "changed, where, and how? For example: “the roof dark red”, “remove the power lines on "
            "the left”, “the sky 20 % brighter”.",
            "このノートから変更内容を読み取れなかったため、新しいバージョンは作成していません。何を、どこで、どう変えますか？"
            "例：「屋根を濃い赤に」「左の電線を消して」「空を20%明るく」",
            japanese=japanese,
        )
    )
    return "\n".join(lines)


def _not_by_us(instructions: Instructions, *, japanese: bool) -> list[str]:
    lines: list[str] = []
    if instructions.handed:
        lines.append(
            _listed(
                "Handed to the model as text",
                "モデルに文章で渡します",
                instructions.handed,
                japanese=japanese,
            )
        )
    if instructions.cannot:
        lines.append(
            _listed(
                "I can't do, or did not understand",
                "対応できない・読み取れない内容",
                instructions.cannot,
                japanese=japanese,
            )
        )
    return lines


def _listed(en: str, ja: str, items: Sequence[Bilingual], *, japanese: bool) -> str:
    if japanese:
        return f"{ja}：{'、'.join(item.ja for item in items)}。"
    return f"{en}: {'; '.join(item.en for item in items)}."


def _say(en: str, ja: str, *, japanese: bool) -> str:
    return ja if japanese else en


def _named(change: RegionChange) -> Bilingual:
    """Return what a change looked for: "roof on the left"."""
    subject = SUBJECTS[change.subject]
    if change.within:
        where = where_drawn(change.within)
        subject = Bilingual(f"{subject.en} {where.en}", f"{where.ja}の{subject.ja}")
    if not change.parts:
        return subject
    parts = [PARTS[part] for part in change.parts]
    return Bilingual(
        f"{subject.en} ({', '.join(part.en for part in parts)})",
        f"{'・'.join(part.ja for part in parts)}の{subject.ja}",
    )


def _share(ppm: int) -> str:
    percent = ppm / 10_000
    return "<0.1 %" if percent < 0.1 else f"{percent:.1f} %"


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
    """Return the answer to a note on a version that came from an artist, with whatever tools."""
    return (
        f"{code} is an artist's own, and Haikei paints over nobody's work: this note is for its "
        "artist. For a generated version, ask for a retake of a generated one. "
        "(作画担当者によるバージョンです。修正は担当の方にお願いします)"
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
    """Return the reply about a retake that ended without a version."""
    en, ja = _ENDED[state]
    why = f" {reason}" if reason else ""
    return f"The retake of {code} {en}.{why} Another note begins a new one. (リテイクは{ja})"


def artist_named(name: str) -> str:
    """Return the answer to who named a layout's artist, then and whenever it is named again."""
    return (
        f"{name} is recorded as the layout's artist, and the credits say so. Where that is wrong, "
        f"declare a correction. (原図担当者として記録済みです：{name})"
    )


def artist_unknown() -> str:
    """Return the answer to a reply that names nobody whom we know."""
    return (
        "This names nobody in the register of credits, or several people. Reply with the artist's "
        "name or id alone, such as HumanUser:12. (氏名またはIDのみを返信してください)"
    )


def subject(codes: Sequence[str]) -> str:
    """Return the subject of a question."""
    return f"Haikei asks about {', '.join(codes)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """One Note or Reply, and what was answered."""

    id: str
    author: str  #: as credits print the name; empty when nobody is known
    text: str
    state: NoteState
    answer: str  #: empty: none yet
    written_at: datetime

    @property
    def words(self) -> str:
        """What was written, without the places that were drawn."""
        return without_spots(self.text)

    @property
    def spots(self) -> tuple[Spot, ...]:
        """The places that were drawn for it."""
        return spots_of(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetakeView:
    """One retake that notes on the version led to."""

    job: str  #: its key
    state: JobState
    code: str  #: the new version's name; empty until it stands
    url: str
    understood: tuple[str, ...]
    error: str
    ordered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """What was decided about a version, and what came of it."""

    decision: Decision
    decided_by: str  #: as credits print the name; empty when nobody is known
    decided_at: datetime | None
    notes: tuple[NoteView, ...]  #: oldest first
    retakes: tuple[RetakeView, ...]  #: oldest first
    asked: tuple[NoteView, ...] = ()  #: what this version was made for, on versions before it


def review_of(connection: Connection, background_key: str) -> ReviewView:
    """Return the review of a version; an empty one when nobody has decided or written anything."""
    row = connection.execute(
        select(reviews).where(reviews.c.background_key == background_key)
    ).first()
    asked = notes_for(connection, background_key)
    if row is None:
        return ReviewView(
            decision=Decision.NONE,
            decided_by="",
            decided_at=None,
            notes=(),
            retakes=(),
            asked=_views(connection, asked),
        )
    notes = notes_of(connection, row.version_id)
    known = people.look_up(connection, {row.decided_by})
    names = {id_: printed_person(person).en for id_, person in known.items()}
    here = {note.id for note in notes}
    return ReviewView(
        decision=Decision(row.decision or Decision.NONE.value),
        decided_by=names.get(row.decided_by, ""),
        decided_at=row.decided_at,
        notes=_views(connection, notes),
        retakes=tuple(_retakes(connection, notes)),
        asked=_views(connection, [note for note in asked if note.id not in here]),
    )


def _views(connection: Connection, notes: Sequence[KeptNote]) -> tuple[NoteView, ...]:
    known = people.look_up(connection, {note.author for note in notes})
    names = {id_: printed_person(person).en for id_, person in known.items()}
    answers = answered(connection, {key for note in notes for key in _answer_keys(note)})
    return tuple(
        NoteView(
            id=note.id,
            author=names.get(note.author, ""),
            text=note.text,
            state=note.state,
            answer=next((answers[key] for key in _answer_keys(note) if key in answers), ""),
            written_at=note.written_at,
        )
        for note in notes
        if not note.is_decision
    )


def _retakes(connection: Connection, notes: Sequence[KeptNote]) -> list[RetakeView]:
    keys = {note.job for note in notes if note.job}
    rows = connection.execute(select(jobs).where(jobs.c.key.in_(keys)).order_by(jobs.c.id))
    views: list[RetakeView] = []
    for row in rows.all():
        order, result = order_of(row.order_json), result_of(row.result_json)
        views.append(
            RetakeView(
                job=row.key,
                state=JobState(row.state),
                code=result.version.name if result else "",
                url=result.url if result else "",
                understood=order.retake.instructions.understood if order.retake else (),
                error=row.error,
                ordered_at=row.created_at,
            )
        )
    return views


def _answer_keys(note: KeptNote) -> tuple[str, ...]:
    """Return the keys of what may have been answered to a note, the latest answer first."""
    keys: list[str] = []
    if note.job and note.thread is not None:
        keys += [f"done/{note.job}/{note.thread}", f"taken/{note.job}/{note.thread}"]
    if note.state is not NoteState.WAITING:
        keys += [f"unread/{note.id}", f"painted/{note.id}", f"locked/{note.id}"]
    return tuple(keys)
