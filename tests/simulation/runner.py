"""Many histories on all cores: which are lived next, when it is over, and what becomes of those that went wrong."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sandbox.checker.evidence import Finding
from sandbox.people import PROFILES, Step, script_of
from tests.simulation.hands import TURNS, Hand, Lives, Unready
from tests.simulation.ledger import Ledger
from tests.simulation.outcome import CRASHED, UNLIKE, Outcome, written
from tests.simulation.shrink import shrunk
from tests.simulation.source import source_digest

#: one in so many histories is lived again in another process (goals A2: 2 %)
TWICE = 50
#: seconds for which a history that went wrong is shrunk at the most
SHRINKING = 180.0
#: histories that went wrong and are shrunk, at the most; of each kind of finding one
SHRUNK = 12

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to do: histories of ``profiles`` in turn from ``first`` on, ``histories`` in all (those that were
    lived before count; 0: without end), for ``seconds`` at the most (0: as long as it takes), in ``workers``
    processes. Without ``keep_going`` the first history that goes wrong is the last one."""

    profiles: tuple[str, ...]
    histories: int = 0
    seconds: float = 0.0
    first: int = 0
    workers: int = 1
    mutant: str = ""
    keep_going: bool = False
    turns: int = TURNS

    def all(self) -> Iterator[Key]:
        """Every history in order: a seed of each profile, then the next seed."""
        endless = ((profile, seed) for seed in itertools.count(self.first) for profile in self.profiles)
        return itertools.islice(endless, self.histories) if self.histories else endless


