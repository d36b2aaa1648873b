"""The rules that hold now, how often each has acted, and what a site does while they do."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from haikei.sgserver.faults.fault_rules import FaultKind, FaultRule
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json

_SCRIPT, _SWITCH = "ApiUser", "generate_event_log_entries"


@dataclass(slots=True)
class _Standing:
    rule: FaultRule
    matched: int = 0
    acted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCall:
    """One request, as far as rules look at it."""

    what: str  #: the wire method, `upload`, `download`, `rest` or `page`
    entities: frozenset[str]  #: types of the rows that it is about; empty where unknown
    fields: frozenset[str]  #: names of the fields that it names


class FaultBoard:
    """
    The rules of one site; threads share it.

    Args:
        site: whose bad days they are.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._standing: list[_Standing] = []
        self._first_seen: dict[int, float] = {}
        self._silenced: set[int] = set()

    def hold(self, rules: Sequence[FaultRule]) -> None:
        """Let these rules hold, and no others; what is counted begins anew."""
        with self._lock:
            self._standing = [_Standing(rule) for rule in rules]
            self._first_seen.clear()
        skew = sum(rule.seconds for rule in rules if rule.kind is FaultKind.CLOCK_SKEW)
        self._site.skew = timedelta(seconds=skew)
        self._silence({rule.script for rule in rules if rule.kind is FaultKind.SILENT_SCRIPT})
        if any(rule.kind is FaultKind.STREAM_RESET for rule in rules):
            self._site.reset_event_log()

    def clear(self) -> None:
        """Let everything go well."""
        self.hold(())

    def acted(self) -> Sequence[tuple[FaultRule, int]]:
        """Return the rules that hold, each with how many requests or rows it has acted on."""
        with self._lock:
            return [(one.rule, one.acted) for one in self._standing]

    def of(self, call: AskedCall) -> Iterator[FaultRule]:
        """Yield the rules about single requests that act on this one; each counts it."""
        with self._lock:
            for one in self._standing:
                if one.rule.is_counted and _is_about(one.rule, call):
                    one.matched += 1
                    if _acts(one):
                        one.acted += 1
                        yield one.rule

    def denied(self, call: AskedCall) -> tuple[str, str] | None:
        """Return a field that this request names and that nobody may use, with its type."""
        with self._lock:
            for one in self._of_kind(FaultKind.DENIED_FIELD):
                rule = one.rule
                if rule.entity in call.entities and rule.field in call.fields:
                    one.acted += 1
                    return rule.entity, rule.field
        return None

    def hidden_statuses(self, entity: str) -> tuple[str, ...]:
        """Return the statuses of a type that are not offered any more."""
        with self._lock:
            found = self._of_kind(FaultKind.HIDDEN_STATUS)
            return tuple(one.rule.status_code for one in found if one.rule.entity == entity)

    @property
    def skew(self) -> timedelta:
        """How far the site's clock is ahead."""
        return self._site.skew

    def is_seen(self, event: int) -> bool:
        """Tell whether a row of the event log can be read by now."""
        with self._lock:
            for one in self._standing:
                rule = one.rule
                if event % rule.every:
                    continue
                if rule.kind is FaultKind.LOST_EVENTS:
                    one.acted += 1
                    return False
                if rule.kind is FaultKind.LATE_EVENTS:
                    first = self._first_seen.setdefault(event, time.monotonic())
                    if time.monotonic() - first < rule.seconds:
                        one.acted += 1
                        return False
        return True

    def _of_kind(self, kind: FaultKind) -> list[_Standing]:
        return [one for one in self._standing if one.rule.kind is kind]

    def _silence(self, scripts: set[str]) -> None:
        wanted: set[int] = set()
        for name in scripts:
            found = self._site.find(self._site.system, _SCRIPT, [["firstname", "is", name]], ["id"])
            wanted |= {number for row in found if isinstance(number := row["id"], int)}
        for script in wanted ^ self._silenced:
            on: Json = script not in wanted
            self._site.update(self._site.system, _SCRIPT, script, {_SWITCH: on})
        self._silenced = wanted


def _is_about(rule: FaultRule, call: AskedCall) -> bool:
    if rule.kind is FaultKind.EXPIRED_LINK:
        return call.what == "download"
    about = not rule.entity or rule.entity in call.entities
    return about and rule.on in {"*", call.what}


def _acts(one: _Standing) -> bool:
    number = one.matched - one.rule.skip
    if number < 1 or (number - 1) % one.rule.every:
        return False
    return not one.rule.times or one.acted < one.rule.times
