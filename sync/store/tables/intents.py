"""What is to be written: intents, and what rules and routes ordered; and who wrote what lately."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from sync.store.tables.columns import Instant, Json, Words, link_id, metadata

intents = Table(
    "intents",
    metadata,
    Column("id", Integer, primary_key=True),
    link_id(nullable=False),
    Column("kind", String(10), nullable=False),
    Column("tracker", String(80), nullable=False),
    Column("item", String(64), nullable=False),
    Column("key", String(20), nullable=False, default=""),
    Column("route", String(80), nullable=False, default=""),
    Column("payload", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", String(10), nullable=False, default=""),
    Column("settled", Instant),
    Index(
        "one_creation_a_key",
        "key",
        unique=True,
        sqlite_where=text("kind = 'open' AND outcome IN ('', 'unsure', 'done')"),
        postgresql_where=text("kind = 'open' AND outcome IN ('', 'unsure', 'done')"),
    ),
    Index(
        "unsettled_intents",
        "outcome",
        sqlite_where=text("outcome IN ('', 'unsure')"),
        postgresql_where=text("outcome IN ('', 'unsure')"),
    ),
)

#: the condition of the partial index, in its very words: SQLite takes such an index for no bound parameter
ON_ITS_WAY = text("intents.outcome IN ('', 'unsure')")

#: ``tracker`` and ``item`` are empty until the item is known
orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    link_id(nullable=False),
    Column("kind", String(10), nullable=False),
    Column("side", String(80), nullable=False),
    Column("value", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("tracker", String(80), nullable=False),
    Column("item", String(64), nullable=False),
    Column("was", Words, nullable=False),
)

#: what was written on an item lately, by us (``author`` is empty) and by others; ``key`` names the write
strokes = Table(
    "strokes",
    metadata,
    Column("key", Text, primary_key=True),
    link_id(nullable=False),
    Column("tracker", String(80), nullable=False),
    Column("item", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("counts", Boolean, nullable=False),
    Index("strokes_of_an_item", "tracker", "item", "at"),
)
