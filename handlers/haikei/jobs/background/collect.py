"""Collect: the layout's place, people and task in the tracker, read when the job starts."""

from dataclasses import dataclass

from haikei.jobs.job import JobOrder
from haikei.jobs.tools import Tools
from haikei.show import StoredFile
from haikei.trackers import ContextRequest, LayoutContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A layout in its place in the show."""

    layout: StoredFile
    context: LayoutContext


def collect(order: JobOrder, tools: Tools) -> Collected:
    """
    Return the layout's place, people and task.

    Raises:
        PathRefused: the layout is below no storage root.
        PlaceUnknown: the project or shot is not in the tracker.
        TrackerError: the tracker does not answer, or refuses.
    """
    layout = tools.storage.stored(order.layout, order.layout_sha256)
    request = ContextRequest(
        place=order.place,
        layout=layout,
        published_file=order.published_file,
        stream=order.stream,
    )
    return Collected(layout=layout, context=tools.tracker().context(request))
