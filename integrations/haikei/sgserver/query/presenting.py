"""Turn what is kept into what travels: values, links with names, files and thumbnails."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from haikei.sgserver.query.clauses import link_rows
from haikei.sgserver.schema.fields import DataType, Field, Relation
from haikei.sgserver.store import Session, SqlValue
from haikei.sgserver.values import Json

PENDING = "/images/status/transient/thumbnail_pending.png"
_JSON_KINDS = {DataType.SERIALIZABLE, DataType.JSONB, DataType.TAG_LIST}


def unsigned(path: str) -> str:
    """Return a thumbnail's path as it is."""
    return path


class Presenter:
    """
    What one request shows.

    Args:
        session: the transaction that the request runs in.
        base_url: where the site is, without a slash at the end.
        sign: makes of a thumbnail's or file's path one that opens without signing in.
    """

    def __init__(
        self, session: Session, base_url: str, sign: Callable[[str], str] = unsigned
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._sign = sign

    def value(self, field: Field, kept: SqlValue) -> Json:
        """Return the value of a field that is no link."""
        kind = field.data_type
        if kind is DataType.CHECKBOX:
            return bool(kept)
        if kind is DataType.TAG_LIST and kept is None:
            return []
        if kept is None:
            return None
        if kind is DataType.PASSWORD:
            return "*******"
        if kind is DataType.IMAGE:
            return self._image(str(kept))
        if kind is DataType.URL:
            return self._file(cast("dict[str, Json]", json.loads(str(kept))))
        if kind in _JSON_KINDS:
            return cast("Json", json.loads(str(kept)))
        return kept

    def _image(self, kept: str) -> str:
        attachment, transient = parse_image(kept)
        path = PENDING if transient else self._sign(f"/file_serve/thumbnail/{attachment}")
        return f"{self._base_url}{path}"

    def _file(self, kept: dict[str, Json]) -> Json:
        if kept.get("link_type") != "upload":
            return kept
        path = self._sign(f"/file_serve/attachment/{kept['id']}")
        return {"url": f"{self._base_url}{path}", **kept}

    def links(self, ids: Iterable[int]) -> dict[int, Json]:
        """Return the live rows of these ids as links."""
        sql = (
            "SELECT id, type, name FROM records "
            "WHERE id IN (SELECT value FROM json_each(?)) AND retired = 0"
        )
        found = self._session.rows(sql, (json.dumps(sorted(set(ids))),))
        return {int(row[0] or 0): {"type": row[1], "id": row[0], "name": row[2]} for row in found}

    def linked(self, relation: Relation, owners: Iterable[int]) -> dict[int, list[Json]]:
        """Return the live links of a multi-entity field, for each of these rows that has some."""
        rows = link_rows(relation, "k")
        order = "r.name, r.id" if relation.by_name else "r.id"
        sql = (
            f"SELECT {rows.owner}, r.type, r.id, r.name FROM {rows.table} "
            f"JOIN records r ON r.id = {rows.target} AND r.retired = 0 "
            f"WHERE {rows.owner} IN (SELECT value FROM json_each(?)) AND {rows.where} "
            f"ORDER BY {order}"
        )
        found: dict[int, list[Json]] = {}
        seen: set[tuple[SqlValue, SqlValue]] = set()
        for owner, kind, target, name in self._session.rows(sql, (json.dumps(list(owners)),)):
            if (owner, target) not in seen:
                seen.add((owner, target))
                link: Mapping[str, Json] = {"type": kind, "id": target, "name": name}
                found.setdefault(int(owner or 0), []).append(link)
        return found


def keep_image(attachment: int, *, transient: bool) -> str:
    """Return an image field's value as it is kept."""
    return f"{'transient' if transient else 'ready'}:{attachment}"


def parse_image(kept: str) -> tuple[int, bool]:
    """Return the attachment's id, and whether its thumbnail is still being made."""
    state, _, attachment = kept.partition(":")
    return int(attachment), state == "transient"
