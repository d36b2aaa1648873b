"""Errors of the API, as `application/problem+json` (RFC 9457)."""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from haikei.errors import (
    AlreadyPublished,
    CreditError,
    HaikeiError,
    LayoutRefused,
    StorageError,
    TouchUpRefused,
)
from haikei.web.api.schemas import Mistake, Problem

MEDIA_TYPE = "application/problem+json"
_REFUSALS = (LayoutRefused, StorageError, TouchUpRefused, CreditError)


class Refused(Exception):
    """
    A request is not carried out, for a reason of HTTP.

    Args:
        status: of the answer.
        kind: the end of the problem's type, such as `scope-missing`.
        detail: one sentence.
        advice: what to do.
        mistakes: of single fields.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        advice: str = "",
        mistakes: Sequence[Mistake] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.problem = Problem(
            type=f"urn:haikei:problem:{kind}",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            advice=advice,
            mistakes=tuple(mistakes),
        )

    def answer(self) -> Response:
        """Return it as it is sent."""
        text = self.problem.model_dump_json()
        return Response(text, self.status, self.headers, MEDIA_TYPE)


def refused_for(error: HaikeiError) -> Refused:
    """Return how an error of ours is answered: its class names the problem."""
    if error.transient:
        status = 503
    elif isinstance(error, AlreadyPublished):
        status = 409
    else:
        status = 422 if isinstance(error, _REFUSALS) else 409
    wait = error.retry_after if error.retry_after is not None else 10.0 if error.transient else None
    headers = {} if wait is None else {"retry-after": str(math.ceil(wait))}
    return Refused(
        status, type(error).__name__, error.message, advice=error.advice or "", headers=headers
    )


def invalid(error: ValidationError, place: str) -> Refused:
    """Return how a request is answered whose query or body is not as the document says."""
    mistakes = [_mistake(one) for one in error.errors(include_url=False, include_input=False)]
    where = ", ".join(dict.fromkeys(one.field for one in mistakes if one.field))
    return Refused(
        422,
        "invalid-request",
        f"The {place} is not as the API's document says" + (f" ({where})." if where else "."),
        advice="See /api/v1/openapi.json.",
        mistakes=mistakes[:50],
    )


def _mistake(one: Mapping[str, Any]) -> Mistake:
    field = ".".join(str(part) for part in one["loc"])
    # A key of the request that nobody knows may be as long as the request.
    return Mistake(field=field[:200], message=str(one["msg"])[:500])
