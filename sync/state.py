"""What Lockstep knows of a link, frozen, as the store gives it and ``decide`` takes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mappings.fields import Common
from mappings.mentions import Mention
from mappings.model import Comment, Mark, Moved, Record, Ref
from mappings.templates import in_words
from sync.merging.merge import Agreed, Echo


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a link. ``rebuilt``: found again by its mark after the state was lost, so what was carried before is
    told by banners alone. ``assignee`` and ``version`` are of the last decision, ``talk`` of the last discussion read
    (empty: none was since it was found); ``acked`` is the version that our own last write left: an older record is a
    stale one. ``left``: its own people closed it while the link went on, so that it is given no more stages.
    ``joined`` is how it came into the link: empty where it opened it, ``opened ROUTE``, ``match FIELD``, ``parent``,
    ``problem``, ``mention`` or ``linked``; ``came`` is when, by its own tracker's clock: comments up to then are
    history (``None``: all are carried). ``created`` is the item's birth: another one means another item."""

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
    left: bool = False
    joined: str = ""
    came: datetime | None = None
    created: datetime | None = None


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
    ``pending`` (certainly not sent), ``refused``, ``withdrawn`` (its words were taken back). ``id`` is the tracker's
    own of a comment that is there: edited, it stays a copy. ``digest`` is the version of the remark that it carries
    (empty: unknown), ``sent`` the one that is on its way, ``channel`` where it stands."""

    outcome: str
    at: datetime
    id: str = ""
    digest: str = ""
    sent: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A comment of the item ``item`` as it was last seen: a keyed digest of its words and channel, since when (never
    later than our clock), and whether it is gone."""

    item: str
    digest: str
    since: datetime
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Movement:
    """Something that moved the work. ``event`` names it for good; ``party`` acted, ``move`` is whose move it was
    afterwards, ``stage`` where the link stood afterwards. ``kind``: stage, comment, assignment, ``word`` (a command
    word in a comment: ``word``, and ``until`` when a snooze expires), ``field`` (``word`` names the field whose agreed
    value changed) or ``opened`` (``word`` names the side). ``item`` is the readable key of the item it happened on,
    ``author`` the name people see."""

    event: str
    kind: str
    at: datetime
    stage: str
    move: str
    party: str = ""
    word: str = ""
    until: datetime | None = None
    item: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Firing:
    """One step of one episode of one rule: happens once. ``told`` are the recipients that it addressed: parties by
    name, others by address."""

    rule: str
    episode: str
    step: int
    at: datetime
    outcome: str = "fired"
    told: tuple[str, ...] = ()


#: as what an item is held that cannot be read, one whose discussion cannot be, and one that a defect of ours stops
UNREAD, UNHEARD, DEFECT = "reading", "comments", "defect"


@dataclass(frozen=True, slots=True)
class Held:
    """Set aside with its reason: one field, comment or creation of one item. ``fingerprint`` is what was tried; the
    same is not tried again before ``retry``. ``tries`` counts how often it was, the last time at ``tried``."""

    ref: Ref
    what: str
    reason: str
    advice: str
    since: datetime
    retry: datetime | None = None
    fingerprint: str = ""
    tries: int = field(default=0, compare=False)
    tried: datetime | None = field(default=None, compare=False)


#: what a stroke of a comment is called, and how many characters of a value are kept
COMMENT, KEPT = "comment", 60


def kept_value(value: Common) -> str:
    """A value in words, short enough to be kept and told, and still another one than that of another value."""
    text = " ".join(in_words(value).split())
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return text if len(text) <= KEPT else f"{text[: KEPT - 15]}… ({digest})"


@dataclass(frozen=True, slots=True)
class Stroke:
    """Something that was written on an item lately: a field's value in words, a comment (``name`` is then ``COMMENT``
    and ``value`` its channel) or a mark. ``author`` is empty where we wrote it. ``counts``: it counts against the
    item's budget of writes."""

    key: str
    ref: Ref
    at: datetime
    name: str
    value: str
    author: str = ""
    counts: bool = True


