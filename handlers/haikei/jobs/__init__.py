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
    from haikei.jobs.checkpointing import (
        Checkpointing,
        TrackerOutlet,
        outlets_of,
    )
    from haikei.jobs.contributions import (
        as_credited,
    )
    from haikei.jobs.healing import settings_changed, supersede, unplaced
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
    from haikei.jobs.oneoff import (
        OneOff,
        make_one,
    )
    from haikei.jobs.predecessors import taken
    from haikei.jobs.previews import (
        CARD,
        keep_card,
        preview_file,
        write_preview,
    )
    from haikei.jobs.recomputing import (
        Recomputed,
        answers_in_tracker,
        recompute,
        stated,
        take_answer,
    )
    from haikei.jobs.report_inputs import (
        logged_hours,
        published_files,
    )
    from haikei.jobs.table import (
        ENDED_BADLY,
        JobStore,
        job_row,
        order_of,
        order_text,
        result_of,
        result_text,
        touch_up_row,
    )
    from haikei.jobs.tools import (
        Tools,
    )

__all__ = [
    "CARD",
    "ENDED_BADLY",
    "Checkpointing",
    "Instructions",
    "Job",
    "JobKind",
    "JobOrder",
    "JobState",
    "JobStore",
    "OneOff",
    "Recomputed",
    "Refusal",
    "RetakeOrder",
    "Step",
    "Tools",
    "TouchUpOrder",
    "TrackerOutlet",
    "Turn",
    "add_job",
    "answers_in_tracker",
    "as_credited",
    "job_row",
    "keep_card",
    "logged_hours",
    "make_one",
    "oldest_undispatched",
    "order_of",
    "order_text",
    "outlets_of",
    "preview_file",
    "published_files",
    "receive",
    "receive_all",
    "received",
    "recompute",
    "refusal_key",
    "refuse",
    "result_of",
    "result_text",
    "settings_changed",
    "stated",
    "supersede",
    "take_answer",
    "taken",
    "taker",
    "touch_up_row",
    "undispatched",
    "unplaced",
    "write_preview",
]

# The command line reads states and orders at once, and loads the database only when needed.
__getattr__ = on_demand(
    __name__,
    {
        "haikei.jobs.checkpointing": (
            "Checkpointing",
            "TrackerOutlet",
            "outlets_of",
        ),
        "haikei.jobs.contributions": ("as_credited",),
        "haikei.jobs.healing": ("settings_changed", "supersede", "unplaced"),
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
        "haikei.jobs.oneoff": (
            "OneOff",
            "make_one",
        ),
        "haikei.jobs.predecessors": ("taken",),
        "haikei.jobs.previews": (
            "CARD",
            "keep_card",
            "preview_file",
            "write_preview",
        ),
        "haikei.jobs.recomputing": (
            "Recomputed",
            "answers_in_tracker",
            "recompute",
            "stated",
            "take_answer",
        ),
        "haikei.jobs.report_inputs": (
            "logged_hours",
            "published_files",
        ),
        "haikei.jobs.table": (
            "ENDED_BADLY",
            "JobStore",
            "job_row",
            "order_of",
            "order_text",
            "result_of",
            "result_text",
            "touch_up_row",
        ),
        "haikei.jobs.tools": ("Tools",),
    },
)
