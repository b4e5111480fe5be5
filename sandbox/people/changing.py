"""What people change: titles, ranks, states, alone and against each other."""

from __future__ import annotations

from random import Random

from sandbox.people.hands import AUTOMATION, NAMES, Hands, Nothing, chosen

STATES = {
    "incident": ("New", "In Progress", "On Hold:Awaiting Caller", "Resolved"),
    "defect": (),
    "pbi": ("New", "Approved", "Committed", "Done"),
}
TITLES = {"incident": "short_description", "defect": "summary", "pbi": "System.Title"}
DETAILS = {"incident": "description", "defect": "description", "pbi": "System.Description"}
RANKS = {
    "incident": [{"impact": str(i), "urgency": str(u)} for i in (1, 2, 3) for u in (1, 2, 3)],
    "defect": [{"priority": name} for name in ("Highest", "High", "Medium", "Low", "Lowest")],
    "pbi": [{"Microsoft.VSTS.Common.Priority": str(n)} for n in (1, 2, 3, 4)],
}
#: spellings of one value, or of two that a side cannot tell apart
LOSSY = {"incident": RANKS["incident"][5:], "defect": RANKS["defect"][2:], "pbi": RANKS["pbi"][2:]}
#: the states in which the work is over, and from which it is taken up again
OVER = {"incident": "Resolved", "defect": "Done", "pbi": "Done"}
AGAIN = {"incident": "In Progress", "defect": "To Do", "pbi": "Committed"}
#: the fields that are kept in step
KEPT = {side: {TITLES[side], *RANKS[side][0]} for side in TITLES}


def title(hands: Hands, draw: Random) -> None:
    side, id = hands.some(draw)
    hands.update(side, id, draw.choice(NAMES[side]), {TITLES[side]: hands.next("Title")})


def shape(hands: Hands, draw: Random) -> None:
    """A title that a tracker may keep in another form than it was typed in."""
    side, id = hands.some(draw)
    title = hands.next("Shaped")
    endings = (" <b>bold</b> &amp; more", " {code} *stars* [x]", "  in  two  ", " ünï\tcode ")
    hands.update(side, id, draw.choice(NAMES[side]), {TITLES[side]: title + draw.choice(endings)})


def odd(hands: Hands, draw: Random) -> None:
    """A state or a rank that the admin's file does not name."""
    side, id = hands.some(draw)
    who = draw.choice(NAMES[side])
    if side == "defect":
        hands.update(side, id, who, {"priority": "Blocker"})
    else:
        hands.move(side, id, who, {"incident": "Canceled", "pbi": "Removed"}[side])


def everywhere(hands: Hands, draw: Random) -> None:
    """Somebody goes through all items of a side at once."""
    side, _ = hands.some(draw)
    who = draw.choice(NAMES[side])
    for id in draw.sample(hands.ids(side), len(hands.ids(side))):
        hands.update(side, id, who, {TITLES[side]: hands.next("One of many")})


def describe(hands: Hands, draw: Random) -> None:
    side, id = hands.some(draw)
    text = hands.next("Details")
    if side != "pbi":  # Azure DevOps keeps HTML
        text += draw.choice(("", "", "  \nand  more", " a < b & c "))
    hands.update(side, id, draw.choice(NAMES[side]), {DETAILS[side]: text})


def revise(hands: Hands, draw: Random) -> None:
    """Several fields in one go."""
    side, id = hands.some(draw)
    fields = {TITLES[side]: hands.next("Revised"), **draw.choice(RANKS[side])}
    hands.update(side, id, draw.choice(NAMES[side]), fields)


def rank(hands: Hands, draw: Random) -> None:
    side, id = hands.some(draw)
    hands.update(side, id, draw.choice(NAMES[side]), draw.choice(RANKS[side]))


def lossy(hands: Hands, draw: Random) -> None:
    """Ranks that are spelled in several ways, or that a side has no word of its own for."""
    side, id = hands.some(draw)
    hands.update(side, id, draw.choice(NAMES[side]), draw.choice(LOSSY[side]))


