"""Read: what is dirty, the links it belongs to, their other items and the discussions that moved, in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import structlog

from connectors.base import Connector, Failure, Refused
from mappings.model import Comment, Record, Ref
from sync.decide import decide
from sync.engine import Engine
from sync.notice import Noticed
from sync.plan import Settlement
from sync.rebuild import attach
from sync.setup import Setup
from sync.state import Item, LinkState, Seen
from sync.status import STAGE
from sync.store import Dirty


@dataclass
class Reading:
    """What a pass has before it: links with what was seen of them, the dirty rows behind them, those of them that must
    wait, the links (by key) whose other items need not be read, items whose discussion should have been read and could
    not be, and the failures of trackers on the way."""

    links: list[LinkState]
    seen: Seen
    rows: dict[Ref, Dirty]
    wait: frozenset[Ref]
    alone: frozenset[str]
    unheard: set[Ref]
    failures: dict[str, Failure]


UNPROVEN = "{} has shown no comment of anybody yet: nobody has written one, or our account may not read them"


def heard(connector: Connector) -> bool:
    """Whether the tracker's comments can be read, as far as is known: a denied journal looks like an empty one."""
    return bool(getattr(connector, "journal_seen", True))


@dataclass
class Desk:
    """The reading in the making."""

    engine: Engine
    records: dict[Ref, Record | None] = field(default_factory=dict)
    comments: dict[Ref, tuple[Comment, ...]] = field(default_factory=dict)
    mute: dict[str, str] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    unheard: set[Ref] = field(default_factory=set)

    def seen(self) -> Seen:
        mute = {name: UNPROVEN.format(name) for name, c in self.engine.connectors.items() if not heard(c)}
        return Seen(self.records, self.comments, {**mute, **self.mute}, self.engine.facts(), frozenset(self.unheard))


def read(engine: Engine, noticed: Noticed) -> Reading:
    """Everything that decisions need now."""
    desk = Desk(engine, failures=dict(noticed.failures))
    rows = {row.ref: row for row in engine.store.dirty()}
    desk.records |= {ref: record for ref, record in noticed.records.items() if ref in rows}
    drop_stale(desk)
    fetch(desk, [(row.ref, row.side) for row in rows.values() if row.ref not in desk.records])
    welcome(desk, rows)
    attached = attach(engine, desk.records, rows, noticed.incomplete)
    left_out = attached.wait | attached.aside
    engine.store.pass_over(record for ref in attached.aside if (record := desk.records[ref]))
    wanted = [ref for ref in rows if desk.records.get(ref) is not None and ref not in left_out]
    due = engine.store.links(engine.store.due(engine.now()))
    links = list({link.key: link for link in [*engine.store.links_of([*wanted, *gone(desk, rows)]), *due]}.values())
    discuss(desk, links, rows)
    alone = frozenset(link.key for link in links if link not in due and in_step(desk, link))
    others = [(i.ref, i.side) for link in links if link.key not in alone for i in link.items]
    fetch(desk, [(ref, side) for ref, side in others if ref not in desk.records])
    discuss(desk, [link for link in links if link.key not in alone], rows)
    return Reading(links, desk.seen(), rows, attached.wait, alone, desk.unheard, desk.failures)


def in_step(desk: Desk, link: LinkState) -> bool:
    """Whether nothing moved after all (an echo of our own write, a field nobody maps): then the link's other items
    need not be read."""
    if not link.id or not is_settled(link, desk.engine.setup):
        return False
    plan = decide(link, desk.seen(), desk.engine.setup, desk.engine.now())
    return plan.quiet and replace(plan.settlement, due=None, echoes=()) == Settlement()


def is_settled(link: LinkState, setup: Setup) -> bool:
    """Whether every item of the link stood in step when it was last looked at, with nothing left open."""
    sides = [item.side for item in link.items]
    open_ends = link.held or link.remarks or len(set(sides)) < len(sides)
    copied = all(copy.outcome in ("done", "history") for copy in link.copies.values())
    return not open_ends and copied and all(c.outcome == "done" for c in link.creations) and not behind(link, setup)


def behind(link: LinkState, setup: Setup) -> bool:
    """Whether an item has not settled on what is agreed."""
    return any(
        name not in item.echoes or item.echoes[name].serial < agreed.serial
        for name, agreed in link.agreed.items()
        for item in link.items
        if item.side
        in (setup.stages.sides() if name == STAGE else setup.fields[name].natives if name in setup.fields else ())
    )


