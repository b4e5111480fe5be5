"""What escalation should have done and did not: computed anew from recorded history, whatever was stored of when
something falls due. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mappings.wording import in_utc
from sync.escalation.clocks import Due
from sync.escalation.move import look, told_so_far
from sync.setup import Setup
from sync.state import LinkState

DAY = timedelta(days=1)
#: for so long a refused delivery is still told
TOLD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A step that was due in a link and has not fired."""

    link: LinkState
    due: Due

    @property
    def items(self) -> str:
        return " · ".join(item.key for item in self.link.items)

    def told(self, now: datetime) -> str:
        late, at = now - self.due.at, in_utc(self.due.at)
        hours = late.total_seconds() / 3600
        return f"{self.items}: rule {self.due.rule.id}, step {self.due.step}, due since {at} ({hours:.1f} h), not fired"


def overdue(setup: Setup, links: Iterable[LinkState], now: datetime) -> Iterator[Overdue]:
    """The steps that should have fired more than a poll and a sweep ago, so long it may take until a pass looks, and
    still should: of each episode the highest of them."""
    latest = now - setup.poll - setup.sweep
    for link in links:
        late = due_in(setup, link, latest)
        still = {(due.rule.id, due.episode) for due in due_in(setup, link, now)} if late else ()
        yield from (Overdue(link, due) for due in late if (due.rule.id, due.episode) in still)


def due_in(setup: Setup, link: LinkState, at: datetime) -> tuple[Due, ...]:
    """What fires in a link at an instant, by its recorded history."""
    values = {name: agreed.value for name, agreed in link.agreed.items()}
    return look(setup, link, values, told_so_far(link), at).fired


def patience(setup: Setup) -> timedelta:
    """How long a message may wait: a day, or as long as a digest and the quiet hours together may keep it."""
    quiet = (setup.notices.quiet_to - setup.notices.quiet_from) % (24 * 60)
    return max(DAY, setup.notices.digest + timedelta(minutes=quiet))
