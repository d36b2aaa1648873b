"""The ledger's newest head, in a field of a ShotGrid site's projects."""

from collections.abc import Mapping, Sequence

from haikei.trackers.shotgrid_client import SiteClient, UpdateRow
from haikei.trackers.shotgrid_fields import CHECKPOINT
from haikei.trackers.shotgrid_projects import find_projects


class ShotGridCheckpointBoard:
    """The projects' checkpoint field."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client

    def post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        """
        Write notes into projects; return the names of projects that the site does not have.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        found = find_projects(self._client, list(notes), (CHECKPOINT,))
        self._client.batch(
            [
                UpdateRow(type=row.type, id=row.id, fields={CHECKPOINT: notes[name]})
                for name, rows in found.items()
                for row in rows
                if _note(row.text(CHECKPOINT)) != _note(notes[name])
            ]
        )
        return tuple(name for name in notes if name not in found)

    def posted(self, projects: Sequence[str]) -> Mapping[str, str]:
        """
        Return the notes that stand on projects, those without one left out.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        found = find_projects(self._client, projects, (CHECKPOINT,))
        return {
            name: _note(row.text(CHECKPOINT))
            for name, rows in found.items()
            for row in rows
            if row.filled(CHECKPOINT)
        }

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._client.close()


def _note(text: str) -> str:
    # A site trims what it keeps; a signed note ends in a line break.
    return f"{text.strip()}\n"
