"""Connections, transactions, migrations and the lock that keeps one daemon on one state."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import StaticPool

from sync.store.failing import StateBroken
from sync.store.fence import Fence, private
from sync.store.tables import metadata

#: the migration this code works with; a test holds it against the newest one
HEAD = "0004"
#: what helps where the file of the state is damaged
MENDS = (
    "put a backup in its place, or move it and its -wal and -shm files away: then links and copied comments are found "
    "again from the trackers"
)
#: when a silent connection is asked for, in seconds, and how often until it counts as lost: a firewall forgets one in
#: silence, and the end that does not hear of it would wait for hours, the server's with the lock
KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}
#: the same for our own end, in libpq's words; the address may say otherwise
LIVELY = {"connect_timeout": 10, **KEEPALIVES, "tcp_user_timeout": 90_000}
#: how many values a query names at once: SQLite takes a thousand conditions
CHUNK = 400

T = TypeVar("T")


class Database:
    """An engine whose transactions take the writer's lock at their beginning: a read that turns into a write would
    meet an instant "database is locked" whatever the time-out."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self.lock = threading.RLock()
        try:
            self.url = sa.make_url(url)
            self.is_sqlite = self.url.get_backend_name() == "sqlite"
            name = self.url.database
            self.path = Path(name) if self.is_sqlite and name and name != ":memory:" else None
            self.engine = self.make_engine()
        except (sa.exc.ArgumentError, ValueError) as error:
            raise StateBroken(f"bot.state is not a database address: {error}") from None
        self.fence = Fence(self)

    def make_engine(self) -> sa.Engine:
        if not self.is_sqlite:
            lively = {name: value for name, value in LIVELY.items() if name not in self.url.query}
            server = sa.create_engine(self.url, pool_pre_ping=True, connect_args=lively)
            sa.event.listen(server, "connect", prepare_postgresql)
            return server
        options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": 30.0}}
        if self.path is None:
            options["poolclass"] = StaticPool
        engine = sa.create_engine(self.url, **options)
        sa.event.listen(engine, "connect", prepare_sqlite)
        begin = "BEGIN" if self.read_only else "BEGIN IMMEDIATE"
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    @contextlib.contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction: all of it or nothing. Raises ``StateBroken`` where the database cannot be used, ``Fenced``
        where another process works on it now."""
        with self.lock:
            self.fence.stand()
            try:
                with self.engine.begin() as connection:
                    self.fence.check(connection)
                    yield connection
            except sa.exc.OperationalError as error:
                raise StateBroken(f"the state cannot be used: {error.orig}") from error
            except sa.exc.DatabaseError as error:
                if type(error) is not sa.exc.DatabaseError:
                    raise
                raise StateBroken(f"the state {self.path or ''} is damaged: {error.orig}. To go on, {MENDS}") from error

    def migrate(self) -> None:
        """Brings the tables to this version; a new SQLite file is readable by its owner alone. Raises
        ``StateBroken``."""
        if self.path is not None and not self.path.exists():
            private(self.path)
        with self.begin() as connection:
            found = revision(connection)
        if found == HEAD:
            return
        if found and found > HEAD:
            raise StateBroken(f"the state was written by a newer Lockstep (migration {found}); use that one")
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
        with self.lock, self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def examine(self) -> None:
        """Reads a file of SQLite through: one that was cut off or garbled would show it in the middle of a pass. Raises
        ``StateBroken``."""
        if self.path is None or not self.path.exists():
            return
        with self.begin() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise StateBroken(f"the state {self.path} is damaged: {found}. To go on, {MENDS}")

    def close(self) -> None:
        self.fence.let_go()
        self.engine.dispose()

    @staticmethod
    def empty() -> Database:
        """A state of which nothing is known, in memory."""
        fresh = Database("sqlite://")
        metadata.create_all(fresh.engine)
        return fresh

    def copy(self) -> Database:
        """The state as it stands, in memory: a dry run works on it and leaves nothing behind."""
        scratch = Database.empty()
        with self.begin() as source, scratch.begin() as target:
            for table in metadata.sorted_tables:
                rows = [dict(row._mapping) for row in source.execute(sa.select(table))]
                if rows:
                    target.execute(sa.insert(table), rows)
        return scratch


def prepare_sqlite(connection: Any, record: Any) -> None:
    # SQLAlchemy's begin event emits the BEGIN of our choice; the driver must not add its own
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def prepare_postgresql(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for name in KEEPALIVES:
        cursor.execute(f"SET tcp_{name} = {KEEPALIVES[name]}")
    cursor.close()
    connection.commit()


def revision(connection: sa.Connection) -> str:
    """The migration the database is at; empty for a new one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


def upsert(
    connection: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]], *, keep: Sequence[str] = ()
) -> None:
    """Inserts or replaces rows by primary key; the columns in ``keep`` stay as they were."""
    values = [dict(row) for row in rows]
    if values:
        statement = upsert_for(connection.dialect.name, table, tuple(values[0]), tuple(keep))
        connection.execute(statement, values)


@cache  # composing a statement costs more than running it, and there are as many as tables
def upsert_for(dialect: str, table: sa.Table, names: tuple[str, ...], keep: tuple[str, ...]) -> Any:
    statement = insert_for(dialect, table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in names if name not in keys and name not in keep}
    if changed:
        return statement.on_conflict_do_update(index_elements=keys, set_=changed)
    return statement.on_conflict_do_nothing()


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists that a query may name at once; none where there are none."""
    waiting = list(values)
    for start in range(0, len(waiting), CHUNK):
        yield waiting[start : start + CHUNK]


def among(column: sa.ColumnElement[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """Whether the column's value is one of these. One parameter for all of them: composing as many as there are values
    takes longer than the query."""
    return column.in_(sa.bindparam(None, list(values), expanding=True, type_=column.type))


def insert_new(connection: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Inserts what is not there yet and leaves the rest as it is."""
    values = [dict(row) for row in rows]
    if values:
        connection.execute(insert_new_for(connection.dialect.name, table), values)


@cache
def insert_new_for(dialect: str, table: sa.Table) -> Any:
    return insert_for(dialect, table).on_conflict_do_nothing()


def insert_for(dialect: str, table: sa.Table) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)
