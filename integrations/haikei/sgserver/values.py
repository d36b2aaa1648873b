"""The values that travel, and what the tracker answers when it will not do what was asked."""

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

#: Whatever JSON can say.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
#: One row as it travels: `type`, `id` and the fields asked for.
Row: TypeAlias = dict[str, Json]
#: The parameters of one wire method.
Call: TypeAlias = Mapping[str, Json]

#: The marks that make が of か and ぱ of は.
_VOICED = "\u3099\u309a"
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def parse_json(body: bytes) -> Json:
    """
    Return what a request brings; only what can travel back is taken.

    Raises:
        ValueError: it is no JSON, or holds a number without end or a lone surrogate.
        RecursionError: it is nested too deeply.
    """

    def finite(text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            message = f"{text} is no finite number"
            raise ValueError(message)
        return number

    found: Json = json.loads(body, parse_float=finite, parse_constant=finite)
    if b"\\u" in body:
        json.dumps(found, ensure_ascii=False).encode()
    return found


def utc_now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


def moment_text(moment: datetime) -> str:
    """Return an aware moment as it travels: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime(MOMENT)


def inspect(value: Json) -> str:
    """Return a value as the real site prints it in its messages (Ruby's `inspect`)."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{" + ", ".join(f'"{k}" => {inspect(v)}' for k, v in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(inspect(v) for v in value) + "]"
        case _:
            return str(value)


def kind(value: Json) -> str:
    """Return the name that the real site gives a value's data type in its messages."""
    match value:
        case None:
            return "NilClass"
        case bool():
            return "TrueClass" if value else "FalseClass"
        case int():
            return "Integer"
        case float():
            return "Float"
        case str():
            return "String"
        case Mapping():
            return "Hash"
        case _:
            return "Array"


def fold(text: str) -> str:
    """Return a text as the site compares it: case does not matter."""
    return text.casefold()


def searched(text: str) -> str:
    """
    Return a text as `text_search` compares it.

    Neither case nor accents nor full width matter: "émile", "EMILE" and full-width letters find
    each other. The marks that make another letter of a Japanese one stay: か is not が.
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (sign for sign in apart if not unicodedata.combining(sign) or sign in _VOICED)
    return unicodedata.normalize("NFC", "".join(kept))


def parse_moment(text: str) -> datetime | None:
    """
    Return the moment a text names, None when it names none.

    Any ISO 8601 form with `T`, or a date alone (midnight); without an offset it is UTC. Whole
    seconds: the site drops what is finer.
    """
    if len(text) < 10 or not text[:4].isdigit() or (len(text) > 10 and text[10] != "T"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0)


class Fault(Exception):
    """
    A refusal that the client shows to its user; it never leaves the server as anything else.

    Args:
        code: 102 not signed in, 103 a wrong request, 104 a request that cannot be carried out.
        message: one sentence in the words of the real site.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AuthenticationFault(Fault):
    """Nobody is known by this name and secret."""

    def __init__(self, message: str) -> None:
        super().__init__(102, message)


def bad_request(message: str) -> Fault:
    """Return the fault for a request that is wrong in itself."""
    return Fault(103, message)


def failed(message: str) -> Fault:
    """Return the fault for a request that is well formed and cannot be carried out."""
    return Fault(104, message)
