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
from hypothesis import strategies as st
from sqlalchemy import text
from typing_extensions import override

from haikei.credits import BackgroundVersion, Person, SourceType, Statement, StatementKind
from haikei.credits import people as register
from haikei.credits.records import store
from haikei.credits.records.statements import declare
from haikei.database import reading, utc_now
from haikei.errors import CreditError, NothingPainted, PainterDisputed
from haikei.events import Source
from haikei.generators import StageOrder, StageSystem
from haikei.generators.production import Production
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import TouchUpOrder, add_job, job_row, order_of
from haikei.jobs.touchup import take_in
from haikei.presets import PAINTER_ABILITIES
from haikei.provenance.source_types import IPTC
from haikei.review import Reviewer, wake
from haikei.review.notes import KeptNote, NoteState
from haikei.review.retakes import ordered
from support.jobs import FlatGenerator, JobStudio, announce, put_layout
from support.signing import sign_raw

PROJECT = "PORT"
_FAMILIES = (
    ("Amamiya", "雨宮"), ("Kujo", "九条"), ("Saionji", "西園寺"),
    ("Tokitou", "時任"), ("Mizuhara", "水原"), ("Onizuka", "鬼塚"),
)  # fmt: skip
_GIVEN = (
    ("Haru", "春"),
    ("Natsuki", "夏樹"),
    ("Akito", "秋斗"),
    ("Fuyumi", "冬美"),
    ("Shiki", "四季"),
)
CAST = len(_FAMILIES)
MODEL, ALGORITHM = "Kumo Net 2", "Kumo Brush 1"
WITHHELD = "(name withheld at the artist's request)"
_A1111 = b"harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7, Model: sd_xl_base, Version: v1.9.4"
_COMFY = b'{"3":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"dream.safetensors"}}}'
_IPTC = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/'
    b'2008-02-29/"><Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/'
    b"trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType><Iptc4xmpExt:AISystemUsed>Kasumi"
    b"</Iptc4xmpExt:AISystemUsed><Iptc4xmpExt:AISystemVersionUsed>7</Iptc4xmpExt:"
    b"AISystemVersionUsed></rdf:Description></rdf:RDF></x:xmpmeta>"
)
#: What a layout tells of itself: the text in its PNG, and the tool that this means.
SIGNS: Mapping[str, tuple[bytes, bytes, str]] = {
    "iptc": (b"XML:com.adobe.xmp", _IPTC, "Kasumi 7"),
    # Signed by another program, whose claim names a source type and no model.
    "c2pa": (b"", b"", "Trained model without a name"),
    "a1111": (b"parameters", _A1111, "Stable Diffusion WebUI with sd_xl_base v1.9.4"),
    "comfyui": (b"prompt", _COMFY, "ComfyUI with dream"),
}
DECLARER = Person(id="HumanUser:90", name="Rika Legal", name_ja="法務里香")


def called(number: int, renamed: int = 0) -> tuple[str, str]:
    """Return what somebody of the cast is called after so many renames, in both scripts."""
    (family, family_ja), (given, given_ja) = _FAMILIES[number], _GIVEN[renamed % len(_GIVEN)]
    return f"{given} {family}", f"{family_ja}{given_ja}"


def member(number: int) -> Person:
    """Return somebody of the cast as the tracker knows them."""
    name, name_ja = called(number)
    return Person(id=f"HumanUser:{100 + number}", name=name, name_ja=name_ja)


