"""The mutation gate: every mutant fits the code as it stands, and is found by the checker in its stored history, in
which nothing is found without it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.checker.evidence import KINDS
from sandbox.people import PROFILES
from tests.simulation.mutants import MUTANTS, SOUGHT
from tests.simulation.mutants.mutant import Broken, Edit, Mutant, patched, sources
from tests.simulation.mutants.seeds import Kill, store, stored

ROOT = Path(__file__).parent.parent
#: goals.md wants as many at the least
ENOUGH = 28


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_every_mutant_fits_the_code_as_it_stands(mutant: Mutant) -> None:
    """What it replaces stands exactly once in its module, and the changed module compiles."""
    changed = sources(mutant)
    assert {module.partition(".")[0] for module in changed} <= {"connectors", "mappings", "sync"}


def test_every_mutant_says_what_is_wrong_and_how_it_should_be_found() -> None:
    assert len(MUTANTS) >= ENOUGH
    for mutant in MUTANTS.values():
        assert mutant.bug.endswith(".") and mutant.needs, mutant.id
        assert mutant.profile in PROFILES and mutant.finding in KINDS, mutant.id
        assert all(edit.before != edit.after for edit in mutant.edits), mutant.id


def test_a_target_that_moved_is_noticed() -> None:
    edit = Edit("sync.clock", "one", "another")
    with pytest.raises(Broken, match=r"sync\.clock holds 'one' 0 times"):
        patched("", (edit,))
    with pytest.raises(Broken, match="2 times"):
        patched("one one", (edit,))


GROWN = """
import sys
from tests.simulation.mutants import mutant_of
from tests.simulation.mutants.graft import graft
hook = graft(mutant_of("latest-wins"))
import sync.merging.agree as grown, sync.clock
print(sorted(hook.grown), "latest" in grown.merge_field.__code__.co_varnames)
try:
    graft(mutant_of("latest-wins"))
except Exception as late:
    print(type(late).__name__)
"""


def test_a_mutant_grows_in_a_fresh_process_and_leaves_nothing_behind() -> None:
    places = [ROOT / "sync/merging/agree.py", *(ROOT / "sync/merging/__pycache__").glob("agree.*")]
    before = {place: place.read_bytes() for place in places}
    done = subprocess.run([sys.executable, "-c", GROWN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['sync.merging.agree'] True", "Broken"]
    assert {place: place.read_bytes() for place in places} == before
    assert "latest" not in importlib.import_module("sync.merging.agree").merge_field.__code__.co_varnames


def test_lockstep_itself_runs_with_a_mutant() -> None:
    command = [sys.executable, "-m", "tests.simulation.mutants", "shared-base", "--", "check", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Tells every problem of the file at once" in done.stdout


def test_every_mutant_has_a_stored_history_but_those_that_are_looked_for_on() -> None:
    assert set(MUTANTS) >= SOUGHT
    assert set(stored()) == set(MUTANTS) - SOUGHT


def test_stored_histories_are_read_as_they_were_written(tmp_path: Path) -> None:
    kills = {
        "one": Kill("crashes", 3, 7, "lost", 'a "word"\\ \n ü \U0001f600', ("pass:1", "die:2")),
        "two": Kill("ties", 0, 1, "d", ""),
    }
    store(kills, tmp_path / "seeds.toml")
    assert stored(tmp_path / "seeds.toml") == kills


#: pytest's processes take a part each
PARTS = 2


@pytest.mark.parametrize("part", range(PARTS))
def test_every_mutant_is_found_in_its_stored_history_and_nothing_is_found_without_it(part: int) -> None:
    """In processes of their own: a mutant is grafted before our code is imported."""
    ids = sorted(stored())[part::PARTS]
    command = [sys.executable, "-m", "tests.simulation.mutants", "--replay", "--jobs", "1", *ids]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in told] == ids, done.stderr[-2000:]
    assert {one["id"]: one["with"] for one in told if one["kind"] not in one["with"]} == {}
    assert {one["id"]: one["without"] for one in told if one["without"]} == {}
