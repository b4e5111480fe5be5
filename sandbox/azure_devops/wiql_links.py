"""Queries of links: one hop from sources to targets, or a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.azure_devops.links import LINK_TYPES
from sandbox.azure_devops.model import WorkItem
from sandbox.azure_devops.wiql import Runner
from sandbox.azure_devops.wiql_text import Clause, Group, Query, broken_query

#: (kind of link, source, target); a row without a kind shows an item of the first level
Row = tuple[str | None, int | None, int]


@dataclass(frozen=True, slots=True)
class Parts:
    """The conditions of a query of links, by what they are about."""

    source: Clause | Group | None
    target: Clause | Group | None
    kinds: frozenset[str]


def parts_of(where: Clause | Group | None) -> Parts:
    """Raises ``Problem`` where one condition is about both ends."""
    clauses = where.parts if isinstance(where, Group) and where.every else (where,) if where else ()
    sorted_by: dict[str, list[Clause | Group]] = {"source": [], "target": [], "link": []}
    for clause in clauses:
        sides = set(sides_of(clause))
        if len(sides) != 1:
            raise broken_query("a condition of a query of links is about its source, its target or its type")
        sorted_by[sides.pop() or "source"].append(clause)
    return Parts(together(sorted_by["source"]), together(sorted_by["target"]), kinds_of(sorted_by["link"]))


def sides_of(clause: Clause | Group) -> Iterator[str]:
    if isinstance(clause, Clause):
        yield clause.side
    else:
        for part in clause.parts:
            yield from sides_of(part)


def together(clauses: list[Clause | Group]) -> Clause | Group | None:
    return (clauses[0] if len(clauses) == 1 else Group(True, tuple(clauses))) if clauses else None


def kinds_of(clauses: list[Clause | Group]) -> frozenset[str]:
    """The kinds of links that the conditions on the link type leave; all of them where there is none."""
    left = frozenset(LINK_TYPES)
    for clause in clauses:
        one = clause if isinstance(clause, Clause) else None
        if one is None or one.op not in ("=", "in", "<>"):
            raise broken_query("System.Links.LinkType")
        named = frozenset(kind for kind in LINK_TYPES if kind.lower() in {value.lower() for value in one.values})
        left = left - named if (one.op == "<>") != one.negated else left & named
    return left


def run_links(runner: Runner, query: Query) -> list[Row]:
    """The rows of a query of links in the order of its sources."""
    parts = parts_of(query.where)
    sources = runner.ordered(runner.found(parts.source), query.order)
    targets = {item.id: item for item in runner.found(parts.target)}
    if query.mode == "recursive":
        return tree(sources, targets, parts.kinds)
    rows: list[Row] = []
    for item in sources:
        hops = [(rel, item.id, to) for rel, to in ways(item, targets, parts.kinds)]
        if query.mode == "maycontain" or bool(hops) == (query.mode == "mustcontain"):
            rows += [(None, None, item.id), *hops]
    return rows


def ways(item: WorkItem, targets: dict[int, WorkItem], kinds: frozenset[str]) -> list[tuple[str, int]]:
    return sorted((one.rel, one.target) for one in item.relations if one.rel in kinds and one.target in targets)


def tree(sources: list[WorkItem], targets: dict[int, WorkItem], kinds: frozenset[str]) -> list[Row]:
    """Sources that hang below no other source, each followed by what is below it, depth first."""
    below = {to for item in sources for _, to in ways(item, targets, kinds)}
    rows: list[Row] = []

    def descend(item: WorkItem, row: Row, above: frozenset[int]) -> None:
        rows.append(row)
        for rel, to in ways(item, targets, kinds):
            if to not in above:
                descend(targets[to], (rel, item.id, to), above | {to})

    for item in sources:
        if item.id not in below:
            descend(item, (None, None, item.id), frozenset({item.id}))
    return rows
