"""Routes: who opens what. The first that matches, in the file's order, wins for a given target side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mappings.model import Native


@dataclass(frozen=True, slots=True)
class Tasks:
    """What every item that a route opens gets below it: a task of ``side`` for each of the titles, which are
    templates. The place of a title, from 1 on, names its task for good."""

    side: str
    titles: tuple[str, ...]


def task_of(route: str, place: int) -> str:
    """What a route's task is created under: by the place of its title, from 1 on, so that titles may be reworded."""
    return f"{route} task {place}"


@dataclass(frozen=True, slots=True)
class Route:
    """An item of side ``source`` for which ``when`` holds gets a counterpart on side ``opens``. ``since`` bounds how
    old it may be (``None``: the first start). ``history``: carry the comments from before the joining too. ``match``
    are the declared fields that find a counterpart made by hand. ``parent`` and ``problem``: an item whose parent or
    problem is in a link joins it; ``mention`` says what becomes of one that only mentions a linked item in the
    declared fields ``mention_in`` (``propose``, ``join`` or nothing). ``reopen``: a follower that its people reopen
    opens the work again. ``by`` a ``rule``: it opens where a rule's step says so, and in no other way. ``create`` are
    native fields of what it opens, over those of the side; ``tasks`` come below it. ``relate`` is the source's native
    field that then names what was opened (empty: none does). Where ``opens`` is empty the route follows: the item gets
    a link of its own, without any counterpart."""

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
    by: str = ""
    create: Mapping[str, Native] = field(default_factory=dict)
    tasks: Tasks | None = None
    relate: str = ""

    @property
    def follows(self) -> bool:
        """Whether its items are followed alone."""
        return not self.opens
