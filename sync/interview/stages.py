"""Proposes stages: the states of every side, sorted by what they count as. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.description import Items, State

#: category -> the name of its stage, in order
STAGES = {"new": "New", "active": "In progress", "paused": "Waiting", "done": "Done"}
#: what the names of states say where the tracker does not, and where its own word is too coarse
_WORDS = {
    "removed": r"cancel|reject|withdraw|won.?t|duplicate|removed|obsolete|declined|abandon",
    "paused": r"on hold|waiting|awaiting|pending|blocked|paused|suspended",
    "done": r"done|closed|resolved|complete|fixed|released|finished",
    "new": r"\bnew\b|to.?do|backlog|\bopen\b|proposed|logged|submitted|draft|registered",
}
#: values of a required field that say the work was done, the plainest first
_SOLVED = ("solution", "solved", "done", "fixed", "fix applied", "complete", "resolved")


@dataclass(frozen=True, slots=True)
class ProposedStage:
    """``states`` by side, the first one is written. ``set`` are native fields that go with entering it, by side, each
    with the value guessed and the values there are. ``unsure`` are states whose steps could not be read."""

    name: str
    category: str
    states: Mapping[str, tuple[str, ...]]
    set: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()


def propose_stages(sides: Mapping[str, Items]) -> tuple[tuple[ProposedStage, ...], dict[str, tuple[str, ...]]]:
    """The stages, and by side the states left out of them: what is cancelled or removed belongs to the admin's own
    judgement."""
    proposed: list[ProposedStage] = []
    for category, name in STAGES.items():
        states = {side: sorted_states(items, category) for side, items in sides.items()}
        states = {side: found for side, found in states.items() if found}
        if states:
            proposed.append(with_steps(ProposedStage(name, category, states), proposed, sides))
    left = {side: sorted_states(items, "removed") for side, items in sides.items()}
    return tuple(proposed), {side: states for side, states in left.items() if states}


def category_of(state: State) -> str:
    """What a state counts as: the tracker's own word, unless its name says it waits or was called off."""
    name = state.name.lower()
    said = next((category for category, words in _WORDS.items() if re.search(words, name)), "")
    if said in ("removed", "paused") or not state.category:
        return said or "active"
    return state.category


def sorted_states(items: Items, category: str) -> tuple[str, ...]:
    """The states of a category in the tracker's order, one with a reason before the one without."""
    found = [state.name for state in items.states if category_of(state) == category]
    bare = {name.partition(":")[0] for name in found if ":" in name}
    return tuple(sorted(found, key=lambda name: name in bare))


def with_steps(stage: ProposedStage, before: Sequence[ProposedStage], sides: Mapping[str, Items]) -> ProposedStage:
    """The stage with, for each side, a state first that a step leads to, and what that step asks for."""
    states, given, unsure = dict(stage.states), {}, []
    for side, names in stage.states.items():
        steps = sides[side].steps
        sources = [s for b in before if b.category != "paused" for s in b.states.get(side, ())][-8:]
        unsure += [f'{side} "{source}"' for source in sources if source not in steps]
        reached = [step for source in sources for step in steps.get(source, ())]
        first = next((name for name in names if name in {step.to for step in reached}), names[0])
        states[side] = (first, *(name for name in names if name != first))
        needs = {n: v for step in reached if step.to == first for n, v in step.needs.items()}
        if needs and len(stage.states) > 1:
            given[side] = {name: (solved(values), values) for name, values in needs.items()}
    return ProposedStage(stage.name, stage.category, states, given, tuple(dict.fromkeys(unsure)))


def solved(values: Sequence[str]) -> str:
    """The value that most plainly says the work was done; words where any text will do."""
    if not values:
        return "See the linked item."
    return next((v for word in _SOLVED for v in values if re.search(rf"\b{word}", v.lower())), values[0])
