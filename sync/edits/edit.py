"""An edit of the admin's file on a live state: what applies at once, what waits for ``apply``, and what putting it
into force changes in the state. Pure.

What changes the meaning of a spelling, a route or disclosure stays as it is in force; rules, recipients, reports and
guards are those of the edited file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mappings.routes import Route
from sync.config import ConfigProblems, made
from sync.config.problems import KeyPath, Report, label
from sync.config.reading import parse
from sync.edits.differ import Difference, differences
from sync.merging.status import STAGE
from sync.setup import Setup

if TYPE_CHECKING:
    from sync.store import Store

#: tables of which every key waits
WAITING = ("sides", "stages", "routes", "fields", "comments", "disclosure")
#: keys that wait in tables that else apply at once
TRACKER_WAITS = ("kind", "mark_fields")
PARTY_AT_ONCE = ("recipients", "calendar")

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edit:
    """A file that was edited since it was put into force. ``setup`` is the edited file whole, ``standing`` what is in
    force until it is applied, ``differences`` what differs, ``rules`` the ids of rules that wait because they name
    what is not in force yet."""

    setup: Setup
    standing: Setup
    differences: tuple[Difference, ...]
    rules: tuple[str, ...] = ()

    @property
    def waits(self) -> tuple[Difference, ...]:
        """The differences that are not in force yet."""
        return tuple(one for one in self.differences if one.waits)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a state must learn when an edited file comes into force. ``maps``: of each field (or the status) that now
    means something else, the digest of what it meant; ``anew``: sides to be read from their beginning; ``renamed``:
    sides that go by another name now; ``routes``: per opening side the routes that are new or mean something else;
    ``paths``: pairs of sides between which comments may cross now and could not before; ``carried``: routes whose
    links carry comments from before."""

    text: str
    sides: tuple[str, ...]
    maps: Mapping[str, str]
    anew: tuple[str, ...]
    renamed: Mapping[str, str]
    routes: Mapping[str, tuple[str, ...]]
    paths: tuple[tuple[str, str], ...]
    carried: tuple[str, ...]
    told: tuple[str, ...]


def waiting(setup: Setup, text: str) -> Edit | None:
    """What of the edited file ``setup`` waits, where ``text`` is the file in force; ``None`` where they mean the same.
    Raises ``ConfigProblems`` where the file in force can no longer be read, as when a secret that it names is gone."""
    if setup.page is None or setup.page.text == text:
        return None
    name = setup.page.path.name
    old, old_lines = parse(text.encode(), name)
    new, new_lines = parse(setup.page.text.encode(), name)
    standing, rules = stand(setup, old, new, {**old_lines, **new_lines})
    if not rules and meaning(standing) == meaning(setup):
        return None
    found = differences(old, new, new_lines, lambda path: waits(path, old, rules, new))
    return Edit(setup, standing, found, rules)


def at_once(setup: Setup, text: str | None) -> tuple[Difference, ...]:
    """What the edited file ``setup`` says otherwise than ``text``, the file in force, where nothing of it waits: the
    next pass works by it. Empty where they say the same, or nothing is in force yet."""
    if setup.page is None or text is None or setup.page.text == text:
        return ()
    name = setup.page.path.name
    old, _ = parse(text.encode(), name)
    new, lines = parse(setup.page.text.encode(), name)
    return differences(old, new, lines, lambda path: False)


def waits(path: KeyPath, old: Raw, rules: Sequence[str], new: Raw) -> bool:
    """Whether the key at ``path`` stays as it is in force."""
    table = path[0]
    if table in WAITING:
        return True
    if table == "trackers":
        return len(path) < 3 or path[2] in TRACKER_WAITS
    if table == "parties":
        return len(path) < 3 or path[2] not in PARTY_AT_ONCE
    at = path[1] if len(path) > 1 else None
    return table == "rules" and isinstance(at, int) and at < len(new["rules"]) and new["rules"][at].get("id") in rules


