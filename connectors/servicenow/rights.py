"""What our account may do on the instance, as far as reading tells, and how it should be set up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.base import Failure
from connectors.description import Remark, Right, Unknown
from connectors.servicenow.encoded_query import STAMP, equal, moment
from connectors.servicenow.schema import Schema
from connectors.servicenow.table import Listing, Row, TableClient, display, plain
from mappings.model import Scope

#: roles that are more than an integration needs (ServiceNow docs, Base system roles)
TOO_MUCH = ("admin", "security_admin", "itil_admin", "user_admin", "web_service_admin", "impersonator")
#: roles that let an account write records of a table (ServiceNow docs, Incident and Problem Management roles)
WRITERS = {"incident": ("itil", "sn_incident_write"), "problem": ("itil", "sn_problem_write")}
#: a column that no table has
NOWHERE = "lockstep_no_such_column"
_MINE = "user_name=javascript:gs.getUserName()"
_WEB_ONLY = "web_service_access_only"


@dataclass(frozen=True, slots=True)
class Account:
    """Our own user. ``row`` is empty where it cannot be read; ``roles`` are ``None`` where they cannot, and
    ``because`` says why."""

    row: Row
    roles: frozenset[str] | None
    because: str = ""

    @property
    def name(self) -> str:
        return plain(self.row.get("user_name"))


def account(client: TableClient) -> Account:
    """Our user and its roles. Two calls."""
    fields = ("sys_id", "user_name", "time_zone", "sys_updated_on", _WEB_ONLY)
    rows = client.list(Listing("sys_user", (_MINE,), fields, shown=True), _MINE, 2).rows
    if len(rows) != 1:
        return Account({}, None, "our own record in sys_user cannot be read")
    mine = equal("user.user_name", [plain(rows[0].get("user_name"))])
    try:
        listing = Listing("sys_user_has_role", (mine,), ("user", "role"), shown=True)
        granted = client.list(listing, mine, 1000).rows
    except Failure as failure:
        return Account(rows[0], None, str(failure))
    # checked again on our side: a condition that the instance cannot read is passed over
    ours = [row for row in granted if plain(row.get("user")) == plain(rows[0].get("sys_id"))]
    roles = frozenset(display(row.get("role")) for row in ours) - {""}
    return Account(rows[0], roles or None, "" if roles else "sys_user_has_role shows no role of ours")


def zone(row: Row) -> str:
    """The time zone our account's values are shown in: its own, else the offset between a stored instant and how it
    is shown to us. Empty where neither can be read."""
    if own := plain(row.get("time_zone")):
        return own
    cell = row.get("sys_updated_on")
    try:
        stored, shown = moment(plain(cell)), datetime.strptime(display(cell), STAMP).replace(tzinfo=UTC)
    except ValueError:
        return ""
    minutes = round((shown - stored).total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"


def account_rights(who: Account) -> Iterator[Right]:
    """How the user itself is set up."""
    if not who.row:
        yield Right("read on sys_user", False, "without it our own comments cannot be told from people's")
    told = who.row.get(_WEB_ONLY)
    yield Right(
        f'"Web service access only" ({_WEB_ONLY})',
        None if told is None else plain(told) == "true",
        "an account for programs should not be able to sign in to the pages",
        purpose="safety",
        because="our record in sys_user does not show it",
        instead='tick "Web service access only" on the user',
    )
    for role in TOO_MUCH:
        if who.roles is None or role in who.roles:
            held = None if who.roles is None else True
            why = "it may do far more than Lockstep needs"
            yield Right(f"role {role}", held, why, wanted=False, purpose="safety", because=who.because)


def table_rights(client: TableClient, who: Account, schema: Schema, scope: Scope) -> Iterator[Right]:
    """What we may read and write of a side's table. Two calls."""
    side, table = scope.side, scope.table
    where = f"table {table}"
    yield Right("read on sys_dictionary", schema.known, "columns, types and lengths stand there", side=side)
    yield Right("read on sys_choice", bool(schema.states), "the names of states and values stand there", side=side)
    yield from column_rights(client, schema, scope)
    yield writing(who, scope)
    audit = client.list(Listing("sys_audit", (f"tablename={table}",), ("sys_id",)), f"tablename={table}", 1).rows
    why = "without it clocks are sampled at the poll interval, instead of timed by the instance's own history"
    grant = f"grant it to our account; if it has it, turn on auditing for {table}: nothing is recorded of it"
    yield Right("read on sys_audit", bool(audit), why, purpose="history", where=where, side=side, instead=grant)


def column_rights(client: TableClient, schema: Schema, scope: Scope) -> Iterator[Right]:
    """Columns that access rules keep from us are left out of a record (apis.md 1.1)."""
    own = [name for name in scope.fields if "." not in name and name in schema.columns]
    fields = ("sys_id", *dict.fromkeys((*own, *scope.mark_fields)))
    rows = client.list(Listing(scope.table, ("",), fields), "ORDERBYDESCsys_updated_on", 1).rows
    for name in fields if rows else ():
        if name in schema.columns and name not in rows[0]:
            yield Right(
                f"read on {scope.table}.{name}",
                False,
                "the file maps it",
                side=scope.side,
                instead=f"grant it to our account by an access rule (ACL) for read on {scope.table}.{name}",
            )
    if not rows:
        because = f"no record of {scope.table} is there, or none that we may see"
        yield Right(
            f"read on the columns of {scope.table}", None, "the file maps them", side=scope.side, because=because
        )


def writing(who: Account, scope: Scope) -> Right:
    """Whether we may write shows only when something is written; the roles that are known to allow it are looked
    for."""
    usual = WRITERS.get(scope.table, ())
    held = True if who.roles and who.roles & set(usual) else None
    mapped = ", ".join(dict.fromkeys((*scope.fields, *scope.mark_fields)))
    name = f"write on {scope.table} ({mapped})" + (f", as role {' or '.join(usual)} has it" if usual else "")
    roles = f"our roles are {', '.join(sorted(who.roles))}" if who.roles else who.because
    because = f"the instance tells of it only when something is written; {roles}"
    return Right(name, held, "Lockstep keeps these in step", side=scope.side, because=because)


def journal_right(seen: bool) -> Right:
    """A denied read of the journal is an empty answer, as that of a journal without a row is (apis.md 1.4)."""
    why = "comments and work notes are its rows; as long as none can be seen, comments are off"
    grant = "grant it to our account; if it has it, nobody has ever commented there: write one comment on any record"
    return Right("read on sys_journal_field", seen, why, purpose="comments", instead=grant)


def strictness(client: TableClient, tables: Sequence[str]) -> Iterator[Remark | Unknown]:
    """Whether the instance passes over conditions that it cannot read (apis.md 1.1). One call a table, until one has
    records."""
    setting = "glide.invalid_query.returns_no_rows"
    for table in tables:
        every = client.list(Listing(table, ("",), ("sys_id",)), "", 1).rows
        if every:
            broken = f"{NOWHERE}=1"
            if client.list(Listing(table, (broken,), ("sys_id",)), broken, 1).rows:
                yield Remark(
                    f"the instance passes over conditions that it cannot read and answers with more ({setting} is off)",
                    f"set the system property {setting} to true; Lockstep checks every record again all the same",
                )
            return
    yield Unknown(f"the system property {setting}", "there is no record to try it on")
