"""The whole tracker, in Python: what HTTP, uploads and seeds call."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Literal

from haikei.sgserver.credentials import Caller, Credentials, keep_secret, sign_in
from haikei.sgserver.media.attachments import mint
from haikei.sgserver.query.clauses import keep_image, parse_image, unsigned
from haikei.sgserver.query.filters import wire_filters
from haikei.sgserver.query.reading import Query, Reader, Sort
from haikei.sgserver.schema.entities import DataType, EntityType, Field, Schema
from haikei.sgserver.schema.stock import SYSTEM, furnish, stock_schema
from haikei.sgserver.store import Session, SqlValue, Store, load_definitions, prepare
from haikei.sgserver.values import Json, Row, bad_request, moment_text, parse_moment, utc_now
from haikei.sgserver.wire_calls import entity_type_of, run_batch
from haikei.sgserver.write.event_log import Journal
from haikei.sgserver.write.linking import Mode, retire, revive, set_links, tell_change
from haikei.sgserver.write.rows import (
    Columns,
    Work,
    Written,
    change_row,
    kept_json,
    missing,
    record,
    row_columns,
)
from haikei.sgserver.write.writing import create_row, update_row

#: The two fields that show thumbnails.
ImageField = Literal["image", "filmstrip_image"]


class Site:
    """
    One tracker: a folder with one SQLite file, and the files that were uploaded to it.

    Every method may be called from any thread; writers queue, readers never wait for them. Wire
    methods go through `haikei.sgserver.http.rpc.dispatch(site, caller, method, call)`.
    """

    data: Path  #: the folder; `data / "site.db"` is ours, `data / "attachments"` is for uploads
    base_url: str  #: without a slash at the end; set by the server once it is bound
    sign: Callable[[str], str]  #: makes a thumbnail's path one that opens; set by the server
    skew: timedelta  #: how far its clock is ahead, on a bad day
    written: Callable[[], None]  #: called after each write; set by the server
    system: Caller  #: the site's own hand, for seeds: an ApiUser that generates events

    def __init__(self, data: Path, store: Store, schema: Schema, system: Caller) -> None:
        self.data = data
        self.base_url = ""
        self.sign = unsigned
        self.skew = timedelta()
        self.written = _nobody_waits
        self.system = system
        self._store = store
        self._schema = schema
        self._credentials = Credentials()

    @classmethod
    def open(cls, data: Path) -> "Site":
        """
        Open the site in that folder, making what a fresh one has: statuses, steps, a script.

        Raises:
            StateError: the folder or its database cannot be used.
        """
        store = Store(data / "site.db")
        with store.writing() as session:
            schema = load_definitions(session, stock_schema())
            prepare(session, schema.types.values())
            sql = 'SELECT id FROM "ApiUser" WHERE firstname = ? ORDER BY id LIMIT 1'
            found = session.numbers(sql, (SYSTEM,))
            nobody = Caller(kind="ApiUser", id=0, name=SYSTEM)
            work = Work(session=session, schema=schema, caller=nobody, now=utc_now())
            system = Caller(kind="ApiUser", id=found[0] if found else furnish(work), name=SYSTEM)
        return cls(data, store, schema, system)

    def close(self) -> None:
        """Close every thread's connection."""
        self._store.close()

    @property
    def schema(self) -> Schema:
        """The entity types and fields that there are at this moment."""
        return self._schema

    @contextmanager
    def reading(self) -> Generator[tuple[Session, Reader], None, None]:
        """Run queries that all see the site as it is now."""
        with self._store.reading() as session:
            yield session, self._reader(session, self._now())

    @contextmanager
    def writing(self, caller: Caller, verb: str) -> Generator[tuple[Work, Reader], None, None]:
        """Run writes that happen together or, when an error leaves the block, not at all."""
        with self._store.writing() as session:
            now = self._now()
            work = Work(session=session, schema=self._schema, caller=caller, now=now, verb=verb)
            yield work, self._reader(session, now)
        self.written()

    def _now(self) -> datetime:
        return utc_now() + self.skew

    def reset_event_log(self) -> None:
        """Empty the event log and let its ids begin anew, as a site does that was set up again."""
        with self.writing(self.system, "reset") as (work, _):
            work.session.execute('DELETE FROM "EventLogEntry"', ())
            work.session.execute("UPDATE ids SET next_event = 1", ())

    def _reader(self, session: Session, now: datetime) -> Reader:
        return Reader(session, self._schema, self.base_url, now, self.sign)

    def change_schema(self, work: Work, kind: EntityType) -> None:
        """Use an entity type's new definition once this is committed; its columns are made."""
        prepare(work.session, [kind])
        schema = work.schema.replacing(kind)

        def use() -> None:
            self._schema = schema

        work.session.when_committed(use)

    def authenticate(self, auth: Mapping[str, Json]) -> Caller:
        """
        Return who signs in with these parameters: script, person or session, and `sudo_as_login`.

        Raises:
            AuthenticationFault: nobody does.
        """
        with self._store.reading() as session:
            return sign_in(session, self._credentials, auth)

    def new_session(self, caller: Caller) -> str:
        """Return a token that stands for this caller until the site closes."""
        return self._credentials.new_session(caller)

    def session_caller(self, token: str) -> Caller:
        """
        Return whose token that is (`_session_id` cookies).

        Raises:
            AuthenticationFault: nobody's.
        """
        return self._credentials.session_caller(token)

    def add_script(self, name: str, key: str, *, generates_events: bool = True) -> int:
        """Make that script known under this key, or give a known one this key; return its id."""
        with self.writing(self.system, "create") as (work, _):
            sql = 'SELECT id FROM "ApiUser" WHERE firstname = ? AND _retired = 0'
            found = work.session.numbers(sql, (name,))
            fields: dict[str, Json] = {"generate_event_log_entries": generates_events}
            kind = work.schema.types["ApiUser"]
            if found:
                script = found[0]
                update_row(work, kind, script, fields)
            else:
                script = create_row(work, kind, {"firstname": name, **fields})
            keep_secret(work.session, script, key)
            return script

    def set_password(self, user_id: int, password: str) -> None:
        """Let that HumanUser sign in with this password."""
        with self._store.writing() as session:
            keep_secret(session, user_id, password)

    def create(
        self,
        caller: Caller,
        entity_type: str,
        fields: Mapping[str, Json],
        *,
        return_fields: Sequence[str] = (),
    ) -> Row:
        """
        Create a row; return it with the fields sent and asked for.

        Raises:
            Fault: it is refused.
        """
        with self.writing(caller, "create") as (work, reader):
            kind = self._kind("create", entity_type)
            entity_id = create_row(work, kind, fields)
            return reader.rows(kind, [entity_id], [*fields, *return_fields])[0]

    def update(
        self,
        caller: Caller,
        entity_type: str,
        entity_id: int,
        fields: Mapping[str, Json],
        *,
        modes: Mapping[str, Mode] | None = None,
    ) -> Row:
        """
        Change a row; return it with the fields sent.

        Raises:
            Fault: it is refused.
        """
        with self.writing(caller, "update") as (work, reader):
            kind = self._kind("update", entity_type)
            update_row(work, kind, entity_id, fields, modes)
            return reader.rows(kind, [entity_id], list(fields))[0]

    def delete(self, caller: Caller, entity_type: str, entity_id: int) -> bool:
        """
        Retire a row; False when it is retired already.

        Raises:
            Fault: it is refused.
        """
        with self.writing(caller, "delete") as (work, _):
            return retire(work, self._kind("delete", entity_type), entity_id)

    def revive(self, caller: Caller, entity_type: str, entity_id: int) -> bool:
        """
        Bring a retired row back; False when it is not retired.

        Raises:
            Fault: it is refused.
        """
        with self.writing(caller, "revive") as (work, _):
            return revive(work, self._kind("revive", entity_type), entity_id)

    def batch(self, caller: Caller, requests: Json) -> list[Json]:
        """
        Carry out wire requests (`request_type`, `type`, …) together or not at all.

        Raises:
            Fault: one is refused; then nothing has happened.
        """
        with self.writing(caller, "batch") as (work, reader):

            def read_back(entity_type: str, entity_id: int, fields: Sequence[str]) -> Row:
                return reader.rows(work.schema.types[entity_type], [entity_id], fields)[0]

            return run_batch(work, requests, read_back)

    def find(
        self,
        caller: Caller,
        entity_type: str,
        filters: Sequence[Json] = (),
        fields: Sequence[str] = (),
        *,
        order: Sequence[tuple[str, Literal["asc", "desc"]]] = (),
        limit: int = 0,
        retired_only: bool = False,
    ) -> list[Row]:
        """
        Return rows, with filters as the client writes them: `[["code", "is", "x"], …]`.

        A filter may also be a wire condition or group (a mapping); limit 0 is none. Whoever asks
        sees everything: a site has no permissions beyond signing in.

        Raises:
            Fault: a type, field or filter is wrong.
        """
        del caller
        with self.reading() as (_, reader):
            query = Query(
                kind=self._kind("read", entity_type),
                filters=wire_filters(filters),
                retired=retired_only,
            )
            sorts = [Sort(path, descending=direction == "desc") for path, direction in order]
            return reader.page(query, fields, sorts=sorts, limit=limit).rows

    def find_one(
        self,
        caller: Caller,
        entity_type: str,
        filters: Sequence[Json] = (),
        fields: Sequence[str] = (),
    ) -> Row | None:
        """Return the first row that `find` gives, None for none."""
        found = self.find(caller, entity_type, filters, fields, limit=1)
        return found[0] if found else None

    def create_attachment(
        self,
        caller: Caller,
        *,
        filename: str,
        display_name: str,
        content_type: str | None,
        size: int | None,
        link: tuple[str, int] | None = None,
        tags: Sequence[str] = (),
        created_at: str | None = None,
        description: str | None = None,
    ) -> int:
        """
        Make an Attachment row for uploaded bytes; return its id, by which the bytes are served.

        `link` is the row it joins (`attachment_links`; a Note also gets it in `attachments`).
        Its `this_file` reads as an `upload` at `<base_url>/file_serve/attachment/<id>`.

        Raises:
            Fault: the linked row is unknown, or created_at is no moment.
        """
        with self.writing(caller, "create") as (work, _):
            linked = None if link is None else self._linked_row(work, *link)
            shown: dict[str, Json] = {
                "name": display_name,
                "content_type": content_type,
                "link_type": "upload",
            }
            more: Columns = {
                "filename": filename,
                "original_fname": filename,
                "file_extension": PurePosixPath(filename).suffix.removeprefix(".") or None,
                "file_size": size,
                "description": description,
                "tag_list": kept_json(list(tags)) if tags else None,
                "created_at": work.stamp if created_at is None else _moment(created_at),
            }
            project = None if linked is None else linked.project
            attachment = mint(work, shown, project=project, more=more)
            if linked is not None:
                self._attach(work, attachment, linked)
            return attachment

    def _attach(self, work: Work, attachment: int, linked: Written) -> None:
        row = record(work, attachment)
        if row is None:
            raise AssertionError("unreachable")
        set_links(work, row, row.kind.fields["attachment_links"], [linked.id], mode="add")
        if linked.kind.name == "Note":
            field = linked.kind.fields["attachments"]
            set_links(work, linked, field, [attachment], mode="add")

    def set_file(
        self, caller: Caller, entity_type: str, entity_id: int, field: str, attachment_id: int
    ) -> None:
        """
        Let a url field (`sg_uploaded_movie`, `path` …) show an Attachment, with its event.

        Raises:
            Fault: row, field or attachment is unknown, or the field is no url field.
        """
        with self.writing(caller, "update") as (work, _):
            kind = self._kind("update", entity_type)
            found = kind.fields.get(field)
            if found is None or found.data_type is not DataType.URL:
                raise bad_request(f"API update() {entity_type}.{field} takes no uploaded file.")
            sql = 'SELECT this_file FROM "Attachment" WHERE id = ? AND _retired = 0'
            file = work.session.row(sql, (attachment_id,))
            if file is None:
                raise missing("update", "Attachment", attachment_id)
            row, old = self._set_column(work, kind, entity_id, found, file[0])
            tell_change(work, row, found, old, file[0])

    def _set_column(
        self, work: Work, kind: EntityType, entity_id: int, field: Field, value: SqlValue
    ) -> tuple[Written, SqlValue]:
        old = row_columns(work, kind, entity_id)
        if old is None:
            raise missing("update", kind.name, entity_id)
        return change_row(work, kind, entity_id, old, {field.name: value}), old[field.name]

    def set_image(
        self,
        caller: Caller,
        entity_type: str,
        entity_id: int,
        attachment_id: int,
        *,
        field: ImageField = "image",
        transient: bool,
    ) -> None:
        """
        Let an image field show a thumbnail, with its event (`is_transient` as given).

        Transient, the field reads `<base_url>/images/status/transient/thumbnail_pending.png`,
        later `<base_url>/file_serve/thumbnail/<attachment_id>`. The old value in the event is
        null while the placeholder is shown.

        Raises:
            Fault: row, field or attachment is unknown.
        """
        with self.writing(caller, "update") as (work, _):
            kind = self._kind("update", entity_type)
            found = kind.fields.get(field)
            if found is None or found.data_type is not DataType.IMAGE:
                raise bad_request(f"API update() {entity_type}.{field} takes no thumbnail.")
            if record(work, attachment_id) is None:
                raise missing("update", "Attachment", attachment_id)
            value = keep_image(attachment_id, transient=transient)
            row, old = self._set_column(work, kind, entity_id, found, value)
            Journal(work).changed(row, found, old, value, is_transient=transient)

    def image_of(
        self, entity_type: str, entity_id: int, field: ImageField = "image"
    ) -> tuple[int, bool] | None:
        """Return (attachment id, still transient) of an image field, None when it is empty."""
        kind = self._kind("read", entity_type)
        if field not in kind.fields:
            return None
        with self._store.reading() as session:
            sql = f'SELECT {field} FROM "{kind.name}" WHERE id = ? AND _retired = 0'
            found = session.row(sql, (entity_id,))
        return None if found is None or found[0] is None else parse_image(str(found[0]))

    def _kind(self, verb: str, entity_type: str) -> EntityType:
        return entity_type_of(self._schema, verb, {"type": entity_type})

    def _linked_row(self, work: Work, entity_type: str, entity_id: int) -> Written:
        found = record(work, entity_id)
        if found is None or found.kind.name != entity_type:
            raise missing("create", entity_type, entity_id)
        return found


def _nobody_waits() -> None:
    """Do nothing: no server runs that tells anybody of a write."""


def _moment(text: str) -> str:
    moment = parse_moment(text)
    if moment is None:
        raise bad_request(f"Invalid date time format: {text}.")
    return moment_text(moment)
