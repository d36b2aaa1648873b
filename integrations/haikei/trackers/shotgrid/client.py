"""The official client behind one door, and the rows that it hands back, typed."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import stamina
from prometheus_client import Counter
from pydantic import SecretStr

from haikei.errors import HaikeiError, TrackerUnavailable
from haikei.settings import Tracker
from haikei.trackers.shotgrid.http import CLIENT_ERRORS, ClockReading, OneSendShotgun, tracker_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A field's pointer to another row."""

    type: str
    id: int
    name: str  #: empty when the site did not say

    @classmethod
    def of(cls, value: object) -> "Link | None":
        """Return the link that a value holds, None when it holds none."""
        if not isinstance(value, dict):
            return None
        found = cast("Mapping[str, object]", value)
        kind, number, name = found.get("type"), found.get("id"), found.get("name")
        if not isinstance(kind, str) or not isinstance(number, int):
            return None
        return cls(type=kind, id=number, name=name if isinstance(name, str) else "")

    def wire(self) -> dict[str, object]:
        """Return it as the client sends it."""
        return {"type": self.type, "id": self.id}


@dataclass(frozen=True, slots=True)
class Record:
    """
    One row as it was read: each method reads one field as one type.

    A field that holds nothing, or something else, reads as that type's "nothing": 0, False and
    "" are values and stay what they are.
    """

    type: str
    id: int
    values: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Record":
        """Return the record of a row in the client's shape."""
        return cls(str(row.get("type", "")), int(row.get("id") or 0), row)

    def has(self, field: str) -> bool:
        """Tell whether the site returned a field."""
        return field in self.values

    def filled(self, field: str) -> bool:
        """Tell whether a field holds something."""
        value = self.values.get(field)
        return value is not None and value not in ("", [], {})

    def text(self, field: str) -> str:
        """Return a text, empty for none."""
        value = self.values.get(field)
        return value if isinstance(value, str) else ""

    def number(self, field: str) -> int | None:
        """Return a whole number."""
        value = self.values.get(field)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, field: str) -> bool | None:
        """Return a checkbox, None when the site did not say."""
        value = self.values.get(field)
        return value if isinstance(value, bool) else None

    def link(self, field: str) -> Link | None:
        """Return a link to one row."""
        return Link.of(self.values.get(field))

    def links(self, field: str) -> tuple[Link, ...]:
        """Return the links of a multi-entity field."""
        value = self.values.get(field)
        if not isinstance(value, list):
            return ()
        found = (Link.of(entry) for entry in cast("list[object]", value))
        return tuple(link for link in found if link is not None)

    def mapping(self, field: str) -> Mapping[str, object]:
        """Return a structured value, such as a file link or an event's `meta`."""
        value = self.values.get(field)
        return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}

    def day(self, field: str) -> date | None:
        """Return a day; the client hands it out as the site wrote it."""
        try:
            return date.fromisoformat(self.text(field))
        except ValueError:
            return None

    def moment(self, field: str) -> datetime | None:
        """Return a moment; the site speaks UTC."""
        value = self.values.get(field)
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def instant(self, field: str) -> datetime:
        """Return a moment that every row has; the beginning of time when the site hides it."""
        return self.moment(field) or datetime.fromtimestamp(0, UTC)


T = TypeVar("T")

#: A condition or a group of them, as the client writes filters.
Filter = list[object] | dict[str, object]

#: Rows that one batch or one `in` filter holds at most: the site takes about 47 ms a row.
CHUNK = 200

