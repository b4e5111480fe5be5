"""Writes the first file, once it has passed the check that every file must pass."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from connectors.auth import Secret
from sync.config import ConfigProblems, load_with_warnings
from sync.interview.answers import Unclear

SECRET = "LOCKSTEP_SECRET"


def put(text: str, out: Path, environ: Mapping[str, str], typed: Mapping[str, Secret], program: str) -> list[str]:
    """Writes the file whole or not at all, and tells what to do next, as ``program``. Raises ``Unclear`` where an
    answer makes a file that does not pass the check."""
    missing = [name for name in (SECRET, *typed) if not environ.get(name)]
    handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.absolute().parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        load_with_warnings(draft, {**environ, **dict.fromkeys(missing, "not set yet, but will be")})
        draft.chmod(0o644)
        draft.replace(out)
    except ConfigProblems as broken:
        raise Unclear("\n".join(f"{one.key}: {one.said()}" for one in broken.problems)) from None
    finally:
        draft.unlink(missing_ok=True)
    return [f"{out} is written. Read it: what was guessed is marked.", *steps(out, missing, program)]


def steps(out: Path, missing: list[str], program: str) -> list[str]:
    lines = ["Then:"]
    for name in missing:
        value = '"$(openssl rand -hex 32)"     # keep it: it signs copied comments' if name == SECRET else "..."
        lines.append(f"  export {name}={value}")
    return [*lines, *(f"  {program} {command} -c {out}" for command in ("check", "doctor", "plan"))]
