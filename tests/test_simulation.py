"""Histories of people, faults and crashes around the whole engine under one seed each: nothing is lost, nothing doubled
(goals A1, A2). The command for more of them: ``python -m tests.simulation --help``."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from sandbox.checker.evidence import Finding
from sandbox.people import PROFILES, Step, script_of
from sandbox.server import Server
from tests.simulation import __main__ as command
from tests.simulation.hands import Hand
from tests.simulation.history import lived
from tests.simulation.kept import keep, kept
from tests.simulation.ledger import Ledger, Taken
from tests.simulation.life import Life
from tests.simulation.outcome import CRASHED, KINDS, UNLIKE, Outcome, outcome_of
from tests.simulation.runner import Run, Wanted, alike, case_of, cases, twice
from tests.simulation.sentences import PROMISES
from tests.simulation.shrink import shrunk
from tests.simulation.story import story
from tests.simulation.tally import Tally

#: how many histories of all profiles together, and how many of them at the most in one test
HISTORIES, GROUP = int(os.environ.get("LOCKSTEP_HISTORIES", "200")), 20
EACH = -(-HISTORIES // len(PROFILES))
GROUPS = [(profile, at, min(at + GROUP, EACH)) for profile in PROFILES for at in range(0, EACH, GROUP)]


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answers are held against the specifications elsewhere; here it would take most of the time."""
    monkeypatch.setattr(Server, "witnesses", [])


@pytest.fixture(scope="module")
def twin() -> Iterator[Hand]:
    """Another process, whose hashes are other ones."""
    hand = Hand(7)
    yield hand
    hand.close()


# ── the histories ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("profile, first, end", GROUPS)
def test_whatever_happens_nothing_is_lost_and_nothing_doubled(profile: str, first: int, end: int, twin: Hand) -> None:
    tally = Tally()
    for seed in range(first, end):
        outcome = lived(profile, seed)
        again = twice(profile, seed)
        tally.add(alike(outcome, twin.live(profile, seed)) if again else outcome, twice=again)
    report(tally)
    if not tally.clean:
        worst = tally.wrong[0]
        case = case_of(worst, worst.findings[0].kind, Hand(1), seconds=60)
        others = ", ".join(f"{one.profile} {one.seed} ({', '.join(sorted(one.kinds))})" for one in tally.wrong[1:])
        pytest.fail("\n".join([case.heading(), "", *case.story, "", f"Wrong too: {others or 'nothing'}"]))


def report(tally: Tally) -> None:
    """Leaves the figures of all groups together where whoever runs the tests wants them."""
    if not (folder := os.environ.get("LOCKSTEP_REPORTS")):
        return
    with (Path(folder) / "simulation.jsonl").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        rows = {"sums": tally.sums, "found": tally.found, "twice": tally.twice}
        file.write(json.dumps(rows) + "\n")
        file.seek(0)
        whole = Tally()
        for line in map(json.loads, file):
            whole.take(**line)
        head = f"Histories of the whole engine, {whole.twice} of them lived twice in two processes"
        (Path(folder) / "simulation.txt").write_text(f"{head}\n{whole.table()}\n")


def test_the_histories_that_once_went_wrong_go_well() -> None:
    for one in kept():
        outcome = lived(one.profile, one.seed, one.steps)
        assert not outcome.findings, "\n".join(story(one.profile, one.seed, one.steps))


# ── what finds them ──────────────────────────────────────────────────────────────────────────────────────────────

#: any profile, and one whose histories are short
SHORT = "plain"
BRIEF = replace(PROFILES[SHORT], name="brief", acts={"comment": 2, "title": 1}, length=3, burst=(2,))