# The acts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A layout of a new cut lands, and a background is made of it."""

    artists: tuple[int, ...]
    sign: str  #: of `SIGNS`; empty for none
    declared: bool  #: somebody has declared that the cut is drawn by hand
    trained: bool  #: a trained model makes the background, and no algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """A file comes back that was painted over the newest version of a cut, or only saved."""

    cut: int
    artists: tuple[int, ...]
    share: int  #: of the area, in per cent; 0 is an untouched copy in another file
    insist: bool  #: with a declared reason
    by_hand: bool = False  #: its first artist declares that it was made by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class HandInAgain:
    """Somebody hands in the very file of the newest touch-up, as their own."""

    cut: int
    artist: int
    insist: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retake:
    """Somebody asks for other pictures of the same layout."""

    cut: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Somebody sets the newest version of a cut to approved in the tracker."""

    cut: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Somebody is called otherwise from now on."""

    person: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Somebody does not want to be named any more."""

    person: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """Somebody wants their name erased."""

    person: int


Act = Publish | Paint | HandInAgain | Retake | Approve | Rename | OptOut | Erase

_PERSON = st.integers(0, CAST - 1)
_ONE_OR_TWO = st.lists(_PERSON, min_size=1, max_size=2, unique=True).map(tuple)
_CUT = st.integers(0, 1)
_PUBLISH = st.builds(
    Publish,
    artists=_ONE_OR_TWO,
    sign=st.sampled_from(("", "", *SIGNS)),
    declared=st.booleans(),
    trained=st.booleans(),
)
_SHARE = st.sampled_from((0, 0, 1, 100)) | st.integers(2, 99)
_ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(
        Paint,
        cut=_CUT,
        artists=_ONE_OR_TWO,
        share=_SHARE,
        insist=st.booleans(),
        by_hand=st.booleans(),
    ),
    st.builds(
        Paint,
        cut=_CUT,
        artists=_ONE_OR_TWO,
        share=_SHARE,
        insist=st.just(False),
        by_hand=st.booleans(),
    ),
    st.builds(HandInAgain, cut=_CUT, artist=_PERSON, insist=st.booleans()),
    st.builds(Retake, cut=_CUT, by=_PERSON),
    st.builds(Approve, cut=_CUT, by=_PERSON),
    st.builds(Rename, person=_PERSON),
    st.builds(OptOut, person=_PERSON),
    st.builds(Erase, person=_PERSON),
)


def histories(*, most: int) -> st.SearchStrategy[list[Act]]:
    """Return histories of one or two cuts with up to so many further acts."""

    def joined(cuts: list[Publish], acts: list[Act]) -> list[Act]:
        return [*cuts, *acts]

    first = st.lists(_PUBLISH, min_size=1, max_size=2)
    return st.builds(joined, first, st.lists(_ACTS, max_size=most))


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

    def _cut(self, number: int) -> Cut:
        """Return a cut, whose own artists the tracker names from now on."""
        cut = self.cuts[min(number, len(self.cuts) - 1)]
        self.studio.tracker.artists = tuple(map(member, cut.artists))
        return cut

    def names(self) -> dict[int, tuple[str, str]]:
        """Return what those are called now who want to be named."""
        return {
            number: called(number, self.renamed[number])
            for number in range(CAST)
            if number not in self.withheld
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
        self.studio.tracker.artists = tuple(map(member, act.artists))
        self.studio.tracker.logins = ()
        self._generate_with(trained=act.trained)
        announce(self.studio.database, self.studio.replace_layout(event, content))
        self.studio.work()
        source = SourceType.DIGITAL_CREATION if act.declared else SourceType.NOT_DECLARED
        layout = Step(
            people=frozenset(("genzu", artist) for artist in act.artists),
            tool=SIGNS[act.sign][2] if act.sign else "",
            source=SourceType.TRAINED if act.sign else source,
        )
        cut = Cut(shot=shot, trained=act.trained, artists=act.artists, job=self.studio.key)
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
        order = TouchUpOrder(
            file=file,
            of=before.code,
            artists=tuple(map(member, act.artists)),
            reason="Grain by hand." if act.insist else "",
            by_hand=member(act.artists[0]).id if act.by_hand else "",
        )
        if not act.share and not act.insist:
            # Somebody else's touch-up that is only saved anew is disputed, not converted.
            with pytest.raises((NothingPainted, PainterDisputed)):
                take_in(order, self.studio.tools)
            return
        taken = take_in(order, self.studio.tools)
        people = frozenset(("touch_up", artist) for artist in act.artists)
        said = SourceType.HUMAN_EDITS if act.by_hand else SourceType.NOT_DECLARED
        step = Step(people=people, tool="", source=said)
        take = self._take(cut, (*before.steps, step))
        assert taken.code == take.code
        cut.touch_up, cut.touched = order, len(cut.takes) - 1

    def _hand_in_again(self, cut: Cut, act: HandInAgain) -> None:
        if cut.touch_up is None:
            return
        take = cut.takes[cut.touched]
        order = replace(
            cut.touch_up,
            artists=(member(act.artist),),
            reason="We painted it together." if act.insist else "",
        )
        known = ("touch_up", act.artist) in take.steps[-1].people
        if not known and not act.insist:
            with pytest.raises(PainterDisputed):
                take_in(order, self.studio.tools)
            return
        take_in(order, self.studio.tools)
        self._join(cut, take, ("touch_up", act.artist))

    def _join(self, cut: Cut, take: Take, who: tuple[str, int]) -> None:
        """Let somebody have a part in a version's picture, and so in all that was made of it."""
        place = len(take.steps) - 1
        before = take.steps[place]
        after = replace(before, people=before.people | {who})
        for other in cut.takes[cut.takes.index(take) :]:
            if len(other.steps) > place and other.steps[place] is before:
                other.steps = (*other.steps[:place], after, *other.steps[place + 1 :])

    def _retake(self, cut: Cut, act: Retake) -> None:
        self._generate_with(trained=cut.trained)
        asker = member(act.by)
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
        cut.job = order.key
        self._take(cut, (cut.takes[-1].steps[0], *_generated(cut, (("retake", act.by),))))

    def _approve(self, cut: Cut, act: Approve) -> None:
        take = cut.takes[-1]
        row = self.version(take).tracker_id
        assert row is not None
        review = self.studio.tracker.review
        if review.versions[row].status == "apr":
            return
        review.set_status(row, "apr", member(act.by))
        with self.studio.database.begin() as connection:
            wake(connection, [row], source=Source.EVENT_LOG)
        Reviewer(
            self.studio.settings,
            self.studio.database,
            open_tracker=self.studio.open_tracker,
            clock=lambda: utc_now() + timedelta(seconds=1),
        ).tick()
        self._join(cut, take, ("approval", act.by))

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
