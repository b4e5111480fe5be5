"""Connections, transactions, migrations and the lock that keeps one daemon on one state."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import StaticPool

from sync.store.tables import metadata

#: the migration this code works with; a test holds it against the newest one
HEAD = "0003"
LOCK_KEY = 0x10C5731
#: how many values a query names at once: SQLite takes a thousand conditions
CHUNK = 400

T = TypeVar("T")


class StateLocked(Exception):
    """Another Lockstep works on this state. Stop it first, or point bot.state elsewhere."""


class StateBroken(Exception):
    """The state cannot be opened. The message says why and what helps."""


class Database:
    """An engine whose transactions take the writer's lock at their beginning: a read that turns into a write would
    meet an instant "database is locked" whatever the time-out."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self.lock = threading.RLock()
        self.instance: IO[str] | sa.Connection | None = None
        try:
            self.url = sa.make_url(url)
            self.engine = self.make_engine()
        except (sa.exc.ArgumentError, ValueError) as error:
            raise StateBroken(f"bot.state is not a database address: {error}") from None

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        name = self.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def make_engine(self) -> sa.Engine:
        if not self.is_sqlite:
            return sa.create_engine(self.url, pool_pre_ping=True)
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
        """A transaction: all of it or nothing. Raises ``StateBroken`` where the database cannot be used."""
        with self.lock:
            try:
                with self.engine.begin() as connection:
                    yield connection
            except sa.exc.OperationalError as error:
                raise StateBroken(f"the state cannot be used: {error.orig}") from error
            except sa.exc.DatabaseError as error:
                if type(error) is not sa.exc.DatabaseError:
                    raise
                helps = "move it away, and a new one is rebuilt from the trackers"
                raise StateBroken(f"the state {self.path or ''} cannot be used: {error.orig}; {helps}") from error

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

    def acquire(self) -> None:
        """Makes this process the only one that works on the state, until it ends. Raises ``StateLocked``."""
        if self.path is not None:
            handle = open(private(Path(f"{self.path}.lock")), "w")  # noqa: SIM115 - held as long as the process lives
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.close()
                raise StateLocked(f"another Lockstep works on {self.path}") from None
            self.instance = handle
        elif not self.is_sqlite:
            connection = self.engine.connect()
            schema = sa.func.hashtext(sa.func.current_schema())
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK_KEY, schema))):
                connection.close()
                raise StateLocked(f"another Lockstep works on {self.url.render_as_string(hide_password=True)}")
            connection.commit()
            self.instance = connection

    def close(self) -> None:
        if self.instance is not None:
            self.instance.close()
            self.instance = None
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


def private(path: Path) -> Path:
    """The file, made where it is not there yet, readable by its owner alone. Raises ``StateBroken``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
    except OSError as error:
        raise StateBroken(f"the state cannot be made: {error}") from None
    return path


def prepare_sqlite(connection: Any, record: Any) -> None:
    # SQLAlchemy's begin event emits the BEGIN of our choice; the driver must not add its own
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


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
