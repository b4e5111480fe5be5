"""What moved the work, since when rules are in force, and what they fired."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, text

from sync.store.tables.columns import Instant, Json, Words, metadata

movements = Table(
    "movements",
    metadata,
    Column("link", Integer, ForeignKey("links.id"), primary_key=True),
    Column("event", Text, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("at", Instant, nullable=False),
    Column("stage", String(200), nullable=False),
    Column("move", String(80), nullable=False),
    Column("party", String(80), nullable=False),
    Column("word", String(80), nullable=False, default="", server_default=text("''")),
    Column("until", Instant),
    Column("item", String(80), nullable=False, default="", server_default=text("''")),
    Column("author", Words, nullable=False, default="", server_default=text("''")),
)

rules = Table("rules", metadata, Column("id", String(80), primary_key=True), Column("armed", Instant, nullable=False))

firings = Table(
    "firings",
    metadata,
    Column("link", Integer, ForeignKey("links.id"), primary_key=True),
    Column("rule", String(80), primary_key=True),
    Column("episode", Text, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("told", Json, nullable=False, default=(), server_default=text("'[]'")),
)
