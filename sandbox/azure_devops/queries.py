"""The routes of queries."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import bad_request
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.metadata import field_url
from sandbox.azure_devops.values import wire
from sandbox.azure_devops.wiql import Runner
from sandbox.azure_devops.wiql_links import run_links
from sandbox.azure_devops.wiql_text import Parser, broken_query, start_of
from sandbox.wire import Answer


def post_wiql(call: Call) -> Answer:
    body = call.body()
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise bad_request("The query statement is missing.")
    query = Parser(body["query"], find_in_query(call), lambda *macro: macro_value(call, *macro)).query()
    answer: dict[str, Any] = {
        "queryType": ("tree" if query.mode == "recursive" else "oneHop") if query.links else "flat",
        "queryResultType": "workItemLink" if query.links else "workItem",
        "asOf": wire(call.org.clock.now()),
        "columns": [reference(call, field) for field in query.columns],
    }
    if query.order:
        answer["sortColumns"] = [{"field": reference(call, f), "descending": down} for f, down in query.order]
    if query.links:
        found = run_links(runner(call), query)
        return answered({**answer, "workItemRelations": [link_row(call, *row) for row in found]})
    ids = runner(call).run(query, call.number("$top", 0))
    return answered({**answer, "workItems": [item_row(call, id) for id in ids]})


def runner(call: Call) -> Runner:
    return Runner(
        call.org.store,
        replace(call.render, digits=3).values,
        lambda item: call.org.readable(item, call.who),
        lambda name: spellings(call, name),
        precise=call.flag("timePrecision"),
        zone=ZoneInfo(call.who.zone),
        cost=call.org.switches.query_cost,
        members=lambda category: members(call, category),
    )


def reference(call: Call, field: Field) -> dict[str, str]:
    return {"referenceName": field.reference, "name": field.name, "url": field_url(call, field)}


def item_row(call: Call, id: int) -> dict[str, Any]:
    return {"id": id, "url": f"{call.render.base}/_apis/wit/workItems/{id}"}


def link_row(call: Call, rel: str | None, source: int | None, target: int) -> dict[str, Any]:
    """A row of the first level has a target alone (vendor's example)."""
    start = {"rel": rel, "source": item_row(call, source)} if source else {}
    return {**start, "target": item_row(call, target)}


def members(call: Call, category: str) -> tuple[str, ...]:
    """The types of a category, over every project or in the one of the address."""
    homes = [call.project] if call.project else list(call.org.projects.values())
    found = [call.org.rules.process(home).categories() for home in homes]
    named = (types for one in found for kind, (_, types) in one.items() if kind.lower() == category.lower())
    return tuple(name for types in named for name in types)


def macro_value(call: Call, name: str, argument: str, shift: int) -> str | None:
    """What a macro stands for; days are the caller's."""
    if name == "@today":
        return day_of(call, "day", shift)
    if name.startswith("@startof") and name[8:] in ("day", "week", "month", "year"):
        offset = re.fullmatch(r"([+-]?[0-9]{1,5})[a-z]?", argument, re.IGNORECASE)
        if argument and not offset:
            raise broken_query(argument)
        return day_of(call, name[8:], shift + int(offset[1] if offset else 0))
    if name == "@me":
        return call.who.unique_name
    if name == "@project":
        return call.project.name if call.project else None
    if name == "@currentiteration":
        return current_iteration(call, argument, shift)
    return None


def day_of(call: Call, unit: str, shift: int) -> str:
    """The first day of the caller's day, week, month or year. Raises 400 for one that no calendar has."""
    try:
        return start_of(unit, call.org.clock.now().astimezone(ZoneInfo(call.who.zone)), shift)
    except (OverflowError, ValueError):
        raise broken_query(f"@StartOf{unit} {shift}") from None


def current_iteration(call: Call, argument: str, shift: int) -> str:
    """The path of a team's iteration of today, ``shift`` iterations on. Raises 400 where the team is not known or has
    none."""
    project, _, team = argument.partition("]\\")
    if not argument and (call.project is None or not call.team):
        raise broken_query("@CurrentIteration needs a team")
    home = call.org.rules.project(project.strip("[")) if argument else call.need_project()
    chosen = call.org.teams.team(home, team or call.team)
    nodes = [node for node in (call.org.nodes.live(id) for id in chosen.iterations) if node and node.start]
    nodes.sort(key=lambda node: node.start or call.org.clock.now())
    current = chosen.current(call.org.nodes, call.org.clock.now())
    at = nodes.index(current) + shift if current else -1
    if not 0 <= at < len(nodes):
        text = "VS402612: The current iteration macro does not resolve to an iteration of the team."
        raise bad_request(text, "InvalidQueryMacroException")
    return nodes[at].path


def find_in_query(call: Call) -> Any:
    def find(name: str) -> Field:
        found = call.org.rules.names.get(name.lower())
        if found is None:
            raise broken_query(name)
        return found

    return find


def spellings(call: Call, name: str) -> set[str]:
    person = call.org.identify(name)
    names = (person.unique_name, person.display_name, person.full_name) if person else (name,)
    return {spelled.lower() for spelled in names}
