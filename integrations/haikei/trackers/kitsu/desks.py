"""Credits, hours, playlists and the ledger's head on a Kitsu server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.names import same_name
from haikei.show import Row
from haikei.trackers.contract.credits import CreditRow, CreditsWritten, TimeSpent
from haikei.trackers.contract.review import PlaylistRequest
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.people import KitsuPeople
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.publishing import CREDIT_FIELD
from haikei.trackers.kitsu.rows import (
    CommentRow,
    EntityRow,
    OutputRow,
    PlaylistRow,
    PreviewRow,
    TaskRow,
    TimeRow,
    TypeRow,
)
from haikei.trackers.kitsu.versions import KitsuVersions, key_link, mark_of, read_task, stated

#: Where a production keeps the ledger's newest head.
HEAD_FIELD = "haikei_ledger_head"
_PLAYLIST = "Playlist"


class KitsuCreditDesk:
    """Implements `CreditDesk`."""

    def __init__(
        self, site: KitsuSite, places: KitsuPlaces, people: KitsuPeople, numbering: Numbering
    ) -> None:
        self._site = site
        self._places = places
        self._people = people
        self._versions = KitsuVersions(site, numbering)

    def write(self, rows: Sequence[CreditRow], *, dry_run: bool = False) -> CreditsWritten:
        """
        Write the credits where they differ from what stands; with `dry_run` only count.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        changed = 0
        unknown: list[int] = []
        for row in rows:
            preview = self._versions.numbered(row.version)
            mark = mark_of(preview.data) if preview is not None else None
            if preview is None or mark is None or mark.key != row.key:
                unknown.append(row.version)
                continue
            task = read_task(self._site, preview.task_id)
            entity = task.entity_id if task is not None else ""
            shown = f"data/preview-files/{preview.id}"
            changed += self._state(shown, preview.data, row, dry_run=dry_run)
            for file in self._site.rows(OutputRow, "data/output-files", entity_id=entity):
                held = mark_of(file.data)
                if held is not None and held.key == row.key:
                    path = f"data/output-files/{file.id}"
                    changed += self._state(path, file.data, row, dry_run=dry_run)
            if not dry_run and entity and self._is_newest(preview):
                self._show(entity, row.stated.credit_en)
        return CreditsWritten(changed=changed, unknown=tuple(unknown))

    def hours(self, project: str) -> tuple[TimeSpent, ...]:
        """
        Return all time that was logged in a production, in order of date.

        Raises:
            TrackerRejected: there is no such production, or it is refused.
            TrackerUnavailable: the server does not answer.
        """
        row = self._places.project(project)
        if row is None:
            raise TrackerRejected(f"Kitsu has no project {project!r}.")
        spent = self._site.rows(TimeRow, f"data/projects/{row.id}/time-spents")
        tasks = {one.id: one for one in self._site.rows(TaskRow, "data/tasks", project_id=row.id)}
        steps = {one.id: one.name for one in self._site.rows(TypeRow, "data/task-types")}
        people = {
            one.row.id: one.person for one in self._people.artists([s.person_id for s in spent])
        }
        found: list[TimeSpent] = []
        for one in sorted(spent, key=lambda time: (time.date, time.id)):
            task = tasks.get(one.task_id)
            shot = self._places.shot_of(task.entity_id) if task is not None else None
            found.append(
                TimeSpent(
                    person=people.get(one.person_id) or Person(id="", name=""),
                    shot=shot.shot.name if shot else "",
                    sequence=shot.sequence.name if shot and shot.sequence else "",
                    episode=shot.episode.name if shot and shot.episode else "",
                    step=steps.get(task.task_type_id, task.name) if task else "",
                    minutes=round(one.duration),
                    date=one.date,
                )
            )
        return tuple(found)

    def people(self, known: Sequence[str]) -> Mapping[str, Person]:
        """
        Return people as Kitsu names them today, by their id, login, address or full name.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        return self._people.known_by(known)

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._site.close()

    def _state(self, path: str, data: Mapping[str, Any], row: CreditRow, *, dry_run: bool) -> int:
        mark = mark_of(data)
        if mark is None:
            return 0
        new = mark.model_copy(update=stated(row.stated))
        if new == mark:
            return 0
        if not dry_run:
            self._site.change(path, {"data": new.wire(data)})
        return 1

    def _is_newest(self, preview: PreviewRow) -> bool:
        ours = self._versions.of_task(preview.task_id)
        return bool(ours) and ours[-1].id == preview.id

    def _show(self, entity: str, line: str) -> None:
        row = self._site.row(EntityRow, f"data/entities/{entity}")
        if row is not None and row.data.get(CREDIT_FIELD) != line:
            path = f"data/entities/{entity}"
            self._site.change(path, {"data": {**row.data, CREDIT_FIELD: line}})


class KitsuPlaylistDesk:
    """Implements `PlaylistDesk`."""

    def __init__(self, site: KitsuSite, numbering: Numbering) -> None:
        self._site = site
        self._numbering = numbering
        self._versions = KitsuVersions(site, numbering)

    def collect(self, request: PlaylistRequest) -> Row:
        """
        Make the playlist once, add the versions that it lacks, and set their order.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        playlist = self._playlist(request)
        wanted = [entry for one in request.versions if (entry := self._entry(one)) is not None]
        ours = {entry["preview_file_id"] for entry in wanted}
        added = [one for one in playlist.shots if one.get("preview_file_id") not in ours]
        shown = [*wanted, *added]
        if shown != playlist.shots:
            self._site.change(f"data/playlists/{playlist.id}", {"shots": shown})
        return Row(
            type=_PLAYLIST,
            id=self._numbering.number(_PLAYLIST, playlist.id, request.key),
            name=request.name,
        )

    def attach(self, row: Row, file: Path, name: str) -> None:
        """
        Attach a file to a comment on the playlist's first cut: Kitsu's playlists hold no files.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        if not file.is_file():
            raise TrackerRejected(f"{file} is no file that could be attached.")
        comment, task = self._commented(row)
        known = self._site.read(f"data/comments/{comment.id}")
        names = {str(one.get("name")) for one in known.get("attachment_files") or []}
        if name not in names:
            self._site.upload(
                f"actions/tasks/{task}/comments/{comment.id}/add-attachment", file, name
            )

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._site.close()

    def _playlist(self, request: PlaylistRequest) -> PlaylistRow:
        project = self._numbering.uid("Project", request.project.id) or ""
        known = self._numbering.noted(_PLAYLIST, request.key)
        if known is not None:
            row = self._site.row(PlaylistRow, f"data/playlists/{known.uid}")
            if row is not None:
                return row
        for row in self._site.rows(PlaylistRow, "data/playlists", project_id=project):
            # One that a person made under the name, or we ourselves just before a cut.
            if same_name(row.name, request.name) and not self._is_taken(row):
                self._numbering.number(_PLAYLIST, row.id, request.key)
                self._numbering.note(_PLAYLIST, row.id, request.key)
                return row
        fields = {"name": request.name[:80], "project_id": project, "for_entity": "shot"}
        made = self._site.add(PlaylistRow, "data/playlists", {**fields, "shots": []})
        self._numbering.number(_PLAYLIST, made.id, request.key)
        return made

    def _is_taken(self, row: PlaylistRow) -> bool:
        (found,) = self._numbering.numbered(
            _PLAYLIST, self._numbering.numbers(_PLAYLIST, [(row.id, "")])
        )
        return bool(found.note)

    def _entry(self, version: int) -> dict[str, object] | None:
        preview = self._versions.numbered(version)
        task = read_task(self._site, preview.task_id) if preview is not None else None
        if preview is None or task is None:
            return None
        return {
            "id": task.entity_id,
            "entity_id": task.entity_id,
            "preview_file_id": preview.id,
            "preview_file_task_id": task.id,
        }

    def _commented(self, row: Row) -> tuple[CommentRow, str]:
        uid = self._numbering.uid(row.type, row.id)
        if row.type == _PLAYLIST:
            playlist = self._site.row(PlaylistRow, f"data/playlists/{uid}") if uid else None
            first = playlist.shots[0].get("preview_file_id") if playlist and playlist.shots else ""
            preview = self._site.row(PreviewRow, f"data/preview-files/{first}") if first else None
            task = read_task(self._site, preview.task_id) if preview else None
            if task is None:
                raise TrackerRejected(
                    f"The playlist {row.name!r} shows nothing on which a sheet could stand."
                )
            link = key_link(f"sheets/{uid}")
            for one in self._site.rows(CommentRow, f"data/tasks/{task.id}/comments"):
                if link in one.links:
                    return one, task.id
            fields = {
                "task_status_id": task.task_status_id,
                "comment": f"Contact sheets of {row.name}",
                "links": [link],
            }
            path = f"actions/tasks/{task.id}/comment"
            return self._site.add(CommentRow, path, fields), task.id
        comment = self._site.row(CommentRow, f"data/comments/{uid}") if uid else None
        if comment is None:
            raise TrackerRejected(f"Kitsu has no {row.type} {row.id}.")
        return comment, comment.object_id


class KitsuCheckpointBoard:
    """Implements `CheckpointBoard`: the head stands in a production's `data`."""

    def __init__(self, site: KitsuSite, places: KitsuPlaces) -> None:
        self._site = site
        self._places = places

    def post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        """Show a signed note on each of these productions; return those that are not there."""
        gone: list[str] = []
        for name, note in notes.items():
            row = self._places.project(name)
            if row is None:
                gone.append(name)
                continue
            data = self._data(row.id)
            if data.get(HEAD_FIELD) != note:
                self._site.change(f"data/projects/{row.id}", {"data": {**data, HEAD_FIELD: note}})
        return tuple(gone)

    def posted(self, projects: Sequence[str]) -> Mapping[str, str]:
        """Return the notes that stand on these productions now."""
        found: dict[str, str] = {}
        for name in projects:
            row = self._places.project(name)
            note = self._data(row.id).get(HEAD_FIELD) if row is not None else None
            if note:
                found[name] = str(note)
        return found

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._site.close()

    def _data(self, project: str) -> Mapping[str, Any]:
        answer = self._site.read(f"data/projects/{project}")
        return answer.get("data") or {}
