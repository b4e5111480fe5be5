"""An admin's own encoded query: the columns it names, and what cannot stand in it (docs, "Encoded query strings")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.servicenow.schema import Schema
from mappings.model import Scope

_CONDITION = re.compile(r"(?:OR)?([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)")


def columns_of(query: str) -> tuple[str, ...]:
    """The columns that the conditions name, each once."""
    found = (_CONDITION.match(one) for one in query.split("^"))
    return tuple(dict.fromkeys(one[1] for one in found if one))


def query_problems(scope: Scope, schema: Schema) -> Iterator[tuple[str, str]]:
    """A name that the table does not have makes the instance pass over its condition, and answer with more."""
    if re.search(r"\^NQ|(?:^|\^)(?:ORDERBY|GROUPBY)|javascript:", scope.query):
        yield "query", "a query of ours goes beside it: write ^OR instead of ^NQ, no order and no script"
        return
    for name in columns_of(scope.query):
        if name.partition(".")[0] not in schema.columns:
            yield "query", f"{scope.table} has no column {name!r}, which the query names"
    if scope.query and not columns_of(scope.query):
        yield "query", "the query names no column: write it as the list's filter copies it (Copy query)"
