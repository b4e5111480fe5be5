"""Lockstep itself: what it is called, how often it looks, what stops it."""

from __future__ import annotations

from sync.config.tables.base import Opening, Secrets, Source, Table, says
from sync.config.values import FrozenFor, Share, Wait


class Bot(Table):
    """Lockstep itself."""

    instance: str = says("Part of every mark: a cloned test tracker is never mistaken for this one.")
    secret: Secrets = says("Signs copied comments. A list allows rotation: the first signs.")
    state: Source = says("Where Lockstep remembers.", Source(plain="sqlite:///lockstep.db"))
    poll: Wait = says("How often each tracker is asked what changed.", "30s", validate_default=True)
    sweep: Wait = says("How often every open link is read again.", "1h", validate_default=True)
    reread: int = says("Discussions a sweep reads again where edited comments show nowhere; 0: none.", 200, ge=0)
    timezone: str = says("The zone of every time in this file.", "UTC")
    calendar: Opening | None = says("When people are at work; without it every hour counts.", None)
    workers: int = says("How many links are worked on at once.", 4, ge=1, le=64)


class Tell(Table):
    """Who hears of something that stopped."""

    email: list[str] = says("Addresses or parties.", [])
    teams: str = says("A name under [teams].", "")


class Guard(Table):
    """What stops a pass that would do too much."""

    writes: int = says("A pass that would write more often stops and asks; 0: no bound.", 1000, ge=0)
    share: Share = says("So does one that would change more of the open links.", "0%", validate_default=True)
    gone: Share = says("So does one that misses more of a tracker's linked items.", "20%", validate_default=True)
    item: int = says("An item written more often than this within an hour rests until resumed; 0: no bound.", 60, ge=0)
    flap: int = says("So does one where a value we wrote was changed back this often in a day; 0: no bound.", 5, ge=0)
    comments: int = says("Comments customers read on one item an hour; the rest follow later; 0: no bound.", 30, ge=0)
    tell: Tell = says("Who hears of it.", Tell())


class Freeze(Table):
    """When nothing is written; reading and alerting go on."""

    windows: list[FrozenFor] = says("From and to, in the zone of bot.timezone.", [])
