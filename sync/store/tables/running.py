"""How far the passes are: cursors, dirty items, requests, pauses, small notes, the journal."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from sync.store.tables.columns import ITEM_ROOM, Instant, Json, Words, metadata

meta = Table("meta", metadata, Column("name", String(60), primary_key=True), Column("value", Json, nullable=False))

cursors = Table(
    "cursors",
    metadata,
    Column("side", String(80), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("swept", Text, nullable=False, default=""),
)

dirty = Table(
    "dirty",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("side", String(80), nullable=False),
    Column("token", Integer, nullable=False),
    Column("talk", Boolean, nullable=False),
    Column("old", Boolean, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("args", Json, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", String(10), nullable=False, default=""),
    Column("answer", Words, nullable=False, default=""),
    Column("done", Instant),
)

pauses = Table(
    "pauses",
    metadata,
    Column("what", String(100), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("by", Words, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("link", String(20), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("item", String(ITEM_ROOM), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("chain", String(64), nullable=False),
)

journal_bodies = Table(
    "journal_bodies",
    metadata,
    Column("seq", Integer, ForeignKey("journal.seq"), primary_key=True),
    Column("salt", String(32), nullable=False),
    Column("body", Words, nullable=False),
)
