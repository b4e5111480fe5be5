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
