"""Cuts differ by their episodes too: codes of sequences and shots may repeat in each."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    place = ["sequence", "shot", "season", "time", "version"]
    with op.batch_alter_table("backgrounds") as batch_op:
        batch_op.add_column(
            sa.Column("episode", sa.String(length=255), server_default="", nullable=False)
        )
        batch_op.drop_constraint(op.f(f"uq_backgrounds_project_{'_'.join(place)}"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_backgrounds_version"),
            ["project", "episode", *place],
        )
    for table in ("jobs", "statements"):
        op.add_column(
            table, sa.Column("episode", sa.String(length=255), server_default="", nullable=False)
        )
