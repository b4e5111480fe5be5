"""The state: SQLite in one file by default, PostgreSQL by address. The only place that speaks SQL."""

from sync.store.creations import Begun, Unshown
from sync.store.database import Database
from sync.store.dirty import Dirty
from sync.store.failing import Fenced, StateBroken, StateLocked
from sync.store.filing import Filed
from sync.store.outbox import Outgoing, Parcel
from sync.store.requests import DECLINED, DONE, Request
from sync.store.store import Store
from sync.store.ties import Place

__all__ = [
    "DECLINED",
    "DONE",
    "Begun",
    "Database",
    "Dirty",
    "Fenced",
    "Filed",
    "Outgoing",
    "Parcel",
    "Place",
    "Request",
    "StateBroken",
    "StateLocked",
    "Store",
    "Unshown",
]
