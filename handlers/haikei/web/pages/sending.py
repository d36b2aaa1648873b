"""Long pages, sent while they are being written, and compressed for browsers that take it."""

import zlib
from collections.abc import Iterable, Iterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

#: Letters of a page that are sent first. Each piece is twice as long as the one before: each is
#: handed from thread to thread, which on a busy machine takes longer than to write it.
_FIRST = 16_000
#: 4 takes a third longer than 1 and saves a sixth of the bytes; above, little is won.
_LEVEL = 4
#: gzip, with its own header and sum (zlib, `deflateInit2`).
_GZIP = zlib.MAX_WBITS | 16


def send(request: Request, fragments: Iterator[str], vary: str) -> StreamingResponse:
    """
    Return an answer that begins before the page is complete.

    Nothing is compressed that holds words of the request: beside them, what a page keeps secret
    could be guessed by the answer's length (BREACH, Gluck, Harris, Prado 2013).
    """
    pieces = _pieces(fragments)
    headers = {"vary": f"{vary}, accept-encoding"}
    if not request.url.query and _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["content-encoding"] = "gzip"
        pieces = _compressed(pieces)
    return StreamingResponse(pieces, media_type="text/html; charset=utf-8", headers=headers)


def _pieces(fragments: Iterator[str]) -> Iterator[bytes]:
    waiting: list[str] = []
    size, enough = 0, _FIRST
    for fragment in fragments:
        waiting.append(fragment)
        size += len(fragment)
        if size >= enough:
            yield "".join(waiting).encode()
            waiting.clear()
            size, enough = 0, enough * 2
    yield "".join(waiting).encode()


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for piece in pieces:
        yield packing.compress(piece) + packing.flush(zlib.Z_SYNC_FLUSH)
    yield packing.flush()


def _takes_gzip(accepted: str) -> bool:
    """Tell whether a browser takes gzip. Source: RFC 9110, section 12.5.3."""
    for part in accepted.lower().split(",")[:20]:
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
