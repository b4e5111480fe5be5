"""Puts a mutant into the modules as they are imported. Nothing is written: neither a source nor bytecode."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

from tests.simulation.mutants.mutant import Broken, Edit, Mutant, patched

#: what a mutant may change; none of it may be imported before
OURS = ("bot", "connectors", "mappings", "sync")


class Grafted(SourceFileLoader):
    """Loads one module with its edits, past the cache of bytecode."""

    def __init__(self, name: str, path: str, edits: Sequence[Edit]) -> None:
        super().__init__(name, path)
        self.edits = edits

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = patched(self.get_data(path).decode("utf-8"), self.edits)
        return compile(source, path, "exec", dont_inherit=True)


class Graft(MetaPathFinder):
    """Finds the mutant's modules as anyone would, and has them loaded with their edits. ``grown`` are those that were
    loaded: a mutant whose module nobody imported has shown nothing."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.grown: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        edits = self.mutant.edits_of(fullname)
        if not edits:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = next((s for finder in others if (s := finder.find_spec(fullname, path, target)) is not None), None)
        if found is None or found.origin is None:
            raise Broken(f"there is no module {fullname}")
        found.loader = Grafted(fullname, found.origin, edits)
        self.grown.add(fullname)
        return found


def graft(mutant: Mutant) -> Graft:
    """From now on the mutant's modules are imported with its bug. Raises ``Broken`` where one is imported already."""
    early = sorted(name for name in sys.modules if name.partition(".")[0] in OURS)
    if early:
        raise Broken(f"{mutant.id} comes too late: {early[0]} is imported already")
    hook = Graft(mutant)
    sys.meta_path.insert(0, hook)
    return hook
