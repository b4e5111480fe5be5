"""Time as the engine takes it: once a pass, from a clock that tests and the sandbox can set."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock. ``wake`` ends a sleep early, so that a daemon stops at once."""

    def __init__(self) -> None:
        self.waking = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.waking.wait(seconds)

    def wake(self) -> None:
        self.waking.set()


class FrozenClock:
    """A clock that stands at one instant; ``sleep`` does not wait. For ``plan --as-of``."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 1.0))