def drop_stale(desk: Desk) -> None:
    """A search that trails our own write shows the item as it was before: such a record is read again by id."""
    for ref, (_, acked) in desk.engine.store.places(list(desk.records)).items():
        record = desk.records[ref]
        if record is not None and record.version < acked:
            del desk.records[ref]


def fetch(desk: Desk, wanted: Iterable[tuple[Ref, str]]) -> None:
    """Reads items by id, one batch a side. A tracker that fails leaves its items unread, and the others go on."""
    by_side: dict[str, list[str]] = defaultdict(list)
    for ref, side in wanted:
        if side in desk.engine.setup.sides and ref.tracker not in desk.failures:
            by_side[side].append(ref.id)

    def batch(side: str) -> tuple[str, Mapping[str, Record | None] | Failure]:
        try:
            return side, desk.engine.connector(side).read(desk.engine.scope(side), by_side[side])
        except Failure as failure:
            return side, failure

    for side, found in desk.engine.each(batch, by_side):
        tracker = desk.engine.side(side).tracker
        if isinstance(found, Failure):
            structlog.get_logger().warning("tracker failed", action="read", tracker=tracker, reason=str(found))
            desk.failures[tracker] = found
        else:
            desk.records |= {Ref(tracker, id): record for id, record in found.items()}


def welcome(desk: Desk, rows: Mapping[Ref, Dirty]) -> None:
    """Remembers items seen for the first time."""
    found = ((desk.records.get(row.ref), row) for row in rows.values())
    desk.engine.store.remember([(record, row.side, row.old) for record, row in found if record is not None])


def gone(desk: Desk, rows: Mapping[Ref, Dirty]) -> list[Ref]:
    return [ref for ref in rows if ref in desk.records and desk.records[ref] is None]


def discuss(desk: Desk, links: list[LinkState], rows: Mapping[Ref, Dirty]) -> None:
    """The comments of whatever may have been talked about, one batch a side."""
    by_side: dict[str, list[Ref]] = defaultdict(list)
    for link in links:
        for item in link.items:
            record = desk.records.get(item.ref)
            if record is None or item.ref in desk.comments or not must_hear(desk.engine, link, item, record, rows):
                continue
            if record.comments is not None:
                desk.comments[item.ref] = record.comments
            elif record.talk == "0":
                desk.comments[item.ref] = ()
            else:
                by_side[item.side].append(item.ref)
    for side, refs in by_side.items():
        hear(desk, side, refs)


def must_hear(engine: Engine, link: LinkState, item: Item, record: Record, rows: Mapping[Ref, Dirty]) -> bool:
    """Whether the discussion may have moved, or is needed to settle a copy."""
    if any(c.outcome == "unsure" and k.target == item.ref for k, c in link.copies.items()):
        return True
    if any(
        c.outcome in ("pending", "unsure", "refused") and k.origin.tracker == item.ref.tracker
        for k, c in link.copies.items()
    ):
        return True
    # an item that came along with its link may have moved since the change query looked
    moved = bool(link.id) and record.version > item.version
    if not moved and (item.ref not in rows or not rows[item.ref].talk):
        return False
    if not link.id and not any(route.source == item.side for route in engine.setup.routes):
        return False
    return not record.talk or record.talk != item.talk


def hear(desk: Desk, side: str, refs: list[Ref]) -> None:
    engine, tracker = desk.engine, desk.engine.side(side).tracker
    desk.unheard |= set(refs)
    if tracker in desk.failures:
        return
    try:
        found = engine.connector(side).discussions(engine.scope(side), [ref.id for ref in refs])
    except Refused as refusal:
        desk.mute[tracker] = str(refusal)
        desk.unheard -= set(refs)
        return
    except Failure as failure:
        structlog.get_logger().warning("tracker failed", action="discuss", tracker=tracker, reason=str(failure))
        desk.failures[tracker] = failure
        return
    desk.unheard -= set(refs)
    note_journal(engine, tracker)
    desk.comments |= {Ref(tracker, id): comments for id, comments in found.items()}


def note_journal(engine: Engine, tracker: str) -> None:
    """A journal of which one row was seen is readable, for good."""
    if (
        hasattr(engine.connectors[tracker], "journal_seen")
        and heard(engine.connectors[tracker])
        and not engine.store.noted(f"journal seen {tracker}")
    ):
        engine.store.note(f"journal seen {tracker}", True)
