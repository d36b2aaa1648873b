"""The durable job: from an event to a Version in review, one step at a time."""

from haikei.jobs.job import Job, JobOrder, JobState, Step

__all__ = ["Job", "JobOrder", "JobState", "Step"]
