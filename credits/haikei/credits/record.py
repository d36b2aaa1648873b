"""The record of one image, the version that images lead to, and what people state of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from haikei.credits.contribution import Contribution, Person, Role, SourceType, System
from haikei.decisions import ReviewState
from haikei.show import Place, part_name


class StatementKind(StrEnum):
    """What is stated."""

    INTENDED_USE = "intended_use"  #: the client was informed before AI was used
    CLIENT_APPROVAL = "client_approval"  #: the client agreed
    PRINCIPLE = "principle"  #: an answer to one of the client's guiding principles
    THIRD_PARTY_CHECK = "third_party_check"  #: similarity to others' works was looked for
    LIKENESS_CHECK = "likeness_check"  #: recognisable people were looked for
    DEEPFAKE_ASSESSMENT = "deepfake_assessment"  #: EU AI Act, Article 3(60)
    VIEWER_DISCLOSURE = "viewer_disclosure"  #: where the audience is informed
    ARTISTIC_WORK = "artistic_work"  #: evidently artistic or fictional, Article 50(4)
    LEGAL_ROLE = "legal_role"  #: provider or deployer, EU AI Act, Article 3, as counsel reads it
    UNION_NOTICE = "union_notice"
    UNION_CONSULTATION = "union_consultation"
    HAND_DRAWN = "hand_drawn"  #: a layout was drawn by hand; `paper` as its subject: on paper
    HAND_PAINTED = "hand_painted"  #: a touch-up was made by hand, without a generative tool
    NO_AI = "no_ai"  #: no trained model made any part of it
    DRAWN_BY = "drawn_by"  #: who drew a layout that several people published
    CONSENT = "consent"  #: an artist agrees to something, or does not
    NAME_CHANGED = "name_changed"  #: a person is called otherwise from now on
    NAME_WITHHELD = "name_withheld"  #: a person asks not to be named
    NAME_ERASED = "name_erased"  #: a person asks that their name be erased
    CORRECTION = "correction"  #: an earlier record was wrong
    MODEL_APPROVED = "model_approved"  #: a model, by its key as the subject, may be used for a show
    REFUSED = "refused"  #: the policy kept a layout from generators: no picture was made
    CONFIRMATION = "confirmation"  #: a person's answer to what they are credited for


#: Answers that say so; an empty one stands beside a text.
YES = frozenset({"yes", ""})
#: What the register seals itself when something is decided about a name.
NAME_KINDS = frozenset(
    {StatementKind.NAME_CHANGED, StatementKind.NAME_WITHHELD, StatementKind.NAME_ERASED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence that somebody answers for."""

    key: str  #: ours, unique
    kind: StatementKind
    project: str
    sequence: str  #: empty: the whole show
    shot: str  #: empty: the whole sequence
    image_sha256: str  #: empty unless it is about one image
    by: Person
    to: str  #: who was informed, such as a client or a guild; empty when nobody in particular
    subject: str  #: which of several, such as a principle's number; else empty
    answer: str  #: `yes`, `no`, `unsure`, or empty where there is nothing to answer
    text: str
    reference: str  #: where the paper is: a contract, a mail, a ticket
    at: datetime
    episode: str = ""  #: empty: every episode


class ImageKind(StrEnum):
    """What an image is in the lineage."""

    LAYOUT = "layout"
    GENERATION = "generation"
    BACKGROUND = "background"
    TOUCH_UP = "touch_up"


