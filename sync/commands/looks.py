"""Where the work stands, why an item is as it is, what is held, and what speaks of something."""

from __future__ import annotations

import json
from typing import Any

import click

from mappings.words import search_words
from sync import show
from sync.commands.ending import HELD, QUIET, UNREACHABLE, USAGE, fail
from sync.edits.effects import edit_json, edit_lines
from sync.engine import Engine
from sync.find import find, requester_field
from sync.freezing.brake import told_frozen
from sync.joining.lost import told_found
from sync.rehearse import dry_links
from sync.show import board, status
from sync.show import find as found
from sync.state import Held

#: what some of the counts are called for people
COUNTED = {"dirty": "to look at", "copies": "copies of comments"}
#: and what one of them is called
ONE = {"links": "link", "items": "item", "copies": "copy of a comment"}


def counted(name: str, count: int) -> str:
    return f"{count} {(ONE if count == 1 else COUNTED).get(name, COUNTED.get(name, name))}"


def show_board(
    engine: Engine,
    as_json: bool,
    everything: bool,
    frozen: list[str],
    *,
    by: str,
    party: str,
    stage: str,
    over: str,
    rows: int,
) -> None:
    """The board and the links on it, as far as they were asked for."""
    now, setup = engine.now(), engine.setup
    try:
        wanted = board.Narrowed.of(setup, party, stage, over)
    except ValueError as wrong:
        fail(str(wrong), USAGE)
    everywhere = [board.standing(setup, link, now) for link in engine.store.links() if everything or not link.closed]
    standings = board.worst_first(one for one in everywhere if wanted.takes(one))
    groups = board.board([one for one in standings if not one.link.closed], by)
    counts = engine.store.counts()
    if as_json:
        told: dict[str, Any] = {"counts": counts, "frozen": frozen, "edit": edit_json(engine.edit)}
        told["found_again"] = told_found(engine)
        told["board"] = [status.row_json(row, by) for row in groups]
        told["links"] = [status.standing_json(one) for one in standings]
        click.echo(json.dumps(told, indent=2))
        return
    out = show.console()
    narrow = bool(party or stage or over)
    out.print(status.board_table(groups, by, now, narrowed=narrow))
    if standings:
        first, reach = standings[:rows], status.counts_of(setup)
        table = status.links_table(first, list(setup.sides), now, len(standings), narrowed=narrow, counted=reach)
        out.print("", table)
    out.print("", ", ".join(counted(name, count) for name, count in counts.items()), sep="\n")
    for line in (*frozen, *edit_lines(engine.edit)):
        out.print(line, style="red", markup=False)
    for line in told_found(engine):
        out.print(line, style="yellow", markup=False)


def show_findings(engine: Engine, text: str, limit: int, as_json: bool) -> int:
    """What was found; 3 where a tracker could not be asked: the others answered."""
    if not search_words(text):
        fail(f"{text!r} holds no word to look for", USAGE)
    findings = find(engine, text, limit)
    declared = requester_field(engine.setup)
    if as_json:
        click.echo(json.dumps(found.findings_json(findings, declared.name if declared else "items"), indent=2))
    else:
        counted = f"touches ({declared.name})" if declared else "touches (items)"
        show.console().print(found.findings_text(findings, text, counted, engine.now()))
    for failure in findings.failures.values():
        click.echo(str(failure), err=True)
    return UNREACHABLE if findings.failures else QUIET


def show_why(engine: Engine, item: str) -> None:
    """Every link or single item of that key: what a pass would do with it and why. Raises ``click.ClickException``
    where none is known."""
    links = engine.store.find(item)
    if not links:
        help_ = "Is the scope of its side right?" if engine.store.lasting else "No pass has run yet; see lockstep plan."
        raise click.ClickException(f"{item} is unknown: neither in the scope of a side nor linked. {help_}")
    plans = {plan.key: plan for plan in dry_links(engine, links)}
    for link in links:
        show.console().print(show.why_text(engine, link, plans.get(link.key)))
    for line in told_frozen(engine):
        click.echo(line, err=True)


def show_held(engine: Engine, item: str, as_json: bool) -> int:
    """What is set aside, of one item or of all, and the mails that did not go; 1 where there is any."""
    everything = engine.store.held()
    rows = [(h, key) for h, key in everything if item.casefold() in ("", key.casefold(), h.ref.id.casefold())]
    unsent = [] if item else engine.store.unsent()
    if as_json:
        told = [held_json(held, key) for held, key in rows]
        click.echo(json.dumps({"held": told, "unsent": unsent}, indent=2))
    else:
        show.console().print(show.held_table(rows, unsent))
    return HELD if rows or unsent else QUIET


def held_json(held: Held, key: str) -> dict[str, Any]:
    """Something set aside, for programs; times are ISO 8601, ``retry`` is missing where only a change helps."""
    told = {"item": key, "what": held.what, "reason": held.reason, "advice": held.advice, "since": str(held.since)}
    instants = {"tried": held.tried, "retry": held.retry}
    return {**told, "tries": held.tries, **{name: at.isoformat() for name, at in instants.items() if at}}
