"""What moved, and who wants to hear of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sync.state import Movement
from sync.store import journal
from sync.store import tables as t
from sync.store.database import insert_new
from sync.store.door import Door


class Watching(Door):
    """What moved, and who wants to hear of it."""

    def moved_since(self, at: datetime) -> list[int]:
        """The links in which something moved after an instant, in the order of their ids."""
        query = sa.select(t.movements.c.link).where(t.movements.c.at > at).distinct().order_by(t.movements.c.link)
        with self.db.begin() as connection:
            return list(connection.scalars(query))

    def watched(self, link: int, key: str, movement: Movement, now: datetime) -> None:
        """A person's word at the command line that they watch a link, or do no longer. The same one counts once."""
        row: dict[str, Any] = {"link": link, **asdict(movement)}
        with self.db.begin() as connection:
            insert_new(connection, t.movements, [row])
            line = journal.Line(key, movement.word, movement.item, f"asked by {movement.author}")
            journal.append(connection, now, [line])
