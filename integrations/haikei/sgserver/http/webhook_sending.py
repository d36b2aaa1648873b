"""
Tell webhooks what happened, as the real site does.

One delivery is tried once; a receiver that fails too often in a day gets nothing any more until
somebody enables its webhook again. Events are read in order of their ids, which here is the order
of their commits, so that none is passed over while the server runs. What happened while it did not
run is sent to nobody.
"""

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

import structlog

from haikei.sgserver.http.hooks import ACTIONS, Hook, Hooks, HookStatus
from haikei.sgserver.site import Site
from haikei.sgserver.store import Session, SqlValue
from haikei.sgserver.values import Json, moment_text, parse_moment, utc_now

if TYPE_CHECKING:
    import httpx

_log = structlog.get_logger(__name__)

BATCH = 50  #: deliveries that one request holds at most
PATIENCE = 6.0  #: seconds in which an answer must come; of a batch, at least one a delivery
UNSTABLE, FAILED = 10, 100  #: failures in a day
_DAY = 24 * 3600.0
_READ = 500
#: Bytes of one delivery above which old and new values are left out.
_LARGEST = 1_000_000


class WebhookSender:
    """
    One thread that sends.

    Args:
        site: whose events are sent.
        patience: seconds in which a receiver must answer.
    """

    def __init__(self, site: Site, *, patience: float = PATIENCE) -> None:
        self.hooks = Hooks(site)
        self._site = site
        self._patience = patience
        self._news = threading.Event()
        self._stopping = False
        self._failures: dict[str, deque[float]] = {}
        self._thread: threading.Thread | None = None
        self._last = 0

    def start(self) -> None:
        """Start the thread; only what happens from now on is sent."""
        with self._site.reading() as (session, _):
            self._last = _newest(session)
        self._site.written = self._news.set
        # A receiver that hangs must not hold the server's end up for a minute.
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the request at hand, if that is answered soon."""
        self._stopping = True
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout=self._patience)
            self._thread = None

    def test(self, hook: Hook) -> None:
        """Send what tells a receiver that it is reached."""
        with _Senders(self._patience) as senders:
            self._post(senders, hook, [_test_delivery()])

    def _run(self) -> None:
        with _Senders(self._patience) as senders:
            while not self._stopping:
                self._news.wait()
                self._news.clear()
                try:
                    self._tell(senders)
                except Exception:  # noqa: BLE001 - one strange event must not end the telling
                    _log.exception("webhooks_failed")

    def _tell(self, senders: "_Senders") -> None:
        while not self._stopping and (events := self._events()) is not None:
            # Read after the events: a webhook made before them misses none, and one that has
            # failed meanwhile gets no more.
            for hook in [hook for hook in self.hooks.all() if hook.sends]:
                self._send(senders, hook, [one for one in events if _is_for(one, hook)])

    def _events(self) -> Sequence[Mapping[str, Any]] | None:
        """Return the next events that webhooks can ask for; None when there is no event left."""
        with self._site.reading() as (session, _):
            rows = session.rows(
                "SELECT e.id, e.event_type, e.attribute_name, e.meta, e.entity, e.project, e.user, "
                'e.session_uuid, e.created_at, u.type FROM "EventLogEntry" e '
                "LEFT JOIN records u ON u.id = e.user WHERE e.id > ? ORDER BY e.id LIMIT ?",
                (self._last, _READ),
            )
        if not rows:
            return None
        self._last = int(rows[-1][0] or 0)
        return [one for row in rows if (one := _delivery(row)) is not None]

    def _send(
        self, senders: "_Senders", hook: Hook, deliveries: Sequence[Mapping[str, Any]]
    ) -> None:
        size = BATCH if hook.batch_deliveries else 1
        for start in range(0, len(deliveries), size):
            if self._stopping:
                return
            some = deliveries[start : start + size]
            if not self._post(senders, hook, some):
                hook = self._failed(hook)
                if not hook.sends:
                    return

    def _post(
        self, senders: "_Senders", hook: Hook, deliveries: Sequence[Mapping[str, Any]]
    ) -> bool:
        import httpx

        delivery = str(uuid.uuid4())
        payloads = [{**one, "delivery_id": delivery} for one in deliveries]
        data: Json = {"deliveries": payloads} if hook.batch_deliveries else payloads[0]
        stamp = moment_text(utc_now())
        body = json.dumps({"data": data, "timestamp": stamp}, ensure_ascii=False).encode()
        headers = {
            "accept": "application/json",
            "content-type": "application/json; charset=utf-8",
            "user-agent": "SG event-pipeline",
            "x-sg-webhook-id": hook.id,
            "x-sg-delivery-id": delivery,
            "x-sg-webhook-site-url": f"{self._site.base_url}/",
        }
        if hook.batch_deliveries:
            headers |= {
                "x-sg-event-batch-id": str(uuid.uuid4().int % 10**13),
                "x-sg-event-batch-size": str(len(payloads)),
                "x-sg-event-batch-index": "1",
            }
        if hook.token:
            headers["x-sg-signature"] = hook.signature(body)
        patience = max(self._patience, float(len(payloads)) if hook.batch_deliveries else 0.0)
        try:
            answer = senders.of(hook).post(
                hook.url, content=body, headers=headers, timeout=patience
            )
        except httpx.HTTPError as error:
            _log.info("webhook_unanswered", url=hook.url, reason=type(error).__name__)
            return False
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            _log.info("webhook_refused", url=hook.url, status=answer.status_code)
            return False
        return True

    def _failed(self, hook: Hook) -> Hook:
        now = time.monotonic()
        failures = self._failures.setdefault(hook.id, deque())
        failures.append(now)
        while failures[0] < now - _DAY:
            failures.popleft()
        status: HookStatus = hook.status
        if len(failures) >= FAILED:
            status = "failed"
            failures.clear()
        elif len(failures) >= UNSTABLE:
            status = "unstable"
        if status != hook.status:
            _log.warning("webhook_status", url=hook.url, status=status)
            self.hooks.mark(hook, status)
        return self.hooks.find(hook.id) or replace(hook, status="disabled")


class _Senders:
    """HTTP clients, made when they are needed: for hooks that check certificates, and others."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._open: dict[bool, httpx.Client] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._open.values():
            client.close()

    def of(self, hook: Hook) -> "httpx.Client":
        """Return the client for a webhook."""
        import httpx

        checks = hook.validate_ssl_cert
        if checks not in self._open:
            self._open[checks] = httpx.Client(
                timeout=self._patience, follow_redirects=False, verify=checks
            )
        return self._open[checks]


