"""
What a whole site shares: its projects and which of them are heeded, file types and
local storages by code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from haikei.checkup import Finding
from haikei.errors import TrackerDenied
from haikei.names import same_name, spellings
from haikei.settings import Tracker
from haikei.trackers.shotgrid.client import Link, Record, SiteClient

#: Of a row's project, the name that paths use.
FOLDER_NAME = "project.Project.tank_name"


def find_projects(
    client: SiteClient, names: Sequence[str], fields: Sequence[str] = ()
) -> Mapping[str, Sequence[Record]]:
    """
    Return the rows of projects by the names asked for, however they are spelt.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    wanted = list(dict.fromkeys(form for name in names for form in spellings(name)))
    if not wanted:
        return {}
    rows = client.find(
        "Project",
        [
            {
                "filter_operator": "any",
                "filters": [["tank_name", "in", wanted], ["name", "in", wanted]],
            }
        ],
        ("name", "tank_name", *fields),
    )
    found = {name: tuple(row for row in rows if _is_called(row, name)) for name in names}
    return {name: meant for name, meant in found.items() if meant}


def heeded(row: Record, tracker: Tracker) -> bool:
    """
    Tell whether a row is in a project that is heeded.

    Args:
        row: with `project` and `project.Project.tank_name`; one without a project is heeded.
        tracker: the studio's.
    """
    project = row.link("project")
    return project is None or tracker.heeds(row.text(FOLDER_NAME), project.name)


def heeded_ids(client: SiteClient, tracker: Tracker) -> frozenset[int] | None:
    """
    Return the ids of the projects that are heeded; None for all there are.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    if not tracker.projects:
        return None
    found = find_projects(client, tracker.projects)
    return frozenset(
        row.id
        for rows in found.values()
        for row in rows
        if tracker.heeds(row.text("tank_name"), row.text("name"))
    )


def check_projects(client: SiteClient, tracker: Tracker) -> Iterator[Finding]:
    """
    Yield whether the site has every project that is named.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    if not tracker.projects:
        yield Finding(ok=True, subject="projects", message="All are heeded.")
        return
    found = find_projects(client, tracker.projects)
    missing = [name for name in tracker.projects if name not in found]
    yield Finding(
        ok=not missing,
        subject="projects",
        message=f"The site has no project {', '.join(missing)}."
        if missing
        else f"Heeded: {', '.join(tracker.projects)}.",
        advice="Correct tracker.projects." if missing else "",
    )


def _is_called(row: Record, name: str) -> bool:
    return any(same_name(row.text(field), name) for field in ("tank_name", "name"))


STORAGE_PATHS = {"Linux": "linux_path", "Darwin": "mac_path", "Windows": "windows_path"}


def type_codes(tracker: Tracker) -> tuple[str, ...]:
    """Return the codes of all types of published files that Haikei reads or makes, each once."""
    codes = (
        *tracker.layout_types,
        tracker.background_type,
        tracker.stage_type,
        tracker.touch_up_type,
    )
    return tuple(dict.fromkeys(codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStorage:
    """A LocalStorage row."""

    link: Link
    paths: Mapping[str, str]  #: by the name of the path's field; those that are set


class Catalogue:
    """Codes to rows; read when a code is met for the first time, and again after `forget`."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client
        self._types: dict[str, Link] = {}
        self._storages: dict[str, SiteStorage] = {}

    def file_types(self, codes: Sequence[str]) -> Mapping[str, Link]:
        """Return those types that the site has, by the codes asked for; case does not count."""
        if any(code.casefold() not in self._types for code in codes):
            rows = self._client.find("PublishedFileType", [["code", "in", list(codes)]], ["code"])
            # Two types may share a code; the older one is the one that people use.
            for row in reversed(rows):
                code = row.text("code")
                self._types[code.casefold()] = Link(type=row.type, id=row.id, name=code)
        return {
            code: self._types[code.casefold()] for code in codes if code.casefold() in self._types
        }

    def storages(self, codes: Sequence[str]) -> Mapping[str, SiteStorage]:
        """Return those storages that the site has, by code."""
        if any(code not in self._storages for code in codes):
            fields = ["code", *STORAGE_PATHS.values()]
            for row in reversed(self._client.find("LocalStorage", [], fields)):
                code = row.text("code")
                self._storages[code] = SiteStorage(
                    link=Link(type=row.type, id=row.id, name=code),
                    paths={
                        name: row.text(name) for name in STORAGE_PATHS.values() if row.text(name)
                    },
                )
        return {code: self._storages[code] for code in codes if code in self._storages}

    def file_type(self, code: str, among: Sequence[str]) -> Link:
        """
        Return one type, reading all of `among` in the same call.

        Raises:
            TrackerDenied: the site does not have it.
        """
        found = self.file_types(among).get(code)
        if found is None:
            raise TrackerDenied(
                f"The site has no published file type {code!r}.", advice="Run `haikei setup`."
            )
        return found

    def storage(self, code: str) -> SiteStorage:
        """
        Return one storage.

        Raises:
            TrackerDenied: the site does not have it.
        """
        found = self.storages([code]).get(code)
        if found is None:
            raise TrackerDenied(
                f"The site has no local storage {code!r}.", advice="Run `haikei setup`."
            )
        return found

    def forget(self) -> None:
        """Read everything anew when it is next asked for."""
        self._types.clear()
        self._storages.clear()
