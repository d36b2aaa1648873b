"""Rows that people selected, and who may sign in to the pages with a password of Kitsu."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from haikei.show import Place
from haikei.trackers.contract.visitors import Selected, SignedIn
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.context import PREVIEW
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.people import KitsuArtist, KitsuPeople
from haikei.trackers.kitsu.places import KitsuPlaces, KitsuShot
from haikei.trackers.kitsu.rows import OutputRow, PreviewRow, TaskRow
from haikei.trackers.kitsu.versions import FILE, TASK, VERSION, KitsuVersions, mark_of

if TYPE_CHECKING:
    from pydantic import SecretStr


class KitsuSelection:
    """Implements `SelectionDesk`."""

    def __init__(
        self, site: KitsuSite, places: KitsuPlaces, people: KitsuPeople, numbering: Numbering
    ) -> None:
        self._site = site
        self._places = places
        self._people = people
        self._numbering = numbering
        self._versions = KitsuVersions(site, numbering)

    def read(self, entity_type: str, ids: Sequence[int]) -> tuple[Selected, ...]:
        """Return those rows that there are, in the order of the ids; nothing for other types."""
        found = (self._selected(entity_type, number) for number in ids)
        return tuple(one for one in found if one is not None)

    def layouts_of(self, shots: Sequence[int]) -> tuple[int, ...]:
        """Return the newest layout of each of these shots."""
        found: list[int] = []
        for number in shots:
            uid = self._numbering.uid("Shot", number)
            for task in self._places.layout_tasks(self._places.tasks(uid)) if uid else ():
                previews = self._site.rows(PreviewRow, "data/preview-files", task_id=task.id)
                newest = max(previews, key=lambda one: one.revision, default=None)
                if newest is not None:
                    found.append(self._numbering.number(FILE, f"{PREVIEW}{newest.id}"))
        return tuple(found)

    def person(self, login: str) -> SignedIn | None:
        """Return the active person with this login."""
        artist = self._people.by_login(login)
        return _signed_in(artist, login) if artist is not None else None

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._site.close()

    def _selected(self, kind: str, number: int) -> Selected | None:
        uid = self._numbering.uid(kind, number)
        if uid is None:
            return None
        entity, version = "", None
        if kind == VERSION:
            preview = self._versions.numbered(number)
            entity, version = (self._entity(preview.task_id), number) if preview else ("", None)
        elif kind == "Shot":
            entity = uid
        elif kind == TASK:
            entity = self._entity(uid)
        elif kind == FILE and not uid.startswith(PREVIEW):
            output = self._site.row(OutputRow, f"data/output-files/{uid}")
            entity = (output.entity_id or "") if output is not None else ""
            version = self._version_of(output, entity) if output is not None else None
        elif kind == FILE:
            preview = self._site.row(PreviewRow, f"data/preview-files/{uid[len(PREVIEW) :]}")
            entity = self._entity(preview.task_id) if preview is not None else ""
        shot = self._places.shot_of(entity) if entity else None
        if shot is None:
            return None
        return Selected(type=kind, id=number, place=_place(shot), version=version)

    def _entity(self, task: str) -> str:
        row = self._site.row(TaskRow, f"data/tasks/{task}")
        return row.entity_id if row is not None else ""

    def _version_of(self, output: OutputRow, entity: str) -> int | None:
        mark = mark_of(output.data)
        if mark is None:
            return None
        for task in self._places.tasks(entity):
            for one in self._versions.of_task(task.id):
                held = mark_of(one.data)
                if held is not None and held.key == mark.key:
                    return self._numbering.number(VERSION, one.id)
        return None


class KitsuSignIn:
    """Implements `PasswordCheck`; threads may share it."""

    def __init__(self, site: KitsuSite, people: KitsuPeople) -> None:
        self._site = site
        self._people = people

    def __call__(self, login: str, password: "SecretStr", /, *, code: str = "") -> SignedIn | None:
        """
        Return who has this address and password; None when nobody active has.

        Raises:
            TrackerError: the server does not answer.
        """
        artist = self._people.by_login(login)
        address = artist.row.email if artist is not None else login
        uid = self._site.signed_in(address, password, code)
        found = next(iter(self._people.artists([uid])), None) if uid else None
        return _signed_in(found, login) if found is not None and found.row.active else None


def _signed_in(artist: KitsuArtist, login: str) -> SignedIn:
    return SignedIn(login=login, name=artist.person.name, person_id=artist.person.id)


def _place(shot: KitsuShot) -> Place:
    return Place(
        project=shot.project.path_name,
        episode=shot.episode.name if shot.episode else "",
        sequence=shot.sequence.name if shot.sequence else "",
        shot=shot.shot.name,
    )
