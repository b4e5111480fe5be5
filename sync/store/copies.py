"""Copies of comments, and what is kept of the comments themselves: digests, never words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sync.plan import Reword, Say
from sync.state import Copy, CopyKey, Origin, Version
from sync.store import tables as t


def version_row(link: int, origin: Origin, version: Version) -> dict[str, Any]:
    """What is kept of a comment: a digest of its words, never the words."""
    place = {"tracker": origin.tracker, "id": origin.id, "link": link, "item": version.item}
    return {**place, "digest": version.digest, "changed": version.since, "gone": version.gone}


def copy_row(link: int, key: CopyKey, copy: Copy) -> dict[str, Any]:
    return {
        "origin_tracker": key.origin.tracker,
        "origin_id": key.origin.id,
        "target_tracker": key.target.tracker,
        "target_id": key.target.id,
        "part": key.part,
        "link": link,
        "outcome": copy.outcome,
        "at": copy.at,
        "copy_id": copy.id or None,
        "digest": copy.digest,
        "sent": copy.sent,
        "channel": copy.channel,
    }


def reword_row(action: Reword) -> sa.Update:
    """The copy whose words are changed."""
    key = action.copy
    return sa.update(t.copies).where(
        t.copies.c.origin_tracker == key.origin.tracker,
        t.copies.c.origin_id == key.origin.id,
        t.copies.c.target_tracker == key.target.tracker,
        t.copies.c.target_id == key.target.id,
        t.copies.c.part == key.part,
    )


def said_as(action: Say, outcome: str, now: datetime, id: str = "") -> Copy:
    """The copy that saying something makes."""
    return Copy(outcome, now, id, digest=action.version, channel=action.channel)


def forget_said(connection: sa.Connection, key: CopyKey) -> None:
    """A remark of our own whose every part is said needs its text no longer."""
    if key.origin.tracker:
        return
    parts = (
        t.copies.c.origin_tracker == "",
        t.copies.c.origin_id == key.origin.id,
        t.copies.c.target_tracker == key.target.tracker,
        t.copies.c.target_id == key.target.id,
    )
    if connection.scalar(sa.select(sa.func.count()).where(*parts, t.copies.c.outcome != "done")) == 0:
        mine = (t.remarks.c.id == key.origin.id, t.remarks.c.tracker == key.target.tracker)
        connection.execute(sa.delete(t.remarks).where(*mine, t.remarks.c.item == key.target.id))


def forget_token(connection: sa.Connection, key: CopyKey, id: str) -> None:
    """A copy that went by its banner's token, for its origin was not heard of yet, goes by its origin from now on."""
    there = t.copies.c.target_tracker == key.target.tracker, t.copies.c.target_id == key.target.id
    named = t.copies.c.copy_id == id, t.copies.c.origin_tracker == ""
    connection.execute(sa.delete(t.copies).where(*there, *named, t.copies.c.origin_id.startswith("token:")))
