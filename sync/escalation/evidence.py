"""What a notice says beside the admin's words: what stalled and since when, the last word of a person, who was told
before, what comes next, and where the items are. Facts of recorded history; never a comment's text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mappings.calendar import zone_of
from sync.escalation.clocks import Due, calendar_of
from sync.merging.status import STAGE
from sync.setup import Rule, Setup
from sync.sheet import Sheet
from sync.state import Movement

#: kinds of movement that are somebody's words
WORDS = ("comment", "word")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who said something last, when, and on which item; never what."""

    by: str
    at: datetime
    item: str


@dataclass(frozen=True, slots=True)
class Told:
    """An earlier step of the same episode, when it fired and whom it addressed."""

    step: int
    at: datetime
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Next:
    """The step that comes next, and when it is due if nothing moves."""

    step: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """An item of the link: its side, the key people know, its address (empty: it could not be read now)."""

    side: str
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts of one firing. ``what`` is a sentence of what set the rule off, ``since`` when that was; ``entered`` is
    when the work came into ``stage``, ``move`` whose move it is. ``clocked``: a clock set the rule off, no event."""

    rule: str
    step: int
    steps: int
    what: str
    since: datetime
    stage: str
    entered: datetime | None
    move: str
    last_word: Spoken | None = None
    told: tuple[Told, ...] = ()
    next: Next | None = None
    items: tuple[Shown, ...] = ()
    astray: tuple[str, ...] = ()
    clocked: bool = True


def gathered(sheet: Sheet, due: Due, movements: Sequence[Movement]) -> Evidence:
    """The evidence of a step that fires, by the movements up to now in their order."""
    setup, rule = sheet.setup, due.rule
    stage = setup.stages.get(str(sheet.agreed[STAGE].value))
    entry = next((m for m in reversed(movements) if m.kind == "stage"), None)
    cause = next((m for m in reversed(movements) if m.event == due.episode), entry)
    return Evidence(
        rule.id,
        due.step,
        len(rule.steps),
        sentence(sheet, rule, cause),
        cause.at if cause else due.at,
        stage.name,
        entry.at if entry else None,
        stage.move,
        last_word(movements),
        tuple(told_before(sheet, due)),
        coming(setup, due, stage.move),
        tuple(shown(sheet)),
        clocked=rule.quiet is not None or rule.over,
    )


def sentence(sheet: Sheet, rule: Rule, cause: Movement | None) -> str:
    """What set the rule off."""
    stage = sheet.setup.stages.get(str(sheet.agreed[STAGE].value))
    who = (cause.author or cause.party if cause else "") or "somebody"
    item = f" on {cause.item}" if cause and cause.item else ""
    if rule.quiet is not None:
        return f"nothing has moved for {rule.quiet}"
    if rule.over:
        return f"it is in {stage.name} for longer than {rule.over_span or stage.target}"
    if rule.concern:
        return f"{who} asked{item}"
    if rule.said and cause:
        return f"{who} wrote !{cause.word}{item}"
    if rule.changes and cause:
        declared = sheet.setup.fields.get(cause.word)
        called = declared.label if declared and declared.label else cause.word
        return f"{called} was changed" + (f" by {who}" if who != "somebody" else "")
    if rule.opens and cause:
        return f"{cause.item or 'its ' + cause.word} was opened"
    return f"it entered {stage.name}"


def last_word(movements: Sequence[Movement]) -> Spoken | None:
    said = next((m for m in reversed(movements) if m.kind in WORDS), None)
    return Spoken(said.author or said.party or "somebody", said.at, said.item) if said else None


def told_before(sheet: Sheet, due: Due) -> Iterator[Told]:
    """The steps of this episode that have fired, in their order."""
    fired = (f for f in sheet.link.firings if f.rule == due.rule.id and f.episode == due.episode)
    for firing in sorted(fired, key=lambda f: f.step):
        if firing.outcome == "fired" and firing.step < due.step:
            yield Told(firing.step, firing.at, firing.told)


def coming(setup: Setup, due: Due, move: str) -> Next | None:
    """The next step, counted from when this one was due."""
    if due.step >= len(due.rule.steps):
        return None
    after = due.rule.steps[due.step].after
    calendar = due.rule.calendar or calendar_of(setup, move)
    return Next(due.step + 1, calendar.add(due.at, after) if after is not None else due.at)


def shown(sheet: Sheet) -> Iterator[Shown]:
    for item in sheet.link.items:
        if not item.gone:
            record = sheet.seen.records.get(item.ref)
            yield Shown(item.side, item.key, record.url if record else "")


# ── for people, and for programs ─────────────────────────────────────────────────────────────────────────────────────


def facts(setup: Setup, evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """The evidence for people, a label and a text each; times on the clock of the file's zone."""
    moving = f", the move of {evidence.move}" if evidence.move else ""
    since = f" since {clock(setup, evidence.entered)}" if evidence.entered else ""
    found = [
        ("Why", f"{evidence.what}, since {clock(setup, evidence.since)}"),
        ("Stage", f"{evidence.stage}{since}{moving}"),
        ("Last word", word_told(setup, evidence.last_word)),
        *(("Told before", f"{clock(setup, one.at)}: {', '.join(one.to) or 'in the item'}") for one in evidence.told),
        ("Next", next_told(setup, evidence)),
        *(("Sent here because", text) for text in evidence.astray),
        ("Rule", f"{evidence.rule}, step {evidence.step} of {evidence.steps}"),
    ]
    return tuple(found)


def word_told(setup: Setup, spoken: Spoken | None) -> str:
    if spoken is None:
        return "nobody has written since the items were linked"
    return f"{spoken.by}, {clock(setup, spoken.at)}" + (f", on {spoken.item}" if spoken.item else "")


def next_told(setup: Setup, evidence: Evidence) -> str:
    if evidence.next is None:
        return "nothing more, this is the last step"
    unless = "something moves" if evidence.clocked else "somebody acknowledges it"
    return f"step {evidence.next.step} on {clock(setup, evidence.next.at)}, unless {unless}"


def clock(setup: Setup, at: datetime) -> str:
    return f"{at.astimezone(zone_of(setup.zone)):%a %Y-%m-%d %H:%M %Z}"


def as_data(evidence: Evidence) -> Mapping[str, Any]:
    """The evidence for programs; times are ISO 8601 in UTC."""
    return {name: plain(value) for name, value in asdict(evidence).items()}


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value
