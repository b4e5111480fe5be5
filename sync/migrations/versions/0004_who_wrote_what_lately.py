"""Who wrote what lately, and how often what is held was tried"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: table, column and type of what the tables lacked
COLUMNS: tuple[tuple[str, sa.Column[Any]], ...] = (
    ("held", sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0"))),
    ("held", sa.Column("tried", sa.BigInteger(), nullable=True)),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    op.create_table(
        "strokes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["link"], ["links.id"]),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_strokes_link", "strokes", ["link"])
    op.create_index("strokes_of_an_item", "strokes", ["tracker", "item", "at"])


def downgrade() -> None:
    op.drop_table("strokes")
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
