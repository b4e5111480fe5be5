"""What Lockstep knows of a link, frozen, as the store gives it and ``decide`` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mappings.model import Comment, Mark, Record, Ref
from sync.merge import Agreed, Echo


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a link. ``rebuilt``: found again by its mark after the state was lost, so what was carried before is
    told by banners alone. ``assignee`` and ``version`` are of the last decision, ``talk`` of the last discussion read
    (empty: none was since it was found); ``acked`` is the version that our own last write left: an older record is a
    stale one."""

    ref: Ref
    side: str
    key: str
    version: int = 0
    echoes: Mapping[str, Echo] = field(default_factory=dict)
    assignee: str = ""
    mark: Mark | None = None
    gone: bool = False
    rebuilt: bool = False
    talk: str = ""
    acked: int = -1


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a remark comes from: a tracker's comment, or (tracker ``""``) a firing or a note of our own."""

    tracker: str
    id: str


@dataclass(frozen=True, slots=True)
class CopyKey:
    """One part of one remark on one item: carried once."""

    origin: Origin
    target: Ref
    part: int = 1


@dataclass(frozen=True, slots=True)
class Copy:
    """How far a copy got: ``done``, ``history`` (older than the joining, never carried), ``unsure`` since an instant,
    ``pending`` (certainly not sent), ``refused``. ``id`` is the tracker's own of a comment that is there: edited, it
    stays a copy."""

    outcome: str
    at: datetime
    id: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """Something that moved the work. ``event`` names it for good; ``party`` acted, ``move`` is whose move it was
    afterwards, ``stage`` where the link stood afterwards. ``kind``: stage, comment or assignment."""

    event: str
    kind: str
    at: datetime
    stage: str
    move: str
    party: str = ""


@dataclass(frozen=True, slots=True)
class Firing:
    """One step of one episode of one rule: happens once."""

    rule: str
    episode: str
    step: int
    at: datetime
    outcome: str = "fired"


@dataclass(frozen=True, slots=True)
class Held:
    """Set aside with its reason: one field, comment or creation of one item. ``fingerprint`` is what was tried; the
    same is not tried again before ``retry``."""

    ref: Ref
    what: str
    reason: str
    advice: str
    since: datetime
    retry: datetime | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class OwnRemark:
    """Something Lockstep says itself on an item: a note or a firing's remark, named by ``id``. Kept until said."""

    id: str
    ref: Ref
    channel: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Creation:
    """A creation that was begun: its key, the route and, where its answer was lost, since when."""

    key: str
    route: str
    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class LinkState:
    """One piece of work. ``id`` is 0 for an item that no link holds yet. ``source`` opened the link. ``armed`` is
    when each rule came into force; ``before`` the stage that a pause returns to; ``remarks`` are our own words that
    are not said yet. ``old``: the item was there before Lockstep first looked."""

    id: int
    key: str
    source: Ref
    items: tuple[Item, ...]
    agreed: Mapping[str, Agreed] = field(default_factory=dict)
    before: str = ""
    opened: datetime | None = None
    closed: datetime | None = None
    copies: Mapping[CopyKey, Copy] = field(default_factory=dict)
    known: frozenset[Origin] = frozenset()
    movements: tuple[Movement, ...] = ()
    firings: tuple[Firing, ...] = ()
    held: tuple[Held, ...] = ()
    creations: tuple[Creation, ...] = ()
    remarks: tuple[OwnRemark, ...] = ()
    armed: Mapping[str, datetime] = field(default_factory=dict)
    old: bool = False

    def item(self, ref: Ref) -> Item:
        return next(item for item in self.items if item.ref == ref)

    def on(self, side: str) -> tuple[Item, ...]:
        """The items of a side that are still there, oldest membership first."""
        return tuple(item for item in self.items if item.side == side and not item.gone)


@dataclass(frozen=True, slots=True)
class Facts:
    """What decisions need to know of a tracker: how long a comment may be, after how long a lost answer may be
    settled by reading, and where a note for an item's own people goes."""

    comment_limit: int
    grace: timedelta
    note_channel: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the trackers say now. A record is ``None`` where the item is gone or hidden. ``comments`` has an entry
    only for items whose discussion was read; ``mute`` says, by tracker, why its comments cannot be read; ``unheard``
    are the items whose discussion should have been read and could not be."""

    records: Mapping[Ref, Record | None]
    comments: Mapping[Ref, tuple[Comment, ...]] = field(default_factory=dict)
    mute: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    unheard: frozenset[Ref] = frozenset()
