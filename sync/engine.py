"""What a pass works with: the admin's file, the trackers, the state and the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from connectors.base import Clock, Connector, Failure, Journalled, Learns, LockedOut, Resting, Rests
from mappings.model import Ref, Scope
from sync.edits.edit import Edit
from sync.merging.status import STAGE
from sync.setup import Setup, Side
from sync.state import UNHEARD, UNREAD, Facts, Held
from sync.store import StateBroken, Store

Item = TypeVar("Item")
Result = TypeVar("Result")

#: A write may still be on its way to its tracker for so long, after it was sent and after another process took over.
#: Both are one span: each write is sent at once after its process was found to hold the state (``connectors.leave``
#: asks at the socket itself), so none is sent after a successor took the token. The successor counts from the instant
#: at which it found a write unsettled (``Recovering.recover``), never from the pass that intended it, which may have
#: begun long before the write was sent.
IN_FLIGHT = timedelta(seconds=30)
#: how long a tracker that refused our credentials is left alone
LOCKED_REST = timedelta(minutes=5)


@dataclass
class Engine:
    """One instance at work. ``closed`` are the trackers that could not be opened, with the reason: each pass tries
    them again. ``accounts`` are our own, by tracker. Once ``stopping`` is set the write in flight is finished and no
    other begun. ``edit``: the file was edited and part of it waits for ``apply``; ``trial``: ``setup`` is that edited
    file, to see what it would do. ``watch`` is told how many links of how many are done. ``midway``: a pass is under
    way, or broke off. ``ended``: the latest instant that the state knew of when this process began; ``None`` once it is
    known to be no older copy. ``reached``: the latest instant that our clock is known to have shown. ``poisoned`` are
    the items that could not be read or heard while others of their side could: they are asked for apart."""

    setup: Setup
    connectors: Mapping[str, Connector]
    store: Store
    clock: Clock
    closed: dict[str, Failure] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    accounts: dict[str, str] = field(default_factory=dict)
    locked: dict[str, tuple[Failure, datetime]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    begun: datetime | None = None
    edit: Edit | None = None
    trial: bool = False
    watch: Callable[[int, int], None] | None = None
    midway: bool = False
    ended: datetime | None = None
    reached: datetime | None = None
    poisoned: set[tuple[Ref, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Who is poisoned outlives the process and its file: what was set aside is asked for apart at once, and let go
        once it is read, or gone."""
        self.poisoned = {(held.ref, held.what) for held, _ in self.store.held() if held.what in (UNREAD, UNHEARD)}

    def open(self) -> dict[str, Failure]:
        """Opens what is not open. A tracker that fails is left out of the pass; the others go on. One that refused
        our credentials rests: asking on and on would lock the account."""
        now = self.now()
        # one that would rest for longer was locked by a clock that has been set back since
        self.locked = {name: stop for name, stop in self.locked.items() if now < stop[1] <= now + LOCKED_REST}
        self.closed = {name: failure for name, (failure, _) in self.locked.items()}
        for name in self.connectors:
            if name in self.opened or name in self.closed:
                continue
            try:
                self.open_one(name)
            except Failure as failure:
                self.closed[name] = failure
        self.lock_out(self.closed)
        return self.closed

    def lock_out(self, failures: Mapping[str, Failure]) -> None:
        """Stops the trackers that refused our credentials."""
        until = self.now() + LOCKED_REST
        fresh = {n: f for n, f in failures.items() if isinstance(f, LockedOut) and n not in self.locked}
        self.locked |= {name: (failure, until) for name, failure in fresh.items()}
        self.closed |= fresh
        self.opened -= set(fresh)

    def open_one(self, name: str) -> None:
        connector = self.connectors[name]
        scopes = [side.scope for side in self.setup.sides_in(name)]
        if isinstance(connector, Rests):
            self.keep_rests(name, connector.transport)
        opening = connector.open(scopes)
        self.problems += opening.problems
        self.accounts[name] = opening.account
        if isinstance(connector, Journalled):
            connector.journal_seen = connector.journal_seen or bool(self.store.noted(f"journal seen {name}"))
            connector.journal_apart = bool(self.store.noted(f"journal apart {name}"))
        if isinstance(connector, Learns):
            connector.recall(self.store.noted(f"learned {name}") or {})
        self.opened.add(name)

    def keep_rests(self, name: str, transport: Resting) -> None:
        """A rest that the tracker asked for outlives the process."""

        def keep(until: datetime, asked: datetime) -> None:
            with suppress(StateBroken):  # what cannot be kept is heeded all the same as long as the process lives
                self.store.note(f"rest {name}", [until.isoformat(), asked.isoformat()])

        transport.tell_rest = keep
        kept = self.store.noted(f"rest {name}")
        if kept:
            transport.rest(*map(datetime.fromisoformat, kept))

    def keep_learned(self) -> bool:
        """What the trackers were seen to offer outlives the process: the steps of their workflows, and for good that
        their comments can be read. What was set aside for want of it is tried again in the next pass. Whether there is
        any."""
        cleared: list[Held] = []
        for name, connector in self.connectors.items():
            news = connector.learned() if isinstance(connector, Learns) else None
            if news is not None:
                self.store.note(f"learned {name}", dict(news))
                cleared += self.held_for(name, STAGE)
            seen = isinstance(connector, Journalled) and connector.journal_seen
            if seen and not self.store.noted(f"journal seen {name}"):
                self.store.note(f"journal seen {name}", True)
                mute = self.held_for(name, UNHEARD)
                self.store.touch((ref, side, True) for ref, side in self.store.linked(name, {h.ref.id for h in mute}))
                cleared += mute
        if cleared:
            self.store.try_again(cleared, "what was learned", self.now())
        return bool(cleared)

    def held_for(self, tracker: str, what: str) -> list[Held]:
        """What is set aside of a tracker's items, by its name."""
        return [held for held, _ in self.store.held() if held.ref.tracker == tracker and held.what == what]

    def side(self, name: str) -> Side:
        return self.setup.sides[name]

    def connector(self, side: str) -> Connector:
        return self.connectors[self.setup.sides[side].tracker]

    def scope(self, side: str) -> Scope:
        scope = self.setup.sides[side].scope
        return scope if scope.mark else replace(scope, mark=self.setup.mark)

    def facts(self) -> dict[str, Facts]:
        return {name: self.facts_of(name) for name in self.connectors}

    def facts_of(self, tracker: str) -> Facts:
        c = self.connectors[tracker]
        told = c.comment_limit, max(IN_FLIGHT, c.lag), c.note_channel, self.final(tracker), c.updater, c.rewords
        return Facts(*told, self.accounts.get(tracker, ""), c.assignee, c.title)

    def final(self, tracker: str) -> dict[str, frozenset[str]]:
        """By side, the states that its items never leave."""
        connector = self.connectors[tracker]
        return {s.name: frozenset(connector.final(self.scope(s.name))) for s in self.setup.sides_in(tracker)}

    def become(self, other: Engine) -> None:
        """Goes on as the other engine: whoever holds this one works with that one's file and trackers."""
        for known in fields(self):
            setattr(self, known.name, getattr(other, known.name))

    def close(self) -> None:
        """The end of the process's work."""
        self.store.close()
        self.close_trackers()

    def close_trackers(self) -> None:
        for connector in self.connectors.values():
            connector.close()

    def now(self) -> datetime:
        return self.clock.now()

    def heed_clock(self) -> None:
        """Before each pass: our clock may have been set back since the last one, or since the state was left."""
        now, reached = self.now(), self.reached
        if reached is not None and now < reached:
            structlog.get_logger().warning("our clock was set back", action="pass", reached=reached.isoformat())
            self.store.turn_back(reached, now)
        self.reached = now

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Runs work over items, in threads where the file allows several; results in the order of the items."""
        todo = list(items)
        if self.setup.workers < 2 or len(todo) < 2:
            return [work(item) for item in todo]
        with ThreadPoolExecutor(min(self.setup.workers, len(todo))) as pool:
            return list(pool.map(work, todo))
