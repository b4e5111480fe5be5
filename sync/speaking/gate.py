"""Gates: a stage is entered once what it ``needs`` is there. Pure.

Only what can exist before the entry counts: a field that no item of the link has is no reason to wait. What is missing
is asked for once, on the item whose people moved it; once it is there the work goes on by itself: a move that was left
where it stands is heard then, and one that was put back is done again, unless the stage has moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mappings.fields import Field
from mappings.routes import Route
from mappings.stages import Need
from sync.merging.merge import Agreed, Choice, Claim, Spoken, Verdict, impose
from sync.merging.status import STAGE, StatusMeaning, may_decide
from sync.sheet import Sheet, key_of, say_once
from sync.speaking.lead import speaking
from sync.state import Held, Item

#: how the fingerprints begin of a move that was put back, and of one that waits where it stands; the agreement that
#: stands and the wanted stage follow
WISH, WAIT = "wish", "wait"


def missing(sheet: Sheet, stage: str) -> tuple[str, ...]:
    """The fields that the stage needs and that have no value yet."""
    return tuple(name for name in sheet.setup.stages.get(stage).needs if lacks(sheet, name))


def unmet(sheet: Sheet, stage: str) -> tuple[Need, ...]:
    """What else the stage needs, in the admin's words, and is not so yet."""
    return tuple(need for need in sheet.setup.stages.get(stage).asks if lacking(sheet, need))


def lacking(sheet: Sheet, need: Need) -> bool:
    """Whether a need waits to be met. A condition counts once every field that it speaks of has an item."""
    if need.when is None:
        return lacks(sheet, need.name)
    named = [name for name in need.when.names if name != STAGE]
    return all(has_item(sheet, name) for name in named) and not need.when.holds(sheet.values())


def lacks(sheet: Sheet, name: str) -> bool:
    return has_item(sheet, name) and sheet.values().get(name) in (None, "", ())


def has_item(sheet: Sheet, name: str) -> bool:
    """Whether an item of the link has the field, so that it can be filled in."""
    there = {item.side for item in sheet.present()}
    declared = sheet.setup.fields.get(name)
    return declared is not None and bool(there & set(declared.natives))


def barred(sheet: Sheet, stage: str) -> bool:
    return bool(missing(sheet, stage) or unmet(sheet, stage))


def asked(sheet: Sheet, stage: str) -> str:
    """What is missing, in words for whoever must see to it: fields as people see them and where they are filled in,
    then the admin's own: ``release (u_release on INC0010003 or fixVersions on CSPM-7). Merge the pull request``."""
    fields = ", ".join(f"{told_name(sheet, name)} ({places(sheet, name)})" for name in missing(sheet, stage))
    return ". ".join([*filter(None, [fields]), *(need.ask.strip().rstrip(".") for need in unmet(sheet, stage))])


def needing(sheet: Sheet, stage: str) -> str:
    """``'Fixing' needs …``, or where nothing but the admin's words is to be said, ``'Fixing' waits: …``."""
    name = sheet.setup.stages.get(stage).name
    return f"{name!r} {'needs' if missing(sheet, stage) else 'waits:'} {asked(sheet, stage)}"


def told_name(sheet: Sheet, name: str) -> str:
    return sheet.setup.fields[name].label or name


def places(sheet: Sheet, name: str) -> str:
    """Where a field is filled in, by its native names where people have no label for it."""
    label = sheet.setup.fields[name].label
    there = [("" if label else f"{natives} ") + f"on {key}" for natives, key in places_of(sheet, name)]
    return " or ".join(there)


def places_of(sheet: Sheet, name: str) -> Iterator[tuple[str, str]]:
    """Native names and item, one for each side that may fill a field in: an exclusive field is its owner's."""
    declared: Field = sheet.setup.fields[name]
    for side, natives in declared.natives.items():
        ref = speaking(sheet, side)
        if ref is not None and not (declared.exclusive and declared.owner and side != declared.owner):
            yield " and ".join(natives), key_of(sheet, ref)


# ── A move that is put back ──────────────────────────────────────────────────────────────────────────────────────


def why_barred(sheet: Sheet, claim: Claim, stands: str) -> str:
    """Why a claim on the stage was put back, where a gate was the reason; else empty."""
    stage = str(claim.value)
    was = sheet.link.agreed.get(STAGE)
    allowed = was is not None and may_decide(sheet.setup.stages, sheet.link.before, str(was.value), claim)
    if not allowed or not barred(sheet, stage):
        return ""
    back, name = (sheet.setup.stages.get(one).name for one in (stands, stage))
    then = f"As soon as that is done, the work goes on to {name!r} by itself"
    if moved_meanwhile(sheet):
        then = "Another move stands, which was made at the same time"
    return f"stage is put back to {back!r}: {needing(sheet, stage)}. {then}"


