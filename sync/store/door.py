"""What every part of the store stands on: the database, and what the file in force names."""

from __future__ import annotations

from collections.abc import Mapping

from sync.store.database import Database


class Door:
    """The database of one instance."""

    #: the sides of the file; the composition sets them. ``None``: all that the state knows
    sides: frozenset[str] | None = None

    #: native field names per side and declared field; the composition sets it from the admin's file
    field_names: Mapping[str, Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, url: str, instance: str, *, database: Database | None = None) -> None:
        self.instance = instance
        self.db = database or Database(url)

    def knows(self, side: str) -> bool:
        """Whether a side is in the file."""
        return self.sides is None or side in self.sides

    def natives(self, side: str) -> Mapping[str, tuple[str, ...]]:
        return self.field_names.get(side, {})
