"""How each rule stands, in words for ``why``: what clock runs since when, who acknowledged, what comes next. Pure."""

from __future__ import annotations

from mappings.wording import in_utc
from sync.escalation.episodes import Episode, is_stall
from sync.escalation.escalate import Look, Outlook
from sync.setup import Rule
from sync.sheet import Sheet
from sync.state import Movement

#: what happened, by the kind of a movement
HAPPENED = {
    "stage": "the work came to {stage}",
    "comment": "a comment",
    "assignment": "an assignment",
    "word": "the word {word}",
    "field": "a change of {word}",
    "opened": "the opening of a counterpart",
}


def tell(sheet: Sheet, outlook: Outlook) -> None:
    """A line or two for each rule."""
    asleep = outlook.asleep
    for look in outlook.looks:
        sheet.because(f"rule {look.rule.id}", told(sheet, look))
        if asleep is not None and asleep.until is not None:
            until = in_utc(asleep.until)
            sheet.because(f"rule {look.rule.id}", f"snoozed until {until} by {happened(sheet, asleep)}")


def told(sheet: Sheet, look: Look) -> str:
    """How one rule stands."""
    rule, episode = look.rule, look.episode
    if rule.when is not None and not look.holds:
        return f"silent: {rule.when.reason(sheet.values())}"
    if episode is None:
        return idle(sheet, rule)
    since = f"{clock(rule)} since {in_utc(episode.since)}, {happened(sheet, episode.began)}"
    if episode.end is not None:
        return f"{since}; {ending(sheet, episode)} at {in_utc(episode.end.at)}: {happened(sheet, episode.end)}"
    return f"{since}; {upcoming(sheet, look)}"


def idle(sheet: Sheet, rule: Rule) -> str:
    """Why a rule has no episode."""
    if not is_stall(rule):
        return "nothing set it off yet"
    stage = next((m for m in reversed((*sheet.link.movements, *sheet.movements)) if m.kind == "stage"), None)
    name = sheet.setup.stages.get(stage.stage).name if stage else ""
    if stage is not None and sheet.setup.stages.get(stage.stage).paused:
        return f"its clock stands still: {name} is a paused stage"
    if stage is not None and sheet.setup.stages.get(stage.stage).terminal:
        return f"no clock runs: {name} ends the work"
    return f"no clock runs: {name or 'the stage'} has no target"


def clock(rule: Rule) -> str:
    if rule.quiet is not None:
        return "its quiet clock runs"
    return "the stage's clock runs" if rule.over else "set off"


def ending(sheet: Sheet, episode: Episode) -> str:
    """Whether somebody acknowledged, or the work moved on."""
    assert episode.end is not None
    if episode.end.word in episode.rule.until and episode.end.kind == "word":
        return "ended"
    return "over" if episode.end.kind == "stage" and episode.rule.enters else "acknowledged"


def upcoming(sheet: Sheet, look: Look) -> str:
    """The next step of an episode, and when."""
    assert look.episode is not None
    if look.coming is not None:
        return f"step {look.coming.step} comes at {in_utc(look.coming.at)}"
    if len(look.episode.dues) < len(look.rule.steps):
        return "its clock stands still in a paused stage"
    return "no step is left"


def happened(sheet: Sheet, movement: Movement) -> str:
    """What happened, by whom and on which item; never its text."""
    stage = sheet.setup.stages.get(movement.stage).name
    words = HAPPENED[movement.kind].format(stage=stage, word=movement.word)
    by = f" by {movement.author}" if movement.author else ""
    return f"{words}{by}{f' on {movement.item}' if movement.item else ''}"