class Here:
    """Lives histories in this process, which the tests may bend."""

    fresh = False

    def __init__(self, hashing: int = 0, mutant: str = "", turns: int = 0) -> None:
        """As a Hand is made."""

    def live(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> Outcome:
        return lived(profile, seed, steps)

    def tell(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> list[str]:
        return story(profile, seed, steps)

    def close(self) -> None:
        """Nothing to end."""


class Quick(Here):
    """Says at once that a history was clean; histories of seed 3 crash."""

    def live(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> Outcome:
        wrong = (Finding(CRASHED, "ValueError", "at a place"),) if seed == 3 else ()
        return Outcome(profile, seed, wrong, "the same", {"passes": 2}, (), 0.1)

    def tell(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> list[str]:
        return ["a story"]


@pytest.fixture
def titles_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine breaks down over a title that people changed after somebody had commented."""
    deed = Life.act
    monkeypatch.setitem(PROFILES, BRIEF.name, BRIEF)

    def act(life: Life, step: Step) -> None:
        deed(life, step)
        if step.kind == "title" and any(one.kind == "comment" for one in life.people.acts):
            raise ValueError("nobody thought of titles")

    monkeypatch.setattr(Life, "act", act)


def breaking() -> int:
    """A seed whose people comment and then change a title."""

    def breaks(seed: int) -> bool:
        kinds = [step.kind for step in script_of(BRIEF, seed).steps]
        return "comment" in kinds and "title" in kinds[kinds.index("comment") :]

    return next(filter(breaks, range(100)))


@pytest.mark.usefixtures("titles_break")
def test_a_fault_is_found_shrunk_to_the_steps_that_show_it_and_told_in_sentences() -> None:
    seed = breaking()
    outcome = lived(BRIEF.name, seed)
    assert outcome.kinds == {CRASHED}
    assert "nobody thought of titles" in str(outcome.findings[0])
    case = case_of(outcome, CRASHED, Here())
    assert case.steps is not None
    assert [step.kind for step in case.steps] == ["incident", "comment", "title"]
    told = "\n".join(case.story)
    assert re.search(r"sam\.hill opened INC\d+ with short_description", told)
    assert "Word from" in told
    assert "Wrong: crashed: ValueError: nobody thought of titles" in told
    assert f"The promise: {PROMISES[CRASHED]}" in told
    assert f'--profile brief --tell {seed} --steps "{" ".join(map(str, case.steps))}"' in told


def test_a_story_tells_what_people_and_lockstep_did() -> None:
    told = "\n".join(story(SHORT, 0, script_of(PROFILES[SHORT], 0).steps[:2]))
    assert re.search(r"sam\.hill opened INC\d+ with short_description", told)
    assert re.search(r"Lockstep opened CSPM-\d+", told)
    assert "Nothing is wrong." in told


def test_every_kind_of_finding_names_the_promise_that_it_breaks() -> None:
    assert set(PROMISES) == set(KINDS)


def test_shrinking_leaves_exactly_the_steps_that_are_needed() -> None:
    steps = [Step("comment", n) for n in range(40)]
    needed = {3, 17, 31}
    tried: list[int] = []

    def shows(some: Sequence[Step]) -> bool:
        tried.append(len(some))
        return needed <= {step.seed for step in some}

    assert {step.seed for step in shrunk(steps, shows)} == needed
    assert len(tried) < 80
    assert shrunk(steps, shows, over=lambda: True) == tuple(steps)


def test_of_each_kind_of_finding_one_history_is_told_and_what_shows_two_stands_for_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost, doubled, crashed = (Finding(kind, "INC1", "somehow") for kind in ("lost", "doubled", CRASHED))
    wrong = [Outcome(SHORT, 1, (lost, doubled)), Outcome(SHORT, 2, (lost,)), Outcome(SHORT, 3, (crashed,))]
    left = {1: (doubled, lost), 3: (crashed,)}

    class Wrong(Quick):
        def live(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> Outcome:
            return Outcome(profile, seed, left[seed])

    monkeypatch.setattr("tests.simulation.runner.Hand", Wrong)
    assert [(case.seed, case.finding.kind) for case in cases(wrong)] == [(1, "lost"), (3, CRASHED)]
    left[1] = (lost,)
    assert [(case.seed, case.finding.kind) for case in cases(wrong[:1])] == [(1, "lost"), (1, "doubled")]


def test_a_trace_that_differs_the_second_time_is_a_finding() -> None:
    once = Outcome(SHORT, 1, digest="aa")
    assert alike(once, once) == once
    assert alike(once, replace(once, digest="bb")).kinds == {UNLIKE}


def test_two_percent_of_all_histories_are_lived_twice() -> None:
    for profile in PROFILES:
        assert sum(twice(profile, seed) for seed in range(1_000)) == 20
    assert 3 <= sum(twice(profile, seed) for profile in PROFILES for seed in range(17)) <= 6


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────


def run(folder: Path, *, digest: str = "code", **wanted: object) -> tuple[Run, list[tuple[str, int]]]:
    """A run of two profiles to its end, and what it lived."""
    ledger, new = Ledger(folder, digest), []
    run = Run(
        Wanted(("plain", "hot"), **wanted),  # type: ignore[arg-type]
        ledger,
        lambda outcome: new.append((outcome.profile, outcome.seed)),
        Quick,
    )
    run.go()
    ledger.close()
    return run, new


def test_profiles_take_turns_and_a_run_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    _, first = run(tmp_path, histories=3)
    assert first == [("plain", 0), ("hot", 0), ("plain", 1)]
    after, second = run(tmp_path, histories=5)
    assert second == [("hot", 1), ("plain", 2)]
    assert after.ledger.tally.histories == 5
    assert after.ledger.tally.sums["plain"]["passes"] == 6
    assert run(tmp_path, histories=5)[1] == []


def test_other_code_begins_anew_and_the_old_figures_stay(tmp_path: Path) -> None:
    run(tmp_path, histories=2)
    assert len(run(tmp_path, digest="other", histories=2)[1]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code.jsonl", "other.jsonl"]


def test_a_line_that_a_kill_cut_short_is_lived_again(tmp_path: Path) -> None:
    run(tmp_path, histories=3)
    path = tmp_path / "code.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert run(tmp_path, histories=3)[1] == [("plain", 1)]


def test_two_runs_do_not_write_to_one_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "code")
    with pytest.raises(Taken, match="another run"):
        Ledger(tmp_path, "code")
    ledger.close()


def test_a_run_ends_when_its_time_is_over(tmp_path: Path) -> None:
    after, new = run(tmp_path, seconds=0.3, keep_going=True)
    assert after.ledger.tally.histories == len(new) > 0


def test_a_run_ends_at_the_first_finding_unless_it_is_to_keep_going(tmp_path: Path) -> None:
    after, _ = run(tmp_path, histories=100)
    assert {one.seed for one in after.ledger.tally.wrong} == {3}
    assert after.ledger.tally.histories < 100
    assert run(tmp_path, histories=100)[1] == []
    on, _ = run(tmp_path, histories=100, keep_going=True)
    assert on.ledger.tally.histories == 100


def test_an_outcome_keeps_what_it_says_as_a_line() -> None:
    outcome = Outcome(SHORT, 1, (Finding("lost", "INC1", "a \ud800 word"),), "d", {"passes": 1}, ("told",), 0.5)
    assert outcome_of(json.loads(outcome.line())) == outcome
    assert asdict(outcome)["findings"][0]["kind"] == "lost"


def test_a_process_that_dies_over_a_history_is_a_finding_and_another_takes_its_place(twin: Hand) -> None:
    twin.running().kill()
    assert twin.live(SHORT, 0, ()).kinds == {CRASHED}
    assert twin.live(SHORT, 0, ()).findings == ()


def test_the_command_tells_its_table_keeps_what_went_wrong_and_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "Run", lambda wanted, ledger, told: Run(wanted, ledger, told, Quick))
    monkeypatch.setattr("tests.simulation.runner.Hand", Quick)
    monkeypatch.setattr(command, "keep", lambda one: keep(one, tmp_path / "seeds.toml"))
    asked = ["--profile", SHORT, "--from", "2", "--histories", "2", "--folder", str(tmp_path), "--workers", "1"]
    done = CliRunner().invoke(command.main, asked)
    assert done.exit_code == 1
    assert "a story" in done.output
    assert "seeds 2 to 3; 0 of 2 (0.0%) were lived twice" in done.output
    (one,) = kept(tmp_path / "seeds.toml")
    assert (one.profile, one.seed, one.kind, one.steps) == (SHORT, 3, CRASHED, ())
    assert not keep(one, tmp_path / "seeds.toml")
    report = json.loads(CliRunner().invoke(command.main, [*asked, "--json", "--no-store"]).stdout)
    assert (report["histories"], report["profiles"]["all"][CRASHED]) == (2, 1)
    assert [case["seed"] for case in report["cases"]] == [3]


def test_the_command_ends_with_nothing_where_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Run", lambda wanted, ledger, told: Run(wanted, ledger, told, Quick))
    done = CliRunner().invoke(command.main, ["--histories", "24", "--folder", str(tmp_path), "--workers", "2"])
    assert done.exit_code == 0
    assert re.search(r"^all +24 +48 +0 ", done.output, re.MULTILINE)
