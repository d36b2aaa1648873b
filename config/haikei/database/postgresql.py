"""What PostgreSQL does otherwise than SQLite, made alike: the order of texts, and the text NUL."""

from typing import cast

import psycopg
from psycopg.types.string import StrBinaryDumper, StrDumper
from sqlalchemy import Connection, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from typing_extensions import override

_NO_NUL = "\N{REPLACEMENT CHARACTER}"


class _Text(StrDumper):
    @override
    def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
        return super().dump(obj.replace("\0", _NO_NUL))


class _BinaryText(StrBinaryDumper):
    @override
    def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
        return super().dump(obj.replace("\0", _NO_NUL))


def without_nul(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Have NUL sent as the replacement character: texts of people and files may hold it."""
    adapters = cast("psycopg.Connection[tuple[object, ...]]", connection).adapters
    for dumper in (_Text, _BinaryText):
        adapters.register_dumper(str, dumper)


def sort_as_bytes(connection: Connection) -> None:
    """
    Have every text of ours compared byte by byte, as SQLite does, whatever the server's language.

    Keys are looked up by their beginnings and moments compared as texts: in most languages' order
    punctuation counts little or not at all.
    """
    rows = connection.execute(
        text(
            "SELECT table_name, column_name, character_maximum_length AS length"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND data_type IN ('text', 'character varying')"
            # Its trigger compares them, which forbids a change; nobody looks texts up there.
            " AND table_name <> 'ledger_checkpoints'"
            " AND collation_name IS DISTINCT FROM 'C' ORDER BY table_name, ordinal_position"
        )
    ).all()
    quote = connection.dialect.identifier_preparer.quote
    changes: dict[str, list[str]] = {}
    for row in rows:
        kind = "text" if row.length is None else f"varchar({row.length})"
        change = f'ALTER COLUMN {quote(row.column_name)} TYPE {kind} COLLATE "C"'
        changes.setdefault(row.table_name, []).append(change)
    for table, those in changes.items():
        connection.execute(text(f"ALTER TABLE {quote(table)} {', '.join(those)}"))
