"""Production defects: the backlog month by month, and which release fixes what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from sync.report.asked import Release, StatusReport
from sync.report.incidents import unlisted
from sync.report.item import Item
from sync.report.period import Period
from sync.report.table import Cell, Table, tally

TBD = "TBD"


def active(items: Sequence[Item]) -> int:
    """How many are not closed."""
    return sum(1 for item in items if item.counts in ("new", "open", "resolved"))


def backlog(items: Sequence[Item], asked: StatusReport, period: Period) -> Table:
    """At the end of each month how many were open, and how many were closed in it. The period's own month ends with the
    period."""
    months = period.months(asked.months)
    rows = tuple((f"{month:%b %Y}", *balance(items, month, period)) for month in months)
    note = "Open: not closed at the end of the month. Closed: closed in the month."
    return Table(
        "defect-backlog", "Production defect backlog by month", ("Month", "Open", "Closed"), rows, "balance",
        notes=(note,),
    )  # fmt: skip


def balance(items: Sequence[Item], month: date, period: Period) -> tuple[int, int]:
    start = period.instant(month)
    end = min(period.instant(after(month)), period.end)
    there = [item for item in items if item.status and item.opened < end]
    closed = sum(1 for item in there if item.closed and start <= item.closed < end)
    return sum(1 for item in there if not item.closed or item.closed >= end), closed


def after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def by_release(items: Sequence[Item], asked: StatusReport, period: Period) -> Table:
    """Which release fixes how many, by severity and state. Columns are the releases to come, and any other that an open
    defect still names; those without one are to be determined. Closed ones count where their release is a column."""
    columns = (*release_columns(items, asked, period), TBD)
    statuses = [status.name for status in asked.statuses("defects")]
    spread: Counter[tuple[str, str, str]] = Counter()
    for item in items:
        column = target(item) or TBD
        if item.status and column in columns and (item.counts != "closed" or column != TBD):
            spread[item.text("severity"), item.name, column] += 1
    rows: list[tuple[Cell, ...]] = []
    strong: list[int] = []
    for severity in severities(spread, asked):
        below = [line(status, [spread[severity, status, column] for column in columns]) for status in statuses]
        strong.append(len(rows))
        rows += [tally(below, severity), *below]
    totals = tally([rows[place] for place in strong], "Total") if strong else ()
    named = tuple(column if column == TBD else f"Release {column}" for column in columns)
    return Table(
        "defects-by-release",
        "Production defect fix: release schedule",
        ("Severity", *named, "Total"),
        (*rows, *((totals,) if totals else ())),
        strong=frozenset([*strong, len(rows)]),
        notes=unlisted(items),
    )


def line(name: str, counts: list[int]) -> tuple[Cell, ...]:
    return (name, *counts, sum(counts))


def target(item: Item) -> str:
    """The release that fixes it; of several the first by name."""
    named = item.texts("release")
    return min(named) if named else ""


def release_columns(items: Sequence[Item], asked: StatusReport, period: Period) -> list[str]:
    """The releases to come in their order; before them late ones, behind them those the file does not know."""
    days = {release.name: release.day for release in asked.releases}
    coming = [release.name for release in in_order(asked.releases) if release.day > period.last]
    named = {target(item) for item in items if item.status and item.counts != "closed"} - {"", *coming}
    late = sorted((name for name in named if name in days), key=lambda name: days[name])
    return [*late, *coming, *sorted(named - set(days))]


def in_order(releases: Sequence[Release]) -> list[Release]:
    return sorted(releases, key=lambda release: (release.day, release.name))


def severities(spread: Counter[tuple[str, str, str]], asked: StatusReport) -> list[str]:
    """The file's, those with none too, then others that were met."""
    met = {severity for severity, _, _ in spread}
    return [*asked.severities, *sorted(met - set(asked.severities))]
