"""First contact with a live estate: how what people paired by hand is found, what it costs, and what it leaves alone.

``python -m benchmarks.first_contact [--scale 1.0]`` builds 5,000 incidents, 3,000 defects and 2,000 PBIs, 60 % of the
defects and of the PBIs paired by hand in five ways, three quarters of everything older than the routes' ``since``. It
plans, lets the young be paired, approves the rest by a plan file, runs until it is quiet, loses the state and runs
again; then it counts in the trackers' own records.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.bulk import unswept
from sandbox.estate import Estate
from sync.approval.approve import carry_out, draft
from sync.approval.planfile import Document
from sync.compose import compose, mismatches
from sync.config import load
from sync.engine import Engine
from sync.joining.match import MATCH
from sync.joining.tally import Tally, rows
from sync.log import configure
from sync.plan import Plan
from sync.reconcile import Pass, one_pass
from sync.rehearse import dry
from sync.show import sentence
from sync.state import LinkState

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
INCIDENTS, DEFECTS, PBIS = 5_000, 3_000, 2_000
SAM, ANA, CHEN = "sam.hill", "Ana Ruiz", "Chen Wei"
#: what people fill in, and how it is found again; an incident names its defect, or is named by it
WAYS = ("number in a field", "number in a text", "address in a text", "address from the incident")
READS = ("/oauth", "/search/jql", "/bulkfetch", "/wiql", "/workitemsbatch", "/reporting/")
#: what the marks take on each tracker, and what moves with any write
MARKS = {
    "servicenow": {"correlation_display", "correlation_id", "sys_mod_count", "sys_updated_on", "sys_updated_by"},
    "jira": {"labels", "customfield_10045", "updated"},
    "azure": {"System.Tags", "System.Rev", "System.ChangedDate", "System.ChangedBy", "System.RevisedDate"}
    | {"System.Watermark", "System.AuthorizedDate", "System.AuthorizedAs", "System.PersonId", "System.HyperLinkCount"},
}
FIELDS = """
[fields.incident_number]
incident  = "number"
defect    = "customfield_10040"
owner     = "incident"
exclusive = true
[fields.see_also]
incident = "business_impact"
[fields.hyperlinks]
type = "list"
pbi  = "Hyperlinks"

[[comments]]"""


@dataclass
class Truth:
    """What people made: pairs by item, the incidents that have two defects, those that another system marked, and how
    many stand alone and fit the route."""

    defects: dict[str, str] = field(default_factory=dict)
    pbis: dict[str, str] = field(default_factory=dict)
    ambiguous: dict[str, tuple[str, str]] = field(default_factory=dict)
    occupied: dict[str, str] = field(default_factory=dict)
    to_open: int = 0


@dataclass
class Report:
    """What came of it. ``overwritten`` names each field of a person's item that changed beside its mark."""

    tally: Tally
    pairs: int = 0
    linked: int = 0
    missed: list[str] = field(default_factory=list)
    duplicates: int = 0
    overwritten: list[str] = field(default_factory=list)
    carried: int = 0
    ambiguous: int = 0
    held_ambiguous: int = 0
    occupied: int = 0
    held_occupied: int = 0
    opened: int = 0
    to_open: int = 0
    steps: dict[str, tuple[float, int, int]] = field(default_factory=dict)


# ── the estate ───────────────────────────────────────────────────────────────────────────────────────────────────────


def edited(text: str, since: datetime) -> str:
    """The demo's file as an admin edits it for first contact."""
    when = f"since = {since:%Y-%m-%dT%H:%M:%SZ}\n"
    match = 'match = ["incident_number", "see_also", "description"]\n'
    text = text.replace('open = "defect"\n', f'open = "defect"\n{match}{when}', 1)
    text = text.replace('open = "pbi"\n', f'open = "pbi"\nmatch = ["hyperlinks", "description"]\n{when}', 1)
    text = text.replace('type    = "Bug"\n', 'type    = "Bug"\nkeys_field = "customfield_10045"\n', 1)
    text = text.replace("workers  = 1\n", "workers  = 1\n[guard]\nwrites = 0\n", 1)
    return text.replace("\n[[comments]]", FIELDS, 1)


