"""One writer per state: the lock that keeps a second process out, and the token that stops one who lost the lock
without knowing it. A process that was stopped, a machine that was frozen, a connection that a server dropped: whoever
wakes finds in its next transaction that another number stands there, and writes nothing more."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

import sqlalchemy as sa

from sync.store.failing import Fenced, StateBroken, StateLocked
from sync.store.tables import meta

if TYPE_CHECKING:
    from sync.store.database import Database

LOCK_KEY = 0x10C5731
#: under which PostgreSQL keeps a successor waiting while what was begun under the token before is finished
FENCE_KEY = LOCK_KEY + 1
#: the note in the state: the token of the process that works on it, a number that grows
FENCE = "fence"

SCHEMA = sa.func.hashtext(sa.func.current_schema())
TOKEN = sa.select(meta.c.value).where(meta.c.name == FENCE)
#: asked of the driver itself: it is asked in each transaction, and composing it would take longer than all the rest
TOKEN_OF_FILE = f"SELECT value FROM meta WHERE name = '{FENCE}'"


class Fence:
    """What makes one process the only one that works on a state. One that merely looks, or leaves a request there,
    takes neither lock nor token."""

    def __init__(self, database: Database) -> None:
        self.db = database
        self.held: IO[str] | sa.Connection | None = None
        self.token: int | None = None
        self.file = self.lock_file = (0, 0)
        self.lost = ""
        self.lock_path = Path(f"{database.path}.lock")

    def acquire(self) -> None:
        """Makes this process the only one that works on the state, until it ends. Raises ``StateLocked`` and
        ``StateBroken``."""
        if self.db.path is not None:
            self.held = self.file_lock()
        elif not self.db.is_sqlite:
            self.held = self.advisory_lock()

    def file_lock(self) -> IO[str]:
        handle = open(private(self.lock_path), "w")  # noqa: SIM115 - held as long as the process lives
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise StateLocked(f"another Lockstep works on {self.db.path}") from None
        self.lock_file = identity(handle.fileno())
        return handle

    def advisory_lock(self) -> sa.Connection:
        """A connection that holds PostgreSQL's lock as long as it lives."""
        try:
            connection = self.db.engine.connect()
            if connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK_KEY, SCHEMA))):
                connection.commit()
                return connection
        except sa.exc.OperationalError as error:
            raise StateBroken(f"the state cannot be used: {error.orig}") from error
        connection.close()
        where = self.db.url.render_as_string(hide_password=True)
        raise StateLocked(
            f"another Lockstep works on {where}, or the server still keeps the connection of one that was cut off; "
            "it lets that go within two minutes"
        )

    def take(self) -> None:
        """Takes the next token, once the tables are there. Whoever worked on this state before and only slept finds it
        in its next transaction."""
        with self.db.begin() as connection:
            if not self.db.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(FENCE_KEY, SCHEMA)))
            before = connection.scalar(TOKEN)
            token = int(before or 0) + 1
            if before is None:
                connection.execute(sa.insert(meta).values(name=FENCE, value=token))
            connection.execute(sa.update(meta).where(meta.c.name == FENCE).values(value=token))
        self.token, self.file = token, identity(self.db.path)

    def stand(self) -> None:
        """Before each transaction: whether the files of SQLite that this process holds are still those that others find
        under their names. Raises ``Fenced``."""
        if self.lost:
            raise Fenced(self.lost)
        if self.token is None or self.db.path is None:
            return
        if identity(self.db.path) != self.file:
            self.fall(f"the state {self.db.path} was replaced or taken away while Lockstep worked on it")
        if identity(self.lock_path) != self.lock_file:
            self.fall(f"the lock {self.lock_path} was replaced or taken away while Lockstep worked on its state")

    def check(self, connection: sa.Connection) -> None:
        """In each transaction: whether the token is this process's own, as it then stays to the transaction's end:
        SQLite's writers wait for each other, on PostgreSQL a successor waits. Raises ``Fenced``."""
        if self.token is None:
            return
        if not self.db.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(FENCE_KEY, SCHEMA)))
        if self.current(connection) != self.token:
            self.fall("another Lockstep took over this state, or an older copy of it was put in its place")

    def current(self, connection: sa.Connection) -> int | None:
        """The token that stands in the state; None where none was ever taken."""
        if self.db.is_sqlite:
            with contextlib.suppress(sqlite3.Error):  # the same question below tells what is wrong
                row = driven(connection).execute(TOKEN_OF_FILE).fetchone()
                return int(row[0]) if row else None
        return connection.scalar(TOKEN)

    def hold_on(self) -> None:
        """Before each pass: PostgreSQL gives the lock away with the connection that held it; one that was lost is made
        again. Raises ``Fenced`` where another took over meanwhile, ``StateBroken`` where there is no database."""
        if self.token is None:
            return
        if not self.db.is_sqlite:
            with self.db.lock:
                self.hold_lock()
        with self.db.begin():
            pass  # the token is looked at

    def hold_lock(self) -> None:
        if isinstance(self.held, sa.Connection):
            try:
                self.held.scalar(sa.select(1))
                self.held.commit()
            except sa.exc.DBAPIError:
                self.close()
        if self.held is None:
            try:
                self.held = self.advisory_lock()
            except StateLocked:
                with self.db.begin():
                    pass  # where another took over, the token tells
                raise StateBroken(
                    "the connection that held the state's lock was lost, and the server still keeps its end of it; it "
                    "lets go within two minutes"
                ) from None

    def fall(self, why: str) -> NoReturn:
        """For good: whatever this process still wants to write would be a stranger's."""
        self.lost = f"{why}: this process writes nothing more and ends"
        raise Fenced(self.lost)

    def close(self) -> None:
        """Lets the lock go; a connection that is lost has nothing to say any more."""
        if isinstance(self.held, sa.Connection):
            self.held.invalidate()  # one that went back to the pool would hold the lock on
        if self.held is not None:
            with contextlib.suppress(sa.exc.DBAPIError):
                self.held.close()
        self.held = None

    def let_go(self) -> None:
        """The end of this process's work on the state."""
        self.close()
        self.token = None


def driven(connection: sa.Connection) -> sqlite3.Connection:
    """SQLite's own connection beneath."""
    beneath = connection.connection.driver_connection
    assert isinstance(beneath, sqlite3.Connection)
    return beneath


def identity(file: Path | int | None) -> tuple[int, int]:
    """Which file bears a name, or is open under a number; zeros where there is none."""
    try:
        found = os.stat(file) if file is not None else None
    except OSError:
        found = None
    return (found.st_dev, found.st_ino) if found else (0, 0)


def private(path: Path) -> Path:
    """The file, made where it is not there yet, readable by its owner alone. Raises ``StateBroken``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
    except OSError as error:
        raise StateBroken(f"the state cannot be made: {error}") from None
    return path
