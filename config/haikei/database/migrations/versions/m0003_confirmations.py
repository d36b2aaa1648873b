"""People are asked to confirm their credits; what they say of an image is found by its hash."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_statements_image_sha256", "statements", ["image_sha256"], unique=False)
    op.create_table(
        "confirmation_questions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", sa.String(length=32), nullable=True),
        sa.Column("answered_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation_questions")),
    )
    op.create_index(
        "ix_confirmation_questions_person",
        "confirmation_questions",
        ["project", "person"],
        unique=False,
    )
