"""The comparison of the admin's file with what its trackers said of themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.description import Items
from sync.doctor.account import examine_account
from sync.doctor.fields import examine_fields
from sync.doctor.findings import Finding, Report, Side, found, known
from sync.doctor.states import examine_states
from sync.doctor.talk import examine_talk
from sync.fit import OpeningProblem, compare, misfits
from sync.setup import Setup


def examine(setup: Setup, reports: Mapping[str, Report]) -> tuple[Finding, ...]:
    """Every finding, those of the file first, then tracker by tracker in the file's order, the gravest first."""
    sides = {
        side.name: Side(setup, side.name, items)
        for side in setup.sides.values()
        if (items := items_of(reports.get(side.tracker), side.name)) is not None
    }
    every = list(examine_settings(setup))
    for tracker, report in reports.items():
        every += [*examine_report(setup, tracker, report), *examine_names(setup, tracker, report)]
    for side in sides.values():
        every += [*examine_states(side), *examine_fields(side)]
    every += examine_talk(sides)
    order = ["", *setup.trackers]
    return tuple(sorted(dict.fromkeys(every), key=lambda one: (order.index(one.tracker), one.rank)))


def items_of(report: Report | None, side: str) -> Items | None:
    description = report.description if report else None
    return description.items.get(side) if description else None


def examine_settings(setup: Setup) -> Iterator[Finding]:
    """Settings that are allowed, and unsafe."""
    if setup.guards.writes == 0:
        what = "a pass may write as often as it likes: a slip in this file could change every item"
        yield found(setup, "", "warning", what, "write writes = 1000, or what a busy day takes", "guard.writes")
    if setup.mail and setup.mail.password and setup.mail.server.startswith("smtp://"):
        what = "the mail server's password, and every mail, go over the network in the clear"
        yield found(setup, "", "warning", what, "write smtps:// or smtp+starttls://", "mail.server", "mail")


def examine_report(setup: Setup, tracker: str, report: Report) -> Iterator[Finding]:
    told = report.description
    if report.failure:
        what = f"nothing could be checked: {report.failure}"
        key, instead = at_fault(setup, tracker, report.reason)
        yield found(setup, tracker, "unknown" if report.reason == "down" else "error", what, instead, *key)
    if report.partly:
        yield found(setup, tracker, "unknown", report.partly, "", f"trackers.{tracker}")
    if told is not None:
        yield from examine_account(setup, tracker, told)


def at_fault(setup: Setup, tracker: str, reason: str) -> tuple[tuple[str, str], str]:
    """What in the file keeps a tracker from being asked, and what to do."""
    table = f"trackers.{tracker}"
    if reason == "locked out":
        return (f"{table}.auth", table), ""
    url = setup.trackers[tracker].url
    instead = compare(url) if reason == "refused" else ""
    return (f"{table}.url", table), instead


def examine_names(setup: Setup, tracker: str, report: Report) -> Iterator[Finding]:
    """Names that the tracker does not know, and what its connector found when it opened: a file with any of these does
    not start."""
    items = report.description.items if report.description else {}
    problems = [problem for problem in report.problems if not told_better(report, problem)]
    for one in misfits(setup, problems, {side: known(told) for side, told in items.items()}):
        yield Finding(tracker, "error", one.line, one.path, one.what, one.instead)


def told_better(report: Report, problem: OpeningProblem) -> bool:
    """A problem without a name that a missing right explains: rights are told by their exact names."""
    told, (side, name, _) = report.description, problem
    if name or told is None or side not in told.items:
        return False
    return any(right.wanted and right.held is False and right.side in (side, "") for right in told.rights)
