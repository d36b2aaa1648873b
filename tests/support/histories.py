"""
Random histories of a show, played through the jobs, and what must be said of them everywhere.

A history is a list of plain acts. `Show` plays them in a studio with real jobs, review, register
and ledger, and notes beside each who and what has a part in it: an oracle that knows the acts alone
and asks none of the code that it judges.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import text
from typing_extensions import override

from haikei.credits import BackgroundVersion, Person, SourceType, Statement, StatementKind
from haikei.credits import people as register
from haikei.credits.records import store
from haikei.credits.records.confirmations import (
    CreditAnswer,
    answer,
    decide_correction,
    open_corrections,
    works_of,
)
from haikei.credits.records.statements import declare
from haikei.database import reading, utc_now
from haikei.errors import CreditError, NothingPainted, PainterDisputed
from haikei.events import Source
from haikei.generators import StageOrder, StageSystem
from haikei.generators.production import Production
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import JobState, TouchUpOrder, add_job, job_row, order_of
from haikei.jobs.touchup import take_in
from haikei.presets import PAINTER_ABILITIES
from haikei.provenance.source_types import IPTC
from haikei.review import Reviewer, wake
from haikei.review.notes import KeptNote, NoteState
from haikei.review.retakes import ordered
from haikei.show import Place
from support.acts import (
    ALGORITHM,
    CAST,
    DECLARER,
    MODEL,
    PAINT_MODEL,
    PROJECT,
    SIGNS,
    Act,
    Answer,
    Approve,
    Convert,
    Erase,
    HandInAgain,
    Name,
    OptOut,
    Paint,
    Publish,
    Rename,
    Respell,
    Retake,
    called,
    member,
)
from support.jobs import (
    FlatGenerator,
    JobStudio,
    announce,
    announce_touch_up,
    put_layout,
    touch_up_event,
)
from support.signing import sign_raw

# What must be said ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one picture must be said to be: by whom in which role, with what, and how."""

    people: frozenset[tuple[str, int]]
    tool: str
    source: SourceType

    @property
    def with_ai(self) -> bool:
        return self.source in {SourceType.TRAINED, SourceType.COMPOSITE_TRAINED}


@dataclass(slots=True, kw_only=True)
class Take:
    """One version: its pictures, the layout first."""

    code: str
    steps: tuple[Step, ...]
    marked_names: Mapping[int, tuple[str, str]]  #: what the cast was called when it was marked
    marked: frozenset[tuple[str, int]]  #: who had a part then
    final: frozenset[tuple[str, int]]  #: in its own picture, then

    @property
    def people(self) -> frozenset[tuple[str, int]]:
        return frozenset(one for step in self.steps for one in step.people)

    @property
    def tools(self) -> frozenset[str]:
        return frozenset(step.tool for step in self.steps if step.tool)

    @property
    def source(self) -> SourceType:
        """What the whole is: a model's alone only where nothing but models and programs made it."""
        kinds = {step.source for step in self.steps}
        if not any(step.with_ai for step in self.steps):
            # What nobody declared of a touch-up below is not declared of what stands on it.
            unsaid = any(step.source is SourceType.NOT_DECLARED for step in self.steps[1:])
            return SourceType.NOT_DECLARED if unsaid else self.steps[-1].source
        alone = kinds <= {SourceType.TRAINED, SourceType.ALGORITHMIC}
        return SourceType.TRAINED if alone else SourceType.COMPOSITE_TRAINED

    @property
    def with_ai(self) -> bool:
        return any(step.with_ai for step in self.steps)


@dataclass(slots=True, kw_only=True)
class Cut:
    """One cut with its versions, and what is needed to go on with it."""

    shot: str
    trained: bool
    artists: tuple[int, ...]  #: of its layout, as the tracker names them
    job: str
    takes: list[Take] = field(default_factory=list[Take])
    touch_up: TouchUpOrder | None = None  #: the newest that was taken in
    touched: int = -1  #: which of the versions it became
    is_open: bool = False  #: nobody has answered yet who drew the layout
    was_asked: bool = False


@dataclass(slots=True)
class _Painter(FlatGenerator):
    """A flat generator whose name tells whether it is a model."""

    @override
    def describe(self, stage: StageOrder) -> StageSystem:
        told = FlatGenerator.describe(self, stage)
        name, _, version = (MODEL if self.source_type.is_ai else ALGORITHM).rpartition(" ")
        return replace(told, system=replace(told.system, name=name, version=version))


