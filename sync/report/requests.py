"""Requests for research by status, and incidents that others follow up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sync.report.asked import StatusReport
from sync.report.incidents import unlisted
from sync.report.item import Item
from sync.report.period import Period
from sync.report.table import Table
from sync.report.words import short


def current(items: Sequence[Item], period: Period) -> list[Item]:
    """Those the period is about: not finished when it ended, or finished or otherwise moved in it."""
    return [item for item in items if item.counts in ("new", "open") or period.holds(item.moved)]


def by_status(items: Sequence[Item], asked: StatusReport, period: Period) -> Table:
    """How many stand where, with none too."""
    found = Counter(item.name for item in current(items, period) if item.status)
    rows = [(status.name, found[status.name]) for status in asked.statuses("requests")]
    rows.append(("Total", sum(count for _, count in rows)))
    title = f"Summary of {asked.requests}"
    strong = frozenset([len(rows) - 1])
    return Table(
        "requests", title, ("Status", "Total"), tuple(rows), strong=strong, notes=unlisted(current(items, period))
    )


def listing(items: Sequence[Item], asked: StatusReport, period: Period) -> Table:
    """Each of them, by status."""
    order = [status.name for status in asked.statuses("requests")]
    shown = sorted((item for item in current(items, period) if item.status), key=lambda item: order.index(item.name))
    rows = tuple((item.key, item.name, item.title) for item in shown)
    links = tuple((item.key, item.url) for item in shown)
    return Table("request-list", asked.requests, ("Request", "Status", "Summary"), rows, links=links)


def follow_ups(items: Sequence[Item], period: Period) -> Table:
    """Incidents that are followed up: those open when the period ended, and those that moved in it."""
    shown = sorted(current(items, period), key=lambda item: (item.opened, item.key))
    rows = tuple(
        (
            item.key,
            item.title,
            short(period.day(item.opened)),
            item.text("impact", ""),
            item.name,
            item.text("owner", ""),
        )
        for item in shown
    )
    columns = ("Ticket ID", "Description", "Impact Date/Time", "Impact", "Status", "Owner")
    links = tuple((item.key, item.url) for item in shown)
    return Table("follow-ups", "Incident follow-up summary", columns, rows, links=links)
