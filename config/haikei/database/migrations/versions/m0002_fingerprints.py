"""Images have a fingerprint, by which changed copies of them are recognised."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "image_records",
        sa.Column("fingerprint", sa.String(length=240), server_default="", nullable=False),
    )
    op.create_index(
        "ix_image_records_fingerprint", "image_records", ["fingerprint", "ledger_seq"], unique=False
    )
