"""
What a ShotGrid site sends to our pages: signed deliveries of its webhooks, one or up to fifty in
a request, and the signed forms of its menu items.

Event types and fields mean the same in a row of the log and in a webhook's delivery.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from haikei.errors import RequestForged, RequestMalformed
from haikei.settings import Settings
from haikei.trackers.contract.feed import Deliveries, Delivery, EventKind, MenuForm

#: The field in which people decide about a Version.
STATUS = "sg_status_list"
#: Fields whose late change can make a PublishedFile a complete layout or touch-up.
_COMPLETING = frozenset({"path", "published_file_type", "entity", "upstream_published_files"})
#: Fields of a Version in which people decide or write.
_DECIDING = frozenset({"", STATUS, "notes", "open_notes"})
_WRITTEN = frozenset({"New", "Change"})
_CONVERSATION = {"Note": EventKind.NOTE_CHANGED, "Reply": EventKind.REPLY_CHANGED}


def kind_of_event(
    event_type: str, *, entity_type: str, attribute: str, in_create: bool
) -> EventKind:
    """
    Return what a row of the event log reports.

    Args:
        event_type: such as `Shotgun_PublishedFile_New`.
        entity_type: of the row that it is about.
        attribute: the field that a `_Change` is about; where it is empty, any field may be.
        in_create: the change is part of the row's creation, which is a storm of them.
    """
    action = event_type.rpartition("_")[2]
    late = action == "Change" and not in_create
    if entity_type == "PublishedFile":
        if event_type == "Shotgun_PublishedFile_New":
            return EventKind.FILE_PUBLISHED
        known = event_type == "Shotgun_PublishedFile_Change"
        if known and late and (not attribute or attribute in _COMPLETING):
            return EventKind.FILE_CHANGED
    elif entity_type == "Version" and late and attribute in {"", STATUS}:
        return EventKind.VERSION_CHANGED
    elif entity_type in _CONVERSATION and action in _WRITTEN:
        return _CONVERSATION[entity_type]
    return EventKind.OTHER


def kind_of_delivery(*, entity_type: str, operation: str, attribute: str) -> EventKind:
    """
    Return what a webhook's delivery reports.

    Args:
        entity_type: of the row that it is about.
        operation: `create`, `update`, `delete` or `revive`.
        attribute: the field that an update is about; empty when that is not in the body.
    """
    if entity_type in _CONVERSATION:
        return _CONVERSATION[entity_type]
    if operation == "delete":
        return EventKind.OTHER
    if entity_type == "PublishedFile":
        return EventKind.FILE_PUBLISHED if operation == "create" else EventKind.FILE_CHANGED
    if entity_type == "Version" and attribute in _DECIDING:
        return EventKind.VERSION_CHANGED
    return EventKind.OTHER


#: Deliveries of one request; the site sends fifty at most.
MOST = 500
#: How old a menu item's form may be; the site's own sample has ten seconds.
AGE = timedelta(seconds=10)
#: How far the site's clock and ours may be apart.
SKEW = timedelta(seconds=5)
#: Rows that one menu item is used on.
ROWS = 100

_SIGNATURE_HEADER = "x-sg-signature"
#: The field of a menu item's form that holds its signature, over all others.
_SIGNATURE_FIELD = "signature"
_TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"
#: What a webhook reports of itself.
_OWN_STATE = frozenset({"Test_Connection", "Webhook_Status_Change"})
_LARGEST = 2**63 - 1
_Id = Annotated[int, Field(ge=0, le=_LARGEST)]
_Name = Annotated[str, Field(max_length=200)]


def webhook_signature(token: str, body: bytes) -> str:
    """Return what `x-sg-signature` must be: HMAC-SHA1 over the body as it was sent."""
    return "sha1=" + hmac.new(token.encode(), body, hashlib.sha1).hexdigest()


def menu_signature(secret: str, fields: Mapping[str, str]) -> str:
    r"""
    Return the signature of a menu item's form.

    HMAC-SHA1 over `key=value\r\n` of every field but the signature, sorted, empty ones included
    (Autodesk, "Custom Action Menu Items", signed requests).
    """
    lines = sorted(
        f"{name}={value}\r\n" for name, value in fields.items() if name != _SIGNATURE_FIELD
    )
    return hmac.new(secret.encode(), "".join(lines).encode(), hashlib.sha1).hexdigest()


def is_same(given: str, right: str) -> bool:
    """Compare signatures in constant time; the case of their hexadecimal digits is free."""
    return hmac.compare_digest(given.strip().lower().encode(), right.encode())


class ShotGridWebhooks:
    """Reads what the site's webhooks send; implements `WebhookReader`."""

    def __init__(self, settings: Settings) -> None:
        token = settings.web.webhook_token
        self._token = token.get_secret_value() if token else ""

    def read(self, headers: Mapping[str, str], body: bytes) -> Deliveries:
        """
        Return the deliveries of a request.

        Raises:
            RequestForged: it is not signed with the webhook's token.
            RequestMalformed: it is signed, and no delivery.
        """
        given = headers.get(_SIGNATURE_HEADER, "")
        if not self._token or not given:
            raise RequestForged("There is no signature.")
        if not is_same(given, webhook_signature(self._token, body)):
            raise RequestForged("The signature is wrong.")
        return read_deliveries(body)


