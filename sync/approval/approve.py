"""Approving by plan file: making one from a pass that nobody carries out, and carrying out what a person approved,
exactly and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from mappings.model import Ref
from sync.approval.planfile import Document, Edited, Entry, PlanFileBroken, Words, compare, entry_of, made_at, read
from sync.compose import Unfit, in_charge, renewed
from sync.edits.edit import Edit, keep, take
from sync.engine import Engine
from sync.freezing.brake import Braked, standing
from sync.freezing.freeze import hold_back
from sync.joining.relink import Declined
from sync.plan import Plan
from sync.read import Reading
from sync.reconcile import Pass, Progress, act, begin, decided
from sync.rehearse import scratch_of
from sync.setup import Setup
from sync.state import LinkState
from sync.store import Request

#: a note in the state: what was carried out of the last plan files
BEGUN, PLANS_KEPT = "plans carried out", 10


class Stopped(Exception):
    """Nothing is carried out while Lockstep is frozen. The message says why."""


@dataclass
class Outcome:
    """What became of a plan file: titles of what was carried out, of what had been before and of what is not finished,
    and what was skipped, each with the reason."""

    done: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    writes: int = 0
    refused: int = 0
    in_force: bool = False

    @property
    def whole(self) -> bool:
        """Everything that was approved is done."""
        return not self.skipped and not self.unfinished and not self.refused

    def told(self) -> list[str]:
        """The outcome as lines for people."""
        lines = ["The edited file is in force."] if self.in_force else []
        lines.append(f"{len(self.done)} carried out with {self.writes} writes, {len(self.skipped)} skipped.")
        if self.over:
            lines.append(f"{len(self.over)} had been carried out before.")
        if self.refused:
            lines.append(f"{self.refused} writes were refused: lockstep held tells why.")
        if self.unfinished:
            lines.append(f"{len(self.unfinished)} are not finished: the next passes go on with them.")
        return [*lines, *(f"skipped: {title}: {why}" for title, why in self.skipped)]


# ── making ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def draft(engine: Engine, kinds: Collection[str], words: Words) -> tuple[Document, Pass]:
    """What waits for a person, as a plan file: everything that first contact left aside and everything that an edited
    file changes is looked at, on a copy of the state and with nobody to carry it out."""
    done = Pass(engine.now())
    scratch = scratch_of(engine)
    scratch.store.touch_old()
    if "align" in kinds:
        scratch.store.touch_all(closed=False)
    reading = begin(scratch, done)
    entries = tuple(taken_in(scratch, reading, done, kinds, words, edited=engine.trial))
    scratch.store.close()
    setup, edit = engine.setup, engine.edit if engine.trial else None
    edited = Edited(text_digest(edit.setup), tuple(one.text for one in edit.waits)) if edit else None
    return Document(setup.instance, setup.digest, made_at(done.at), tuple(sorted(kinds)), entries, edited), done


def text_digest(setup: Setup) -> str:
    """The digest of the text of the admin's file."""
    return hashlib.sha256((setup.page.text if setup.page else "").encode()).hexdigest()


def taken_in(
    engine: Engine, reading: Reading, done: Pass, kinds: Collection[str], words: Words, *, edited: bool
) -> Iterator[Entry]:
    """The links that something is proposed for, each with the plan that approval would make of it; where the file was
    edited, every link that the edited one would do something on."""
    asked = {
        link.key: tuple(proposal for proposal in plan.proposals if proposal.kind in kinds)
        for link, plan in decided(engine, reading, done.at)
    }
    approved = frozenset(proposal.key for proposals in asked.values() for proposal in proposals)
    for link, plan in decided(engine, reading, done.at, approved):
        proposals = asked.get(link.key, ())
        if (proposals or edited) and not plan.quiet:
            yield entry_of(link, plan, proposals, reading.seen, words)


# ── carrying out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def applied(engine: Engine, request: Request) -> str:
    """A plan file as a request to the Lockstep at work: the answer in words; ``Declined`` where not all of it could be
    carried out. Raises ``Declined`` where nothing of it can be done."""
    try:
        outcome = carry_out(engine, read(request.args[0]), request.by, engine.watch)
    except (PlanFileBroken, Stopped, Unfit) as declined:
        raise Declined(str(declined)) from None
    if not outcome.whole:
        raise Declined("\n".join(outcome.told()))
    return "\n".join(outcome.told())


