"""The part of a first file that says what things mean: stages, routes, fields. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from sync.interview.draft import GUESSED, Draft, party, worker
from sync.interview.fields import ProposedField, namesakes
from sync.interview.stages import ProposedStage
from sync.interview.toml import inline, off, remarks, spelled, table, text, texts, title


def stages(draft: Draft) -> Iterator[str]:
    about = (
        f"{GUESSED} each state was put where its category, or its name, says. Of a list, the first is the one written."
    )
    yield from title("Stages, in their order: what each side calls it", about)
    for stage in draft.stages:
        yield from one_stage(draft, stage)
        yield ""
    if draft.left:
        told = "; ".join(f"{side} {', '.join(states)}" for side, states in draft.left.items())
        yield from remarks(
            f"In no stage, because they say that the work was called off: {told}. An item in one of them is held until "
            "you decide. As a stage of its own, which would then close the other sides too:"
        )
        ended = [(side, texts(states), "") for side, states in draft.left.items()]
        yield from off(["[[stages]]", *table([("name", text("Called off"), ""), *ended, ("terminal", "true", "")])])


def one_stage(draft: Draft, stage: ProposedStage) -> Iterator[str]:
    yield "[[stages]]"
    for unsure in stage.unsure:
        yield from remarks(f"no item stood in {unsure}, so its steps could not be read: let doctor look once one does")
    rows = [("name", text(stage.name), ""), *((side, texts(names), "") for side, names in stage.states.items())]
    mover = {"new": draft.opener, "active": worker(draft)}.get(stage.category)
    rows += [("move", text(party(mover)), f"{GUESSED} the party whose move it is")] if mover else []
    rows += [("paused", "true", "the clocks stand still")] if stage.category == "paused" else []
    rows += [("terminal", "true", "the work is done")] if stage.category == "done" else []
    rows += [("#target", text("5d"), "how long it may take, in business time")] if mover else []
    yield from table(rows)
    yield from filled(stage)


def filled(stage: ProposedStage) -> Iterator[str]:
    """What the step asks for, by side."""
    for side, values in stage.set.items():
        for name, (_, choices) in values.items():
            takes = f"; it takes {', '.join(choices)}" if choices else ""
            yield from remarks(f"{GUESSED} {side} asks for {name}{takes}", "  ")
    if stage.set:
        yield "  [stages.set]"
        given = stage.set.items()
        rows = [(f"  {side}", inline({n: text(v) for n, (v, _) in values.items()}), "") for side, values in given]
        yield from table(rows)


def routes(draft: Draft) -> Iterator[str]:
    about = f"{GUESSED} items that were there before `since` are left alone; narrow `when` to what should really cross"
    yield from title("Routes: who opens what", about)
    names = [side.name for side in draft.answers.sides]
    for at, (source, opened) in enumerate(pairwise(names)):
        lines = ["[[routes]]", *table(list(route(draft, source, opened)))]
        yield from [""] if at else []
        yield from lines if at == 0 else off(lines)


def route(draft: Draft, source: str, opened: str) -> Iterator[tuple[str, str, str]]:
    yield "id", text(f"{source}-{opened}"), "never changes"
    yield "from", text(source), ""
    yield "open", text(opened), ""
    if draft.active is not None:
        yield "when", f"'stage == \"{draft.active.name}\"'", "which items; && and || join conditions"
    yield "since", text(draft.today.isoformat()), "older items are left alone"


def fields(draft: Draft) -> Iterator[str]:
    yield from title("Fields: what is kept in step, and every name used in a condition or a text")
    for at, field in enumerate(draft.fields):
        yield from [""] if at else []
        yield from one_field(draft, field)
    sides = {side.name: draft.items(side.name) for side in draft.answers.sides}
    if alike := namesakes(sides, used(draft)):
        yield ""
        yield from remarks("Several sides have fields of these names too. Do those of one name mean the same?")
        for field in alike:
            rows = [("type", text(field.type), "")] if field.type != "text" else []
            rows += [(side, texts(natives), "") for side, natives in field.natives.items()]
            yield from off([f"[fields.{field.name}]", *table(rows)])


def used(draft: Draft) -> set[str]:
    """Native fields that have a use already: mapped ones, those that carry marks, those that go with a state."""
    marks = {name for side in draft.answers.sides for name in side.scope(draft.answers.instance).mark_fields}
    mapped = {name for field in draft.fields for natives in field.natives.values() for name in natives}
    return marks | mapped | {name for stage in draft.stages for values in stage.set.values() for name in values}


def one_field(draft: Draft, field: ProposedField) -> Iterator[str]:
    yield f"[fields.{field.name}]"
    single = len(field.natives) == 1
    owner = draft.opener if draft.opener in field.natives else next(iter(field.natives))
    rows = [("type", text(field.type), "")] if field.type != "text" else []
    rows += [(side, texts(natives), "") for side, natives in field.natives.items()]
    rows += [] if single else [("owner", text(owner), f"{GUESSED} whose word counts when several changed it at once")]
    yield from table(rows)
    if single:
        side, names = next(iter(field.labels.items()))
        yield from remarks(f"for conditions; {side} has {named(names)}") if names else ()
    if field.rows:
        yield from values(field)


def values(field: ProposedField) -> Iterator[str]:
    yield from remarks(f"{GUESSED} highest with highest, lowest with lowest. Of a list, the first is the one written.")
    for side, names in field.labels.items():
        yield from remarks(f"{side} has {named(names)}") if names else ()
    for side, natives in field.natives.items():
        if len(natives) > 1:
            shared = " and ".join(natives)
            yield from remarks(f"{side} makes it out of {shared}, here as shipped: compare with your own table")
    yield "values = ["
    for means, spellings in field.rows:
        yield f"  {inline({'is': str(means), **{side: spelled(ways) for side, ways in spellings.items()}})},"
    yield "]"


def named(labels: Mapping[str, str]) -> str:
    """Values, each with what people call it."""
    return ", ".join(value if value == label else f"{value} ({label})" for value, label in labels.items())