def moved_meanwhile(sheet: Sheet) -> bool:
    """Whether the work moves on by another's word in this very look."""
    was, now = sheet.link.agreed.get(STAGE), sheet.agreed.get(STAGE)
    return was is not None and now is not None and was.serial != now.serial


def remember_wish(sheet: Sheet, claim: Claim, agreed: Agreed, why: str) -> None:
    """Keeps in mind what a move that was put back wanted, unless another one stands."""
    if claim.ref is not None and not moved_meanwhile(sheet):
        advice = "fill it in: the move is done again in the next pass"
        sheet.hold(claim.ref, STAGE, why, advice, f"{WISH}:{agreed.serial}:{claim.value}")


def grant(sheet: Sheet, meaning: StatusMeaning, verdict: Verdict, spoken: Sequence[Spoken]) -> Verdict | None:
    """The verdict in which a move that was put back is done again, now that nothing is missing; ``None`` where there
    is none, or people have moved the stage since. One that must still wait is kept in mind."""
    if verdict.choice is not None:
        return None
    for wish in wishes(sheet, verdict.agreed):
        stage = stage_of(wish)
        if barred(sheet, stage):
            name, stands = (sheet.setup.stages.get(one).name for one in (stage, str(verdict.agreed.value)))
            reason = f"the move to {name!r} was put back to {stands!r}: {needing(sheet, stage)}"
            sheet.hold(wish.ref, STAGE, reason, wish.advice, wish.fingerprint)
            continue
        side = sheet.link.item(wish.ref).side
        granted = impose(meaning, verdict.agreed, spoken, stage)
        sheet.granted = True
        return replace(granted, agreed=replace(granted.agreed, by=side), choice=Choice(stage, side))
    return None


def wishes(sheet: Sheet, agreed: Agreed) -> list[Held]:
    """The moves that were put back to what is still agreed."""
    begins = f"{WISH}:{agreed.serial}:"
    there = {item.ref for item in sheet.present()}
    found = [h for h in sheet.link.held if h.what == STAGE and h.fingerprint.startswith(begins) and h.ref in there]
    return [wish for wish in found if sheet.setup.stages.rank(stage_of(wish)) >= 0]


def stage_of(wish: Held) -> str:
    return wish.fingerprint.split(":", 2)[2]


# ── A move that waits where it stands ────────────────────────────────────────────────────────────────────────────


def ask_to_wait(sheet: Sheet, claim: Claim) -> None:
    """Says once what a move waits for, and holds it with that reason: the item keeps its state, the work its stage."""
    stage, agreed = str(claim.value), sheet.agreed[STAGE]
    if claim.ref is None:
        return
    name, stands = (sheet.setup.stages.get(one).name for one in (stage, str(agreed.value)))
    reason = f"{key_of(sheet, claim.ref)} stands in {name!r}, the work still in {stands!r}: {needing(sheet, stage)}"
    wanted = f"{WAIT}:{agreed.serial}:{stage}"
    sheet.hold(claim.ref, STAGE, reason, "fill it in: the work goes on in the next pass", wanted)
    sheet.because(STAGE, reason)
    text = f"{needing(sheet, stage)}. The work stays in {stands!r} until then and goes on by itself."
    say_once(sheet, f"note:{sheet.link.key}:wait:{stage}:{agreed.serial}", claim.ref, text)


def waited(sheet: Sheet, verdict: Verdict) -> bool:
    """Whether the work moves on now by a move that had to wait for it."""
    was, choice = sheet.link.agreed.get(STAGE), verdict.choice
    if was is None or choice is None or verdict.agreed.serial == was.serial:
        return False
    wanted = f"{WAIT}:{was.serial}:{choice.value}"
    sides = {item.ref: item.side for item in sheet.link.items}
    return any(h.fingerprint == wanted and sides.get(h.ref) == choice.by for h in sheet.link.held)


# ── A route at the gate ──────────────────────────────────────────────────────────────────────────────────────────


def at_gate(sheet: Sheet) -> bool:
    """Whether an item would open its counterpart if all that its stage needs were filled in."""
    return bool(sheet.gated)


def waits(sheet: Sheet, route: Route, source: Item) -> bool:
    """Whether a route must wait for what the stage needs: then its source is linked alone, told once and held."""
    agreed = sheet.agreed.get(STAGE)
    stage = str(agreed.value) if agreed is not None and agreed.value else ""
    if agreed is None or not stage or not barred(sheet, stage):
        return False
    reason = f"route {route.id} opens no {route.opens} yet: {needing(sheet, stage)}"
    sheet.hold(source.ref, f"open {route.id}", reason, "fill it in: the route opens in the next pass")
    sheet.gated.append(route.id)
    sheet.because(f"route {route.id}", reason)
    id = f"note:{sheet.link.key}:gate:{route.id}:{agreed.serial}"
    say_once(sheet, id, source.ref, f"No {route.opens} is opened yet: {needing(sheet, stage)}. It is opened then.")
    return True
