"""What a tick of escalation costs as links grow, with the same number of links due (goal B11).

``python -m benchmarks.escalation_tick [--due 20] [--links 1000,100000] [--ticks 15]`` lets a few incidents stall on the
simulated trackers, writes the other links straight into the state, each due some day, and makes passes in which every
stalled one fires a card. It prints the processor time of a pass and the part of it that the state took, the ratio
between the two sizes, and the statements that read a whole table. Read ratios; the other figures are the machine's.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sandbox.estate import Estate
from sandbox.story import MORNING
from sync.compose import compose
from sync.config import load
from sync.engine import Engine
from sync.log import configure
from sync.reconcile import one_pass
from sync.store import Store
from sync.store import tables as t

GROWTH = 1.2
RITA, SAM = "rita.cole", "sam.hill"
#: tables that grow with the links, each with the columns that tell one link's rows from another's
GROWING: Mapping[sa.Table, tuple[str, ...]] = {
    t.links: ("key", "source_id"),
    t.items: ("id", "key"),
    t.agreed: (),
    t.echoes: ("id",),
    t.comments: ("id", "item"),
    t.copies: ("origin_id", "target_id", "copy_id"),
    t.movements: ("event",),
    t.firings: (),
    t.intents: ("key", "item"),
    t.outbox: ("key",),
    t.names: ("id",),
}
#: rows written in one statement
CHUNK = 5_000


def rules(count: int) -> str:
    """A ladder of so many steps, an hour apart, which counts in every hour of the week."""
    head = '\n[[rules]]\nid = "tick"\nquiet = "1h"\ncalendar = { days = "Mon-Sun", hours = "00:00-24:00" }\n'
    return head + '  [[rules.steps]]\n  after = "1h"\n  teams = "triage"\n' * count


@contextmanager
def stalled(due: int, ticks: int) -> Iterator[tuple[Estate, Engine]]:
    """So many links that stall, on an engine in step with its trackers."""
    estate = Estate(MORNING)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lockstep.toml"
        text = estate.file(f"sqlite:///{folder}/state.db")
        head, _, rest = text.partition("[[rules]]")
        path.write_text(f"{head}{rules(ticks + 2)}\n[teams.triage]{rest.partition('[teams.triage]')[2]}")
        engine = compose(load(path, estate.environment()), estate.clock)
        engine.open()
        one_pass(engine)
        for number in range(due):
            given = {"short_description": f"stalled {number}", "assignment_group": "API Support"}
            more = {"category": "software", "impact": "2", "urgency": "2"}
            estate.servicenow.move(estate.servicenow.create({**given, **more}, by=SAM), "In Progress", by=RITA)
        for _ in range(6):
            estate.clock.advance(timedelta(minutes=2))
            one_pass(engine)
        yield estate, engine
        engine.store.close()
        estate.stop()


# ── the other links ──────────────────────────────────────────────────────────────────────────────────────────────────


def fill(store: Store, count: int) -> None:
    """Links like the first one, up to ``count``, due one after another from next year on."""
    with store.db.begin() as connection:
        there = int(connection.scalar(sa.select(sa.func.count()).select_from(t.links)) or 0)
        last = int(connection.scalar(sa.select(sa.func.max(t.links.c.id))) or 0)
        sample = {table: rows_of(connection, table) for table in GROWING}
        for start in range(0, count - there, CHUNK):
            numbers = range(start + 1, min(start + CHUNK, count - there) + 1)
            for table, rows in sample.items():
                made = [row_for(table, row, last + number) for number in numbers for row in rows]
                if made:
                    connection.execute(sa.insert(table), made)
        connection.exec_driver_sql("ANALYZE")


def rows_of(connection: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    """The first link's own rows of a table."""
    first = connection.scalar(sa.select(sa.func.min(t.links.c.id)))
    mine = sa.select(t.items.c.id).where(t.items.c.link == first)
    if table is t.links:
        chosen = table.c.id == first
    else:
        chosen = table.c.link == first if "link" in table.c else table.c.id.in_(mine)
    return [dict(row._mapping) for row in connection.execute(sa.select(table).where(chosen))]


