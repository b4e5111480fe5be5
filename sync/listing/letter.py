"""The messages that a listing makes: to whom, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mappings.calendar import zone_of
from mappings.timetable import told_days
from sync.engine import Engine
from sync.escalation.recipients import addressed
from sync.listing.entry import Entry
from sync.listing.gather import created, event_of, fits, links_entries, moved
from sync.listing.moves import reached
from sync.listing.page import page
from sync.setup import Report

#: how far back a listing looks for what was noticed too late for the one before
LATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message. ``name`` tells it from the others of the same listing, ``kind`` is email or teams."""

    name: str
    kind: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Made:
    """A listing that was made: its messages, and which of the last movements it told of."""

    letters: tuple[Letter, ...]
    told: tuple[str, ...] = field(default=())


def make(engine: Engine, report: Report, due: datetime, since: datetime, told: Sequence[str] = ()) -> Made:
    """The listing as it is due. ``since`` is when it was due before, ``told`` what that one told of late. A listing
    of movement makes no message where nothing moved. Raises ``Failure`` where what was created cannot be asked."""
    if report.what == "created":
        return Made(tuple(of_created(engine, report, due)))
    found = moved(engine, since, due, told, since - LATE if told else None)
    pairs = list(found.values())
    entries = links_entries(engine, report, pairs)
    make_letters = of_watched if report.what == "watched" else of_moved
    late = tuple(event_of(link, m) for link, some in pairs for m in some if m.at > due - LATE)
    return Made(tuple(make_letters(engine, report, entries, span(engine, since, due))), late)


def of_created(engine: Engine, report: Report, due: datetime) -> list[Letter]:
    since, until = (report.at.midnight(due, days) for days in (report.since, report.until))
    summary = f"{report.side}s created {told_days(since, until, report.at.zone)}"
    return everybody(engine, report, created(engine, report, since, until), summary)


def of_moved(engine: Engine, report: Report, entries: Sequence[Entry], when: str) -> list[Letter]:
    wanted = [entry for entry in entries if fits(engine, report, entry)]
    return everybody(engine, report, wanted, f"links that moved {when}") if wanted else []


def everybody(engine: Engine, report: Report, entries: Sequence[Entry], summary: str) -> list[Letter]:
    """One mail to all, and one card."""
    text, letters = page(engine.setup, report, entries, summary), []
    if report.email:
        to = addressed(engine.setup, {}, report.email.to, report.email.cc)
        body = "\n".join([text, *(f"\nNobody was found for {one}." for one in to.astray)])
        letters.append(Letter("email", "email", to.to, to.cc, report.email.subject, body))
    return [*letters, *card(report, text, summary)]


def card(report: Report, text: str, summary: str) -> list[Letter]:
    subject = report.email.subject if report.email else summary
    return [Letter("teams", "teams", (report.teams,), (), subject, text)] if report.teams else []


def of_watched(engine: Engine, report: Report, entries: Sequence[Entry], when: str) -> list[Letter]:
    """A mail of their own for everybody who watches one of the links, or is named and hears of all that are marked."""
    setup = engine.setup
    watching = {id(entry): reached(setup, entry.link.movements) for entry in entries if entry.link is not None}
    marked = [e for e in entries if (watching.get(id(e)) if report.when is None else fits(engine, report, e))]
    wanted: dict[str, list[Entry]] = {}
    to = addressed(setup, {}, report.email.to) if report.email and report.email.to else None
    named, outside = (*to.to, *to.cc) if to else (), set[str]()
    for address in named:
        wanted[address] = list(marked)
    for entry in entries:
        for address, asks in watching.get(id(entry), {}).items():
            mine = wanted.setdefault(address, [])
            mine += [] if entry in mine else [entry]
            outside |= {address} if asks and address not in named else set()
    summary = f"links you watch that moved {when}"
    letters = [
        Letter(
            one, "email", (one,), (), report.email.subject, page(setup, report, mine, summary, outside=one in outside)
        )
        for one, mine in wanted.items()
        if mine and report.email
    ]
    return [*letters, *(card(report, page(setup, report, marked, summary), summary) if marked else ())]


def span(engine: Engine, since: datetime, due: datetime) -> str:
    """From when to when, on the wall of the file's zone."""
    zone = zone_of(engine.setup.zone)
    begin, end = (at.astimezone(zone) for at in (since, due))
    return f"from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
