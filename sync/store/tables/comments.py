"""Comments that are known, their copies, and our own remarks until they are said."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, false, text

from sync.store.tables.columns import Instant, Json, Words, link_id, metadata

comments = Table(
    "comments",
    metadata,
    Column("tracker", String(80), primary_key=True),
    Column("id", String(80), primary_key=True),
    link_id(nullable=False),
    Column("item", String(64), nullable=False, default="", server_default=text("''")),
    Column("digest", String(20), nullable=False, default="", server_default=text("''")),
    Column("changed", Instant),
    Column("gone", Boolean, nullable=False, default=False, server_default=false()),
)

copies = Table(
    "copies",
    metadata,
    Column("origin_tracker", String(80), primary_key=True),
    Column("origin_id", Text, primary_key=True),
    Column("target_tracker", String(80), primary_key=True),
    Column("target_id", String(64), primary_key=True),
    Column("part", Integer, primary_key=True),
    link_id(nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    Column("copy_id", String(80)),
    Column("digest", String(20), nullable=False, default="", server_default=text("''")),
    Column("sent", String(20), nullable=False, default="", server_default=text("''")),
    Column("channel", String(80), nullable=False, default="", server_default=text("''")),
    Index(
        "unsettled_copies",
        "link",
        sqlite_where=text("outcome = 'unsure' OR sent != ''"),
        postgresql_where=text("outcome = 'unsure' OR sent != ''"),
    ),
    UniqueConstraint("target_tracker", "target_id", "copy_id", name="a_copy_has_one_origin"),
)

#: the condition of the partial index, in its very words: SQLite takes such an index for no bound parameter
UNSETTLED = text("(copies.outcome = 'unsure' OR copies.sent != '')")

remarks = Table(
    "remarks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tracker", String(80), primary_key=True),
    Column("item", String(64), primary_key=True),
    link_id(nullable=False),
    Column("channel", String(80), nullable=False),
    Column("text", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("mention", Json, nullable=False, default=(), server_default=text("'[]'")),
)
