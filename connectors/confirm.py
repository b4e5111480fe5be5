"""A scope's raw query cannot be checked on our side, so the tracker is asked about each item by its id once more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from mappings.model import Record, Scope


def confirmed(scope: Scope, records: Iterable[Record], ask: Callable[[Sequence[str]], Collection[str]]) -> list[Record]:
    """The records, out of scope where the raw query does not hold of them. ``ask(ids)`` is those of which it holds; it
    is not asked where no query stands, nor of what carries our mark, which is followed all the same."""
    found = list(records)
    asked = [r.ref.id for r in found if r.in_scope and r.mark is None] if scope.query else []
    holds = ask(asked) if asked else ()
    out = set(asked).difference(holds)
    return [replace(r, in_scope=False) if r.ref.id in out else r for r in found]