@dataclass(frozen=True, slots=True)
class OwnRemark:
    """Something Lockstep says itself on an item: a note or a firing's remark, named by ``id``. Kept until said.
    ``mention`` are those who are called by name first."""

    id: str
    ref: Ref
    channel: str
    text: str
    reason: str
    mention: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class Creation:
    """A creation that was begun: its key, the route and, where its answer was lost, since when."""

    key: str
    route: str
    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a rule's step, or a route, wants done in a tracker, kept until it is. ``kind``: ``open`` (``value`` is the
    route, ``side`` what it opens), ``stage`` (``value`` is the stage), ``assign`` (``value`` is the recipient) or
    ``relate`` (``value`` is the route). ``ref`` is the item that is written, once it is known, ``was`` what it showed
    then: what people say there since stands, and nothing is written any more."""

    id: str
    kind: str
    side: str
    value: str
    reason: str
    ref: Ref | None = None
    was: str = ""


@dataclass(frozen=True, slots=True)
class LinkState:
    """One piece of work. ``id`` is 0 for an item that no link holds yet. ``source`` opened the link. ``armed`` is
    when each rule came into force; ``before`` the stage that a pause returns to; ``remarks`` are our own words that
    are not said yet. ``old``: the item was there before Lockstep first looked. ``lead`` speaks for the
    opening side (``None``: the source), ``route`` first opened or paired a counterpart or followed the item alone,
    ``barred`` are the keys of links that the item must not join (``*``: nothing is opened from it either). ``tasks``
    are shown, never counted, ``strokes`` is what was written on the items lately,
    ``strays`` are of sides that the file has no more: neither read nor written;
    ``aside`` are the routes that came into force when the work fitted them already: they open by a person's word
    alone, until it comes to fit them anew. ``orders`` are not carried out yet."""

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
    versions: Mapping[Origin, Version] = field(default_factory=dict)
    movements: tuple[Movement, ...] = ()
    firings: tuple[Firing, ...] = ()
    held: tuple[Held, ...] = ()
    creations: tuple[Creation, ...] = ()
    remarks: tuple[OwnRemark, ...] = ()
    armed: Mapping[str, datetime] = field(default_factory=dict)
    old: bool = False
    lead: Ref | None = None
    route: str = ""
    barred: frozenset[str] = frozenset()
    aside: frozenset[str] = frozenset()
    paused: bool = False
    tasks: tuple[Item, ...] = ()
    strays: tuple[Item, ...] = ()
    orders: tuple[Order, ...] = ()
    strokes: tuple[Stroke, ...] = ()

    def item(self, ref: Ref) -> Item:
        return next(item for item in self.items if item.ref == ref)

    def on(self, side: str) -> tuple[Item, ...]:
        """The items of a side that are still there, oldest membership first."""
        return tuple(item for item in self.items if item.side == side and not item.gone)


@dataclass(frozen=True, slots=True)
class Tie:
    """What binds an item that no link holds to another one, ``ref`` of side ``side``: a ``match`` that the route's
    admin named, its ``parent`` or ``problem``, or a ``mention``. ``link`` is the id of the other item's link (0: none),
    ``closed`` whether that link is over, ``told`` the tie in words, ``barred`` the links that people took the other
    item out of."""

    kind: str
    route: str
    ref: Ref
    side: str
    key: str
    told: str
    link: int = 0
    link_key: str = ""
    closed: bool = False
    barred: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What decisions need to know of a tracker: how long a comment may be, after how long a lost answer may be
    settled by reading, where a note for an item's own people goes, and by side the states that an item never leaves.
    ``updater`` is how our own account shows as who wrote last (empty: not known).
    ``rewords``: comments can be changed there after they were said, by people and by us. ``account`` is our own, as
    comments and histories name it; ``assignee`` is the native field of who works on an item (empty: there is none),
    ``title`` that of its title."""

    comment_limit: int
    grace: timedelta
    note_channel: str
    final: Mapping[str, frozenset[str]] = field(default_factory=dict)
    updater: str = ""
    rewords: bool = False
    account: str = ""
    assignee: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the trackers say now. A record is ``None`` where the item is gone or hidden. ``comments`` has an entry
    only for items whose discussion was read; ``mute`` says, by tracker, why its comments cannot be read; ``unheard``
    are the items whose discussion should have been read and could not be. ``ties`` are those of items that no link
    holds, and those by which a link's item finds a counterpart; ``unready`` are the sides whose first reading is not
    complete, so that nobody knows yet what stands there. ``moves`` are the changes of state and assignee since the last
    look, of items whose tracker tells its history. ``silent`` are the items whose discussion their mute tracker did not
    let us read."""

    records: Mapping[Ref, Record | None]
    comments: Mapping[Ref, tuple[Comment, ...]] = field(default_factory=dict)
    mute: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    unheard: frozenset[Ref] = frozenset()
    ties: Mapping[Ref, tuple[Tie, ...]] = field(default_factory=dict)
    unready: frozenset[str] = frozenset()
    moves: Mapping[Ref, tuple[Moved, ...]] = field(default_factory=dict)
    silent: frozenset[Ref] = frozenset()
