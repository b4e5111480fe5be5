"""Names in the admin's file that a tracker does not know. Every start and ``doctor`` ask here, so that neither passes
what the other refuses. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mappings.model import BESIDE
from sync.config.problems import choice, nearest, quoted
from sync.setup import Setup

#: (side, native name at fault or empty, sentence), as a connector tells when it opens
OpeningProblem = tuple[str, str, str]
#: most names that are shown to choose from
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Known:
    """What a tracker has for one side: its states, and its fields with what people call them. Empty: not known."""

    states: tuple[str, ...]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A name in the file that its tracker does not know. ``instead`` is what to write."""

    side: str
    line: int
    path: str
    what: str
    instead: str = ""

    @property
    def text(self) -> str:
        return f"{self.what}; {self.instead}" if self.instead else self.what


def misfits(setup: Setup, problems: Iterable[OpeningProblem], known: Mapping[str, Known]) -> list[Mismatch]:
    """Everything that the connectors found when they opened, and the unknown states and fields of the sides, in the
    order of their lines."""
    found: list[Mismatch] = []
    unknown = {(side, native) for side, told in known.items() for _, native in unknown_natives(setup, side, told)}
    for side, name, sentence in problems:
        if (side, name) not in unknown:
            found.append(mismatch(setup, side, sentence, "", *places_of(setup, side, name), f"sides.{side}"))
    for side, told in known.items():
        found += [*unknown_states(setup, side, told), *unknown_fields(setup, side, told)]
    return sorted(set(found), key=lambda one: (one.line, one.path, one.what))


def unknown_states(setup: Setup, side: str, known: Known) -> Iterator[Mismatch]:
    for stage in setup.stages.stages:
        for state in stage.states.get(side, ()):
            if known.states and state not in known.states:
                what = f'{setup.sides[side].tracker} has no state "{state}" for {side}'
                paths = (f"stages.{stage.id}.{side}", f"stages.{stage.id}")
                yield mismatch(setup, side, what, choice(state, known.states, "states"), *paths)


def unknown_fields(setup: Setup, side: str, known: Known) -> Iterator[Mismatch]:
    for name, native in unknown_natives(setup, side, known):
        paths = (f"fields.{name}.{side}", f"fields.{name}")
        yield mismatch(setup, side, no_field(setup, side, native), meant(native, known.fields), *paths)


def unknown_natives(setup: Setup, side: str, known: Known) -> list[tuple[str, str]]:
    """The declared fields whose native name the tracker does not know, each with that name."""
    declared = [(field.name, native) for field in setup.fields.values() for native in field.natives.get(side, ())]
    return [(name, native) for name, native in declared if known.fields and not is_known(native, known.fields)]


def is_known(native: str, fields: Collection[str]) -> bool:
    """Whether there is such a field. Of a field of a record that another field refers to (``caller_id.email``), the
    first alone is the side's own. What is read beside the fields was looked at when the file was read."""
    return native.startswith(BESIDE) or native in fields or native.partition(".")[0] in fields


def no_field(setup: Setup, side: str, native: str) -> str:
    return f'{setup.sides[side].tracker} has no field "{native}" for {side}, or hides it from our account'


def meant(native: str, fields: Mapping[str, str]) -> str:
    """What to write instead of an unknown field: the one that people call so, the one that is spelled nearly so, else
    some that there are, where people's names for them are known. A number (``customfield_10042``) says nothing of what
    was meant."""
    if name := intended(native, fields):
        called = fields[name].casefold() == native.casefold()
        return f'write "{name}"' + (f", which {native} is the name of" if called else "")
    if not any(fields.values()):
        return "doctor names the fields there are"
    stem = re.sub(r"\d+$", "", native)
    numbered = [name for name in fields if re.fullmatch(re.escape(stem) + r"\d+", name)]
    return f"name one of its fields, such as {told(numbered or list(fields), fields)}"


def intended(native: str, fields: Mapping[str, str]) -> str:
    """The field that an unknown name stands for in all likelihood; empty where none is near."""
    called = next((name for name, label in fields.items() if label.casefold() == native.casefold()), "")
    return called or ("" if native[-1:].isdigit() else nearest(native, fields))


def told(names: list[str], labels: Mapping[str, str]) -> str:
    """The first of some fields, each with what people call it."""
    shown = [f"{quoted([n])} ({labels[n]})" if labels[n] and labels[n] != n else quoted([n]) for n in names[:SHOWN]]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(shown) + more


def compare(url: str) -> str:
    """What to do where something refuses to speak as the tracker would."""
    return f"compare {url} with the address that your browser shows on its front page"


# -- lines


def mismatch(setup: Setup, side: str, what: str, instead: str, *paths: str) -> Mismatch:
    """At the first of the key paths that stands in the file."""
    path = next((path for path in paths if path in setup.lines), paths[0])
    return Mismatch(side, setup.lines.get(path, 0), path, what, instead)


def places_of(setup: Setup, side: str, name: str) -> list[str]:
    """Where a name at fault may stand in the file, the likeliest first."""
    fields = [f"fields.{f.name}.{side}" for f in setup.fields.values() if name in f.natives.get(side, ())]
    scope = setup.sides[side].scope
    at = [*fields, f"sides.{side}.scope.{name}"]
    at += [f"sides.{side}.scope"] if any(name in (field, *values) for field, values in scope.where) else []
    at += [f"sides.{side}.project"] if name and name == scope.project else []
    at += [f"sides.{side}.type"] if name in scope.types else []
    at += [f"sides.{side}.keys_field"] if name and name == scope.keys_field else []
    at += [f"sides.{side}.query"] if name == "query" else []
    at += [f"sides.{side}.mark_field"] if name == scope.mark_field else []
    at += [f"trackers.{setup.sides[side].tracker}.mark_fields"] if name in scope.mark_fields else []
    at += [f"sides.{side}.table"] if scope.table and not name else []
    return at