def stand(
    setup: Setup, old: Raw, new: Raw, positions: Mapping[KeyPath, tuple[int, int]]
) -> tuple[Setup, tuple[str, ...]]:
    """The setup in force under an edited file, checked by the same loader, and the rules that must wait. A rule that
    names what is not in force yet keeps its former wording, if that can stand."""
    assert setup.page is not None
    raw = overlay(old, new)
    former = {rule.get("id"): rule for rule in old.get("rules", ())}
    late: list[str] = []
    while True:
        report = Report(f"{setup.page.path.name} (as it is in force)", raw, positions)
        try:
            standing, _ = made(report, setup.page, setup.digest)
            return replace(standing, lines={**standing.lines, **setup.lines}), tuple(dict.fromkeys(late))
        except ConfigProblems as problems:
            at_fault = rules_at_fault(problems, raw)
            if not at_fault and (sound := reports_not_at_fault(problems, raw)) is not None:
                raw = {**raw, "reports": sound}
                continue
            if not at_fault:
                raise
        again = {id: former[id] for id in at_fault if id in former and id not in late}
        sound = [rule for rule in raw["rules"] if rule["id"] not in at_fault or rule["id"] in again]
        raw = {**raw, "rules": [again.get(rule["id"], rule) for rule in sound]}
        late += at_fault


def rules_at_fault(problems: ConfigProblems, raw: Raw) -> tuple[str, ...]:
    """The ids of the rules that the problems lie in; empty where one lies elsewhere."""
    places = {label(("rules", place), raw): rule["id"] for place, rule in enumerate(raw.get("rules", ()))}
    found: list[str] = []
    for problem in problems.problems:
        key = f"{problem.key}."
        at = next((id for place, id in places.items() if key.startswith((f"{place}.", f"{place}["))), None)
        if at is None:
            return ()
        found.append(at)
    return tuple(dict.fromkeys(found))


def reports_not_at_fault(problems: ConfigProblems, raw: Raw) -> list[Raw] | None:
    """The reports that can be made as the file stands in force; ``None`` where a problem lies elsewhere. The others,
    which name what is not in force yet, come with it."""
    said = raw.get("reports", ())
    places = {label(("reports", place), raw): place for place in range(len(said))}
    keys = [f"{problem.key}." for problem in problems.problems]
    wrong = [next((at for name, at in places.items() if key.startswith((f"{name}.", f"{name}["))), -1) for key in keys]
    return None if -1 in wrong else [one for place, one in enumerate(said) if place not in wrong]


def overlay(old: Raw, new: Raw) -> dict[str, Any]:
    """The tables of the file in force, with those of the edited one that apply at once."""
    raw = {table: value for table, value in new.items() if table not in WAITING}
    raw |= {table: old[table] for table in WAITING if table in old}
    raw["trackers"] = {name: tracker(said, new.get("trackers", {}).get(name)) for name, said in old["trackers"].items()}
    raw["parties"] = dict(parties(old.get("parties", {}), new.get("parties", {})))
    zones = [file.get("bot", {}).get("timezone", "UTC") for file in (old, new)]
    if "routes" in old and zones[0] != zones[1]:
        raw["routes"] = [anchored(route, zones[0]) for route in old["routes"]]
    return raw


def tracker(old: Raw, new: Raw | None) -> Raw:
    """A tracker as it is reached now. Another kind is another tracker: it comes with the sides that need it."""
    if new is None or new.get("kind") != old.get("kind"):
        return old
    kept = {key: value for key, value in old.items() if key in TRACKER_WAITS}
    return {**{key: value for key, value in new.items() if key not in TRACKER_WAITS}, **kept}


def parties(old: Raw, new: Raw) -> Iterator[tuple[str, Raw]]:
    """Whose move it is stays, where they are reached is new."""
    for name, said in {**new, **old}.items():
        edited = new.get(name, said)
        kept = {key: value for key, value in said.items() if key not in PARTY_AT_ONCE} if name in old else {}
        yield name, {**kept, **{key: edited[key] for key in PARTY_AT_ONCE if key in edited}}


def anchored(route: Raw, zone: str) -> Raw:
    """A route whose date means what it did before the file's zone was edited."""
    since = route.get("since")
    if isinstance(since, str):
        since = datetime.fromisoformat(since) if len(since) > 10 else date.fromisoformat(since)
    if since is None:
        return route
    at = since if isinstance(since, datetime) else datetime.combine(since, time())
    return {**route, "since": at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))}


def meaning(setup: Setup) -> tuple[object, ...]:
    """Everything in a setup that waits for ``apply``."""
    used = {side.tracker for side in setup.sides.values()}
    kinds = {name: at.kind for name, at in setup.trackers.items() if name in used}
    people = [(p.name, p.sides, p.members, p.requester) for p in setup.parties]
    return (
        *(list(setup.sides.items()), setup.stages, setup.routes, setup.fields),
        *(setup.paths, setup.masks, setup.siblings, setup.deletions, kinds, people),
    )


