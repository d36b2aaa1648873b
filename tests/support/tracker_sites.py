"""The trackers over which the contract suite runs, with what people do in them in plain words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import shotgun_api3

from haikei.credits import Person
from haikei.show import Place, Row
from haikei.trackers import TimeSpent, Tracker
from haikei.trackers.memory import MemoryTracker
from haikei.trackers.shotgrid import ShotGridTracker
from support.sites import RunningStudio, Show, ShowFiles

SUPERVISOR = "haruka"


class Bench(Protocol):
    """
    A show `files.name` with the shot `c001` of sequence `s01`, whose layouts Aoi Sato draws.

    `heeding` opens the tracker for some projects alone; everything else is what people, and other
    tools than Haikei, do.
    """

    @property
    def files(self) -> ShowFiles: ...
    @property
    def tracker(self) -> Tracker: ...
    @property
    def artist(self) -> str: ...  # the id of who draws the layouts
    @property
    def supervisor(self) -> Person: ...
    def heeding(self, *projects: str) -> Tracker: ...
    def add_shot(self, shot: str, sequence: str) -> None: ...
    def publish_layout(
        self, *, typed: bool = True, by: str = "", task_of: tuple[str, ...] = ()
    ) -> int: ...
    def assign(self, *people: str) -> None: ...
    def retire_file(self, row: int) -> None: ...
    def set_status(self, version: int, status: str) -> None: ...
    def note(self, version: int, text: str) -> int: ...
    def reply(self, note: int, text: str) -> int: ...
    def delete_note(self, version: int, note: int) -> None: ...
    def log_time(self, minutes: int, day: date) -> None: ...
    def make_playlist(self, name: str) -> int: ...
    def add_to_playlist(self, playlist: int, version: int) -> None: ...
    def playlist(self, playlist: int) -> list[int]: ...
    def attachments(self, row: Row) -> list[str]: ...


MakeBench = Callable[[], Bench]


@dataclass(slots=True, kw_only=True)
class MemoryBench:
    """The tracker in memory."""

    files: ShowFiles
    tracker: MemoryTracker
    artist: str
    supervisor: Person

    @classmethod
    def make(cls, folder: Path, *, heeded: tuple[str, ...] = ()) -> "MemoryBench":
        """Make a show in a new tracker."""
        aoi = Person(id="HumanUser:7", name="Aoi Sato", name_ja="佐藤葵")
        haruka = Person(id="HumanUser:8", name="Haruka Mori")
        made = cls(
            files=ShowFiles(root=folder, name="umi"),
            tracker=MemoryTracker(heeded=heeded),
            artist=aoi.id,
            supervisor=haruka,
        )
        made.tracker.add_person(aoi, "aoi")
        made.tracker.add_person(haruka, SUPERVISOR)
        place = Place(project="umi", sequence="s01", shot="c001")
        made.tracker.add_shot(place, artists=(aoi,), logins=("aoi",))
        return made

    def heeding(self, *projects: str) -> Tracker:
        self.tracker.heed(*projects)
        return self.tracker

    def add_shot(self, shot: str, sequence: str) -> None:
        place = Place(project=self.files.name, sequence=sequence, shot=shot)
        self.tracker.add_shot(place, with_task=False)

    def publish_layout(
        self, *, typed: bool = True, by: str = "", task_of: tuple[str, ...] = ()
    ) -> int:
        place = Place(project=self.files.name, sequence="s01", shot="c001")
        known = self.tracker.credits.persons
        return self.tracker.feed.publish(
            str(self.files.layout().path),
            place=place,
            typed=typed,
            by=known.get(by),
            assigned=tuple(known[one] for one in task_of),
        )

    def assign(self, *people: str) -> None:
        place = Place(project=self.files.name, sequence="s01", shot="c001")
        persons = tuple(self.tracker.credits.persons[one] for one in people)
        self.tracker.add_shot(place, artists=persons)

    def retire_file(self, row: int) -> None:
        self.tracker.feed.retire(row)

    def set_status(self, version: int, status: str) -> None:
        self.tracker.review.set_status(version, status, self.supervisor)

    def note(self, version: int, text: str) -> int:
        return self.tracker.review.note(version, text, self.supervisor)

    def reply(self, note: int, text: str) -> int:
        (version,) = self.tracker.review.about(note)
        return self.tracker.review.note(version, text, self.supervisor, reply_to=note)

    def delete_note(self, version: int, note: int) -> None:
        self.tracker.review.delete_note(version, note)

    def log_time(self, minutes: int, day: date) -> None:
        self.tracker.credits.time[self.files.name].append(
            TimeSpent(
                person=self.tracker.credits.persons["aoi"],
                shot="c001",
                sequence="s01",
                step="Layout",
                minutes=minutes,
                date=day,
            )
        )

    def make_playlist(self, name: str) -> int:
        project = Row(type="Project", id=1, name=self.files.name)
        return self.tracker.playlists.make(project, name).row.id

    def add_to_playlist(self, playlist: int, version: int) -> None:
        self.tracker.playlists.playlists[playlist].versions.append(version)

    def playlist(self, playlist: int) -> list[int]:
        return list(self.tracker.playlists.playlists[playlist].versions)

    def attachments(self, row: Row) -> list[str]:
        return self.tracker.playlists.attached.get((row.type, row.id), [])


def _user(person: str) -> dict[str, object]:
    return _link("HumanUser", int(person.partition(":")[2]))


def _link(entity_type: str, number: int) -> dict[str, object]:
    return {"type": entity_type, "id": number}


class SiteBench:
    """The embedded site over HTTP, through the real client."""

    def __init__(self, studio: RunningStudio) -> None:
        self._studio = studio
        self.show: Show = studio.show()
        self.files: ShowFiles = self.show
        self._opened = [ShotGridTracker(self.show.settings, self.show.key)]
        self.tracker: Tracker = self._opened[0]
        self.artist = f"HumanUser:{self.show.artist}"
        found = self.show.find("HumanUser", ["login", "is", SUPERVISOR])
        row = {"login": SUPERVISOR, "name": "Haruka Mori", "sg_status_list": "act"}
        number = int((found[0] if found else self.show.sg.create("HumanUser", row))["id"])
        self.supervisor = Person(id=f"HumanUser:{number}", name="Haruka Mori")
        studio.site.site.add_script("publisher", "its-own-key")
        self._publisher = self._as("publisher", "its-own-key")

    def close(self) -> None:
        """Close the adapters."""
        for adapter in self._opened:
            adapter.close()

    def heeding(self, *projects: str) -> Tracker:
        section = self.show.settings.tracker.model_copy(update={"projects": projects})
        settings = self.show.settings.model_copy(update={"tracker": section})
        self._opened.append(ShotGridTracker(settings, self.show.key))
        return self._opened[-1]

    def add_shot(self, shot: str, sequence: str) -> None:
        known = self.show.own("Sequence", ["code", "is", sequence])
        number = known[0]["id"] if known else self.show.create("Sequence", code=sequence)
        self.show.create("Shot", code=shot, sg_sequence=_link("Sequence", number))

    def publish_layout(
        self, *, typed: bool = True, by: str = "", task_of: tuple[str, ...] = ()
    ) -> int:
        layout = self.show.layout()
        (kind,) = self.show.find("PublishedFileType", ["code", "is", "Layout"])
        (storage,) = self.show.find("LocalStorage", ["code", "is", "primary"])
        row: dict[str, object] = {
            "project": _link("Project", self.show.project),
            "entity": _link("Shot", self.show.shot),
            "code": layout.path.name,
            "name": "bg",
            "version_number": 3,
            "published_file_type": _link("PublishedFileType", kind["id"]) if typed else None,
            "path": {
                "local_storage": _link("LocalStorage", storage["id"]),
                "relative_path": layout.relative,
            },
        }
        if by:
            row["created_by"] = _user(by)
        if task_of:
            row["task"] = _link("Task", self._layout_task(task_of))
        publisher = self.show.sg if by else self._publisher
        return int(publisher.create("PublishedFile", row)["id"])

    def assign(self, *people: str) -> None:
        self.show.sg.update("Task", self.show.layout_task, {"task_assignees": []})
        for one in people:
            self._layout_task((one,))

    def _layout_task(self, people: tuple[str, ...]) -> int:
        (task,) = self.show.find("Task", ["id", "is", self.show.layout_task], fields="step")
        return self.show.create(
            "Task",
            content="layout check",
            step=task["step"],
            entity=_link("Shot", self.show.shot),
            task_assignees=[_user(one) for one in people],
        )

    def retire_file(self, row: int) -> None:
        self._publisher.delete("PublishedFile", row)

    def set_status(self, version: int, status: str) -> None:
        self._person().update("Version", version, {"sg_status_list": status})

    def note(self, version: int, text: str) -> int:
        row = {
            "project": _link("Project", self.show.project),
            "content": text,
            "note_links": [_link("Version", version)],
        }
        return int(self._person().create("Note", row)["id"])

    def reply(self, note: int, text: str) -> int:
        row = {"entity": _link("Note", note), "content": text}
        return int(self._person().create("Reply", row)["id"])

    def delete_note(self, version: int, note: int) -> None:
        del version
        self.show.sg.delete("Note", note)

    def log_time(self, minutes: int, day: date) -> None:
        self.show.create(
            "TimeLog",
            entity=_link("Task", self.show.layout_task),
            user=_link("HumanUser", self.show.artist),
            duration=minutes,
            date=day.isoformat(),
        )

    def make_playlist(self, name: str) -> int:
        return self.show.create("Playlist", code=name)

    def add_to_playlist(self, playlist: int, version: int) -> None:
        self.show.sg.update(
            "Playlist",
            playlist,
            {"versions": [_link("Version", version)]},
            multi_entity_update_modes={"versions": "add"},
        )

    def playlist(self, playlist: int) -> list[int]:
        joins = self.show.find(
            "PlaylistVersionConnection",
            ["playlist", "is", _link("Playlist", playlist)],
            fields="version sg_sort_order",
        )
        joins.sort(key=lambda row: int(row["sg_sort_order"]))
        return [int(row["version"]["id"]) for row in joins]

    def attachments(self, row: Row) -> list[str]:
        found = self.show.find(
            "Attachment",
            ["attachment_links", "is", _link(row.type, row.id)],
            fields="display_name",
        )
        return [str(one["display_name"]) for one in found]

    def _person(self) -> Any:
        return self._studio.site.connect(sudo_as_login=SUPERVISOR)

    def _as(self, script: str, key: str) -> Any:
        site = self._studio.site
        return site.closing(shotgun_api3.Shotgun(site.url, script_name=script, api_key=key))
