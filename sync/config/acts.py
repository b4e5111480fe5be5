"""What a rule's step does in the trackers: whom it assigns an item to, by which route it opens, which stage it sets."""

from __future__ import annotations

from mappings.fields import Common
from mappings.roster import Person, word_of
from sync.config.desk import Desk
from sync.config.problems import KeyPath
from sync.config.recipients import recipient
from sync.config.tables.rules import AssignTable
from sync.setup import Assignment


def assignment(desk: Desk, at: KeyPath, said: AssignTable | None) -> Assignment | None:
    """Somebody of the roster with an account where the side lives."""
    if said is None:
        return None
    known = desk.known("sides", said.on, (*at, "on"))
    recipient(desk, (*at, "to"), said.to, mailed=False)
    if known and said.on in desk.file.sides:
        if desk.file.sides[said.on].under:
            what = f"{said.on} are tasks, which Lockstep never writes"
            desk.report.wrong((*at, "on"), what, "name a side that links are made of")
        else:
            reachable(desk, (*at, "to"), said.to, desk.file.sides[said.on].tracker)
    return Assignment(said.on, said.to)


def reachable(desk: Desk, at: KeyPath, text: str, tracker: str) -> None:
    """Whether anybody who may be meant has an account there; of those whom a field decides, only the work can tell."""
    people = known_people(desk, text)
    able = [one for one in people if one.accounts.get(tracker) and not one.oversight]
    if people and not able:
        what = f'"{text}" means nobody who has an account in {tracker}'
        desk.report.wrong(at, what, f"write it into the column {tracker} of the roster, or name another")


def known_people(desk: Desk, text: str) -> tuple[Person, ...]:
    """Whom a recipient means whatever the work says; nobody where a field decides."""
    word = word_of(text, desk.names["parties"], desk.roster)
    if word is None:
        return ()
    match word.kind:
        case "address":
            return desk.roster.at(word.name)
        case "person":
            return desk.roster.named(word.name)
        case "party":
            return desk.roster.of_party(word.name)
        case "role":
            return desk.roster.in_role(word.name)
        case "oversight":
            return desk.roster.oversight
    return ()


def opening(desk: Desk, at: KeyPath, name: str) -> str:
    """The route that a step opens by."""
    if name and desk.known("routes", name, at):
        follows = any(route.id == name and route.follow for route in desk.file.routes)
        if follows:
            desk.report.wrong(at, f"the route {name} follows, and opens nothing", "name a route that opens")
    return name


def stage(desk: Desk, at: KeyPath, value: Common) -> Common:
    """A stage that a step sets, by its id."""
    if not isinstance(value, str):
        desk.report.wrong(at, "a stage is called by its name", 'write stage = "..."')
        return None
    desk.known("stages", value, at)
    return value
