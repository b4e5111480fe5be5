"""The admin's file as the engine sees it: resolved, typed and frozen. ``config`` makes it; nothing else reads TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path as FilePath

from connectors.auth import Auth, Secret
from mappings.calendar import Calendar, Span
from mappings.conditions import Condition
from mappings.disclosure import Channel, Mask, Path
from mappings.fields import Common, Field
from mappings.model import Native, Scope
from mappings.people import Party
from mappings.roster import Roster
from mappings.routes import Route
from mappings.stages import StageMap
from mappings.timetable import Timetable
from sync.report.asked import StatusReport


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """A tracker to talk to. ``lag`` is how far its search may trail its writes."""

    name: str
    kind: str
    url: str
    auth: Auth
    lag: timedelta | None = None
    page: int = 0
    ca: str = ""
    proxy: Secret | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Side:
    """A kind of item that links are made of. ``create_kind`` is the type created, ``create`` the admin's fixed
    native fields of a new item. ``under``: its items are tasks below those of another side, shown and never counted."""

    name: str
    tracker: str
    scope: Scope
    create_kind: str
    create: Mapping[str, Native] = field(default_factory=dict)
    under: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a step says: on which channel, the text as a template, and the recipients that are mentioned first in it,
    each in the tracker's own form."""

    on: Channel
    text: str
    mention: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mailing:
    """Who a step writes to: recipients as the admin wrote them (addresses, parties, people, roles such as
    ``regional manager of {county}``), resolved when the step fires; subject and text are templates."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whom a step assigns the items of ``side`` to: a recipient that means one person with an account there."""

    side: str
    to: str


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a rule's ladder, ``after`` the due time of the rung before (business time). ``open`` is the route
    by which a counterpart is opened, ``webhook`` a name under [webhooks]."""

    after: Span | None = None
    say: Remark | None = None
    set: Mapping[str, Common] = field(default_factory=dict)
    email: Mailing | None = None
    teams: str = ""
    teams_text: str = ""
    assign: Assignment | None = None
    open: str = ""
    webhook: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens when work stalls or something happens to it. It has one trigger: ``quiet`` for so long; ``over``
    the stage's target (``over_span`` where the rule names a span of its own); ``concern``, a word of a requester who
    asks; ``said``, one of these command words; ``enters``, one of these stages; ``changes``, the agreed value of one
    of these fields; ``opens``, a counterpart of one of these sides. ``by``: only what these parties did counts.
    ``until``: command words that end the episode, beside an acknowledgement. ``resolved``: work in a terminal stage
    counts too."""

    id: str
    when: Condition | None
    quiet: Span | None
    over: bool
    over_span: Span | None
    steps: tuple[Step, ...]
    calendar: Calendar | None = None
    concern: bool = False
    said: tuple[str, ...] = ()
    enters: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Notices:
    """How people are spared. A recipient gets at most ``per_hour`` messages an hour (0: no bound), the rest together
    every ``digest``; none from ``quiet_from`` to ``quiet_to`` (minutes of the day in the zone of the recipient's party,
    both 0: no quiet hours). More than ``storm`` firings in one pass go out as one digest for each recipient (0: no
    bound). After ``silent`` without a pass that ended, ``tell`` hear of it; ``beat`` is called after each pass, for a
    watchman outside."""

    per_hour: int = 0
    digest: timedelta = timedelta(hours=1)
    quiet_from: int = 0
    quiet_to: int = 0
    storm: int = 0
    silent: timedelta | None = None
    tell: tuple[str, ...] = ()
    teams: str = ""
    beat: Secret | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What is listed regularly. ``what``: ``created``, the items of ``side`` from ``since`` to ``until`` days before
    the day it is due; ``moved``, the links that moved since it was due before; ``watched``, the same for each person
    who watches, and those that ``when`` marks for everybody named in ``email``. ``show`` are fields, sides (their keys)
    and words of its own, the columns."""

    id: str
    what: str
    at: Timetable
    when: Condition | None = None
    side: str = ""
    since: int = 0
    until: int = 0
    show: tuple[str, ...] = ()
    email: Mailing | None = None
    teams: str = ""


@dataclass(frozen=True, slots=True)
class Guards:
    """A pass stops and asks that would write more than ``writes`` times, would change more than the ``share`` of the
    open links, or finds more than the share ``gone`` of a tracker's linked items missing. An item rests that is written
    more than ``item`` times within an hour, or a field of which somebody put back what we wrote ``flap`` times within a
    day; ``comments`` is how many that customers read an item gets an hour. 0: no bound. ``tell`` are the addresses and
    ``teams`` the channel that hear of it."""

    writes: int = 1000
    share: float = 0.0
    gone: float = 0.0
    tell: tuple[str, ...] = ()
    teams: str = ""
    item: int = 60
    flap: int = 5
    comments: int = 30


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which nothing is written, UTC, ``end`` excluded."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """How mail goes out: ``smtp://``, ``smtp+starttls://`` or ``smtps://`` host and port."""

    server: str
    sender: str
    user: str = ""
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Teams messages are posted, an address that is a secret itself, and the way there as for a tracker."""

    url: Secret
    ca: str = ""
    proxy: Secret | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Where JSON is posted, and the secret that signs it."""

    url: Secret
    secret: Secret | None = None
    ca: str = ""
    proxy: Secret | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The admin's file as it was read: where it stands, what it says, and where ``{ env = ... }`` looks."""

    path: FilePath
    text: str
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything the admin said. ``conditions`` are the routes' compiled ``when`` by route id; ``digest`` identifies
    the file's content, ``page`` is the file itself; ``secrets`` sign banners, the first one new ones."""

    instance: str
    state: Secret
    secrets: tuple[Secret, ...]
    poll: timedelta
    sweep: timedelta
    zone: str
    calendar: Calendar
    workers: int
    guards: Guards
    trackers: Mapping[str, TrackerSettings]
    sides: Mapping[str, Side]
    parties: tuple[Party, ...]
    stages: StageMap
    routes: tuple[Route, ...]
    conditions: Mapping[str, Condition]
    fields: Mapping[str, Field]
    paths: tuple[Path, ...]
    masks: tuple[Mask, ...]
    rules: tuple[Rule, ...]
    automation: frozenset[str]
    mail: Mail | None
    teams: Mapping[str, Webhook]
    siblings: bool = False
    deletions: bool = False
    roster: Roster = field(default_factory=Roster)
    fallback: tuple[str, ...] = ()
    webhooks: Mapping[str, Hook] = field(default_factory=dict)
    notices: Notices = field(default_factory=Notices)
    reports: tuple[Report, ...] = ()
    reread: int = 200
    status_report: StatusReport | None = None
    freeze: tuple[Window, ...] = ()
    digest: str = ""
    started: datetime | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    page: Page | None = field(default=None, repr=False, compare=False)

    @property
    def mark(self) -> str:
        """The searchable mark of every item this instance links."""
        return f"lockstep-{self.instance}"

    def sides_in(self, tracker: str) -> tuple[Side, ...]:
        """The sides that live in a tracker, in the file's order."""
        return tuple(side for side in self.sides.values() if side.tracker == tracker)
