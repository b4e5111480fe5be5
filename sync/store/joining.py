"""Items that come into a link that is there, or pair with the one that opens one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from mappings.model import Ref
from sync.joining.join import ALONE, LINKED
from sync.merging.merge import Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Joining, Plan, Telling, Unmark
from sync.state import Seen
from sync.store import commit, creations, dirty, load, ties, tombstones
from sync.store import tables as t
from sync.store.database import insert_new


def settle_loose(connection: sa.Connection, plan: Plan, seen: Seen, now: datetime) -> tuple[int, dict[int, int]]:
    """The settlements of an item that no link holds and that makes none: what waits for a person, the link it joins,
    and the mark it loses, which is an intent of the link that it was taken out of."""
    commit.settle_holds(connection, 0, plan)
    settle_joins(connection, 0, plan, seen, now)
    intents = {}
    for place, action in enumerate(plan.actions):
        assert isinstance(action, Unmark), action
        intents[place] = commit.insert_intent(connection, former_link(connection, action), action, now)
    return 0, intents


def settle_joins(connection: sa.Connection, link: int, plan: Plan, seen: Seen, now: datetime) -> None:
    """Who comes into a link by a plan, this one or another, and what that one's people are told."""
    for joining in plan.settlement.joins:
        join(connection, joining.link or link, joining, seen, now)
    tell(connection, plan.settlement.tells, seen)


def former_link(connection: sa.Connection, action: Unmark) -> int:
    """The link that an item was taken out of."""
    mine = (t.tombstones.c.tracker == action.ref.tracker, t.tombstones.c.id == action.ref.id)
    keys = sa.select(t.tombstones.c.link_key).where(*mine)
    return int(connection.execute(sa.select(t.links.c.id).where(t.links.c.key.in_(keys))).scalars().first() or 0)


def join(connection: sa.Connection, link: int, joining: Joining, seen: Seen, now: datetime) -> bool:
    """One item becomes a member of ``link``. One that another link took meanwhile stays there: then ``False``. The
    comments that it brings, and those it finds, are history, unless all are to be carried."""
    ref = joining.ref
    came = {"link": link, "side": joining.side, "joined": joining.how, "came": joining.came}
    fresh = {"left": False, "gone": False, "rebuilt": False, "old": False}
    free = commit.item_update(ref).where(t.items.c.link.is_(None))
    if not connection.execute(free.values(**came, **fresh)).rowcount:
        return False
    forget(connection, ref)
    commit.take_along(connection, link, ref)
    head = connection.execute(sa.select(t.links).where(t.links.c.id == link)).one()
    if head.closed is not None and joining.stood:
        of_link = (t.agreed.c.link == link, t.agreed.c.name == STAGE)
        serial = connection.scalar(sa.select(t.agreed.c.serial).where(*of_link)) or 0
        commit.write_echoes(connection, [(ref, STAGE, Echo(spelled(joining.stood), serial))])
    if joining.came is None:
        creations.rehear(connection, link, ())
    else:
        creations.baseline(connection, link, ref, now)
        bring(connection, link, ref, seen, now)
    if joining.how == LINKED:
        tombstones.lift(connection, ref, (head.key, ALONE))
    members = connection.execute(sa.select(t.items).where(t.items.c.link == link, t.items.c.joined != load.TASK)).all()
    dirty.mark(connection, [(Ref(m.tracker, m.id), m.side, m.id == ref.id) for m in members])
    ties.wake(connection, link)
    return True


def forget(connection: sa.Connection, ref: Ref) -> None:
    """What was settled with the item before it came, and what was held of it while it stood alone."""
    mine = (t.echoes.c.tracker == ref.tracker, t.echoes.c.id == ref.id)
    connection.execute(sa.delete(t.echoes).where(*mine))
    alone = (t.held.c.tracker == ref.tracker, t.held.c.id == ref.id, t.held.c.link.is_(None))
    connection.execute(sa.delete(t.held).where(*alone))


def bring(connection: sa.Connection, link: int, ref: Ref, seen: Seen, now: datetime) -> None:
    """What was said on the item before it came is history to everyone there."""
    said = seen.comments.get(ref, ())
    known = [{"tracker": c.item.tracker, "id": c.id, "link": link, "item": c.item.id} for c in said]
    insert_new(connection, t.comments, known)
    members = connection.execute(sa.select(t.items.c.tracker, t.items.c.id).where(t.items.c.link == link)).all()
    others = [Ref(m.tracker, m.id) for m in members if (m.tracker, m.id) != (ref.tracker, ref.id)]
    rows = [creations.history_row(link, c.item.tracker, c.id, other, now) for c in said for other in others]
    insert_new(connection, t.copies, rows)


def tell(connection: sa.Connection, tellings: Iterable[Telling], seen: Seen) -> None:
    """Notes for the other sides of a link, once each: its next look says them."""
    for telling in tellings:
        of_link = (t.items.c.link == telling.link, t.items.c.side != telling.side, t.items.c.joined != load.TASK)
        for row in connection.execute(sa.select(t.items).where(*of_link, t.items.c.gone.is_(False))).all():
            ref = Ref(row.tracker, row.id)
            if ref.tracker not in seen.facts or is_said(connection, telling.id, ref):
                continue
            place = {"id": telling.id, "tracker": ref.tracker, "item": ref.id, "link": telling.link}
            words = {"channel": seen.facts[ref.tracker].note_channel, "text": telling.text, "reason": telling.text}
            insert_new(connection, t.remarks, [{**place, **words, "mention": ()}])
            dirty.mark(connection, [(ref, row.side, False)])


def is_said(connection: sa.Connection, id: str, ref: Ref) -> bool:
    """Whether a remark of our own, by its id, was put down for that item before."""
    mine = (t.copies.c.origin_tracker == "", t.copies.c.origin_id == id)
    there = (t.copies.c.target_tracker == ref.tracker, t.copies.c.target_id == ref.id)
    return connection.scalar(sa.select(sa.func.count()).select_from(t.copies).where(*mine, *there)) != 0
