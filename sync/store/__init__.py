"""The state: SQLite in one file by default, PostgreSQL by address. The only place that speaks SQL."""

from sync.store.creations import Begun, Unshown
from sync.store.database import Database, StateBroken, StateLocked
from sync.store.dirty import Dirty
from sync.store.outbox import Outgoing
from sync.store.store import Store

__all__ = ["Begun", "Database", "Dirty", "Outgoing", "StateBroken", "StateLocked", "Store", "Unshown"]
