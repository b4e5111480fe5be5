"""The protocol every connector keeps, and its failures, named for what happens next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from mappings.model import Change, Comment, Draft, Mark, Moved, Record, Ref, Scope
from mappings.words import search_words, speaks_of


class Failure(Exception):
    """A tracker did not do what was asked. The message is a sentence for the person who reads it; it never holds a
    secret nor a body of a comment."""


class Refused(Failure):
    """The tracker said no to this content: hold it with the tracker's own reason. ``fields`` are the native names
    the tracker blamed (empty where it named none)."""

    def __init__(self, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields


class Stale(Failure):
    """The item moved on since it was read: decide again."""


class Gone(Failure):
    """No such item, or it is hidden from us (no tracker tells which): hold, never re-create, never delete."""


class Busy(Failure):
    """The tracker asks for rest: nothing is sent to this scope before ``until`` (UTC, our clock)."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Down(Failure):
    """Certainly not applied: the tracker cannot be reached or fails. Back off and try again."""


class Garbled(Down):
    """What the tracker says of some items is not understood: hold each, by its id with its reason (``reasons``). What
    was asked for beside them is ``found``."""

    def __init__(self, reasons: Mapping[str, str], found: Mapping[str, Any]) -> None:
        super().__init__("; ".join(dict.fromkeys(reasons.values())))
        self.reasons, self.found = reasons, found


class Unsure(Failure):
    """A write that may have been applied: never repeat it, settle it by reading."""


class LockedOut(Failure):
    """Our credentials are refused, or a sign-in page came back: stop this tracker, loudly."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An item that may have moved. ``record`` is in hand where the change query brought it whole."""

    ref: Ref
    version: int
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a change query and the cursor that stands behind it: opaque text, safe to store once the notices
    are. ``last`` is the tracker's own end mark, never a short page."""

    notices: tuple[Notice, ...]
    cursor: str
    last: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as acknowledged. ``id`` is empty where the tracker gives none (ServiceNow); ``version`` is the
    item's new version where the answer shows it, else 0."""

    id: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """What a connector found when it opened: our own account, as comments name it, and what it cannot do, each a
    sentence for the admin (``(side, name, sentence)``; name is the native name at fault, or empty)."""

    account: str
    problems: tuple[tuple[str, str, str], ...] = ()


class Clock(Protocol):
    """Time as the caller gives it: a system clock, or the sandbox's."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``, or let the simulated clock pass them."""
        ...


@runtime_checkable
class Journalled(Protocol):
    """What a connector has besides whose tracker keeps comments apart from items."""

    #: whether a comment was ever seen: a denied journal looks like an empty one. Kept across restarts
    journal_seen: bool
    #: whether comments were met that moved no version of their item: then ``spoken`` is asked in each pass
    journal_apart: bool

    def spoken(self, scopes: Sequence[Scope], cursor: str) -> tuple[Collection[str], str]:
        """The ids of items that have comments new since the cursor (empty: all), and the cursor behind them."""
        ...


class Resting(Protocol):
    """Who keeps quiet while a tracker rests. Instants are UTC, by our clock."""

    #: told of each rest: until when, and when it was asked for
    tell_rest: Callable[[datetime, datetime], None]

    def rest(self, until: datetime, asked: datetime) -> bool:
        """Nothing is sent before ``until``, as the tracker asked for at ``asked``. Whether that is longer than
        before."""
        ...


@runtime_checkable
class Rests(Protocol):
    """A connector whose tracker's rests are to be kept over a restart: one that is started anew again and again would
    ask on and on."""

    transport: Resting


@runtime_checkable
class Learns(Protocol):
    """A connector that learns something of its tracker on the way that is worth keeping over a restart: names and ids,
    never content. Losing it costs calls or patience, never a wrong result."""

    def learned(self) -> Mapping[str, object] | None:
        """All that was learned, fit for JSON, where there is news since the last time; else ``None``."""
        ...

    def recall(self, kept: Mapping[str, object]) -> None:
        """What ``learned`` gave in an earlier life. Whatever is not understood is passed over."""
        ...