class Relation(StrEnum):
    """How an image stands on another, in C2PA's words."""

    PARENT = "parentOf"  #: it was derived from it
    INPUT = "inputTo"  #: it was given to the computation that made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One image that another was made from."""

    sha256: str  #: of the file's bytes
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """
    Who ran the systems of one step, or of several together.

    People where they are known. Else the pipeline ran what its own generation request stands in the
    record for; of everything else, such as a paint program's model, nobody is recorded.
    """

    people: tuple[Person, ...] = ()
    by_pipeline: bool = False
    unrecorded: bool = False

    def __or__(self, other: "Operators") -> "Operators":
        """Return the operators of both, each person once."""
        return Operators(
            people=tuple({one.id: one for one in (*self.people, *other.people)}.values()),
            by_pipeline=self.by_pipeline or other.by_pipeline,
            unrecorded=self.unrecorded or other.unrecorded,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image in the lineage graph: `ingredients` are its edges and `sha256` is its name."""

    key: str  #: ours, unique: a job's key and what of it this is
    sha256: str  #: of the file's bytes as published, with its marks
    pixels_sha256: str  #: of the decoded pixels, which survive a change of metadata
    kind: ImageKind
    source_type: SourceType  #: how these pixels came to be, in this step
    ingredients: tuple[Ingredient, ...]  #: the nearest first
    contributions: tuple[Contribution, ...]  #: to this step alone, not to those before it
    request_json: str  #: the generation request as it was, in canonical JSON; empty for layouts
    path: str  #: where it was published, below its storage root
    created_at: datetime
    #: What changed copies are recognised by, as `haikei.fingerprint` writes it; empty for pictures
    #: that are too even, and in records from before there were fingerprints.
    fingerprint: str = ""

    @property
    def system(self) -> System | None:
        """What made these pixels; None when a human did."""
        for contribution in self.contributions:
            if isinstance(contribution.actor, System):
                return contribution.actor
        return None

    @property
    def operators(self) -> Operators:
        """Who ran the systems of this step."""
        people = tuple(
            one.actor
            for one in self.contributions
            if one.role is Role.AI_OPERATION and isinstance(one.actor, Person)
        )
        unnamed = self.system is not None and not people
        return Operators(
            people=people,
            by_pipeline=unnamed and bool(self.request_json),
            unrecorded=unnamed and not self.request_json,
        )

    @property
    def people(self) -> tuple[Person, ...]:
        """The humans who had a part in this step, each once."""
        found = {
            contribution.actor.id: contribution.actor
            for contribution in self.contributions
            if isinstance(contribution.actor, Person)
        }
        return tuple(found.values())

    def with_names(self, names: Mapping[str, Person]) -> "ImageRecord":
        """Return this with people called as they are in `names`, by id; others stay as they are."""
        made = (
            replace(one, actor=names.get(one.actor.id, one.actor))
            if isinstance(one.actor, Person)
            else one
            for one in self.contributions
        )
        return replace(self, contributions=tuple(made))


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundVersion:
    """A version of a cut's background, with everything that it was made from."""

    key: str  #: ours: the job's, or the touch-up's
    project: str
    sequence: str
    shot: str
    season: str
    time: str
    version: int
    code: str  #: the Version's name in the tracker
    tracker_id: int | None  #: of the Version's row; None until it is known
    url: str  #: where a person can look at it; empty until it is known
    state: ReviewState
    images: tuple[ImageRecord, ...]  #: the layout first, this version's own image last
    ledger: tuple[int, ...]  #: the ledger's entry of each image, in the same order
    created_at: datetime
    hand_drawn: Statement | None = None  #: that its layout was drawn by hand, by who says so
    #: Whether touch-ups of this cut were made by hand, by who says so; the earliest first.
    hand_painted: tuple[Statement, ...] = ()
    episode: str = ""  #: as the tracker says; empty where it has none

    @property
    def part(self) -> str:
        """The part of the show as people read it: the sequence, behind its episode if any."""
        return part_name(self.episode, self.sequence)

    def is_drawn(self, image: ImageRecord) -> bool:
        """Tell whether somebody, or the file itself, states that a human made it by hand."""
        if image.kind is ImageKind.LAYOUT:
            open_ = image.source_type is SourceType.NOT_DECLARED
            return image.source_type.is_drawn or (open_ and self.hand_drawn is not None)
        if image.source_type.is_ai:
            return False
        statement = self.hand_statement(image)
        if statement is not None:
            return statement.answer in YES
        return image.source_type.is_drawn or image.source_type is SourceType.HUMAN_EDITS

    def hand_statement(self, image: ImageRecord) -> Statement | None:
        """Return the last word on whether a touch-up was made by hand; None: nothing was stated."""
        about = [one for one in self.hand_painted if one.image_sha256 in {"", image.sha256}]
        return about[-1] if about and image.kind is ImageKind.TOUCH_UP else None

    @property
    def final(self) -> ImageRecord:
        """The image that this version is."""
        return self.images[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of a show."""

    project: str
    sequence: str = ""  #: empty: all of them
    shot: str = ""  #: empty: all of them
    latest: bool = True  #: of each shot, season and time only the highest version
    episode: str = ""  #: empty: all of them

    @classmethod
    def of(cls, where: "Place | BackgroundVersion", *, latest: bool = False) -> "Scope":
        """Return a place, or a version's cut, with all versions unless the latest are enough."""
        return cls(
            project=where.project,
            episode=where.episode,
            sequence=where.sequence,
            shot=where.shot,
            latest=latest,
        )

    @property
    def name(self) -> str:
        """The part of a show as people read it, such as `porto / sq010`."""
        return " / ".join(filter(None, (self.project, self.episode, self.sequence, self.shot)))
