"""The demo as a newcomer runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def told(*arguments: str) -> str:
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "bot.py", "demo", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_tells_the_story_and_ends_quiet(tmp_path: Path) -> None:
    story = told("--keep", str(tmp_path))
    for words in (
        "open a defect (Bug): INC0010001",
        "open a pbi (Product Backlog Item): CSPM-1",
        "state = Resolved with close_code = Solution provided",
        "3 requests, one for each side, and 0 writes",
        "Where to go next",
    ):
        assert words in story
    incident, defect, pbi = (story.split(f"The {name} now reads")[1] for name in ("incident", "defect", "PBI"))
    assert "Contract penalty" in incident.split("The defect")[0]
    assert "Contract penalty" not in defect
    assert "123-45-6789" not in defect.split("The PBI")[0]
    assert "Is there a workaround?" in pbi


def test_what_the_demo_leaves_behind_can_be_looked_into(tmp_path: Path) -> None:
    told("--keep", str(tmp_path))
    assert {"lockstep.toml", "lockstep.db"} <= {path.name for path in tmp_path.iterdir()}
    assert "secret" not in (tmp_path / "lockstep.toml").read_text().replace("secret   = { env", "")
