"""Rows of an answer of which one may be of an unknown shape: the others are understood all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from connectors.base import Down, Garbled, Notice, Refused
from mappings.model import Record, Ref

Row = TypeVar("Row")
Taken = TypeVar("Taken")

#: so many rows, none of which is understood, are no poisoned items: the tracker itself answers otherwise than it should
SYSTEMIC = 20
#: the version of an item that cannot be understood: news, whatever is known of it
NEWS = 2**62


def sorted_out(
    tracker: str, rows: Iterable[Row], id_of: Callable[[Row], object], take: Callable[[Row], Taken]
) -> tuple[list[Taken], dict[str, str]]:
    """What ``take`` makes of each row, and by the id of each row of which it makes nothing the reason, in words that
    hold no value. Raises ``Down`` where a row tells no id either, or where none of many is understood."""
    good: list[Taken] = []
    bad: dict[str, str] = {}
    last: Exception | None = None
    for row in rows:
        try:
            good.append(take(row))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, Down, Refused) as error:
            last = error
            bad[named(tracker, row, id_of)] = reason_of(tracker, error)
    if last is not None and not good and len(bad) >= SYSTEMIC:
        raise Down(reason_of(tracker, last)) from None
    return good, bad


def complete(records: list[Record], bad: Mapping[str, str]) -> list[Record]:
    """What a query found; raises ``Garbled`` with it where some of the answer is not understood."""
    if bad:
        raise Garbled(bad, {record.ref.id: record for record in records})
    return records


def named(tracker: str, row: Any, id_of: Callable[[Any], object]) -> str:
    """The id of a row that is not understood otherwise."""
    try:
        id = id_of(row)
    except (KeyError, TypeError, ValueError, AttributeError, Refused):
        id = None
    if not isinstance(id, str | int) or id == "":
        raise Down(f"{tracker} sent something of an unknown shape, without an id") from None
    return str(id)


def reason_of(tracker: str, error: Exception) -> str:
    """Why a row is not understood: a tracker's own name of what is missing, never a value."""
    if isinstance(error, Down | Refused):
        return str(error)
    missing = f": {error.args[0]}" if isinstance(error, KeyError) and error.args else ""
    return f"{tracker} sent it in an unknown shape ({type(error).__name__}{missing})"


def notices_of(tracker: str, bad: Iterable[str]) -> tuple[Notice, ...]:
    """Items that moved and are not understood: they are read once more by their ids."""
    return tuple(Notice(Ref(tracker, id), NEWS) for id in bad)
