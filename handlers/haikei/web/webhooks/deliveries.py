"""
What a ShotGrid site's webhooks send, one delivery or up to fifty in one request, and
which projects are heeded.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from haikei.settings import Settings

#: Deliveries of one request; the site sends fifty at most.
MOST = 500
_LARGEST = 2**63 - 1
_Id = Annotated[int, Field(ge=0, le=_LARGEST)]
_Name = Annotated[str, Field(max_length=200)]


class DeliveryMalformed(ValueError):
    """A body is no delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing that happened, as a webhook tells it."""

    key: str  #: the same when it is sent again; made of signed content alone
    event_type: str  #: such as `Shotgun_Version_Change`
    operation: str  #: create, update, delete or revive; empty for what the site says of itself
    entity_type: str
    entity_id: int | None
    attribute: str  #: the field that an update is about; empty when that is not said
    links: tuple[tuple[str, int], ...]  #: rows that were added to that field
    project: int | None  #: in which it happened; None when that is not said


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """One request of the site."""

    sent_at: datetime
    items: tuple[Delivery, ...]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Link(_Part):
    type: _Name = ""
    id: _Id | None = None


class _Meta(_Part):
    entity_type: _Name | None = None
    entity_id: _Id | None = None
    attribute_name: _Name | None = None
    added: list[_Link] | None = None


class _Item(_Part):
    id: Annotated[str, Field(max_length=200)] | int = ""
    event_log_entry_id: _Id | None = None
    event_type: _Name
    operation: _Name | None = None
    entity: _Link | None = None
    project: _Link | None = None
    meta: _Meta | None = None
    attribute_name: _Name | None = None
    created_at: _Name | None = None


class _Batch(_Part):
    deliveries: Annotated[list[_Item], Field(max_length=MOST)]


class _Body(_Part):
    timestamp: datetime
    data: _Batch | _Item


def read_deliveries(body: bytes) -> Deliveries:
    """
    Return what a body says.

    Raises:
        DeliveryMalformed: it is no delivery.
    """
    try:
        said = _Body.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DeliveryMalformed(f"{where or 'the body'}: {first['msg']}") from None
    sent_at = said.timestamp
    if sent_at.tzinfo is None:
        sent_at = sent_at.replace(tzinfo=UTC)
    items = said.data.deliveries if isinstance(said.data, _Batch) else [said.data]
    return Deliveries(sent_at=sent_at, items=tuple(_deliveries(items, sent_at)))


def _deliveries(items: list[_Item], sent_at: datetime) -> Iterator[Delivery]:
    for item in items:
        meta, entity = item.meta or _Meta(), item.entity or _Link()
        yield Delivery(
            key=_key(item, sent_at),
            event_type=item.event_type,
            operation=item.operation or "",
            entity_type=meta.entity_type or entity.type,
            entity_id=entity.id if meta.entity_id is None else meta.entity_id,
            attribute=item.attribute_name or meta.attribute_name or "",
            project=item.project.id if item.project else None,
            links=tuple((one.type, one.id) for one in meta.added or () if one.id is not None),
        )


def _key(item: _Item, sent_at: datetime) -> str:
    # The ids in the headers are not signed: with others of them, an old body would be new.
    if item.event_log_entry_id:
        parts = (str(item.event_log_entry_id), str(item.id))
    else:
        parts = (item.model_dump_json(), sent_at.isoformat())
    return "hook/" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


#: Seconds for which an answer of the tracker is believed, when a delivery is of another project.
BELIEVED = 60.0


class Scope:
    """
    What the tracker said of the projects in `tracker.projects`.

    Until it has said anything every delivery is heeded: whoever is woken by it looks at the
    project again.
    """

    def __init__(self, settings: Settings) -> None:
        self._limited = bool(settings.tracker.projects)
        self._ours: frozenset[int] | None = None
        self._asked_at: float | None = None
        self._lock = threading.Lock()

    def elsewhere(self, project: int | None) -> bool:
        """Tell whether a delivery of this project is to be answered and left alone."""
        ours = self._ours
        return project is not None and ours is not None and project not in ours

    def begin(self) -> bool:
        """Tell whether the tracker is to be asked now; whoever asks this does so."""
        if not self._limited:
            return False
        with self._lock:
            now = time.monotonic()
            if self._asked_at is not None and now - self._asked_at < BELIEVED:
                return False
            self._asked_at = now
            return True

    def learn(self, ours: frozenset[int] | None) -> None:
        """Take over which projects are heeded."""
        self._ours = ours