def build(estate: Estate, scale: float) -> tuple[Truth, datetime]:
    """The estate, three quarters of it a day older than the rest: what is true of it, and the instant between."""
    truth = Truth()
    snow = estate.servicenow
    snow.comment(snow.create({"short_description": "long ago"}, SAM, "problem"), "long said", SAM)
    with unswept():
        phase(estate, truth, scale * 0.75, young=False)
        estate.clock.advance(timedelta(days=1))
        since = estate.clock.now()
        estate.clock.advance(timedelta(minutes=1))
        phase(estate, truth, scale * 0.25, young=True)
    estate.clock.advance(timedelta(minutes=10))
    return truth, since


def phase(estate: Estate, truth: Truth, scale: float, *, young: bool) -> None:
    """A part of the estate. Of the defects 60 % are paired with an incident, and of the PBIs 60 % with a defect."""
    incidents, defects, pbis = (round(count * scale) for count in (INCIDENTS, DEFECTS, PBIS))
    pairs, unclear = round(defects * 0.6), max(1, round(defects * 0.01))
    foreign = max(1, round(defects * 0.005))
    paired = [pair(estate, truth, n) for n in range(pairs)]
    for n in range(foreign):
        occupied(estate, truth, n)
    for n in range(unclear):
        ambiguous(estate, truth, n)
    lone = [defect(estate, f"lone defect {n}") for n in range(defects - pairs - 2 * unclear - foreign)]
    strays = max(1, round(incidents * 0.005))
    for n in range(strays):
        task = estate.jira.create({"summary": f"a task {n}", "issuetype": "Task"}, ANA)
        incident(estate, f"names a task {n}", business_impact=f"see {estate.jira.item(task)['key']}", state="New")
    fitting = max(1, round(incidents * 0.01))
    truth.to_open += fitting if young else 0
    for n in range(incidents - pairs - unclear - foreign - strays):
        incident(estate, f"incident {n}", state="In Progress" if n < fitting else "New")
    for n in range(round(pbis * 0.6)):
        hang(estate, truth, [*paired, *lone][n], n)
    for n in range(pbis - round(pbis * 0.6)):
        estate.azure.create({"System.Title": f"lone item {n}"}, CHEN)


def incident(estate: Estate, title: str, **fields: str) -> str:
    given = {"short_description": title, "description": f"{title}, as the county reported it", "state": "In Progress"}
    more = {"assignment_group": "API Support", "impact": "2", "urgency": "2", "category": "software"}
    return estate.servicenow.create({**given, **more, **fields}, SAM)


def defect(estate: Estate, title: str, **fields: Any) -> str:
    given = {"summary": title, "description": f"{title}, as developers see it", "priority": "High"}
    return estate.jira.create({**given, **fields}, ANA)


def pair(estate: Estate, truth: Truth, n: int) -> str:
    """An incident and a defect of different words, one of which names the other. Some have been talked about."""
    way = WAYS[n % len(WAYS)]
    if way == "address from the incident":
        made = defect(estate, f"defect {n}")
        key = estate.jira.item(made)["key"]
        named = f"{estate.urls['jira']}/browse/{key}" if n % 8 < 4 else f"tracked as {key}"
        source = incident(estate, f"the page fails {n}", business_impact=named)
    else:
        source = incident(estate, f"the page fails {n}")
        number = estate.servicenow.item(source)["number"]
        address = f"{estate.urls['servicenow']}/nav_to.do?uri=incident.do%3Fsys_id%3D{source}"
        fields = {
            "number in a field": {"customfield_10040": number},
            "number in a text": {"description": f"Reported as {number} by the county, see there {n}"},
            "address in a text": {"description": f"From [the incident|{address}], variant {n}"},
        }[way]
        made = defect(estate, f"defect {n}", **fields)
    if n % 20 == 0:
        estate.servicenow.comment(source, f"said before {n}", SAM)
        estate.jira.comment(made, f"noted before {n}", ANA)
    truth.defects[source] = made
    return made


def ambiguous(estate: Estate, truth: Truth, n: int) -> None:
    source = incident(estate, f"two defects {n}")
    number = estate.servicenow.item(source)["number"]
    made = [defect(estate, f"twin {n} {part}", customfield_10040=number) for part in (1, 2)]
    truth.ambiguous[source] = (made[0], made[1])


