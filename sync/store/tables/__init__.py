"""The tables, all together; each noun has a room of its own. Constraints first: an item is in at most one link, a copy
has one origin, a firing happens once, an intent has one outcome."""

from __future__ import annotations

from sync.store.tables.columns import ITEM_ROOM, metadata, sound
from sync.store.tables.comments import UNSETTLED, comments, copies, remarks
from sync.store.tables.escalation import firings, movements, rules
from sync.store.tables.intents import ON_ITS_WAY, intents, orders, strokes
from sync.store.tables.links import agreed, echoes, held, items, links, names, ties, tombstones
from sync.store.tables.running import cursors, dirty, journal, journal_bodies, meta, pauses, requests
from sync.store.tables.telling import UNDELIVERED, UNSENT, deliveries, outbox

__all__ = [
    "ITEM_ROOM",
    "ON_ITS_WAY",
    "UNDELIVERED",
    "UNSENT",
    "UNSETTLED",
    "agreed",
    "comments",
    "copies",
    "cursors",
    "deliveries",
    "dirty",
    "echoes",
    "firings",
    "held",
    "intents",
    "items",
    "journal",
    "journal_bodies",
    "links",
    "meta",
    "metadata",
    "movements",
    "names",
    "orders",
    "outbox",
    "pauses",
    "remarks",
    "requests",
    "rules",
    "sound",
    "strokes",
    "ties",
    "tombstones",
]
