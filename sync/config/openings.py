"""What a route says of how it opens: by whose word, with which fields, what comes below, and what then names it."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.model import Native
from mappings.routes import Tasks
from sync.config.desk import Desk
from sync.config.problems import KeyPath, quoted
from sync.config.tables.process import RouteTable

#: how a value begins that a tracker works out when an item is created
MACRO = "@"


def by_rule(desk: Desk, path: KeyPath, said: RouteTable) -> str:
    """Whose word it opens by: a rule must say so somewhere, and nothing else is asked."""
    if not said.by:
        return ""
    for key in ("when", "since"):
        if getattr(said, key) is not None:
            what = f"a rule says when this route opens, so that {key} means nothing"
            desk.report.wrong((*path, key), what, f"remove {key}, or by")
    if not any(step.open == said.id for rule in desk.file.rules for step in rule.steps):
        what = "no rule opens by this route, so that it never opens"
        desk.report.warn((*path, "by"), what, f'write open = "{said.id}" in a step of a rule')
    return said.by


def created(desk: Desk, path: KeyPath, side: str, values: Mapping[str, Native]) -> Mapping[str, Native]:
    """Native fields of a new item, with ``@current`` only where the tracker knows a current one."""
    kind = desk.kind_of(side)
    for name, value in values.items():
        if not (isinstance(value, str) and value.startswith(MACRO)) or kind is None:
            continue
        if name in kind.current and value.partition(" ")[0] == "@current":
            continue
        may = f'"@current" stands for the current iteration alone ({quoted(kind.current)})' if kind.current else ""
        what = f'{kind.name} has no "{value}" for {name}'
        desk.report.wrong((*path, name), what, may or "write the value itself")
    return values


def tasks(desk: Desk, path: KeyPath, said: RouteTable) -> Tasks | None:
    """What comes below each item that the route opens."""
    if said.tasks is None:
        return None
    side, at = said.tasks.side, (*path, "tasks")
    table = desk.file.sides.get(side)
    if desk.known("sides", side, (*at, "side")) and table is not None and table.under != said.open:
        what = f"{side} does not stand under {said.open}, which this route opens"
        desk.report.wrong((*at, "side"), what, f'write under = "{said.open}" in [sides.{side}]')
    for place, title in enumerate(said.tasks.titles):
        desk.template(title, (*at, "titles", place), desk.names["sides"])
    return Tasks(side, tuple(said.tasks.titles))


def related(desk: Desk, path: KeyPath, said: RouteTable) -> str:
    """The field of what opens that names what was opened; by itself where the tracker has one for that."""
    source, opened = (desk.file.sides.get(side) for side in (said.from_, said.open))
    if source is None or opened is None:
        return ""
    if source.tracker != opened.tracker:
        if said.relate:
            what = f"{said.from_} and {said.open} live in two trackers, so that neither can name the other"
            desk.report.wrong((*path, "relate"), what, "remove relate")
        return ""
    if said.relate is not None:
        return said.relate
    kind = desk.kind_of(said.from_)
    return kind.relations.get((source.table, opened.table), "") if kind else ""
