"""How findings are shown: grouped by tracker, coloured on a terminal, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from connectors.description import Description
from sync.doctor.findings import LEVELS, Finding, Report

MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "unknown": ("?", "cyan")}
COUNTED = {"error": "to mend", "warning": "to look at", "unknown": "not checked"}


def as_text(file: str, reports: Mapping[str, Report], findings: Sequence[Finding]) -> RenderableType:
    """Each tracker with what it is and what was found, then a count."""
    blocks: list[RenderableType] = []
    for tracker in ("", *reports):
        own = [finding for finding in findings if finding.tracker == tracker]
        if tracker or own:
            blocks.append(heading(tracker or file, reports.get(tracker), own))
            blocks += [block(file, finding) for finding in own]
    counts = {level: sum(finding.level == level for finding in findings) for level in LEVELS}
    told = ", ".join(f"{count} {COUNTED[level]}" for level, count in counts.items() if count)
    unasked = any(report.failure for report in reports.values())
    style = "bold red" if counts["error"] else "bold yellow" if counts["warning"] or unasked else "bold green"
    blocks.append(Text(f"\n{told or 'Everything fits'}. Nothing was written.", style=style))
    return Group(*blocks)


def heading(name: str, report: Report | None, findings: Sequence[Finding]) -> Text:
    line = Text(f"\n{name}", style="bold")
    if report and report.description:
        line.append(f"  {character(report.description)}", style="dim")
    if not any(finding.level == "error" for finding in findings) and report and not report.failure:
        line.append("  ✓" if not findings else "", style="green")
    return line


def character(told: Description) -> str:
    """What the tracker is, as whom we are known there, and how its time stands to ours."""
    parts = [" ".join(filter(None, (told.product, told.version)))]
    parts += [f"as {told.account}"] if told.account else []
    parts += [f"zone {told.zone}"] if told.zone else []
    parts += [f"clock {told.ahead.total_seconds():+.0f} s"] if told.ahead is not None else []
    return ", ".join(parts)


def block(file: str, finding: Finding) -> RenderableType:
    sign, colour = MARKS[finding.level]
    place = f"{file}:{finding.line}" if finding.line else file
    line = Text(f"  {sign} ", style=colour)
    line.append(f"{place}  {finding.key}", style="dim")
    said = Text(finding.what, style=colour if finding.level == "error" else "")
    if finding.instead:
        said.append(f"\n→ {finding.instead}", style="default")
    return Group(line, Padding(said, (0, 0, 0, 6), expand=False))


def as_json(file: str, reports: Mapping[str, Report], findings: Sequence[Finding]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "file": file,
        "trackers": {name: tracker_json(report) for name, report in reports.items()},
        "findings": [
            {
                "tracker": one.tracker,
                "level": one.level,
                "line": one.line,
                "key": one.key,
                "what": one.what,
                "instead": one.instead,
            }
            for one in findings
        ],
    }


def tracker_json(report: Report) -> dict[str, Any]:
    told = report.description
    if told is None:
        return {"reached": False, "failure": report.failure}
    return {
        "reached": True,
        "product": told.product,
        "version": told.version,
        "account": told.account,
        "zone": told.zone,
        "clock_ahead_seconds": told.ahead.total_seconds() if told.ahead is not None else None,
    }