def _newest(session: Session) -> int:
    return session.numbers('SELECT COALESCE(MAX(id), 0) FROM "EventLogEntry"')[0]


def _is_for(delivery: Mapping[str, Any], hook: Hook) -> bool:
    project = delivery["project"]
    return hook.wants(
        _type_of(delivery["event_type"]),
        delivery["operation"],
        str(delivery["attribute_name"] or ""),
        None if project is None else project["id"],
    )


def _type_of(event_type: str) -> str:
    return event_type.partition("_")[2].rpartition("_")[0]


def _delivery(row: tuple[SqlValue, ...]) -> Mapping[str, Any] | None:
    """Return an event as webhooks tell of it; None for one that no webhook can ask for."""
    number, kind, attribute, kept, entity, project, user, page, created, user_type = row
    operation = ACTIONS.get(str(kind).rpartition("_")[2])
    loaded: object = json.loads(str(kept)) if kept else None
    if operation is None or not isinstance(loaded, dict):
        return None
    meta = cast("dict[str, Any]", loaded)
    # What a new row has from the start is part of its creation's event.
    if meta.get("in_create"):
        return None
    if entity is None:
        entity = meta.get("entity_id")
    payload: dict[str, Any] = {
        "id": f"{number}.{entity}.0",
        "event_log_entry_id": number,
        "event_type": kind,
        "operation": operation,
        "user": None if user is None else {"type": user_type, "id": user},
        "entity": None if entity is None else {"type": _type_of(str(kind)), "id": entity},
        "project": None if project is None else {"type": "Project", "id": project},
        "meta": meta,
        "created_at": _with_fraction(str(created)),
        "attribute_name": attribute,
        "session_uuid": page,
    }
    if len(json.dumps(payload, ensure_ascii=False)) > _LARGEST:
        for name in ("old_value", "new_value"):
            meta.pop(name, None)
        payload["warning"] = "The payload was too large; old_value and new_value were removed."
    return payload


def _with_fraction(text: str) -> str:
    moment = parse_moment(text) or datetime.fromtimestamp(0, UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _test_delivery() -> Mapping[str, Any]:
    return {
        "id": "0",
        "event_log_entry_id": 0,
        "event_type": "Test_Connection",
        "operation": "",
        "user": None,
        "entity": None,
        "project": None,
        "meta": {},
        "created_at": _with_fraction(moment_text(utc_now())),
        "attribute_name": None,
        "session_uuid": None,
    }
