"""Where people put things: new items, scope, parents, and what goes out of sight and comes back."""

from __future__ import annotations

from random import Random

from sandbox.people.changing import RANKS
from sandbox.people.hands import AREA, CALLER, HOME, NAMES, OURS, PROJECT, TRIAGE, Hands, Nothing, chosen

ELSEWHERE = "Network Team"


def incident(hands: Hands, draw: Random) -> None:
    """Somebody reports trouble that is already being worked on: it is opened from."""
    create(hands, draw, {})


def fresh(hands: Hands, draw: Random) -> None:
    """One that nobody has looked at, one of another kind, or one of another group: not yet to be opened from."""
    create(hands, draw, draw.choice(({"state": "New"}, {"category": "hardware"}, {"assignment_group": ELSEWHERE})))


def child(hands: Hands, draw: Random) -> None:
    """One that is born below another incident."""
    create(hands, draw, {"parent_incident": chosen(draw, hands.ids("incident"))})


def create(hands: Hands, draw: Random, given: dict[str, str]) -> None:
    if len(hands.ids("incident")) >= hands.room:
        raise Nothing
    fields = {
        "short_description": hands.next("Trouble"),
        "description": "as reported",
        "assignment_group": HOME,
        "category": "software",
        "state": "In Progress",
        **draw.choice(RANKS["incident"]),
        **given,
    }
    id = hands.estate.servicenow.create(fields, by=CALLER)
    hands.did("incident", id, CALLER, "create", fields)


def defect(hands: Hands, draw: Random) -> None:
    """A developer logs a defect by hand."""
    if len(hands.ids("defect")) >= hands.room:
        raise Nothing
    fields = {"summary": hands.next("Found"), "description": "as found", **draw.choice(RANKS["defect"])}
    who = draw.choice(NAMES["defect"])
    hands.did("defect", hands.estate.jira.create(dict(fields), by=who), who, "create", fields)


def take(hands: Hands, draw: Random) -> None:
    """Triage makes an incident one that is opened from."""
    new = [id for id in hands.ids("incident") if hands.state("incident", id) == "New"]
    other = [id for id in hands.ids("incident") if category(hands, id) != "software"]
    id = chosen(draw, [*new, *other])
    if id in new:
        return hands.move("incident", id, TRIAGE, "In Progress")
    hands.update("incident", id, TRIAGE, {"category": "software"})


def category(hands: Hands, id: str) -> str:
    return hands.estate.servicenow.item(id).get("category", "")


def leave(hands: Hands, draw: Random) -> None:
    """An incident is handed to another group."""
    id = chosen(draw, [id for id in hands.ids("incident") if group(hands, id) == HOME])
    hands.update("incident", id, TRIAGE, {"assignment_group": draw.choice(("", ELSEWHERE))}, "leave")


def enter(hands: Hands, draw: Random) -> None:
    """It comes back."""
    id = chosen(draw, [id for id in hands.ids("incident") if group(hands, id) != HOME])
    hands.update("incident", id, TRIAGE, {"assignment_group": HOME}, "enter")


def group(hands: Hands, id: str) -> str:
    return hands.estate.servicenow.item(id).get("assignment_group", "")


def retype(hands: Hands, draw: Random) -> None:
    """A defect is made a task, a PBI a bug, or back again: out of scope and in again, under the same key."""
    side, id = hands.some(draw, "defect", "pbi", "pbi")
    who = draw.choice(NAMES[side])
    if side == "pbi":
        was = hands.estate.azure.item(id)["System.WorkItemType"]
        type = "Bug" if was == "Product Backlog Item" else "Product Backlog Item"
        return hands.update(side, id, who, {"System.WorkItemType": type}, "relocate")
    type = "Task" if hands.estate.jira.item(id)["issuetype"] == "Bug" else "Bug"
    hands.estate.jira.relocate(id, who, type=type)
    hands.did(side, id, who, "relocate", {"issuetype": type})


def relocate(hands: Hands, draw: Random) -> None:
    """A defect goes to another project and gets another key, or comes back."""
    side, id = hands.some(draw, "defect")
    away = hands.estate.jira.item(id)["project"] == PROJECT
    place = {"project": "OPS", "issuetype": "Task"} if away else {"project": PROJECT, "issuetype": "Bug"}
    who = draw.choice(NAMES[side])
    hands.estate.jira.relocate(id, who, place["project"], place["issuetype"])
    hands.did(side, id, who, "relocate", place)


