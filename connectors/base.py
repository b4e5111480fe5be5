"""The protocol every connector keeps, and its failures, named for what happens next."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mappings.model import Change, Comment, Draft, Mark, Record, Ref, Scope


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

    def open(self, scopes: Sequence[Scope]) -> Opening:
        """Signs in, reads the metadata that the scopes need (choices, field types), checks the names in them.
        Called once before anything else, and again after a reload. Start-up calls are counted apart."""
        ...

    def states(self, scope: Scope) -> Sequence[str]:
        """Every state an item of the scope can have, as admins spell it. After ``open``."""
        ...

    def fields_known(self, scope: Scope) -> Collection[str]:
        """Every native field of the scope's items. After ``open``."""
        ...

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """Pages of what is in scope or marked and may have moved since ``cursor`` (empty: everything, oldest
        first), overlapping so that nothing between is missed. The last page says so."""
        ...

    def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Record | None]:
        """The records of ``ids`` now, in batches; ``None`` where the item is gone or hidden."""
        ...

    def discussions(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        """Every comment of the items, oldest first. Raises ``Refused`` naming the right to grant where the
        tracker does not let us read comments."""
        ...

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> Sequence[Record]:
        """The marked items whose creation key is ``mark.made``, created since (tracker's clock), oldest first. One
        look-up, for a creation whose answer was lost."""
        ...

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

    def show(self, scope: Scope, record: Record, mark: Mark, source_key: str, source_url: str) -> None:
        """A visible link from the item to its source where mark and keys leave none (Jira's remote link).
        Idempotent; nothing to do elsewhere."""
        ...

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """Adds a comment of plain text; markup and mentions in it stay dead."""
        ...

    def calls(self) -> int:
        """Requests sent so far, each try counted."""
        ...

    def close(self) -> None:
        """Drops pooled connections."""
        ...
