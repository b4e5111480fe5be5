"""The first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for create in TABLES.values():
        create()


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)


def create_cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("side", sa.String(length=80), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("swept", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("side"),
    )


def create_dirty() -> None:
    op.create_table(
        "dirty",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("side", sa.String(length=80), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("talk", sa.Boolean(), nullable=False),
        sa.Column("old", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tracker", "id"),
    )


def create_echoes() -> None:
    op.create_table(
        "echoes",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("spelling", sa.Text(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tracker", "id", "name"),
    )


def create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("item", sa.String(length=160), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_link"), ["link"], unique=False)


def create_links() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("source_tracker", sa.String(length=80), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("before", sa.String(length=200), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_due"), ["due"], unique=False)


def create_meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def create_rules() -> None:
    op.create_table(
        "rules",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("armed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def create_agreed() -> None:
    op.create_table(
        "agreed",
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("link", "name"),
    )


def create_comments() -> None:
    op.create_table(
        "comments",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("tracker", "id"),
    )
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comments_link"), ["link"], unique=False)


def create_copies() -> None:
    op.create_table(
        "copies",
        sa.Column("origin_tracker", sa.String(length=80), nullable=False),
        sa.Column("origin_id", sa.Text(), nullable=False),
        sa.Column("target_tracker", sa.String(length=80), nullable=False),
        sa.Column("target_id", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("copy_id", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("origin_tracker", "origin_id", "target_tracker", "target_id", "part"),
        sa.UniqueConstraint("target_tracker", "target_id", "copy_id", name="a_copy_has_one_origin"),
    )
    with op.batch_alter_table("copies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_copies_link"), ["link"], unique=False)


def create_firings() -> None:
    op.create_table(
        "firings",
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("link", "rule", "episode", "step"),
    )


def create_held() -> None:
    op.create_table(
        "held",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("retry", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("tracker", "id", "what"),
    )
    with op.batch_alter_table("held", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_held_link"), ["link"], unique=False)


def create_intents() -> None:
    op.create_table(
        "intents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("route", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("intents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intents_link"), ["link"], unique=False)
        batch_op.create_index(
            "one_creation_a_key",
            ["key"],
            unique=True,
            sqlite_where=sa.text("kind = 'open' AND outcome IN ('', 'unsure', 'done')"),
            postgresql_where=sa.text("kind = 'open' AND outcome IN ('', 'unsure', 'done')"),
        )
        batch_op.create_index(
            "unsettled_intents",
            ["outcome"],
            unique=False,
            sqlite_where=sa.text("outcome IN ('', 'unsure')"),
            postgresql_where=sa.text("outcome IN ('', 'unsure')"),
        )


def create_items() -> None:
    op.create_table(
        "items",
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("side", sa.String(length=80), nullable=False),
        sa.Column("link", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("acked", sa.BigInteger(), nullable=False),
        sa.Column("talk", sa.String(length=40), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("rebuilt", sa.Boolean(), nullable=False),
        sa.Column("old", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("tracker", "id"),
    )
    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_items_link"), ["link"], unique=False)


def create_journal_bodies() -> None:
    op.create_table(
        "journal_bodies",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["seq"],
            ["journal.seq"],
        ),
        sa.PrimaryKeyConstraint("seq"),
    )


def create_movements() -> None:
    op.create_table(
        "movements",
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(length=200), nullable=False),
        sa.Column("move", sa.String(length=80), nullable=False),
        sa.Column("party", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("link", "event"),
    )


def create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("retry", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_link"), ["link"], unique=False)


def create_remarks() -> None:
    op.create_table(
        "remarks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link"],
            ["links.id"],
        ),
        sa.PrimaryKeyConstraint("id", "tracker", "item"),
    )
    with op.batch_alter_table("remarks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remarks_link"), ["link"], unique=False)


#: in the order of their foreign keys
TABLES = {
    "cursors": create_cursors,
    "dirty": create_dirty,
    "echoes": create_echoes,
    "journal": create_journal,
    "links": create_links,
    "meta": create_meta,
    "rules": create_rules,
    "agreed": create_agreed,
    "comments": create_comments,
    "copies": create_copies,
    "firings": create_firings,
    "held": create_held,
    "intents": create_intents,
    "items": create_items,
    "journal_bodies": create_journal_bodies,
    "movements": create_movements,
    "outbox": create_outbox,
    "remarks": create_remarks,
}
