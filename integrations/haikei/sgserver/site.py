"""The whole tracker, in Python: what HTTP, uploads and seeds call."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from haikei.sgserver.caller import Caller
from haikei.sgserver.values import Json, Row

#: How a value joins a multi-entity field.
Mode = Literal["set", "add", "remove"]


class Site:
    """
    One tracker: a folder with one SQLite file, and the files that were uploaded to it.

    Every method may be called from any thread; writers queue, readers never wait for them. Wire
    methods go through `haikei.sgserver.rpc.dispatch(site, caller, method, call)`.
    """

    data: Path  #: the folder; `data / "site.db"` is ours, `data / "files"` is for uploaded bytes
    base_url: str  #: without a slash at the end; set by the server once it is bound
    system: Caller  #: the site's own hand, for seeds: an ApiUser that generates events

    @classmethod
    def open(cls, data: Path) -> "Site":
        """
        Open the site in that folder, making what a fresh one has: statuses, steps, a script.

        Raises:
            StateError: the folder or its database cannot be used.
        """
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close every thread's connection."""

    def authenticate(self, auth: Mapping[str, Json]) -> Caller:
        """
        Return who signs in with these parameters: script, person or session, and `sudo_as_login`.

        Raises:
            AuthenticationFault: nobody does.
        """
        raise AssertionError("unreachable")

    def new_session(self, caller: Caller) -> str:
        """Return a token that stands for this caller until the site closes."""
        raise AssertionError("unreachable")

    def session_caller(self, token: str) -> Caller:
        """
        Return whose token that is (`_session_id` cookies).

        Raises:
            AuthenticationFault: nobody's.
        """
        raise AssertionError("unreachable")

    def add_script(self, name: str, key: str, *, generates_events: bool = True) -> int:
        """Make that script known under this key, or give a known one this key; return its id."""
        raise AssertionError("unreachable")

    def set_password(self, user_id: int, password: str) -> None:
        """Let that HumanUser sign in with this password."""

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
        raise AssertionError("unreachable")

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
        raise AssertionError("unreachable")

    def delete(self, caller: Caller, entity_type: str, entity_id: int) -> bool:
        """
        Retire a row; False when it is retired already.

        Raises:
            Fault: it is refused.
        """
        raise AssertionError("unreachable")

    def revive(self, caller: Caller, entity_type: str, entity_id: int) -> bool:
        """
        Bring a retired row back; False when it is not retired.

        Raises:
            Fault: it is refused.
        """
        raise AssertionError("unreachable")

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

        A filter may also be a wire condition or group (a mapping); limit 0 is none.

        Raises:
            Fault: a type, field or filter is wrong.
        """
        raise AssertionError("unreachable")

    def find_one(
        self,
        caller: Caller,
        entity_type: str,
        filters: Sequence[Json] = (),
        fields: Sequence[str] = (),
    ) -> Row | None:
        """Return the first row that `find` gives, None for none."""
        raise AssertionError("unreachable")

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
        raise AssertionError("unreachable")

    def set_file(
        self, caller: Caller, entity_type: str, entity_id: int, field: str, attachment_id: int
    ) -> None:
        """
        Let a url field (`sg_uploaded_movie`, `path` …) show an Attachment, with its event.

        Raises:
            Fault: row, field or attachment is unknown, or the field is no url field.
        """
        raise AssertionError("unreachable")

    def set_image(
        self,
        caller: Caller,
        entity_type: str,
        entity_id: int,
        attachment_id: int,
        *,
        field: Literal["image", "filmstrip_image"] = "image",
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
        raise AssertionError("unreachable")

    def image_of(
        self, entity_type: str, entity_id: int, field: Literal["image", "filmstrip_image"] = "image"
    ) -> tuple[int, bool] | None:
        """Return (attachment id, still transient) of an image field, None when it is empty."""
        raise AssertionError("unreachable")
