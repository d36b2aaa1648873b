"""Collect: the layout's place, people and task in the tracker, read when the job starts."""

from dataclasses import dataclass, replace

from sqlalchemy import update

from haikei.database import jobs, utc_now
from haikei.errors import PlaceUnknown
from haikei.jobs.job import JobOrder
from haikei.jobs.table import order_text
from haikei.jobs.tools import Tools
from haikei.presets import recipe
from haikei.show import Place, StoredFile
from haikei.trackers import ContextRequest, LayoutContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A layout in its place in the show."""

    layout: StoredFile
    context: LayoutContext


def collect(order: JobOrder, tools: Tools) -> Collected:
    """
    Return the layout's place, people and task, and complete the place in the job's order.

    From here on the place is spelt as the tracker does, whatever the path said, and every path that
    the job will write is known to be possible: no picture is made that cannot be published.

    Raises:
        PathRefused: the layout is below no storage root, or a name cannot stand in a path.
        PlaceUnknown: the project or shot is not in the tracker, or the storage's templates need
            what nothing says.
        TrackerError: the tracker does not answer, or refuses.
    """
    layout = tools.storage.stored(order.layout, order.layout_sha256)
    request = ContextRequest(
        place=order.place,
        layout=layout,
        published_file=order.published_file,
        stream=order.stream,
    )
    context = tools.tracker().context(request)
    place = context.completed(order.place)
    _require_paths(place, order, tools)
    if place != order.place:
        _complete(replace(order, place=place), tools)
    return Collected(layout=layout, context=context)


def _require_paths(place: Place, order: JobOrder, tools: Tools) -> None:
    storage = tools.storage
    lacking = storage.lacking(place)
    if lacking:
        names = " and ".join(lacking)
        tokens = ", ".join(f"{{{name}}}" for name in lacking)
        raise PlaceUnknown(
            f"The {names} of {place.shot} is known neither from the path of {order.layout.name} "
            f"nor from the tracker, and the templates of [storage] need {tokens}.",
            advice=f"Link the shot to its {lacking[0]} in the tracker (an episode also needs "
            f"tracker.episode_field), or put {tokens} into the template of the watched folder, or "
            f"write [{{{lacking[0]}}}/] in [storage]; then retry the job.",
        )
    season, time = order.season, order.time
    storage.background_path(place=place, season=season, time=time, version=1)
    ext = order.layout.suffix.removeprefix(".") or None
    storage.touch_up_path(place=place, season=season, time=time, version=1, ext=ext or "png")
    for stage in recipe(tools.settings, order.recipe).stages:
        storage.stage_path(place=place, season=season, time=time, version=1, stage=stage.name)
    storage.stage_path(place=place, season=season, time=time, version=1, stage="layout", ext=ext)


def _complete(order: JobOrder, tools: Tools) -> None:
    place = order.place
    with tools.database.begin() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.key == order.key)
            .values(
                project=place.project,
                sequence=place.sequence,
                shot=place.shot,
                order_json=order_text(order),
                updated_at=utc_now(),
            )
        )
