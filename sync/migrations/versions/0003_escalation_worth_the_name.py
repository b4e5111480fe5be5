"""Command words, snoozes, who was told, what each recipient gets"""

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
    ("movements", sa.Column("item", sa.String(length=80), nullable=False, server_default=sa.text("''"))),
    ("movements", sa.Column("author", sa.Text(), nullable=False, server_default=sa.text("''"))),
    ("remarks", sa.Column("mention", sa.Text(), nullable=False, server_default=sa.text("'[]'"))),
    ("firings", sa.Column("told", sa.Text(), nullable=False, server_default=sa.text("'[]'"))),
)

#: conditions of the partial indexes
UNSETTLED = sa.text("outcome = ''")


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    # what a move waits for names its stage, which people call as they like
    with op.batch_alter_table("held") as held:
        held.alter_column("fingerprint", existing_type=sa.String(length=32), type_=sa.Text(), existing_nullable=False)
    op.drop_column("outbox", "retry")  # deliveries have their own time
    op.create_index("unsent_messages", "outbox", ["outcome"], sqlite_where=UNSETTLED, postgresql_where=UNSETTLED)
    create_deliveries()
    create_orders()


def downgrade() -> None:
    op.drop_table("orders")
    op.drop_table("deliveries")
    op.drop_index("unsent_messages", "outbox")
    op.add_column("outbox", sa.Column("retry", sa.BigInteger(), nullable=True))
    op.execute("DELETE FROM held WHERE length(fingerprint) > 32")
    with op.batch_alter_table("held") as held:
        held.alter_column("fingerprint", existing_type=sa.Text(), type_=sa.String(length=32), existing_nullable=False)
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)


def create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("side", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["link"], ["links.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_orders_link", "orders", ["link"])


def create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("cc", sa.Boolean(), nullable=False),
        sa.Column("sheaf", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("outcome", sa.String(length=10), nullable=False, server_default=sa.text("''")),
        sa.Column("settled", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.ForeignKeyConstraint(["key"], ["outbox.key"]),
        sa.PrimaryKeyConstraint("key", "recipient"),
    )
    op.create_index(
        "unsettled_deliveries", "deliveries", ["outcome"], sqlite_where=UNSETTLED, postgresql_where=UNSETTLED
    )
    op.create_index("deliveries_by_time", "deliveries", ["settled"])
