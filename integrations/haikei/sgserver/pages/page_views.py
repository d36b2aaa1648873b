"""What the site's pages show, read from the site as its visitor may see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.media.media_store import Rendition
from haikei.sgserver.values import Json, Row

PAGE_SIZE = 48
_HIDDEN = frozenset({"type", "id", "image", "filmstrip_image", "cached_display_name"})
#: Fields that may hold a row's name; the first filled one wins.
_NAMES = ("code", "name", "content", "subject", "title")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLink:
    """A row that another one names."""

    type: str
    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    """One version of the list."""

    id: int
    code: str
    image: str  #: the thumbnail's address, empty for none
    status: str  #: its code
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionList:
    """One page of versions."""

    versions: Sequence[ListedVersion]  #: the newest first
    page: int
    has_next: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """What somebody wrote about a row."""

    when: str
    who: str
    subject: str
    content: str
    replies: Sequence["NoteLine"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One field of a row: text, or the rows it names."""

    label: str
    text: str
    links: Sequence[PageLink]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """Any row, field by field."""

    type: str
    id: int
    name: str
    image: str  #: its picture's address, empty for none
    fields: Sequence[FieldLine]
    notes: Sequence[NoteLine]


class PageViews:
    """Reads what pages show."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._site = hosting.site

    def versions(self, caller: Caller, page: int) -> VersionList:
        """Return one page of versions; the first page is number 1."""
        rows = self._site.find(
            caller,
            "Version",
            [],
            ["code", "image", "sg_status_list", "created_at"],
            order=[("id", "desc")],
            limit=page * PAGE_SIZE + 1,
        )
        return VersionList(
            versions=[
                ListedVersion(
                    id=_number(row, "id"),
                    code=_text(row, "code"),
                    image=self._address(_text(row, "image")),
                    status=_text(row, "sg_status_list"),
                    created_at=_moment(_text(row, "created_at")),
                )
                for row in rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
            ],
            page=page,
            has_next=len(rows) > page * PAGE_SIZE,
        )

    def row(self, caller: Caller, entity_type: str, number: int) -> RowView | None:
        """
        Return any row, None when there is none.

        Raises:
            Fault: there is no such type.
        """
        labels = self._labels(caller, entity_type)
        row = self._site.find_one(caller, entity_type, [["id", "is", number]], [*labels, "image"])
        if row is None:
            return None
        names = (_text(row, field) for field in _NAMES)
        return RowView(
            type=entity_type,
            id=number,
            name=next(filter(None, names), f"{entity_type} {number}"),
            image=self._picture(row) or self._address(_text(row, "image")),
            fields=[
                FieldLine(label=labels[name], text=_shown(value), links=_links(value))
                for name in sorted(labels, key=lambda name: labels[name].lower())
                if name not in _HIDDEN and (value := row.get(name)) not in (None, "", [], {})
            ],
            notes=self._notes(caller, entity_type, number),
        )

    def _labels(self, caller: Caller, entity_type: str) -> dict[str, str]:
        """Return what each field of a type is called, by its name."""
        schema = dispatch(self._site, caller, "schema_field_read", {"type": entity_type})
        labels: dict[str, str] = {}
        if isinstance(schema, Mapping):
            for name, properties in schema.items():
                match properties:
                    case {"name": {"value": str(label)}}:
                        labels[name] = label
                    case _:
                        labels[name] = name
        return labels

    def _address(self, url: str) -> str:
        # Relative, so that a page also shows its pictures under another name of this machine.
        return url.removeprefix(self._site.base_url)

    def _picture(self, row: Row) -> str:
        """Return the address of the large picture of a version's upload, empty for none."""
        upload = _link(row.get("sg_uploaded_movie"))
        if upload and self._hosting.media.rendition(upload.id, Rendition.REVIEW).exists():
            return self._hosting.signer.sign(f"/file_serve/review/{upload.id}")
        return ""

    def _notes(self, caller: Caller, entity_type: str, number: int) -> list[NoteLine]:
        rows = self._site.find(
            caller,
            "Note",
            [["note_links", "is", {"type": entity_type, "id": number}]],
            ["subject", "content", "user", "created_at"],
            order=[("id", "asc")],
        )
        notes: list[Json] = [{"type": "Note", "id": row["id"]} for row in rows]
        replies: dict[int, list[NoteLine]] = {}
        if notes:
            for row in self._site.find(
                caller,
                "Reply",
                [["entity", "in", notes]],
                ["content", "user", "created_at", "entity"],
                order=[("id", "asc")],
            ):
                note = _link(row.get("entity"))
                if note is not None:
                    replies.setdefault(note.id, []).append(_note(row))
        return [_note(row, replies.get(_number(row, "id"), ())) for row in rows]


def _note(row: Row, replies: Sequence[NoteLine] = ()) -> NoteLine:
    return NoteLine(
        when=_moment(_text(row, "created_at")),
        who=_name(row.get("user")),
        subject=_text(row, "subject"),
        content=_text(row, "content"),
        replies=replies,
    )


def _text(row: Mapping[str, Json], field: str) -> str:
    value = row.get(field)
    return value if isinstance(value, str) else ""


def _number(row: Mapping[str, Json], field: str) -> int:
    value = row.get(field)
    return value if isinstance(value, int) else 0


def _link(value: Json) -> PageLink | None:
    match value:
        case {"type": str(kind), "id": int(number), "name": str(name)}:
            return PageLink(type=kind, id=number, name=name)
        case {"type": str(kind), "id": int(number)}:
            return PageLink(type=kind, id=number, name="")
        case _:
            return None


def _links(value: Json) -> list[PageLink]:
    values = value if isinstance(value, list) else [value]
    return [link for link in map(_link, values) if link is not None]


def _name(value: Json) -> str:
    found = _link(value)
    return found.name if found else ""


def _moment(text: str) -> str:
    """Return a moment as people read it, to the minute."""
    return f"{text[:10]} {text[11:16]} UTC" if len(text) == 20 else text


def _shown(value: Json) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return _moment(value) if value[10:11] == "T" and value.endswith("Z") else value
        case int() | float():
            return str(value)
        case {"type": str(), "id": int()}:
            return ""
        case {"url": str(url)}:
            return url
        case [*items]:
            return ", ".join(filter(None, map(_shown, items)))
        case _:
            return ""
