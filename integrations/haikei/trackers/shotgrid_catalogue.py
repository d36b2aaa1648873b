"""What a whole site shares: its types of published files and its local storages, by code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haikei.errors import TrackerRejected
from haikei.settings import Tracker
from haikei.trackers.shotgrid_client import SiteClient
from haikei.trackers.shotgrid_record import Link

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
            TrackerRejected: the site does not have it.
        """
        found = self.file_types(among).get(code)
        if found is None:
            raise TrackerRejected(
                f"The site has no published file type {code!r}.", advice="Run `haikei setup`."
            )
        return found

    def storage(self, code: str) -> SiteStorage:
        """
        Return one storage.

        Raises:
            TrackerRejected: the site does not have it.
        """
        found = self.storages([code]).get(code)
        if found is None:
            raise TrackerRejected(
                f"The site has no local storage {code!r}.", advice="Run `haikei setup`."
            )
        return found

    def forget(self) -> None:
        """Read everything anew when it is next asked for."""
        self._types.clear()
        self._storages.clear()
