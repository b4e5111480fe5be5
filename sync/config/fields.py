"""Fields: what they are called on each side, whose word counts, how values are spelled, checked and resolved."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.fields import Field, Spelling, ValueRow
from mappings.model import BESIDE, Native
from sync.config.desk import RULE_WORDS, Desk, sound_name
from sync.config.keys import native_names, side_key, some_side
from sync.config.problems import KeyPath, choice, quoted
from sync.config.tables.process import FieldTable
from sync.config.tables.process import ValueRow as RowTable


def fields(desk: Desk) -> dict[str, Field]:
    """Every declared field with its value map."""
    made = {name: declared(desk, name, said) for name, said in desk.file.fields.items()}
    claimed: dict[tuple[str, str], str] = {}
    for name, field in made.items():
        for side, natives in field.natives.items():
            for native in natives:
                if (other := claimed.setdefault((side, native), name)) != name:
                    what = f"{native} of {side} is also what {other} stands for"
                    desk.report.warn(("fields", name, side), what, "map it once")
    return made


def declared(desk: Desk, name: str, said: FieldTable) -> Field:
    """One field; a native name that can only be read makes its side the owner."""
    path: KeyPath = ("fields", name)
    field_name(desk, path, name)
    natives = {side: tuple(words) for side, words in native_names(desk, path, said).items()}
    if not natives and not said.from_:
        desk.report.wrong(path, "no side has this field", f'write {some_side(desk)} = "..."')
    ownership(desk, path, said, natives)
    counted(desk, path, name, said)
    for side, words in natives.items():
        if len(words) > 1 and not said.values:
            what = f"several native fields for one meaning need a value map ({quoted(words)})"
            spelled = ", ".join(f"{word} = ..." for word in words)
            desk.report.wrong((*path, side), what, f"write values = [{{ is = ..., {side} = {{ {spelled} }} }}]")
        computed(desk, path, name, side, said, natives)
    owner = read_beside(desk, path, said, natives)
    rows = tuple(row(desk, (*path, "values", i), name, said, r, natives) for i, r in enumerate(said.values))
    repeated(desk, path, rows)
    owned = owner or said.owner, said.exclusive or bool(owner), tuple(said.prefer)
    return Field(name, said.type, natives, *owned, rows, said.label, desk.zone, said.from_)


def read_beside(desk: Desk, path: KeyPath, said: FieldTable, natives: Mapping[str, tuple[str, ...]]) -> str:
    """The side on which the field can only be read, if there is one: its word alone counts."""
    found = [(side, one) for side, words in natives.items() for one in words if one.startswith(BESIDE)]
    for side, native in found:
        kind = desk.kind_of(side)
        if kind and native not in kind.beside:
            what = f"{side} has nothing called {native} to read"
            instead = f"name one of {quoted(kind.beside)}" if kind.beside else "name a field"
            desk.report.wrong((*path, side), what, instead)
        elif len(natives[side]) > 1:
            desk.report.wrong((*path, side), f"{native} stands alone", "leave out the others")
        elif said.owner not in ("", side):
            what = f"{native} can only be read on {side}, so nobody else can own it"
            desk.report.wrong((*path, "owner"), what, f'write owner = "{side}", or leave the key out')
    if len({side for side, _ in found}) > 1:
        what = f"{quoted(side for side, _ in found)} can each only be read, so none can be told the other's value"
        desk.report.wrong(path, what, "declare a field for each")
    return found[0][0] if found else ""


def counted(desk: Desk, path: KeyPath, name: str, said: FieldTable) -> None:
    """A field that Lockstep counts is nobody's word, and is counted from something that people say."""
    at: KeyPath = (*path, "from")
    if not said.from_:
        return
    sides, fields = desk.names["sides"], desk.names["fields"]
    if said.from_ in sides and said.type != "integer":
        what = f"the items of {said.from_} are counted, which makes a whole number"
        desk.report.wrong(at, what, 'write type = "integer"')
    elif said.from_ not in (*sides, *fields):
        names = (*fields, *sides)
        desk.report.wrong(at, f'there is no field or side "{said.from_}"', choice(said.from_, names, "names"))
    elif said.from_ in desk.file.fields and (said.from_ == name or desk.file.fields[said.from_].from_):
        desk.report.wrong(at, f"{said.from_} is counted itself", "name a field that people fill in")
    elif said.type not in ("integer", "list", "text"):
        instead = 'write type = "integer" to count the values, or "list" or "text" to name them'
        desk.report.wrong((*path, "type"), f"what is counted is no {said.type}", instead)
    for key in ("owner", "exclusive", "prefer", "values"):
        if getattr(said, key):
            desk.report.wrong((*path, key), f"{name} is counted by Lockstep, so that it is nobody's word", "remove it")


