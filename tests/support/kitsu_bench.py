"""A show on a real Kitsu server, with what people do in it in plain words."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import gazu
import gazu.client
from pydantic import HttpUrl, SecretStr

from haikei.credits import Person
from haikei.demo.kitsu_server import PASSWORD
from haikei.settings import Settings, Storage, StorageRoot, Studio, Tracker
from haikei.show import Row
from haikei.trackers.kitsu import KitsuTracker
from haikei.trackers.kitsu.context import PREVIEW
from haikei.trackers.kitsu.numbering import Numbering
from support.clocks import PATIENCE
from support.databases import fresh_database
from support.kitsu import RunningKitsu, sign_in
from support.sites import ShowFiles
from support.tracker_sites import SUPERVISOR

#: The statuses of the contract suite, by short name; a fresh server calls its own otherwise.
STATUSES = {
    "rev": "Review",
    "apr": "Good",
    "fin": "Final",
    "rtk": "Redo",
    "hld": "Held",
    "omt": "No",
}


def kitsu_settings(url: str, folder: Path) -> Settings:
    """Return the settings of a studio with this server."""
    return Settings(
        studio=Studio(state=folder / "state"),
        tracker=Tracker(
            kind="kitsu",
            url=HttpUrl(url),
            timeout=PATIENCE,
            person_fields={"name_ja": "name_ja"},  # type: ignore[arg-type]
        ),
        storage=Storage(roots=(StorageRoot(name="primary", path=folder / "projects"),)),
    )


class KitsuBench:
    """Implements `Bench` over a real server, through the real client."""

    def __init__(self, server: RunningKitsu, folder: Path) -> None:
        self._server = server
        self._admin = server.client()
        self.settings = kitsu_settings(server.url, folder)
        fresh_database(folder / "state" / "haikei.db").dispose()
        name = f"umi{secrets.token_hex(3)}"
        self.files = ShowFiles(root=folder / "projects", name=name)
        for code, title in STATUSES.items():
            if gazu.task.get_task_status_by_short_name(code, client=self._admin) is None:
                gazu.task.new_task_status(title, code, "#5e7fb1", client=self._admin)
        self._opened = [self._open(self.settings)]
        self.tracker = self._opened[0]
        self._project = gazu.project.new_project(name, client=self._admin)
        # Other tests have shows on this server, which setup would look at one by one.
        self.opened_with(projects=(name,)).setup(dry_run=False)
        self._numbering = Numbering(self.settings.database_url, server.url)
        aoi = self._person("Aoi", "Sato", "aoi", {"name_ja": "佐藤葵"})
        haruka = self._person("Haruka", "Mori", SUPERVISOR, {})
        self.artist = f"Person:{aoi['id']}"
        self.supervisor = Person(id=f"Person:{haruka['id']}", name="Haruka Mori")
        self._people = {self.artist: aoi, self.supervisor.id: haruka}
        self._shot = self._add_shot("c001", "s01")
        self._layout = self._type("Layout")
        self._layout_task = gazu.task.new_task(self._shot, self._layout, client=self._admin)
        gazu.task.assign_task(self._layout_task, aoi, client=self._admin)
        gazu.task.new_task(self._shot, self._type("Background"), client=self._admin)
        self._publisher = self._person("Another", "Tool", "tool", {})
        self._revision = 2

    def close(self) -> None:
        """Close the adapters."""
        for adapter in self._opened:
            adapter.close()
        self._admin.session.close()

    def heeding(self, *projects: str) -> KitsuTracker:
        section = self.settings.tracker.model_copy(update={"projects": projects})
        self._opened.append(self._open(self.settings.model_copy(update={"tracker": section})))
        return self._opened[-1]

    def add_shot(self, shot: str, sequence: str) -> None:
        self._add_shot(shot, sequence)

    def add_cut(self, shot: str) -> None:
        """Add a shot with a task for its layout and one for its background."""
        made = gazu.shot.new_shot(
            self._project,
            gazu.shot.get_sequence_by_name(self._project, "s01", client=self._admin),
            shot,
            client=self._admin,
        )
        layout = gazu.task.new_task(made, self._layout, client=self._admin)
        gazu.task.assign_task(layout, self._people[self.artist], client=self._admin)
        gazu.task.new_task(made, self._type("Background"), client=self._admin)
        path = str(self.files.layout().path)
        self._file({"path": path, **self._output("bg"), "entity_id": made["id"], "person_id": None})

    def publish_layout(
        self, *, typed: bool = True, by: str = "", task_of: tuple[str, ...] = ()
    ) -> int:
        layout = self.files.layout()
        if task_of or by:
            # Who works in Kitsu uploads to a task; the row of a file names none.
            task = self._new_layout_task(task_of) if task_of else None
            if task is None:
                fields = {"path": str(layout.path), **self._output("bg")}
                return self._file({**fields, "person_id": by.partition(":")[2]})
            return self._uploaded(task, layout.path, by.partition(":")[2])
        fields = {"path": str(layout.path), **self._output("bg")}
        if not typed:
            fields |= {"task_type_id": None, "output_type_id": None}
        return self._file({**fields, "person_id": None})

    def assign(self, *people: str) -> None:
        gazu.task.clear_assignations([self._layout_task["id"]], client=self._admin)
        for one in people:
            gazu.task.assign_task(self._layout_task, self._people[one], client=self._admin)

    def retire_file(self, row: int) -> None:
        uid = self._numbering.uid("PublishedFile", row) or ""
        gazu.client.delete(f"data/output-files/{uid}", client=self._admin)

    def set_status(self, version: int, status: str) -> None:
        found = gazu.task.get_task_status_by_short_name(status, client=self._admin)
        self._comment(self._task_of(version), found, "")

    def note(self, version: int, text: str) -> int:
        task = self._task_of(version)
        status = gazu.client.get(f"data/task-status/{task['task_status_id']}", client=self._admin)
        made = self._comment(task, status, text)
        return self._numbering.number("Note", made["id"])

    def comment(
        self, version: int, text: str, *, checklist: Sequence[tuple[str, bool]], attached: Path
    ) -> None:
        """Comment with a checklist and a file, as the supervisor does in Kitsu's pages."""
        task = self._task_of(version)
        status = gazu.client.get(f"data/task-status/{task['task_status_id']}", client=self._admin)
        gazu.task.add_comment(
            task,
            status,
            text,
            person=self._people[self.supervisor.id],
            checklist=[{"text": one, "checked": done} for one, done in checklist],
            attachments=[str(attached)],
            client=self._admin,
        )

    def draw(self, version: int, *shapes: Mapping[str, object]) -> None:
        """Draw on a version, as Kitsu's player does."""
        uid = self._numbering.uid("Version", version)
        gazu.files.update_preview_annotations(
            {"id": uid},
            additions=[{"time": 0, "drawing": {"objects": list(shapes)}}],
            client=self._admin,
        )

    def reply(self, note: int, text: str) -> int:
        uid = self._numbering.uid("Note", note) or ""
        comment = gazu.client.get(f"data/comments/{uid}", client=self._admin)
        # A reply is always of who is signed in.
        with self._signed_in(self.supervisor.id) as client:
            made = gazu.task.reply_to_comment(comment["object_id"], comment, text, client=client)
        return self._numbering.number("Reply", made["id"], uid)

    def delete_note(self, version: int, note: int) -> None:
        del version
        uid = self._numbering.uid("Note", note) or ""
        gazu.client.delete(f"data/comments/{uid}", client=self._admin)

    def log_time(self, minutes: int, day: date) -> None:
        gazu.task.set_time_spent(
            self._layout_task,
            self._people[self.artist],
            day.isoformat(),
            minutes,
            client=self._admin,
        )

    def make_playlist(self, name: str) -> int:
        made = gazu.playlist.new_playlist(self._project, name, client=self._admin)
        return self._numbering.number("Playlist", made["id"])

    def add_to_playlist(self, playlist: int, version: int) -> None:
        row = self._playlist(playlist)
        uid = self._numbering.uid("Version", version)
        shown = [*(row["shots"] or []), {"entity_id": self._shot["id"], "preview_file_id": uid}]
        gazu.client.put(f"data/playlists/{row['id']}", {"shots": shown}, client=self._admin)

    def playlist(self, playlist: int) -> list[int]:
        shown = self._playlist(playlist)["shots"] or []
        return [self._numbering.number("Version", one["preview_file_id"]) for one in shown]

    def attachments(self, row: Row) -> list[str]:
        shown = self._playlist(row.id)["shots"]
        preview = gazu.client.get(
            f"data/preview-files/{shown[0]['preview_file_id']}", client=self._admin
        )
        comments = gazu.task.all_comments_for_task(preview["task_id"], client=self._admin)
        return [str(file["name"]) for one in reversed(comments) for file in one["attachment_files"]]

    @property
    def key(self) -> SecretStr:
        """The bot's token."""
        return SecretStr(self._server.token)

    def opened_with(self, **tracker: object) -> KitsuTracker:
        """Open another adapter, with other settings of the tracker."""
        given = {**self.settings.tracker.model_dump(), **tracker}
        section = Tracker.model_validate(given)
        self._opened.append(self._open(self.settings.model_copy(update={"tracker": section})))
        return self._opened[-1]

    def set_shot_field(self, name: str, value: object) -> None:
        """Fill a column of the shot."""
        gazu.shot.update_shot_data(self._shot, {name: value}, client=self._admin)

    def publish_file(self, path: Path) -> int:
        """Publish a file as a layout, by its path."""
        return self._file({"path": str(path), **self._output(path.stem), "person_id": None})

    def _open(self, settings: Settings) -> KitsuTracker:
        return KitsuTracker(settings, self.key)

    def _person(self, first: str, last: str, login: str, data: Mapping[str, str]) -> Any:
        address = f"{login}@example.com"
        found = gazu.person.get_person_by_email(address, client=self._admin)
        if found is None:
            found = gazu.person.new_person(
                first, last, address, desktop_login=login, role="supervisor", client=self._admin
            )
        # Another proof may have made this person, with other fields.
        fields = {
            "first_name": first,
            "last_name": last,
            "desktop_login": login,
            "role": "supervisor",
            "data": dict(data),
        }
        return gazu.client.put(f"data/persons/{found['id']}", fields, client=self._admin)

    def _signed_in(self, person: str) -> Any:
        row = self._people[person]
        gazu.person.change_password_for_person(row, PASSWORD, client=self._admin)
        client = gazu.client.create_client(self._server.url)
        sign_in(client, row["email"])
        project = self._project
        gazu.project.add_person_to_team(project, row, client=self._admin)
        return client

    def _type(self, name: str) -> Any:
        (found,) = (
            one
            for one in gazu.task.all_task_types(client=self._admin)
            if one["name"] == name and one["for_entity"] == "Shot"
        )
        return found

    def _add_shot(self, shot: str, sequence: str) -> Any:
        parent = gazu.shot.new_sequence(self._project, sequence, client=self._admin)
        return gazu.shot.new_shot(self._project, parent, shot, client=self._admin)

    def _new_layout_task(self, people: tuple[str, ...]) -> Any:
        task = gazu.task.new_task(
            self._shot, self._layout, name=f"check {secrets.token_hex(2)}", client=self._admin
        )
        for one in people:
            gazu.task.assign_task(task, self._people[one], client=self._admin)
        return task

    def _uploaded(self, task: Any, path: Path, person: str) -> int:
        status = gazu.task.get_task_status_by_short_name("rev", client=self._admin)
        comment = gazu.task.add_comment(
            task, status, "Layout", person=person or None, client=self._admin
        )
        preview = gazu.task.create_preview(task, comment, client=self._admin)
        gazu.task.upload_preview_file(preview, str(path), client=self._admin)
        fields = {"path": str(path), "person_id": person or self._publisher["id"]}
        gazu.client.put(f"data/preview-files/{preview['id']}", fields, client=self._admin)
        return self._numbering.number("PublishedFile", f"{PREVIEW}{preview['id']}")

    def _output(self, name: str) -> dict[str, object]:
        types = {one["name"]: one["id"] for one in gazu.files.all_output_types(client=self._admin)}
        self._revision += 1
        return {
            "name": name,
            "revision": self._revision,
            "entity_id": self._shot["id"],
            "task_type_id": self._layout["id"],
            "output_type_id": types["Layout"],
        }

    def _file(self, fields: Mapping[str, object]) -> int:
        (status, *_) = gazu.client.get("data/file-status", client=self._admin) or [
            gazu.files.new_file_status("Published", "#22d160", client=self._admin)
        ]
        made = gazu.client.post(
            "data/output-files", {**fields, "file_status_id": status["id"]}, client=self._admin
        )
        return self._numbering.number("PublishedFile", made["id"])

    def _task_of(self, version: int) -> Any:
        uid = self._numbering.uid("Version", version)
        preview = gazu.client.get(f"data/preview-files/{uid}", client=self._admin)
        return gazu.client.get(f"data/tasks/{preview['task_id']}", client=self._admin)

    def _comment(self, task: Any, status: Any, text: str) -> Any:
        return gazu.task.add_comment(
            task,
            status,
            text,
            person=self._people[self.supervisor.id],
            client=self._admin,
        )

    def _playlist(self, playlist: int) -> Any:
        uid = self._numbering.uid("Playlist", playlist)
        return gazu.client.get(f"data/playlists/{uid}", client=self._admin)
