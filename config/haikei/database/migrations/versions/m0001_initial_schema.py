"""Initial schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:

    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("dispatched_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("key", name=op.f("uq_events_key")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_dispatched_at", ["dispatched_at", "id"], unique=False)

    op.create_table(
        "feed_cursors",
        sa.Column("feed", sa.String(length=200), nullable=False),
        sa.Column("frontier", sa.BigInteger(), nullable=False),
        sa.Column("frontier_at", sa.String(length=32), nullable=True),
        sa.Column("clock", sa.Float(), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.Column("reconciled_at", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_feed_cursors")),
    )
    op.create_table(
        "feed_gaps",
        sa.Column("feed", sa.String(length=200), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "first_id", name=op.f("pk_feed_gaps")),
    )
    op.create_table(
        "feed_rows",
        sa.Column("feed", sa.String(length=200), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("look_at", sa.Float(), nullable=False),
        sa.Column("deadline", sa.Float(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("feed", "row_id", name=op.f("pk_feed_rows")),
    )
    with op.batch_alter_table("feed_rows", schema=None) as batch_op:
        batch_op.create_index("ix_feed_rows_state", ["feed", "state", "look_at"], unique=False)

    op.create_table(
        "files",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event_key", sa.String(length=80), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_files")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("event_key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), server_default="background", nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.String(length=255), nullable=False),
        sa.Column("shot", sa.String(length=255), nullable=False),
        sa.Column("season", sa.String(length=20), nullable=False),
        sa.Column("time", sa.String(length=20), nullable=False),
        sa.Column("recipe", sa.String(length=64), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("order_json", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_kind", sa.String(length=80), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("cancel_asked", sa.Integer(), nullable=False),
        sa.Column("result_json", sa.Text(), nullable=False),
        sa.Column("question_url", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("key", name=op.f("uq_jobs_key")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_state", ["state", "priority", "id"], unique=False)
        batch_op.create_index("ix_jobs_updated_at", ["updated_at"], unique=False)
    op.create_table(
        "image_records",
        sa.Column(
            "ledger_seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pixels_sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source_type", sa.String(length=48), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("ledger_seq", name=op.f("pk_image_records")),
        sa.UniqueConstraint("key", name=op.f("uq_image_records_key")),
    )
    with op.batch_alter_table("image_records", schema=None) as batch_op:
        batch_op.create_index("ix_image_records_pixels_sha256", ["pixels_sha256"], unique=False)
        batch_op.create_index("ix_image_records_sha256", ["sha256"], unique=False)
    op.create_table(
        "ingredients",
        sa.Column("image_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("image_seq", "position", name=op.f("pk_ingredients")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ingredients_sha256", "ingredients", ["sha256"], unique=False)
    op.create_table(
        "backgrounds",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.String(length=255), nullable=False),
        sa.Column("shot", sa.String(length=255), nullable=False),
        sa.Column("season", sa.String(length=20), nullable=False),
        sa.Column("time", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=255), nullable=False),
        sa.Column("tracker_id", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_backgrounds")),
        sa.UniqueConstraint(
            "project",
            "sequence",
            "shot",
            "season",
            "time",
            "version",
            name=op.f("uq_backgrounds_project_sequence_shot_season_time_version"),
        ),
    )
    op.create_index("ix_backgrounds_code", "backgrounds", ["code"], unique=False)
    op.create_table(
        "background_images",
        sa.Column("background_key", sa.String(length=120), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("image_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("background_key", "position", name=op.f("pk_background_images")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_background_images_image_seq", "background_images", ["image_seq"], unique=False
    )
    op.create_table(
        "contributions",
        sa.Column("image_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("grade", sa.String(length=10), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("measured", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("image_seq", "position", name=op.f("pk_contributions")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contributions_actor", "contributions", ["actor"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_ja", sa.String(length=255), nullable=False),
        sa.Column("opt_out", sa.Text(), nullable=False),
        sa.Column("renamed_at", sa.String(length=32), nullable=True),
        sa.Column("erased_at", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_table(
        "name_openings",
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_ja", sa.String(length=255), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name=op.f("pk_name_openings")),
    )
    with op.batch_alter_table("name_openings", schema=None) as batch_op:
        batch_op.create_index("ix_name_openings_person", ["person"], unique=False)
    op.create_table(
        "systems",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("source_type", sa.String(length=48), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_systems")),
    )
    op.create_table(
        "statements",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.String(length=255), nullable=False),
        sa.Column("shot", sa.String(length=255), nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_statements")),
    )
    with op.batch_alter_table("statements", schema=None) as batch_op:
        batch_op.create_index("ix_statements_project", ["project", "kind"], unique=False)
    op.create_table(
        "ledger",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("appended_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_key")),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name=op.f("pk_ledger_nodes")),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoints")),
    )
    op.create_table(
        "ledger_sendings",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outlet", sa.String(length=200), nullable=False),
        sa.Column("sent_at", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", "outlet", name=op.f("pk_ledger_sendings")),
    )
    op.create_table(
        "review_wakes",
        sa.Column("version_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("look_at", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_review_wakes")),
    )
    with op.batch_alter_table("review_wakes", schema=None) as batch_op:
        batch_op.create_index("ix_review_wakes_look_at", ["look_at"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("version_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("background_key", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_reviews")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index("ix_reviews_background_key", ["background_key"], unique=False)
    op.create_table(
        "review_notes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("background_key", sa.String(length=120), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("job_key", sa.String(length=120), nullable=False),
        sa.Column("written_at", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_notes")),
    )
    with op.batch_alter_table("review_notes", schema=None) as batch_op:
        batch_op.create_index("ix_review_notes_job_key", ["job_key"], unique=False)
        batch_op.create_index("ix_review_notes_version_id", ["version_id", "state"], unique=False)
    op.create_table(
        "review_answers",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("try_at", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("done_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_review_answers")),
    )
    with op.batch_alter_table("review_answers", schema=None) as batch_op:
        batch_op.create_index("ix_review_answers_done_at", ["done_at", "try_at"], unique=False)
    op.create_table(
        "web_deliveries",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("taken_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_web_deliveries")),
    )
    with op.batch_alter_table("web_deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_web_deliveries_taken_at", ["taken_at"], unique=False)
    op.create_table(
        "notices",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index("ix_notices_noted_at", ["noted_at"], unique=False)
    op.create_table(
        "notice_sendings",
        sa.Column("notice", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("sent_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("notice", "channel", name=op.f("pk_notice_sendings")),
    )
    op.create_table(
        "notice_channels",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("next_at", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_notice_channels")),
    )
    op.create_table(
        "dailies",
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("closed_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("project", "day", name=op.f("pk_dailies")),
    )
    with op.batch_alter_table("dailies", schema=None) as batch_op:
        batch_op.create_index("ix_dailies_closed_at", ["closed_at"], unique=False)
    op.create_table(
        "daily_versions",
        sa.Column("background_key", sa.String(length=120), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("background_key", name=op.f("pk_daily_versions")),
    )
    with op.batch_alter_table("daily_versions", schema=None) as batch_op:
        batch_op.create_index("ix_daily_versions_day", ["project", "day"], unique=False)
    for statement in _GUARDS.get(op.get_context().dialect.name, ()):
        op.execute(statement)


# They stop accidents. Who has full access can drop them; checkpoints outside find that out.
_GUARDS = {
    "sqlite": (
        """
        CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
        """,
        """
        CREATE TRIGGER ledger_is_not_cut BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
        """,
        """
        CREATE TRIGGER ledger_has_no_gaps BEFORE INSERT ON ledger
        WHEN NEW.seq <> coalesce((SELECT max(seq) FROM ledger), -1) + 1
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only and has no gaps'); END
        """,
        # INSERT OR REPLACE removes a row without telling the trigger on DELETE.
        """
        CREATE TRIGGER ledger_is_not_replaced BEFORE INSERT ON ledger
        WHEN EXISTS (SELECT 1 FROM ledger WHERE key = NEW.key)
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
        """,
        """
        CREATE TRIGGER ledger_nodes_are_not_changed BEFORE UPDATE ON ledger_nodes
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
        """,
        """
        CREATE TRIGGER ledger_nodes_are_not_cut BEFORE DELETE ON ledger_nodes
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
        """,
        # A time-stamp token may come later, once.
        """
        CREATE TRIGGER ledger_checkpoints_are_not_changed BEFORE UPDATE ON ledger_checkpoints
        WHEN OLD.token IS NOT NULL OR NEW.size <> OLD.size OR NEW.root <> OLD.root
          OR NEW.note <> OLD.note OR NEW.made_at <> OLD.made_at
        BEGIN SELECT RAISE(ABORT, 'checkpoints of the ledger are kept'); END
        """,
        """
        CREATE TRIGGER ledger_checkpoints_are_not_cut BEFORE DELETE ON ledger_checkpoints
        BEGIN SELECT RAISE(ABORT, 'checkpoints of the ledger are kept'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$
        """,
        """
        CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()
        """,
        """
        CREATE TRIGGER ledger_nodes_are_not_changed
        BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_nodes
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()
        """,
        """
        CREATE TRIGGER ledger_checkpoints_are_not_cut
        BEFORE DELETE OR TRUNCATE ON ledger_checkpoints
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()
        """,
        """
        CREATE TRIGGER ledger_checkpoints_are_not_changed BEFORE UPDATE ON ledger_checkpoints
        FOR EACH ROW WHEN (
          OLD.token IS NOT NULL OR NEW.size <> OLD.size OR NEW.root <> OLD.root
          OR NEW.note <> OLD.note OR NEW.made_at <> OLD.made_at
        ) EXECUTE FUNCTION ledger_refuses()
        """,
        # Rows that the same statement has put in count too: a BEFORE trigger sees them.
        """
        CREATE FUNCTION ledger_follows_on() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
          IF NEW.seq <> coalesce((SELECT max(seq) FROM ledger), -1) + 1 THEN
            RAISE EXCEPTION 'the ledger is append-only and has no gaps';
          END IF;
          RETURN NEW;
        END $$
        """,
        """
        CREATE TRIGGER ledger_has_no_gaps BEFORE INSERT ON ledger
        FOR EACH ROW EXECUTE FUNCTION ledger_follows_on()
        """,
    ),
}
