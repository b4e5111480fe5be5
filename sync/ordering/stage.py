"""The stage that a rule's step sets: its word on the status, merged as everybody's. What the stage needs holds it back,
and then it goes on by itself; once people have moved the work, their word stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sync.merging.merge import Agreed, Choice, Spoken, Verdict, impose
from sync.merging.status import STAGE, StatusMeaning
from sync.ordering.give import fulfil, pending
from sync.sheet import Sheet, key_of, say_once
from sync.speaking.gate import barred, needing
from sync.speaking.lead import opening_side, speaking
from sync.state import Movement, Order


def stage_ordered(sheet: Sheet, meaning: StatusMeaning, verdict: Verdict, spoken: Sequence[Spoken]) -> Verdict | None:
    """The verdict in which a rule's word stands; ``None`` where none is to be heard now."""
    for order in list(pending(sheet, STAGE)):
        stage, stands = order.value, verdict.agreed
        if stands.value == stage or sheet.setup.stages.rank(stage) < 0:
            fulfil(sheet, order)
        elif str(stands.serial) != order.was:
            fulfil(sheet, order, f"{order.reason}: the work was moved since, so that people's word stands")
        elif barred(sheet, stage):
            hold_at_gate(sheet, order, stands)
        else:
            fulfil(sheet, order)
            return imposed(sheet, meaning, verdict, spoken, stage)
    return None


def imposed(sheet: Sheet, meaning: StatusMeaning, verdict: Verdict, spoken: Sequence[Spoken], stage: str) -> Verdict:
    """Rules are looked at once more, in the stage that they find then."""
    sheet.waits.append(sheet.now)
    return replace(impose(meaning, verdict.agreed, spoken, stage), choice=Choice(stage, ""))


def hold_at_gate(sheet: Sheet, order: Order, stands: Agreed) -> None:
    """Asks once for what the stage needs, on the item that the work began with."""
    ref = speaking(sheet, opening_side(sheet.link))
    if ref is None or stands.value is None:
        return
    name, here = (sheet.setup.stages.get(one).name for one in (order.value, str(stands.value)))
    reason = f"{key_of(sheet, ref)} stays in {here!r}, though a rule sets {name!r}: {needing(sheet, order.value)}"
    sheet.hold(ref, f"stage {order.value}", reason, "fill it in: the work goes on in the next pass")
    sheet.because(STAGE, reason)
    text = f"{needing(sheet, order.value)}. The work stays in {here!r} until then and goes on by itself."
    say_once(sheet, f"note:{order.id}", ref, text)


def moved(sheet: Sheet, was: Agreed | None) -> None:
    """The movement that a rule's word on the stage makes, at our own clock; ``was`` is what stood before it."""
    stage = sheet.agreed.get(STAGE)
    if stage is None or was is None or stage == was or stage.by:
        return
    stages = sheet.setup.stages
    reopened = bool(was.value) and stages.get(str(was.value)).terminal
    event = f"{'reopened' if reopened else 'stage'}:{stage.serial}:{stage.value}"
    party = stages.get(str(stage.value)).move
    sheet.movements.append(Movement(event, "stage", sheet.now, str(stage.value), party))
