"""
How fast does the ledger append, prove and audit, against the least that such a thing can cost?

The records are those of a show: an image each, with who and what made it. Appends in batches are
compared with bare inserts of the same rows by the sqlite3 module, and the audit with reading and
hashing the same payloads once, without any tree.

    python benchmarks/ledger.py --records 1000000
"""

import argparse
import hashlib
import json
import logging
import resource
import sqlite3
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from haikei.canonical import canonical_json
from haikei.database import open_database, reading
from haikei.ledger import NoteSigner, StoredTree, append_many, audit, entry, seal, size
from haikei.ledger.signing import Signer
from haikei.ledger.tree import leaf_hash, root_from_inclusion
from haikei.settings import Settings, Storage, StorageRoot, Studio

BATCH = 1000
PROOFS = 1000
MARK_APPENDS = 5_000.0
MARK_PROOF = 10.0
MARK_AUDIT = 20.0  # seconds for a million records


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the benchmark measured."""

    records: int
    payload_bytes: int  #: of one record
    database_mib: float
    append_rate: float  #: records a second, in batches of 1000, each its own transaction
    bare_rate: float  #: the same rows, by executemany of the sqlite3 module
    append_ratio: float  #: our time over the bare one
    proof_ms: float  #: median, reading one inclusion proof from the database
    proof_p99_ms: float
    consistency_ms: float
    checkpoint_seconds: float  #: recomputes everything before it signs
    audit_seconds: float
    hash_seconds: float  #: reading and hashing the payloads once
    audit_ratio: float
    rss_mib: float
    reached: bool


def main() -> None:
    """Measure, print the table, and fail when a mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), given.records)
    if given.json:
        print(json.dumps(asdict(figures), indent=2))
    else:
        show_table(figures)
    if not figures.reached:
        raise SystemExit(1)


