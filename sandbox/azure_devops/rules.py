"""The rules of work item types: what a write may set, what it brings with it, and what it must not lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure_devops.errors import (
    NOT_IN_LIST,
    READ_ONLY,
    REQUIRED,
    TOO_LONG,
    Broken,
    Problem,
    no_field,
    no_project,
    no_type,
    rules_broken,
)
from sandbox.azure_devops.fields import SYSTEM, WORK, Field, work_fields
from sandbox.azure_devops.model import Person, Project, joined, tags_of
from sandbox.azure_devops.nodes import AREA, ITERATION, Nodes
from sandbox.azure_devops.patch import Wanted
from sandbox.azure_devops.process import Process, State, Type
from sandbox.azure_devops.values import Unfit, coerced, wire

#: fields whose own rules follow below
_SPECIAL = frozenset(
    "System.TeamProject System.WorkItemType System.State System.Reason System.AreaPath System.IterationPath".split()
)


@dataclass
class Rules:
    """The organisation's definitions. ``needs`` are custom rules: (type, state) to the fields it requires; ``people``
    finds an identity by any of its spellings; ``custom`` fields are on every type."""

    projects: Mapping[str, Project]
    people: Callable[[str], Person | None]
    custom: Mapping[str, Field]
    needs: Mapping[tuple[str, str], tuple[str, ...]]
    processes: Mapping[str, Process]
    nodes: Nodes

    def __post_init__(self) -> None:
        self.fields = {**SYSTEM, **WORK, **self.custom}
        self.names = {f.reference.lower(): f for f in self.fields.values()}
        self.names |= {f.name.lower(): f for f in self.fields.values() if f.name.lower() not in self.names}

    def find(self, name: str) -> Field:
        """A field by reference or friendly name, in any case. Raises TF51535."""
        found = self.names.get(name.lower())
        if found is None:
            raise no_field(name)
        return found

    def project(self, name: str) -> Project:
        """A project by name or id. Raises TF200016."""
        for project in self.projects.values():
            if name.lower() in (project.name.lower(), project.id):
                return project
        raise no_project(name)

    def process(self, project: Project) -> Process:
        return self.processes[project.process]

    def type(self, project: Project, name: str) -> Type:
        found = self.process(project).type(name)
        if found is None:
            raise no_type(name, project.name)
        return found

    def on_type(self, type_name: str) -> tuple[Field, ...]:
        """The fields of a work item type, system fields first."""
        return (*SYSTEM.values(), *(WORK[name] for name in work_fields(type_name)), *self.custom.values())

    def applied(self, old: Mapping[str, Any], wanted: Wanted, at: str, *, bypass: bool = False) -> dict[str, Any]:
        """The fields after a write. ``old`` is empty for a new item but for its project and type; ``at`` is the wire
        date of the write. Raises ``Problem``; with ``bypass`` rules on values are not enforced."""
        write = _Write(self, old, dict(old), wanted, at, bypass)
        write.run()
        if write.broken and not bypass:
            raise rules_broken(write.broken)
        return {name: value for name, value in write.new.items() if value not in (None, "")}


@dataclass
class _Write:
    rules: Rules
    old: Mapping[str, Any]
    new: dict[str, Any]
    wanted: Wanted
    at: str
    bypass: bool
    broken: list[Broken] = field(default_factory=list)

    def run(self) -> None:
        self.place()
        self.take_values()
        self.take_state()
        self.require()

    def fail(self, reference: str, code: tuple[int, str], message: str = "") -> None:
        self.broken.append(Broken(reference, self.rules.fields[reference].name, code, message))

    def place(self) -> None:
        """Project, type, area and iteration: a move to another project takes the item to that project's root."""
        asked = self.wanted.fields
        project = self.rules.project(str(asked.get("System.TeamProject") or self.old["System.TeamProject"]))
        self.type = self.rules.type(project, str(asked.get("System.WorkItemType") or self.old["System.WorkItemType"]))
        self.new |= {"System.TeamProject": project.name, "System.WorkItemType": self.type.name}
        for name, structure in (("System.AreaPath", AREA), ("System.IterationPath", ITERATION)):
            moved = self.old["System.TeamProject"] != project.name
            path = str(asked.get(name) or ("" if moved else self.old.get(name)) or project.name).strip("\\")
            node = self.rules.nodes.find(project, structure, path)
            if node is None:
                text = f"TF401347: Invalid tree name given for work item -1, field '{name}'."
                raise Problem(400, text, "WorkItemTrackingTreeNodeNotFoundException")
            self.new[name] = node.path

    def take_values(self) -> None:
        known = {field.reference for field in self.rules.on_type(self.type.name)}
        for name, value in self.wanted.fields.items():
            definition = self.rules.fields[name]
            if name not in known:
                raise no_field(name)
            if definition.kept and not (self.bypass and name.startswith("System.C")):
                self.fail(name, READ_ONLY)
            elif name not in _SPECIAL:
                self.take_value(definition, value)

    def take_value(self, definition: Field, value: Any) -> None:
        markdown = self.wanted.formats.get(definition.reference) == "markdown"
        try:
            if definition.identity:
                value = self.identity(definition, value)
            elif definition.reference == "System.Tags":
                value = self.tags(value)
            else:
                value = coerced(definition, value, markdown)
        except Unfit as unfit:
            return self.fail(definition.reference, unfit.code)
        if definition.values and value is not None and str(value).lower() not in (v.lower() for v in definition.values):
            return self.fail(definition.reference, NOT_IN_LIST)
        self.new[definition.reference] = value

    def identity(self, definition: Field, value: Any) -> Any:
        """An identity is written as a text that names it (or as an IdentityRef); it must be known."""
        spelled = value.get("uniqueName") if isinstance(value, dict) else value
        if not spelled:
            return None
        person = self.rules.people(str(spelled))
        if person is None:
            text = f"The identity value '{spelled}' for field '{definition.name}' is an unknown identity."
            self.fail(definition.reference, NOT_IN_LIST, text)
            return str(spelled)
        return person.unique_name

    def tags(self, value: Any) -> str:
        tags = tags_of(str(value or ""))
        if any(len(tag) > 400 for tag in tags):
            raise Unfit(TOO_LONG)
        return joined(tags)

    def take_state(self) -> None:
        asked = self.wanted.fields.get("System.State")
        state = self.type.state(str(asked or self.old.get("System.State") or self.type.states[0].name))
        born_elsewhere = not self.old.get("System.State") and state is not self.type.states[0] and not self.bypass
        if state is None and self.bypass:
            self.new["System.State"] = str(asked)
            return None
        if state is None or born_elsewhere or self.barred(state):
            return self.fail("System.State", NOT_IN_LIST)
        reason = self.wanted.fields.get("System.Reason")
        if state.name != self.old.get("System.State"):
            self.new["System.State"] = state.name
            self.new["System.Reason"] = str(reason or state.reason)
            self.new["Microsoft.VSTS.Common.StateChangeDate"] = self.at
            self.close(state)
        elif reason:
            self.new["System.Reason"] = str(reason)
        return None

    def barred(self, state: State) -> bool:
        """Whether a rule of an inherited process forbids the step."""
        old = str(self.old.get("System.State") or state.name)
        return not self.bypass and not self.type.allows(old, state.name)

    def close(self, state: State) -> None:
        """The date of closing comes with a completed state and goes with the next (vendor's examples)."""
        self.new["Microsoft.VSTS.Common.ClosedDate"] = self.at if state.category == "Completed" else None

    def require(self) -> None:
        state = str(self.new.get("System.State", ""))
        for name in ("System.Title", *self.rules.needs.get((self.type.name, state), ())):
            if self.new.get(name) in (None, ""):
                self.fail(name, REQUIRED)


def first_values(rules: Rules, project: Project, type_: Type) -> dict[str, Any]:
    """What a new item starts with before anything is written."""
    defaults = {field.reference: field.default for field in rules.on_type(type_.name) if field.default is not None}
    return {"System.TeamProject": project.name, "System.WorkItemType": type_.name, **defaults}


__all__ = ["Rules", "first_values", "wire"]