def occupied(estate: Estate, truth: Truth, n: int) -> None:
    source = incident(estate, f"another system's {n}", correlation_display="OtherTool", correlation_id=f"OT-{n}")
    number = estate.servicenow.item(source)["number"]
    truth.occupied[source] = defect(estate, f"another system's {n}", customfield_10040=number)


def hang(estate: Estate, truth: Truth, made: str, n: int) -> None:
    """A PBI that developers made for a defect, by a hyperlink or by its number in the description."""
    labels = [*estate.jira.item(made)["labels"], "dev"]
    estate.jira.update(made, {"labels": labels}, ANA)
    key = estate.jira.item(made)["key"]
    if n % 2:
        item = estate.azure.create(
            {"System.Title": f"fix {n}", "System.Description": f"<p>for {key}, part {n}</p>"}, CHEN
        )
    else:
        item = estate.azure.create({"System.Title": f"fix {n}"}, CHEN)
        estate.azure.link(item, "Hyperlink", f"{estate.urls['jira']}/browse/{key}", CHEN)
    truth.pbis[made] = item


# ── the bot ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def started(estate: Estate, folder: Path, since: datetime) -> Engine:
    """An engine on the state in ``folder``."""
    path = folder / "lockstep.toml"
    path.write_text(edited(estate.file(f"sqlite:///{folder / 'lockstep.db'}"), since))
    engine = compose(load(path, estate.environment()), estate.clock)
    engine.open()
    assert mismatches(engine) == []
    return engine


def settled(engine: Engine, estate: Estate, limit: int = 12) -> list[Pass]:
    """Passes until one is quiet."""
    passes: list[Pass] = []
    for _ in range(limit):
        passes.append(one_pass(engine))
        if passes[-1].quiet:
            return passes
        estate.clock.advance(timedelta(minutes=1))
    raise RuntimeError(f"not quiet after {limit} passes")


def drafted(engine: Engine, kinds: set[str]) -> Document:
    """What waits for a person, as a plan file has it."""

    def words(plan: Plan) -> list[dict[str, str]]:
        return [{"kind": type(a).__name__.lower(), "what": sentence(a, plan.keys)} for a in plan.actions]

    return draft(engine, kinds, words)[0]


@contextmanager
def step(report: Report, estate: Estate, name: str) -> Iterator[None]:
    """Notes seconds, calls and writes of a step."""
    before, begun = len(estate.log.entries), time.perf_counter()
    yield
    entries = estate.log.entries[before:]
    asked = [entry for entry in entries if entry.method not in ("GET", "OPTIONS")]
    sent = [entry for entry in asked if not any(read in entry.path.lower() for read in READS)]
    report.steps[name] = (time.perf_counter() - begun, len(entries), len(sent))


def contact(estate: Estate, truth: Truth, since: datetime, folder: Path) -> Report:
    """The whole course: planned, paired, approved, quiet; then once more without the state."""
    before = everything(estate)
    engine = started(estate, folder, since)
    report = Report(Tally())
    with step(report, estate, "plan"):
        report.tally = dry(engine).tally
    with step(report, estate, "passes: what is young"):
        settled(engine, estate)
    for round in range(1, 6):
        with step(report, estate, f"plan --out, {round}"):
            document = drafted(engine, {"adopt", "join"})
        if not document.entries:
            break
        with step(report, estate, f"apply, {round}"):
            carry_out(engine, document, "the benchmark")
        with step(report, estate, f"passes after it, {round}"):
            settled(engine, estate)
    look(report, engine, estate, truth, before)
    engine.close()
    for file in folder.glob("lockstep.db*"):
        file.unlink()
    engine = started(estate, folder, since)
    with step(report, estate, "the state deleted: passes"):
        settled(engine, estate)
    compare(report, engine, estate, truth, before)
    engine.close()
    return report


# ── what the trackers say ────────────────────────────────────────────────────────────────────────────────────────────


def everything(estate: Estate) -> dict[tuple[str, str], dict[str, Any]]:
    """Every item as it is."""
    trackers: Mapping[str, Any] = {"servicenow": estate.servicenow, "jira": estate.jira, "azure": estate.azure}
    return {(name, id): dict(tracker.item(id)) for name, tracker in trackers.items() for id in tracker.ids()}


