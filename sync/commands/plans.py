"""What waits and what would be done, shown; plan files, written and approved."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sync import show
from sync.approval.approve import draft
from sync.approval.planfile import PlanFileBroken, as_text, read
from sync.commands.ending import QUIET, UNREACHABLE, USAGE, fail, program
from sync.edits.edit import at_once
from sync.edits.effects import at_once_text, edit_text
from sync.engine import Engine
from sync.freezing.brake import told_frozen
from sync.rehearse import dry
from sync.show.plan import document_text, words
from sync.show.tally import tally_json, tally_text


def show_plan(engine: Engine, as_json: bool, *, everything: bool = False) -> int:
    done = dry(engine, everything=everything)
    if as_json:
        click.echo(json.dumps([*show.plan_json(done.plans), *tally_json(done.tally)], indent=2))
    else:
        if engine.edit and engine.trial:
            show.console().print(edit_text(engine.edit, engine.store.links(), done.plans))
        elif found := at_once(engine.setup, engine.store.in_force()):
            show.console().print(at_once_text(found))
        show.console().print(show.plan_text(done.plans, done.aged))
        if not done.tally.silent:
            show.console().print(tally_text(done.tally))
    for line in (*map(str, done.failures.values()), *told_frozen(engine)):
        click.echo(line, err=True)
    return UNREACHABLE if done.failures else QUIET


def write_plan(engine: Engine, out: Path, kinds: Sequence[str]) -> int:
    """Writes a plan file that its owner alone can read, and tells what stands in it and how to approve it."""
    document, done = draft(engine, kinds, words)
    try:
        with open(out, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            os.chmod(out, 0o600)  # one that was there keeps its mode else
            file.write(as_text(document))
    except OSError as error:
        fail(f"the plan cannot be written: {error}", USAGE)
    show.console().print(document_text(document))
    if document.entries or document.edited:
        how = f"To approve it:\n  {program()} apply {out} --hash {document.hash[:16]}"
    else:
        how = "Nothing of these kinds waits for approval."
    click.echo(f"Nothing was written but {out}. {how}")
    for failure in done.failures.values():
        click.echo(f"{failure}. The plan is without it.", err=True)
    return UNREACHABLE if done.failures else QUIET


def approve_plan(file: Path, approved: str) -> str:
    """Shows what a plan file does and takes a person's word for it: by the hash, or on the terminal. Returns the text
    that was approved: the file itself may be another one by then."""
    try:
        text = file.read_text(encoding="utf-8")
        document = read(text)
    except (PlanFileBroken, ValueError) as broken:
        fail(f"{file}: {broken}", USAGE)
    show.console().print(document_text(document))
    if approved:
        if len(approved) < 12 or not document.hash.startswith(approved):
            fail(f"this is not the plan that was approved: its hash is {document.hash[:16]}", USAGE)
    elif not sys.stdin.isatty():
        fail(f"say what is approved: --hash {document.hash[:16]}", USAGE)
    elif not click.confirm("Carry it out?"):
        fail("Nothing was done.", USAGE)
    return text
