"""The dashboard: how each topic stands, by the file's thresholds."""

from __future__ import annotations

from sync.report.asked import StatusReport, Threshold
from sync.report.table import Table
from sync.report.words import counted

LEGEND = (
    "Green: on schedule, performing as planned. Yellow: potential delay, monitor. Red: behind schedule, requires "
    "escalation."
)


def dashboard(counts: dict[str, tuple[int, str, str]], asked: StatusReport) -> Table:
    """``counts``: by topic how many, and what one is called and several are."""
    rows = tuple(
        (topic, asked.thresholds.get(topic.lower(), Threshold()).colour(count), sentence(count, one, many))
        for topic, (count, one, many) in counts.items()
    )
    return Table("dashboard", "Status dashboard", ("Topic", "Status", "Highlights"), rows, notes=(LEGEND,))


def sentence(count: int, one: str, many: str) -> str:
    return f"There {'is' if count == 1 else 'are'} {counted(count, one, many)}."
