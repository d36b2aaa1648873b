"""What a retake is: another version, made because people asked for it in these words."""

from dataclasses import dataclass

from haikei.credits import Person
from haikei.jobs.instructions import Instructions, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class RetakeOrder:
    """Why a job is made again, and what is different about it."""

    parent: str  #: the key of the version that it goes on from
    parent_version_code: str
    asked_by: tuple[Person, ...]  #: as the tracker names them; empty when nobody is known
    notes: tuple[str, ...]  #: ids of what was taken: Notes, Replies, the decision itself
    instructions: Instructions  #: what these notes ask for
    turns: tuple[Turn, ...] = ()  #: of this retake and those before it, added up
    words: tuple[str, ...] = ()  #: for a model's prompt, the oldest first, without line breaks
    unwanted: tuple[str, ...] = ()  #: for its negative prompt
