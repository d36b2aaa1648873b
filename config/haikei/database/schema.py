"""Every table of the studio's own state, in one dialect-neutral schema."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from haikei.database.moments import Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")

# What has happened, once each, whoever told us. `dispatched_at` is null until jobs stand for it.
events = Table(
    "events",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", String(80), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("source", String(20), nullable=False),
    Column("payload", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("dispatched_at", Moment),
    UniqueConstraint("key"),
    Index("ix_events_dispatched_at", "dispatched_at", "id"),
)

# What is to be done and how far it is: one row a background, or a refused file.
jobs = Table(
    "jobs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", String(120), nullable=False),
    Column("event_key", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("step", String(20), nullable=False, default=""),
    Column("run", Integer, nullable=False, default=1),
    Column("priority", Integer, nullable=False, default=100),
    Column("project", String(255), nullable=False, default=""),
    Column("sequence", String(255), nullable=False, default=""),
    Column("shot", String(255), nullable=False, default=""),
    Column("season", String(20), nullable=False, default=""),
    Column("time", String(20), nullable=False, default=""),
    Column("recipe", String(64), nullable=False, default=""),
    Column("layout", Text, nullable=False, default=""),
    Column("order_json", Text, nullable=False, default=""),
    Column("progress", Float, nullable=False, default=0.0),
    Column("note", Text, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("error_kind", String(80), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    # How often a worker died in the present step; it tells a poison from an accident.
    Column("crashes", Integer, nullable=False, default=0),
    Column("cancel_asked", Integer, nullable=False, default=0),
    Column("result_json", Text, nullable=False, default=""),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("key"),
    Index("ix_jobs_state", "state", "priority", "id"),
    Index("ix_jobs_updated_at", "updated_at"),
)

# Every file the watcher has looked at: the truth that events only hint at.
files = Table(
    "files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False, default=""),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("event_key", String(80), nullable=False, default=""),
    Column("seen_at", Moment, nullable=False),
)

# How far each event feed has been followed.
feed_cursors = Table(
    "feed_cursors",
    metadata,
    Column("feed", String(200), primary_key=True),
    Column("frontier", BigInteger, nullable=False),
    Column("frontier_at", Moment),
    Column("clock", Float, nullable=False, default=0.0),
    Column("since", Moment, nullable=False),
    Column("reconciled_at", Moment),
    Column("updated_at", Moment, nullable=False),
)

# Ids that were skipped when the feed was read, until they appear or their deadline passes.
feed_gaps = Table(
    "feed_gaps",
    metadata,
    Column("feed", String(200), primary_key=True),
    Column("first_id", BigInteger, primary_key=True),
    Column("last_id", BigInteger, nullable=False),
    Column("deadline", Float, nullable=False),
)

# Rows that a feed told of, until it is known what became of them and then for as long as a
# reconciliation may come upon them again.
feed_rows = Table(
    "feed_rows",
    metadata,
    Column("feed", String(200), primary_key=True),
    Column("row_id", BigInteger, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("source", String(20), nullable=False),
    Column("look_at", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("key", String(80), nullable=False, default=""),
    Column("updated_at", Moment, nullable=False),
    Index("ix_feed_rows_state", "feed", "state", "look_at"),
)

# The lineage graph: one row an image, by content hash.
image_records = Table(
    "image_records",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("job_key", String(120), nullable=False, default=""),
    Column("record", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_image_records_sha256", "sha256"),
    Index("ix_image_records_job_key", "job_key"),
)

# The append-only ledger: nothing here is ever changed or removed.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("key", String(160), nullable=False),
    Column("leaf", String(64), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("appended_at", Moment, nullable=False),
    UniqueConstraint("key"),
)
