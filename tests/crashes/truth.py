"""What the trackers, the mailboxes and the state show in the end, bare of times and of ids that are drawn."""

from __future__ import annotations

import email
import json
import re
from datetime import datetime
from typing import Any

from tests.crashes.stage import Stage

Truth = dict[str, list[str]]
#: what tells when something was, and not what
TIME = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
#: a banner's tokens, the instant in our keys, and a sys_id
DRAWN = re.compile(r"(?<=lockstep )[A-Z0-9]+\.[A-Z0-9]+|(?<=at:)\d{14}|\b[0-9a-f]{32}\b")
#: count writes of the whole organisation, or the instant of one
COUNTERS = {"System.Watermark"}
TRACKERS = ("servicenow", "jira", "azure")
OURS = {"servicenow": "lockstep", "jira": "557058:bot-0001", "azure": "Lockstep"}


def truth_of(stage: Stage) -> Truth:
    """Everything that must be the same, a line each, sorted where the order is nobody's business."""
    found: Truth = {}
    for tracker in TRACKERS:
        found |= items_of(stage, tracker)
    found |= {"mails": mails_of(stage), "cards": cards_of(stage)}
    return found | state_of(stage)


def items_of(stage: Stage, tracker: str) -> Truth:
    """Every item of a tracker: its fields, its comments, and each change that was ever made to it."""
    shown, found = getattr(stage.world.estate, tracker), Truth()
    for number, id in enumerate(shown.ids(), 1):
        place = f"{tracker} {number}"
        fields = {name: value for name, value in shown.item(id).items() if name not in COUNTERS}
        found[place] = [f"{name} = {plain(value)}" for name, value in sorted(fields.items()) if not timed(value)]
        found[f"{place}: comments"] = sorted(plain((c["by"], c["channel"], c["text"])) for c in shown.comments(id))
        changes = [(c["by"], c["field"], c["old"], c["new"]) for c in shown.history(id) if not timed(c["new"])]
        found[f"{place}: history"] = sorted(map(plain, changes))
        more = {"jira": "links", "azure": "relations"}.get(tracker)
        found[f"{place}: links"] = sorted(map(plain, getattr(shown, more)(id))) if more else []
    return found


def mails_of(stage: Stage) -> list[str]:
    """Who got which message; one that came twice is the same one."""
    mails = [email.message_from_bytes(raw) for raw in stage.mails]
    return sorted({plain((mail["To"], mail["Cc"], mail["Message-ID"], mail["Subject"])) for mail in mails})


def cards_of(stage: Stage) -> list[str]:
    return sorted({plain(json.dumps(card, sort_keys=True)) for card in stage.world.estate.hook.cards})


def state_of(stage: Stage) -> Truth:
    """What the state knows of the links: who is in them, what was agreed, what fired, what is held or still ordered."""
    store = stage.world.engine.store
    links = store.links()
    agreed = [f"{link.key} {name} = {plain(a.value)}" for link in links for name, a in link.agreed.items()]
    fired = [f"{link.key} {f.rule}, step {f.step}: {f.outcome}" for link in links for f in link.firings]
    moved = [f"{link.key} {m.kind} {m.stage} {m.word}" for link in links for m in link.movements]
    members = [f"{link.key}: {i.side} {i.key} {i.joined}" for link in links for i in link.items]
    return {
        "members": sorted(map(plain, members)),
        "agreed": sorted(agreed),
        "fired": sorted(fired),
        "movements": sorted(moved),
        "orders": sorted(str(order) for link in links for order in link.orders),
        "held": sorted(f"{held.what} on {plain(held.ref)}" for held, _ in store.held()),
        "unsent": [str(store.unsent())],
    }


def plain(value: Any) -> str:
    """A value as one line, bare of what is drawn or tells a time."""
    return DRAWN.sub("*", str(value))


def timed(value: Any) -> bool:
    return isinstance(value, datetime) or bool(TIME.match(str(value)))


def differences(wanted: Truth, found: Truth) -> list[str]:
    """What differs, in lines that name the place."""
    told: list[str] = []
    for place in sorted(wanted.keys() | found.keys()):
        before, after = list(wanted.get(place, ())), list(found.get(place, ()))
        for line in wanted.get(place, ()):
            if line in after:
                before.remove(line)
                after.remove(line)
        told += [f"{place}: missing {line}" for line in before] + [f"{place}: too much {line}" for line in after]
    return told
