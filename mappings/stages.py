"""Stages: where the work stands, what each side calls it, and whose word moves it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.calendar import Span
from mappings.conditions import Condition
from mappings.fields import digest_of


@dataclass(frozen=True, slots=True)
class Need:
    """Something that must be there before a stage is entered: a value of the declared field ``name``, or else what the
    condition ``when`` says. ``ask`` says it to the person who must see to it."""

    ask: str
    name: str = ""
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """``states`` are the native states per side that count as this stage, the first one written. ``with_state`` are
    the native fields that go with entering it, as templates over common values. ``target`` is business time.
    ``needs`` are the declared fields that must be filled in before the stage is entered, ``asks`` what else must be
    there, in the admin's own words. ``gate``: a move without them is put ``back``, or left where its people put it
    and the link with the others goes on once they are there (``hold``). ``id`` never changes and is
    the status's common value (the name where the file gives none); ``name`` is what people read.
    ``removed``: the item was taken out of the work, not done (a terminal stage): it counts only where all are."""

    name: str
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    move: str = ""
    decided_by: str = ""
    target: Span | None = None
    paused: bool = False
    terminal: bool = False
    with_state: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    id: str = ""
    removed: bool = False
    asks: tuple[Need, ...] = ()
    gate: str = "back"

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", self.name)


@dataclass(frozen=True, slots=True)
class StageMap:
    """The stages in the file's order; the order is the rank."""

    stages: tuple[Stage, ...]

    def get(self, id: str) -> Stage:
        """The stage of that id. One that is in the file no more has no states and is nobody's move: what stood in it
        stays readable."""
        found = next((stage for stage in self.stages if stage.id == id), None)
        return found or Stage(id)

    def rank(self, id: str) -> int:
        """The stage's place in the file; -1 where it is in it no more."""
        return next((i for i, stage in enumerate(self.stages) if stage.id == id), -1)

    def meanings(self, side: str, state: str) -> tuple[str, ...]:
        """The ids of the stages that a side's state may stand for, in the file's order; empty where it is unmapped."""
        return tuple(stage.id for stage in self.stages if state in stage.states.get(side, ()))

    def spelling(self, side: str, id: str) -> str | None:
        """The state a side is given for a stage; ``None`` where it has no word for it and keeps its own."""
        states = self.get(id).states.get(side, ())
        return states[0] if states else None

    def sides(self) -> frozenset[str]:
        """The sides that have a word for any stage."""
        return frozenset(side for stage in self.stages for side in stage.states)

    @property
    def digest(self) -> str:
        """Identifies what the states mean: it changes with ids and states, and not with names."""
        return digest_of([(stage.id, sorted(stage.states.items())) for stage in self.stages])
