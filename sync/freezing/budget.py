"""The writes that one item is given: more of them within an hour, or the same value put back and forth, is a loop with
somebody, and that item rests until a person has looked. Comments that customers read go out so many an hour. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mappings.fields import Common
from mappings.model import Record, Ref
from mappings.wording import many
from sync.merging.status import STAGE, spelled
from sync.plan import Action, Adopt, Reword, Say, Write
from sync.sheet import Sheet, key_of
from sync.speaking.lead import opening_side
from sync.state import COMMENT, Item, Stroke, kept_value

#: under which an item is held that is written no more, and one whose comments wait for the next hour
STOPPED, LATER = "writes", "comments later"
#: how far back writes count against the budget, and changes of one field as going back and forth
SPAN, DAY = timedelta(hours=1), timedelta(days=1)
#: so many hours' budgets are a day's: a loop may be slow
DAILY = 4
#: instants and people that a reason names
NAMED = 5

RESUME = "then lockstep resume {key}. Until then nothing is written to it; what its people say still reaches the others"
ADVICE = (
    f"find what writes against Lockstep (a rule of the tracker, another integration) and stop one of them; {RESUME}"
)


@dataclass
class Budget:
    """What one look may still write. ``stopped`` are the items that are written no more, ``late`` the places whose
    comments wait, ``waiting`` those comments."""

    sheet: Sheet
    used: Counter[Ref] = field(default_factory=Counter)
    said: Counter[tuple[Ref, str]] = field(default_factory=Counter)
    stopped: set[Ref] = field(default_factory=set)
    late: dict[tuple[Ref, str], list[Say]] = field(default_factory=dict)
    waiting: list[Say] = field(default_factory=list)

    def allows(self, action: Action) -> bool:
        """Whether the action may be carried out now; what may not is set aside with its reason."""
        if not isinstance(action, Adopt | Write | Say | Reword):
            return True
        ref = action.ref
        if ref not in self.stopped and (why := self.exceeded(action)):
            self.stop(ref, why)
        if ref in self.stopped or (isinstance(action, Say) and self.must_wait(action)):
            self.waiting += [action] if isinstance(action, Say) else []
            return False
        self.used[ref] += counts(action, self.sheet.now)
        if isinstance(action, Say):
            self.said[ref, action.channel] += 1
        return True

    def exceeded(self, action: Adopt | Write | Say | Reword) -> str:
        """Why the item must not be written any more; empty while it may."""
        sheet, ref = self.sheet, action.ref
        guards = sheet.setup.guards
        for span, bound in ((SPAN, guards.item), (DAY, DAILY * guards.item)) if counts(action, sheet.now) else ():
            if bound and spent(sheet, ref, span) + self.used[ref] >= bound:
                return used_up(sheet, ref, span, bound)
        if guards.flap and isinstance(action, Write):
            return next(filter(None, (back_and_forth(sheet, ref, *one) for one in values_of(action))), "")
        return ""

    def stop(self, ref: Ref, why: str) -> None:
        self.stopped.add(ref)
        self.sheet.hold(ref, STOPPED, why, ADVICE.format(key=key_of(self.sheet, ref)))

    def must_wait(self, say: Say) -> bool:
        """Whether the hour's comments that customers read are used up there. Once one waits, so do all that follow."""
        place, sheet = (say.ref, say.channel), self.sheet
        bound = sheet.setup.guards.comments
        if not bound or not is_visible(sheet, say):
            return False
        if place not in self.late and len(lately_said(sheet, *place)) + self.said[place] < bound:
            return False
        self.late.setdefault(place, []).append(say)
        return True


def within_budget(sheet: Sheet, actions: Iterable[Action]) -> tuple[list[Action], list[Say]]:
    """The actions that may be carried out now, and the comments among the others."""
    budget = Budget(sheet)
    for held in sheet.link.held:
        if held.what == STOPPED:
            budget.stopped.add(held.ref)
            sheet.holds[held.ref, STOPPED] = held
    allowed = [action for action in actions if budget.allows(action)]
    for (ref, channel), says in budget.late.items():
        hold_late(sheet, ref, channel, says)
    return allowed, budget.waiting


