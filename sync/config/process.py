"""What things mean: stages, routes and fields, checked and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from mappings.conditions import Condition, comparisons
from mappings.fields import Field, Spelling, ValueRow
from mappings.model import BESIDE, Native
from mappings.routes import Route
from mappings.stages import Need, Stage, StageMap
from sync.config import openings
from sync.config.desk import RULE_WORDS, Desk, sound_name
from sync.config.problems import KeyPath, choice, quoted, stray
from sync.config.shape import known_keys
from sync.config.tables.process import FieldTable, RouteTable, StageTable
from sync.config.tables.process import ValueRow as RowTable

#: keys of a route that mean something where nothing is opened
FOLLOWING = frozenset({"id", "from_", "open", "follow", "when", "since", "join"})


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


def once(desk: Desk, table: str, key: str, names: list[str]) -> None:
    """Ids and names must differ."""
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if first.setdefault(name, place) != place:
            line, _ = desk.report.position(desk.report.origin((table, first[name], key)))
            desk.report.wrong((table, place, key), f'"{name}" stands in line {line} already', "give it another")


def stage(desk: Desk, path: KeyPath, said: StageTable) -> Stage:
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


def some_side(desk: Desk) -> str:
    return desk.names["sides"][0] if desk.names["sides"] else "side"


def native_names(desk: Desk, path: KeyPath, said: StageTable | FieldTable) -> dict[str, list[str]]:
    """What the keys named after sides say; any other key is a slip."""
    found: Mapping[str, list[str]] = said.__pydantic_extra__ or {}
    return {side: words for side, words in found.items() if side_key(desk, path, side)}


def side_key(desk: Desk, path: KeyPath, key: str) -> bool:
    if key in desk.names["sides"]:
        return True
    desk.report.wrong((*path, key), *stray(key, desk.names["sides"], known_keys(path)))
    return False


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


def routes(desk: Desk) -> tuple[tuple[Route, ...], dict[str, Condition]]:
    """The routes and their conditions by route id."""
    once(desk, "routes", "id", [said.id for said in desk.file.routes])
    made, conditions = [], {}
    for place, said in enumerate(desk.file.routes):
        path: KeyPath = ("routes", place)
        made.append(route(desk, path, said))
        if compiled := desk.condition(said.when, (*path, "when")):
            conditions[said.id] = compiled
    return tuple(made), conditions


def route(desk: Desk, path: KeyPath, said: RouteTable) -> Route:
    opens_or_follows(desk, path, said)
    for key, side in (("from", said.from_), *((("open", said.open),) if said.open else ())):
        desk.known("sides", side, (*path, key))
        if side in desk.file.sides and desk.file.sides[side].under:
            what = f"{side} are tasks: tasks are opened by nobody, and open nothing"
            desk.report.wrong((*path, key), what, "name a side that links are made of")
    if said.from_ == said.open:
        desk.report.wrong((*path, "open"), "a side does not open itself", "name another side")
    since = instant(desk, (*path, "since"), said.since) if said.since else None
    matched(desk, path, said)
    return Route(
        said.id,
        said.from_,
        said.open,
        said.when or "",
        since,
        said.history == "all",
        match=tuple(said.match),
        parent=said.join.parent,
        problem=said.join.problem,
        mention=mention(desk, path, said),
        mention_in=tuple(said.join.in_),
        reopen=said.reopen,
        by=openings.by_rule(desk, path, said),
        create=openings.created(desk, (*path, "create"), said.open, said.create),
        tasks=openings.tasks(desk, path, said),
        relate=openings.related(desk, path, said),
    )


def opens_or_follows(desk: Desk, path: KeyPath, said: RouteTable) -> None:
    """A route either opens a side or follows its item alone; what only a counterpart has stands beside ``open``."""
    if not said.open and not said.follow:
        what, instead = "says neither what it opens nor that it follows", 'write open = "...", or follow = true'
        desk.report.wrong(path, what, instead)
    elif said.open and said.follow:
        what, instead = "opens and follows at once", "remove open or follow: what is opened is followed anyway"
        desk.report.wrong((*path, "follow"), what, instead)
    if not said.follow or said.open:
        return
    for key in sorted(said.model_fields_set - FOLLOWING):
        desk.report.wrong((*path, key), "means nothing where nothing is opened", f"remove {key}, or write open")


def mention(desk: Desk, path: KeyPath, said: RouteTable) -> str:
    """What becomes of an item that mentions a linked one: nothing where the route names no field to look in."""
    at: KeyPath = (*path, "join", "in")
    for place, name in enumerate(said.join.in_):
        if desk.known("fields", name, (*at, place)) and desk.file.fields[name].type != "text":
            desk.report.wrong((*at, place), f"{name} is no text, so nothing is mentioned in it", "name a text field")
    if said.join.mention == "join" and not said.join.in_:
        what = 'mention = "join" counts in named fields only'
        desk.report.wrong((*path, "join", "mention"), what, 'write in = ["summary"] beside it')
    return said.join.mention if said.join.in_ and said.join.mention != "none" else ""


def matched(desk: Desk, path: KeyPath, said: RouteTable) -> None:
    """The fields that find a counterpart: each must be readable on one of the route's sides at least."""
    for place, name in enumerate(said.match):
        at: KeyPath = (*path, "match", place)
        if not desk.known("fields", name, at) or name in desk.doubtful:
            continue
        if not {said.from_, said.open} & set(desk.file.fields[name].__pydantic_extra__ or {}):
            what = f"neither {said.from_} nor {said.open} has the field {name}, so it can name no counterpart"
            desk.report.wrong(at, what, f'write {said.open} = "..." in [fields.{name}]')


def instant(desk: Desk, path: KeyPath, said: datetime | date) -> datetime | None:
    """A date or time of the file in UTC; without an offset it is the bot's own zone's."""
    at = said if isinstance(said, datetime) else datetime.combine(said, time())
    try:
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(desk.zone))).astimezone(UTC)
    except (OverflowError, ValueError):
        desk.report.wrong(path, "is not a date we can reckon with", 'write since = "2026-11-01"')
        return None


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
