"""The sandbox's clock: real time by default, or set and moved by the test."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """``now`` is aware UTC. A clock built with ``start`` stands still but for one millisecond at each ``tick`` (every
    write of a tracker), so that two changes never share an instant by accident; ``set`` never goes back."""

    def __init__(self, start: datetime | None = None) -> None:
        self.moment = start
        self.lock = threading.Lock()

    @property
    def settable(self) -> bool:
        return self.moment is not None

    def now(self) -> datetime:
        moment = self.moment
        return moment if moment is not None else datetime.now(UTC)

    def tick(self) -> datetime:
        """The instant of a write."""
        with self.lock:
            if self.moment is not None:
                self.moment += timedelta(milliseconds=1)
            return self.now()

    def set(self, moment: datetime) -> None:
        """Jump forward to ``moment``; a moment in the past is passed over."""
        with self.lock:
            if self.moment is None or moment > self.moment:
                self.moment = moment

    def advance(self, span: timedelta) -> None:
        self.set(self.now() + span)

    def sleep(self, seconds: float) -> None:
        """A settable clock lets the seconds pass at once."""
        if self.moment is None:
            time.sleep(seconds)
        else:
            self.advance(timedelta(seconds=seconds))


class SkewedClock(SandboxClock):
    """One tracker's own clock: ``skew`` ahead of the sandbox's, behind it where negative, and to be changed at any
    time. Where it is set back, writes wait at the last stamp given until time has caught up, as databases see to."""

    def __init__(self, base: SandboxClock, skew: timedelta = timedelta(0)) -> None:
        super().__init__()
        self.base, self.skew = base, skew
        self.last = datetime.min.replace(tzinfo=UTC)

    @property
    def settable(self) -> bool:
        return self.base.settable

    def now(self) -> datetime:
        return self.base.now() + self.skew

    def tick(self) -> datetime:
        moment = self.base.tick() + self.skew
        with self.lock:
            self.last = max(moment, self.last)
            return self.last

    def set(self, moment: datetime) -> None:
        self.base.set(moment - self.skew)

    def sleep(self, seconds: float) -> None:
        self.base.sleep(seconds)