class Connector(Protocol):
    """One tracker, spoken to through its library. Methods may be called from several threads; each thread has its
    own client. Every method raises the failures above and nothing else. Reads are repeated a few times where that
    is safe; a write is sent once."""

    name: str
    kind: str
    #: longest comment the tracker takes, in characters; longer text is sent in numbered parts
    comment_limit: int
    #: where a note for the item's own people goes, as private as the tracker knows how
    note_channel: str
    #: whether versions count one by one, so that an answer one above the version decided on leaves nothing unseen
    consecutive: bool
    #: how our own writes show in ``Record.updated_by``; empty where that is not known
    updater: str
    #: how far searches may trail writes; after a lost answer nothing is looked up before
    lag: timedelta
    #: whether a comment can be changed after it was said, by people and by us (ServiceNow's journal only grows)
    rewords: bool = False
    #: whether such a change moves the item's version; where not, discussions are read again in rotation
    edits_show: bool = True
    #: the native name of an item's title
    title: str
    #: that of its description, for which only the search below asks
    details: str = ""
    #: that of who works on it, written as an account; empty where items are nobody's
    assignee: str = ""

    def open(self, scopes: Sequence[Scope]) -> Opening:
        """Signs in, reads the metadata that the scopes need (choices, field types), checks the names in them.
        Called once before anything else, and again after a reload. Start-up calls are counted apart."""
        ...

    def states(self, scope: Scope) -> Sequence[str]:
        """Every state an item of the scope can have, as admins spell it. After ``open``."""
        ...

    def final(self, scope: Scope) -> Collection[str]:
        """The states that an item of the scope can never leave, as admins spell them; empty where that is not known.
        After ``open``; before, it is empty and asks nothing."""
        return ()

    def fields_known(self, scope: Scope) -> Collection[str]:
        """Every native field of the scope's items. After ``open``."""
        ...

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """Pages of what is in scope or marked and may have moved since ``cursor`` (empty: everything, oldest
        first), overlapping so that nothing between is missed. The last page says so."""
        ...

    def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Record | None]:
        """The records of ``ids`` now, in batches; ``None`` where the item is gone or hidden. Raises ``Garbled`` where
        one of them is of an unknown shape."""
        ...

    def discussions(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        """Every comment of the items, oldest first. Raises ``Refused`` naming the right to grant where the
        tracker does not let us read comments, ``Garbled`` where one item's are of an unknown shape."""
        ...

    def history(self, scope: Scope, changed: Sequence[tuple[Record, int]]) -> Mapping[str, tuple[Moved, ...]]:
        """For each record, as it now is, the changes of its state and assignee since that version, oldest first. An
        item of which the tracker keeps or shows no history is left out: its movements are then timed by its record."""
        return {}

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> Sequence[Record]:
        """The marked items whose creation key is ``mark.made``, created since (tracker's clock), oldest first. One
        look-up, for a creation whose answer was lost. A small tracker is read whole. Raises ``Garbled`` where one of
        the answer is of an unknown shape: it might be the one that is looked for."""
        found = [record for record in self.whole(scope) if record.created >= since]
        made = [record for record in found if record.mark and record.mark.made == mark.made]
        return sorted(made, key=lambda record: record.created)

    def search(self, scope: Scope, text: str, limit: int) -> Sequence[Record]:
        """What is in scope or marked and has every word of ``text`` (see ``mappings.words``) in its title or
        description, or is called so: ``limit`` items at the most, the last updated first. Comments are never searched,
        for some are private. A small tracker is read whole."""
        words, name = search_words(text), text.strip().casefold()
        wide = replace(scope, fields=(self.title, self.details) if self.details else (self.title,))
        told = [(r, [str(value) for value in r.fields.values() if value]) for r in self.whole(wide) if words]
        found = [r for r, texts in told if r.key.casefold() == name or speaks_of(words, *texts)]
        newest = sorted(found, key=lambda r: r.updated, reverse=True)
        ids = list(dict.fromkeys(record.ref.id for record in newest))[:limit]
        read = self.read(scope, ids)
        return [record for id in ids if (record := read.get(id))]

    def created(self, scope: Scope, since: datetime, until: datetime) -> Sequence[Record]:
        """What is in scope and was created from ``since`` on and before ``until`` (tracker's clock, to the second),
        oldest first, whatever its state. A small tracker is read whole. Raises ``Garbled`` where one of them is of an
        unknown shape."""
        return born(self.whole(scope), since, until)

    def whole(self, scope: Scope) -> Iterator[Record]:
        """Every record that is in scope or marked: what a search can do in a tracker that has none. Costs a reading of
        all of them."""
        for page in self.changes(scope, ""):
            unread = [notice.ref.id for notice in page.notices if notice.record is None]
            read = [record for record in self.read(scope, unread).values() if record] if unread else []
            yield from [*(notice.record for notice in page.notices if notice.record), *read]

    def create(self, scope: Scope, draft: Draft) -> Record:
        """Creates the item with mark and keys in the call itself and returns what the tracker now says."""
        ...

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        """Writes the change and returns what the tracker now says. ``record`` is the one decided on."""
        ...

    def adopt(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """Writes mark and keys, and nothing else, on an item made by people. Never overwrites an occupied field:
        raises ``Refused``. Idempotent."""
        ...

    def unmark(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """Takes this instance's mark and keys off an item, and nothing else. Idempotent: an item without them is
        returned as it is."""
        ...

    def show(self, scope: Scope, record: Record, mark: Mark, source_key: str, source_url: str) -> None:
        """A visible link from the item to its source where mark and keys leave none (Jira's remote link).
        Idempotent; nothing to do elsewhere."""
        ...

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """Adds a comment of plain text; markup and mentions in it stay dead."""
        ...

    def reword(self, scope: Scope, record: Record, comment: str, channel: str, text: str) -> Said:
        """Gives a comment of our own, by its id, a new text, on its channel (empty: as it stands). Idempotent. Raises
        ``Gone`` where the comment or its item is not there, ``Refused`` where the tracker changes no comments."""
        raise Refused(f"{self.name} changes no comments")

    def calls(self) -> int:
        """Requests sent so far, each try counted."""
        ...

    def close(self) -> None:
        """Drops pooled connections."""
        ...


def born(records: Iterable[Record], since: datetime, until: datetime) -> list[Record]:
    """Those of the records that are in scope and were created from ``since`` on and before ``until``, oldest first:
    looked at on our side too, for a tracker may pass over a condition."""
    kept = {r.ref: r for r in records if r.in_scope and since <= r.created < until}
    return sorted(kept.values(), key=lambda record: (record.created, record.key, record.ref))
