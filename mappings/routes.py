"""Routes: who opens what. The first that matches, in the file's order, wins for a given target side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Route:
    """An item of side ``source`` for which ``when`` holds gets a counterpart on side ``opens``. ``since`` bounds how
    old it may be (``None``: the first start). ``history``: carry the comments from before the joining too. ``match``
    are the declared fields that find a counterpart made by hand. ``parent`` and ``problem``: an item whose parent or
    problem is in a link joins it; ``mention`` says what becomes of one that only mentions a linked item in the
    declared fields ``mention_in`` (``propose``, ``join`` or nothing). ``reopen``: a follower that its people reopen
    opens the work again."""

    id: str
    source: str
    opens: str
    when: str = ""
    since: datetime | None = None
    history: bool = False
    match: tuple[str, ...] = ()
    parent: bool = False
    problem: bool = False
    mention: str = ""
    mention_in: tuple[str, ...] = ()
    reopen: bool = False
