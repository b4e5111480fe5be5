"""What people say, and what they make of what they said."""

from __future__ import annotations

import html
import re
from random import Random

from sandbox.people.hands import AUTOMATION, CALLER, CHANNELS, NAMES, OURS, PRIVATE, TRIAGE, Hands, chosen
from sandbox.replay.acts import SIDES, Act
from sandbox.replay.histories import OURS as AUTHORS
from sandbox.replay.talk import plain

#: what counts as a remark of a person's
REMARKS = frozenset(["comment", "forge", "alike", "ours"])
_CHECK = re.compile(r"(· lockstep [A-Z2-7]{13}\.)([A-Z2-7])")


def comment(hands: Hands, draw: Random) -> None:
    side, id = hands.some(draw)
    hands.say(side, id, draw.choice(NAMES[side]), hands.next(f"Word from {side}"))


def whisper(hands: Hands, draw: Random) -> None:
    """What is not meant for the others."""
    side, id = hands.some(draw, *PRIVATE)
    hands.say(side, id, draw.choice(NAMES[side]), hands.next(f"Secret of {side}"), PRIVATE[side])


def flood(hands: Hands, draw: Random) -> None:
    """Many remarks at once, on one item or all over a link."""
    items = hands.family(draw)
    one = draw.random() < 0.5
    for _ in range(draw.choice((5, 6, 8, 12, 12, 30))):
        side, id = items[0] if one else draw.choice(items)
        hands.say(side, id, draw.choice(NAMES[side]), hands.next(f"Many words on {side}"))


def alike(hands: Hands, draw: Random) -> None:
    """Words that were said before, on the same item or on another one."""
    said = chosen(draw, [act for act in hands.acts if act.kind == "comment" and act.channel == CHANNELS[act.side]])
    side, id = (said.side, said.item) if draw.random() < 0.6 else hands.some(draw)
    hands.say(side, id, draw.choice(NAMES[side]), said.text, kind="alike")


def ours(hands: Hands, draw: Random) -> None:
    """A person who speaks through the integration's own account."""
    side, id = hands.some(draw)
    hands.say(side, id, OURS[side], hands.next(f"Somebody through our account on {side}"), kind="ours")


def robot(hands: Hands, draw: Random) -> None:
    """A program that reports: its words are carried like a person's."""
    side, id = hands.some(draw)
    hands.say(side, id, AUTOMATION[side], hands.next(f"The monitor says on {side}"))


def forge(hands: Hands, draw: Random) -> None:
    """A copy's banner in the words of a person: quoted, pasted whole, or, through our own account, from another item
    or with a check that does not hold."""
    from_side, from_id, text, *_ = chosen(draw, copies(hands))
    side, id = hands.some(draw)
    more = hands.next("So it was said")
    way = draw.choice(("quoted", "pasted", "elsewhere", "unsound"))
    if way == "quoted":
        quoted = "\n".join(f"> {line}" for line in text.splitlines())
        hands.say(side, id, draw.choice(NAMES[side]), f"{quoted}\n{more}", kind="forge")
    elif way == "pasted":
        hands.say(side, id, draw.choice(NAMES[side]), f"{text}\n{more}", kind="forge")
    elif way == "elsewhere" and (side, id) != (from_side, from_id):
        hands.say(side, id, OURS[side], f"{text}\n{more}", kind="forge")
    else:
        unsound = _CHECK.sub(lambda found: found[1] + ("A" if found[2] != "A" else "B"), text)
        hands.say(side, id, OURS[side], f"{unsound}\n{more}", kind="forge")


def copies(hands: Hands) -> list[tuple[str, str, str, str, str]]:
    """What our account copied: side, item, text as people read it, id and channel; nothing that is too long to be
    quoted."""
    return [
        (side, id, plain(side, remark["text"]), remark["id"], remark["channel"])
        for side in SIDES
        for id in hands.ids(side)
        for remark in hands.tracker(side).comments(id)
        if remark["by"] == AUTHORS[side] and "· lockstep " in remark["text"] and len(remark["text"]) < 1000
    ]


def lengthy(hands: Hands, draw: Random) -> None:
    """More than one remark of another tracker holds."""
    side, id = hands.some(draw, "incident", "pbi")
    label = hands.next("Long")
    words = " ".join(f"w{number}" for number in range(draw.choice((800, 5000, 7200))))
    hands.say(side, id, draw.choice(NAMES[side]), f"{label} {words} end")


def said(hands: Hands, draw: Random, *sides: str) -> Act:
    """A remark that is still there. Raises ``Nothing``."""
    erased = {(act.side, act.id) for act in hands.acts if act.kind == "erase"}
    return chosen(
        draw,
        [
            act
            for act in hands.acts[-40:]
            if act.kind in REMARKS and act.side in sides and (act.side, act.id) not in erased
        ],
    )


def edit(hands: Hands, draw: Random) -> None:
    """The author rewords; ServiceNow's journal cannot be edited."""
    act = said(hands, draw, "defect", "pbi")
    text = hands.next("Reworded")
    words = html.escape(text, quote=False) if act.side == "pbi" else text
    hands.tracker(act.side).edit_comment(act.item, act.id, words, act.by)
    hands.did(act.side, act.item, act.by, "edit", text=text, channel=act.channel, id=act.id)


def erase(hands: Hands, draw: Random) -> None:
    """The author takes a remark back; in ServiceNow an admin does."""
    act = said(hands, draw, *SIDES)
    if act.side == "incident":
        hands.estate.servicenow.delete_comment(act.item, act.id)
    else:
        hands.tracker(act.side).delete_comment(act.item, act.id, act.by)
    reworded = [one.text for one in hands.acts if one.kind == "edit" and (one.side, one.id) == (act.side, act.id)]
    hands.did(act.side, act.item, act.by, "erase", text=[act.text, *reworded][-1], channel=act.channel, id=act.id)


def wipe(hands: Hands, draw: Random) -> None:
    """Somebody takes a copy away that our account made."""
    side, item, text, id, channel = chosen(draw, copies(hands))
    who = NAMES[side][0]
    if side == "incident":
        hands.estate.servicenow.delete_comment(item, id)
    else:
        hands.tracker(side).delete_comment(item, id, who)
    hands.did(side, item, who, "erase", text=text, channel=channel, id=id)


def reply(hands: Hands, draw: Random) -> None:
    """The caller is asked, or answers: an incident that waits for that goes on."""
    waits = [id for id in hands.ids("incident") if hands.state("incident", id).startswith("On Hold")]
    if not waits:
        return hands.move("incident", chosen(draw, hands.ids("incident")), TRIAGE, "On Hold:Awaiting Caller")
    hands.say("incident", draw.choice(waits), CALLER, hands.next("The caller answers"))
