"""Upkeep: remove what jobs leave behind, once nothing uses it."""

import shutil
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Engine as Database
from sqlalchemy import select

from haikei.database import jobs, reading, utc_now
from haikei.errors import StorageError
from haikei.jobs.engine.port import Engine
from haikei.jobs.job import JobState
from haikei.jobs.tools import Tools

log = structlog.get_logger()

#: Days for which the engine remembers ended tasks; the jobs' table remembers for ever.
REMEMBER_DAYS = 14
#: Folders of jobs in these states hold nothing that is used again.
_SETTLED = (JobState.DONE.value, JobState.SKIPPED.value)
_BATCH = 500


class Upkeep:
    """Removes temporary files of killed publishers, folders of settled jobs and ended tasks."""

    def __init__(self, tools: Tools, database: Database, engine: Engine) -> None:
        self._tools = tools
        self._database = database
        self._engine = engine

    def run(self) -> None:
        """Do all of it once; a mount that is away is left for the next time."""
        self.clear_storage()
        self.clear_folders()
        self._engine.forget(utc_now() - timedelta(days=REMEMBER_DAYS))

    def clear_storage(self) -> None:
        """Remove temporary files that killed publishers left below the storage root."""
        try:
            removed = self._tools.storage.sweep()
        except StorageError as error:
            log.warning("storage_not_swept", error=str(error))
            return
        if removed:
            log.info("temporary_files_removed", count=len(removed))

    def clear_folders(self) -> int:
        """
        Remove the folders of jobs that are done or skipped; return how many.

        Dead and cancelled jobs keep theirs: a retry uses the pictures in it.
        """
        if not self._tools.folders.is_dir():
            return 0
        names = sorted(path.name for path in self._tools.folders.iterdir() if path.is_dir())
        settled: list[str] = []
        for start in range(0, len(names), _BATCH):
            settled += self._settled(names[start : start + _BATCH])
        for key in settled:
            shutil.rmtree(self._tools.folder(key), ignore_errors=True)
        return len(settled)

    def _settled(self, keys: Sequence[str]) -> Sequence[str]:
        query = select(jobs.c.key).where(jobs.c.key.in_(keys), jobs.c.state.in_(_SETTLED))
        with reading(self._database) as connection:
            return list(connection.execute(query).scalars())
