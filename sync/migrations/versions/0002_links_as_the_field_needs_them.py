"""Leads, ways of joining, tombstones, names that match, requests, pauses"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: table, column and type of what the first tables lacked
COLUMNS: tuple[tuple[str, sa.Column[Any]], ...] = (
    ("links", sa.Column("lead_tracker", sa.String(length=80), nullable=True)),
    ("links", sa.Column("lead_id", sa.String(length=64), nullable=True)),
    ("links", sa.Column("route", sa.String(length=80), nullable=False, server_default=sa.text("''"))),
    ("items", sa.Column("left", sa.Boolean(), nullable=False, server_default=sa.false())),
    ("items", sa.Column("joined", sa.String(length=100), nullable=False, server_default=sa.text("''"))),
    ("items", sa.Column("came", sa.BigInteger(), nullable=True)),
    ("links", sa.Column("aside", sa.Text(), nullable=False, server_default=sa.text("'[]'"))),
    ("items", sa.Column("aside", sa.Text(), nullable=False, server_default=sa.text("'[]'"))),
    ("agreed", sa.Column("map", sa.String(length=16), nullable=False, server_default=sa.text("''"))),
    ("items", sa.Column("heard", sa.BigInteger(), nullable=True)),
    ("comments", sa.Column("item", sa.String(length=64), nullable=False, server_default=sa.text("''"))),
    ("comments", sa.Column("digest", sa.String(length=20), nullable=False, server_default=sa.text("''"))),
    ("comments", sa.Column("changed", sa.BigInteger(), nullable=True)),
    ("comments", sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false())),
    ("copies", sa.Column("digest", sa.String(length=20), nullable=False, server_default=sa.text("''"))),
    ("copies", sa.Column("sent", sa.String(length=20), nullable=False, server_default=sa.text("''"))),
    ("copies", sa.Column("channel", sa.String(length=80), nullable=False, server_default=sa.text("''"))),
)

#: a link's route is that of its first creation
ROUTES = """
UPDATE links SET route = coalesce(
    (SELECT route FROM intents AS opened WHERE opened.link = links.id AND opened.kind = 'open' AND opened.route <> ''
     ORDER BY opened.id LIMIT 1), '')
"""


OPEN_ENDS = sa.text("outcome = 'unsure' OR sent != ''")


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    for create in TABLES.values():
        create()
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("link", existing_type=sa.Integer(), nullable=True)
    op.create_index("unsettled_copies", "copies", ["link"], sqlite_where=OPEN_ENDS, postgresql_where=OPEN_ENDS)
    op.execute(ROUTES)


def downgrade() -> None:
    op.drop_index("unsettled_copies", "copies")
    op.execute("DELETE FROM outbox WHERE link IS NULL")
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("link", existing_type=sa.Integer(), nullable=False)
    for name in reversed(TABLES):
        op.drop_table(name)
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)


def create_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("link_key", sa.String(length=20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tracker", "id", "link_key"),
    )


def create_names() -> None:
    op.create_table(
        "names",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("side", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("tracker", "id", "name", "value"),
    )
    op.create_index("items_by_name", "names", ["name", "value", "side"])


def create_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def create_pauses() -> None:
    op.create_table(
        "pauses",
        sa.Column("what", sa.String(length=100), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("what"),
    )


def create_ties() -> None:
    op.create_table(
        "ties",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("to_tracker", sa.String(length=80), nullable=False),
        sa.Column("to_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tracker", "id", "kind", "to_tracker", "to_id"),
    )
    op.create_index("items_tied_to", "ties", ["to_tracker", "to_id"])


TABLES = {
    "ties": create_ties,
    "tombstones": create_tombstones,
    "names": create_names,
    "requests": create_requests,
    "pauses": create_pauses,
}
