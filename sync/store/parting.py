"""Items that a person takes out of a link, keeps out of one, or makes a link of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from mappings.model import Ref
from sync.joining.join import ALONE, JOIN, SPLIT
from sync.store import commit, dirty, load, ties, tombstones
from sync.store import tables as t


def unlink(connection: sa.Connection, link: int, key: str, ref: Ref, by: str, now: datetime) -> None:
    """The item leaves its link and must not join it again; nothing is opened from it. What it says and what was said
    to it stays where it is, and travels no more."""
    settle_copies(connection, link, [ref], now)
    forget(connection, [ref])
    passing_on(connection, link, [ref])
    alone = {"link": None, "joined": "", "came": None, "left": False, "version": -1, "rebuilt": False}
    connection.execute(commit.item_update(ref).values(**alone))
    end_if_empty(connection, link, now)
    tombstones.bar(connection, ref, (key, ALONE), by, now)
    look_again(connection, link, [ref])
    ties.wake_namers(connection, [ref])


def vacate(connection: sa.Connection, link: int, ref: Ref, now: datetime) -> None:
    """An item that was alone in its link leaves it, to join another one in the same transaction. Its key stays taken:
    the journal tells what was done under it."""
    connection.execute(commit.item_update(ref).values(link=None, joined="", came=None, left=False, version=-1))
    end_if_empty(connection, link, now)


def end_if_empty(connection: sa.Connection, link: int, now: datetime) -> None:
    """A link that nobody is left in is over, and nothing of it falls due."""
    if connection.scalar(sa.select(sa.func.count()).select_from(t.items).where(t.items.c.link == link)) == 0:
        over = {"closed": now, "due": None}
        connection.execute(sa.update(t.links).where(t.links.c.id == link).values(**over))


def split(
    connection: sa.Connection, link: int, key: str, new_key: str, refs: Sequence[Ref], by: str, now: datetime
) -> int:
    """The items become a link of their own, the first its opener: what they agree on begins with its own words. Returns
    its id."""
    new = commit.new_link(connection, new_key, refs[0], now)
    settle_copies(connection, link, refs, now)
    connection.execute(sa.delete(t.held).where(load.refs_where(t.held, refs)))
    connection.execute(sa.delete(t.echoes).where(load.refs_where(t.echoes, refs)))
    passing_on(connection, link, refs)
    take_along(connection, new, refs)
    for ref in refs:
        tombstones.lift(connection, ref, (ALONE,))
        tombstones.bar(connection, ref, (key,), by, now)
        there = {"link": new, "joined": SPLIT, "came": now, "left": False}
        connection.execute(commit.item_update(ref).values(**there))
    look_again(connection, link, refs)
    look_again(connection, new, refs)
    ties.wake_namers(connection, refs)
    return new


def take_along(connection: sa.Connection, link: int, refs: Collection[Ref]) -> None:
    """What was said on the items, the copies that stand on them, and what their routes opened."""
    for ref in refs:
        commit.take_along(connection, link, ref)
        there = (t.copies.c.target_tracker == ref.tracker, t.copies.c.target_id == ref.id)
        connection.execute(sa.update(t.copies).where(*there).values(link=link))
        mine = (t.remarks.c.tracker == ref.tracker, t.remarks.c.item == ref.id)
        connection.execute(sa.update(t.remarks).where(*mine).values(link=link))


def settle_copies(connection: sa.Connection, link: int, refs: Collection[Ref], now: datetime) -> None:
    """A copy between the items and the rest of the link that is not there yet never will be; between themselves it
    still goes."""
    open_ends = (t.copies.c.link == link, t.copies.c.outcome.in_(["pending", "refused", "unsure"]))
    told = sa.or_(*(said_to(ref) for ref in refs))
    said = sa.or_(*(said_on(ref) for ref in refs))
    ended = {"outcome": "history", "at": now, "sent": ""}
    apart = sa.or_(sa.and_(told, sa.not_(said)), sa.and_(said, sa.not_(told)))
    connection.execute(sa.update(t.copies).where(*open_ends, apart).values(**ended))


def said_to(ref: Ref) -> sa.ColumnElement[bool]:
    return sa.and_(t.copies.c.target_tracker == ref.tracker, t.copies.c.target_id == ref.id)


def said_on(ref: Ref) -> sa.ColumnElement[bool]:
    of_item = sa.select(t.comments.c.id).where(t.comments.c.tracker == ref.tracker, t.comments.c.item == ref.id)
    return sa.and_(t.copies.c.origin_tracker == ref.tracker, t.copies.c.origin_id.in_(of_item))


def forget(connection: sa.Connection, refs: Collection[Ref]) -> None:
    """What was settled with the items, what is held of them and what was still to be said on them."""
    connection.execute(sa.delete(t.echoes).where(load.refs_where(t.echoes, refs)))
    connection.execute(sa.delete(t.held).where(load.refs_where(t.held, refs)))
    for ref in refs:
        mine = (t.remarks.c.tracker == ref.tracker, t.remarks.c.item == ref.id)
        connection.execute(sa.delete(t.remarks).where(*mine))


def passing_on(connection: sa.Connection, link: int, refs: Collection[Ref]) -> None:
    """A link whose lead or opener leaves it: the next look finds a lead, the oldest that is left is its opener."""
    head = connection.execute(sa.select(t.links).where(t.links.c.id == link)).one()
    own = sa.update(t.links).where(t.links.c.id == link)
    if head.lead_id and Ref(head.lead_tracker, head.lead_id) in refs:
        connection.execute(own.values(lead_tracker=None, lead_id=None))
    if Ref(head.source_tracker, head.source_id) in refs:
        left = sa.select(t.items).where(t.items.c.link == link, t.items.c.joined != load.TASK)
        rows = connection.execute(left.where(~load.refs_where(t.items, refs)).order_by(t.items.c.created)).all()
        if rows:
            connection.execute(own.values(source_tracker=rows[0].tracker, source_id=rows[0].id))


def look_again(connection: sa.Connection, link: int, refs: Collection[Ref]) -> None:
    """The items, the rest of the link and the tasks below are looked at in the next pass."""
    there = sa.or_(t.items.c.link == link, load.refs_where(t.items, refs))
    rows = connection.execute(sa.select(t.items).where(there)).all()
    dirty.mark(connection, [(Ref(row.tracker, row.id), row.side, True) for row in rows])


def keep_out(connection: sa.Connection, ref: Ref, by: str, now: datetime) -> list[str]:
    """The item joins none of the links that it was proposed for. Returns the keys of the items it names there."""
    mine = (t.ties.c.tracker == ref.tracker, t.ties.c.id == ref.id)
    named = [Ref(row.to_tracker, row.to_id) for row in connection.execute(sa.select(t.ties).where(*mine))]
    places = [place for place in ties.whereabouts(connection, named).values() if place.link]
    tombstones.bar(connection, ref, {place.link_key for place in places}, by, now)
    commit.release(connection, ref, JOIN)
    look_again(connection, 0, [ref])
    return [place.key for place in places]