def read_deliveries(body: bytes) -> Deliveries:
    """
    Return what a body reports.

    Raises:
        RequestMalformed: it is no delivery.
    """
    try:
        request = _Body.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RequestMalformed(
            f"This is no delivery: {where or 'the body'}: {first['msg']}"
        ) from None
    sent_at = request.timestamp
    if sent_at.tzinfo is None:
        sent_at = sent_at.replace(tzinfo=UTC)
    items = request.data.deliveries if isinstance(request.data, _Batch) else [request.data]
    return Deliveries(sent_at=sent_at, items=tuple(_deliveries(items, sent_at)))


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


def _deliveries(items: list[_Item], sent_at: datetime) -> Iterator[Delivery]:
    for item in items:
        meta, entity = item.meta or _Meta(), item.entity or _Link()
        added = [(one.type, one.id) for one in meta.added or () if one.id is not None]
        entity_type = meta.entity_type or entity.type
        yield Delivery(
            key=_key(item, sent_at),
            kind=kind_of_delivery(
                entity_type=entity_type,
                operation=item.operation or "",
                attribute=item.attribute_name or meta.attribute_name or "",
            ),
            row=entity.id if meta.entity_id is None else meta.entity_id,
            versions=tuple(id_ for kind, id_ in added if kind == "Version")
            if entity_type == "Note"
            else (),
            project=item.project.id if item.project else None,
            own_state=item.event_type if item.event_type in _OWN_STATE else "",
        )


def _key(item: _Item, sent_at: datetime) -> str:
    # The ids in the headers are not signed: with others of them, an old body would be new.
    if item.event_log_entry_id:
        parts = (str(item.event_log_entry_id), str(item.id))
    else:
        parts = (item.model_dump_json(), sent_at.isoformat())
    return "hook/" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


class ShotGridMenu:
    """Reads the forms of the site's menu items; implements `MenuReader`."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.web.menu_secret
        self._secret = secret.get_secret_value() if secret else ""
        self._host = (settings.tracker.url.host or "").casefold().strip("[]")

    def read(self, fields: Mapping[str, str], now: datetime) -> MenuForm:
        """
        Return what a form asks for.

        Raises:
            RequestForged: it is not signed, too old, or another site's.
            RequestMalformed: it is signed, and does not say who sends it or which rows it is about.
        """
        given = fields.get(_SIGNATURE_FIELD, "")
        right = menu_signature(self._secret, fields)
        if not self._secret or not given or not is_same(given, right):
            raise RequestForged("The signature is missing or wrong.")
        try:
            sent_at = datetime.strptime(fields.get("timestamp", ""), _TIMESTAMP).replace(tzinfo=UTC)
        except ValueError:
            raise RequestMalformed("There is no timestamp.") from None
        if not now - AGE - SKEW <= sent_at <= now + SKEW:
            raise RequestForged("It is too old. Use the menu item again.")
        if _hostname(fields.get("server_hostname", "")) != self._host:
            raise RequestForged("It comes from another site.")
        login = fields.get("user_login", "")
        if not login or len(login) > 200:
            raise RequestMalformed("It does not say who sends it.")
        return MenuForm(
            entity_type=fields.get("entity_type", ""),
            ids=_ids(fields.get("selected_ids", "")),
            login=login,
            key=f"menu/{right}",
        )


def _hostname(text: str) -> str:
    try:
        return urlsplit(f"//{text.strip()}").hostname or ""
    except ValueError:
        return ""


def _ids(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    if not all(word.isascii() and word.isdecimal() and len(word) < 19 for word in words):
        raise RequestMalformed("The selected rows are no numbers.")
    if len(words) > ROWS:
        raise RequestMalformed(f"More than {ROWS} rows are selected; select fewer.")
    return tuple(dict.fromkeys(int(word) for word in words))
