"""The parts of a tracker that send signed requests to our pages: webhooks and menu items."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from haikei.trackers.contract.feed import EventKind


def webhook_path(kind: str) -> str:
    """Return where the tracker of this kind delivers, below the public address."""
    return f"/webhooks/{kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event, as a webhook reports it."""

    key: str  #: the same when it is sent again; made of signed content alone
    kind: EventKind
    row: int | None  #: id of the version, note, reply or file
    versions: tuple[int, ...] = ()  #: those to which a note is linked, where that is in the body
    project: int | None = None  #: in which it happened; None when that is not in the body
    own_state: str = ""  #: what the webhook reports of itself, such as a test; empty for events


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """One request of the tracker."""

    sent_at: datetime
    items: tuple[Delivery, ...]


class WebhookReader(Protocol):
    """Checks and reads what the tracker's webhooks send; stateless, so threads may share it."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Deliveries:
        """
        Return the deliveries of a request; whether it is recent is checked by the caller.

        Args:
            headers: of the request; names in lower case.
            body: as it was sent.

        Raises:
            RequestForged: it is not signed with `web.webhook_token`.
            RequestMalformed: it is signed, and no delivery.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuForm:
    """A form that the studio's tracker has signed a moment ago."""

    entity_type: str
    ids: tuple[int, ...]  #: of the selected rows
    login: str  #: of the person who chose the item
    key: str  #: the same when the form is sent again


class MenuReader(Protocol):
    """Checks and reads the forms of menu items; stateless, so threads may share it."""

    def read(self, fields: Mapping[str, str], now: datetime) -> MenuForm:
        """
        Return what a form asks for.

        Raises:
            RequestForged: it is not signed with `web.menu_secret`, too old, or another site's.
            RequestMalformed: it is signed, and not as it should be.
        """
        ...
