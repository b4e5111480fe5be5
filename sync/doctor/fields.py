"""Fields against fields: values, what may be written, what a creation asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product

from mappings.fields import Field, Spelling
from mappings.model import Native
from sync.config.problems import choice
from sync.doctor.findings import Finding, Side, listed
from sync.fit import no_field

#: most combinations of values that are looked through
COMBINATIONS = 200


def examine_fields(side: Side) -> Iterator[Finding]:
    """Everything about one side's fields."""
    for field in side.setup.fields.values():
        if side.name in field.natives:
            yield from unwritable(side, field)
            yield from unknown_values(side, field)
            yield from unmapped_values(side, field)
            yield from narrow(side, field)
    yield from examine_marks(side)
    yield from scope_values(side)
    yield from examine_creation(side)


def unwritable(side: Side, field: Field) -> Iterator[Finding]:
    """Fields that we would write and may not."""
    if not written(side, field):
        return
    for native in field.natives[side.name]:
        if native in side.items.fields and not side.items.fields[native].writable:
            level = "warning" if field.owner == side.name else "error"
            what = f"{native} of {side.name} cannot be written by us: it is computed, or on no screen that we edit"
            instead = f'write owner = "{side.name}" and exclusive = true, or map a field that can be written'
            yield side.find(level, what, instead, *at(field, side.name))


def examine_marks(side: Side) -> Iterator[Finding]:
    """The fields that carry our mark must be writable: nothing can be linked without it."""
    marks = (*side.items.marks, *side.setup.sides[side.name].scope.mark_fields)
    for name in marks:
        known = side.items.fields.get(name)
        if known is not None and not known.writable:
            called = f" ({known.label})" if known.label and known.label != name else ""
            what = f"{name}{called} of {side.name} cannot be written by us, and it carries our mark"
            yield side.find("error", what, f"put it on the screen that edits a {side.name}, or grant write on it")


def written(side: Side, field: Field) -> bool:
    """Whether Lockstep ever writes the field on this side."""
    by_rule = any(field.name in step.set for rule in side.setup.rules for step in rule.steps)
    return by_rule or (len(field.natives) > 1 and not (field.exclusive and field.owner == side.name))


# -- values


def unknown_values(side: Side, field: Field) -> Iterator[Finding]:
    """Spellings in the value map that the tracker does not take."""
    for place, row in enumerate(field.values, 1):
        for native, value in (pair for spelling in row.spellings.get(side.name, ()) for pair in spelling):
            known = side.items.fields.get(native)
            if known and known.choices and isinstance(value, str) and value and value not in known.choices:
                what = f'{native} of {side.name} has no value "{value}"'
                instead = written_as(value, known.choices)
                row_path = f"fields.{field.name}.values[{place}]"
                yield side.find("error", what, instead, f"{row_path}.{side.name}", row_path, *at(field, side.name))


def written_as(value: str, choices: Mapping[str, str]) -> str:
    """What to write for a value: where it is the label of one, that one."""
    labelled = [stored for stored, label in choices.items() if label == value]
    return f'write "{labelled[0]}", which is shown as {value}' if labelled else choice(value, choices, "values")


def unmapped_values(side: Side, field: Field) -> Iterator[Finding]:
    """Values that an item can have and no row of the map spells: such a field is held."""
    if not field.values:
        return
    natives = field.natives[side.name]
    choices = [tuple(side.items.fields[n].choices) if n in side.items.fields else () for n in natives]
    spelled = {spelling for row in field.values for spelling in row.spellings.get(side.name, ())}
    missing = [s for s in combined(natives, choices) if s not in spelled]
    if missing and spelled:
        told = listed([" and ".join(f"{name} {value}" for name, value in spelling) for spelling in missing])
        what = f"no row of {field.name} has these values of {side.name}: {told}; an item with one of them is held"
        yield side.find("warning", what, "add them to values", f"fields.{field.name}.values", *at(field, side.name))


def combined(natives: tuple[str, ...], choices: list[tuple[str, ...]]) -> Iterator[Spelling]:
    for values in islice(product(*choices), COMBINATIONS):
        yield tuple(zip(natives, values, strict=True))


