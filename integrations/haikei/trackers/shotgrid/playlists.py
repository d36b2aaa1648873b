"""Playlists on a ShotGrid site."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haikei.show import Row
from haikei.trackers.contract.review import PlaylistRequest
from haikei.trackers.shotgrid.client import CHUNK, CreateRow, Filter, Record, SiteClient, UpdateRow
from haikei.trackers.shotgrid.schema import KEY

_JOIN = "PlaylistVersionConnection"
_ORDER = "sg_sort_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Join:
    """A Version's place in a playlist."""

    id: int
    version: int
    order: int | None


class ShotGridPlaylistDesk:
    """A site's playlists; implements `PlaylistDesk`."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client

    def collect(self, request: PlaylistRequest) -> Row:
        """
        Make the playlist once, add the versions that it lacks, and set their order.

        One that stands under our key, else under the name in the project, is taken. The order is
        that of the join rows: the field `versions` itself reads back in order of name.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer; collect the same again.
        """
        playlist = self._standing(request) or self._made(request)
        joins = self._joins(playlist)
        there = {join.version for join in joins}
        missing = [number for number in request.versions if number not in there]
        if missing:
            for start in range(0, len(missing), CHUNK):
                self._add(playlist, missing[start : start + CHUNK])
            joins = self._joins(playlist)
        self._sort(joins, request.versions)
        return Row(type="Playlist", id=playlist.id, name=playlist.text("code") or request.name)

    def attach(self, row: Row, file: Path, name: str) -> None:
        """
        Attach a file to a Playlist or a Note, unless one of that name is there.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer; attach the same again.
        """
        link = {"type": row.type, "id": row.id}
        standing = self._client.find(
            "Attachment",
            [["attachment_links", "is", link], ["display_name", "is", name]],
            ["display_name"],
            limit=1,
        )
        if not standing:
            self._client.attach(row.type, row.id, file, name)

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._client.close()

    def _standing(self, request: PlaylistRequest) -> Record | None:
        project: Filter = ["project", "is", _wire(request.project)]
        named: Filter = {
            "filter_operator": "any",
            "filters": [[KEY, "is", request.key], ["code", "is", request.name]],
        }
        rows = self._client.find("Playlist", [project, named], ["code", KEY])
        ours = [row for row in rows if row.text(KEY) == request.key]
        # One of the same name that carries another key of ours is another day's or kind's.
        free = [row for row in rows if not row.text(KEY)]
        return next(iter((*ours, *free)), None)

    def _made(self, request: PlaylistRequest) -> Record:
        fields: dict[str, object] = {
            "project": _wire(request.project),
            "code": request.name,
            KEY: request.key,
        }
        (made,) = self._client.batch(
            [CreateRow(type="Playlist", fields=fields, returning=("code",))]
        )
        return made

    def _add(self, playlist: Record, versions: Sequence[int]) -> None:
        links = [{"type": "Version", "id": number} for number in versions]
        # A bare list would take out what people have added.
        self._client.batch(
            [
                UpdateRow(
                    type="Playlist",
                    id=playlist.id,
                    fields={"versions": links},
                    modes={"versions": "add"},
                )
            ]
        )

    def _joins(self, playlist: Record) -> Sequence[_Join]:
        link = {"type": "Playlist", "id": playlist.id}
        rows = self._client.find(_JOIN, [["playlist", "is", link]], ["version", _ORDER])
        return [
            _Join(id=row.id, version=version.id, order=row.number(_ORDER))
            for row in rows
            if (version := row.link("version")) is not None
        ]

    def _sort(self, joins: Sequence[_Join], versions: Sequence[int]) -> None:
        ours = {number: index for index, number in enumerate(versions)}
        # What people added keeps its own order, after ours.
        last = len(ours)
        ordered = sorted(
            joins,
            key=lambda join: (
                ours.get(join.version, last),
                join.order if join.order is not None else len(joins),
                join.id,
            ),
        )
        changes = [
            UpdateRow(type=_JOIN, id=join.id, fields={_ORDER: number})
            for number, join in enumerate(ordered, start=1)
            if join.order != number
        ]
        for start in range(0, len(changes), CHUNK):
            self._client.batch(changes[start : start + CHUNK])


def _wire(row: Row) -> dict[str, object]:
    return {"type": row.type, "id": row.id}
