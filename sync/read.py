"""Read: what is dirty, the links it belongs to, their other items and the discussions that moved, in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from connectors.base import Connector, Failure, Journalled, Refused
from mappings.model import Comment, Moved, Record, Ref
from sync.comments.amend import to_hear, unsettled
from sync.decide import decide
from sync.engine import Engine
from sync.escalation.history import histories
from sync.joining.home import at_home
from sync.joining.rebuild import attach
from sync.joining.seek import index, prepare, seek
from sync.joining.tasks import file_tasks
from sync.joining.ties import gather
from sync.merging.status import STAGE
from sync.notice import Noticed
from sync.plan import Settlement
from sync.setup import Setup
from sync.sparing import Sifted, set_aside, sift
from sync.state import UNHEARD, UNREAD, Item, LinkState, Seen, Tie
from sync.store import Dirty


@dataclass
class Reading:
    """What a pass has before it: links with what was seen of them, the dirty rows behind them, those of them that must
    wait, the links (by key) whose other items need not be read, items whose discussion should have been read and could
    not be, the failures of trackers on the way, the sources whose plans wait for another's, how many items
    were ``found`` again of which links, by their keys, and those that are held because they alone cannot be read or
    heard."""

    links: list[LinkState]
    seen: Seen
    rows: dict[Ref, Dirty]
    wait: frozenset[Ref]
    alone: frozenset[str]
    unheard: set[Ref]
    failures: dict[str, Failure]
    deferred: set[Ref] = field(default_factory=set)
    found: Mapping[str, int] = field(default_factory=dict)
    poisoned: set[Ref] = field(default_factory=set)


#: an entry and its item are stamped one after the other
GRAIN = timedelta(seconds=2)
HIDDEN = "{} shows no comment on it, though Lockstep copied some there: may our account still read them?"
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
    again: frozenset[Ref] = frozenset()
    ties: dict[Ref, tuple[Tie, ...]] = field(default_factory=dict)
    unready: frozenset[str] = frozenset()
    moves: dict[Ref, tuple[Moved, ...]] = field(default_factory=dict)
    poisoned: set[Ref] = field(default_factory=set)
    silent: set[Ref] = field(default_factory=set)
    spoken: dict[Ref, bool] = field(default_factory=dict)

    def seen(self) -> Seen:
        mute = {name: UNPROVEN.format(name) for name, c in self.engine.connectors.items() if not heard(c)}
        facts, unheard = self.engine.facts(), frozenset(self.unheard)
        talk = self.comments, {**mute, **self.mute}, facts, unheard
        return Seen(self.records, *talk, self.ties, self.unready, self.moves, frozenset(self.silent))


def read(engine: Engine, noticed: Noticed) -> Reading:
    """Everything that decisions need now."""
    desk = Desk(engine, failures=dict(noticed.failures), again=noticed.again)
    desk.unready = frozenset(noticed.incomplete)
    prepare(engine.store, engine.setup)
    rows = {row.ref: replace(row, side=noticed.sides.get(row.ref, row.side)) for row in engine.store.dirty()}
    desk.records |= {ref: record for ref, record in noticed.records.items() if ref in rows}
    drop_stale(desk)
    fetch(desk, [(row.ref, row.side) for row in rows.values() if row.ref not in desk.records])
    rows = settle_sides(desk, rows)
    welcome(desk, rows)
    index(engine.store, engine.setup, desk.records, {ref: row.side for ref, row in rows.items()})
    attached = attach(engine, desk.records, rows, noticed.incomplete)
    tasks = file_tasks(engine, desk.records, rows)
    left_out = attached.wait | attached.aside | tasks
    engine.store.pass_over(record for ref in attached.aside if (record := desk.records[ref]))
    wanted = [ref for ref in rows if desk.records.get(ref) is not None and ref not in left_out]
    due = engine.store.links(engine.store.due(engine.now()))
    found = [*engine.store.links_of([*wanted, *gone(desk, rows, tasks)]), *due]
    links = list({link.key: link for link in found if link.items}.values())
    tie(desk, links)
    discuss(desk, links, rows)
    alone = frozenset(link.key for link in links if link not in due and in_step(desk, link))
    others = [(i.ref, i.side) for link in links if link.key not in alone for i in link.items]
    fetch(desk, [(ref, side) for ref, side in others if ref not in desk.records])
    discuss(desk, [link for link in links if link.key not in alone], rows)
    tie(desk, [link for link in links if link.id and link.key not in alone])
    match(desk, [link for link in links if link.key not in alone])
    desk.moves |= histories(engine, [link for link in links if link.key not in alone], desk.records)
    met = rows, attached.wait, alone, desk.unheard - desk.poisoned, desk.failures
    return Reading(links, desk.seen(), *met, found=attached.found, poisoned=desk.poisoned)


def tie(desk: Desk, links: list[LinkState]) -> None:
    """What binds the items to linked ones, and what was put below them unnoticed."""
    desk.ties |= gather(desk.engine, links, desk.records)
    known = {i.ref: desk.records.get(i.ref) for link in links if link.id for i in link.items}
    children = {ref: [k.ref for k in one.kin if k.kind == "child"] for ref, one in known.items() if one}
    if any(children.values()):
        desk.engine.store.look_below(children)


def match(desk: Desk, links: list[LinkState]) -> None:
    """The counterparts that people made, and theirs in turn; those that did not move are read."""
    store, setup = desk.engine.store, desk.engine.setup
    looked_at = {item.ref for link in links for item in link.items}
    while links:
        found = seek(store, setup, links, desk.records)
        unread = {tie.ref: tie.side for ties in found.values() for tie in ties if tie.ref not in desk.records}
        if unread:
            fetch(desk, unread.items())
            index(store, setup, {ref: desk.records.get(ref) for ref in unread}, unread)
            found = seek(store, setup, links, desk.records)
        desk.ties |= {ref: (*desk.ties.get(ref, ()), *ties) for ref, ties in found.items()}
        alone = [tie.ref for ties in found.values() for tie in ties if not tie.link and tie.ref not in looked_at]
        looked_at |= set(alone)
        links = store.links_of(list(dict.fromkeys(alone)))


def in_step(desk: Desk, link: LinkState) -> bool:
    """Whether nothing moved after all (an echo of our own write, a field nobody maps): then the link's other items
    need not be read."""
    if not link.id or not is_settled(link, desk.engine.setup):
        return False
    try:
        plan = decide(link, desk.seen(), desk.engine.setup, desk.engine.now())
    except Exception:  # what nobody foresaw is told, and held, where it is decided
        return False
    if plan.waiting and plan.waiting <= desk.engine.now():
        return False
    return plan.quiet and replace(plan.settlement, due=None, echoes=(), versions=(), strokes=()) == Settlement()


def is_settled(link: LinkState, setup: Setup) -> bool:
    """Whether every item of the link stood in step when it was last looked at, with nothing left open."""
    sides = [item.side for item in link.items]
    open_ends = link.held or link.remarks or link.orders or len(set(sides)) < len(sides)
    copied = all(copy.outcome in ("done", "history", "withdrawn") for copy in link.copies.values())
    copied = copied and not unsettled(link, deletions=setup.deletions)
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
        if side in desk.engine.setup.sides and ref.tracker not in desk.failures and ref not in desk.poisoned:
            by_side[side].append(ref.id)

    def batch(side: str) -> tuple[str, Sifted[Record | None] | Failure]:
        scope, connector = desk.engine.scope(side), desk.engine.connector(side)
        try:
            return side, sift(desk.engine, side, UNREAD, by_side[side], lambda ids: connector.read(scope, ids))
        except Failure as failure:
            return side, failure

    for side, found in desk.engine.each(batch, by_side):
        tracker = desk.engine.side(side).tracker
        if isinstance(found, Failure):
            structlog.get_logger().warning("tracker failed", action="read", tracker=tracker, reason=str(found))
            desk.failures[tracker] = found
            continue
        desk.records |= {Ref(tracker, id): record for id, record in found.found.items()}
        desk.poisoned |= set_aside(desk.engine, tracker, found, UNREAD)


def settle_sides(desk: Desk, rows: Mapping[Ref, Dirty]) -> dict[Ref, Dirty]:
    """The rows under the sides that their items are at home on, and the records as read under them."""

    def under(wanted: Iterable[tuple[Ref, str]]) -> Mapping[Ref, Record | None]:
        again = Desk(desk.engine, failures=desk.failures)
        fetch(again, wanted)
        desk.poisoned |= again.poisoned
        return again.records

    settled, desk.records = at_home(desk.engine, rows, desk.records, under)
    return settled


def welcome(desk: Desk, rows: Mapping[Ref, Dirty]) -> None:
    """Remembers items seen for the first time."""
    found = ((desk.records.get(row.ref), row) for row in rows.values())
    desk.engine.store.remember([(record, row.side, row.old) for record, row in found if record is not None])


def gone(desk: Desk, rows: Mapping[Ref, Dirty], tasks: Collection[Ref]) -> list[Ref]:
    """The items that were asked for and are not there."""
    return [ref for ref in rows if ref in desk.records and desk.records[ref] is None and ref not in tasks]


def discuss(desk: Desk, links: list[LinkState], rows: Mapping[Ref, Dirty]) -> None:
    """The comments of whatever may have been talked about, one batch a side."""
    by_side: dict[str, list[Ref]] = defaultdict(list)
    for link in links:
        wanted = desk.again | to_hear(link, desk.engine.now(), deletions=desk.engine.setup.deletions)
        for item in link.items:
            record = desk.records.get(item.ref)
            if record is None or item.ref in desk.comments or item.ref in desk.poisoned:
                continue
            if item.ref not in wanted and not must_hear(desk.engine, link, item, record, rows, desk.ties):
                continue
            outcomes = {copy.outcome for key, copy in link.copies.items() if key.target == item.ref}
            if outcomes & {"done", "unsure"}:
                desk.spoken[item.ref] = "done" in outcomes
            if record.comments is not None:
                desk.comments[item.ref] = record.comments
            elif record.talk == "0":
                desk.comments[item.ref] = ()
            else:
                by_side[item.side].append(item.ref)
    for side, refs in by_side.items():
        hear(desk, side, refs)


def must_hear(
    engine: Engine, link: LinkState, item: Item, record: Record, rows: Mapping[Ref, Dirty], tied: Collection[Ref] = ()
) -> bool:
    """Whether the discussion may have moved, or is needed to settle a copy or before the item joins a link."""
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
    if not link.id and item.ref not in tied and not any(route.source == item.side for route in engine.setup.routes):
        return False
    return not record.talk or record.talk != item.talk


def hear(desk: Desk, side: str, refs: list[Ref]) -> None:
    """Reads the discussions of a side's items in one batch. A tracker that refuses them all is mute, with its reason:
    what they hold is read as soon as it can be, and all else goes on."""
    engine, tracker = desk.engine, desk.engine.side(side).tracker
    desk.unheard |= set(refs)
    if tracker in desk.failures:
        return
    try:
        scope, connector = engine.scope(side), engine.connector(side)
        found = sift(engine, side, UNHEARD, [ref.id for ref in refs], lambda ids: connector.discussions(scope, ids))
    except Refused as refusal:
        be_mute(desk, tracker, set(refs), str(refusal))
        return
    except Failure as failure:
        structlog.get_logger().warning("tracker failed", action="discuss", tracker=tracker, reason=str(failure))
        desk.failures[tracker] = failure
        return
    disbelieve(desk, side, found)
    aside = set_aside(engine, tracker, found, UNHEARD)
    desk.poisoned |= aside
    desk.unheard -= set(refs) - aside
    note_journal(desk, tracker, found.found)
    desk.comments |= {Ref(tracker, id): comments for id, comments in found.found.items()}


def disbelieve(desk: Desk, side: str, found: Sifted[tuple[Comment, ...]]) -> None:
    """Sets discussions aside that came back empty, each and every one, though our copies stand in some, or may: a
    journal that is denied looks like an empty one, and believing it would say again what is there. Another item that
    shows a copy tells that they are empty indeed."""
    engine, connector = desk.engine, desk.engine.connector(side)
    doubted = [ref for id in found.found if (ref := Ref(connector.name, id)) in desk.spoken]
    if not isinstance(connector, Journalled) or not doubted or any(found.found.values()):
        return
    other = engine.store.spoken_on(side, [ref.id for ref in doubted])
    try:
        read = connector.discussions(engine.scope(side), [other]) if other else {}
    except Failure:
        read = {}
    if any(read.values()) or not (other or any(desk.spoken[ref] for ref in doubted)):
        return
    for ref in doubted:
        del found.found[ref.id]
        found.bad[ref.id] = HIDDEN.format(connector.name)


def be_mute(desk: Desk, tracker: str, refs: set[Ref], reason: str) -> None:
    """None of these discussions may be read. Where comments of that tracker were never seen, nobody knows whether there
    are any; else they are asked for in every pass."""
    desk.mute[tracker] = reason
    desk.unheard -= refs
    if not heard(desk.engine.connectors[tracker]):
        return
    desk.silent |= refs
    desk.poisoned |= refs
    if not refs <= {held.ref for held in desk.engine.held_for(tracker, UNHEARD)}:
        structlog.get_logger().warning("no comment may be read", action="discuss", tracker=tracker, reason=reason)


def note_journal(desk: Desk, tracker: str, found: Mapping[str, tuple[Comment, ...]]) -> None:
    """A journal whose entry is younger than the last update of its item is to be asked by itself."""
    connector, store = desk.engine.connectors[tracker], desk.engine.store
    if not isinstance(connector, Journalled):
        return
    for id, comments in found.items():
        record = desk.records.get(Ref(tracker, id))
        last = max((comment.created for comment in comments), default=None)
        if record is not None and last is not None and record.updated + GRAIN < last < desk.engine.now():
            connector.journal_apart = True
    if connector.journal_apart and not store.noted(f"journal apart {tracker}"):
        store.note(f"journal apart {tracker}", True)
