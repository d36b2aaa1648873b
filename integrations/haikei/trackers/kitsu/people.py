"""People of a Kitsu server by the names that credits use, and the directory of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haikei.credits import Person
from haikei.names import same_name
from haikei.settings import Settings
from haikei.trackers.contract.credits import Directory, ListedPerson, ListedProject, TrackedNames
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.rows import PersonRow, ProjectRow

PREFIX = "Person:"


@dataclass(frozen=True, slots=True, kw_only=True)
class KitsuArtist:
    """A person, and every login and name by which consent may know them."""

    person: Person
    logins: tuple[str, ...]
    row: PersonRow
    reading: str  #: of the name, in kana; empty where Kitsu has none


def person_id(uid: str) -> str:
    """Return how records name a person of Kitsu."""
    return f"{PREFIX}{uid}"


class KitsuPeople:
    """
    The server's people; all are read at once, and again when somebody unknown is asked for.

    Kitsu has a first and a last name. Names in Japanese, and readings, are in the person's own
    `data`, under the names of `tracker.person_fields`; a `people.csv` comes before both.
    """

    def __init__(self, site: KitsuSite, settings: Settings) -> None:
        self._site = site
        self._entries = settings.people
        self._fields = settings.tracker.person_fields
        self._known: dict[str, KitsuArtist] = {}

    def read(self) -> tuple[KitsuArtist, ...]:
        """
        Return all people but bots, as they are now.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        rows = self._site.rows(PersonRow, "data/persons")
        self._known = {row.id: self._artist(row) for row in rows if not row.is_bot}
        return tuple(self._known.values())

    def artists(self, uids: Sequence[str]) -> tuple[KitsuArtist, ...]:
        """
        Return the humans of these ids, in their order, each once.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        wanted = list(dict.fromkeys(filter(None, uids)))
        if any(uid not in self._known for uid in wanted):
            self.read()
        return tuple(self._known[uid] for uid in wanted if uid in self._known)

    def person(self, uid: str) -> Person | None:
        """Return one human; None for bots and unknown ids."""
        return next((one.person for one in self.artists([uid])), None)

    def joined_mentions(self, text: str) -> str:
        """Return a text in which the names of mentioned people are one word each: @Haruka.Mori."""
        if "@" not in text:
            return text
        people = tuple(self._known.values()) or self.read()
        names = {f"{one.row.first_name} {one.row.last_name}".strip() for one in people}
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(f"@{name}", f"@{'.'.join(name.split())}")
        return text

    def by_login(self, login: str) -> KitsuArtist | None:
        """Return the one active person with this login, address or name."""
        people = self._known.values() or self.read()
        meant = [one for one in people if _is_meant(one, login)]
        return meant[0] if len(meant) == 1 and meant[0].row.active else None

    def known_by(self, words: Sequence[str]) -> Mapping[str, Person]:
        """
        Return those whom these ids, logins, addresses or full names mean, and nobody else.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        people = self.read() if words else ()
        found: dict[str, Person] = {}
        for word in words:
            meant = [one for one in people if _is_meant(one, word)]
            if len(meant) == 1:
                found[word] = meant[0].person
        return found

    def _artist(self, row: PersonRow) -> KitsuArtist:
        fields = self._fields
        first, last = row.first_name.strip(), row.last_name.strip()
        japanese, latin, kana = (
            str(row.data.get(field) or "").strip() if field else ""
            for field in (fields.name_ja, fields.name_latin, fields.name_kana)
        )
        names = TrackedNames(
            shown=" ".join(filter(None, (first, last))) or row.email,
            family=last,
            given=first,
            japanese=japanese,
            latin=latin,
            kana=kana,
            known=(row.desktop_login, row.email),
        )
        person = names.person(person_id(row.id), self._entries)
        return KitsuArtist(person=person, logins=names.logins, row=row, reading=kana)


def _is_meant(artist: KitsuArtist, word: str) -> bool:
    if word.startswith(PREFIX):
        return artist.person.id == word
    return any(same_name(word, known) for known in artist.logins)


@dataclass(frozen=True, slots=True, kw_only=True)
class KitsuDirectory:
    """Implements `DirectoryReader`."""

    site: KitsuSite
    people: KitsuPeople
    numbering: Numbering

    def read(self) -> Directory:
        """
        Return all productions and people of the server.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        projects = tuple(
            ListedProject(
                id=f"Project:{self.numbering.number('Project', row.id)}",
                path_name=row.path_name,
                title=row.name,
            )
            for row in self.site.rows(ProjectRow, "data/projects")
        )
        people = tuple(
            ListedPerson(person=one.person, names=one.logins, reading=one.reading)
            for one in self.people.read()
        )
        return Directory(projects=projects, people=people)
