"""What may go wrong on a site, as a file of rules says it; an unknown word is an error."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from haikei.errors import SettingsError


class FaultKind(StrEnum):
    """What goes wrong."""

    ERROR = "error"  #: a gateway's answer, before the site does anything or after it did all
    MAINTENANCE = "maintenance"  #: 503 for everything
    STALL = "stall"  #: nothing for a while, then the answer
    CUT = "cut"  #: the connection ends in the middle of the answer
    THROTTLED = "throttled"  #: 429, or an exception with the site's words
    EXPIRED_LINK = "expired_link"  #: addresses of files are no longer good
    LATE_EVENTS = "late_events"  #: some ids of the event log are seen later than higher ones
    LOST_EVENTS = "lost_events"  #: some ids of the event log are never seen
    STREAM_RESET = "stream_reset"  #: the event log is empty, and its ids begin anew
    SILENT_SCRIPT = "silent_script"  #: "Generate Events" is off for a script
    DENIED_FIELD = "denied_field"  #: a field is neither read nor written
    HIDDEN_STATUS = "hidden_status"  #: a status is not offered any more
    CLOCK_SKEW = "clock_skew"  #: the site's clock is wrong


#: Kinds that count the requests they are for; the others hold as long as they stand.
_COUNTED = frozenset(
    {
        *(FaultKind.ERROR, FaultKind.MAINTENANCE, FaultKind.STALL, FaultKind.CUT),
        *(FaultKind.THROTTLED, FaultKind.EXPIRED_LINK),
    }
)
_NEEDS: Mapping[FaultKind, tuple[str, ...]] = {
    FaultKind.STALL: ("seconds",),
    FaultKind.LATE_EVENTS: ("seconds",),
    FaultKind.CLOCK_SKEW: ("seconds",),
    FaultKind.SILENT_SCRIPT: ("script",),
    FaultKind.DENIED_FIELD: ("entity", "field"),
    FaultKind.HIDDEN_STATUS: ("entity", "status_code"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One thing that goes wrong. What a kind has no use for is refused, not left aside."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    kind: FaultKind
    #: Which requests: a wire method such as `create`, `upload`, `download`, `rest`, or `*`.
    on: str = "*"
    entity: str = ""  #: only requests about rows of this type; empty: all
    skip: Annotated[int, Field(ge=0)] = 0  #: requests that go well first
    times: Annotated[int, Field(ge=0)] = 0  #: requests that go wrong then; 0: all that follow
    every: Annotated[int, Field(ge=1)] = 1  #: of those, or of the log's ids, each n-th
    status: Annotated[int, Field(ge=400, le=599)] = 502  #: of an error's answer
    when: Literal["before", "after"] = "before"  #: whether the site has done it
    seconds: Annotated[float, Field(ge=-864_000, le=864_000)] = 0.0
    retry_after: Annotated[int, Field(ge=0, le=86_400)] = 0  #: sent with 429 and 503; 0: nothing
    words: str = ""  #: of the answer; empty: those that the real site uses
    script: str = ""
    field: str = ""
    status_code: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether it is about single requests."""
        return self.kind in _COUNTED


_RULES = TypeAdapter(tuple[FaultRule, ...])
_ON = (
    *("*", "read", "create", "update", "delete", "revive", "batch", "summarize", "upload"),
    *("download", "rest", "page", "info", "schema_read", "schema_field_read", "schema_entity_read"),
    *("note_thread_contents", "activity_stream", "get_session_token", "preferences_read"),
)


def read_faults(path: Path) -> tuple[FaultRule, ...]:
    """
    Return the rules in a TOML file: a table `[[fault]]` each.

    Raises:
        SettingsError: it cannot be read, or has mistakes; all are named.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The faults in {path} cannot be read: {error}.") from error
    unknown = sorted(content.keys() - {"fault"})
    if unknown:
        raise SettingsError(
            f"{path} says {', '.join(unknown)}, which is no word of faults.",
            advice="Write a table [[fault]] for each.",
        )
    return rules_of(content.get("fault", []), where=str(path))


def rules_of(given: object, *, where: str) -> tuple[FaultRule, ...]:
    """
    Return rules that came from outside.

    Raises:
        SettingsError: they have mistakes; all are named, with the nearest word.
    """
    try:
        rules = _RULES.validate_python(given)
    except ValidationError as error:
        mistakes = [
            _mistake([str(part) for part in one["loc"]], one["input"], one["msg"])
            for one in error.errors()
        ]
        raise SettingsError(f"The faults of {where} have mistakes: {'; '.join(mistakes)}.") from (
            error
        )
    mistakes = [text for number, rule in enumerate(rules) for text in _wrong(number, rule)]
    if mistakes:
        raise SettingsError(f"The faults of {where} have mistakes: {'; '.join(mistakes)}.")
    return rules


def _wrong(number: int, rule: FaultRule) -> Sequence[str]:
    found = [
        f"fault {number + 1} ({rule.kind}) needs {name}"
        for name in _NEEDS.get(rule.kind, ())
        if not getattr(rule, name)
    ]
    if rule.on not in _ON:
        found.append(f"fault {number + 1}: on = {rule.on!r} is no request{_near(rule.on, _ON)}")
    return found


def _mistake(place: Sequence[str], value: object, problem: str) -> str:
    where = f"fault {int(place[0]) + 1}" if place and place[0].isdigit() else "fault"
    name = place[-1] if len(place) > 1 else ""
    if name == "kind" and isinstance(value, str):
        return (
            f"{where}: there is no kind {value!r}{_near(value, [one.value for one in FaultKind])}"
        )
    known = [one.name for one in fields(FaultRule)]
    if name and name not in known:
        return f"{where}: there is no {name!r}{_near(name, known)}"
    return f"{where}: {name + ': ' if name else ''}{problem}"


def _near(word: str, known: Sequence[str]) -> str:
    found = get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {found[0]!r}?)" if found else f" (known: {', '.join(sorted(known))})"
