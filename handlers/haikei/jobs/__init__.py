"""The durable job: from an event to a Version in review, one step at a time."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.jobs.job import (
    Instructions,
    Job,
    JobKind,
    JobOrder,
    JobState,
    RetakeOrder,
    Step,
    TouchUpOrder,
    Turn,
)

if TYPE_CHECKING:
    from haikei.jobs.healing import settings_changed, supersede, taken, unplaced
    from haikei.jobs.inbox import (
        Refusal,
        add_job,
        oldest_undispatched,
        receive,
        receive_all,
        received,
        refusal_key,
        refuse,
        taker,
        undispatched,
    )
    from haikei.jobs.table import (
        ENDED_BADLY,
        JobStore,
        begin_anew,
        end_published,
        job_row,
        order_of,
        order_text,
        result_of,
        result_text,
        touch_up_row,
    )

__all__ = [
    "ENDED_BADLY",
    "Instructions",
    "Job",
    "JobKind",
    "JobOrder",
    "JobState",
    "JobStore",
    "Refusal",
    "RetakeOrder",
    "Step",
    "TouchUpOrder",
    "Turn",
    "add_job",
    "begin_anew",
    "end_published",
    "job_row",
    "oldest_undispatched",
    "order_of",
    "order_text",
    "receive",
    "receive_all",
    "received",
    "refusal_key",
    "refuse",
    "result_of",
    "result_text",
    "settings_changed",
    "supersede",
    "taken",
    "taker",
    "touch_up_row",
    "undispatched",
    "unplaced",
]

# The command line reads states and orders at once, and loads the database only when needed.
__getattr__ = on_demand(
    __name__,
    {
        "haikei.jobs.healing": (
            "settings_changed",
            "supersede",
            "taken",
            "unplaced",
        ),
        "haikei.jobs.inbox": (
            "Refusal",
            "add_job",
            "oldest_undispatched",
            "receive",
            "receive_all",
            "received",
            "refusal_key",
            "refuse",
            "taker",
            "undispatched",
        ),
        "haikei.jobs.table": (
            "ENDED_BADLY",
            "JobStore",
            "begin_anew",
            "end_published",
            "job_row",
            "order_of",
            "order_text",
            "result_of",
            "result_text",
            "touch_up_row",
        ),
    },
)
