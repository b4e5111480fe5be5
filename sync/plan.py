"""A plan: what decide returns. Actions are intended writes as values, each with its reason; settlements are what the
state learns without a write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mappings.fields import Common
from mappings.model import Change, Comment, Draft, Mark, Native, Ref
from mappings.routes import task_of
from sync.merging.merge import Agreed, Echo
from sync.state import Copy, CopyKey, Firing, Held, Movement, Order, Origin, OwnRemark, Stroke, Version


@dataclass(frozen=True, slots=True)
class Adopt:
    """Write the mark on an item made by people."""

    ref: Ref
    side: str
    mark: Mark
    reason: str


@dataclass(frozen=True, slots=True)
class Open:
    """Create a counterpart. ``serials`` are the agreements that the draft's fields stand for; ``history``: comments
    from before are carried too. ``wait`` looks for an earlier creation first. ``task`` is the place of the title, from
    1 on, where this is a task below the source; ``tasks`` is how many the new item is to get."""

    route: str
    source: Ref
    side: str
    draft: Draft
    serials: Mapping[str, int]
    history: bool
    reason: str
    wait: bool = False
    task: int = 0
    tasks: int = 0

    @property
    def begun_as(self) -> str:
        """What the creation is begun and held under: the route's id, a task's own."""
        return task_of(self.route, self.task) if self.task else self.route

    @property
    def given(self) -> Mapping[str, Native]:
        """Everything that the new item is to be born with."""
        return {**self.draft.extra, **self.draft.fields}


@dataclass(frozen=True, slots=True)
class Show:
    """Leave a visible link to the source on an item that was created."""

    ref: Ref
    side: str
    mark: Mark
    source_key: str
    source_url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Write:
    """Change fields and state of one item. ``wanted`` is the agreed value and its serial by field name, ``natives``
    the native names each field writes. Where it carries out an ``order``, nothing is agreed by it; ``what`` is under
    which it is held if it is refused, ``shown`` are the ways in which somebody who is assigned may be spelled."""

    ref: Ref
    side: str
    change: Change
    wanted: Mapping[str, Agreed]
    natives: Mapping[str, tuple[str, ...]]
    fingerprints: Mapping[str, str]
    reason: str
    order: str = ""
    what: str = ""
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Say:
    """Copy one part of a remark. ``text`` is complete, banner included; it lives in memory only. ``made`` is when the
    remark was made (``None``: now, by us)."""

    ref: Ref
    side: str
    channel: str
    copy: CopyKey
    parts: int
    text: str = field(repr=False)
    reason: str = ""
    removed: int = 0
    version: str = ""
    made: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reword:
    """Make a copy that is there, ``id``, say something else: ``text``, whole with its banner, the ``version`` of its
    remark. ``outcome`` is what the copy is then: ``done`` or ``withdrawn``."""

    ref: Ref
    side: str
    channel: str
    copy: CopyKey
    id: str
    text: str = field(repr=False)
    version: str
    reason: str
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
class Unmark:
    """Take our mark and keys off an item that a person took out of its link."""

    ref: Ref
    side: str
    mark: Mark
    reason: str


@dataclass(frozen=True, slots=True)
class About:
    """What a notice is about: the link's items by the keys people know, the rule and step that fired, and since when
    what set it off lasts."""

    items: str
    rule: str
    step: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Notify:
    """Send a mail, a card or a webhook's message (``kind``: email, teams, webhook). ``key`` identifies it for good,
    ``thread`` names the conversation it belongs to, ``about`` is how a digest names it. ``facts`` are labels and texts
    that stand under the text, ``links`` the items' keys and addresses, ``data`` the same facts for a program.
    ``first``: nothing was sent in that thread before."""

    key: str
    kind: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str
    reason: str
    thread: str = ""
    about: About | None = None
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    first: bool = False


Action = Adopt | Open | Show | Write | Say | Reword | Notify | Unmark


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that waits for a person. ``key`` names it for good, ``kind`` is ``open``, ``adopt``, ``join`` or
    ``align``; approved, it becomes actions of the same plan. ``how`` is how the two of a pair were found."""

    key: str
    kind: str
    ref: Ref
    text: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Joining:
    """An item that comes into a link: into ``link`` where that is an id, else into the plan's own. ``how`` and
    ``came`` are kept with the item: its comments up to then are history (``None``: all are carried). ``route`` is the
    one that asks for it: while it is paused nothing joins by it. ``stood`` is the state that it counts as having left
    where the link is over: so it has been opened again by its own people."""

    ref: Ref
    side: str
    link: int
    how: str
    came: datetime | None = None
    route: str = ""
    stood: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """What the other sides of a link, ``link``, are told of an item of ``side`` by a note, once for each ``id``."""

    link: int
    side: str
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is, for ``why``: about a field, a route, a comment or a rule."""

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the state learns with the plan, in the same commit as its intents. ``follows`` is the route by which the
    link begins that opens nothing. ``orders`` are new, or known better now; those ``fulfilled`` need nothing more.
    ``strokes`` is what others wrote since the last look."""

    agreed: Mapping[str, Agreed] = field(default_factory=dict)
    echoes: tuple[tuple[Ref, str, Echo], ...] = ()
    before: str | None = None
    known: tuple[Comment, ...] = ()
    copies: tuple[tuple[CopyKey, Copy, str], ...] = ()
    versions: tuple[tuple[Origin, Version], ...] = ()
    movements: tuple[Movement, ...] = ()
    firings: tuple[Firing, ...] = ()
    holds: tuple[Held, ...] = ()
    releases: tuple[tuple[Ref, str], ...] = ()
    due: datetime | None = None
    closed: bool | None = None
    conflicts: tuple[tuple[str, str, Common], ...] = ()
    remarks: tuple[OwnRemark, ...] = ()
    joins: tuple[Joining, ...] = ()
    tells: tuple[Telling, ...] = ()
    lead: Ref | None = None
    left: tuple[tuple[Ref, bool], ...] = ()
    aside: frozenset[str] | None = None
    receded: tuple[Ref, ...] = ()
    unbelieved: tuple[Ref, ...] = ()
    follows: str = ""
    orders: tuple[Order, ...] = ()
    fulfilled: tuple[str, ...] = ()
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What one link needs now. ``waiting``: something is unsettled, look again at that instant. ``aged``: a route
    would open from this item if it were not older than the route's ``since``. ``keys`` are the readable keys of the
    link's items, by reference, ``proposals`` what waits for a person. ``withheld`` counts the
    writes that a freeze or a pause keeps back, ``frozen``: all of them, so that only what alerts is left of the plan.
    ``loose``: no link holds the item, and the plan makes none. ``pending``: what is needed to decide could not be read
    yet, so that the items stay news."""

    link: int
    key: str
    title: str
    actions: tuple[Action, ...] = ()
    settlement: Settlement = Settlement()
    reasons: tuple[Reason, ...] = ()
    values: Mapping[str, Common] = field(default_factory=dict)
    waiting: datetime | None = None
    aged: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    proposals: tuple[Proposal, ...] = ()
    frozen: bool = False
    withheld: int = 0
    loose: bool = False
    pending: bool = False

    @property
    def quiet(self) -> bool:
        return not self.actions and not self.settlement.joins
