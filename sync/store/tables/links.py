"""Links, their items and what is agreed on; what is set aside; what items are called and tied to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false, text

from sync.store.tables.columns import Instant, Json, Words, link_id, metadata

links = Table(
    "links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(20), nullable=False, unique=True),
    Column("source_tracker", String(80), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("before", String(200), nullable=False, default=""),
    Column("opened", Instant, nullable=False),
    Column("closed", Instant),
    Column("due", Instant, index=True),
    Column("lead_tracker", String(80)),
    Column("lead_id", String(64)),
    Column("route", String(80), nullable=False, default="", server_default=text("''")),
    Column("aside", Json, nullable=False, default=(), server_default=text("'[]'")),
)

items = Table(
    "items",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("side", String(80), nullable=False),
    link_id(),
    Column("key", String(80), nullable=False),
    Column("url", Words, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("acked", BigInteger, nullable=False, default=-1),
    Column("talk", String(40), nullable=False, default=""),
    Column("assignee", Words, nullable=False, default=""),
    Column("mark", String(80), nullable=False, default=""),
    Column("created", Instant, nullable=False),
    Column("gone", Boolean, nullable=False, default=False),
    Column("rebuilt", Boolean, nullable=False, default=False),
    Column("old", Boolean, nullable=False, default=False),
    Column("left", Boolean, nullable=False, default=False, server_default=false()),
    Column("heard", Instant),
    Column("joined", String(100), nullable=False, default="", server_default=text("''")),
    Column("aside", Json, nullable=False, default=(), server_default=text("'[]'")),
    Column("came", Instant),
)

agreed = Table(
    "agreed",
    metadata,
    Column("link", Integer, ForeignKey("links.id"), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("value", Json, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("by", String(80), nullable=False),
    Column("map", String(16), nullable=False, default="", server_default=text("''")),
)

echoes = Table(
    "echoes",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("spelling", Json, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("sent", Json),
)

held = Table(
    "held",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("what", Text, primary_key=True),
    link_id(),
    Column("reason", Words, nullable=False),
    Column("advice", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Column("retry", Instant),
    Column("fingerprint", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=0, server_default=text("0")),
    Column("tried", Instant),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("link_key", String(20), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", Words, nullable=False),
)

names = Table(
    "names",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("value", String(200), primary_key=True),
    Column("side", String(80), nullable=False),
    Index("items_by_name", "name", "value", "side"),
)

ties = Table(
    "ties",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("to_tracker", String(80), primary_key=True),
    Column("to_id", String(64), primary_key=True),
    Index("items_tied_to", "to_tracker", "to_id"),
)
