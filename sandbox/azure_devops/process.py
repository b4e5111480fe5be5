"""The processes Microsoft ships: work item types, their states with categories, and the reason each state brings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sandbox.azure_devops.model import guid

_COLOURS = {
    "Proposed": "b2b2b2",
    "InProgress": "007acc",
    "Resolved": "ff9d00",
    "Completed": "339933",
    "Removed": "ffffff",
}


@dataclass(frozen=True, slots=True)
class State:
    """``reason`` is what System.Reason becomes when the state is entered; ``first_reason`` at creation."""

    name: str
    category: str
    reason: str

    @property
    def colour(self) -> str:
        return _COLOURS.get(self.category, "ffffff")


@dataclass(frozen=True, slots=True)
class Type:
    """A work item type. Any state may follow any other, for the shipped processes restrict values, not steps; but an
    inherited process may forbid steps: ``barred`` holds (from, to). ``home`` is the process of a custom type."""

    name: str
    states: tuple[State, ...]
    home: str = ""
    barred: frozenset[tuple[str, str]] = frozenset()

    @property
    def reference(self) -> str:
        return (self.home or "Microsoft.VSTS.WorkItemTypes") + "." + self.name.replace(" ", "")

    def allows(self, old: str, new: str) -> bool:
        return (old, new) not in self.barred

    def state(self, name: str) -> State | None:
        """A state by its name, in any case."""
        return next((state for state in self.states if state.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Process:
    """``parent`` is the shipped process that an inherited one builds on."""

    name: str
    types: tuple[Type, ...]
    parent: str = ""

    @property
    def id(self) -> str:
        return SHIPPED_IDS.get(self.name) or guid("process", self.name)

    def type(self, name: str) -> Type | None:
        return next((one for one in self.types if one.name.lower() == name.lower()), None)

    def categories(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Reference name to (name, types); types of an inherited process are in none until a backlog takes them."""
        found = {}
        for kind, members in _CATEGORIES.items():
            present = tuple(name for name in members if self.type(name) and self.in_category(kind, name))
            if present:
                found[f"Microsoft.{kind}Category"] = (f"{kind} Category", present)
        return found

    def in_category(self, kind: str, name: str) -> bool:
        """An Issue is a requirement in Basic alone."""
        return not (kind == "Requirement" and name == "Issue") or (self.parent or self.name) == "Basic"


#: the type ids of the shipped processes (Basic's is recorded)
SHIPPED_IDS = {
    "Agile": "adcc42ab-9882-485e-a3ed-7678f01f66bc",
    "Scrum": "6b724908-ef14-45cf-84f8-768b5384da45",
    "CMMI": "27450541-8e31-4150-9947-dc59f998fc01",
    "Basic": "b8a3a935-7e91-48b8-a94c-606d37c3e9f2",
}
_CATEGORIES = {
    "Epic": ("Epic",),
    "Feature": ("Feature",),
    "Requirement": ("Product Backlog Item", "User Story", "Requirement", "Issue"),
    "Bug": ("Bug",),
    "Task": ("Task",),
}


def inherited(parent: Process, name: str, text: str, barred: Iterable[tuple[str, str, str]] = ()) -> Process:
    """A process with types of its own besides its parent's. ``barred`` are steps that a rule forbids: (type, from,
    to), of types of either."""
    own = {one.name: replace(one, home=name.replace(" ", "")) for one in process_of(name, text).types}
    types = {one.name: one for one in parent.types} | own
    for type_name in {step[0] for step in barred}:
        steps = frozenset((old, new) for of, old, new in barred if of == type_name)
        types[type_name] = replace(types[type_name], barred=steps)
    return Process(name, tuple(types.values()), parent.name)


def process_of(name: str, text: str) -> Process:
    """Reads lines of ``type | state:category:reason, ...``; the first state is the initial one."""
    types = []
    for line in text.strip().splitlines():
        type_name, _, states = line.partition("|")
        parsed = tuple(State(*(part.strip() for part in state.split(":"))) for state in states.split(","))
        types.append(Type(type_name.strip(), parsed))
    return Process(name, tuple(types))


_REMOVED = "Removed:Removed:Removed from the backlog"
_DONE = f"Done:Completed:Work finished, {_REMOVED}"
_SCRUM_BACKLOG = (
    "Approved:Proposed:Approved by the Product Owner, Committed:InProgress:Commitment made by the team, "
    "Done:Completed:Work finished, Removed:Removed:Removed from the backlog"
)
_SCRUM_PORTFOLIO = f"In Progress:InProgress:Implementation started, {_DONE}"


SCRUM = process_of(
    "Scrum",
    f"""
Product Backlog Item | New:Proposed:New backlog item, {_SCRUM_BACKLOG}
Bug                  | New:Proposed:New defect reported, {_SCRUM_BACKLOG}
Task                 | To Do:Proposed:New task, In Progress:InProgress:Work started, {_DONE}
Feature              | New:Proposed:New feature, {_SCRUM_PORTFOLIO}
Epic                 | New:Proposed:New epic, {_SCRUM_PORTFOLIO}
Impediment           | Open:Proposed:New impediment, Closed:Completed:Impediment removed
""",
)

_AGILE = (
    "Active:InProgress:Implementation started, Resolved:Resolved:Code complete and unit tests pass, "
    "Closed:Completed:Acceptance tests pass, Removed:Removed:Removed from the backlog"
)

AGILE = process_of(
    "Agile",
    f"""
User Story | New:Proposed:New, {_AGILE}
Bug        | New:Proposed:New, Active:InProgress:Approved, Resolved:Resolved:Fixed, Closed:Completed:Verified
Task       | New:Proposed:New, Active:InProgress:Work started, Closed:Completed:Completed, {_REMOVED}
Feature    | New:Proposed:New, {_AGILE}
Epic       | New:Proposed:New, {_AGILE}
Issue      | Active:InProgress:New, Closed:Completed:Issue Resolved
""",
)

_BASIC = "To Do:Proposed:Added to backlog, Doing:InProgress:Started, Done:Completed:Completed"

BASIC = process_of("Basic", f"Issue | {_BASIC}\nTask | {_BASIC}\nEpic | {_BASIC}")

_CMMI = (
    "Active:InProgress:Accepted, Resolved:Resolved:Code complete and system test passed, "
    "Closed:Completed:Validation test passed"
)

CMMI = process_of(
    "CMMI",
    f"""
Requirement | Proposed:Proposed:New, {_CMMI}
Bug         | Proposed:Proposed:New, Active:InProgress:Approved, Resolved:Resolved:Fixed, Closed:Completed:Verified
Task        | Proposed:Proposed:New, {_CMMI}
Feature     | Proposed:Proposed:New, {_CMMI}
Epic        | Proposed:Proposed:New, {_CMMI}
Issue       | Proposed:Proposed:New, {_CMMI}
""",
)

#: a process as myTC has it: Scrum, and requests with states of their own (New and In Planning are its documents')
MYTC = inherited(
    SCRUM,
    "myTC",
    "Request | New:Proposed:New, In Planning:InProgress:Triage started, In Progress:InProgress:Work started, "
    "Done:Completed:Delivered, Rejected:Removed:Not our problem",
)

PROCESSES = {process.name: process for process in (SCRUM, AGILE, BASIC, CMMI)}
