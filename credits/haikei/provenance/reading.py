"""Read what a file says about itself, and check it."""

from pathlib import Path

from haikei.provenance.filemarks import FileMarks


def read_marks(
    path: Path, *, trust_pem: str, timestamp_trust_pem: str = "", manifest: Path | None = None
) -> FileMarks:
    """Return what the file says about itself, and whether it holds."""
    raise NotImplementedError
