"""Stages against states: states that no stage lists, steps that no workflow
offers, fields that a step asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.description import Step
from mappings.stages import Stage
from sync.config.problems import choice, quoted
from sync.doctor.findings import Finding, Side, listed
from sync.fit import no_field


def examine_states(side: Side) -> Iterator[Finding]:
    """Everything about one side's states."""
    yield from unlisted_states(side)
    yield from filled_fields(side)
    there = {state.name for state in side.items.states}
    for stage, sources in ways(side):
        if stage.states[side.name][0] not in there:
            continue
        yield from examine_way(side, stage, sources)
        yield from examine_needs(side, stage, sources)


def unlisted_states(side: Side) -> Iterator[Finding]:
    """States that items can have and no stage lists: such an item is held."""
    if side.name not in side.setup.stages.sides():
        return
    known = {state for stage in side.setup.stages.stages for state in stage.states.get(side.name, ())}
    missing = [state.name for state in side.items.states if state.name not in known]
    if missing:
        what = f"no stage lists these states of {side.name}: {quoted(missing)}; an item in one of them is held"
        yield side.find("warning", what, f"list them under a stage, as {side.name} = [...]")


def filled_fields(side: Side) -> Iterator[Finding]:
    """What is set on entering a stage must be fields, and values, that there are."""
    for stage in side.setup.stages.stages:
        for native, text in stage.with_state.get(side.name, {}).items():
            path = f"stages.{stage.id}.set.{side.name}.{native}"
            field = side.items.fields.get(native)
            if field is None and side.items.fields:
                yield side.find("error", no_field(side.setup, side.name, native), side.meant(native), path)
            values = field.choices if field else {}
            if values and "{" not in text and text not in values:
                what = f'{native} of {side.name} does not take "{text}"'
                yield side.find("error", what, choice(text, values, "values"), path)


# -- steps


def ways(side: Side) -> Iterator[tuple[Stage, tuple[str, ...]]]:
    """The stages into which this side is moved, each with the states it is moved from: those of the stage before that
    it has words for. A paused stage is entered from there and left to there."""
    before: Stage | None = None
    for stage in side.setup.stages.stages:
        states = stage.states.get(side.name, ())
        if not states:
            continue
        if before is not None and moved_by_others(side, stage):
            yield stage, before.states[side.name]
            if stage.paused:
                yield before, states
        if not stage.paused and not stage.terminal:
            before = stage


def moved_by_others(side: Side, stage: Stage) -> bool:
    """Whether another side's word can bring this side here: nobody else moves it."""
    return any(other != side.name for other in stage.states)


def examine_way(side: Side, stage: Stage, sources: Sequence[str]) -> Iterator[Finding]:
    """Whether the tracker offers a step from each source to the state that is written."""
    target = stage.states[side.name][0]
    steps = side.items.steps
    known = [state for state in sources if state in steps and state != target]
    blocked = [state for state in known if target not in {step.to for step in steps[state]}]
    lost = [state for state in blocked if not route(steps, state, target)]
    whole = len(known) == len([state for state in sources if state != target])
    path = at(stage, side.name)
    if lost and len(lost) == len(known) and whole:
        what = f'{side.name} cannot reach "{target}" from {quoted(lost)}: the workflow offers no way, or not to us'
        yield side.find("error", what, offers(steps, lost), path)
        return
    for state in lost:
        what = f'no step leads {side.name} from "{state}" to "{target}": an item that stands there will be held'
        yield side.find("warning", what, offers(steps, [state]), path)
    for state in (state for state in blocked if state not in lost):
        over = quoted(route(steps, state, target)[:-1])
        what = f'{side.name} gets from "{state}" to "{target}" only over {over}: Lockstep takes one step, and holds it'
        yield side.find("warning", what, "let the workflow go there directly, or give that state a stage", path)


def offers(steps: Mapping[str, tuple[Step, ...]], states: Sequence[str]) -> str:
    """What to do where a step is missing, with the steps there are."""
    if not any(steps[state] for state in states):
        return "it offers us no step at all: see to the right to move items, and to who may take its transitions"
    told = [f'from "{state}": {quoted(step.to for step in steps[state]) or "nothing"}' for state in states]
    return f"write first a state that it offers, or have the workflow changed; it offers, {'; '.join(told)}"


def route(steps: Mapping[str, tuple[Step, ...]], start: str, target: str) -> list[str]:
    """The shortest way over the steps that are known, without its start; empty where there is none."""
    trails: list[list[str]] = [[start]]
    seen = {start}
    for trail in trails:
        for step in steps.get(trail[-1], ()):
            if step.to == target:
                return [*trail[1:], target]
            if step.to not in seen:
                seen.add(step.to)
                trails.append([*trail, step.to])
    return []


def examine_needs(side: Side, stage: Stage, sources: Sequence[str]) -> Iterator[Finding]:
    """Fields that the way asks for and the file does not supply."""
    target = stage.states[side.name][0]
    leading = [step for state in sources for step in side.items.steps.get(state, ()) if step.to == target]
    given = {*stage.with_state.get(side.name, {}), *side.setup.sides[side.name].scope.mark_fields}
    mapped = dict(side.natives())
    asked: dict[str, tuple[str, ...]] = {}
    for step in leading:
        asked |= {name: values for name, values in step.needs.items() if name not in given}
    for name, values in asked.items():
        said = next((step.name for step in leading if name in step.needs and step.name), "")
        by = f' (the step "{said}")' if said else ""
        path = f"stages.{stage.id}.set.{side.name}"
        if name in mapped:
            what = f'"{target}"{by} asks for {name}, which stands for {mapped[name]}: while that is empty it is refused'
            yield side.find("warning", what, supply(side, name, values), path, at(stage, side.name))
        else:
            what = f'"{target}"{by} asks for {name}, which the file does not supply: {side.tracker} will refuse it'
            yield side.find("error", what, supply(side, name, values), path, at(stage, side.name))


def supply(side: Side, name: str, values: Sequence[str]) -> str:
    example = values[0] if values else "..."
    rest = f" (it takes {listed(values)})" if values else ""
    return f'write set = {{ {side.name} = {{ {name} = "{example}" }} }}{rest}'


def at(stage: Stage, side: str) -> str:
    return f"stages.{stage.id}.{side}"
