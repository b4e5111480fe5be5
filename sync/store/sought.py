"""Links by what was agreed in them: known even while a tracker cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa

from sync.store import tables as t


def speaking(connection: sa.Connection, words: Collection[str], fields: Collection[str], limit: int) -> list[int]:
    """The ids of links with an agreed text among ``fields`` in which every word stands, the latest first."""
    text = sa.func.lower(sa.type_coerce(t.agreed.c.value, sa.Text))
    spoken = [text.contains(json.dumps(word.lower())[1:-1].lower(), autoescape=True) for word in words]
    named = t.agreed.c.name.in_(fields)
    return list(
        connection.scalars(
            sa.select(t.agreed.c.link).where(named, *spoken).distinct().order_by(t.agreed.c.link.desc()).limit(limit)
        )
    )