_READ_ATTEMPTS = 3
_LONGEST_WAIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRow:
    """A row to be created."""

    type: str
    fields: Mapping[str, object]
    returning: tuple[str, ...] = ()

    def wire(self) -> dict[str, object]:
        """Return it as `batch` wants it."""
        return {
            "request_type": "create",
            "entity_type": self.type,
            "data": dict(self.fields),
            "return_fields": list(self.returning) or ["id"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRow:
    """A row to be changed; `modes` says how a value joins a multi-entity field."""

    type: str
    id: int
    fields: Mapping[str, object]
    modes: Mapping[str, Literal["set", "add", "remove"]] = field(
        default_factory=dict[str, Literal["set", "add", "remove"]]
    )

    def wire(self) -> dict[str, object]:
        """Return it as `batch` wants it."""
        return {
            "request_type": "update",
            "entity_type": self.type,
            "entity_id": self.id,
            "data": dict(self.fields),
            "multi_entity_update_modes": dict(self.modes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireRow:
    """A row to be retired."""

    type: str
    id: int

    def wire(self) -> dict[str, object]:
        """Return it as `batch` wants it."""
        return {"request_type": "delete", "entity_type": self.type, "entity_id": self.id}


CALLS = Counter("haikei_tracker_calls", "Calls to the tracker")
FAILURES = Counter("haikei_tracker_errors", "Calls to the tracker that failed", ["kind"])


class SiteClient:
    """
    The site, as Haikei's script user. Threads may share it; each gets its own connection.

    What only reads is asked again after a passing error; what writes is sent once, since nobody
    can know whether an unanswered write was carried out. Every method raises `TrackerError`.

    Args:
        tracker: the settings of the site.
        key: of the script user.
        before: called before each call; it returns when that may be made.
    """

    def __init__(
        self, tracker: Tracker, key: SecretStr, *, before: Callable[[], None] | None = None
    ) -> None:
        self.url = str(tracker.url).rstrip("/")
        self.script = tracker.script
        self._timeout = tracker.timeout
        self._key = key
        self._before = before
        self._local = threading.local()

    def info(self) -> Mapping[str, object]:
        """Return what the site says of itself; needs no key."""
        return self._read("the first call", lambda site: cast("dict[str, object]", site.info()))

    def clock(self) -> ClockReading | None:
        """Return the site's clock as the latest answer showed it, None when none did."""
        return self._connection().clock

    def find(
        self,
        entity_type: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        *,
        order: tuple[str, Literal["asc", "desc"]] = ("id", "asc"),
        limit: int = 0,
    ) -> tuple[Record, ...]:
        """Return the active rows that pass all filters, in order; limit 0 is none."""
        if any(_asks_for_nothing(condition) for condition in filters):
            return ()
        rows = self._read(
            f"the search for {entity_type} rows",
            lambda site: site.find(
                entity_type,
                list(filters),
                list(fields),
                order=cast("Any", [{"field_name": order[0], "direction": order[1]}]),
                limit=limit,
            ),
        )
        return tuple(Record.of(cast("Mapping[str, Any]", row)) for row in rows)

    def batch(
        self, rows: Sequence[CreateRow | UpdateRow | RetireRow], *, login: str = ""
    ) -> tuple[Record, ...]:
        """
        Carry out all of it or, when anything is refused, none of it; sent once.

        What is retired answers with a record without fields. With a `login` the site is asked to
        do it as that person, which it may refuse.
        """
        if not rows:
            return ()
        doing = "a batch of " + ", ".join(
            sorted({f"{type(row).__name__} {row.type}" for row in rows})
        )
        wire = [row.wire() for row in rows]

        def send(site: OneSendShotgun) -> list[object]:
            with site.acting_as(login):
                return cast("list[object]", site.batch(wire))

        answers = self._once(doing, send)
        if len(answers) != len(rows) or not all(isinstance(one, dict | bool) for one in answers):
            raise TrackerUnavailable(
                f"{self.url} answered {doing} with something else than ShotGrid would.",
                advice="Check tracker.url, and proxies on the way.",
            )
        return tuple(
            Record.of(cast("Mapping[str, Any]", answer))
            if isinstance(answer, dict)
            else Record(row.type, 0, {})
            for row, answer in zip(rows, answers, strict=True)
        )

    def upload(self, entity_type: str, entity_id: int, path: Path, field_name: str) -> None:
        """Upload a file into a field; sent once."""
        self._once(
            f"the upload of {path.name}",
            lambda site: site.upload(entity_type, entity_id, str(path), field_name=field_name),
        )

    def attach(self, entity_type: str, entity_id: int, path: Path, name: str) -> None:
        """Attach a file to a row, in no field of it; sent once."""
        self._once(
            f"the upload of {name}",
            lambda site: site.upload(entity_type, entity_id, str(path), display_name=name),
        )

    def upload_thumbnail(self, entity_type: str, entity_id: int, path: Path) -> None:
        """Upload a row's thumbnail; sent once."""
        self._once(
            f"the upload of the thumbnail {path.name}",
            lambda site: site.upload_thumbnail(entity_type, entity_id, str(path)),
        )

    def uploads_to_cloud(self, entity_type: str, field_name: str) -> bool:
        """Tell whether the site takes a field's file into a cloud storage."""
        return self._read(
            "the first call", lambda site: site.uploads_to_cloud(entity_type, field_name)
        )

    def schema(
        self, entity_type: str, field_name: str | None = None, *, project: int | None = None
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return the fields of a type, or one of them, as the site or a project has them."""
        entity = None if project is None else {"type": "Project", "id": project}
        return self._read(
            f"reading the fields of {entity_type}",
            lambda site: site.schema_field_read(entity_type, field_name, cast("Any", entity)),
        )

    def create_field(
        self,
        entity_type: str,
        data_type: Literal["text", "number"],
        display_name: str,
        description: str,
    ) -> str:
        """Create a field; return the name that the site gave it. Sent once."""
        return self._once(
            f"making the field {display_name!r} of {entity_type}",
            lambda site: site.schema_field_create(
                entity_type, data_type, display_name, {"description": description}
            ),
        )

    def set_valid_values(self, entity_type: str, field: str, values: Sequence[str]) -> None:
        """Let a list or status field take these values and no others; sent once."""
        self._once(
            f"changing the values of {entity_type}.{field}",
            lambda site: site.schema_field_update(
                entity_type, field, {"valid_values": list(values)}
            ),
        )

    def delete_field(self, entity_type: str, name: str) -> None:
        """Move a field to the site's trash; sent once."""
        self._once(
            f"removing the field {entity_type}.{name}",
            lambda site: site.schema_field_delete(entity_type, name),
        )

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._connection().close()

    def _connection(self) -> OneSendShotgun:
        site: OneSendShotgun | None = getattr(self._local, "site", None)
        if site is None:
            site = OneSendShotgun(
                self.url, script=self.script, key=self._key, timeout=self._timeout
            )
            self._local.site = site
        return site

    def _read(self, doing: str, call: Callable[[OneSendShotgun], T]) -> T:
        for attempt in stamina.retry_context(
            on=_may_pass_soon,
            attempts=_READ_ATTEMPTS,
            timeout=2 * self._timeout,
            wait_initial=0.2,
            wait_max=_LONGEST_WAIT,
            wait_jitter=0.2,
        ):
            with attempt:
                return self._once(doing, call)
        raise AssertionError("unreachable")

    def _once(self, doing: str, call: Callable[[OneSendShotgun], T]) -> T:
        if self._before is not None:
            self._before()
        CALLS.inc()
        try:
            return call(self._connection())
        except HaikeiError as error:
            FAILURES.labels(kind=type(error).__name__).inc()
            raise
        except CLIENT_ERRORS as error:
            found = self._without_key(tracker_error(error, site=self.url, doing=doing))
            FAILURES.labels(kind=type(found).__name__).inc()
            raise found from error

    def _without_key(self, error: HaikeiError) -> HaikeiError:
        """Take the key out of what a site echoes."""
        key = self._key.get_secret_value()
        if not key or key not in str(error):
            return error
        return type(error)(
            error.message.replace(key, "********"),
            advice=error.advice,
            retry_after=error.retry_after,
        )


def _may_pass_soon(error: Exception) -> bool | float:
    """Tell stamina whether to ask again, or after how many seconds."""
    if not isinstance(error, TrackerUnavailable):
        return False
    if error.retry_after is None:
        return True
    # A longer wait is the job engine's business: it gives the worker to another job meanwhile.
    return error.retry_after if error.retry_after <= _LONGEST_WAIT else False


def _asks_for_nothing(condition: Filter) -> bool:
    # `["code", "in", []]` is an IndexError in the client, and no row could pass it.
    return (
        isinstance(condition, list)
        and len(condition) == 3
        and condition[1] == "in"
        and isinstance(condition[2], list | tuple)
        and not condition[2]
    )
