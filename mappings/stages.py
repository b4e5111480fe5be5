"""Stages: where the work stands, what each side calls it, and whose word moves it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.calendar import Span


@dataclass(frozen=True, slots=True)
class Stage:
    """``states`` are the native states per side that count as this stage, the first one written. ``with_state`` are
    the native fields that go with entering it, as templates over common values. ``target`` is business time."""

    name: str
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    move: str = ""
    decided_by: str = ""
    target: Span | None = None
    paused: bool = False
    terminal: bool = False
    with_state: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageMap:
    """The stages in the file's order; the order is the rank."""

    stages: tuple[Stage, ...]

    def get(self, name: str) -> Stage:
        """The stage of that name. Raises ``KeyError``."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def rank(self, name: str) -> int:
        return next(i for i, stage in enumerate(self.stages) if stage.name == name)

    def meanings(self, side: str, state: str) -> tuple[str, ...]:
        """The stages that a side's state may stand for, in the file's order; empty where it is unmapped."""
        return tuple(stage.name for stage in self.stages if state in stage.states.get(side, ()))

    def spelling(self, side: str, name: str) -> str | None:
        """The state a side is given for a stage; ``None`` where it has no word for it and keeps its own."""
        states = self.get(name).states.get(side, ())
        return states[0] if states else None

    def sides(self) -> frozenset[str]:
        """The sides that have a word for any stage."""
        return frozenset(side for stage in self.stages for side in stage.states)
