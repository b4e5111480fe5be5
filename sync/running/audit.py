"""The audit: what was not done in time, gathered from the state, and told once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from mappings.wording import in_utc
from sync.engine import Engine
from sync.escalation.overdue import DAY, TOLD, Overdue, overdue, patience
from sync.running.alive import tell

#: the note in the state: when the daemon last looked
AUDITED = "audited"


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found: steps that did not fire, messages that wait too long (key, kind, since, last error), and
    deliveries that were refused (key, kind, recipient, reason)."""

    at: datetime
    steps: tuple[Overdue, ...]
    stuck: tuple[tuple[str, str, datetime, str], ...]
    refused: tuple[tuple[str, str, str, str], ...]

    @property
    def clean(self) -> bool:
        return not (self.steps or self.stuck or self.refused)

    def lines(self) -> list[str]:
        """A sentence each, for people."""
        found = [one.told(self.at) for one in self.steps]
        for key, kind, since, error in self.stuck:
            found.append(f"{kind} {key} waits since {in_utc(since)}: {error or 'it was not tried yet'}")
        return found + [f"{kind} {key} for {who} was refused: {reason}" for key, kind, who, reason in self.refused]


def audit(engine: Engine, *, since: datetime | None = None) -> Audit:
    """Looks at every link and every message. ``since``: of the links that are closed only those that closed from then
    on, of the deliveries only those refused since."""
    now, setup, store = engine.now(), engine.setup, engine.store
    steps = tuple(overdue(setup, store.each_link(closed_since=since), now))
    stuck, refused = store.stuck(now - patience(setup)), store.refusals(since or now - TOLD)
    return Audit(now, steps, tuple(stuck), tuple(refused))


def daily(engine: Engine) -> Audit | None:
    """The daemon's own look, once a day: what it finds is told. ``None`` where it is not time yet."""
    now, noted = engine.now(), engine.store.noted(AUDITED)
    last = datetime.fromisoformat(noted) if noted else None
    if last is not None and timedelta(0) <= now - last < DAY:
        return None
    found = audit(engine, since=last or now - DAY)
    engine.store.note(AUDITED, now.isoformat())
    engine.store.forget_old(now)
    if not found.clean:
        for line in found.lines():
            structlog.get_logger().warning("audit", action="audit", reason=line)
        text = "\n".join([*found.lines(), "", "lockstep audit shows it anew."])
        tell(engine, f"audit:{now.isoformat()}", "an audit found what was not done in time", text)
    return found