def measure(folder: Path, records: int) -> Figures:
    """Return the figures for a ledger of so many records."""
    database = open_database(f"sqlite:///{folder / 'haikei.db'}")
    settings = Settings(
        studio=Studio(state=folder), storage=Storage(roots=(StorageRoot(name="here", path=folder),))
    )
    signer = NoteSigner(Signer(settings), "benchmark/haikei")
    append_seconds, middle = appended(database, records, signer)
    bare_seconds = bare_inserts(folder / "bare.db", records)
    proofs = [proof_seconds(database, seq) for seq in range(0, records, max(1, records // PROOFS))]
    with reading(database) as connection:
        started = time.perf_counter()
        StoredTree(connection).consistency(middle, records)
        consistency = time.perf_counter() - started
    started = time.perf_counter()
    seal(database, signer)
    checkpoint_seconds = time.perf_counter() - started
    hash_seconds = bare_hashes(folder / "haikei.db")
    started = time.perf_counter()
    with reading(database) as connection:
        found = audit(connection, signer.key)
    audit_seconds = time.perf_counter() - started
    assert found.entries == records
    assert not found.findings
    database.dispose()
    rate = records / append_seconds
    proof_ms = statistics.median(proofs) * 1000
    return Figures(
        records=records,
        payload_bytes=len(payload(0)),
        database_mib=(folder / "haikei.db").stat().st_size / 2**20,
        append_rate=rate,
        bare_rate=records / bare_seconds,
        append_ratio=append_seconds / bare_seconds,
        proof_ms=proof_ms,
        proof_p99_ms=statistics.quantiles(proofs, n=100)[98] * 1000,
        consistency_ms=consistency * 1000,
        checkpoint_seconds=checkpoint_seconds,
        audit_seconds=audit_seconds,
        hash_seconds=hash_seconds,
        audit_ratio=audit_seconds / hash_seconds,
        rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        reached=(
            rate >= MARK_APPENDS
            and proof_ms <= MARK_PROOF
            and audit_seconds <= MARK_AUDIT * max(1.0, records / 1_000_000)
        ),
    )


def payload(number: int) -> str:
    """Return a record such as the job seals for an image."""
    name = hashlib.sha256(str(number).encode()).hexdigest()
    return canonical_json(
        {
            "v": 1,
            "type": "image",
            "key": f"job-{name[:20]}/background",
            "project": "akane",
            "sequence": f"ep{number // 10_000:02d}",
            "shot": f"c{number % 10_000:04d}",
            "sha256": name,
            "pixels_sha256": name[::-1],
            "kind": "background",
            "source_type": "trainedAlgorithmicMedia",
            "ingredients": [{"sha256": name[::-1], "relation": "parentOf"}],
            "contributions": [
                {
                    "role": "ai_operation",
                    "actor": {"id": f"HumanUser:{number % 40}", "commitment": name},
                    "grade": "logged",
                    "evidence": {"source": "generation request", "sha256": name},
                    "at": "2026-11-22T00:00:00.000000+00:00",
                }
            ],
            "path": f"akane/ep01/c{number:07d}/background/summer_day/v001/bg.png",
            "created_at": "2026-11-22T00:00:00.000000+00:00",
        }
    )


def appended(database: Engine, records: int, signer: NoteSigner) -> tuple[float, int]:
    """Append in batches, and seal in the middle; return the seconds of appending, and where."""
    seconds = 0.0
    middle = max(BATCH, records // 2 // BATCH * BATCH)
    for start in range(0, records, BATCH):
        batch = [
            (f"record/{number}", payload(number))
            for number in range(start, min(start + BATCH, records))
        ]
        started = time.perf_counter()
        with database.begin() as connection:
            append_many(connection, batch)
        seconds += time.perf_counter() - started
        if start + BATCH == middle:
            seal(database, signer)
    with reading(database) as connection:
        assert size(connection) == records
    return seconds, min(middle, records)


def bare_inserts(path: Path, records: int) -> float:
    """Return the seconds in which the sqlite3 module inserts the same rows, without a tree."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(
        "CREATE TABLE ledger (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, "
        "leaf BLOB NOT NULL, payload TEXT NOT NULL, appended_at TEXT NOT NULL)"
    )
    seconds = 0.0
    for start in range(0, records, BATCH):
        rows = [
            (number, f"record/{number}", leaf_hash(text), text, "2026-11-22T00:00:00.000000+00:00")
            for number in range(start, min(start + BATCH, records))
            for text in (payload(number),)
        ]
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
        seconds += time.perf_counter() - started
    connection.close()
    return seconds


def bare_hashes(path: Path) -> float:
    """Return the seconds in which every payload is read and hashed once."""
    connection = sqlite3.connect(path)
    started = time.perf_counter()
    for (text,) in connection.execute("SELECT payload FROM ledger ORDER BY seq"):
        hashlib.sha256(text.encode()).digest()
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def proof_seconds(database: Engine, seq: int) -> float:
    """Return the seconds for one proof from a fresh connection, and check that it holds."""
    with reading(database) as connection:
        started = time.perf_counter()
        tree = StoredTree(connection)
        count = size(connection)
        path = tree.inclusion(seq, count)
        seconds = time.perf_counter() - started
        record = entry(connection, seq)
        assert root_from_inclusion(leaf_hash(record.payload), seq, count, path) == tree.root(count)
    return seconds


def show_table(figures: Figures) -> None:
    """Print the figures for a person."""
    table = Table(title=f"Ledger of {figures.records:,} records")
    for heading in ("what", "measured", "baseline", "ratio", "to reach"):
        table.add_column(heading)
    table.add_row(
        "append, batches of 1000",
        f"{figures.append_rate:,.0f}/s",
        f"bare inserts {figures.bare_rate:,.0f}/s",
        f"{figures.append_ratio:.2f}×",
        f"{MARK_APPENDS:,.0f}/s",
    )
    table.add_row(
        "inclusion proof",
        f"{figures.proof_ms:.2f} ms (p99 {figures.proof_p99_ms:.2f})",
        "",
        "",
        f"{MARK_PROOF:.0f} ms",
    )
    table.add_row("consistency proof", f"{figures.consistency_ms:.2f} ms", "", "", "")
    table.add_row("checkpoint", f"{figures.checkpoint_seconds:.1f} s", "", "", "")
    table.add_row(
        "full audit",
        f"{figures.audit_seconds:.1f} s",
        f"read and hash {figures.hash_seconds:.1f} s",
        f"{figures.audit_ratio:.2f}×",
        f"{MARK_AUDIT:.0f} s a million",
    )
    table.add_row("database", f"{figures.database_mib:,.0f} MiB", "", "", "")
    table.add_row("memory, at most", f"{figures.rss_mib:,.0f} MiB", "", "", "")
    Console().print(table)


if __name__ == "__main__":
    main()
