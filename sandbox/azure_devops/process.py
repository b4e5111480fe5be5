"""The processes Microsoft ships: work item types, their states with categories, and the reason each state brings."""

from __future__ import annotations

from dataclasses import dataclass

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
    """A work item type. Any state may follow any other: the shipped processes restrict values, not steps."""

    name: str
    states: tuple[State, ...]

    @property
    def reference(self) -> str:
        return "Microsoft.VSTS.WorkItemTypes." + self.name.replace(" ", "")

    def state(self, name: str) -> State | None:
        """A state by its name, in any case."""
        return next((state for state in self.states if state.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    types: tuple[Type, ...]

    @property
    def id(self) -> str:
        return guid("process", self.name)

    def type(self, name: str) -> Type | None:
        return next((one for one in self.types if one.name.lower() == name.lower()), None)


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

PROCESSES = {process.name: process for process in (SCRUM, AGILE, BASIC, CMMI)}
