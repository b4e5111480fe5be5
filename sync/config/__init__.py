"""The admin's file: read once, checked whole, and turned into the ``Setup`` that everything else works from.

``load`` either gives a ``Setup`` or raises ``ConfigProblems`` with every problem at once. It needs no network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sync.config import brakes, fields, notices, people, places, reports, routes, rules, stages, status_report, talk
from sync.config.desk import Desk
from sync.config.problems import ConfigProblems, Problem, Report, explain, label
from sync.config.reading import parse, read
from sync.config.shape import shaped
from sync.config.tables.file import File
from sync.config.trials import try_rules
from sync.setup import Page, Setup

__all__ = ["ConfigProblems", "Problem", "explain", "load", "load_with_warnings", "made", "schema"]


def load(path: str | Path, environ: Mapping[str, str] | None = None) -> Setup:
    """The setup the file describes. ``environ`` is where ``{ env = ... }`` looks (default: the process's own).
    Raises ``ConfigProblems``, and nothing else, whatever the file holds."""
    return load_with_warnings(path, environ)[0]


def load_with_warnings(path: str | Path, environ: Mapping[str, str] | None = None) -> tuple[Setup, list[Problem]]:
    """As ``load``, with the warnings: the file works, but perhaps not as meant."""
    file = Path(path)
    content = read(file)
    raw, positions = parse(content, file.name)
    page = Page(file, content.decode("utf-8-sig"), os.environ if environ is None else environ)
    digest = hashlib.sha256(content + people.beside(file.absolute().parent, raw)).hexdigest()
    return made(Report(file.name, raw, positions), page, digest)


def made(report: Report, page: Page, digest: str) -> tuple[Setup, list[Problem]]:
    """The setup that the values of a report describe, with the warnings. Raises ``ConfigProblems``."""
    try:
        setup = _setup(report, page, digest)
    except RecursionError:
        raise ConfigProblems([Problem(1, 1, "", "lists or tables are nested too deeply", "", report.file)]) from None
    if report.problems or setup is None:
        raise ConfigProblems(report.problems)
    return setup, sorted(report.warnings)


def schema() -> dict[str, Any]:
    """A JSON schema of the file, for completion in editors."""
    return {"title": "Lockstep", "$schema": "https://json-schema.org/draft/2020-12/schema", **File.model_json_schema()}


def _setup(report: Report, page: Page, digest: str) -> Setup | None:
    said = shaped(report)
    if said is None:
        return None
    desk = Desk(said, report, page.path.absolute().parent, page.environ)
    desk.roster = people.roster(desk)
    ways, conditions = routes.routes(desk)
    setup = Setup(
        instance=places.instance(desk),
        state=places.state(desk),
        secrets=places.secrets(desk),
        poll=said.bot.poll,
        sweep=said.bot.sweep,
        reread=said.bot.reread,
        deletions=said.disclosure.deletions,
        siblings=said.disclosure.siblings,
        zone=desk.zone,
        calendar=places.calendar(desk),
        workers=said.bot.workers,
        guards=brakes.guards(desk),
        trackers=places.trackers(desk),
        sides=places.sides(desk),
        parties=people.with_known(places.parties(desk), desk.roster),
        roster=desk.roster,
        fallback=tuple(said.people.fallback),
        stages=stages.stages(desk),
        routes=ways,
        conditions=conditions,
        fields=fields.fields(desk),
        paths=talk.paths(desk),
        masks=talk.masks(desk),
        rules=rules.rules(desk),
        automation=frozenset(said.people.automation),
        mail=talk.mail(desk),
        teams=talk.teams(desk),
        webhooks=talk.webhooks(desk),
        notices=notices.notices(desk),
        reports=reports.reports(desk),
        status_report=status_report.status_report(desk),
        freeze=brakes.freeze(desk),
        digest=digest,
        lines=_lines(report),
        page=page,
    )
    try_rules(desk, setup)
    return setup


def _lines(report: Report) -> dict[str, int]:
    found: dict[str, int] = {}
    for path, (line, _) in report.positions.items():
        found.setdefault(label(path, report.raw), line)
    return found
