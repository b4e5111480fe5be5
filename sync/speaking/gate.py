"""Gates: a stage is entered once what it ``needs`` is filled in. Pure.

Only what can exist before the entry counts: a field that no item of the link has is no reason to wait.
"""

from __future__ import annotations

from collections.abc import Iterator

from mappings.fields import Field
from mappings.routes import Route
from sync.merging.merge import Claim
from sync.merging.status import STAGE, may_decide
from sync.sheet import Sheet, key_of, say_once
from sync.speaking.lead import speaking
from sync.state import Item


def missing(sheet: Sheet, stage: str) -> tuple[str, ...]:
    """The fields that the stage needs and that have no value yet."""
    there = {item.side for item in sheet.present()}
    values = sheet.values()
    needed = [name for name in sheet.setup.stages.get(stage).needs if there & set(sheet.setup.fields[name].natives)]
    return tuple(name for name in needed if values.get(name) in (None, "", ()))


def barred(sheet: Sheet, stage: str) -> bool:
    return bool(missing(sheet, stage))


def to_fill_in(sheet: Sheet, stage: str) -> str:
    """What is missing and where it is filled in: ``release (u_release on INC0010003 or fixVersions on CSPM-7)``."""
    return ", ".join(f"{name} ({' or '.join(places(sheet, name))})" for name in missing(sheet, stage))


def places(sheet: Sheet, name: str) -> Iterator[str]:
    """Where a field is filled in, one item for each side that may: an exclusive field is its owner's."""
    declared: Field = sheet.setup.fields[name]
    for side, natives in declared.natives.items():
        ref = speaking(sheet, side)
        if ref is not None and not (declared.exclusive and declared.owner and side != declared.owner):
            yield f"{' and '.join(natives)} on {key_of(sheet, ref)}"


def why_barred(sheet: Sheet, claim: Claim, stands: str) -> str:
    """Why a claim on the stage was put back, where a gate was the reason; else empty."""
    stage = str(claim.value)
    was = sheet.link.agreed.get(STAGE)
    allowed = was is not None and may_decide(sheet.setup.stages, sheet.link.before, str(was.value), claim)
    if not allowed or not barred(sheet, stage):
        return ""
    names = [sheet.setup.stages.get(one).name for one in (stands, stage)]
    return (
        f"stage is put back to {names[0]!r}: {names[1]!r} needs {to_fill_in(sheet, stage)}. Fill it in and move again"
    )


def at_gate(sheet: Sheet) -> bool:
    """Whether an item would open its counterpart if all that its stage needs were filled in."""
    return bool(sheet.gated)


def waits(sheet: Sheet, route: Route, source: Item) -> bool:
    """Whether a route must wait for what the stage needs: then its source is linked alone, told once and held."""
    agreed = sheet.agreed.get(STAGE)
    stage = str(agreed.value) if agreed is not None and agreed.value else ""
    if agreed is None or not stage or not barred(sheet, stage):
        return False
    name, lacking = sheet.setup.stages.get(stage).name, to_fill_in(sheet, stage)
    reason = f"route {route.id} opens no {route.opens} yet: {name} needs {lacking}"
    sheet.hold(source.ref, f"open {route.id}", reason, "fill it in: the route opens in the next pass")
    sheet.gated.append(route.id)
    sheet.because(f"route {route.id}", reason)
    id = f"note:{sheet.link.key}:gate:{route.id}:{agreed.serial}"
    say_once(sheet, id, source.ref, f"No {route.opens} is opened yet: {name!r} needs {lacking}. Fill it in.")
    return True
