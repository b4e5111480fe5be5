"""Listings that are due: made once for each due instant, and put among the messages that go out. After a time in which
Lockstep did not run, the latest alone is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from connectors.base import Failure
from sync.engine import Engine
from sync.listing.letter import Letter, make
from sync.setup import Report


def send_due(engine: Engine, now: datetime) -> None:
    """Puts what is due among the messages that go out. A report that is new counts from now on; one whose tracker does
    not answer is tried again in the next pass."""
    for report in engine.setup.reports:
        kept = engine.store.noted(name_of(report))
        # one that is new, or went out by a clock that has been set back since
        if kept is None or datetime.fromisoformat(kept["due"]) > now:
            engine.store.note(name_of(report), {"due": now.isoformat(), "told": kept["told"] if kept else []})
            continue
        due, before = report.at.latest(now), datetime.fromisoformat(kept["due"])
        if due <= before or not reachable(engine, report):
            continue
        try:
            made = make(engine, report, due, before, kept["told"])
        except Failure as failure:
            log = structlog.get_logger()
            log.warning("report not made, tried again", action="report", report=report.id, reason=str(failure))
            continue
        put(engine, report, made.letters, f"{due:%Y-%m-%dT%H:%MZ}", now)
        engine.store.note(name_of(report), {"due": due.isoformat(), "told": list(made.told)})


def name_of(report: Report) -> str:
    """Under which the state keeps what went out."""
    return f"report {report.id}"


def reachable(engine: Engine, report: Report) -> bool:
    """Whether the tracker that is asked what was created can be asked."""
    return report.what != "created" or engine.side(report.side).tracker in engine.opened


def put(engine: Engine, report: Report, letters: Sequence[Letter], turn: str, now: datetime) -> None:
    """The messages of one turn, each of which goes out once."""
    for letter in letters:
        key = f"report:{report.id}:{turn}:{letter.name}"
        engine.store.tell(key, letter.kind, letter.to, letter.subject, letter.text, now, letter.cc)
    structlog.get_logger().info("report", action="report", report=report.id, messages=len(letters))


def as_text(letter: Letter) -> str:
    """A message as a terminal shows it."""
    copies = f"\nCc: {', '.join(letter.cc)}" if letter.cc else ""
    return f"To: {', '.join(letter.to)}{copies}\nSubject: {letter.subject}\n\n{letter.text}\n"