def field_name(desk: Desk, path: KeyPath, name: str) -> None:
    if not sound_name(name):
        what = "a field's name is letters, digits and _, begins with a letter, and is no word of conditions"
        desk.report.wrong(path, what, "rename it")
    elif name in ("stage", *RULE_WORDS, *desk.names["sides"]):
        desk.report.wrong(path, f"{name} means something else in texts and conditions", "rename the field")


def ownership(desk: Desk, path: KeyPath, said: FieldTable, natives: Mapping[str, object]) -> None:
    """Whose word counts: only sides that have the field can be named."""
    named = [((*path, "owner"), said.owner)] if said.owner else []
    for at, side in (*named, *(((*path, "prefer", i), side) for i, side in enumerate(said.prefer))):
        if desk.known("sides", side, at) and side not in natives:
            desk.report.wrong(at, f"{side} does not have this field", f"name one of {quoted(natives)}")
    if said.exclusive and not said.owner:
        desk.report.wrong((*path, "exclusive"), "an exclusive field needs an owner", 'write owner = "..."')
    if said.owner and said.prefer:
        desk.report.warn((*path, "prefer"), "the owner's word counts before any order", "remove owner or prefer")


def computed(
    desk: Desk, path: KeyPath, name: str, side: str, said: FieldTable, natives: Mapping[str, tuple[str, ...]]
) -> None:
    """Warns of a field the tracker computes by itself, where another side or a rule could have us write it."""
    kind = desk.kind_of(side)
    advice = [kind.computed[native] for native in natives[side] if kind and native in kind.computed]
    only_read = (said.exclusive and said.owner == side) or len(natives) == 1
    set_by_rule = any(name in step.set for rule in desk.file.rules for step in rule.steps)
    if advice and (set_by_rule or not only_read):
        desk.report.warn((*path, side), *advice[0])


def row(
    desk: Desk, path: KeyPath, name: str, said: FieldTable, row: RowTable, natives: Mapping[str, tuple[str, ...]]
) -> ValueRow:
    """One line of a value map."""
    spellings = {}
    for side, ways in (row.__pydantic_extra__ or {}).items():
        if side in natives:
            spelled = [spelling(desk, (*path, side), side, way, natives[side]) for way in ways]
            spellings[side] = tuple(s for s in spelled if s)
        elif side in desk.names["sides"]:
            what = f"the field {name} is not declared on {side}"
            desk.report.wrong((*path, side), what, f'write {side} = "..." above')
        else:
            side_key(desk, path, side)
    if said.type == "list":
        desk.report.wrong(path[:-1], "a list has no value map", "remove it, or make the field a text")
        return ValueRow(None, spellings)
    return ValueRow(desk.value(name, said, row.is_, (*path, "is")), spellings)


def spelling(
    desk: Desk, path: KeyPath, side: str, way: str | Mapping[str, Native], natives: tuple[str, ...]
) -> Spelling | None:
    """One way a side spells a value: every native field of the side, in the order they were declared."""
    if isinstance(way, str):
        if len(natives) == 1:
            return ((natives[0], way),)
        pairs = ", ".join(f"{native} = ..." for native in natives)
        desk.report.wrong(path, f"{side} spells this in {len(natives)} fields", f"write {{ {pairs} }}")
        return None
    if set(way) != set(natives):
        odd = sorted(set(way) ^ set(natives))
        pairs = ", ".join(f"{native} = ..." for native in natives)
        desk.report.wrong(path, f"{quoted(odd)} does not fit what is declared for {side}", f"write {{ {pairs} }}")
        return None
    return tuple((native, way[native]) for native in natives)


def repeated(desk: Desk, path: KeyPath, rows: tuple[ValueRow, ...]) -> None:
    seen: list[object] = []
    for place, line in enumerate(rows):
        if line.means is not None and line.means in seen:
            shown = f'"{line.means}"' if isinstance(line.means, str) else str(line.means)
            what = f"is = {shown} stands above already"
            desk.report.wrong((*path, "values", place, "is"), what, "put its spellings into one line, as a list")
        seen.append(line.means)
