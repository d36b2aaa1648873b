"""What people say about a show, a cut or an image, sealed like everything else."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from haikei.credits.contribution import Person


class StatementKind(StrEnum):
    """What is stated."""

    INTENDED_USE = "intended_use"  #: the client was told before AI was used
    CLIENT_APPROVAL = "client_approval"  #: the client agreed
    PRINCIPLE = "principle"  #: an answer to one of the client's guiding principles
    THIRD_PARTY_CHECK = "third_party_check"  #: similarity to others' works was looked for
    LIKENESS_CHECK = "likeness_check"  #: recognisable people were looked for
    DEEPFAKE_ASSESSMENT = "deepfake_assessment"  #: EU AI Act, Article 3(60)
    VIEWER_DISCLOSURE = "viewer_disclosure"  #: where the audience is told
    ARTISTIC_WORK = "artistic_work"  #: evidently artistic or fictional, Article 50(4)
    LEGAL_ROLE = "legal_role"  #: provider or deployer, EU AI Act, Article 3, as counsel reads it
    UNION_NOTICE = "union_notice"
    UNION_CONSULTATION = "union_consultation"
    HAND_DRAWN = "hand_drawn"  #: a layout was drawn by hand; `paper` as its subject: on paper
    NO_AI = "no_ai"  #: no trained model made any part of it
    DRAWN_BY = "drawn_by"  #: who drew a layout that several people published
    CONSENT = "consent"  #: an artist agrees to something, or does not
    NAME_CHANGED = "name_changed"  #: a person is called otherwise from now on
    NAME_WITHHELD = "name_withheld"  #: a person asks not to be named
    NAME_ERASED = "name_erased"  #: a person asks that their name be erased
    CORRECTION = "correction"  #: an earlier record was wrong
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
    to: str  #: whom it was told, such as a client or a guild; empty when nobody in particular
    subject: str  #: which of several, such as a principle's number; else empty
    answer: str  #: `yes`, `no`, `unsure`, or empty where there is nothing to answer
    text: str
    reference: str  #: where the paper is: a contract, a mail, a ticket
    at: datetime