def counts(action: Action, now: datetime) -> bool:
    """Whether a write counts against the budget. Old comments are as many as they are, and cannot be part of a loop."""
    return not (isinstance(action, Say) and action.made is not None and action.made < now - SPAN)


def spent(sheet: Sheet, ref: Ref, span: timedelta) -> int:
    """How often we wrote to the item lately."""
    return sum(1 for s in ours(sheet, ref, span) if s.counts)


def ours(sheet: Sheet, ref: Ref, span: timedelta) -> list[Stroke]:
    return [s for s in lately(sheet, ref, span) if not s.author]


def lately(sheet: Sheet, ref: Ref, span: timedelta) -> list[Stroke]:
    return [s for s in sheet.link.strokes if s.ref == ref and s.at > sheet.now - span]


# ── comments that customers read ─────────────────────────────────────────────────────────────────────────────────────


def is_visible(sheet: Sheet, say: Say) -> bool:
    """Whether those who asked for the work read it: on their side, and no note for the item's own people."""
    asking = {side for party in sheet.setup.parties if party.requester for side in party.sides}
    notes = sheet.seen.facts[say.ref.tracker].note_channel
    return say.side in (asking or {opening_side(sheet.link)}) and say.channel != notes


def lately_said(sheet: Sheet, ref: Ref, channel: str) -> list[Stroke]:
    return [s for s in ours(sheet, ref, SPAN) if (s.name, s.value) == (COMMENT, channel)]


def hold_late(sheet: Sheet, ref: Ref, channel: str, says: Sequence[Say]) -> None:
    """Comments that wait for the hour to pass, in their order: none is dropped, and none overtakes another. Of an
    item's channels the one whose hour is over first is told, and looked at then."""
    first = min((s.at for s in lately_said(sheet, ref, channel)), default=sheet.now)
    due, bound = first + SPAN, sheet.setup.guards.comments
    other = sheet.holds.get((ref, LATER))
    if other is not None and other.retry is not None and other.retry <= due:
        return
    count = len({say.copy.origin for say in says})
    why = f"{many(count, 'comment')} for {key_of(sheet, ref)} ({channel}) must wait: {bound} an hour are its bound"
    sheet.hold(ref, LATER, f"{why} (guard.comments)", "nothing to do: they follow in their order; or raise the bound")
    sheet.holds[ref, LATER] = replace(sheet.holds[ref, LATER], retry=due)


# ── what was written, by us and by others ────────────────────────────────────────────────────────────────────────────


def strokes_of_others(sheet: Sheet) -> tuple[Stroke, ...]:
    """The fields that an item shows otherwise than it did, and otherwise than we wrote: somebody's word."""
    return tuple(
        Stroke(
            f"{item.ref} {name} {record.version}", item.ref, sheet.now, name, value, who(sheet, record), counts=False
        )
        for item in sheet.present()
        if sheet.link.id
        for record in (sheet.record(item.ref),)
        for name, value in changed(sheet, item, record)
    )


def changed(sheet: Sheet, item: Item, record: Record) -> Iterator[tuple[str, str]]:
    for name, echo in item.echoes.items():
        declared = sheet.setup.fields.get(name)
        if name == STAGE:
            now = spelled(record.state)
            meant: Sequence[Common] = sheet.setup.stages.meanings(item.side, record.state)
        elif declared is not None and item.side in declared.natives:
            now = declared.spelled(item.side, record.fields)
            meant = declared.meanings(item.side, now)
        else:
            continue
        if now not in (echo.spelling, echo.sent):
            yield name, kept_value(meant[0] if meant else ", ".join(str(v) for _, v in now if v is not None))


