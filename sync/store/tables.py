"""The tables. Constraints first: an item is in at most one link, a copy has one origin, a firing happens once, an
intent has one outcome. Instants are microseconds since 1970 UTC, values JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
#: characters of an item's name in the journal
ITEM_ROOM = 160


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime as a whole number, so that both databases sort and compare it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // MICRO

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * MICRO


class Json(TypeDecorator[Any]):
    """JSON text; lists come back as tuples, so that values compare equal to what was stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return tupled(json.loads(value)) if value else None


def sound(value: str) -> str:
    """A text that both databases take: without NUL, and lone surrogates as question marks."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()


class Words(TypeDecorator[str]):
    """Text that comes from trackers and people, made sound."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else sound(value)


def tupled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: tupled(inner) for name, inner in value.items()}
    return tuple(tupled(v) for v in value) if isinstance(value, list) else value


metadata = MetaData()


def link_id(**options: Any) -> Column[int]:
    return Column("link", Integer, ForeignKey("links.id"), index=True, **options)


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
    Column("item", String(64), nullable=False, default="", server_default=text("''")),
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
    Column("fingerprint", String(32), nullable=False),
)

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

#: the conditions of the partial indexes, in their very words: SQLite takes such an index for no bound parameter
ON_ITS_WAY = text("intents.outcome IN ('', 'unsure')")
UNSENT = text("outbox.outcome = ''")
UNDELIVERED = text("deliveries.outcome = ''")
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

outbox = Table(
    "outbox",
    metadata,
    Column("key", Text, primary_key=True),
    link_id(),
    Column("kind", String(10), nullable=False),
    Column("payload", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("retry", Instant),
    Column("outcome", String(10), nullable=False, default=""),
    Column("error", Words, nullable=False, default=""),
    Index(
        "unsent_messages",
        "outcome",
        sqlite_where=text("outcome = ''"),
        postgresql_where=text("outcome = ''"),
    ),
)

#: of a message and one who is to get it: ``sheaf`` is what it goes out in, its own key or that of a digest (empty:
#: that is not settled yet), ``due`` when
deliveries = Table(
    "deliveries",
    metadata,
    Column("key", Text, ForeignKey("outbox.key"), primary_key=True),
    Column("recipient", Words, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("cc", Boolean, nullable=False),
    Column("sheaf", Text, nullable=False),
    Column("due", Instant, nullable=False),
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
