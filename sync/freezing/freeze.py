"""Freezing: when nothing is written, and what of a plan goes on all the same. Pure.

What is frozen is not decided away: its items stay dirty and are decided anew in each pass, so that on thawing the
words of all sides stand beside each other, as if they had been said at once, and nothing opens that is no longer
wanted. Only what alerts is settled meanwhile: firings, what they set and say, and what restarts the clocks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mappings.wording import in_utc
from sync.merging.status import STAGE
from sync.ordering.give import FIRED
from sync.plan import Action, Notify, Open, Plan, Settlement
from sync.setup import Setup, Window
from sync.state import Firing, LinkState

#: names of what may be paused: everything, a route, a link
ALL, ROUTE, LINK = "all", "route:", "link:"


@dataclass(frozen=True, slots=True)
class Pause:
    """What a person stopped: ``all``, ``route:ID`` or ``link:KEY``."""

    what: str
    since: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Frost:
    """Why nothing is written: a ``window`` of the file, a ``pause`` or a ``guard``. ``until`` is when it ends by
    itself."""

    kind: str
    since: datetime
    why: str
    until: datetime | None = None

    def __str__(self) -> str:
        until = f" until {in_utc(self.until)}" if self.until else ""
        return f"{self.why}, since {in_utc(self.since)}{until}"


@dataclass(frozen=True, slots=True)
class Brakes:
    """What is stopped: everything (``frosts`` say why), single routes, or links by their keys."""

    frosts: tuple[Frost, ...] = ()
    routes: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()


def brakes(windows: Sequence[Window], pauses: Iterable[Pause], tripped: Frost | None, now: datetime) -> Brakes:
    """What stands still at ``now``."""
    said = tuple(pauses)
    frosts = [Frost("window", w.start, "a freeze window of the file", w.end) for w in windows if w.start <= now < w.end]
    frosts += [Frost("pause", pause.since, f"paused by {pause.by}") for pause in said if pause.what == ALL]
    frosts += [tripped] if tripped else []
    routes, links = (
        frozenset(pause.what.removeprefix(kind) for pause in said if pause.what.startswith(kind))
        for kind in (ROUTE, LINK)
    )
    return Brakes(tuple(frosts), routes, links)


def hold_back(plan: Plan, link: LinkState, setup: Setup, brakes: Brakes) -> Plan:
    """The plan without what must not be written now. One that writes nothing goes through as it is: its link is in
    step."""
    stopped = brakes.frosts or link.paused or link.key in brakes.links or link.route in brakes.routes
    paused = [action for action in plan.actions if isinstance(action, Open) and action.route in brakes.routes]
    joins = [joining for joining in plan.settlement.joins if joining.route in brakes.routes]
    begins = not link.id and plan.settlement.follows in brakes.routes
    if stopped or begins or (not link.id and (paused or joins)):
        return alerts_of(plan, setup) if changes(plan) else plan
    if not paused and not joins:
        return plan
    others = tuple(joining for joining in plan.settlement.joins if joining not in joins)
    rest = tuple(action for action in plan.actions if action not in paused)
    settlement = replace(plan.settlement, joins=others)
    return replace(plan, actions=rest, settlement=settlement, withheld=len(paused) + len(joins))


def changes(plan: Plan) -> bool:
    """Whether the plan writes to a tracker, joins items, sets something aside for a person, or takes a comment for
    deleted."""
    settled = plan.settlement
    deleted = any(version.gone for _, version in settled.versions)
    return bool(writes_of(plan.actions) or settled.joins or settled.tells or settled.holds or deleted)


def writes_of(actions: Iterable[Action]) -> list[Action]:
    """The actions that change a tracker: everything but mail and cards."""
    return [action for action in actions if not isinstance(action, Notify)]


def alerts_of(plan: Plan, setup: Setup) -> Plan:
    """What alerts, and nothing else. A stage that is not settled leaves no movement: left again before the thaw it
    would have been one that nobody carried."""
    settled, withheld = plan.settlement, len(writes_of(plan.actions)) + len(plan.settlement.joins)
    if not plan.link:
        return replace(plan, actions=(), settlement=Settlement(), frozen=True, withheld=withheld)
    names = decreed(setup, settled.firings)
    kept = Settlement(
        agreed={name: agreed for name, agreed in settled.agreed.items() if name in names},
        echoes=tuple(echo for echo in settled.echoes if echo[1] in names),
        movements=tuple(movement for movement in settled.movements if movement.kind != "stage"),
        firings=settled.firings,
        due=settled.due,
        orders=tuple(order for order in settled.orders if order.id.startswith(FIRED)),
        remarks=tuple(remark for remark in settled.remarks if remark.id.startswith(FIRED)),
    )
    alerts = tuple(action for action in plan.actions if isinstance(action, Notify))
    return replace(plan, actions=alerts, settlement=kept, waiting=None, frozen=True, withheld=withheld)


def decreed(setup: Setup, firings: Iterable[Firing]) -> Collection[str]:
    """The fields that the steps set which fired now: with the firing their word is given, and it is given once. A stage
    is an order, which is kept until the thaw."""
    rules = {rule.id: rule for rule in setup.rules}
    fired = [f for f in firings if f.outcome == "fired" and f.rule in rules]
    return {name for firing in fired for name in rules[firing.rule].steps[firing.step - 1].set} - {STAGE}
