"""Messages to people, and what each recipient gets when."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false, text

from sync.store.tables.columns import Instant, Json, Words, link_id, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("key", Text, primary_key=True),
    link_id(),
    Column("kind", String(10), nullable=False),
    Column("payload", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("outcome", String(10), nullable=False, default=""),
    Column("error", Words, nullable=False, default=""),
    Index(
        "unsent_messages",
        "outcome",
        sqlite_where=text("outcome = ''"),
        postgresql_where=text("outcome = ''"),
    ),
)

#: the condition of the partial index, in its very words: SQLite takes such an index for no bound parameter
UNSENT = text("outbox.outcome = ''")

#: of a message and one who is to get it: ``sheaf`` is what it goes out in, its own key or that of a digest (empty:
#: that is not settled yet), ``due`` when, ``begun``: it may have been taken already, so that it goes out again only as
#: it is
deliveries = Table(
    "deliveries",
    metadata,
    Column("key", Text, ForeignKey("outbox.key"), primary_key=True),
    Column("recipient", Words, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("cc", Boolean, nullable=False),
    Column("sheaf", Text, nullable=False),
    Column("due", Instant, nullable=False),
    Column("begun", Boolean, nullable=False, default=False, server_default=false()),
    Column("tries", Integer, nullable=False, default=0, server_default=text("0")),
    Column("outcome", String(10), nullable=False, default="", server_default=text("''")),
    Column("settled", Instant),
    Column("error", Words, nullable=False, default="", server_default=text("''")),
    Index(
        "unsettled_deliveries",
        "outcome",
        sqlite_where=text("outcome = ''"),
        postgresql_where=text("outcome = ''"),
    ),
    Index("deliveries_by_time", "settled"),
)

#: the condition of the partial index, in its very words: SQLite takes such an index for no bound parameter
UNDELIVERED = text("deliveries.outcome = ''")
