"""What keeps Lockstep from writing: guards and freeze windows, checked and resolved."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from mappings.calendar import instant
from sync.config.desk import Desk
from sync.config.talk import addresses
from sync.setup import Guards, Window


def guards(desk: Desk) -> Guards:
    """The bounds of a pass, and who hears of one that goes beyond them."""
    said = desk.file.guard
    at = ("guard", "tell")
    if said.tell.email and "mail" not in desk.report.raw:
        desk.report.wrong((*at, "email"), "there is no mail server", "write [mail] with server and sender")
    if said.tell.teams:
        desk.known("teams", said.tell.teams, (*at, "teams"))
    told = addresses(desk, (*at, "email"), said.tell.email)
    bounds = {"item": said.item, "flap": said.flap, "comments": said.comments}
    return Guards(said.writes, said.share, said.gone, told, said.tell.teams, **bounds)


def freeze(desk: Desk) -> tuple[Window, ...]:
    """The windows in the order of time. Where the clock is put back, an hour that comes twice is frozen twice."""
    said = desk.file.freeze.windows
    made = [Window(instant(desk.zone, start), latest(desk.zone, end)) for start, end in said]
    order = sorted(range(len(made)), key=lambda place: (made[place].start, made[place].end))
    for earlier, later in pairwise(order):
        if made[later].start < made[earlier].end:
            line, _ = desk.report.position(desk.report.origin(("freeze", "windows", earlier)))
            what = f"this window overlaps the one in line {line}"
            desk.report.wrong(("freeze", "windows", later), what, "make one window of the two")
    return tuple(made[place] for place in order)


def latest(zone: str, wall: datetime) -> datetime:
    """The last moment at which the clock on the wall shows ``wall``: the later of two where it is put back."""
    return max(instant(zone, wall), wall.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC))
