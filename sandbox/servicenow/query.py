"""Encoded queries, read and compiled (ServiceNow docs, Encoded query strings; Operators for filters and queries)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.servicenow.columns import Column

Row = dict[str, str]
Test = Callable[[Row], bool]

_OPERATORS = (
    "NOT LIKE|NOT IN|DOES NOT CONTAIN|CONTAINS|STARTSWITH|ENDSWITH|ISNOTEMPTY|ISEMPTY|EMPTYSTRING|ANYTHING|BETWEEN|"
    "RELATIVEGT|RELATIVEGE|RELATIVELT|RELATIVELE|LIKE|IN|ON|!=|>=|<=|>|<|="
)
_CONDITION = re.compile(rf"([a-z][a-z0-9_.]*)({_OPERATORS})(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """``field operator value``; the field may be dot-walked."""

    field: str
    operator: str
    value: str


@dataclass(slots=True)
class Query:
    """Alternatives (``^NQ``) of conjunctions (``^``) of alternatives (``^OR``), and the order."""

    groups: list[list[list[Condition]]] = field(default_factory=lambda: [[]])
    order: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of a query that the instance cannot read; it passes over it."""

    text: str


def parse(text: str) -> tuple[Query, list[Broken]]:
    """The query and its unreadable parts. There is no escape: every ``^`` parts."""
    query = Query()
    broken: list[Broken] = []
    for part in text.split("^"):
        if part.startswith("NQ"):
            query.groups.append([])
            part = part[2:]
        if part in ("", "EQ"):
            continue
        if part.startswith("ORDERBY"):
            descending = part.startswith("ORDERBYDESC")
            query.order.append((part[11:] if descending else part[7:], descending))
            continue
        add(query.groups[-1], part, broken)
    return query, broken


def add(group: list[list[Condition]], part: str, broken: list[Broken]) -> None:
    either = part.startswith("OR")
    found = _CONDITION.fullmatch(part[2:] if either else part)
    if found is None:
        broken.append(Broken(part))
    elif either and group:
        group[-1].append(Condition(*found.groups()))
    else:
        group.append([Condition(*found.groups())])


def compiled(condition: Condition, column: Column, get: Callable[[Row], str]) -> Test:
    """The condition as a test on a row; ``get`` reads the (dot-walked) field's raw value."""
    value, operator = condition.value, condition.operator
    if operator in ("IN", "NOT IN"):
        wanted = frozenset(value.split(","))
        return (lambda row: get(row) in wanted) if operator == "IN" else (lambda row: get(row) not in wanted)
    if operator in (">", ">=", "<", "<=", "BETWEEN"):
        return ordered(operator, value, column, get)
    tests: dict[str, Test] = {
        "=": lambda row: get(row) == value,
        "!=": lambda row: get(row) != value,
        "LIKE": lambda row: value in get(row),
        "NOT LIKE": lambda row: value not in get(row),
        "STARTSWITH": lambda row: get(row).startswith(value),
        "ENDSWITH": lambda row: get(row).endswith(value),
        "ISEMPTY": lambda row: not get(row),
        "ISNOTEMPTY": lambda row: bool(get(row)),
    }
    return tests[operator]


def ordered(operator: str, value: str, column: Column, get: Callable[[Row], str]) -> Test:
    """Comparisons; an empty field is neither above nor below anything (NULL in the database)."""
    rank = number if column.numeric else text
    low, _, high = value.partition("@")
    bound, top = rank(low), rank(high)
    tests: dict[str, Callable[[tuple[float, str]], bool]] = {
        ">": lambda v: v > bound,
        ">=": lambda v: v >= bound,
        "<": lambda v: v < bound,
        "<=": lambda v: v <= bound,
        "BETWEEN": lambda v: bound <= v <= top,
    }
    holds = tests[operator]
    return lambda row: (raw := get(row)) != "" and holds(rank(raw))


def number(value: str) -> tuple[float, str]:
    try:
        return float(value), ""
    except ValueError:
        return 0.0, value


def text(value: str) -> tuple[float, str]:
    return 0.0, value
