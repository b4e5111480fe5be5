"""The shipped playbooks: a whole file for a process that people already run, and the roster it speaks of."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from sync.config.problems import nearest
from sync.interview.answers import Unclear
from sync.interview.put import steps

#: what the roster is called beside the file
ROSTER = "people.csv"


def playbooks() -> tuple[str, ...]:
    """The names of the processes that are shipped."""
    names = (one.name for one in shelf().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def begin(name: str, out: Path, environ: Mapping[str, str], program: str, *, force: bool = False) -> list[str]:
    """Writes the playbook and, beside it, its roster; tells what to do next, as ``program``. Raises ``Unclear`` where
    there is no such playbook, or something stands there already: then nothing is written."""
    if name not in playbooks():
        near = nearest(name, playbooks())
        meant = f"did you mean {near}? There are" if near else "there are"
        raise Unclear(f"there is no playbook {name}; {meant} {', '.join(playbooks())}")
    roster = out.absolute().parent / ROSTER
    taken = [str(path) for path in (out, roster) if path.exists() and not force]
    if taken:
        verb = "is" if len(taken) == 1 else "are"
        raise Unclear(f"{' and '.join(taken)} {verb} there already; --force overwrites, --out names another place")
    text = (shelf() / f"{name}.toml").read_text("utf-8")
    put_whole(roster, (shelf() / f"{name}.csv").read_text("utf-8"))
    put_whole(out, text)
    told = [f"{out} is written, and {roster.name} beside it. Fill in your addresses, projects and people."]
    return [*told, *steps(out, [one for one in secrets_of(text) if not environ.get(one)], program)]


def shelf() -> Traversable:
    """Where the playbooks lie, also in an installed package."""
    return files("mappings") / "playbooks"


def secrets_of(text: str) -> tuple[str, ...]:
    """The environment variables that a file's secrets are kept in, each once; comments do not count."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return tuple(dict.fromkeys(re.findall(r'\benv\s*=\s*"(\w+)"', lines)))


def put_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        draft.write_text(text, "utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
