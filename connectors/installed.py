"""Every kind of tracker there is: our own, and those that installed packages offer by entry point (docs/connectors.md).

Apart from ``kinds``, which those packages import themselves: one that is imported before this module is whole by the
time it is asked for its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

from connectors.kinds import OWN, Kind

#: the group of entry points under which an installed package offers a ``Kind``
GROUP = "lockstep.connectors"


def installed() -> tuple[dict[str, Kind], dict[str, str]]:
    """Kinds that other packages offer, and those that cannot be loaded, each with the reason: a broken package takes
    no other tracker down. Our own names cannot be taken."""
    found, broken = {}, {}
    for point in entry_points(group=GROUP):
        try:
            kind = point.load()
        except Exception as error:
            broken[point.name] = f"{point.value} cannot be loaded: {type(error).__name__}: {error}"
            continue
        if point.name in OWN or not isinstance(kind, Kind) or kind.name != point.name:
            broken[point.name] = f"{point.value} is no Kind of that name, or the name is one of Lockstep's own"
            continue
        found[point.name] = kind
    return found, broken


_OTHERS, UNLOADED = installed()
#: every kind that a file may name
KINDS: Mapping[str, Kind] = {**OWN, **_OTHERS}
