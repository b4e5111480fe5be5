"""The seeds that once went wrong, shrunk and kept: each is a test from then on (tests/test_simulation.py)."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from sandbox.people.script import Step
from tests.simulation.outcome import steps_of, written

FILE = Path(__file__).parent / "seeds.toml"
HEAD = """\
# Histories that once went wrong, shrunk to the steps that showed it: each is lived by tests/test_simulation.py and must
# be clean. `python -m tests.simulation` adds what it finds; its `--tell SEED --steps "…"` tells one as a story.
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A history by its profile, seed and remaining ``steps``. ``kind`` and ``text``: what was found, at ``commit``."""

    profile: str
    seed: int
    steps: tuple[Step, ...]
    kind: str
    text: str
    commit: str

    @property
    def name(self) -> str:
        return f"{self.profile}-{self.seed}-{self.kind.replace(' ', '-')}"

    def table(self) -> str:
        """As it stands in the file."""
        rows = {"profile": self.profile, "seed": self.seed, "kind": self.kind, "text": self.text, "commit": self.commit}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in rows.items()]
        steps = "".join(f"  {json.dumps(step)},\n" for step in written(self.steps))
        return "\n".join(["", "[[seed]]", *lines, f"steps = [\n{steps}]", ""])


def kept(path: Path = FILE) -> list[Kept]:
    """All of them."""
    if not path.exists():
        return []
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("seed", [])
    return [Kept(**{**row, "steps": steps_of(row["steps"])}) for row in rows]


def keep(new: Kept, path: Path = FILE) -> bool:
    """Adds one, unless a history of the same steps stands there already; says whether it did."""
    if any((one.profile, one.seed, one.steps) == (new.profile, new.seed, new.steps) for one in kept(path)):
        return False
    before = path.read_text(encoding="utf-8") if path.exists() else HEAD
    path.write_text(before + new.table(), encoding="utf-8")
    return True
