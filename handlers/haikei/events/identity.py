"""What makes two events the same, whoever told of them."""

import hashlib
import unicodedata

from haikei.trackers import Place


def event_key(kind: str, place: Place, sha256: str) -> str:
    """Return the key of an event: its kind, project, shot and content, and nothing else."""
    text = "\0".join((_fold(place.project), _fold(place.shot), sha256))
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _fold(name: str) -> str:
    # Trackers compare names without regard to case; file systems may decompose accents.
    return unicodedata.normalize("NFC", name).casefold()
