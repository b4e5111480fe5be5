"""Command words, snoozes, who was told"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: table, column and type of what the tables lacked
COLUMNS: tuple[tuple[str, sa.Column[Any]], ...] = (
    ("movements", sa.Column("word", sa.String(length=80), nullable=False, server_default=sa.text("''"))),
    ("movements", sa.Column("until", sa.BigInteger(), nullable=True)),
    ("movements", sa.Column("item", sa.String(length=64), nullable=False, server_default=sa.text("''"))),
    ("movements", sa.Column("author", sa.Text(), nullable=False, server_default=sa.text("''"))),
    ("firings", sa.Column("told", sa.Text(), nullable=False, server_default=sa.text("'[]'"))),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)


def downgrade() -> None:
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
