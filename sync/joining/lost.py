"""A state that was lost, or that is an older copy than the trackers know of: recognised, begun anew, and told.

A copy is known to be old by what only a Lockstep of this name and secret can have made, later than the state knows of
anything: an item with a creation key, a copy under a banner. Both are in the state before they are sent, so a state
without them is not the one that sent them. Its agreed values would then pass for what people changed since; so it is
treated like one that was lost: everything the trackers can tell is read from them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from mappings.banner import origin_token, verified
from mappings.model import Record
from mappings.wording import in_utc, many
from sync.engine import Engine
from sync.escalation.episodes import parts_of
from sync.plan import Plan
from sync.read import Reading
from sync.state import LinkState

#: the notes in the state: since when it knows of anything and why, and what was found again
BORN, FOUND = "born", "found again"
#: what stays of the notes: when a pass ended last and an audit was made, what a guard stopped, which plans were carried
#: out; and what was learned of each tracker
KEPT = frozenset(["pass ended", "audited", "guard tripped", "plans carried out"])
LEARNED = ("learned", "journal seen", "journal apart", "rest")
#: what is found within so long belongs to the loss, and is shown by ``status`` for so long
LATE, SHOWN = timedelta(days=1), timedelta(days=7)
AFRESH = (
    "What only the state knew starts afresh: agreed values (fields that differ wait for a person's word or for their "
    "owner's next change), clocks and snoozes. Nothing that was due before fires; items that no link holds count as "
    "old and are opened by approval alone."
)


def remember_birth(engine: Engine) -> None:
    """Since when this state knows of anything."""
    if engine.store.noted(BORN) is None:
        engine.store.note(BORN, {"at": engine.now().isoformat(), "why": ""})


def outdated(engine: Engine, reading: Reading) -> bool:
    """Whether the state is an older copy; then it was begun anew, and all is to be read once more. Looked at until
    every tracker was read once since the start: a state is put back while nobody works on it."""
    last = engine.ended
    if last is None:
        return False
    proof = created_since(engine, reading, last) or said_since(engine, reading, last)
    if proof:
        begin_anew(engine, proof, last)
    if proof or not reading.failures:
        engine.ended = None
    return bool(proof)


def created_since(engine: Engine, reading: Reading, last: datetime) -> str:
    """An item that we created later than the state knows of anything, without a trace of it there."""
    made = {
        record.mark.made: record
        for record in reading.seen.records.values()
        if record and record.mark and record.mark.instance == engine.setup.mark and record.created > last
    }
    unknown = set(made) - {""} - engine.store.known_creations(made)
    proofs = (made[key] for key in sorted(unknown) if not may_be_clone(reading, made[key]))
    return next((f"{record.key} was created by it" for record in proofs), "")


def may_be_clone(reading: Reading, record: Record) -> bool:
    """Whether a person may have copied the item, key and all, from one of a link that was found again: of such a link
    the state does not know what it was created with."""
    link = next((link for link in reading.links if any(item.ref == record.ref for item in link.items)), None)
    others = [item for item in link.items if item.ref != record.ref] if link else []
    return any(item.rebuilt and item.version >= 0 for item in others)


def said_since(engine: Engine, reading: Reading, last: datetime) -> str:
    """A copy that we said later than that, without a trace of it."""
    secrets = [secret.reveal() for secret in engine.setup.secrets]
    ours = {ref: [c for c in said if c.ours and c.created > last] for ref, said in reading.seen.comments.items()}
    known = engine.store.copies_on([ref for ref, said in ours.items() if said])
    for ref, said in ours.items():
        ids = {id for _, id in known.get(ref, ())}
        tokens = {origin_token(secret, o.tracker, o.id) for o, _ in known.get(ref, ()) for secret in secrets}
        tokens |= {o.id.removeprefix("token:") for o, _ in known.get(ref, ())}
        for comment in said:
            seal = verified(secrets, comment.text, ref)
            if seal and comment.id not in ids and seal.token not in tokens:
                record = reading.seen.records.get(ref)
                return f"{record.key if record else ref} holds a comment copied by it"
    return ""


def begin_anew(engine: Engine, proof: str, last: datetime) -> None:
    """Forgets what the trackers tell better, and says so. What only people said stays: who was taken out of a link,
    what is paused, which file is in force; the journal goes on."""
    now = engine.now()
    learned = {f"{what} {tracker}" for tracker in engine.connectors for what in LEARNED}
    engine.store.forget_known(KEPT | learned, now)
    engine.store.arm(parts_of(engine.setup.rules), now)
    engine.store.note(BORN, {"at": now.isoformat(), "why": f"an older copy, of {in_utc(last)}"})
    told = f"the state is an older copy: it ends at {in_utc(last)}, and {proof} since"
    structlog.get_logger().warning("state restored from an older copy", action="rebuild", reason=told)
    engine.store.log("rebuilt", "state", f"{told}. It is begun anew. {AFRESH}", now)


def tell_found(engine: Engine, reading: Reading, plans: Sequence[tuple[LinkState, Plan]], now: datetime) -> None:
    """Says how many links and copies were found again, by marks and banners."""
    if not reading.found:
        return
    copies = [
        id
        for link, plan in plans
        if link.key in reading.found
        for key, copy, id in plan.settlement.copies
        if id and copy.outcome == "done" and link.item(key.target).rebuilt
    ]
    counts = {"links": len(reading.found), "items": sum(reading.found.values()), "copies": len(copies)}
    structlog.get_logger().warning("found again by their marks", action="rebuild", **counts)
    born = engine.store.noted(BORN)
    if now - datetime.fromisoformat(born["at"]) > LATE:
        return
    before = engine.store.noted(FOUND) or {}
    if before.get("at") == born["at"]:
        counts = {name: count + before[name] for name, count in counts.items()}
    note = {**born, **counts}
    engine.store.note(FOUND, note)
    engine.store.log("rebuilt", "state", sentence(note), now)


def sentence(note: dict[str, Any]) -> str:
    """What was found again, for people."""
    was = f"was {note['why']}" if note["why"] else "was new"
    found = f"{many(note['links'], 'link')} with {many(note['items'], 'item')}"
    copies = "1 copied comment" if note["copies"] == 1 else f"{note['copies']} copied comments"
    return f"The state {was}: {found} and {copies} were found again by their marks and banners. {AFRESH}"


def told_found(engine: Engine) -> list[str]:
    """The same as long as it is news, for the status."""
    note = engine.store.noted(FOUND)
    fresh = note is not None and engine.now() - datetime.fromisoformat(note["at"]) <= SHOWN
    return [f"{in_utc(datetime.fromisoformat(note['at']))}: {sentence(note)}"] if fresh else []
