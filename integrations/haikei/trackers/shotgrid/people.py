"""
People and projects of a site by the names that credits use, and the script user that Haikei is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.names import same_name, spellings
from haikei.settings import PersonEntry, PersonFields, Settings
from haikei.trackers.contract.credits import (
    Directory,
    ListedPerson,
    ListedProject,
    TrackedNames,
)
from haikei.trackers.shotgrid.client import CHUNK, Filter, Link, Record, SiteClient

_FIELDS = ("name", "login", "email")
#: Fields by which a person is looked up.
_SEARCHED = ("name", "login", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artist:
    """A person, and every login and name by which consent may know them."""

    person: Person
    logins: tuple[str, ...]
    reading: str = ""  #: of the name, in kana


class People:
    """The site's people; a row is read once, since who is assigned is read each time anyway."""

    def __init__(
        self, client: SiteClient, entries: Sequence[PersonEntry], fields: PersonFields
    ) -> None:
        self._client = client
        self._entries = entries
        self._names = fields
        self._known: dict[int, Artist] = {}
        named = (fields.family, fields.given, *_wished(fields))
        self._fields = tuple(dict.fromkeys((*_FIELDS, *filter(None, named))))

    def artists(self, links: Sequence[Link]) -> tuple[Artist, ...]:
        """
        Return the humans among these links, in their order, each once.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        wanted = list(dict.fromkeys(link.id for link in links if link.type == "HumanUser"))
        missing = [number for number in wanted if number not in self._known]
        for row in self._read(missing):
            self._known[row.id] = self._artist(row)
        return tuple(self._known[number] for number in wanted if number in self._known)

    def everyone(self) -> tuple[ListedPerson, ...]:
        """
        Return all people of the site.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        artists = [self._artist(row) for row in self._find([])]
        return tuple(
            ListedPerson(person=one.person, names=one.logins, reading=one.reading)
            for one in artists
        )

    def known_by(self, words: Sequence[str]) -> Mapping[str, Person]:
        """
        Return those whom these ids, logins, addresses or full names mean, and nobody else.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        found: dict[str, Person] = {}
        for start in range(0, len(words), CHUNK):
            some = words[start : start + CHUNK]
            artists = [self._artist(row) for row in self._find([_any_of(some)])]
            for word in some:
                meant = [one for one in artists if _is_meant(one, word)]
                if len(meant) == 1:
                    found[word] = meant[0].person
        return found

    def _read(self, ids: Sequence[int]) -> Sequence[Record]:
        return self._find([["id", "in", list(ids)]])

    def _find(self, filters: Sequence[Filter]) -> Sequence[Record]:
        try:
            return self._client.find("HumanUser", filters, self._fields)
        except TrackerRejected as error:
            # A site without a field for Japanese names is as good: the settings name none.
            default = PersonFields().name_ja
            if self._names.name_ja != default or default not in error.message:
                raise
        self._fields = tuple(field for field in self._fields if field != default)
        return self._client.find("HumanUser", filters, self._fields)

    def _artist(self, row: Record) -> Artist:
        fields = self._names
        family, given = (row.text(one).strip() for one in (fields.family, fields.given))
        japanese, latin, kana = (row.text(field).strip() for field in _wished(fields))
        names = TrackedNames(
            shown=row.text("name") or row.text("login"),
            family=family,
            given=given,
            japanese=japanese,
            latin=latin,
            kana=kana,
            known=(row.text("login"), row.text("email")),
        )
        return Artist(
            person=names.person(f"HumanUser:{row.id}", self._entries),
            logins=names.logins,
            reading=kana,
        )


def assigned(links: Iterable[Link], task: int) -> list[tuple[Link, str]]:
    """Return the people among a task's assignees, each with where that stands."""
    return [(_bare(link), f"Task:{task} assignee") for link in links if link.type == "HumanUser"]


def publishers(row: Record) -> list[tuple[Link, str]]:
    """Return the people whom a PublishedFile names as its makers, the best first."""
    found = (("version.Version.user", "version's user"), ("created_by", "created_by"))
    links = ((row.link(field), name) for field, name in found)
    return [
        (_bare(link), f"{row.type}:{row.id} {name}")
        for link, name in links
        if link is not None and link.type == "HumanUser"
    ]


def _bare(link: Link) -> Link:
    # One person is one link, whatever name a field shows.
    return Link(type=link.type, id=link.id, name="")


def _wished(fields: PersonFields) -> tuple[str, str, str]:
    return fields.name_ja, fields.name_latin, fields.name_kana


def _any_of(words: Sequence[str]) -> Filter:
    ids = [int(number) for number in map(_number, words) if number]
    written = list(dict.fromkeys(form for word in words for form in spellings(word)))
    filters: list[Filter] = [[field, "in", written] for field in _SEARCHED]
    if ids:
        filters.append(["id", "in", ids])
    return {"filter_operator": "any", "filters": filters}


def _is_meant(artist: Artist, word: str) -> bool:
    if _number(word):
        return artist.person.id == word
    return any(same_name(word, known) for known in artist.logins)


def _number(word: str) -> str:
    kind, _, number = word.partition(":")
    return number if kind == "HumanUser" and number.isdecimal() else ""


class Ourselves:
    """Haikei's own row on a site; read once."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client
        self._id: int | None = None

    @property
    def id(self) -> int:
        """
        The id of our ApiUser.

        Raises:
            TrackerError: the site does not answer, or does not show it.
        """
        if self._id is None:
            rows = self._client.find("ApiUser", [["firstname", "is", self._client.script]], ["id"])
            if not rows:
                raise TrackerRejected(
                    f"The script {self._client.script!r} cannot see its own row.",
                    advice="Let its permission role see scripts: it must know its own events.",
                )
            self._id = rows[0].id
        return self._id

    def is_us(self, user: Link | None) -> bool:
        """
        Tell whether a link to a user points to us.

        Raises:
            TrackerError: the site does not answer, or does not show our row.
        """
        return user is not None and user.type == "ApiUser" and user.id == self.id


class ShotGridDirectory:
    """
    Implements `DirectoryReader`.

    Args:
        client: of the site.
        settings: the studio's, which name people and the fields that hold their names.
    """

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def read(self) -> Directory:
        """
        Return all projects and people of the site.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        projects = tuple(
            ListedProject(
                id=f"Project:{row.id}",
                path_name=row.text("tank_name") or row.text("name"),
                title=row.text("name"),
            )
            for row in self._client.find("Project", [], ("name", "tank_name"))
        )
        settings = self._settings
        people = People(self._client, settings.people, settings.tracker.person_fields)
        return Directory(projects=projects, people=people.everyone())
