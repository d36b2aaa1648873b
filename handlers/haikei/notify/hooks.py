"""
Outgoing webhooks: programs of the studio receive at once what happens, signed, until they take it.

What is to be sent is noted in the database first, once for each hook, so that a process that dies
loses nothing. A receiver may get a delivery twice, with the same id.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, RowMapping, Select, delete, func, literal, select, update
from sqlalchemy import String as Text
from sqlalchemy import cast as as_type

from haikei.addresses import destination
from haikei.database import backgrounds, hook_deliveries, hooks, inserting, jobs, reading, reviews
from haikei.errors import NotificationUnsent, SettingsError
from haikei.names import plain_name, plain_names
from haikei.notify.notice import Notice, NoticeKind, note
from haikei.printable import escaped
from haikei.retry_after import seconds_to_wait
from haikei.settings import Hook, HookEvent, Settings

log = structlog.get_logger()

#: Seconds in which a receiver must answer, and after which a delivery that was begun is begun anew.
TIMEOUT, LEASE = 10.0, 300.0
#: Seconds before a delivery is tried again, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 7200.0
#: Deliveries that one hook gets in one round, and things that are noted at once.
ROUND, _BATCH = 25, 500
#: How far back things are looked for, how long it is kept what was sent, and how long it is tried.
REACH, KEPT, TRIED = timedelta(days=7), timedelta(days=15), timedelta(days=3)
#: What names a thing that happened, in a row of a query.
_KEY = "key_of_the_event"
_WAITING, _SENT, _GIVEN_UP = "waiting", "sent", "dead"
_columns, _hooks = hook_deliveries.c, hooks.c


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """One thing to tell one hook."""

    key: str
    event: str
    body: str
    attempts: int


class HookSender:
    """
    Tells hooks; of several senders, one at a time uses each hook.

    Args:
        settings: the studio's.
        database: the studio's own.
    """

    def __init__(self, settings: Settings, database: Engine) -> None:
        self._settings = settings
        self._database = database
        self._tries = settings.notifications.hook_tries
        self._usable = list(_usable(settings))
        # httpx writes the whole address of every request into its log.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    def tick(self, now: datetime) -> int:
        """Note what happened, and deliver what is due; return how much was delivered."""
        count = 0
        for hook, secret in self._usable:
            gather(self._database, hook, self._settings.studio.name, now)
            count += self._deliver(hook, secret, now)
        return count

    def _deliver(self, hook: Hook, secret: SecretStr, now: datetime) -> int:
        with reading(self._database) as connection:
            free = select(_hooks.name).where(_hooks.name == hook.name, _hooks.next_at <= now)
            if not connection.execute(free).first() or not _due(connection, hook, now):
                return 0
        with self._database.begin() as connection:
            taken = connection.execute(
                update(hooks)
                .where(_hooks.name == hook.name, _hooks.next_at <= now)
                .values(next_at=now + timedelta(seconds=LEASE))
            )
            due = _due(connection, hook, now) if taken.rowcount == 1 else ()
        for count, delivery in enumerate(due):
            try:
                send(hook, secret, delivery.key, delivery.event, delivery.body.encode(), now)
            except NotificationUnsent as error:
                self._put_off(hook, delivery, error, now)
                return count
            with self._database.begin() as connection:
                _note(connection, hook, delivery.key, state=_SENT, error="")
        if taken.rowcount == 1:
            with self._database.begin() as connection:
                _rest(connection, hook, next_at=now, failures=0, error="")
            log.info("hook_told", hook=hook.name, deliveries=len(due))
        return len(due)

    def _put_off(
        self, hook: Hook, delivery: _Delivery, error: NotificationUnsent, now: datetime
    ) -> None:
        """Try it later, and leave the hook alone for a while; or give the delivery up."""
        attempts = delivery.attempts + 1
        log.warning("hook_not_told", hook=hook.name, error=error.message, attempts=attempts)
        with self._database.begin() as connection:
            values: dict[str, object] = {"attempts": attempts, "error": error.message}
            values["try_at"] = now + timedelta(seconds=_pause(attempts, error.retry_after))
            _note(connection, hook, delivery.key, **values)
            query = select(_hooks.failures).where(_hooks.name == hook.name)
            failures = connection.execute(query).scalar_one() + 1
            rest = now + timedelta(seconds=_pause(failures, error.retry_after))
            _rest(connection, hook, next_at=rest, failures=failures, error=error.message)
            hopeless = (_columns.attempts >= self._tries) | (_columns.noted_at < now - TRIED)
            given_up = connection.execute(
                update(hook_deliveries)
                .where(_columns.hook == hook.name, _columns.state == _WAITING, hopeless)
                .values(state=_GIVEN_UP)
            ).rowcount
            if given_up:
                # One message a day: when a program is gone, all that waits for it is given up.
                text = (
                    f"The hook {hook.name} did not take what it was told ({given_up} deliveries, "
                    f"the last try was {delivery.event}): {error.message}"
                )
                key = f"hook/{hook.name}/{now:%Y-%m-%d}"
                note(connection, Notice(key=key, kind=NoticeKind.HOOK, text=text), at=now)


def send(hook: Hook, secret: SecretStr, key: str, event: str, body: bytes, now: datetime) -> None:
    """
    Deliver one body, signed.

    Raises:
        NotificationUnsent: it is not taken, or the hook leads where it should not.
    """
    import httpx

    host = hook.url.host or ""
    require_public(hook)
    stamp = str(int(now.timestamp()))
    headers = {
        "content-type": "application/json",
        "user-agent": "haikei",
        "haikei-event": event,
        "haikei-delivery": delivery_id(hook, key),
        "haikei-timestamp": stamp,
        "haikei-signature": sign(secret, stamp, body),
    }
    # Redirects are not followed: they could lead anywhere. This machine is asked without a proxy.
    with httpx.Client(
        timeout=TIMEOUT, follow_redirects=False, trust_env=not hook.loopback
    ) as client:
        try:
            # The answer's body is not read: a receiver may send one without end.
            with client.stream("POST", str(hook.url), content=body, headers=headers) as answer:
                status, wait = answer.status_code, answer.headers.get("retry-after")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Not chained: the library's errors carry the request, and with it the address.
            raise NotificationUnsent(f"{host} gives no answer ({type(error).__name__}).") from None
    if not 200 <= status < 300:
        after = seconds_to_wait(wait, most=LONGEST_PAUSE)
        raise NotificationUnsent(f"{host} answered with {status}.", retry_after=after)


def sign(secret: SecretStr, stamp: str, body: bytes) -> str:
    """Return the signature of a delivery: HMAC-SHA256 over its time stamp, a dot and its bytes."""
    key = secret.get_secret_value().encode()
    return "v1=" + hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def delivery_id(hook: Hook, key: str) -> str:
    """Return what names a delivery: the same at each try."""
    return hashlib.sha256(f"{hook.name}\0{key}".encode()).hexdigest()[:32]


def require_public(hook: Hook) -> None:
    """
    Do nothing unless a hook leads where only this machine, or its cloud, should be asked.

    Raises:
        NotificationUnsent: it does, or has no address.
    """
    host = hook.url.host or ""
    if hook.loopback:
        return
    where = destination(host, hook.url.port, private=hook.private)
    if where.private:
        raise NotificationUnsent(
            where.fault, advice="If that is meant, set private = true for this hook."
        )
    if where.fault:
        raise NotificationUnsent(where.fault)


def hook_secret(settings: Settings, hook: Hook) -> SecretStr:
    """
    Return the secret with which a hook's deliveries are signed.

    Raises:
        SettingsError: there is none, or it is too short to be one.
    """
    secret = settings.notifications.hook_secret
    if hook.secret_file is not None:
        try:
            secret = SecretStr(hook.secret_file.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"The secret of the hook {hook.name} cannot be read: {error}."
            ) from error
    if secret is None or len(secret.get_secret_value()) < 16:
        raise SettingsError(
            f"The hook {hook.name} has no secret of at least 16 characters, and is not told.",
            advice="Set HAIKEI_NOTIFICATIONS__HOOK_SECRET, or the hook's secret_file.",
        )
    return secret


def _usable(settings: Settings) -> Iterator[tuple[Hook, SecretStr]]:
    for hook in settings.notifications.hooks:
        try:
            yield hook, hook_secret(settings, hook)
        except SettingsError as error:
            log.error("hook_unusable", error=str(error))  # noqa: TRY400 - no crash


def gather(database: Engine, hook: Hook, studio: str, now: datetime) -> None:
    """Note what happened since the hook was first seen, once each."""
    with reading(database) as connection:
        query = select(_hooks.since).where(_hooks.name == hook.name)
        began = connection.execute(query).scalar()
        since = max(began or now, now - REACH)
        found = [row for event in hook.on for row in _news(connection, hook, event, since)]
    if began is not None and not found:
        return
    wanted = plain_names(hook.projects)
    common = {"hook": hook.name, "noted_at": now, "try_at": now, "attempts": 0, "error": ""}
    rows = [
        {
            **common,
            "key": row[_KEY],
            "event": event.value,
            "body": _body(event, studio, row, now),
            "state": _WAITING if not wanted or plain_name(row["project"]) in wanted else _SENT,
        }
        for event, row in found
    ]
    with database.begin() as connection:
        connection.execute(
            inserting(connection, hooks).on_conflict_do_nothing(index_elements=["name"]),
            {"name": hook.name, "since": now, "next_at": now, "failures": 0, "error": ""},
        )
        if rows:
            connection.execute(
                inserting(connection, hook_deliveries).on_conflict_do_nothing(), rows
            )
        over = (_columns.state != _WAITING) & (_columns.noted_at < now - KEPT)
        connection.execute(delete(hook_deliveries).where(_columns.hook == hook.name, over))


def _news(
    connection: Connection, hook: Hook, event: HookEvent, since: datetime
) -> list[tuple[HookEvent, RowMapping]]:
    key, query = _QUERIES[event](since)
    known = select(_columns.key).where(_columns.hook == hook.name, _columns.key == key)
    rows = connection.execute(query.where(~known.exists()).limit(_BATCH)).mappings()
    return [(event, row) for row in rows]


def _body(event: HookEvent, studio: str, row: RowMapping, now: datetime) -> str:
    data = {str(name): value for name, value in row.items() if name != _KEY}
    at = data.pop("at") or now
    body = {"event": event.value, "studio": studio, "at": at.isoformat(), "data": data}
    return escaped(json.dumps(body, ensure_ascii=False))


_Rows = Select[*tuple[Any, ...]]
_Query = tuple[Any, _Rows]


def _jobs(since: datetime, key: Any, at: Any, *wanted: Any) -> _Query:
    columns = jobs.c
    query = select(
        key.label(_KEY),
        columns.key.label("job"),
        columns.event_key.label("submission"),
        columns.kind,
        columns.state,
        columns.step,
        columns.project,
        columns.episode,
        columns.sequence,
        columns.shot,
        columns.season,
        columns.time,
        columns.layout,
        columns.error,
        columns.error_kind,
        at.label("at"),
    )
    query = query.where(columns.updated_at >= since, at >= since, *wanted).order_by(columns.id)
    return key, query


def _made(since: datetime) -> _Query:
    columns = jobs.c
    return _jobs(since, "job_made/" + columns.key, columns.created_at, columns.step != "detect")


def _ended(event: HookEvent) -> Callable[[datetime], _Query]:
    def query(since: datetime) -> _Query:
        columns = jobs.c
        key = literal(f"{event.value}/") + columns.key + "/" + as_type(columns.run, Text)
        refused = columns.step == "detect"
        wanted = refused if event is HookEvent.REFUSED else ~refused
        return _jobs(since, key, columns.updated_at, columns.state == "dead", wanted)

    return query


def _versions(at: Any, key: Any, *more: Any) -> _Rows:
    columns = backgrounds.c
    return select(
        key.label(_KEY),
        columns.key.label("version"),
        columns.code,
        columns.project,
        columns.episode,
        columns.sequence,
        columns.shot,
        columns.season,
        columns.time,
        columns.version.label("number"),
        columns.url,
        at.label("at"),
        *more,
    )


def _in_review(since: datetime) -> _Query:
    columns = backgrounds.c
    key = literal("in_review/") + columns.key
    query = _versions(columns.created_at, key).where(
        columns.created_at >= since, columns.state == "in_review", columns.tracker_id.is_not(None)
    )
    return key, query.order_by(columns.created_at)


def _decided(since: datetime) -> _Query:
    columns = reviews.c
    moment = func.coalesce(as_type(columns.decided_at, Text), "")
    key = literal("decided/") + columns.background_key + "/" + columns.decision + "/" + moment
    query = (
        _versions(columns.decided_at, key, columns.decision, columns.decided_by)
        .join(reviews, columns.background_key == backgrounds.c.key)
        .where(columns.updated_at >= since, columns.decided_at.is_not(None))
    )
    return key, query.order_by(columns.updated_at)


_QUERIES: Mapping[HookEvent, Callable[[datetime], _Query]] = {
    HookEvent.JOB_MADE: _made,
    HookEvent.IN_REVIEW: _in_review,
    HookEvent.DECIDED: _decided,
    HookEvent.REFUSED: _ended(HookEvent.REFUSED),
    HookEvent.DEAD: _ended(HookEvent.DEAD),
}


def _due(connection: Connection, hook: Hook, now: datetime) -> tuple[_Delivery, ...]:
    """Return what may be sent now; what failed comes after what was not tried yet."""
    query = select(_columns.key, _columns.event, _columns.body, _columns.attempts).where(
        _columns.hook == hook.name, _columns.state == _WAITING, _columns.try_at <= now
    )
    order = _columns.attempts, _columns.noted_at, _columns.key
    return tuple(
        _Delivery(key=row.key, event=row.event, body=row.body, attempts=row.attempts)
        for row in connection.execute(query.order_by(*order).limit(ROUND))
    )


def _note(connection: Connection, hook: Hook, key: str, **values: object) -> None:
    here = (_columns.hook == hook.name) & (_columns.key == key)
    connection.execute(update(hook_deliveries).where(here).values(**values))


def _rest(connection: Connection, hook: Hook, **values: object) -> None:
    connection.execute(update(hooks).where(_hooks.name == hook.name).values(**values))


def _pause(failures: int, asked: float | None) -> float:
    return asked or min(FIRST_PAUSE * 2 ** min(failures - 1, 20), LONGEST_PAUSE)
