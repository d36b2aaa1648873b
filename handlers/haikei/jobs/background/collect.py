"""Collect: the layout's place, people and task in the tracker, read when the job starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import update

from haikei.database import jobs, utc_now
from haikei.errors import PlaceUnknown, PolicyRefusal
from haikei.generators import variant_seed
from haikei.jobs.inbox import add_job
from haikei.jobs.job import JobOrder
from haikei.jobs.table import job_row, order_text
from haikei.jobs.tools import Tools
from haikei.presets import SEASON_WORDS, TIME_WORDS, recipe, season_or_time
from haikei.settings import Route, Settings, Variant
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

    From here on the place is spelt as the tracker does, whatever the path was, and every path that
    the job will write is known to be possible: no picture is made that cannot be published.

    Raises:
        PathRefused: the layout is below no storage root, or a name cannot stand in a path.
        PolicyRefusal: no route takes the completed place, or the one that does has no variant left.
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
    completed, more = _routed(order, place, tools.settings)
    completed = _as_the_tracker_has_it(completed, context, tools.settings)
    more = tuple(_as_the_tracker_has_it(one, context, tools.settings) for one in more)
    if completed.stream != order.stream:
        context = tools.tracker().context(replace(request, stream=completed.stream))
    for one in (completed, *more):
        _require_paths(place, one, tools)
    if completed != order:
        _complete(completed, more, context.episode, tools)
    return Collected(layout=layout, context=context)


def _require_paths(place: Place, order: JobOrder, tools: Tools) -> None:
    storage = tools.storage
    lacking = storage.lacking(place)
    if lacking:
        names = " and ".join(lacking)
        tokens = ", ".join(f"{{{name}}}" for name in lacking)
        raise PlaceUnknown(
            f"The {names} of {place.name} is known neither from the path of {order.layout.name} "
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


def _routed(
    order: JobOrder, place: Place, settings: Settings
) -> tuple[JobOrder, tuple[JobOrder, ...]]:
    """
    Return an order as the route of its completed place has it, and orders that are new by it.

    Routes are chosen by what a path says; where the tracker says more, as the sequence, another
    one may take the layout. Its variants take the places of the first route's, each its own.
    """
    moved = replace(order, place=place)

    def found(where: Place, *, any_: bool = False) -> Route | None:
        return settings.route(
            project=where.project, sequence=where.sequence, shot=where.shot, may_be_of_any=any_
        )

    before, after = found(order.place, any_=True), found(place)
    if order.retake is not None or place == order.place or (before == after and before):
        return moved, ()
    where = place.name
    if after is None:
        raise PolicyRefusal(
            f"No route in the settings takes {where}, where the tracker has {order.layout.name}.",
            advice="Add one to [[routes]], then retry the job.",
        )
    had = () if before is None else before.variants
    own = Variant.model_validate({"season": order.season, "time": order.time})
    fresh = [one for one in after.variants if one not in had]
    freed = [one for one in had if one not in after.variants]
    if own not in after.variants:
        at = freed.index(own) if own in freed else len(freed)
        if at >= len(fresh):
            raise PolicyRefusal(
                f"{order.layout.name} is in {where}, as the tracker says and its path does not; "
                f"the route of that place makes no {order.season} {order.time}.",
                advice="Skip the job, or add the variant to the route and retry the job.",
            )
        own = fresh[at]
    # One job alone, that of the first variant, adds those for which there are no jobs.
    first = not had or (order.season, order.time) == (had[0].season, had[0].time)
    return _by(moved, after, own), tuple(
        _by(
            replace(moved, key=f"{order.event_key}-{after.recipe}-{one.season}-{one.time}"),
            after,
            one,
        )
        for one in (fresh[len(freed) :] if first else ())
    )


def _as_the_tracker_has_it(order: JobOrder, context: LayoutContext, settings: Settings) -> JobOrder:
    """
    Return an order with what the tracker's fields say of the cut.

    They give the season and the time of day where the route leaves them open; a retake keeps those
    that it goes on from, or asks for.
    """
    cut, place = context.cut, order.place
    order = replace(order, cut=cut)
    route = settings.route(project=place.project, sequence=place.sequence, shot=place.shot)
    if route is None or order.retake is not None:
        return order
    season, time = order.season, order.time
    if cut.season and route.leaves_season:
        season = _moment(cut.season, SEASON_WORDS, "season", order)
    if cut.time and route.leaves_time:
        time = _moment(cut.time, TIME_WORDS, "time", order)
    location = f"{place.project}/{cut.location}" if cut.location else ""
    return replace(
        order,
        season=season,
        time=time,
        seed=variant_seed(
            route,
            order.layout_sha256,
            Variant.model_validate({"season": season, "time": time}),
            location=location,
        ),
    )


def _moment(text: str, words: Mapping[str, tuple[str, ...]], name: str, order: JobOrder) -> str:
    found = season_or_time(text, words)
    if not found:
        raise PlaceUnknown(
            f"The tracker says {text!r} for the {name} of {order.place.name}, which is none of "
            f"{', '.join(words)}, or more than one.",
            advice=f"Correct the field (tracker.cut_fields.{name}), or name the seasons and times "
            "in the route; then retry the job.",
        )
    return found


def _by(order: JobOrder, route: Route, variant: Variant) -> JobOrder:
    return replace(
        order,
        recipe=route.recipe,
        season=variant.season,
        time=variant.time,
        place_hint=route.place,
        priority=route.priority,
        seed=variant_seed(route, order.layout_sha256, variant),
    )


def _complete(order: JobOrder, more: Sequence[JobOrder], episode: str, tools: Tools) -> None:
    # Records and pages identify a cut by the tracker's names: an episode that only a path gives is
    # another spelling of it, which other sources need not share.
    place = order.place
    with tools.database.begin() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.key == order.key)
            .values(
                project=place.project,
                episode=episode,
                sequence=place.sequence,
                shot=place.shot,
                season=order.season,
                time=order.time,
                recipe=order.recipe,
                order_json=order_text(order),
                updated_at=utc_now(),
            )
        )
        for one in more:
            add_job(connection, {**job_row(one, utc_now()), "episode": episode})