def rethink(hands: Hands, draw: Random) -> None:
    """Somebody changes once more what was changed lately."""
    changes = [act for act in hands.acts[-6:] if act.kind == "change" and set(act.fields) & KEPT[act.side]]
    act = chosen(draw, changes)
    if TITLES[act.side] in act.fields:
        fields = {TITLES[act.side]: hands.next("Title on second thoughts")}
    else:
        fields = draw.choice(RANKS[act.side])
    hands.update(act.side, act.item, act.by, fields)


def tend(hands: Hands, draw: Random) -> None:
    """Something nobody else is told of."""
    side, id = hands.some(draw, "pbi")
    fields = {"Microsoft.VSTS.Scheduling.Effort": str(draw.randint(1, 90))}
    hands.update(side, id, draw.choice(NAMES[side]), fields)


def foreign(hands: Hands, draw: Random) -> None:
    """A program of somebody else's changes a field."""
    side, id = hands.some(draw)
    fields = {TITLES[side]: hands.next("Titled by a program")} if draw.random() < 0.5 else draw.choice(RANKS[side])
    hands.update(side, id, AUTOMATION[side], fields, "foreign")


def state(hands: Hands, draw: Random) -> None:
    side, id = hands.some(draw)
    hands.move(side, id, draw.choice(NAMES[side]), chosen(draw, hands.ways(side, id, STATES[side])))


def clash(hands: Hands, draw: Random) -> None:
    """The same thing, changed differently on two or three items of a link."""
    items = apart(hands, draw)
    what = draw.choice((TITLES, RANKS, RANKS, LOSSY, STATES))
    for side, id in items:
        try:
            who = draw.choice(NAMES[side])
            if what is TITLES:
                hands.update(side, id, who, {TITLES[side]: hands.next("Title against title")})
            elif what is STATES:
                hands.move(side, id, who, chosen(draw, hands.ways(side, id, STATES[side])))
            else:
                hands.update(side, id, who, draw.choice(what[side]))  # type: ignore[arg-type]
        except Nothing:
            continue


def agree(hands: Hands, draw: Random) -> None:
    """The same title, given on two or three items of a link."""
    text = hands.next("Agreed")
    for side, id in apart(hands, draw):
        hands.update(side, id, draw.choice(NAMES[side]), {TITLES[side]: text})


def apart(hands: Hands, draw: Random) -> list[tuple[str, str]]:
    """Two or three items of a link, one a side."""
    family = list(hands.family(draw))
    one = {side: (side, id) for side, id in draw.sample(family, len(family))}
    return draw.sample(sorted(one.values()), min(len(one), draw.choice((2, 2, 3))))


def flip(hands: Hands, draw: Random) -> None:
    """Somebody puts back what an item showed before its last change, whoever made that."""
    side, id = hands.some(draw)
    changes = [change for change in hands.tracker(side).history(id) if change["field"] in KEPT[side]]
    if not changes or changes[-1]["old"] in (None, ""):
        raise Nothing
    fields = {changes[-1]["field"]: str(changes[-1]["old"])}
    hands.update(side, id, draw.choice(NAMES[side]), fields)


def waver(hands: Hands, draw: Random) -> None:
    """Somebody changes something and at once puts it back."""
    side, id = hands.some(draw)
    who = draw.choice(NAMES[side])
    other = draw.choice(RANKS[side])
    before = hands.shown(side, id, other)
    hands.update(side, id, who, other)
    hands.update(side, id, who, before)


def finish(hands: Hands, draw: Random) -> None:
    """The work on an item is over."""
    side, id = hands.some(draw)
    ways = hands.ways(side, id, STATES[side])
    hands.move(side, id, draw.choice(NAMES[side]), OVER[side] if OVER[side] in ways else chosen(draw, ways))


def reopen(hands: Hands, draw: Random) -> None:
    """What was over is taken up again."""
    over = [(side, id) for side in OVER for id in hands.ids(side) if hands.state(side, id) == OVER[side]]
    side, id = chosen(draw, over)
    hands.move(side, id, draw.choice(NAMES[side]), AGAIN[side])
