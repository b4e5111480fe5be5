"""Routes: who opens what, what joins and what is followed alone, checked and resolved."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from mappings.conditions import Condition
from mappings.routes import Route
from sync.config import openings
from sync.config.desk import Desk
from sync.config.keys import once
from sync.config.problems import KeyPath
from sync.config.tables.process import RouteTable

#: keys of a route that mean something where nothing is opened
FOLLOWING = frozenset({"id", "from_", "open", "follow", "when", "since", "join"})


def routes(desk: Desk) -> tuple[tuple[Route, ...], dict[str, Condition]]:
    """The routes and their conditions by route id."""
    once(desk, "routes", "id", [said.id for said in desk.file.routes])
    made, conditions = [], {}
    for place, said in enumerate(desk.file.routes):
        path: KeyPath = ("routes", place)
        made.append(route(desk, path, said))
        if compiled := desk.condition(said.when, (*path, "when")):
            conditions[said.id] = compiled
    return tuple(made), conditions


def route(desk: Desk, path: KeyPath, said: RouteTable) -> Route:
    """One route, without its condition."""
    opens_or_follows(desk, path, said)
    for key, side in (("from", said.from_), *((("open", said.open),) if said.open else ())):
        desk.known("sides", side, (*path, key))
        if side in desk.file.sides and desk.file.sides[side].under:
            what = f"{side} are tasks: tasks are opened by nobody, and open nothing"
            desk.report.wrong((*path, key), what, "name a side that links are made of")
    if said.from_ == said.open:
        desk.report.wrong((*path, "open"), "a side does not open itself", "name another side")
    since = instant(desk, (*path, "since"), said.since) if said.since else None
    matched(desk, path, said)
    return Route(
        said.id,
        said.from_,
        said.open,
        said.when or "",
        since,
        said.history == "all",
        match=tuple(said.match),
        parent=said.join.parent,
        problem=said.join.problem,
        mention=mention(desk, path, said),
        mention_in=tuple(said.join.in_),
        reopen=said.reopen,
        by=openings.by_rule(desk, path, said),
        create=openings.created(desk, (*path, "create"), said.open, said.create),
        tasks=openings.tasks(desk, path, said),
        relate=openings.related(desk, path, said),
    )


def opens_or_follows(desk: Desk, path: KeyPath, said: RouteTable) -> None:
    """A route either opens a side or follows its item alone; what only a counterpart has stands beside ``open``."""
    if not said.open and not said.follow:
        what, instead = "says neither what it opens nor that it follows", 'write open = "...", or follow = true'
        desk.report.wrong(path, what, instead)
    elif said.open and said.follow:
        what, instead = "opens and follows at once", "remove open or follow: what is opened is followed anyway"
        desk.report.wrong((*path, "follow"), what, instead)
    if not said.follow or said.open:
        return
    for key in sorted(said.model_fields_set - FOLLOWING):
        desk.report.wrong((*path, key), "means nothing where nothing is opened", f"remove {key}, or write open")


def mention(desk: Desk, path: KeyPath, said: RouteTable) -> str:
    """What becomes of an item that mentions a linked one: nothing where the route names no field to look in."""
    at: KeyPath = (*path, "join", "in")
    for place, name in enumerate(said.join.in_):
        if desk.known("fields", name, (*at, place)) and desk.file.fields[name].type != "text":
            desk.report.wrong((*at, place), f"{name} is no text, so nothing is mentioned in it", "name a text field")
    if said.join.mention == "join" and not said.join.in_:
        what = 'mention = "join" counts in named fields only'
        desk.report.wrong((*path, "join", "mention"), what, 'write in = ["summary"] beside it')
    return said.join.mention if said.join.in_ and said.join.mention != "none" else ""


def matched(desk: Desk, path: KeyPath, said: RouteTable) -> None:
    """The fields that find a counterpart: each must be readable on one of the route's sides at least."""
    for place, name in enumerate(said.match):
        at: KeyPath = (*path, "match", place)
        if not desk.known("fields", name, at) or name in desk.doubtful:
            continue
        if not {said.from_, said.open} & set(desk.file.fields[name].__pydantic_extra__ or {}):
            what = f"neither {said.from_} nor {said.open} has the field {name}, so it can name no counterpart"
            desk.report.wrong(at, what, f'write {said.open} = "..." in [fields.{name}]')


def instant(desk: Desk, path: KeyPath, said: datetime | date) -> datetime | None:
    """A date or time of the file in UTC; without an offset it is the bot's own zone's."""
    at = said if isinstance(said, datetime) else datetime.combine(said, time())
    try:
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(desk.zone))).astimezone(UTC)
    except (OverflowError, ValueError):
        desk.report.wrong(path, "is not a date we can reckon with", 'write since = "2026-11-01"')
        return None
