"""The job of a background: collect, validate, generate, extract, record, integrate."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand

if TYPE_CHECKING:
    from haikei.jobs.background.tasks import (
        STEPS_QUEUE,
        BackgroundHandlers,
        first_task,
        task_id,
    )

__all__ = ["STEPS_QUEUE", "BackgroundHandlers", "first_task", "task_id"]

# The steps import one another's results: the door loads none of them by itself.
__getattr__ = on_demand(__name__, {"haikei.jobs.background.tasks": tuple(__all__)})
