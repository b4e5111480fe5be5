"""Peace and quiet: what was written though nobody had changed anything, and what is held though nothing is amiss."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sandbox.checker.calm import Weather
from sandbox.checker.evidence import HELD, NOT_QUIET, Finding
from sandbox.checker.evidence import Held as HeldItem
from sandbox.checker.items import Item, World
from sandbox.checker.talk import CARRIED
from sandbox.checker.ways import Ways
from sandbox.replay.acts import TRACKERS
from sandbox.replay.histories import OURS
from sandbox.replay.play import is_read
from sandbox.server import Entry


def not_quiet(world: World, weather: Weather) -> Iterator[Finding]:
    """Writes after everything was marked and re-read, passes without end, and writes in a pass before which nobody had
    changed anything since one that was calm and wrote nothing, and was the second after the last change, the bot's own
    among them: what joins takes two."""
    evidence = world.evidence
    for entry in filter(took_effect, evidence.rewrites):
        text = f"{entry.method} {entry.path} of {entry.tracker}, although nothing had changed"
        yield Finding(NOT_QUIET, entry.tracker, f"at a full look at the end the bot sent {text}")
    if evidence.restless:
        yield Finding(NOT_QUIET, "all", "people had stopped and faults were over, but the bot went on writing for ever")
    moved, quiet, before = sorted([*moments(world), *found_again(world, weather)]), None, None
    for one, sure in zip(evidence.passes, weather.sure, strict=True):
        wrote = [] if evidence.rewrites and one is evidence.passes[-1] else weather.wrote(one)
        wrote = list(filter(took_effect, wrote))
        changed = quiet is None or any(quiet <= at <= one.ended for at in moved)
        if sure and wrote and not changed:
            entry = wrote[0]
            text = f"the pass at {one.begun:%H:%M:%S} sent {entry.method} {entry.path} to {entry.tracker}; "
            told = f"{text}since the one at {quiet:%H:%M:%S}, which wrote nothing, nobody had changed anything"
            yield Finding(NOT_QUIET, entry.tracker, told)
        fresh = before is None or any(before <= at <= one.ended for at in moved)
        quiet, before = one.begun if sure and not wrote and not fresh else None, None if wrote else one.begun


def took_effect(entry: Entry) -> bool:
    """Whether a write was more than one that its tracker refuses again: what is held may be tried again."""
    return not 400 <= entry.status < 500


def moments(world: World) -> list[datetime]:
    """When people, or automation, changed or said something and when an edit had stood for long enough."""
    acts = [act.at for act in world.evidence.acts]
    turns = [
        world.true(item.side, change["at"])
        for item in world.items
        if item.side != "incident" or item.id not in world.estate.servicenow.writes.dropped
        for change in world.histories.tracker(item.side).history(item.id)
        if change["by"] != OURS[item.side]
    ]
    edits = [act.at + CARRIED for act in world.evidence.acts if act.kind in ("edit", "erase")]
    return [*acts, *turns, *edits]


def found_again(world: World, weather: Weather) -> list[datetime]:
    """When items that had been away were sure to be found: in the first sweep after that."""
    sweeps = [one.begun for one, sure in zip(world.evidence.passes, weather.sure, strict=True) if sure and one.sweep]
    ends = [absence.until for item in world.items for absence in item.away]
    return [at for end in ends if (at := next((begun for begun in sweeps if begun >= end), None)) is not None]


def held_without_cause(world: World) -> Iterator[Finding]:
    """What is set aside at rest for no reason that the trackers' own histories show."""
    places = {(item.side, item.id): item for item in world.items}
    for held in world.evidence.held:
        item = places.get((held.side, held.item))
        if item is not None and not caused(world, item, held):
            yield Finding(HELD, item.name, f"{held.what} of {item.name} is held: {held.reason}")


def caused(world: World, item: Item, held: HeldItem) -> bool:
    """Whether the item is gone, or shows what the file maps to nothing or what can never be left, or there are several
    of its side, or its tracker refused a write to it."""
    if not item.there or (item.away and not world.evidence.sweeps):
        return True
    if held.what == "comments" and item.side == "incident":
        linked = [one for one in world.items if one.side == "incident" and one.link]
        return not any(remark.erased is None for one in linked for remark in one.remarks)
    if held.what == "join":
        return any("parent" in act.fields or "parent_incident" in act.fields for act in world.acts[item.side, item.id])
    measure = next((one for one in world.meanings.measures if one.name == held.what), None)
    if measure is not None and item.side in measure.natives:
        last = dict(item.life.first)
        for turn in item.life.turns:
            last[turn.field] = turn.value
        shown = tuple(last[name] for name in measure.natives[item.side])
        if not measure.meanings(item.side, shown) or shown in measure.final.get(item.side, ()):
            return True
        others = [one for one in world.links.get(item.link, ()) if one.side == item.side]
        if measure.name == "stage" and (len(others) > 1 or no_step(world, item, shown[0])):
            return True
    return refused(world, item)


def no_step(world: World, item: Item, state: str) -> bool:
    """Whether no single step leads from a state to each other one that might be wanted: what lies between is learnt
    only from steps that were seen."""
    ways = Ways.of(world.estate, item.side, item.id)
    return any(other != state and ways.length(state, other) != 1 for other in ways.steps)


def refused(world: World, item: Item) -> bool:
    """Whether the last write to an item was refused by its tracker."""
    names = {item.id.lower(), item.key.lower()}
    writes = [
        entry for entry in world.estate.log.entries
        if entry.tracker == TRACKERS[item.side] and not is_read(entry) and names & set(entry.path.lower().split("/"))
    ]  # fmt: skip
    return bool(writes) and 400 <= writes[-1].status < 500 and writes[-1].status not in (401, 408, 429)
