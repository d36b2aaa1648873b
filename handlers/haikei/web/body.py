"""Read a request's body, and no more of it than was agreed."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

#: Seconds in which a body must be there.
PATIENCE = 15.0
_FIELDS = 500


async def read_body(request: Request, *, limit: int) -> bytes:
    """
    Return the body.

    Args:
        request: whose body was not read yet.
        limit: bytes; what goes beyond is not read.

    Raises:
        HTTPException: 413, it is longer; 408, it takes too long; 400, it ends early.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise HTTPException(413, f"At most {limit} bytes are read.")
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise HTTPException(413, f"At most {limit} bytes are read.")
    except TimeoutError:
        raise HTTPException(408, "The request took too long.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The request ended early.") from None
    return bytes(body)


def read_form(body: bytes) -> Mapping[str, str]:
    """
    Return the fields of an urlencoded form, empty ones as well.

    Raises:
        HTTPException: 400; it is none, or a field is there twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_FIELDS,
        )
    except ValueError:
        raise HTTPException(400, "This is no form.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise HTTPException(400, "A field is there twice.")
    return fields
