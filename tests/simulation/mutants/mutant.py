"""A mutant: one classic bug of integrations, as replacements in the text of our own modules."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


#: what a bug may be called beside the word that is expected of it: what is lost leaves the sides apart, and a stage
#: that is put back over what people closed is called resurrected
AKIN = {
    "lost": ("diverged",),
    "diverged": ("lost", "stale overwrite"),
    "doubled": ("phantom", "resurrected"),
    "stale overwrite": ("diverged", "lost", "phantom", "resurrected"),
    "resurrected": ("doubled", "leaked", "phantom"),
    "leaked": ("phantom",),
    "held without cause": ("diverged", "lost"),
}


class Broken(Exception):
    """A mutant that no longer fits the code. The message says which text of which module moved."""


@dataclass(frozen=True, slots=True)
class Edit:
    """``before`` stands exactly once in the source of ``module``; ``after`` takes its place."""

    module: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """``bug`` says in a sentence what is wrong and whom it hurts. ``profile`` is the kind of history in which it should
    show, ``finding`` the checker's word for it, ``also`` other words for what this bug does. ``needs``: what a history
    must hold for it to show."""

    id: str
    bug: str
    profile: str
    finding: str
    edits: tuple[Edit, ...]
    needs: str = ""
    also: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The checker's words by which it counts as found: anything else may be chance."""
        return (self.finding, *AKIN.get(self.finding, ()), *self.also)

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules it changes, each once."""
        return tuple(dict.fromkeys(edit.module for edit in self.edits))

    def edits_of(self, module: str) -> tuple[Edit, ...]:
        return tuple(edit for edit in self.edits if edit.module == module)


def source_of(module: str) -> Path:
    """The file of a module of ours, found without importing it."""
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def patched(source: str, edits: Iterable[Edit]) -> str:
    """The source with the edits in it. Raises ``Broken`` where a text does not stand in it exactly once."""
    for edit in edits:
        count = source.count(edit.before)
        if count != 1:
            line = edit.before.strip().partition("\n")[0]
            raise Broken(f"{edit.module} holds {line!r} {count} times instead of once: the mutant's target moved")
        source = source.replace(edit.before, edit.after)
    return source


def sources(mutant: Mutant) -> Mapping[str, str]:
    """The source of every module that the mutant changes, changed. Raises ``Broken``, and ``SyntaxError`` where it
    compiles no more."""
    found = {}
    for module in mutant.modules:
        found[module] = patched(source_of(module).read_text(encoding="utf-8"), mutant.edits_of(module))
        compile(ast.parse(found[module]), str(source_of(module)), "exec")
    return found
