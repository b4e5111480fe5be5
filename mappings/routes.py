"""Routes: who opens what. The first that matches, in the file's order, wins for a given target side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Route:
    """An item of side ``source`` for which ``when`` holds gets a counterpart on side ``opens``. ``since`` bounds how
    old it may be (``None``: the first start). ``history``: carry the comments from before the joining too."""

    id: str
    source: str
    opens: str
    when: str = ""
    since: datetime | None = None
    history: bool = False
