"""Numbers for the rows of a tracker whose own ids are none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tracker_numbers",
        sa.Column("tracker", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tracker", "kind", "number", name=op.f("pk_tracker_numbers")),
        sa.UniqueConstraint(
            "tracker", "kind", "uid", name=op.f("uq_tracker_numbers_tracker_kind_uid")
        ),
    )
