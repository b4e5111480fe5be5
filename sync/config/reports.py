"""Listings that go out at their time, checked and resolved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mappings.timetable import Timetable, parse_timetable
from sync.config.desk import Desk, halves
from sync.config.keys import once
from sync.config.problems import KeyPath, choice
from sync.config.recipients import recipients
from sync.config.tables.reports import ReportMail, ReportTable
from sync.setup import Mailing, Report

#: columns beside fields and sides
COLUMNS = ("key", "title", "state", "stage", "created", "url")
#: columns where the file names none
SHOWN = ("key", "title", "stage", "created")
EXAMPLES = 'write "{side}s created between 14 and 7 days ago", "movement of links" or "movement of watched links"'

_CREATED = re.compile(r"(?P<side>.+?)\s+created\s+between\s+(?P<since>\d{1,4})\s+and\s+(?P<until>\d{1,4})\s+days\s+ago")
_MOVED = re.compile(r"movement\s+of\s+(?P<watched>watched\s+)?links")


@dataclass(frozen=True, slots=True)
class What:
    """What a listing is of; ``kind`` is empty where that could not be told."""

    kind: str = ""
    side: str = ""
    since: int = 0
    until: int = 0


def reports(desk: Desk) -> tuple[Report, ...]:
    """Every listing of the file."""
    once(desk, "reports", "id", [said.id for said in desk.file.reports])
    made = (report(desk, ("reports", place), said) for place, said in enumerate(desk.file.reports))
    return tuple(one for one in made if one)


def report(desk: Desk, at: KeyPath, said: ReportTable) -> Report | None:
    what, due = what_of(desk, (*at, "what"), said.what), timetable(desk, (*at, "at"), said.at)
    condition = desk.condition(said.when, (*at, "when"))
    for place, name in enumerate(said.show):
        column(desk, (*at, "show", place), name)
    reached(desk, at, said, what)
    mailing = mail(desk, (*at, "email"), said.email, what) if said.email else None
    if due is None or not what.kind:
        return None
    shown = tuple(said.show) or SHOWN
    return Report(said.id, what.kind, due, condition, what.side, what.since, what.until, shown, mailing, said.teams)


def what_of(desk: Desk, at: KeyPath, text: str) -> What:
    """The words of ``what``, in singular or plural."""
    if moved := _MOVED.fullmatch(text.strip()):
        return What("watched" if moved["watched"] else "moved")
    found = _CREATED.fullmatch(text.strip())
    sides = desk.names["sides"]
    if found is None:
        desk.report.wrong(at, f'"{text}" is nothing that can be listed', EXAMPLES.format(side=(*sides, "item")[0]))
        return What()
    side = next((one for one in sides if found["side"] in (one, f"{one}s", f"{one}es")), "")
    since, until = int(found["since"]), int(found["until"])
    if not side:
        desk.report.wrong(at, f'there is no side "{found["side"]}"', choice(found["side"], sides, "sides"))
    if since <= until:
        instead = f'write "{side or "item"}s created between {until + (since == until)} and {since} days ago"'
        desk.report.wrong(at, "the earlier day comes first", instead)
    return What("created" if side and since > until else "", side, since, until)


def timetable(desk: Desk, at: KeyPath, text: str) -> Timetable | None:
    try:
        return parse_timetable(text, desk.zone)
    except ValueError as failure:
        desk.report.wrong(at, *halves(failure))
        return None


def column(desk: Desk, at: KeyPath, name: str) -> None:
    known = (*COLUMNS, *desk.names["sides"], *desk.names["fields"])
    if name not in known:
        desk.report.wrong(at, f'there is no field, side or column "{name}"', choice(name, known, "columns"))


def reached(desk: Desk, at: KeyPath, said: ReportTable, what: What) -> None:
    """It goes to somebody."""
    if said.teams:
        desk.known("teams", said.teams, (*at, "teams"))
    if not said.email and not said.teams:
        desk.report.wrong(at, "this listing goes to nobody", 'write email = { to = ["..."], subject = "..." } or teams')
    elif said.email and not said.email.to and what.kind in ("created", "moved"):
        desk.report.wrong((*at, "email", "to"), "is missing", 'write to = ["..."]')


def mail(desk: Desk, at: KeyPath, said: ReportMail, what: What) -> Mailing:
    if "mail" not in desk.report.raw:
        desk.report.wrong(at, "there is no mail server", "write [mail] with server and sender")
    if said.cc and what.kind == "watched":
        instead = "name everybody in to"
        desk.report.wrong((*at, "cc"), "everybody gets a listing of their own, so that there is no copy", instead)
    to, cc = (readers(desk, (*at, key), words) for key, words in (("to", said.to), ("cc", said.cc)))
    return Mailing(to, cc, said.subject, said.text)


def readers(desk: Desk, at: KeyPath, words: Sequence[str]) -> tuple[str, ...]:
    """Recipients who are known without a field."""
    asking = [place for place, text in enumerate(words) if "{" in text]
    for place in asking:
        wrong = "a listing is of many items, so that a field tells nobody"
        desk.report.wrong((*at, place), wrong, "name an address, a party, a role or a person")
    return recipients(desk, at, words) if not asking else ()
