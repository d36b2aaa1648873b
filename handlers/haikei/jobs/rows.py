"""A job's row in the database, read into what the rest of Haikei speaks of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import RowMapping

from haikei.events import TouchUpPublished
from haikei.jobs.job import Job, JobKind, JobOrder, JobState, Step
from haikei.trackers import Place, PublishResult

_ORDER = TypeAdapter(JobOrder)
_TOUCH_UP = TypeAdapter(TouchUpPublished)
_RESULT = TypeAdapter(PublishResult)


def job_of(row: RowMapping | Mapping[str, Any]) -> Job:
    """Return the job that a row of `jobs` holds."""
    result = result_of(row["result_json"])
    return Job(
        key=row["key"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        step=Step(row["step"]) if row["step"] else None,
        run=row["run"],
        priority=row["priority"],
        place=Place(project=row["project"], sequence=row["sequence"], shot=row["shot"]),
        season=row["season"],
        time=row["time"],
        recipe=row["recipe"],
        layout=row["layout"],
        progress=row["progress"],
        note=row["note"],
        error=row["error"],
        error_kind=row["error_kind"],
        attempts=row["attempts"],
        version_url=result.url if result else "",
        version_code=result.version.name if result else "",
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        updated_at=row["updated_at"],
    )


def order_of(text: str) -> JobOrder:
    """Return the order that `order_json` holds."""
    return _ORDER.validate_json(text)


def order_text(order: JobOrder) -> str:
    """Return an order as `order_json` holds it."""
    return _ORDER.dump_json(order).decode()


def job_row(order: JobOrder, now: datetime) -> dict[str, object]:
    """Return the row of `jobs` with which an order begins to wait."""
    return {
        "key": order.key,
        "event_key": order.event_key,
        "state": JobState.WAITING.value,
        "step": "",
        "priority": order.priority,
        "project": order.place.project,
        "sequence": order.place.sequence,
        "shot": order.place.shot,
        "season": order.season,
        "time": order.time,
        "recipe": order.recipe,
        "layout": str(order.layout),
        "order_json": order_text(order),
        "created_at": now,
        "updated_at": now,
    }


def touch_up_of(text: str) -> TouchUpPublished:
    """Return the touch-up that `order_json` of its job, or its event, holds."""
    return _TOUCH_UP.validate_json(text)


def touch_up_text(event: TouchUpPublished) -> str:
    """Return a touch-up as `order_json` of its job holds it."""
    return _TOUCH_UP.dump_json(event).decode()


def touch_up_row(event: TouchUpPublished, priority: int, now: datetime) -> dict[str, object]:
    """Return the row of `jobs` with which a touch-up begins to wait."""
    return {
        "key": event.key,
        "event_key": event.key,
        "kind": JobKind.TOUCH_UP.value,
        "state": JobState.WAITING.value,
        "step": "",
        "priority": priority,
        "project": event.place.project,
        "sequence": event.place.sequence,
        "shot": event.place.shot,
        "season": event.season,
        "time": event.time,
        "layout": str(event.file),
        "order_json": touch_up_text(event),
        "created_at": now,
        "updated_at": now,
    }


def result_of(text: str) -> PublishResult | None:
    """Return what `result_json` holds, None before a Version stands."""
    return _RESULT.validate_json(text) if text else None


def result_text(result: PublishResult) -> str:
    """Return a result as `result_json` holds it."""
    return _RESULT.dump_json(result).decode()
