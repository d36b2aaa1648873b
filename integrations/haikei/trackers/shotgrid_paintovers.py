"""What a site knows of touch-ups: who published them, and on top of what."""

from collections.abc import Iterable, Mapping, Sequence

from haikei.credits import Person
from haikei.settings import Settings
from haikei.trackers.feed import PaintOver
from haikei.trackers.shotgrid_client import CHUNK, SiteClient
from haikei.trackers.shotgrid_fields import KEY
from haikei.trackers.shotgrid_people import People
from haikei.trackers.shotgrid_record import Link, Record

_ASSIGNEES = "task.Task.task_assignees"
_FIELDS = ("created_by", _ASSIGNEES, "version", "upstream_published_files", KEY)


class PaintOvers:
    """Reads touch-up rows; one object keeps the people it has met."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._people = People(client, settings.people)

    def read(self, ids: Sequence[int]) -> Mapping[int, PaintOver]:
        """
        Return what is known of touch-up rows, less those that we published ourselves.

        Two reads for each two hundred of them, and one more for people met for the first time.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        rows = [row for row in self._rows(ids, _FIELDS) if not row.text(KEY)]
        painters = {row.id: _painter(row) for row in rows}
        links = [link for link in painters.values() if link is not None]
        people = {one.person.id: one.person for one in self._people.artists(links)}
        upstream = {row.id: _files(row) for row in rows}
        below = {file for files in upstream.values() for file in files}
        versions = {
            row.id: link.id
            for row in self._rows(sorted(below), ["version"])
            if (link := row.link("version")) is not None
        }
        return {
            row.id: PaintOver(
                artist=_person(painters[row.id], people),
                versions=_versions(row, (versions.get(file) for file in upstream[row.id])),
            )
            for row in rows
        }

    def _rows(self, ids: Sequence[int], fields: Sequence[str]) -> Sequence[Record]:
        found: list[Record] = []
        for start in range(0, len(ids), CHUNK):
            chunk = list(ids[start : start + CHUNK])
            found += self._client.find("PublishedFile", [["id", "in", chunk]], fields)
        return found


def _painter(row: Record) -> Link | None:
    """Return who published it; where a script did, who alone is assigned to its task."""
    by = row.link("created_by")
    if by is not None and by.type == "HumanUser":
        return by
    assigned = [link for link in row.links(_ASSIGNEES) if link.type == "HumanUser"]
    return assigned[0] if len(assigned) == 1 else None


def _files(row: Record) -> Sequence[int]:
    links = row.links("upstream_published_files")
    return [link.id for link in links if link.type == "PublishedFile"]


def _versions(row: Record, upstream: Iterable[int | None]) -> tuple[int, ...]:
    # The row's own Version is often the artist's, made with it; whoever asks knows which are ours.
    own = row.link("version")
    found = [version for version in upstream if version is not None]
    return tuple(dict.fromkeys(found or ([own.id] if own is not None else [])))


def _person(link: Link | None, people: Mapping[str, Person]) -> Person | None:
    return people.get(f"HumanUser:{link.id}") if link is not None else None
