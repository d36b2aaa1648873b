"""Checkpoints go to the tracker: a field of each show's Project, which everyone on it sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from typing_extensions import override

from haikei.credits import records
from haikei.database import reading
from haikei.errors import HistoryChanged, OutletUnavailable, ProofInvalid, TrackerError
from haikei.ledger.checkpoint import Checkpoint, SignedCheckpoint, read_checkpoint
from haikei.ledger.outlet import Outlet
from haikei.trackers import CheckpointBoard

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerOutlet(Outlet):
    """
    The newest checkpoint on each project that has records.

    A project has room for one: older heads stand in the history that the tracker keeps of it.
    """

    board: CheckpointBoard
    database: Engine

    @property
    @override
    def name(self) -> str:
        return "tracker"

    @override
    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        projects = self._projects()
        if not checkpoints or not projects:
            return
        newest = max(checkpoints, key=lambda one: one.checkpoint.size)
        standing = self._standing()
        for project, (said, _) in standing.items():
            _refuse_another_history(project, said, checkpoints)
        # A token that came late sends an old head again: a newer one stays.
        behind = [
            project
            for project in projects
            if project not in standing or not _covers(standing[project][0], newest.checkpoint)
        ]
        missing = self._post(dict.fromkeys(behind, newest.note))
        if len(missing) == len(projects):
            raise OutletUnavailable(
                f"The tracker has none of the projects {', '.join(projects)}.",
                advice="Look at their names in the tracker, or set ledger.tracker_field to false.",
            )
        if missing:
            log.warning("checkpoint_without_project", projects=missing)

    @override
    def held(self) -> Sequence[int]:
        return sorted({said.size for said, _ in self._standing().values()})

    @override
    def read(self, size: int) -> str:
        for said, note in self._standing().values():
            if said.size == size:
                return note
        raise OutletUnavailable(f"No project of the tracker shows the checkpoint {size} any more.")

    def _projects(self) -> tuple[str, ...]:
        with reading(self.database) as connection:
            return records.projects(connection)

    def _standing(self) -> Mapping[str, tuple[Checkpoint, str]]:
        """Return what projects show now, by project; what is no checkpoint is left out."""
        try:
            posted = self.board.posted(self._projects())
        except TrackerError as error:
            raise _away(error) from error
        standing: dict[str, tuple[Checkpoint, str]] = {}
        for project, note in posted.items():
            try:
                standing[project] = (read_checkpoint(note), note)
            except ProofInvalid as error:
                log.warning("checkpoint_outside_unreadable", project=project, error=str(error))
        return standing

    def _post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        try:
            return self.board.post(notes)
        except TrackerError as error:
            raise _away(error) from error


def _refuse_another_history(
    project: str, said: Checkpoint, checkpoints: Sequence[SignedCheckpoint]
) -> None:
    for one in checkpoints:
        ours = one.checkpoint
        if (ours.origin, ours.size) == (said.origin, said.size) and ours.root != said.root:
            raise HistoryChanged(
                f"The project {project} shows another checkpoint of {said.size} entries than ours.",
                advice="Keep both, and find out who wrote it: docs/ledger.md.",
            )


def _covers(said: Checkpoint, ours: Checkpoint) -> bool:
    return said.origin == ours.origin and said.size >= ours.size


def _away(error: TrackerError) -> OutletUnavailable:
    return OutletUnavailable(
        f"The tracker does not take the checkpoint: {error.message}", advice=error.advice
    )
