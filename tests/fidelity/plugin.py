"""The witness in a test run: a test fails that got an answer which no specification allows. Where the whole suite ran,
an allowance that nothing used fails the run, and so does an operation that the product uses and no row of the table in
docs/sandbox.md shows. Loaded by tests/conftest.py where ../shared is there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Server
from tests.fidelity import specs, table
from tests.fidelity.allowances import Allowances
from tests.fidelity.witness import Witness


@dataclass
class Counts:
    """What the witnesses of all workers saw: answers by operation, entries of the allowances that were used, the tests
    that showed an operation, and the operations that the product asked for. ``wrong`` is what the whole run shows."""

    seen: Counter[str] = field(default_factory=Counter)
    allowed: set[int] = field(default_factory=set)
    shown: dict[str, set[str]] = field(default_factory=dict)
    product: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def add(self, told: Mapping[str, Any]) -> None:
        self.seen.update(told["seen"])
        self.allowed.update(told["allowed"])
        self.product.update(told["product"])
        for operation, tests in told["shown"].items():
            self.shown.setdefault(operation, set()).update(tests)


WITNESS, COUNTS = pytest.StashKey[Witness](), pytest.StashKey[Counts]()


def told(witness: Witness) -> dict[str, Any]:
    """What a worker hands over: plain values only."""
    return {
        "seen": dict(witness.seen),
        "allowed": sorted(witness.allowances.used),
        "product": sorted(witness.used),
        "shown": {operation: sorted(tests) for operation, tests in witness.shown.items()},
    }


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COUNTS] = Counts()
    config.stash[WITNESS] = Witness(Allowances.read())
    Server.witnesses.append(config.stash[WITNESS])


@pytest.fixture(autouse=True)
def _answers_are_as_specified(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set up first, so torn down last: what the other fixtures asked for counts too."""
    witness = request.config.stash[WITNESS]
    witness.test = f"{request.path.name}::{getattr(request.node, 'originalname', request.node.name)}"
    yield
    if found := witness.take():
        lines = "\n".join(f"  {one}" for one in found)
        pytest.fail(
            f"answers that no specification allows (see tests/fidelity/allowances.toml):\n{lines}", pytrace=False
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its counts to the controller; a run without workers counts itself."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["fidelity"] = told(config.stash[WITNESS])
        return
    counts = config.stash[COUNTS]
    counts.add(told(config.stash[WITNESS]))
    if is_whole(session):
        counts.wrong = [*unused(config), *uncovered(counts)]
    if counts.wrong:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if found := getattr(node, "workeroutput", {}).get("fidelity"):
        node.config.stash[COUNTS].add(found)


def is_whole(session: pytest.Session) -> bool:
    """Whether every test ran and passed: then what was not used is not needed."""
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    chosen = config.option.keyword or config.option.markexpr or config.args != config.getini("testpaths")
    skipped = reporter is None or reporter.stats.get("skipped")
    return not (chosen or session.testsfailed or skipped) and session.exitstatus == 0


def unused(config: pytest.Config) -> list[str]:
    known = config.stash[WITNESS].allowances.unused(config.stash[COUNTS].allowed)
    return [f"an allowance that nothing used: {one}" for one in known]


def covered(counts: Counts) -> set[str]:
    """The operations of the product that a test answered which a row of the table names."""
    named = {test for row in table.rows() for test in table.tests_of(row)}
    return {operation for operation in counts.product if counts.shown[operation] & named}


def uncovered(counts: Counts) -> list[str]:
    return [
        f"used by the product and in no row of the table: {one}" for one in sorted(counts.product - covered(counts))
    ]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    counts = config.stash[COUNTS]
    if not counts.seen:
        return
    lines = [*figures(counts), *(f"FAILED: {one}" for one in counts.wrong)]
    terminalreporter.section("fidelity")
    terminalreporter.write("\n".join(lines) + "\n")
    if folder := os.environ.get("LOCKSTEP_REPORTS"):
        (Path(folder) / "fidelity.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def figures(counts: Counts) -> list[str]:
    """What was validated, and how much of what the product uses has a row with a source."""
    operations = Counter(name.split()[0] for name in counts.seen if not name.endswith(" elsewhere"))
    elsewhere = sum(count for name, count in counts.seen.items() if name.endswith(" elsewhere"))
    listed = ", ".join(f"{operations[name]} of {name}" for name in specs.FILES if operations[name])
    used, shown = len(counts.product), len(covered(counts))
    share = f" = {shown / used:.0%}" if used else ""
    return [
        f"{counts.seen.total() - elsewhere} answers validated whole, {elsewhere} that no specification describes",
        f"operations answered: {listed}",
        f"operations that the product uses, covered with a source: {shown} of {used}{share}",
    ]
