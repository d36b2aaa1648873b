"""Action menu items: which ones a row has, and the form that the site sends when one is used."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from haikei.sgserver.credentials import Caller
from haikei.sgserver.seeds.initial_rows import ADMIN_LOGIN
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json, Row, moment_text, utc_now

#: What a browser posts to; the host stands in a header of the page that does.
_ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d+)?(/\S*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedItem:
    """One item, as a page offers it for a row."""

    id: int
    title: str
    url: str

    @property
    def origin(self) -> str:
        """The scheme and host that the form goes to."""
        address = urlsplit(self.url)
        return f"{address.scheme}://{address.netloc}"


class MenuItems:
    """Reads a site's items, and fills in their forms."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def offered(self, caller: Caller, entity_type: str, number: int) -> Sequence[OfferedItem]:
        """Return the items that a row has, in their order; those that a browser can post to."""
        rows = self._site.find(
            caller,
            "ActionMenuItem",
            [["entity_type", "is", entity_type]],
            ["title", "url", "projects"],
            order=[("list_order", "asc"), ("id", "asc")],
        )
        if not rows:
            return ()
        project = self._project(caller, entity_type, number)
        own = project.get("id") if project else None
        return [
            OfferedItem(id=int(str(row["id"])), title=str(row["title"]), url=str(row["url"]))
            for row in rows
            if _ADDRESS.fullmatch(str(row["url"])) and _allows(row, own)
        ]

    def form(
        self, caller: Caller, item: OfferedItem, entity_type: str, number: int
    ) -> Mapping[str, str]:
        """
        Return the fields of the form that goes to an item's address; signed when it has a secret.

        Fields, timestamp and signature are those of the real site (Autodesk, "Custom Action Menu
        Items"): HMAC-SHA1 over `key=value` lines, sorted, each ended by CR and LF.
        """
        project = self._project(caller, entity_type, number)
        person = self._person(caller)
        fields = {
            "user_id": str(person["id"]) if person else "",
            "user_login": str(person["login"]) if person else "",
            "title": item.title,
            "entity_type": entity_type,
            "selected_ids": str(number),
            "ids": str(number),
            "server_hostname": urlsplit(self._site.base_url).netloc,
            "referrer_path": f"/detail/{entity_type}/{number}",
            "page_id": "",
            "session_uuid": caller.session_uuid or "",
            "cols": "",
            "column_display_names": "",
            "view": "",
            "sort_column": "",
            "sort_direction": "",
            "grouping_column": "",
            "grouping_method": "",
            "grouping_direction": "",
        }
        if project:
            fields |= {
                "project_id": str(project["id"]),
                "project_name": str(project.get("name") or ""),
            }
        secret = self._secret(item)
        if not secret:
            return fields
        fields["timestamp"] = moment_text(utc_now())
        return {**fields, "signature": signature(secret, fields)}

    def _project(self, caller: Caller, entity_type: str, number: int) -> Row | None:
        kind = self._site.schema.get(entity_type)
        if kind is None or "project" not in kind.fields:
            return None
        row = self._site.find_one(caller, entity_type, [["id", "is", number]], ["project"])
        project = row.get("project") if row else None
        return dict(project) if isinstance(project, Mapping) else None

    def _person(self, caller: Caller) -> Row | None:
        # Who needs no login sits at the machine that has the whole site on its disk.
        by_id: Json = ["id", "is", caller.id]
        by_login: Json = ["login", "is", ADMIN_LOGIN]
        wanted = by_id if caller.kind == "HumanUser" else by_login
        return self._site.find_one(caller, "HumanUser", [wanted], ["login"])

    def _secret(self, item: OfferedItem) -> str:
        with self._site.reading() as (session, _):
            row = session.row('SELECT secret_token FROM "ActionMenuItem" WHERE id = ?', (item.id,))
        return str(row[0]) if row is not None and row[0] is not None else ""


def signature(secret: str, fields: Mapping[str, str]) -> str:
    """Return the signature of a form's fields."""
    lines = sorted(f"{name}={value}\r\n" for name, value in fields.items())
    return hmac.new(secret.encode(), "".join(lines).encode(), hashlib.sha1).hexdigest()


def _allows(row: Row, project: object) -> bool:
    projects = row.get("projects")
    if not isinstance(projects, Sequence) or isinstance(projects, str) or not projects:
        return True
    return any(isinstance(one, Mapping) and one.get("id") == project for one in projects)
