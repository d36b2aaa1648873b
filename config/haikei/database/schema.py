"""Every table of the studio's own state, in one dialect-neutral schema."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from haikei.database.connection import Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")

# Whose state this is: one row. `moved_to` is set where it was carried to another database.
studio = Table(
    "studio",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("moved_to", Text, nullable=False, default=""),
)

# Which storage each root leads to, by the root's name: what stands in its mark.
storage_roots = Table(
    "storage_roots",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("id", String(40), nullable=False),
    Column("marked_at", Moment, nullable=False),
)

# Every process that works for the studio, on any host; `seen_at` is renewed while it lives.
processes = Table(
    "processes",
    metadata,
    Column("holder", String(200), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("role", String(40), nullable=False),
    Column("lanes", Text, nullable=False, default=""),
    Column("version", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

# Lanes that people or a fault of the whole site hold; a lane without a row is open.
lanes = Table(
    "lanes",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("ordered", String(20), nullable=False, default=""),
    Column("ordered_by", String(120), nullable=False, default=""),
    Column("fault", Text, nullable=False, default=""),
    Column("step", String(20), nullable=False, default=""),
    Column("held_since", Moment),
    Column("probe_at", Moment),
    Column("probes", Integer, nullable=False, default=0),
    Column("updated_at", Moment, nullable=False),
)

# How many calls of a far side may be made now, by all processes together.
call_budgets = Table(
    "call_budgets",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("filled_at", Float, nullable=False),
)

# What happened, once each, whatever the source. `dispatched_at` is null until jobs stand for it.
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
    # `background`, or `touch_up` for a paint-over that is taken in.
    Column("kind", String(20), nullable=False, server_default="background"),
    Column("state", String(20), nullable=False),
    Column("step", String(20), nullable=False, default=""),
    Column("run", Integer, nullable=False, default=1),
    Column("priority", Integer, nullable=False, default=100),
    Column("project", String(255), nullable=False, default=""),
    Column("episode", String(255), nullable=False, server_default=""),
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
    # The Note in which people were asked about it.
    Column("question_url", Text, nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("key"),
    Index("ix_jobs_state", "state", "priority", "id"),
    Index("ix_jobs_show", "state", "project", "priority", "id"),
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

# Rows that a feed announced, until it is known what became of them and then for as long as a
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

# The lineage graph: one row an image. Its number is that of its ledger entry, whose payload is
# the sealed record: people are ids with commitments there, and their names stand in `people`.
image_records = Table(
    "image_records",
    metadata,
    Column("ledger_seq", _Id, primary_key=True, autoincrement=False),
    Column("key", String(160), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("pixels_sha256", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("source_type", String(48), nullable=False),
    Column("path", Text, nullable=False),
    Column("request", Text, nullable=False, default=""),
    Column("created_at", Moment, nullable=False),
    # What changed copies are recognised by; empty for pictures that are too even.
    Column("fingerprint", String(240), nullable=False, server_default=""),
    UniqueConstraint("key"),
    Index("ix_image_records_sha256", "sha256"),
    Index("ix_image_records_pixels_sha256", "pixels_sha256"),
    # All fingerprints are read at once; the index holds them without the requests beside them.
    Index("ix_image_records_fingerprint", "fingerprint", "ledger_seq"),
)

# The edges of the graph: `sha256` names the image that another was made from.
ingredients = Table(
    "ingredients",
    metadata,
    Column("image_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("relation", String(20), nullable=False),
    Index("ix_ingredients_sha256", "sha256"),
    sqlite_with_rowid=False,
)

# One row a version of a background, whoever made its last image.
backgrounds = Table(
    "backgrounds",
    metadata,
    Column("key", String(120), primary_key=True),
    Column("project", String(255), nullable=False),
    # As the tracker says; empty where it has none. Codes of sequences and shots may repeat.
    Column("episode", String(255), nullable=False, server_default=""),
    Column("sequence", String(255), nullable=False),
    Column("shot", String(255), nullable=False),
    Column("season", String(20), nullable=False),
    Column("time", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("code", String(255), nullable=False),
    Column("tracker_id", BigInteger),
    Column("url", Text, nullable=False, default=""),
    Column("state", String(20), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint(
        *("project", "episode", "sequence", "shot", "season", "time", "version"),
        name="uq_backgrounds_version",  # PostgreSQL allows 63 characters
    ),
    Index("ix_backgrounds_code", "code"),
)

# The images that led to a version, the layout first; a layout serves many versions.
background_images = Table(
    "background_images",
    metadata,
    Column("background_key", String(120), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("image_seq", BigInteger, nullable=False),
    Index("ix_background_images_image_seq", "image_seq"),
    sqlite_with_rowid=False,
)

# Who had which role in which image. `actor` is a person's id, or a system's. Names in `source`
# and `note` stand as commitments. `measured` is JSON, and empty where nothing was measured.
# `ledger_seq` is null where the image's own entry seals it, and set where it came later.
contributions = Table(
    "contributions",
    metadata,
    Column("image_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("role", String(40), nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("grade", String(10), nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", String(64), nullable=False, default=""),
    Column("measured", Text, nullable=False, default=""),
    Column("minutes", Integer),
    Column("note", Text, nullable=False, default=""),
    Column("at", Moment, nullable=False),
    Column("ledger_seq", BigInteger),
    Index("ix_contributions_actor", "actor"),
    sqlite_with_rowid=False,
)

# Names as credits print them today. A name that is erased leaves its row, empty.
people = Table(
    "people",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("name_ja", String(255), nullable=False, default=""),
    Column("opt_out", Text, nullable=False, default=""),
    # When someone decided the name here; it then outranks what the tracker says.
    Column("renamed_at", Moment),
    Column("erased_at", Moment),
    Column("updated_at", Moment, nullable=False),
)

# What opens a commitment in the ledger: without its salt nobody can tell whose name it was.
name_openings = Table(
    "name_openings",
    metadata,
    Column("commitment", String(64), primary_key=True),
    Column("person", String(120), nullable=False),
    Column("name", String(255), nullable=False),
    Column("name_ja", String(255), nullable=False),
    Column("salt", String(64), nullable=False),
    Index("ix_name_openings_person", "person"),
)

# Models and programs, each once; the id is the hash of all that is known of it.
systems = Table(
    "systems",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("version", String(255), nullable=False),
    Column("source_type", String(48), nullable=False),
    Column("sha256", String(64), nullable=False, default=""),
    Column("licence", Text, nullable=False, default=""),
    Column("data", Text, nullable=False, default=""),
)

# What people answer for: notices, approvals, assessments, no-AI statements.
statements = Table(
    "statements",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("project", String(255), nullable=False),
    # Empty: of every episode.
    Column("episode", String(255), nullable=False, server_default=""),
    Column("sequence", String(255), nullable=False, default=""),
    Column("shot", String(255), nullable=False, default=""),
    Column("image_sha256", String(64), nullable=False, default=""),
    Column("by", String(120), nullable=False),
    Column("to", Text, nullable=False, default=""),
    Column("subject", String(80), nullable=False, default=""),
    Column("answer", String(20), nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("reference", Text, nullable=False, default=""),
    Column("ledger_seq", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_statements_project", "project", "kind"),
    Index("ix_statements_image_sha256", "image_sha256"),
)

# Whom somebody asked to confirm their credit on a show, and until when the link may be answered.
confirmation_questions = Table(
    "confirmation_questions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", String(120), nullable=False),
    Column("project", String(255), nullable=False),
    Column("way", String(10), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("answered_at", Moment),
    Index("ix_confirmation_questions_person", "project", "person"),
)

# Versions of the tracker that are to be looked at. One row a version, however many sources asked.
review_wakes = Table(
    "review_wakes",
    metadata,
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(20), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("look_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
    Index("ix_review_wakes_look_at", "look_at"),
)

# What was decided about a version, as far as it was acted on.
reviews = Table(
    "reviews",
    metadata,
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("background_key", String(120), nullable=False),
    Column("status", String(20), nullable=False),
    Column("decision", String(20), nullable=False, default=""),
    Column("decided_by", String(120), nullable=False, default=""),
    Column("decided_at", Moment),
    Column("updated_at", Moment, nullable=False),
    Index("ix_reviews_background_key", "background_key"),
)

# Every Note and Reply on a version, and what became of it: none is acted on twice.
review_notes = Table(
    "review_notes",
    metadata,
    Column("id", String(40), primary_key=True),  # such as `Note:12`
    Column("version_id", BigInteger, nullable=False),
    Column("background_key", String(120), nullable=False),
    Column("author", String(120), nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("job_key", String(120), nullable=False, default=""),
    Column("written_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Index("ix_review_notes_version_id", "version_id", "state"),
    Index("ix_review_notes_job_key", "job_key"),
)

# What is to be written into the tracker because of a decision, until it stands there.
review_answers = Table(
    "review_answers",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("payload", Text, nullable=False),
    Column("try_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
    Column("done_at", Moment),
    Index("ix_review_answers_done_at", "done_at", "try_at"),
)

# Deliveries of webhooks and menu items that were taken, so that none is taken twice.
web_deliveries = Table(
    "web_deliveries",
    metadata,
    Column("key", String(120), primary_key=True),
    Column("taken_at", Moment, nullable=False),
    Index("ix_web_deliveries_taken_at", "taken_at"),
)

# Tokens of programs that use the API. Only the hash of what a program shows is kept.
api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("name", String(80), nullable=False),
    Column("scopes", String(80), nullable=False),
    # Whose decisions are taken with it; empty where each decision may name somebody.
    Column("login", String(120), nullable=False, default=""),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("used_at", Moment),
)

# Answers to requests with an idempotency key: the same request gets the same answer.
api_requests = Table(
    "api_requests",
    metadata,
    Column("key", String(64), primary_key=True),  # the hash of the token's id and the request's key
    Column("sha256", String(64), nullable=False),  # of all that the request says
    Column("status", Integer, nullable=False),  # 0 while it is worked on
    Column("answer", Text, nullable=False, default=""),
    Column("begun_at", Moment, nullable=False),
    Index("ix_api_requests_begun_at", "begun_at"),
)

# Since when each outgoing webhook hears of things, and when it may be used again.
hooks = Table(
    "hooks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("since", Moment, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False, default=0),  # since something was delivered
    Column("error", Text, nullable=False, default=""),
)

# What outgoing webhooks are to deliver, and what became of it.
hook_deliveries = Table(
    "hook_deliveries",
    metadata,
    Column("hook", String(64), primary_key=True),
    Column("key", String(240), primary_key=True),
    Column("event", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("noted_at", Moment, nullable=False),
    Column("try_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
    Index("ix_hook_deliveries_state", "hook", "state", "try_at"),
)

# Notices to people, gathered until it is sent.
notices = Table(
    "notices",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False, default=""),
    Column("noted_at", Moment, nullable=False),
    Index("ix_notices_noted_at", "noted_at"),
)

# Which notices were sent, and by which way.
notice_sendings = Table(
    "notice_sendings",
    metadata,
    Column("notice", String(200), primary_key=True),
    Column("channel", String(20), primary_key=True),
    Column("sent_at", Moment, nullable=False),
)

# When each way may be used again: it carries one message at a time, and not too many.
notice_channels = Table(
    "notice_channels",
    metadata,
    Column("channel", String(20), primary_key=True),
    Column("next_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
)

# The playlist of each show and day, named by the local date.
dailies = Table(
    "dailies",
    metadata,
    Column("project", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("closed_at", Moment),
    Index("ix_dailies_closed_at", "closed_at"),
)

# On which day each version is shown, and whether its playlist shows it yet.
daily_versions = Table(
    "daily_versions",
    metadata,
    Column("background_key", String(120), primary_key=True),
    Column("project", String(255), nullable=False),
    Column("day", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Index("ix_daily_versions_day", "project", "day"),
)

# The append-only ledger: nothing here is ever changed or removed. On SQLite and PostgreSQL
# triggers stop accidents; a rewrite by someone with full access is found by checkpoints.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("key", String(160), nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("appended_at", Moment, nullable=False),
    UniqueConstraint("key"),
)

# Roots of complete subtrees of the ledger's Merkle tree (RFC 6962).
ledger_nodes = Table(
    "ledger_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# Signed heads of the tree (C2SP tlog-checkpoint), with a time-stamp token where one was given.
ledger_checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("token", LargeBinary),
    Column("made_at", Moment, nullable=False),
)

# Where each checkpoint was sent, so that it is found outside the building again.
ledger_sendings = Table(
    "ledger_sendings",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("outlet", String(200), primary_key=True),
    Column("sent_at", Moment),
    Column("error", Text, nullable=False, default=""),
)

# Numbers for the rows of a tracker that has none: its own id of each, and what is known of it.
tracker_numbers = Table(
    "tracker_numbers",
    metadata,
    Column("tracker", String(200), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("uid", String(120), nullable=False),
    Column("note", Text, nullable=False),
    UniqueConstraint("tracker", "kind", "uid"),
)