class Show:
    """A studio in which a history is played, and what must be said of it."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.folder = folder
        self.studio = JobStudio(folder)
        stack.callback(self.studio.database.dispose)
        stack.callback(self.studio.tools.close)
        self.generator = _Painter()
        self.studio.generator = self.generator
        self.studio.tools.production = Production(
            self.studio.settings, generators={"flat": self.generator}
        )
        for number in range(CAST):
            self.studio.tracker.add_person(member(number), f"login{number}")
        self.cuts: list[Cut] = []
        self.renamed = dict.fromkeys(range(CAST), 0)
        self.respelt = dict.fromkeys(range(CAST), 0)  #: as the tracker spells them
        self.known_as = dict.fromkeys(range(CAST), 0)  #: as the register does
        self.confirmed: set[tuple[str, str, int]] = set()  #: image, role and person
        self.disowned: set[tuple[str, str, int]] = set()
        self.withheld: set[int] = set()
        self.erased: set[int] = set()
        self.decided = False  #: somebody's name was changed or withheld
        self.acts = 0
        self.reports = 0

    # Playing ------------------------------------------------------------------------------------

    def play(self, acts: Iterable[Act]) -> None:
        """Play acts; those about a cut that is not there are about the last one."""
        for act in acts:
            self.acts += 1
            match act:
                case Publish():
                    self._publish(act)
                case Paint():
                    self._paint(self._cut(act.cut), act)
                case HandInAgain():
                    self._hand_in_again(self._cut(act.cut), act)
                case Retake():
                    self._retake(self._cut(act.cut), act)
                case Approve():
                    self._approve(self._cut(act.cut), act)
                case Rename() | OptOut() | Erase():
                    self._decide(act)
                case Name():
                    self._name(self._cut(act.cut), act)
                case Convert():
                    self._convert(self._cut(act.cut), act)
                case Respell():
                    self.respelt[act.person] += 1
                    self.studio.tracker.add_person(self.member(act.person), f"login{act.person}")
                case Answer():
                    self._answer(act)

    def _cut(self, number: int) -> Cut:
        """Return a cut, whose own artists the tracker names from now on."""
        cut = self.cuts[min(number, len(self.cuts) - 1)]
        self._assign(cut)
        return cut

    def _assign(self, cut: Cut) -> None:
        assigned = tuple(map(self.member, cut.artists))
        asked = assigned if cut.was_asked else ()
        self.studio.tracker.artists = () if asked else assigned
        self.studio.tracker.candidates = asked

    def member(self, number: int) -> Person:
        """Return somebody as the tracker has them today."""
        return member(number, self.respelt[number])

    def _noted(self, *numbers: int) -> None:
        """Let the register take the tracker's spelling, as somebody is named anew."""
        for number in numbers:
            if self.known_as[number] != self.respelt[number]:
                self.known_as[number] = self.respelt[number]
                self.decided = True

    def shown_as(self, number: int) -> tuple[str, str]:
        """Return what credits call somebody today, who may be named."""
        renamed = self.renamed[number]
        return called(number, renamed, 0 if renamed else self.known_as[number])

    def ever_called(self, number: int) -> list[tuple[str, str]]:
        """Return each name that somebody ever had, or could get next."""
        renames = [called(number, one) for one in range(self.renamed[number] + 2)]
        return [*renames, *(called(number, 0, one) for one in range(self.respelt[number] + 2))]

    def names(self) -> dict[int, tuple[str, str]]:
        """Return what those are called now who want to be named."""
        return {
            number: self.shown_as(number) for number in range(CAST) if number not in self.withheld
        }

    @property
    def takes(self) -> tuple[Take, ...]:
        """All versions."""
        return tuple(take for cut in self.cuts for take in cut.takes)

    def version(self, take: Take) -> BackgroundVersion:
        """Return the record of a version."""
        with reading(self.studio.database) as connection:
            found = store.by_code(connection, take.code)
        assert found is not None, take.code
        return found

    def file(self, take: Take) -> Path:
        """Return where a version's file stands."""
        return self.studio.settings.storage.roots[0].path / self.version(take).final.path

    def _take(self, cut: Cut, steps: tuple[Step, ...]) -> Take:
        take = Take(
            code=f"{cut.shot}_bg_summer_day_v{len(cut.takes) + 1:03d}",
            steps=steps,
            marked_names=self.names(),
            marked=frozenset(one for step in steps for one in step.people),
            final=steps[-1].people,
        )
        cut.takes.append(take)
        self.version(take)
        return take

    def _publish(self, act: Publish) -> None:
        shot = f"c{len(self.cuts) + 1:03d}"
        if act.declared:
            self._declare(shot)
        event = put_layout(self.studio.settings, shot, size=(240, 160))
        drawn = np.random.default_rng(len(self.cuts)).uniform(0.2, 1.0, (20, 30, 3))
        pixels = np.repeat(np.repeat(drawn.astype(np.float32), 8, axis=0), 8, axis=1)
        write_picture(Picture(pixels=pixels), event.layout, bits=8)
        content = event.layout.read_bytes()
        if act.sign == "c2pa":
            signed = self.folder / f"signed-{self.acts}.png"
            trained = f"{IPTC}{SourceType.TRAINED.value}"
            sign_raw(event.layout, signed, self.studio.tools.marks(), source_type=trained)
            content = signed.read_bytes()
        elif act.sign:
            content = _with_text(content, *SIGNS[act.sign][:2])
        asked = act.asked and len(act.artists) > 1
        source = SourceType.DIGITAL_CREATION if act.declared else SourceType.NOT_DECLARED
        cut = Cut(
            shot=shot, trained=act.trained, artists=act.artists, job="", is_open=asked,
            was_asked=asked,
        )  # fmt: skip
        self._assign(cut)
        self.studio.tracker.logins = ()
        self._noted(*act.artists)
        self._generate_with(trained=act.trained)
        announce(self.studio.database, self.studio.replace_layout(event, content))
        self.studio.work()
        drew = () if asked else act.artists
        layout = Step(
            people=frozenset(("genzu", artist) for artist in drew),
            tool=SIGNS[act.sign][2] if act.sign else "",
            source=SourceType.TRAINED if act.sign else source,
        )
        cut.job = self.studio.key
        self.cuts.append(cut)
        self._take(cut, (layout, *_generated(cut, ())))

    def _declare(self, shot: str) -> None:
        with self.studio.database.begin() as connection:
            declare(
                connection,
                Statement(
                    key=f"drawn/{shot}", kind=StatementKind.HAND_DRAWN, project=PROJECT,
                    sequence="s01", shot=shot, image_sha256="", by=DECLARER, to="", subject="",
                    answer="yes", text="Drawn with a tablet.", reference="",
                    at=datetime(2026, 1, 1, tzinfo=UTC),
                ),
            )  # fmt: skip

    def _generate_with(self, *, trained: bool) -> None:
        self.generator.source_type = SourceType.TRAINED if trained else SourceType.ALGORITHMIC

    def _paint(self, cut: Cut, act: Paint) -> None:
        before = cut.takes[-1]
        pixels = read_picture(self.file(before)).pixels.copy()
        _brush(pixels, act.share, seed=self.acts)
        file = self.folder / f"painted-{self.acts}.png"
        write_picture(Picture(pixels=pixels), file)
        if act.comfyui:
            name, workflow, _ = SIGNS["comfyui"]
            # Each run has a seed of its own, so that it is no text that came along with the parent.
            workflow = workflow.replace(b"{", b'{"seed": %d, ' % self.acts, 1)
            file.write_bytes(_with_text(file.read_bytes(), name, workflow))
        order = TouchUpOrder(
            file=file,
            of=before.code,
            artists=tuple(map(self.member, act.artists)),
            reason="Grain by hand." if act.insist else "",
            by_hand=member(act.artists[0]).id if act.by_hand else "",
        )
        if not act.share and not act.insist:
            # Somebody else's touch-up that is only saved anew is disputed, not converted.
            with pytest.raises((NothingPainted, PainterDisputed)):
                take_in(order, self.studio.tools)
            return
        taken = take_in(order, self.studio.tools)
        self._noted(*act.artists)
        people = frozenset(("touch_up", artist) for artist in act.artists)
        said = SourceType.HUMAN_EDITS if act.by_hand else SourceType.NOT_DECLARED
        model = SourceType.COMPOSITE_TRAINED
        step = Step(
            people=people,
            tool=PAINT_MODEL if act.comfyui else "",
            source=model if act.comfyui else said,
        )
        take = self._take(cut, (*before.steps, step))
        assert taken.code == take.code
        cut.touch_up, cut.touched = order, len(cut.takes) - 1

    def _hand_in_again(self, cut: Cut, act: HandInAgain) -> None:
        if cut.touch_up is None:
            return
        take = cut.takes[cut.touched]
        order = replace(
            cut.touch_up,
            artists=(self.member(act.artist),),
            reason="We painted it together." if act.insist else "",
        )
        known = ("touch_up", act.artist) in take.steps[-1].people
        if not known and not act.insist:
            with pytest.raises(PainterDisputed):
                take_in(order, self.studio.tools)
            return
        take_in(order, self.studio.tools)
        if not known:
            self._noted(act.artist)
        self._join(cut, take, len(take.steps) - 1, ("touch_up", act.artist))

    def _join(self, cut: Cut, take: Take, place: int, *who: tuple[str, int]) -> None:
        """Let somebody have a part in a version's picture, and so in all that was made of it."""
        before = take.steps[place]
        self._replace(cut, place, before, replace(before, people=before.people | {*who}))

    def _replace(self, cut: Cut, place: int, before: Step, after: Step) -> None:
        for other in cut.takes:
            if len(other.steps) > place and other.steps[place] is before:
                other.steps = (*other.steps[:place], after, *other.steps[place + 1 :])

    def _convert(self, cut: Cut, act: Convert) -> None:
        file = self.folder / f"saved-{self.acts}.tif"
        write_picture(read_picture(self.file(cut.takes[-1])), file, bits=act.bits)
        artist = self.member(act.artist) if act.known else None
        event = touch_up_event(
            file,
            artist=artist,
            artist_name="" if act.known else "xyz_nobody",
            versions=(self.version(cut.takes[-1]).tracker_id or 0,),
            place=Place(project=PROJECT, sequence="s01", shot=cut.shot),
        )
        announce_touch_up(self.studio, event)
        job = self.studio.store.get(event.key)
        # A touch-up of somebody else's that is only saved anew is asked about.
        assert job.state in {JobState.SKIPPED, JobState.DEAD}, job
        assert job.state is JobState.SKIPPED or "PainterDisputed" in job.error_kind, job

    def _name(self, cut: Cut, act: Name) -> None:
        if not cut.is_open:
            return
        review = self.studio.tracker.review
        row, question = next(
            (row, note.id)
            for take in cut.takes
            for row in [self.version(take).tracker_id or 0]
            for note in review.versions[row].notes
            if note.reply_to is None and "Who drew the layout?" in note.text
        )
        review.note(row, member(act.artist).id, self.member(act.by), reply_to=question)
        self._review(row)
        with reading(self.studio.database) as connection:
            if member(act.artist).id not in {one.id for one in register.everyone(connection)}:
                return  # whom nobody registered is nobody whom a reply can name
        self._noted(act.by)
        cut.is_open = False
        self._join(cut, cut.takes[0], 0, ("genzu", act.artist))

    def _review(self, row: int) -> None:
        with self.studio.database.begin() as connection:
            wake(connection, [row], source=Source.EVENT_LOG)
        Reviewer(
            self.studio.settings,
            self.studio.database,
            open_tracker=self.studio.open_tracker,
            clock=lambda: utc_now() + timedelta(seconds=1),
        ).tick()

    def _answer(self, act: Answer) -> None:
        who, now = member(act.person).id, utc_now()
        with self.studio.database.begin() as connection:
            works = works_of(connection, PROJECT, who)
            if not works:
                return
            until = now + timedelta(days=9)
            asked = register.ask(
                connection, person=who, project=PROJECT, way="print", at=now, until=until
            )
            denied = works[-1] if act.deny else None
            no = frozenset() if denied is None else frozenset({denied.name})
            answer(connection, asked, works, CreditAnswer(not_me=no), now)
            if denied is not None and act.accept:
                *_, said = open_corrections(connection, PROJECT)
                decide_correction(
                    connection, said, accept=True, by=DECLARER, reason="So it was.", at=now
                )
        about = {(one.image.sha256, one.role.value, act.person) for one in works}
        told = (denied.image.sha256, denied.role.value, act.person) if denied else None
        self.confirmed = (self.confirmed | about) - {told}
        if told and act.accept:
            self.decided = True
            self._disown(*told)

    def _disown(self, sha256: str, role: str, who: int) -> None:
        for cut in self.cuts:
            versions = [(take, self.version(take).images) for take in cut.takes]
            family = role == "genzu" and any(
                image.sha256 == sha256 for _, images in versions for image in images
            )
            for take, images in versions:
                for place, image in enumerate(images):
                    before = take.steps[place]
                    if image.sha256 == sha256 or (family and not place):
                        self.disowned.add((image.sha256, role, who))
                        left = replace(before, people=before.people - {(role, who)})
                        self._replace(cut, place, before, left)

    def _retake(self, cut: Cut, act: Retake) -> None:
        self._generate_with(trained=cut.trained)
        asker = self.member(act.by)
        with self.studio.database.begin() as connection:
            note = KeptNote(
                id=f"Note:{self.acts}", version=1, author=asker.id, text="less green",
                state=NoteState.WAITING, job="", written_at=utc_now(), seen_at=utc_now(),
            )  # fmt: skip
            query = text("SELECT order_json FROM jobs WHERE key = :key")
            before = order_of(connection.execute(query, {"key": cut.job}).scalar_one())
            register.note(connection, asker)
            authors = register.look_up(connection, {asker.id})
            order = ordered(before, cut.takes[-1].code, [note], authors, PAINTER_ABILITIES)
            add_job(connection, job_row(order, utc_now()))
        self.studio.work()
        self._noted(act.by, *self._read_anew(cut))
        cut.job = order.key
        self._take(cut, (cut.takes[-1].steps[0], *_generated(cut, (("retake", act.by),))))

    @staticmethod
    def _read_anew(cut: Cut) -> tuple[int, ...]:
        """Return whom a retake reads from the tracker again, as it spells them by now."""
        if cut.was_asked:
            return cut.artists if cut.is_open else ()
        drew = cut.takes[0].steps[0].people
        return tuple(artist for artist in cut.artists if ("genzu", artist) in drew)

    def _approve(self, cut: Cut, act: Approve) -> None:
        take = cut.takes[-1]
        row = self.version(take).tracker_id
        assert row is not None
        review = self.studio.tracker.review
        if review.versions[row].status == "apr":
            return
        review.set_status(row, "apr", self.member(act.by))
        self._review(row)
        self._noted(act.by)
        self._join(cut, take, len(take.steps) - 1, ("approval", act.by))

    def _decide(self, act: Rename | OptOut | Erase) -> None:
        who, person = act.person, member(act.person)
        with self.studio.database.begin() as connection:
            try:
                match act:
                    case Rename():
                        name, name_ja = called(who, self.renamed[who] + 1)
                        register.rename(connection, person.id, name=name, name_ja=name_ja)
                        self.renamed[who] += 1
                    case OptOut():
                        register.opt_out(connection, person.id, "letter of 2026-10-02")
                        self.withheld.add(who)
                    case Erase():
                        register.erase(connection, person.id, "letter of 2026-10-03")
                        self.withheld.add(who)
                        self.erased.add(who)
            except CreditError:
                # Who did nothing is in no register; who was erased gets no name again.
                active = {one for take in self.takes for _, one in take.people}
                assert who not in active or who in self.erased
            else:
                self.decided = True


def _generated(cut: Cut, final: tuple[tuple[str, int], ...]) -> tuple[Step, Step]:
    tool = MODEL if cut.trained else ALGORITHM
    source = SourceType.TRAINED if cut.trained else SourceType.ALGORITHMIC
    first = Step(people=frozenset(), tool=tool, source=source)
    return first, replace(first, people=frozenset(final))


def _brush(pixels: npt.NDArray[np.float32], share: int, *, seed: int) -> None:
    """Paint over a share of a picture, in per cent: translucent, so that the drawing stays."""
    region = pixels[: -(-pixels.shape[0] * share // 100)]
    towards = np.random.default_rng(seed).uniform(0.0, 1.0, 3).astype(np.float32)
    towards[seed % 3] = 0.0 if region.size and region[..., seed % 3].mean() > 0.5 else 1.0
    region[:] = region * 0.5 + towards * 0.5


def _with_text(content: bytes, name: bytes, value: bytes) -> bytes:
    international = name.startswith(b"XML:")
    head = b"iTXt" + name + b"\0" * 5 if international else b"tEXt" + name + b"\0"
    body = head + value
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:33] + chunk + content[33:]