def carry_out(engine: Engine, document: Document, by: str, progress: Progress | None = None) -> Outcome:
    """Puts the edited file into force where the plan was made for one, reads the plan's items anew, decides again with
    what it approves, and carries out what is still exactly that. The plan's own count is what was approved, so no guard
    stops it. Raises ``PlanFileBroken``, ``Stopped`` and ``Unfit`` before anything is done."""
    engine.open()
    fits(engine, document)
    done, outcome = Pass(engine.now()), Outcome(in_force=put_in_force(engine, document))
    engine.store.touch((ref_of(ref), item.side, True) for e in document.entries for ref, item in e.items.items())
    reading = begin(engine, done)
    chosen = choose(engine, reading, document, done, outcome)
    keep(engine.store, engine.setup, engine.edit)
    note_begun(engine, document, [link.key for link, _ in chosen])
    act(engine, reading, Braked(chosen, standing(engine)), done, progress)
    outcome.writes, outcome.refused = done.writes, done.refused
    for link, plan in chosen:
        (outcome.unfinished if link.key in done.left else outcome.done).append(plan.title)
    body = f"by {by}: {len(outcome.done)} carried out, {len(outcome.skipped)} skipped"
    engine.store.log("approved", f"plan {document.hash[:12]}", body, done.at)
    return outcome


def fits(engine: Engine, document: Document) -> None:
    """Raises ``PlanFileBroken`` where the document was made for something else, ``Stopped`` in a freeze."""
    if document.instance != engine.setup.instance:
        raise PlanFileBroken(f"this plan was made for {document.instance}, and this is {engine.setup.instance}")
    if document.file != engine.setup.digest:
        late = "Where the plan is the newer one, the running Lockstep has not taken the edit up: its log says why"
        raise PlanFileBroken(f"the admin's file was edited since this plan was made: make a new one. {late}.")
    if frosts := standing(engine).frosts:
        raise Stopped(f"nothing is carried out now: {'; '.join(map(str, frosts))}")


def put_in_force(engine: Engine, document: Document) -> bool:
    """Puts the edited file into force, once the trackers have what it names. Returns whether it was not before. Raises
    ``PlanFileBroken``."""
    edit: Edit | None = engine.edit
    if document.edited is None or edit is None:
        return False
    if text_digest(edit.setup) != document.edited.digest:
        raise PlanFileBroken("the admin's file was edited since this plan was made: make a new one")
    anew = renewed(edit.setup, engine)
    try:
        take(engine.store, edit, engine.now())
    except Exception:
        anew.close_trackers()  # the file is not in force: work goes on with what is
        raise
    engine.become(in_charge(anew, engine))
    return True


def choose(
    engine: Engine, reading: Reading, document: Document, done: Pass, outcome: Outcome
) -> list[tuple[LinkState, Plan]]:
    """The plans that are still what was approved; what became of the others is noted."""
    waiting = {link.key: {p.key for p in plan.proposals} for link, plan in decided(engine, reading, done.at)}
    decisions = {pair[0].key: pair for pair in decided(engine, reading, done.at, document.approved)}
    brakes, begun = standing(engine), begun_of(engine, document)
    chosen: list[tuple[LinkState, Plan]] = []
    for entry in document.entries:
        if entry.key not in decisions:
            note_missing(engine, reading, entry, outcome)
            continue
        link, plan = decisions[entry.key]
        still = waiting.get(entry.key, ())
        verdict = compare(entry, link, plan, still, reading.seen, begun=entry.key in begun)
        braked = hold_back(plan, link, engine.setup, brakes)
        if verdict.over:
            outcome.over.append(entry.title)
        elif verdict.skip or braked.frozen or braked.withheld:
            outcome.skipped.append((entry.title, verdict.skip or "it is paused"))
        else:
            chosen.append((link, plan))
    return chosen


def begun_of(engine: Engine, document: Document) -> Collection[str]:
    """The links on which a plan file was carried out before."""
    return dict(engine.store.noted(BEGUN) or ()).get(document.hash, ())


def note_begun(engine: Engine, document: Document, keys: Collection[str]) -> None:
    """Keeps on which links the last plan files were carried out, so that one that is applied again knows its own work
    from what people did otherwise."""
    noted = dict(engine.store.noted(BEGUN) or ())
    of_this = sorted({*noted.pop(document.hash, ()), *keys})
    engine.store.note(BEGUN, [*list(noted.items())[1 - PLANS_KEPT :], (document.hash, of_this)])


def note_missing(engine: Engine, reading: Reading, entry: Entry, outcome: Outcome) -> None:
    """An entry whose link is not there: its item went into another one, or could not be read."""
    refs = [ref_of(ref) for ref in entry.items]
    failed = [str(reading.failures[ref.tracker]) for ref in refs if ref.tracker in reading.failures]
    places = engine.store.places(refs)
    if failed:
        outcome.skipped.append((entry.title, failed[0]))
    elif any(places.get(ref, (None, 0))[0] for ref in refs):
        outcome.over.append(entry.title)
    else:
        outcome.skipped.append((entry.title, "its items are gone, or hidden from Lockstep's account"))


def ref_of(text: str) -> Ref:
    """An item as a plan file names it, ``TRACKER/ID``."""
    tracker, _, id = text.partition("/")
    return Ref(tracker, id)