# ── coming into force ────────────────────────────────────────────────────────────────────────────────────────────


def turn(edit: Edit) -> Turn:
    """What the state must learn when the edit comes into force."""
    old, new = edit.standing, edit.setup
    assert new.page is not None
    renamed = sides_renamed(old, new)
    former = {renamed.get(name, name): side for name, side in old.sides.items()}
    anew = tuple(
        name
        for name, side in new.sides.items()
        if name not in former or replace(former[name].scope, **not_scope(side.scope)) != side.scope
    )
    return Turn(
        text=new.page.text,
        sides=tuple(new.sides),
        maps=dict(maps_changed(old, new)),
        anew=anew,
        renamed=renamed,
        routes=routes_changed(old, new, anew),
        paths=tuple(dict.fromkeys(paths_added(old, new, renamed))),
        carried=tuple(route.id for route in new.routes if route.history),
        told=tuple(one.text for one in edit.waits),
    )


def not_scope(scope: Any) -> dict[str, Any]:
    """The parts of a scope that do not say which items are in it."""
    kept = ("side", "mark", "fields", "keys_field", "mark_field", "mark_fields", "page")
    return {name: getattr(scope, name) for name in kept}


def sides_renamed(old: Setup, new: Setup) -> dict[str, str]:
    """Sides of the file in force that go by another name in the edited one: the same items in the same place."""
    lost = [side for name, side in old.sides.items() if name not in new.sides]
    found = [side for name, side in new.sides.items() if name not in old.sides]
    pairs = {was.name: [to.name for to in found if place(to) == place(was)] for was in lost}
    return {was: names[0] for was, names in pairs.items() if len(names) == 1}


def place(side: Any) -> tuple[object, ...]:
    return (side.tracker, side.scope.table, side.scope.project, side.scope.types, side.scope.where)


def maps_changed(old: Setup, new: Setup) -> Iterator[tuple[str, str]]:
    """Fields whose spellings mean something else now, and the status likewise, each with the digest of before."""
    for name, field in old.fields.items():
        if name in new.fields and new.fields[name].digest != field.digest:
            yield name, field.digest
    if old.stages.digest != new.stages.digest:
        yield STAGE, old.stages.digest


def routes_changed(old: Setup, new: Setup, anew: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Per opening side the routes that may now want items which were none of their business before: new ones, those
    that say something else, and those whose condition or scope means something else."""
    former = {route.id: what_opens(route) for route in old.routes}
    moved = dict(maps_changed(old, new))
    found: dict[str, tuple[str, ...]] = {}
    for route in new.routes:
        condition = new.conditions.get(route.id)
        names = condition.names if condition else ()
        if former.get(route.id) != what_opens(route) or route.source in anew or any(name in moved for name in names):
            found[route.source] = (*found.get(route.source, ()), route.id)
    return found


def what_opens(route: Route) -> tuple[object, ...]:
    """What decides whether a route opens something."""
    return (route.source, route.opens, route.when, route.since, route.by)


def paths_added(old: Setup, new: Setup, renamed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of sides between which a comment may cross that could not before."""

    def named(side: str) -> str:
        return renamed.get(side, side)

    before = {
        (named(path.source.side), path.source.name, named(target.side), target.name)
        for path in old.paths
        for target in path.targets
    }
    for path in new.paths:
        for target in path.targets:
            if (path.source.side, path.source.name, target.side, target.name) not in before:
                yield path.source.side, target.side
    if new.siblings and not old.siblings:
        yield from ((path.source.side, path.source.side) for path in new.paths)


def keep(store: Store, setup: Setup, edit: Edit | None) -> None:
    """From the first pass on, a file of which nothing waits is the one in force."""
    if edit is None and setup.page is not None and store.in_force() != setup.page.text:
        store.keep_in_force(setup.page.text)


def take(store: Store, edit: Edit, now: datetime) -> int:
    """Puts the edited file into force in one commit: its text, and what the state must learn. Every linked item is
    looked at again, and every unlinked one that a new or changed route may want. Returns how many. The engine is then
    to be made anew (``compose.recompose``)."""
    return store.put_in_force(turn(edit), now)
