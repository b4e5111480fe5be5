"""What people said and changed since the last look, and what was opened, as movements of the link. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mappings.model import Comment
from mappings.people import party_of
from mappings.text import clean
from sync.comments.discuss import before_it_came
from sync.escalation.clocks import calendar_of
from sync.escalation.visits import acted
from sync.escalation.words import SILENCING, SNOOZE_SO, words_in
from sync.merging.status import STAGE
from sync.setup import Setup
from sync.sheet import Sheet, say_once
from sync.state import Item, Movement

#: how an item came that is a counterpart of the work
OPENED = ("opened ", "match ")


def declared_words(setup: Setup) -> frozenset[str]:
    """The command words that rules of the file listen to."""
    return frozenset(word for rule in setup.rules for word in (*rule.said, *rule.until))


def watched_fields(setup: Setup) -> tuple[str, ...]:
    """The fields whose changes a rule of the file speaks of."""
    return tuple(dict.fromkeys(name for rule in setup.rules for name in rule.changes if name in setup.fields))


def remarked(sheet: Sheet, comment: Comment, stage: str, move: str) -> Iterator[Movement]:
    """A person's comment and the command words in it. What was said before its item came into the link commands
    nothing."""
    item = sheet.link.item(comment.item)
    place = f"{comment.item.tracker}:{comment.id}"
    party = party_of(sheet.setup.parties, item.side, comment.item.tracker, comment.account)
    author = " ".join(clean(comment.author or comment.account)[0].split())
    said = Movement(f"comment:{place}", "comment", comment.created, stage, move, party, item=item.key, author=author)
    yield said
    if before_it_came(sheet.link, comment):
        return
    asks = any(one.requester for one in sheet.setup.parties if one.name == party)
    for number, word in enumerate(words_in(comment.text, declared_words(sheet.setup))):
        if asks and word.name in SILENCING:
            sheet.because(item.key, f"{word.name} by {author} did nothing: it is for those who work on this")
            continue
        if word.broken:
            say_once(sheet, f"snooze:{place}", item.ref, f"Nothing was snoozed: write {SNOOZE_SO}.")
            continue
        # a snooze lasts for its span of the calendar of the party whose move it is
        until = calendar_of(sheet.setup, move).add(comment.created, word.span) if word.span else None
        yield replace(said, event=f"word:{place}:{number}", kind="word", word=word.name, until=until)


def field_changes(sheet: Sheet, stage: str, move: str) -> Iterator[Movement]:
    """Each new agreement on a field that a rule watches. A link's first agreement is no change, nor is what an edited
    file reads anew; who wrote last on the item whose word stands counts as who changed it."""
    for name in watched_fields(sheet.setup):
        was, now = sheet.link.agreed.get(name), sheet.agreed.get(name)
        if not sheet.link.id or was is None or now is None or was.map or was.value == now.value:
            continue
        event = f"field:{name}:{now.serial}"
        item = next((i for i in sheet.present() if i.side == now.by), None)
        if item is None or item.rebuilt:
            yield Movement(event, "field", sheet.now, stage, move, word=name)
            continue
        record = sheet.record(item.ref)
        by, author = acted(sheet, item, record.updated_by)
        at = min(record.updated, sheet.now)
        yield Movement(event, "field", at, stage, move, by, name, item=item.key, author=author)


def newly_opened(item: Item) -> bool:
    """Whether a route has just opened the item: its state, as it was born with it, stands for no agreement yet."""
    born = item.echoes.get(STAGE)
    return not item.joined and born is not None and born.serial == 0


def openings(sheet: Sheet, stage: str, move: str) -> Iterator[Movement]:
    """Each counterpart that came since the last look: opened, or found made by hand; and the new item with which a link
    begins that follows it alone. One is never older than its link, whose clock and its tracker's may disagree."""
    known = {movement.event for movement in sheet.link.movements}
    for item in sheet.present():
        event = f"opened:{item.ref}"
        opened = item.joined.startswith(OPENED) or newly_opened(item)
        if not item.rebuilt and opened and event not in known:
            at = item.created or sheet.record(item.ref).created
            at = min(max(at, item.came or at, sheet.link.opened or at), sheet.now)
            yield Movement(event, "opened", at, stage, move, word=item.side, item=item.key)
        elif not item.rebuilt and sheet.follows and not sheet.link.old:
            at = min(sheet.record(item.ref).updated, sheet.now)
            yield Movement(event, "opened", at, stage, move, word=item.side, item=item.key)
