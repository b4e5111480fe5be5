"""The story of a history: who wrote what where and when, what Lockstep did, what is wrong, and which promise it breaks.

The history is lived once more under the eyes of a witness; the same seed gives the same trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox.checker.evidence import Finding
from sandbox.people import Script, Step, file_of
from sync.engine import Engine
from tests.simulation.history import judged, scratch, script_for
from tests.simulation.life import Life
from tests.simulation.outcome import written
from tests.simulation.sentences import PROMISES, WEATHER, deed, weather
from tests.simulation.witness import Said, Witness


class Watched(Life):
    """A life that is told as it goes: ``lines``."""

    def __init__(self, folder: Path, script: Script) -> None:
        super().__init__(folder, script)
        self.witness = Witness(self.estate, self.people, file_of(script.page))
        self.lines: list[str] = []
        self.acted = self.number = 0

    def take(self, step: Step) -> None:
        if step.kind in WEATHER:
            self.line(WEATHER[step.kind])
        super().take(step)
        for at, sentence in sorted(self.deeds(), key=lambda said: said[0]):
            self.lines.append(f"{at:%a %H:%M:%S}  {sentence}")
        self.witness.look()

    def start(self) -> Engine:
        if self.number and not self.state.exists():
            self.line("The state is lost: a process starts without one.")
        return super().start()

    def do_storm(self, step: Step) -> None:
        super().do_storm(step)
        self.line(f"Faults begin to strike: {self.weather}.")

    def do_pass(self, step: Step, *, sweep: bool = False) -> None:
        self.number += 1
        self.line(f"Pass {self.number} begins{', a sweep' if sweep else ''}.")
        asked, deaths = len(self.estate.log.entries), len(self.deaths)
        super().do_pass(step, sweep=sweep)
        self.lines += [f"              {line}" for line in weather(self.estate.log.entries[asked:])]
        done = sorted((*self.deeds(), *self.witness.look()), key=lambda said: said[0])
        self.lines += [f"    {at:%H:%M:%S}  {sentence}" for at, sentence in done]
        if len(self.deaths) > deaths:
            self.lines.append(f"              The process died at {self.mortality.where}; another one started.")

    def deeds(self) -> list[Said]:
        """What people did since it was last told."""
        new, self.acted = self.people.acts[self.acted :], len(self.people.acts)
        return [(act.at, deed(act, self.witness.name(act.side, act.item))) for act in new]

    def rest(self) -> None:
        self.line("Nothing strikes any more and nobody acts: passes until one is quiet.")
        super().rest()

    def again(self) -> None:
        self.line("Everything is marked as changed and read again: nothing may be written.")
        super().again()

    def line(self, sentence: str) -> None:
        self.lines.append(f"{self.estate.clock.now():%a %H:%M:%S}  {sentence}")


def story(profile: str, seed: int, steps: Sequence[Step] | None = None) -> list[str]:
    """The lines that tell the history of a seed, or of some of its steps, to its end."""
    script = script_for(profile, seed, steps)
    with scratch() as folder:
        life = Watched(folder, script)
        findings = judged(life)
        return [*heading(script), *life.lines, "", *standing(life), "", *wrong(findings), *repeat(script, steps)]


def heading(script: Script) -> Iterator[str]:
    sweeps = "with sweeps" if script.sweeps else "without sweeps"
    yield f"Profile {script.profile}, seed {script.seed}, {sweeps}, {len(script.steps)} steps"
    yield ""


def standing(life: Watched) -> Iterator[str]:
    yield "In the end"
    for line in life.witness.standing():
        yield f"  {line}"
    for held, key in life.held:
        yield f"  held: {held.what} of {key}: {held.reason}"


def wrong(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield "Nothing is wrong."
    for one in findings:
        yield f"Wrong: {one}"
    for kind in dict.fromkeys(one.kind for one in findings):
        yield f"The promise: {PROMISES[kind]}"


def repeat(script: Script, steps: Sequence[Step] | None) -> Iterator[str]:
    """The command that tells this once more."""
    some = f' --steps "{" ".join(written(steps))}"' if steps is not None else ""
    yield f"Again: python -m tests.simulation --profile {script.profile} --tell {script.seed}{some}"