def kin(hands: Hands, draw: Random) -> None:
    """An incident is put below another one, or below none."""
    ids = hands.ids("incident")
    id = chosen(draw, ids)
    parent = chosen(draw, [one for one in ids if one != id]) if draw.random() < 0.9 else ""
    if parent == hands.estate.servicenow.data.tables["incident"].rows[id].get("parent_incident", ""):
        raise Nothing
    hands.estate.servicenow.update(id, {"parent_incident": parent}, TRIAGE)
    hands.did("incident", id, TRIAGE, "kin", {"parent": parent})


# ── out of sight and back ────────────────────────────────────────────────────────────────────────────────────────────


def delete(hands: Hands, draw: Random) -> None:
    """An item is deleted; Jira knows no bin, so there it is rare."""
    side, id = hands.some(draw)
    if len(hands.deleted) > 1 or (side == "defect" and draw.random() < 0.5):
        raise Nothing
    who = NAMES[side][0]
    hands.tracker(side).delete(id, who)
    hands.did(side, id, who, "delete")
    if side != "defect":
        hands.deleted.append((side, id))


def undelete(hands: Hands, draw: Random) -> None:
    side, id = chosen(draw, hands.deleted)
    hands.tracker(side).undelete(id, NAMES[side][0])
    hands.deleted.remove((side, id))
    hands.did(side, id, NAMES[side][0], "undelete")


def hide(hands: Hands, draw: Random) -> None:
    """An item is kept from our account; in Azure DevOps its whole area is."""
    side, id = hands.some(draw)
    if side == "pbi":
        return conceal(hands, side, True)
    if (side, id) in hands.hidden:
        raise Nothing
    conceal_one(hands, side, id, True)


def empty(hands: Hands, draw: Random) -> None:
    """A whole side shows nothing to our account: a right was taken away."""
    conceal(hands, draw.choice(("incident", "defect", "pbi")), True)


def show(hands: Hands, draw: Random) -> None:
    """One of what is hidden is shown again, or all of a side."""
    side, id = chosen(draw, hands.hidden)
    if id:
        conceal_one(hands, side, id, False)
    else:
        conceal(hands, side, False)


def restore(hands: Hands, draw: Random) -> None:
    """Most of what is hidden comes back, and some of what was deleted."""
    for place in list(hands.hidden):
        if draw.random() < 0.8:
            if place[1]:
                conceal_one(hands, *place, hidden=False)
            else:
                conceal(hands, place[0], False)
    while hands.deleted and draw.random() < 0.5:
        undelete(hands, draw)


def overtaken(hands: Hands) -> None:
    """What was made on a side that shows nothing is out of sight too."""
    for side in [side for side, id in hands.hidden if not id]:
        gone = {act.item: act.kind for act in hands.acts if act.side == side and act.kind in ("hide", "show")}
        for one in hands.ids(side):
            if gone.get(one) != "hide":
                hands.did(side, one, "an administrator", "hide")


def conceal_one(hands: Hands, side: str, id: str, hidden: bool) -> None:
    if side == "incident":
        change = hands.estate.servicenow.rights.hidden
        change.add(id) if hidden else change.discard(id)
    else:
        hands.estate.jira.hide(id, OURS[side], hidden)
    noted(hands, side, id, hidden)


def conceal(hands: Hands, side: str, hidden: bool) -> None:
    """Every item of a side, those to come as well. There is an act for each item that is there."""
    if ((side, "") in hands.hidden) == hidden:
        raise Nothing
    if side == "incident":
        tables = hands.estate.servicenow.rights.unreadable
        tables.add("incident") if hidden else tables.discard("incident")
    elif side == "defect":
        right = hands.estate.jira.deny if hidden else hands.estate.jira.allow
        right(OURS[side], PROJECT, "BROWSE_PROJECTS")
    else:
        areas = hands.estate.azure.switches.hidden
        areas.add((OURS[side], AREA)) if hidden else areas.discard((OURS[side], AREA))
    noted(hands, side, "", hidden)


def noted(hands: Hands, side: str, id: str, hidden: bool) -> None:
    """Remembers what is out of sight. What stays hidden by itself is not shown with its side, what is deleted is."""
    if hidden:
        hands.hidden.append((side, id))
    else:
        hands.hidden.remove((side, id))
    alone = {one for where, one in hands.hidden if where == side and one}
    last = {act.item: act.kind for act in hands.acts if act.side == side and act.kind in ("hide", "show")}
    whole = hands.ids(side) if hidden else [one for one, kind in last.items() if kind == "hide"]
    for one in [id] if id else [one for one in whole if one not in alone]:
        if not id or (side, "") not in hands.hidden:
            hands.did(side, one, "an administrator", "hide" if hidden else "show")
