"""The state: the only place that speaks SQL."""

from __future__ import annotations

from sync.store.asking import Asking
from sync.store.database import Database
from sync.store.failing import StateBroken, StateLocked
from sync.store.linking import Linking
from sync.store.noticing import Noticing
from sync.store.recovering import Recovering
from sync.store.settling import Settling
from sync.store.telling import Telling
from sync.store.watching import Watching


class Store(Noticing, Linking, Asking, Settling, Recovering, Telling, Watching):
    """Links, items, cursors, intents and the journal, over SQLite or PostgreSQL: the one door, whose rooms are its
    bases."""

    def open(self, *, exclusive: bool = True) -> None:
        """Migrates and, where this process is to work on it, takes the instance's lock and the next token; one that
        only looks leaves no file behind. Raises ``StateLocked`` and ``StateBroken``."""
        if not exclusive and self.db.path is not None and not self.db.path.exists():
            self.db = Database.empty()
            return
        try:
            if exclusive:
                self.db.fence.acquire()
                self.db.examine()
            self.db.migrate()
            if exclusive:
                self.db.fence.take()
        except (StateBroken, StateLocked):
            self.db.close()
            raise

    @property
    def lasting(self) -> bool:
        """Whether what is written into it stays: not in a copy, nor where there is no state yet."""
        return not self.db.is_sqlite or self.db.path is not None

    def scratch(self) -> Store:
        """A copy in memory, for a dry run."""
        scratch = Store("", self.instance, database=self.db.copy())
        scratch.sides = self.sides
        return scratch

    def hold_on(self) -> None:
        """Before each pass, and before each write: whether this process still is the one that works on the state.
        Raises ``Fenced``, and ``StateBroken`` where the state cannot be asked."""
        self.db.fence.hold_on()

    def close(self) -> None:
        """Lets the database and the lock go."""
        self.db.close()