def narrow(side: Side, field: Field) -> Iterator[Finding]:
    """A field that takes certain values only, kept in step with one that takes others, without a value map."""
    if field.values or not written(side, field):
        return
    native = side.items.fields.get(field.natives[side.name][0])
    if native and native.choices:
        what = f"{native.name} of {side.name} takes certain values only: any other is refused and held"
        instead = f"write values = [...] for it (it takes {listed(native.choices)})"
        yield side.find("warning", what, instead, *at(field, side.name))


def scope_values(side: Side) -> Iterator[Finding]:
    for name, values in side.setup.sides[side.name].scope.where:
        known = side.items.fields.get(name)
        accepted = {*known.choices, *known.choices.values()} if known else set()
        for value in (value for value in values if value and accepted and value not in accepted):
            what = f'{name} of {side.name} has no value "{value}": no item is in scope by it'
            yield side.find(
                "error", what, choice(value, known.choices if known else (), "values"), scope_path(side, name)
            )


#: how a value begins that its tracker works out when an item is created
MACRO = "@"


def scope_path(side: Side, name: str) -> str:
    path = f"sides.{side.name}.scope"
    return f"{path}.{name}" if f"{path}.{name}" in side.setup.lines else path


# -- creation


def examine_creation(side: Side) -> Iterator[Finding]:
    """What a new item asks for, and what the file fixes for one."""
    routes = [route for route in side.setup.routes if route.opens == side.name]
    sources = [route.source for route in routes]
    create = side.setup.sides[side.name].create
    for path, fixed in ((f"sides.{side.name}", create), *((f"routes.{route.id}", route.create) for route in routes)):
        for name, value in fixed.items():
            yield from examine_fixed(side, name, value, f"{path}.create")
    if not sources:
        return
    shared = [f for f in side.setup.fields.values() if side.name in f.natives and set(sources) & set(f.natives)]
    given = {*create, *side.items.supplied, *(native for f in shared for native in f.natives[side.name])}
    given |= set.intersection(*(set(route.create) for route in routes))
    given |= {side.items.fields[name].name for name in given if name in side.items.fields}
    # a slip in its name is told where it stands
    given |= {side.intended(name) for name in given if name not in side.items.fields}
    for field in side.items.fields.values():
        if field.required and field.name not in given:
            called = f" ({field.label})" if field.label and field.label != field.name else ""
            what = f"a new {side.name} needs {field.name}{called}, which the file does not supply"
            values = f" (it takes {listed(field.choices)})" if field.choices else ""
            example = next(iter(field.choices), "...")
            instead = f'write create = {{ {key(field.name)} = "{example}" }}{values}, or map it under [fields]'
            yield side.find("error", what, instead, f"sides.{side.name}.create")


def examine_fixed(side: Side, name: str, value: Native, path: str) -> Iterator[Finding]:
    known = side.items.fields.get(name)
    if known is None:
        if side.items.fields:
            yield side.find("error", no_field(side.setup, side.name, name), side.meant(name), f"{path}.{name}", path)
        return
    if isinstance(value, str) and value.startswith(MACRO):
        yield from examine_current(side, name, value, f"{path}.{name}", path)
        return
    for one in value if isinstance(value, tuple) else (value,):
        if one and known.choices and one not in known.choices:
            what = f'{name} of {side.name} has no value "{one}"'
            yield side.find("error", what, written_as(one, known.choices), f"{path}.{name}", path)
        elif one and known.refers:
            what = f'whether there is a {name} called "{one}" could not be checked: it is looked up when one is created'
            yield side.find("unknown", what, "", f"{path}.{name}", path)


def examine_current(side: Side, name: str, value: str, *paths: str) -> Iterator[Finding]:
    """``@current``: what is current of the tracker's default team could be asked for, of a named team it could not."""
    team = value.partition(" ")[2].strip()
    if team or name not in side.items.current:
        whose = f"of the team {team}" if team else "there"
        what = f"whether there is a current {name} {whose} could not be checked: it is looked up when one is created"
        yield side.find("unknown", what, "", *paths)
    elif not side.items.current[name]:
        what = f"there is no current {name} in {side.setup.sides[side.name].scope.project} today"
        instead = "give the default team one whose dates include today; until then what is to be opened is held"
        yield side.find("warning", what, instead, *paths)


def key(name: str) -> str:
    """A native name as a TOML key."""
    return name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'


def at(field: Field, side: str) -> tuple[str, ...]:
    return f"fields.{field.name}.{side}", f"fields.{field.name}"