def who(sheet: Sheet, record: Record) -> str:
    """Who wrote an item last, as far as it tells."""
    mine = record.updated_by == sheet.seen.facts[record.ref.tracker].updater
    return "a rule under our own account" if mine and record.updated_by else record.updated_by or "somebody"


def values_of(action: Write) -> list[tuple[str, str]]:
    """What a write is about to say, field by field."""
    return [(name, kept_value(agreed.value)) for name, agreed in action.wanted.items()]


# ── why an item is written no more ───────────────────────────────────────────────────────────────────────────────────


def back_and_forth(sheet: Sheet, ref: Ref, name: str, value: str) -> str:
    """Whether the value that is to be written was overturned as often as the file allows; the reason, or empty."""
    told = [s for s in lately(sheet, ref, DAY) if s.name == name]
    mine = [s for s in told if not s.author and s.value == value]
    theirs = [s for s in told if s.author and s.value != value]
    bound = sheet.setup.guards.flap
    if min(len(mine), len(theirs)) < bound:
        return ""
    why = f"{name} of {key_of(sheet, ref)} goes back and forth: {many(bound, 'time')} within a day (guard.flap)"
    return f"{why}. Lockstep wrote {told_strokes(mine)}. {by_author(theirs)}"


def used_up(sheet: Sheet, ref: Ref, span: timedelta, bound: int) -> str:
    """The budget is used up: both histories, what we wrote and what others did there meanwhile."""
    mine = [s for s in ours(sheet, ref, span) if s.counts]
    theirs = [s for s in lately(sheet, ref, span) if s.author]
    counted = Counter(s.name for s in mine)
    what = ", ".join(f"{name} {many(count, 'time')}" for name, count in counted.most_common(NAMED))
    words = f"{many(bound, 'write')} {'an hour' if span == SPAN else 'a day'} to one item (guard.item)"
    why = f"{key_of(sheet, ref)} has had its {words}. Lockstep wrote {what or 'as often'}{times(mine)}."
    return " ".join(filter(None, (why, by_author(theirs), spoken_lately(sheet))))


def by_author(theirs: Sequence[Stroke]) -> str:
    """What others wrote, each by name."""
    names = dict.fromkeys(s.author for s in theirs)
    told = [f"{name} wrote {told_strokes([s for s in theirs if s.author == name])}" for name in list(names)[:NAMED]]
    return "; ".join(told) + "." if told else ""


def told_strokes(strokes: Sequence[Stroke]) -> str:
    """``'High' 3 times (10:00:10, 10:01:10, 10:02:10)``, value by value; ``priority 'High'`` where fields differ."""
    several = len({s.name for s in strokes}) > 1
    groups: dict[tuple[str, str], list[Stroke]] = {}
    for stroke in strokes:
        groups.setdefault((stroke.name, stroke.value), []).append(stroke)
    words = [
        f"{name + ' ' if several else ''}{value!r} {many(len(group), 'time')}{times(group)}"
        for (name, value), group in list(groups.items())[:NAMED]
    ]
    return ", ".join(words)


def times(strokes: Sequence[Stroke]) -> str:
    """The first ones and the last, UTC."""
    told = [f"{s.at:%H:%M:%S}" for s in sorted(strokes, key=lambda s: s.at)]
    if len(told) > NAMED:
        told = [*told[: NAMED - 1], "…", told[-1]]
    return f" ({', '.join(told)} UTC)" if told else ""


def spoken_lately(sheet: Sheet) -> str:
    """Who commented on the link's items within the hour, by name and number; never what."""
    said = [c for found in sheet.seen.comments.values() for c in found if c.created > sheet.now - SPAN and not c.ours]
    counted = Counter((sheet.link.item(c.item).key, c.author or c.account or "somebody") for c in said)
    told = [f"{who} {count} on {key}" for (key, who), count in counted.most_common(NAMED)]
    return f"Comments of others: {', '.join(told)}." if told else ""