def look(report: Report, engine: Engine, estate: Estate, truth: Truth, before: Mapping[Any, Any]) -> None:
    """What was linked, opened and held."""
    compare(report, engine, estate, truth, before)
    held = {h.ref.id: h.reason for h, _ in engine.store.held() if h.what == MATCH}
    keys = {id: str(estate.jira.item(id)["key"]) for id in estate.jira.ids()}
    report.ambiguous, report.occupied = len(truth.ambiguous), len(truth.occupied)
    report.held_ambiguous = sum(
        all(keys[one] in held.get(id, "") for one in two) for id, two in truth.ambiguous.items()
    )
    report.held_occupied = sum(keys[made] in held.get(id, "") for id, made in truth.occupied.items())


def compare(report: Report, engine: Engine, estate: Estate, truth: Truth, before: Mapping[Any, Any]) -> None:
    """The trackers' own records against what they were, and the links against what is true."""
    place: dict[str, LinkState] = {item.ref.id: link for link in engine.store.links() for item in link.items}
    pairs = [*truth.defects.items(), *truth.pbis.items()]
    report.pairs, report.to_open = len(pairs), truth.to_open
    report.missed = [
        f"{one}, {other}" for one, other in pairs if one not in place or place[one] is not place.get(other)
    ]
    report.linked = len(pairs) - len(report.missed)
    after = everything(estate)
    made = Counter(name for name, id in after if (name, id) not in before)
    report.opened = made["jira"]
    report.duplicates = sum(made.values()) - truth.to_open
    report.overwritten = [
        f"{name} {id}: {what}"
        for (name, id), was in before.items()
        for what in set(was) | set(after[name, id])
        if was.get(what) != after[name, id].get(what) and what not in MARKS[name]
    ]
    report.overwritten += foreign_marks(before, after)
    talked = [comment for id in truth.defects for comment in estate.servicenow.comments(id)]
    talked += [comment for id in truth.defects.values() for comment in estate.jira.comments(id)]
    report.carried = sum("lockstep" in comment["text"] for comment in talked)


def foreign_marks(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[str]:
    """Texts of people and other systems in fields that the marks use, and that did not stay."""
    found = []
    for (name, id), was in before.items():
        now = after[name, id]
        if name == "servicenow" and was.get("correlation_id") and was["correlation_id"] != now.get("correlation_id"):
            found.append(f"{id}: correlation_id")
        if name == "jira" and not set(was["labels"] or ()) <= set(now["labels"] or ()):
            found.append(f"{id}: labels")
        if name == "azure" and not words(was.get("System.Tags")) <= words(now.get("System.Tags")):
            found.append(f"{id}: tags")
    return found


def words(tags: str | None) -> set[str]:
    return set(filter(None, re.split(r";\s*", tags or "")))


def run(folder: Path, scale: float) -> Report:
    """Builds the estate and makes contact."""
    estate = Estate(START)
    try:
        truth, since = build(estate, scale)
        return contact(estate, truth, since, folder)
    finally:
        estate.stop()


def told(report: Report) -> Iterator[str]:
    """The report as lines."""
    yield f"{'found by':<44}{'paired':>8}{'waiting':>9}"
    for how, paired, waiting in rows(report.tally):
        yield f"{how:<44}{paired:>8,}{waiting:>9,}"
    yield f"\n{'step':<34}{'seconds':>9}{'calls':>9}{'writes':>9}"
    for name, (seconds, calls, sent) in report.steps.items():
        yield f"{name:<34}{seconds:>9.1f}{calls:>9,}{sent:>9,}"
    yield f"\ntrue pairs linked      {report.linked:,} of {report.pairs:,}"
    yield f"ambiguous, held        {report.held_ambiguous:,} of {report.ambiguous:,}"
    yield f"occupied, held         {report.held_occupied:,} of {report.occupied:,}"
    yield f"opened                 {report.opened:,} of {report.to_open:,} that had none"
    yield f"duplicates             {report.duplicates:,}"
    yield f"overwritten fields     {len(report.overwritten):,}"
    yield f"old comments carried   {report.carried:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description="First contact with a live estate.")
    parser.add_argument("--scale", type=float, default=1.0, help="1: 5,000 incidents, 3,000 defects, 2,000 PBIs")
    scale = parser.parse_args().scale
    configure("error")
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(told(run(Path(folder), scale))))


if __name__ == "__main__":
    main()
