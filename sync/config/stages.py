"""Stages: where the work may stand and what each side calls it, checked and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mappings.conditions import comparisons
from mappings.stages import Need, Stage, StageMap
from sync.config.desk import Desk
from sync.config.keys import native_names, once, some_side
from sync.config.problems import KeyPath, quoted
from sync.config.tables.process import StageTable


def stages(desk: Desk) -> StageMap:
    """The stages in the file's order."""
    once(desk, "stages", "name", [said.name for said in desk.file.stages])
    twice(desk)
    made = StageMap(tuple(stage(desk, ("stages", i), said) for i, said in enumerate(desk.file.stages)))
    tasks = {name for name, side in desk.file.sides.items() if side.under}
    silent = [side for side in desk.names["sides"] if side not in {*made.sides(), *tasks} and made.stages]
    for side in silent:
        desk.report.warn(("sides", side), "no stage names a state of this side: its status is left alone")
    return made


def twice(desk: Desk) -> None:
    """A stage's id must differ from the ids of the others, and from the names that stand for one."""
    said = desk.file.stages
    for place, one in enumerate(said):
        others = [other.id or other.name for other in said[:place] + said[place + 1 :]]
        if one.id and one.id in others:
            what = f'"{one.id}" is another stage\'s id already'
            desk.report.wrong(("stages", place, "id"), what, "give it another")


def stage(desk: Desk, path: KeyPath, said: StageTable) -> Stage:
    """One stage with what each side calls it and what it needs."""
    states = {side: tuple(words) for side, words in native_names(desk, path, said).items()}
    if not states:
        desk.report.wrong(path, "no side has a state for this stage", f'write {some_side(desk)} = ["..."]')
    if said.move:
        desk.known("parties", said.move, (*path, "move"))
    if said.decided_by and desk.known("sides", said.decided_by, (*path, "decided_by")):
        if wordless(desk, path, said.decided_by, states):
            what = f"{said.decided_by} has no state for this stage, so it cannot say that it is over"
            desk.report.wrong((*path, "decided_by"), what, f'write {said.decided_by} = ["..."], or name another side')
    if said.paused and said.terminal:
        desk.report.wrong((*path, "paused"), "a stage is either paused or terminal", "remove one of the two")
    with_state = {side: filled(desk, path, side, fields, states) for side, fields in said.set.items()}
    made = Stage(said.name, states, said.move, said.decided_by, said.target, said.paused, said.terminal, with_state)
    needed(desk, path, said)
    plain = tuple(need.field for need in said.needs if need.field and not need.ask)
    made = replace(made, id=said.id or said.name, needs=plain, removed=said.removed)
    return replace(made, asks=asks(desk, path, said), gate=said.gate)


def needed(desk: Desk, path: KeyPath, said: StageTable) -> None:
    """What a stage needs is declared, and can be filled in on an item that is there before the stage is entered."""
    if said.removed and not said.terminal:
        desk.report.wrong((*path, "removed"), "what is removed is over", "write terminal = true as well")
    opened = {route.open for route in desk.file.routes} - {route.from_ for route in desk.file.routes if route.follow}
    for place, name in enumerate("" if need.ask else need.field for need in said.needs):
        if not name or not desk.known("fields", name, (*path, "needs", place)) or name not in desk.file.fields:
            continue
        sides = desk.file.fields[name].__pydantic_extra__ or {}
        if sides and all(side in opened and not there_before(desk, side, said) for side in sides):
            what = f"{name} stands on {quoted(sides)} alone: before such an item is opened nobody can fill it in"
            desk.report.warn((*path, "needs", place), what)


def there_before(desk: Desk, side: str, said: StageTable) -> bool:
    """Whether every route that opens the side names stages, all of them before this one: then it is there by then."""
    order = desk.names["stages"]
    here = order.index(said.id or said.name)
    whens = [route.when or "" for route in desk.file.routes if route.open == side]
    named = [[word for word, _ in comparisons(when, "stage")] for when in whens]
    return all(words and all(word in order[:here] for word in words) for words in named)


def asks(desk: Desk, path: KeyPath, said: StageTable) -> tuple[Need, ...]:
    """What a stage needs in the admin's own words: conditions, and fields that are asked for otherwise."""
    made = []
    for place, need in enumerate(said.needs):
        at: KeyPath = (*path, "needs", place)
        if bool(need.field) == bool(need.when):
            instead = 'write { field = "..." } or { when = \'...\', ask = "..." }'
            desk.report.wrong(at, "is either a field or a condition", instead)
        elif need.when and not need.ask:
            desk.report.wrong(at, "nobody can tell what is asked of them", 'write ask = "..." beside the condition')
        elif need.ask and (not need.field or desk.known("fields", need.field, (*at, "field"))):
            made.append(Need(need.ask, need.field, desk.condition(need.when, (*at, "when"))))
    return tuple(need for need in made if need.name or need.when)


def wordless(desk: Desk, path: KeyPath, side: str, states: Mapping[str, object]) -> bool:
    """Whether a side has no word for a stage that others have one for: where nobody has, that alone is said."""
    return bool(states) and side not in states and not desk.report.doubts((*path, side))


def filled(
    desk: Desk, path: KeyPath, side: str, fields: Mapping[str, str], states: Mapping[str, object]
) -> Mapping[str, str]:
    """The fields that go with entering a stage, as texts."""
    at: KeyPath = (*path, "set", side)
    if desk.known("sides", side, at) and wordless(desk, path, side, states):
        desk.report.wrong(at, f"{side} has no state for this stage, so nothing is set", f'write {side} = ["..."]')
    for name, text in fields.items():
        desk.template(text, (*at, name))
    return fields
