"""What is said of a paint-over by whoever hands it in."""

from dataclasses import dataclass
from pathlib import Path

from haikei.credits import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchUpOrder:
    """One file that an artist painted, on top of a version of ours."""

    file: Path  #: the artist's own; it is never changed
    of: str  #: the version that was painted over: its code, or the SHA-256 of its file
    artist: Person | str  #: who painted; a name or login is looked up in settings and tracker
    artist_ja: str = ""  #: the name in Japanese script, where nothing else tells it
    minutes: int | None = None  #: time that the artist says it took
    tool: str = ""  #: such as `Adobe Photoshop 27.0`
    used_generative_fill: bool = False  #: the tool made pixels by a trained model as well
    found_by: str = "named by whoever handed it in"  #: how it is known what was painted over