@dataclass(frozen=True, slots=True)
class Case:
    """A history that went wrong, with the fewest steps that still show the same kind of finding (None: it was not
    shrunk), and its story. ``others`` are kinds that these steps show too."""

    profile: str
    seed: int
    finding: Finding
    steps: tuple[Step, ...] | None
    whole: int
    story: tuple[str, ...]
    others: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind that it shows."""
        return self.others | {self.finding.kind}

    def heading(self) -> str:
        steps = f"{len(self.steps)} of {self.whole} steps" if self.steps is not None else f"{self.whole} steps"
        return f"{self.profile} {self.seed}, {steps}: {self.finding}"


def twice(profile: str, seed: int) -> bool:
    """Whether a history is one of those that are lived again: of each profile one in ``TWICE``, other seeds each."""
    names = list(PROFILES)
    return (seed + names.index(profile) * TWICE // len(names)) % TWICE == 0


def alike(once: Outcome, again: Outcome) -> Outcome:
    """The outcome of a history that was lived twice: that the traces differ is a finding."""
    if once.digest == again.digest:
        return once
    text = f"lived twice, the traces differ: {once.digest} ({dict(once.counts)}), {again.digest} ({dict(again.counts)})"
    return replace(once, findings=(*once.findings, Finding(UNLIKE, "", text)))


class Moved(Exception):
    """The code is another one than when the run began."""


class Run:
    """A run under way. ``told`` is called after each history, ``over`` ends it early. ``hand`` makes what lives them,
    of the seed of its hashes, the mutant, and after how many it begins afresh."""

    def __init__(
        self,
        wanted: Wanted,
        ledger: Ledger,
        told: Callable[[Outcome], None] = lambda outcome: None,
        hand: Callable[[int, str, int], Lives] = Hand,
    ) -> None:
        self.wanted, self.ledger, self.told, self.hand = wanted, ledger, told, hand
        self.name = datetime.now(UTC).isoformat(timespec="seconds")
        self.begun = time.monotonic()
        self.over = threading.Event()
        self.moved = False
        self.failed: Unready | None = None
        self.lock = threading.Lock()
        self.todo = (key for key in wanted.all() if key not in ledger.done)
        self.results: queue.Queue[tuple[Outcome, bool] | None] = queue.Queue()
        self.digest = source_digest()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.begun

    def go(self) -> None:
        """Lives what is wanted and not done yet, and keeps it in the ledger; what is under way when it is over is lived
        to its end. Raises ``Unready``."""
        if self.enough(*self.ledger.tally.wrong):
            return
        threads = [threading.Thread(target=self.work, args=(n,), daemon=True) for n in range(self.wanted.workers)]
        for thread in threads:
            thread.start()
        left = len(threads)
        while left:
            try:
                taken = self.results.get(timeout=0.5)
            except queue.Empty:
                continue
            if taken is None:
                left -= 1
                continue
            self.take(*taken)
        if self.failed:
            raise self.failed

    def take(self, outcome: Outcome, again: bool) -> None:
        self.ledger.add(outcome, self.name, self.elapsed, twice=again)
        self.told(outcome)

    def enough(self, *outcomes: Outcome) -> bool:
        return not self.wanted.keep_going and any(one.findings for one in outcomes)

    @property
    def late(self) -> bool:
        return bool(self.wanted.seconds) and self.elapsed >= self.wanted.seconds

    def next(self) -> Key | None:
        with self.lock:
            return None if self.over.is_set() or self.late else next(self.todo, None)

    def work(self, number: int) -> None:
        """What one thread does: a process of its own for most histories, and another one for those lived again."""
        wanted = self.wanted
        hand = self.hand(2 * number + 1, wanted.mutant, wanted.turns)
        twin = self.hand(2 * number + 2, wanted.mutant, wanted.turns)
        try:
            while (key := self.next()) is not None:
                again = twice(*key)
                outcome = self.live(hand, key)
                outcome = alike(outcome, self.live(twin, key)) if again else outcome
                if self.enough(outcome):
                    self.over.set()
                self.results.put((outcome, again))
        except Moved:
            self.moved = True
        except Unready as unready:
            self.failed = unready
        finally:
            self.over.set()
            hand.close()
            twin.close()
            self.results.put(None)

    def live(self, hand: Lives, key: Key) -> Outcome:
        """Raises ``Moved`` where the process that is to live it would begin with other code."""
        if hand.fresh and source_digest() != self.digest:
            raise Moved
        return hand.live(*key)


# ── what went wrong ──────────────────────────────────────────────────────────────────────────────────────────────


def cases(wrong: Sequence[Outcome], mutant: str = "", seconds: float = SHRINKING, workers: int = 1) -> list[Case]:
    """Of each kind of finding one history, shrunk and told, side by side, ``SHRUNK`` at the most. What shows several
    kinds stands for all of them."""
    found: list[Case] = []
    with ThreadPoolExecutor(workers) as threads:
        while (some := firsts(wrong, {kind for case in found for kind in case.kinds})) and len(found) < SHRUNK:
            found += threads.map(lambda one: case_of(one[1], one[0], Hand(1, mutant), seconds), some)
    return found


def firsts(wrong: Sequence[Outcome], known: Collection[str]) -> list[tuple[str, Outcome]]:
    """Of each history that is the first to show a kind beside those ``known`` that kind, or one of them."""
    first: dict[str, Outcome] = {}
    for outcome in wrong:
        for finding in outcome.findings:
            first.setdefault(finding.kind, outcome)
    new = {id(outcome): (kind, outcome) for kind, outcome in reversed(first.items()) if kind not in known}
    return list(reversed(new.values()))


def case_of(outcome: Outcome, kind: str, hand: Lives, seconds: float = SHRINKING) -> Case:
    """A history that went wrong, shrunk for so many seconds at the most, and told by ``hand``, which is closed."""
    end = time.monotonic() + seconds
    profile, seed = outcome.profile, outcome.seed
    finding = next(one for one in outcome.findings if one.kind == kind)
    whole = script_of(PROFILES[profile], seed).steps
    try:
        if kind == UNLIKE:
            return Case(profile, seed, finding, None, len(whole), tuple(hand.tell(profile, seed)))
        steps = fewest(hand, outcome, finding, whole, lambda: time.monotonic() >= end)
        left = hand.live(profile, seed, steps).findings
        shown = next((one for one in left if same(finding, one)), finding)
        others = frozenset(one.kind for one in left)
        return Case(profile, seed, shown, steps, len(whole), tuple(hand.tell(profile, seed, steps)), others)
    finally:
        hand.close()


def fewest(
    hand: Lives, outcome: Outcome, finding: Finding, whole: Sequence[Step], over: Callable[[], bool]
) -> tuple[Step, ...]:
    known: dict[tuple[str, ...], bool] = {}

    def shows(steps: Sequence[Step]) -> bool:
        key = tuple(written(steps))
        if key not in known:
            found = hand.live(outcome.profile, outcome.seed, steps).findings
            known[key] = any(same(finding, one) for one in found)
        return known[key]

    return shrunk(whole, shows, over)


def same(one: Finding, other: Finding) -> bool:
    """Whether two findings are of one kind; of crashes those in which the same was raised."""
    return one.kind == other.kind and (one.kind != CRASHED or one.item == other.item)
