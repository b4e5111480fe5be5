"""One history from its seed to the checker's word: what the runner, the shrinker, the mutants and the tests share."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sandbox.checker import Evidence, Finding, Held, check
from sandbox.checker.parted import stays_out
from sandbox.people import PROFILES, Script, Step, file_of, script_of
from sandbox.replay.acts import TRACKERS
from sandbox.replay.histories import Histories
from tests.simulation.life import Life
from tests.simulation.mortal import Died
from tests.simulation.outcome import CRASHED, Outcome

#: seconds of the processor's time after which a history is taken for endless
ENDLESS = 60.0
#: what every linked item bears: the instance of the file
MARK = "lockstep-lives"
#: where a history's state lies: in memory, where there is such a place, so that nobody waits for a disk
SCRATCH = next((place for place in ("/dev/shm",) if Path(place).is_dir()), None)


def lived(profile: str, seed: int, steps: Sequence[Step] | None = None) -> Outcome:
    """Lives the history of a seed, or of its script with only the ``steps`` given, and checks it. What it raises is a
    finding of its own. Raises KeyError for a profile that does not exist."""
    script = script_for(profile, seed, steps)
    begun = time.process_time()
    with scratch() as folder:
        life = Life(folder, script)
        findings = judged(life)
    spent = time.process_time() - begun
    return Outcome(profile, seed, findings, digest(life), counts(life), tuple(life.told), spent)


def script_for(profile: str, seed: int, steps: Sequence[Step] | None = None) -> Script:
    """The whole script of a seed, or with some of its steps only."""
    script = script_of(PROFILES[profile], seed)
    return script if steps is None else replace(script, steps=tuple(steps))


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="lockstep-history-") as folder:
        yield Path(folder)


def judged(life: Life) -> tuple[Finding, ...]:
    """Lets it live and says what is wrong; a history that raises or never ends is wrong too."""
    try:
        with at_most(ENDLESS):
            found: list[Finding] = []
            # before everything is read again, which may carry what nobody had noticed, and after that
            life.resting = lambda: found.extend(checked(life))
            life.live()
            return tuple(dict.fromkeys((*found, *parted(life))))
    except (Exception, Died, Endless) as error:
        with suppress(Exception):
            life.engine.close()
        return (crash(error),)


class Endless(BaseException):
    """A history that takes longer than any could: something in it goes round in circles."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises ``Endless`` in what takes more of the processor's time; only in a main thread, where signals arrive."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(*signalled: object) -> None:
        raise Endless(f"it took more than {seconds:g} seconds of the processor's time")

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def checked(life: Life) -> tuple[Finding, ...]:
    """The checker's findings. It is given what lies outside the engine, and what the engine says it holds."""
    return check(evidence_of(life))


def parted(life: Life) -> Iterator[Finding]:
    """What is wrong with an item that a person took out of its link at last."""
    if life.parted is not None:
        yield from stays_out(evidence_of(life), life.parted)


def evidence_of(life: Life) -> Evidence:
    sides = {tracker: side for side, tracker in TRACKERS.items()}
    held = tuple(Held(sides[one.ref.tracker], one.ref.id, one.what, one.reason) for one, _ in life.held)
    return Evidence(
        life.estate,
        life.people.acts,
        life.passes,
        file_of(life.script.page),
        MARK,
        sweeps=life.script.sweeps,
        held=held,
        rewrites=life.rewrites,
        restless=life.restless,
        deaths=life.deaths,
        losses=life.losses,
    )


def crash(error: BaseException) -> Finding:
    """An exception with its place, innermost last, as a finding."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return Finding(CRASHED, type(error).__name__, f"{error} at {places}")


def counts(life: Life) -> dict[str, int]:
    log = life.estate.log.entries
    return {
        "passes": len(life.passes),
        "acts": len(life.people.acts),
        "requests": len(log),
        "deaths": len(life.deaths),
        "faults": sum(bool(entry.fault) for entry in log),
    }


# ── the trace ────────────────────────────────────────────────────────────────────────────────────────────────────


def digest(life: Life) -> str:
    """Of the request log, of what people did, and of every item with its history, comments and marks."""
    trace = blake2b(digest_size=16)
    for entry in life.estate.log.entries:
        told(trace, entry.tracker, entry.method, entry.path, entry.status, entry.fault, f"{entry.at:.3f}")
    for act in life.people.acts:
        told(trace, act.at, act.side, act.item, act.by, act.kind, sorted(act.fields.items()), act.text, act.id)
    for place in held_by_trackers(life):
        told(trace, place)
    return trace.hexdigest()


def told(trace: Any, *what: object) -> None:
    trace.update(repr(what).encode("utf-8", "surrogatepass"))


def held_by_trackers(life: Life) -> Iterator[object]:
    """Every item that exists: its values, marks among them, its history, its comments and its links."""
    histories = Histories(life.estate)
    for side in TRACKERS:
        tracker = histories.tracker(side)
        for id in tracker.ids():
            yield side, id, sorted(tracker.item(id).items()), tracker.history(id), tracker.comments(id)
            yield Counter(map(repr, links_of(life, side, id))).most_common()


def links_of(life: Life, side: str, id: str) -> Sequence[object]:
    """What an item points at, as its tracker tells it: the link's key and where it leads."""
    if side == "defect":
        return life.estate.jira.links(id)
    return life.estate.azure.relations(id) if side == "pbi" else ()
