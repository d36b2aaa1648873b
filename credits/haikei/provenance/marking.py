"""Write marks into a file: XMP first, then the C2PA manifest that covers it."""

from haikei.provenance.request import Marked, MarkRequest
from haikei.provenance.signer import MarkSigner


def mark(request: MarkRequest, signer: MarkSigner) -> Marked:
    """Write the marked file."""
    raise NotImplementedError
