"""What the site's pages show, read from the site as its visitor may see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haikei.presets import ROLES as ROLE_NAMES
from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.media.media_store import Rendition
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json, Row

CREDIT_EN = "sg_haikei_credit"
CREDIT_JA = "sg_haikei_credit_ja"
ROLES = "sg_haikei_roles"
CHECKPOINT = "sg_haikei_checkpoint"
NAME_JA = "sg_name_ja"
PAGE_SIZE = 48
_HISTORY = 60
_EVENTS = 4 * _HISTORY  #: read for it, since many of them echo another one
_HIDDEN = frozenset({"type", "id", "image", "filmstrip_image", "cached_display_name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLink:
    """A row that another one names."""

    type: str
    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A status, as people read it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One version in the gallery."""

    id: int
    code: str
    image: str  #: the thumbnail's address, empty for none
    project: PageLink | None
    sequence: PageLink | None
    entity: PageLink | None
    state: State
    artist: PageLink | None
    credit_en: str
    credit_ja: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """One page of versions."""

    cards: Sequence[Card]
    states: Sequence[State]
    projects: Sequence[PageLink]
    state: str  #: the status code that is shown, `all` for every one
    project: int  #: 0 for every one
    page: int
    has_next: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One published file of a version."""

    id: int
    code: str
    kind: str
    description: str
    path: str
    upstream: Sequence[PageLink]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One thing that happened to a row."""

    when: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """What somebody wrote about a row."""

    when: str
    who: str
    subject: str
    content: str
    replies: Sequence["NoteLine"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLine:
    """What somebody did for a version."""

    en: str
    ja: str
    names: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """Everything of one version."""

    card: Card
    picture: str  #: the large picture's address, empty for none
    pending: bool  #: its thumbnail is still being made
    download: str  #: the uploaded file's address, empty for none
    artist_ja: str
    task: PageLink | None
    description: str
    details: Sequence[tuple[str, str]]
    roles: Sequence[RoleLine]
    checkpoint: str  #: the newest signed head of the ledger, empty for none
    files: Sequence[FileLine]
    notes: Sequence[NoteLine]
    history: Sequence[HistoryLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One field of any row: text, or the rows it names."""

    label: str
    text: str
    links: Sequence[PageLink]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """Any row, field by field."""

    type: str
    id: int
    name: str
    image: str
    fields: Sequence[FieldLine]
    history: Sequence[HistoryLine]


class PageViews:
    """Reads what pages show."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._site: Site = hosting.site

    def gallery(self, caller: Caller, *, state: str, project: int, page: int) -> Gallery:
        """Return one page of versions, newest first."""
        filters: list[Json] = []
        if state != "all":
            filters.append(["sg_status_list", "is", state])
        if project:
            filters.append(["project", "is", {"type": "Project", "id": project}])
        known = self._labels(caller, "Version")
        rows = self._site.find(
            caller,
            "Version",
            filters,
            _card_fields(known),
            order=[("id", "desc")],
            limit=page * PAGE_SIZE + 1,
        )
        states = self._states(caller)
        shown = rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        projects = self._site.find(caller, "Project", [], ["name"], order=[("name", "asc")])
        return Gallery(
            cards=[self._card(row, states) for row in shown],
            states=self._version_states(caller, states),
            projects=[
                PageLink(type="Project", id=_number(row, "id"), name=_text(row, "name"))
                for row in projects
            ],
            state=state,
            project=project,
            page=page,
            has_next=len(rows) > page * PAGE_SIZE,
        )

    def version(self, caller: Caller, number: int) -> VersionView | None:
        """Return one version, None when there is none."""
        known = self._labels(caller, "Version")
        own = {
            name: label
            for name, label in known.items()
            if name.startswith("sg_haikei_") and name not in {CREDIT_EN, CREDIT_JA, ROLES}
        }
        checkpoint = f"project.Project.{CHECKPOINT}"
        row = self._site.find_one(
            caller,
            "Version",
            [["id", "is", number]],
            [
                *_card_fields(known),
                "description",
                "sg_task",
                "sg_uploaded_movie",
                *own,
                *([ROLES] if ROLES in known else []),
                *([checkpoint] if CHECKPOINT in self._labels(caller, "Project") else []),
            ],
        )
        if row is None:
            return None
        card = self._card(row, self._states(caller))
        media = _link(row, "sg_uploaded_movie")
        shown = self._site.image_of("Version", number)
        return VersionView(
            card=card,
            picture=self._picture([media.id if media else 0, shown[0] if shown else 0]),
            pending=shown is not None and shown[1],
            download=(
                self._hosting.signer.sign(f"/file_serve/attachment/{media.id}") if media else ""
            ),
            artist_ja=self._japanese_name(caller, card.artist),
            task=_link(row, "sg_task"),
            description=_text(row, "description"),
            details=[
                (label, text) for name, label in own.items() if (text := _shown(row.get(name)))
            ],
            roles=[_role(line) for line in _text(row, ROLES).splitlines()],
            checkpoint=_text(row, checkpoint),
            files=self._files(caller, number),
            notes=self._notes(caller, number),
            history=self._history(caller, "Version", number),
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
        lines = [
            FieldLine(label=labels[name], text=_shown(row.get(name)), links=_links(row, name))
            for name in sorted(labels, key=lambda name: labels[name].lower())
            if name not in _HIDDEN and row.get(name) not in (None, "", [], {})
        ]
        names = (_text(row, field) for field in ("code", "name", "content", "subject", "title"))
        return RowView(
            type=entity_type,
            id=number,
            name=next(filter(None, names), f"{entity_type} {number}"),
            image=self._address(_text(row, "image")),
            fields=lines,
            history=self._history(caller, entity_type, number),
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

    def _states(self, caller: Caller) -> dict[str, State]:
        rows = self._site.find(caller, "Status", [], ["code", "name"])
        states = (State(code=_text(row, "code"), name=_text(row, "name")) for row in rows)
        return {state.code: state for state in states}

    def _version_states(self, caller: Caller, states: Mapping[str, State]) -> list[State]:
        schema = dispatch(
            self._site,
            caller,
            "schema_field_read",
            {"type": "Version", "field_name": "sg_status_list"},
        )
        match schema:
            case {"sg_status_list": {"properties": {"valid_values": {"value": [*codes]}}}}:
                return [states.get(str(c), State(code=str(c), name=str(c))) for c in codes]
            case _:
                return list(states.values())

    def _card(self, row: Row, states: Mapping[str, State]) -> Card:
        code = _text(row, "sg_status_list")
        return Card(
            id=_number(row, "id"),
            code=_text(row, "code"),
            image=self._address(_text(row, "image")),
            project=_link(row, "project"),
            sequence=_link(row, "entity.Shot.sg_sequence"),
            entity=_link(row, "entity"),
            state=states.get(code, State(code=code, name=code)),
            artist=_link(row, "user"),
            credit_en=_text(row, CREDIT_EN),
            credit_ja=_text(row, CREDIT_JA),
            created_at=_moment(_text(row, "created_at")),
        )

    def _address(self, url: str) -> str:
        # Relative, so that a page also shows its pictures under another name of this machine.
        return url.removeprefix(self._site.base_url)

    def _picture(self, attachments: Sequence[int]) -> str:
        for attachment in attachments:
            if attachment and self._hosting.media.rendition(attachment, Rendition.REVIEW).exists():
                return self._hosting.signer.sign(f"/file_serve/review/{attachment}")
        return ""

    def _japanese_name(self, caller: Caller, person: PageLink | None) -> str:
        if person is None or person.type != "HumanUser":
            return ""
        if NAME_JA not in self._labels(caller, "HumanUser"):
            return ""
        row = self._site.find_one(caller, "HumanUser", [["id", "is", person.id]], [NAME_JA])
        return _text(row or {}, NAME_JA)

    def _files(self, caller: Caller, version: int) -> list[FileLine]:
        rows = self._site.find(
            caller,
            "PublishedFile",
            [["version", "is", {"type": "Version", "id": version}]],
            [
                "code",
                "published_file_type",
                "description",
                "path",
                "path_cache",
                "upstream_published_files",
            ],
            order=[("id", "asc")],
        )
        lines: list[FileLine] = []
        for row in rows:
            kind = _link(row, "published_file_type")
            lines.append(
                FileLine(
                    id=_number(row, "id"),
                    code=_text(row, "code"),
                    kind=kind.name if kind else "",
                    description=_text(row, "description"),
                    path=_path(row),
                    upstream=_links(row, "upstream_published_files"),
                )
            )
        return lines

    def _notes(self, caller: Caller, version: int) -> list[NoteLine]:
        rows = self._site.find(
            caller,
            "Note",
            [["note_links", "is", {"type": "Version", "id": version}]],
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
                note = _link(row, "entity")
                if note is not None:
                    replies.setdefault(note.id, []).append(_note(row))
        return [_note(row, replies.get(_number(row, "id"), ())) for row in rows]

    def _history(self, caller: Caller, entity_type: str, number: int) -> list[HistoryLine]:
        rows = self._site.find(
            caller,
            "EventLogEntry",
            [["entity", "is", {"type": entity_type, "id": number}]],
            ["description", "event_type", "meta", "created_at"],
            order=[("id", "desc")],
            limit=_EVENTS,
        )
        return [
            HistoryLine(
                when=_moment(_text(row, "created_at")),
                what=_text(row, "description") or _text(row, "event_type"),
            )
            for row in rows
            if not _is_echo(row)
        ][:_HISTORY]


def _note(row: Row, replies: Sequence[NoteLine] = ()) -> NoteLine:
    return NoteLine(
        when=_moment(_text(row, "created_at")),
        who=_name(row, "user"),
        subject=_text(row, "subject"),
        content=_text(row, "content"),
        replies=replies,
    )


def _card_fields(known: Mapping[str, str]) -> list[str]:
    fields = ["code", "image", "project", "entity", "entity.Shot.sg_sequence"]
    fields += ["sg_status_list", "user", "created_at"]
    return fields + [name for name in (CREDIT_EN, CREDIT_JA) if name in known]


def _text(row: Mapping[str, Json], field: str) -> str:
    value = row.get(field)
    return value if isinstance(value, str) else ""


def _number(row: Mapping[str, Json], field: str) -> int:
    value = row.get(field)
    return value if isinstance(value, int) else 0


def _role(line: str) -> RoleLine:
    role, _, names = line.partition(":")
    words = ROLE_NAMES.get(role.strip())
    return RoleLine(
        en=words.en if words else role.strip(), ja=words.ja if words else "", names=names.strip()
    )


def _as_link(value: Json) -> PageLink | None:
    match value:
        case {"type": str(kind), "id": int(number), "name": str(name)}:
            return PageLink(type=kind, id=number, name=name)
        case {"type": str(kind), "id": int(number)}:
            return PageLink(type=kind, id=number, name="")
        case _:
            return None


def _link(row: Mapping[str, Json], field: str) -> PageLink | None:
    return _as_link(row.get(field))


def _name(row: Mapping[str, Json], field: str) -> str:
    found = _link(row, field)
    return found.name if found else ""


def _links(row: Mapping[str, Json], field: str) -> list[PageLink]:
    value = row.get(field)
    values = value if isinstance(value, list) else [value]
    return [link for link in map(_as_link, values) if link is not None]


def _is_echo(event: Mapping[str, Json]) -> bool:
    """Tell whether an event only repeats another: a value of a new row, a pending thumbnail."""
    match event.get("meta"):
        case {"in_create": True} | {"is_transient": True}:
            return True
        case _:
            return False


def _path(row: Mapping[str, Json]) -> str:
    match row.get("path"):
        case {"relative_path": str(relative), "local_storage": {"name": str(root)}}:
            return f"{root}: {relative}"
        case {"local_path_linux": str(local)}:
            return local
        case {"url": str(url)}:
            return url
        case _:
            return _text(row, "path_cache")


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
