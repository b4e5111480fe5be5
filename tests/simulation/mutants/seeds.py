"""The stored histories that kill the mutants, one each: tests/simulation/mutants/seeds.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PLACE = Path(__file__).with_name("seeds.toml")
HEAD = """\
# A history that kills each mutant: its profile and seed, how many histories were lived until one did (seeds nobody
# picked: 0, 1, 2 ... over the profiles as they stood then), what the checker called it, and the steps that are needed.
# Written by: python -m tests.simulation.mutants --search, then --shrink
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """The history in which a mutant was found. ``histories`` were lived until then, itself among them. ``steps``: only
    these of its steps are needed, as the shrinker writes them; all where there are none."""

    profile: str
    seed: int
    histories: int
    kind: str
    text: str
    steps: tuple[str, ...] = ()


def stored(place: Path = PLACE) -> dict[str, Kill]:
    """What is stored, by mutant."""
    if not place.exists():
        return {}
    rows = tomllib.loads(place.read_text(encoding="utf-8"))
    return {id: Kill(**{**row, "steps": tuple(row.get("steps", ()))}) for id, row in rows.items()}


def store(kills: Mapping[str, Kill], place: Path = PLACE) -> None:
    """Writes them, in the order of their names."""
    rows = [HEAD, *(row(id, kills[id]) for id in sorted(kills))]
    place.write_text("\n".join(rows), encoding="utf-8")


def row(id: str, kill: Kill) -> str:
    lines = [
        f"[{id}]",
        f"profile = {quoted(kill.profile)}",
        f"seed = {kill.seed}",
        f"histories = {kill.histories}",
        f"kind = {quoted(kill.kind)}",
        f"text = {quoted(kill.text)}",
    ]
    if kill.steps:
        lines.append(f"steps = [{', '.join(map(quoted, kill.steps))}]")
    return "\n".join([*lines, ""])


def quoted(text: str) -> str:
    """A TOML string on one line."""
    sound = text.encode("utf-8", "replace").decode()
    escaped = (char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in sound)
    return f'"{"".join(escaped)}"'