def row_for(table: sa.Table, row: Mapping[str, Any], link: int) -> dict[str, Any]:
    """A row of the first link as one of another."""
    own = {name: f"{row[name]}-{link}"[-19:] if row[name] else row[name] for name in GROWING[table]}
    made = {**row, **own}
    if table is t.links:
        return {**made, "id": link, "due": MORNING + timedelta(days=365, seconds=link)}
    if table is t.intents:
        made.pop("id")
    return {**made, "link": link} if "link" in table.c else made


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Watch:
    """What the state is asked, how long it takes, and which statements read a whole table that grows."""

    seconds: float = 0.0
    begun: float = 0.0
    asked: dict[str, object] = field(default_factory=dict)

    def before(self, connection: sa.Connection, cursor: Any, text: str, given: Any, context: Any, many: bool) -> None:
        self.asked.setdefault(text, given[0] if many else given)
        self.begun = time.thread_time()

    def after(self, *told: object) -> None:
        self.seconds += time.thread_time() - self.begun


@contextmanager
def watching(store: Store) -> Iterator[Watch]:
    watch = Watch()
    for name, listener in (("before_cursor_execute", watch.before), ("after_cursor_execute", watch.after)):
        sa.event.listen(store.db.engine, name, listener)
    yield watch
    for name, listener in (("before_cursor_execute", watch.before), ("after_cursor_execute", watch.after)):
        sa.event.remove(store.db.engine, name, listener)


def scans(store: Store, asked: Mapping[str, object]) -> list[str]:
    """The statements among them that read the whole of a table that grows."""
    growing = {table.name for table in (*GROWING, t.held, t.remarks, t.ties)}
    found = []
    with store.db.begin() as connection:
        for text, given in asked.items():
            if text.split()[0] not in ("SELECT", "UPDATE", "DELETE"):
                continue
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given):  # type: ignore[arg-type]
                words = str(row[3]).split()
                if words[0] == "SCAN" and words[1] in growing and "INDEX" not in words:
                    found.append(f"{row[3]}: {' '.join(text.split())}")
    return found


@dataclass
class Cost:
    """Of passes at one size: links in all, links that fired in each, processor seconds of a pass, those that the state
    took, and statements that read a whole table."""

    links: int
    fired: int
    whole: float
    state: float
    scans: list[str]


def ticks(estate: Estate, engine: Engine, count: int) -> Cost:
    """Passes an hour apart, in each of which every stalled link fires its next step. The least of each figure counts:
    the rest is what the machine did besides."""
    whole: list[float] = []
    state: list[float] = []
    fired: set[int] = set()
    found: list[str] = []
    for _ in range(count):
        estate.clock.advance(timedelta(hours=1))
        before = len(estate.hook.cards)
        with watching(engine.store) as watch:
            begun = time.process_time()
            one_pass(engine)
            whole.append(time.process_time() - begun)
        state.append(watch.seconds)
        fired.add(len(estate.hook.cards) - before)
        found += scans(engine.store, watch.asked)
    assert len(fired) == 1, f"unlike ticks: {sorted(fired)}"
    links = engine.store.counts()["links"]
    return Cost(links, fired.pop(), min(whole), min(state), list(dict.fromkeys(found)))


def measure(due: int, sizes: Sequence[int], count: int) -> list[Cost]:
    """The cost at each size, on one state that grows."""
    costs = []
    with stalled(due, len(sizes) * (count + 1)) as (estate, engine):
        for size in sizes:
            fill(engine.store, size)
            ticks(estate, engine, 1)
            costs.append(ticks(estate, engine, count))
    return costs


def told(costs: Sequence[Cost]) -> Iterator[str]:
    """The table, the ratios, and what reads too much."""
    yield f"{'links':>9}{'fired in a pass':>18}{'pass, ms':>12}{'state, ms':>12}"
    for cost in costs:
        yield f"{cost.links:>9,}{cost.fired:>18}{cost.whole * 1000:>12.1f}{cost.state * 1000:>12.1f}"
    least, most = costs[0], costs[-1]
    yield f"ratio: pass {most.whole / least.whole:.2f}, state {most.state / least.state:.2f} (at most {GROWTH})"
    yield from (f"reads a whole table: {line}" for line in most.scans)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--due", type=int, default=20)
    parser.add_argument("--links", default="1000,100000")
    parser.add_argument("--ticks", type=int, default=15)
    given = parser.parse_args()
    configure("error")
    print(*told(measure(given.due, [int(size) for size in given.links.split(",")], given.ticks)), sep="\n")


if __name__ == "__main__":
    main()
