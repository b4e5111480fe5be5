"""Lays a first file out: what was answered and read, what was guessed and said to be so, and examples to be opened.
Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from connectors.description import Description
from sync.interview.answers import Answers
from sync.interview.draft import GUESSED, Draft
from sync.interview.fields import propose_fields
from sync.interview.meanings import fields, routes, stages
from sync.interview.places import parties, sides, trackers
from sync.interview.stages import propose_stages
from sync.interview.talk import comments, rules
from sync.interview.toml import table, text


def page(answers: Answers, told: Mapping[str, Description], today: date, name: str) -> str:
    """The whole file as text. It passes ``check`` wherever its secrets are set."""
    items = {side.name: told[side.tracker].items[side.name] for side in answers.sides}
    proposed, left = propose_stages(items)
    draft = Draft(answers, told, proposed, left, propose_fields(items), today)
    parts = [head(name), bot(draft), trackers(draft), sides(draft), parties(draft)]
    parts += [stages(draft), routes(draft), fields(draft), comments(draft), rules(draft)]
    return "\n".join(line for part in parts for line in part) + "\n"


def head(name: str) -> Iterator[str]:
    yield "# Lockstep's configuration: a beginning, made from what your trackers say of themselves."
    yield f"# What was guessed is marked `{GUESSED}`. A line that begins with # and no blank is an example: take"
    yield "# the # away to use it. Secrets never stand in this file. Every key there is: config.example.toml. Next"
    yield "# (where Lockstep is not installed, `lockstep` is `python bot.py`):"
    yield "#"
    yield f"#   lockstep check  -c {name}     reads this file, tells every slip"
    yield f"#   lockstep doctor -c {name}     compares it with your trackers; writes nothing"
    yield f"#   lockstep plan   -c {name}     shows what would be done, and why; writes nothing"
    yield f"#   lockstep run    -c {name}     does it, and goes on"
    yield ""


def bot(draft: Draft) -> Iterator[str]:
    yield "[bot]"
    yield from table(
        [
            ("instance", text(draft.answers.instance), "part of every mark: a cloned tracker is never mistaken"),
            ("secret", '{ env = "LOCKSTEP_SECRET" }', "signs copied comments; make one up, and keep it safe"),
            ("timezone", text(draft.answers.zone), "the zone of every time in this file"),
        ]
    )
    yield '#calendar = { days = "Mon-Fri", hours = "08:00-17:00", holidays = "US" }   # else every hour counts'
