"""Releases and maintenance: what was delivered, what comes next, when the system is worked on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.report.asked import Maintenance, Release, StatusReport
from sync.report.defects import in_order
from sync.report.item import Item
from sync.report.period import Period
from sync.report.table import Cell, Table
from sync.report.words import NONE, clock, counted, listed, long, sentence, short, zoned

AREA = "area"
WORK = {"defects": "production defect", "enhancements": "enhancement"}


def delivered(asked: StatusReport, period: Period) -> list[Release]:
    """Those of the period."""
    return [one for one in in_order(asked.releases) if period.first <= one.day <= period.last]


def upcoming(asked: StatusReport, period: Period) -> list[Release]:
    """Those of the next period of the same length."""
    return [one for one in in_order(asked.releases) if period.last < one.day <= period.following]


def called(release: Release, product: str) -> str:
    """``BenefitsCal Priority Release 23.11.09``."""
    return " ".join(filter(None, (product, release.kind, "Release", release.name)))


def agenda(asked: StatusReport, period: Period) -> Table:
    """What the executive summary is about."""
    done = [(called(one, asked.product), short(one.day)) for one in delivered(asked, period)]
    coming = [(f"Upcoming {called(one, asked.product)}", short(one.day)) for one in upcoming(asked, period)]
    return Table("agenda", "Agenda topics", ("Topic", "Date"), (*done, *coming))


def highlights(asked: StatusReport, period: Period) -> tuple[tuple[str, str], ...]:
    """A line for each kind of release that the file knows: those that were delivered, or that there was none."""
    done = delivered(asked, period)
    lines = []
    for kind in kinds(asked):
        names = [one.name for one in done if one.kind == kind]
        head = f"{kind} release" if kind else "Release"
        told = f"{listed(names)} deployed to production." if names else NONE
        lines.append((sentence(head), told))
    return tuple(lines)


def kinds(asked: StatusReport) -> tuple[str, ...]:
    """The kinds the file lists, then those its releases have."""
    return tuple(dict.fromkeys((*asked.kinds, *(release.kind for release in asked.releases))))


def outages(asked: StatusReport, period: Period) -> tuple[str, ...]:
    """The planned ones of the period."""
    planned = [one for one in ordered(asked) if one.outage and one.start.date() <= period.last]
    ours = [one for one in planned if one.end.date() >= period.first]
    return tuple(f"{one.start:%A}, {frame(one, asked.zone)}: {one.text}" for one in ours)


def ordered(asked: StatusReport) -> list[Maintenance]:
    return sorted(asked.maintenance, key=lambda one: (one.start, one.end))


def windows(asked: StatusReport, period: Period) -> Table:
    """Those of the period and those to come."""
    shown = [one for one in ordered(asked) if one.end.date() >= period.first]
    rows = tuple((days(one), frame(one, asked.zone), one.text) for one in shown)
    return Table("maintenance", "Maintenance", ("Scheduled Date", "Outage Timeframe", "Activity Description"), rows)


def days(window: Maintenance) -> str:
    first, last = short(window.start.date()), short(window.end.date())
    return first if first == last else f"{first} - {last}"


def frame(window: Maintenance, zone: str) -> str:
    """``11/09/23 8:00 pm – 11/09/23 9:30 pm PST``; the zone twice where it changes between."""
    start, end = (f"{short(at.date())} {clock(at)}" for at in (window.start, window.end))
    before, behind = zoned(window.start, zone), zoned(window.end, zone)
    return f"{start} – {end} {behind}" if before == behind else f"{start} {before} – {end} {behind}"


def content(release: Release, work: Mapping[str, Sequence[Item]]) -> dict[str, int]:
    """How many of each kind of work name the release; in its areas alone, where it has some."""
    return {
        kind: sum(1 for item in items if release.name in item.texts("release") and within(item, release))
        for kind, items in work.items()
    }


def within(item: Item, release: Release) -> bool:
    return not release.areas or bool(set(item.texts(AREA)) & set(release.areas))


def told(release: Release, work: Mapping[str, Sequence[Item]], *, over: bool = False) -> str:
    """What is in the release, in a sentence; ``over``: it was delivered."""
    counts = content(release, work)
    parts = [counted(count, WORK[kind]) for kind, count in counts.items() if count]
    areas = release.areas or tuple(sorted({a for items in work.values() for a in areas_of(items, release)}))
    one = sum(counts.values()) == 1
    verb = ("was" if one else "were") if over else "is" if one else "are"
    about = f" for {listed(areas)}" if areas else ""
    return f"{sentence(listed(parts))} {verb} planned{about}." if parts else "No work names it."


def areas_of(items: Sequence[Item], release: Release) -> set[str]:
    return {area for item in items if release.name in item.texts("release") for area in item.texts(AREA)}


def deployed(asked: StatusReport, work: Mapping[str, Sequence[Item]], period: Period) -> tuple[str, ...]:
    """The releases of the period with what was in them."""
    return tuple(
        f"{called(one, asked.product)} was deployed on {short(one.day)}. {told(one, work, over=True)}"
        for one in delivered(asked, period)
    )


def schedule(asked: StatusReport, work: Mapping[str, Sequence[Item]], period: Period) -> Table:
    """The releases to come next."""
    rows = tuple((label(one), short(one.day), told(one, work)) for one in upcoming(asked, period))
    return Table("upcoming-releases", "Upcoming releases", ("Release", "Release Date", "Summary"), rows)


def label(release: Release) -> str:
    return f"{release.name} – {release.kind}" if release.kind else release.name


def numbers(asked: StatusReport, work: Mapping[str, Sequence[Item]], period: Period) -> Table:
    """What is in each release of this period and the next, in numbers."""
    shown = [*delivered(asked, period), *upcoming(asked, period)]
    rows: tuple[tuple[Cell, ...], ...] = tuple((one.name, *content(one, work).values()) for one in shown)
    columns = tuple(sentence(f"{WORK[kind]}s") for kind in work)
    return Table("release-content", "What the releases hold", ("Release", *columns), rows)


def development(asked: StatusReport, period: Period) -> Table:
    """The line the file has on each release's development, from this period on."""
    shown = [one for one in in_order(asked.releases) if one.status and one.day >= period.first]
    rows = tuple((one.name, short(one.day), one.status) for one in shown)
    return Table("development", "Enhancements: development status", ("Release", "Release Date", "Summary"), rows)


def heading(period: Period) -> str:
    return f"{long(period.first)} to {long(period.last)}"
