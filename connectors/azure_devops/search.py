"""Looking for words in titles and descriptions: the text of the query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from connectors.azure_devops.records import Metadata
from connectors.azure_devops.spelling import TAGS, reference
from mappings.model import Scope

#: long texts are searched by their words (Azure Boards docs, "Query operators"); bugs tell theirs as steps
LONG = ("System.Description", "Microsoft.VSTS.TCM.ReproSteps")


def question(scope: Scope, metadata: Metadata, words: Sequence[str], text: str) -> str:
    """In scope or marked, and every word in the title or a long text, or called so; the last changed first."""
    found = " AND ".join(f"({' OR '.join(clauses(word, metadata))})" for word in words)
    id = number(text)
    called = f" OR [System.Id] = {id}" if id else ""
    marked = f"[{TAGS}] CONTAINS {quoted(scope.mark)}"
    return (
        f"SELECT [System.Id] FROM WorkItems WHERE (({' AND '.join(inside(scope, metadata))}) OR {marked}) "
        f"AND (({found}){called}) ORDER BY [System.ChangedDate] DESC, [System.Id] DESC"
    )


def clauses(word: str, metadata: Metadata) -> Iterator[str]:
    """Where a word may stand, in WIQL: CONTAINS WORDS is for long texts alone."""
    yield f"[System.Title] CONTAINS {quoted(word)}"
    yield from (f"[{name}] CONTAINS WORDS {quoted(word)}" for name in LONG if name in metadata.fields)


def inside(scope: Scope, metadata: Metadata) -> Iterator[str]:
    """The scope as far as the query can tell it; never narrower than the scope."""
    yield f"[System.TeamProject] = {quoted(scope.project)}"
    if scope.types:
        yield f"[System.WorkItemType] IN ({', '.join(map(quoted, scope.types))})"
    for name, wanted in scope.where:
        field, kind = reference(name), metadata.kind(name)
        operator = {"treePath": "UNDER", "string": "="}.get(kind.type)
        if operator and field in metadata.fields and field != TAGS and all(wanted) and not kind.identity:
            yield f"({' OR '.join(f'[{field}] {operator} {quoted(one)}' for one in wanted)})"


def number(text: str) -> int:
    """The id in ``AB#12`` or ``12``; 0 where it is none."""
    found = re.fullmatch(r"\s*(?:AB#)?([0-9]{1,9})\s*", text, re.IGNORECASE | re.ASCII)
    return int(found[1]) if found else 0


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
