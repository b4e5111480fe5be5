"""From records to the report: a pure function, of which page, Markdown and CSV show the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mappings.fields import Field
from mappings.model import Moved, Record
from sync.report import defects, incidents, releases, requests
from sync.report.asked import StatusReport
from sync.report.dashboard import dashboard
from sync.report.item import Item, items
from sync.report.period import Period
from sync.report.table import Cell, Table
from sync.report.words import NONE, counted

Items = Mapping[str, Sequence[Item]]
WEEKS = "Dates on the x-axis are starts of weeks. A week that does not show had nothing to report."
UNREAD = "Not counted in this report"
#: what stands under a heading
Part = Table | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (``level`` 1 or 2) and what stands below it: tables, and lists of sentences."""

    level: int
    title: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """The whole report."""

    title: str
    period: str
    sections: tuple[Section, ...]

    def every(self) -> Iterator[Table]:
        for section in self.sections:
            yield from (part for part in section.parts if isinstance(part, Table))

    def table(self, id: str) -> Table:
        """Raises ``KeyError``."""
        found = next((table for table in self.every() if table.id == id), None)
        if found is None:
            raise KeyError(id)
        return found

    def cells(self) -> dict[tuple[str, int, str, str], Cell]:
        """Every cell of every table by its place."""
        return dict(cell for table in self.every() for cell in table.cells())


def tables(
    records: Mapping[str, Sequence[Record]],
    histories: Mapping[str, Mapping[str, Sequence[Moved]]],
    asked: StatusReport,
    fields: Mapping[str, Field],
    period: Period,
    unread: Sequence[str] = (),
) -> Tables:
    """``records`` and ``histories`` (by id) by the population they were read for; ``unread`` is what no figure
    counts."""
    found = {
        name: items(records.get(name, ()), histories.get(name, {}), population, fields, period)
        for name, population in asked.populations.items()
    }
    sections = [
        *([Section(1, UNREAD, (tuple(unread),))] if unread else ()),
        *executive(found, asked, period),
        *research(found, asked, period),
        *service(found, asked, period),
        *operations(found, asked, period),
        *backlog(found, asked, period),
        *development(found, asked, period),
    ]
    return Tables(asked.title, releases.heading(period), tuple(sections))


def executive(found: Items, asked: StatusReport, period: Period) -> Iterator[Section]:
    yield Section(1, "Executive summary")
    yield Section(2, "Agenda topics", (releases.agenda(asked, period),))
    topics = {}
    if "defects" in found:
        number = defects.active(found["defects"])
        topics["Defects"] = (number, "active production defect", "active production defects")
    if "incidents" in found:
        number = sum(1 for item in found["incidents"] if item.counts in ("new", "open"))
        topics["Incidents"] = (number, "open incident", "open incidents")
    yield Section(2, "Project status dashboard", (dashboard(topics, asked),))
    told = tuple(f"{head}: {text}" for head, text in releases.highlights(asked, period))
    outages = releases.outages(asked, period) or (NONE,)
    yield Section(2, "Highlights from the reporting period", (told,))
    yield Section(2, "Planned outages", (outages,))


def research(found: Items, asked: StatusReport, period: Period) -> Iterator[Section]:
    if "requests" in found:
        shown = (
            requests.by_status(found["requests"], asked, period),
            requests.listing(found["requests"], asked, period),
        )
        yield Section(1, asked.requests, shown)


def service(found: Items, asked: StatusReport, period: Period) -> Iterator[Section]:
    yield Section(1, "Service management")
    told: list[str] = []
    notes: list[str] = [WEEKS]
    numbers, charts = [], []
    for kind, noun, name in (("Incidents", "incident", "incidents"), ("Problems", "problem ticket", "problems")):
        if name not in found:
            continue
        done = incidents.happenings(found[name], found.get("triage", found[name]), period)
        done = done if name == "incidents" else {what: done[what] for what in ("created", "resolved")}
        told += incidents.overview(kind, noun, done, asked, period)
        numbers.append(incidents.summary(kind, done))
        notes += incidents.notes_on(asked, name)
        charted = [happened for what, happened in done.items() if what != "closed"]
        charts += [incidents.weekly(kind, happened, asked, period) for happened in charted]
    yield Section(2, "Overview", ((*told, *blind(found, asked)), *numbers))
    yield Section(2, "Help desk metrics", (tuple(dict.fromkeys(notes)), *charts))
    if "incidents" in found:
        yield from standing(found["incidents"], asked, period)


def blind(found: Items, asked: StatusReport) -> Iterator[str]:
    """What the figures cannot know."""
    unseen = sum(1 for item in found.get("triage", found.get("incidents", ())) if item.blind)
    if unseen:
        verb = "shows" if unseen == 1 else "show"
        yield f"{counted(unseen, 'incident').capitalize()} {verb} no history: when they were triaged is not known."


def standing(seen: Sequence[Item], asked: StatusReport, period: Period) -> Iterator[Section]:
    aged = (incidents.by_state_and_age(seen, asked, period), incidents.meanings(asked))
    yield Section(2, "Incidents by state and age", aged)
    fields = asked.populations["incidents"].fields
    shown = []
    if "resolution" in fields:
        shown.append(incidents.by_resolution(seen, asked, period))
    if "category" in fields:
        shown.append(incidents.by_category(seen, asked, period))
    if shown:
        yield Section(2, "Incidents by resolution code and category", tuple(shown))


def operations(found: Items, asked: StatusReport, period: Period) -> Iterator[Section]:
    yield Section(1, "Maintenance and operations", (releases.windows(asked, period),))
    if "follow_ups" in found:
        yield Section(2, "Incident follow-up", (requests.follow_ups(found["follow_ups"], period),))


def backlog(found: Items, asked: StatusReport, period: Period) -> Iterator[Section]:
    if "defects" not in found:
        return
    yield Section(1, "Production defects", (defects.backlog(found["defects"], asked, period),))
    yield Section(2, "Release schedule", (defects.by_release(found["defects"], asked, period),))


def development(found: Items, asked: StatusReport, period: Period) -> Iterator[Section]:
    if not asked.releases:
        return
    work = {kind: found[kind] for kind in releases.WORK if kind in found}
    yield Section(1, "Application development")
    deployed = releases.deployed(asked, work, period) or (NONE,)
    yield Section(2, "Releases", (deployed, releases.schedule(asked, work, period)))
    yield Section(2, "What the releases hold", (releases.numbers(asked, work, period),))
    yield Section(2, "Development status", (releases.development(asked, period),))
