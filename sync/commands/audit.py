"""Whether Lockstep is alive, and what it did not do in time."""

from __future__ import annotations

import json

import click

from sync.commands.ending import HELD, QUIET
from sync.engine import Engine
from sync.running.alive import last_end, verdict
from sync.running.audit import audit


def is_alive(engine: Engine) -> int:
    """A sentence, and 1 where no pass has ended for too long."""
    well, sentence = verdict(last_end(engine.store), engine.setup.notices.silent, engine.now())
    click.echo(sentence, err=not well)
    return QUIET if well else HELD


def audited(engine: Engine, as_json: bool) -> int:
    """What the audit found, a line each; 1 where there is any."""
    found = audit(engine)
    if as_json:
        steps = [
            {"items": o.items, "rule": o.due.rule.id, "step": o.due.step, "due": o.due.at.isoformat()}
            for o in found.steps
        ]
        stuck = [{"message": k, "kind": kind, "since": str(at), "error": e} for k, kind, at, e in found.stuck]
        refused = [{"message": k, "kind": kind, "to": to, "reason": why} for k, kind, to, why in found.refused]
        click.echo(json.dumps({"overdue": steps, "waiting": stuck, "refused": refused}, indent=2))
    else:
        click.echo("\n".join(found.lines()) or "Nothing is overdue, nothing waits, nothing was refused.")
    return QUIET if found.clean else HELD
