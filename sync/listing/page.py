"""A listing as a plain text that reads well in a mail and on a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mappings.disclosure import masked
from sync.listing.entry import Entry, cells, heading
from sync.listing.moves import told
from sync.setup import Report, Setup

#: longest text of one cell, and longest address
WIDEST, ADDRESS = 60, 500
#: longest page of a message, in entries; the rest is counted
MOST = 500


def page(setup: Setup, report: Report, entries: Sequence[Entry], summary: str, *, outside: bool = False) -> str:
    """The admin's words, what the listing is of, and the entries as a table; below each what moved, and the addresses
    of what was read where no column shows them. For a reader ``outside``, no more of the items than the columns say."""
    head = [report.email.text, ""] if report.email and report.email.text else []
    if not entries:
        return "\n".join([*head, f"{summary}: none."])
    shown = list(entries[:MOST])
    rows = [tuple(shortened(masked(one, setup.masks)) for one in cells(setup, entry, report.show)) for entry in shown]
    names = tuple(heading(setup, name) for name in report.show)
    widths = [max(len(row[place]) for row in (names, *rows)) for place in range(len(names))]
    lines = [line(names, widths), line(tuple("-" * width for width in widths), widths)]
    for entry, row in zip(shown, rows, strict=True):
        lines += [line(row, widths), *(f"    {one}" for one in below(setup, report, entry, outside=outside))]
    rest = [f"and {len(entries) - MOST} more"] if len(entries) > MOST else []
    return "\n".join([*head, f"{summary}: {len(entries)}", "", *lines, *rest])


def below(setup: Setup, report: Report, entry: Entry, *, outside: bool) -> list[str]:
    """What stands below an entry."""
    addresses = [] if outside or "url" in report.show else list(dict.fromkeys(entry.urls.values()))
    unread = () if outside else entry.unread
    return [*told(setup, entry.moved, outside=outside), *addresses, *unread]


def line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def shortened(text: str) -> str:
    """On one line, and no longer than a column may be; an address stays whole."""
    plain = " ".join(text.split())
    address = "://" in plain and " " not in plain and len(plain) <= ADDRESS
    return plain if len(plain) <= WIDEST or address else plain[: WIDEST - 1] + "…"
