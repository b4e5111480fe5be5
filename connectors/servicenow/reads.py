"""What the connector asks of ServiceNow, over the Table API.

Calls: a change query is one request per page of up to 10,000 rows; a read by id one per list of ids that fits in an
address (about 180); discussions likewise, and one for the names of authors not met yet; a search is one. Opening takes
two for each table, and two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from connectors.auth import Auth, PasswordGrant, UserPassword
from connectors.base import Clock, Garbled, Notice, Opening, Page, Refused, born
from connectors.confirm import confirmed
from connectors.description import Description, Place
from connectors.garbled import complete, notices_of, sorted_out
from connectors.servicenow import survey
from connectors.servicenow.audit import audited
from connectors.servicenow.encoded_query import any_group, both, equal, moment, one_of, stamp, value
from connectors.servicenow.journal import Journal
from connectors.servicenow.raw_query import columns_of, query_problems
from connectors.servicenow.schema import NUMBERED, Schema, read_schema
from connectors.servicenow.search import SEARCHED, answers, question
from connectors.servicenow.table import Listing, Row, TableClient, display, needed, plain
from connectors.transport import Transport
from mappings.model import Comment, Kin, Mark, Moved, Record, Ref, Scope
from mappings.words import search_words

#: what every record is read with, besides the scope's own fields
BASE_FIELDS = (
    "sys_id number state hold_reason sys_mod_count sys_created_on sys_updated_on sys_updated_by assigned_to active"
).split()
#: columns that name an item's kin (apis.md 1: task.parent, incident.parent_incident and incident.problem_id)
KIN = (("parent_incident", "parent"), ("parent", "parent"), ("problem_id", "problem"))
#: longest text of the keys that a mark field must take
KEYS = 69


class Reads:
    """One instance. ``lag`` is how far behind the cursor a change query starts: a row that is committed late carries
    the stamp of when its update ran. ``page`` is the most rows of one answer, 0 for the tracker's own 10,000."""

    kind = "servicenow"
    comment_limit = 1_000_000
    note_channel = "work_notes"
    #: an entry of a journal is never changed (apis.md 1.4)
    rewords = False
    edits_show = True
    #: sys_mod_count grows by one with each update
    consecutive = True
    title = "short_description"
    assignee = "assigned_to"

    def __init__(
        self,
        name: str,
        url: str,
        auth: Auth,
        clock: Clock,
        *,
        lag: timedelta = timedelta(seconds=60),
        page: int = 0,
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
    ) -> None:
        self.name, self.auth, self.lag = name, auth, lag
        self.transport = Transport(name, clock, timeout=timeout, verify=verify, proxies=proxies)
        self.client = TableClient(self.transport, url, auth, page)
        self.client.columns_called = lambda table, labels: self.schema(table).called(labels)
        self.journal = Journal(name, self.client)
        self.schemas: dict[str, Schema] = {}
        self.ids: dict[tuple[str, str], str] = {}

    @property
    def journal_seen(self) -> bool:
        """Whether a journal entry was ever seen; kept by the caller across restarts."""
        return self.journal.seen

    @journal_seen.setter
    def journal_seen(self, seen: bool) -> None:
        self.journal.seen = seen

    @property
    def journal_apart(self) -> bool:
        """Whether entries were met that moved no version of their task; kept by the caller across restarts."""
        return self.journal.apart

    @journal_apart.setter
    def journal_apart(self, apart: bool) -> None:
        self.journal.apart = apart

    def open(self, scopes: Sequence[Scope]) -> Opening:
        """Signs in, reads columns and choices of each table, looks for a readable journal entry, and names
        everything in the scopes that the instance does not know."""
        self.ids.clear()
        account = self.whoami()
        self.journal.account = account
        for table in dict.fromkeys(scope.table for scope in scopes):
            chosen = {field for scope in scopes if scope.table == table for field, _ in scope.where}
            choices = ("state", "hold_reason", *sorted(f for f in chosen - {"state", "hold_reason"} if "." not in f))
            self.schemas[table] = read_schema(self.client, table, choices)
        self.journal.probe()
        problems = [(scope.side, *problem) for scope in scopes for problem in self.problems(scope)]
        return Opening(account, tuple(problems))

    @property
    def updater(self) -> str:
        return self.journal.account

    def whoami(self) -> str:
        """Our own user name, as comments carry it: sign-in is not case sensitive, so the file's may differ."""
        mine = "user_name=javascript:gs.getUserName()"
        rows = self.client.list(Listing("sys_user", (mine,), ("user_name", "sys_id")), mine, 2).rows
        told = plain(rows[0].get("user_name")) if len(rows) == 1 else ""
        return told or (self.auth.user if isinstance(self.auth, UserPassword | PasswordGrant) else "")

    def problems(self, scope: Scope) -> Iterator[tuple[str, str]]:
        """Names at fault, each with a sentence."""
        if not self.journal.account:
            yield (
                "",
                "our own user cannot be read, so our comments cannot be told from people's: grant read on sys_user",
            )
        schema = self.schema(scope.table)
        if not schema.known:
            yield "", f"no columns of {scope.table} can be read: check its name, and read on sys_dictionary"
            return
        if not schema.states:
            yield "state", f"no states of {scope.table} can be read: grant read on sys_choice"
        for field in dict.fromkeys((*scope.fields, *(field for field, _ in scope.where), *scope.mark_fields)):
            if field.partition(".")[0] not in schema.columns:
                yield field, f"{scope.table} has no column {field!r}"
        for field, need in zip(scope.mark_fields, (len(scope.mark), KEYS), strict=True):
            length = schema.columns[field].max_length if field in schema.columns else 0
            if 0 < length < need:
                yield field, f"{field!r} is too short for our mark: it takes {length} of {need} characters"
        yield from self.where_problems(scope, schema)
        yield from query_problems(scope, schema)

    def where_problems(self, scope: Scope, schema: Schema) -> Iterator[tuple[str, str]]:
        """Values in the scope that stand for nothing: the instance would pass over them and answer with more."""
        for field, alternatives in scope.where:
            for text in alternatives:
                try:
                    if schema.reference(field):
                        self.looked_up(schema, field, text)
                    elif schema.choices.get(field):
                        schema.value(field, text)
                    else:
                        value(text)
                except Refused as refusal:
                    yield field, str(refusal)

    def schema(self, table: str) -> Schema:
        if table not in self.schemas:
            self.schemas[table] = read_schema(self.client, table, ("state", "hold_reason"))
        return self.schemas[table]

    def states(self, scope: Scope) -> tuple[str, ...]:
        """Every state an item of the scope can have, as admins spell it."""
        return self.schema(scope.table).every_state()

    def final(self, scope: Scope) -> frozenset[str]:
        """Closed incidents and problems are not opened again (apis.md 1.5)."""
        schema = self.schemas.get(scope.table)
        return schema.final_states() if schema is not None else frozenset()

    def fields_known(self, scope: Scope) -> set[str]:
        return set(self.schema(scope.table).columns)

    def describe(self, scopes: Sequence[Scope]) -> Description:
        return survey.describe(self.client, self.journal, self.schema, scopes)

    def places(self, project: str = "") -> tuple[Place, ...]:
        return survey.places(self.client)

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """Rows in scope or marked from the cursor (a stamp of the instance's, UTC) less the lag. A row whose filter
        does not hold on our side is passed over: an unreadable condition makes the instance answer with everything."""
        start = stamp(moment(cursor) - self.lag) if cursor else ""
        for page, last in self.client.walk(self.listing(scope), start):
            good, bad = sorted_out(self.name, page.rows, row_id, partial(self.record, scope))
            for column in ("sys_updated_on", "sys_mod_count") if bad and not good else ():
                needed(page.rows[-1], column)  # kept from us everywhere: a right to grant, and no poisoned row
            records = self.confirmed(scope, good)
            cursor = max(cursor, *(stamp(record.updated) for record in good[-1:]), "")
            notices = (Notice(r.ref, r.version, r) for r in records if r.in_scope or r.mark)
            yield Page((*notices, *notices_of(self.name, bad)), cursor, last)

    def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Record | None]:
        found: dict[str, Record | None] = dict.fromkeys(ids)
        listing = self.listing(scope)
        bad: dict[str, str] = {}
        for batch in self.client.batches(ids, listing):
            rows = self.client.list(listing, one_of("sys_id", batch), len(batch)).rows
            records, unknown = sorted_out(self.name, rows, row_id, partial(self.record, scope))
            bad |= {id: reason for id, reason in unknown.items() if id in found}
            for record in self.confirmed(scope, records):
                if record.ref.id in found:
                    found[record.ref.id] = record
        if bad:
            raise Garbled(bad, {id: record for id, record in found.items() if id not in bad})
        return found

    def confirmed(self, scope: Scope, records: Sequence[Record]) -> list[Record]:
        """One call for each list of ids that fits in an address, where the scope has a raw query. A row that lacks a
        column of the query confirms nothing: the instance passed over its condition."""

        def ask(ids: Sequence[str]) -> set[str]:
            names = columns_of(scope.query)
            listing = Listing(scope.table, (scope.query,), ("sys_id", *names))
            batches = self.client.batches(ids, listing)
            asked = [(both(one_of("sys_id", batch), scope.query), len(batch)) for batch in batches]
            rows = [row for query, size in asked for row in self.client.list(listing, query, size).rows]
            return {needed(row, "sys_id") for row in rows if all(name in row for name in names)}

        return confirmed(scope, records, ask)

    def discussions(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        return self.journal.discussions(scope.table, ids)

    def history(self, scope: Scope, changed: Sequence[tuple[Record, int]]) -> Mapping[str, tuple[Moved, ...]]:
        """One call for each list of ids that fits in an address. A denied read is an empty answer (apis.md 1.5): what
        it shows nothing of is left out."""
        return audited(self.client, self.schema(scope.table), {r.ref.id: version for r, version in changed})

    def spoken(self, scopes: Sequence[Scope], cursor: str) -> tuple[frozenset[str], str]:
        """One call a page, for all scopes together."""
        return self.journal.spoken(tuple(dict.fromkeys(scope.table for scope in scopes)), cursor, self.lag)

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> Sequence[Record]:
        mine = equal(scope.mark_fields[0], [scope.mark])
        made = f"{scope.mark_fields[1]}LIKEmade:{value(mark.made)}"
        query = both(mine, made, f"sys_created_on>={stamp(since)}")
        rows = self.client.list(self.listing(scope), any_group((query,), ("sys_created_on", "sys_id")), 1000).rows
        records, bad = sorted_out(self.name, rows, row_id, partial(self.record, scope))
        return complete([record for record in records if record.mark and record.mark.made == mark.made], bad)

    def search(self, scope: Scope, text: str, limit: int) -> Sequence[Record]:
        """One query, whose rows are looked at again here; those that may be out of scope are confirmed by id."""
        words, listing = search_words(text), self.listing(scope)
        listing = replace(listing, fields=tuple(dict.fromkeys((*listing.fields, *SEARCHED))))
        rows = self.client.list(listing, question(listing.groups, words, text), limit).rows if words else ()
        records = [self.record(scope, row) for row in rows if answers(row, words, text)]
        return [record for record in self.confirmed(scope, records) if record.in_scope or record.mark]

    def created(self, scope: Scope, since: datetime, until: datetime) -> Sequence[Record]:
        """One call a page, in the order of creation."""
        span = (f"sys_created_on>={stamp(since)}", f"sys_created_on<{stamp(until)}")
        group = both(self.in_words(scope), scope.query, *span)
        listing = replace(self.listing(scope), groups=(group,), stamp="sys_created_on")
        rows = (row for page, _ in self.client.walk(listing) for row in page.rows)
        records, bad = sorted_out(self.name, rows, row_id, partial(self.record, scope))
        return complete(born(self.confirmed(scope, records), since, until), bad)

    def listing(self, scope: Scope) -> Listing:
        """What a change query lists, all in one request: what is in scope, or marked."""
        marked = equal(scope.mark_fields[0], [scope.mark])
        inside = both(self.in_words(scope), scope.query)
        groups = (inside, marked) if inside else ("",)
        where = (field for field, _ in scope.where)
        kin = (name for name, _ in KIN if name in self.schema(scope.table).columns)
        fields = dict.fromkeys((*BASE_FIELDS, *scope.mark_fields, *kin, *where, *scope.fields))
        return Listing(scope.table, groups, tuple(fields), shown=True, page=scope.page)

    def in_words(self, scope: Scope) -> str:
        """The scope as a query: references by the name of what they refer to, choices by their value."""
        schema = self.schema(scope.table)
        return both(*(self.condition(schema, field, texts) for field, texts in scope.where))

    def condition(self, schema: Schema, field: str, texts: Sequence[str]) -> str:
        reference = schema.reference(field)
        if reference:
            name = "number" if reference in NUMBERED else "name"
            return "^OR".join(equal(field if is_id(text) else f"{field}.{name}", [text]) for text in texts)
        return equal(field, [schema.value(field, text) if schema.choices.get(field) else text for text in texts])

    def record(self, scope: Scope, row: Row) -> Record:
        """One row. What access rules keep from us is missing from it, and counts as empty."""
        schema = self.schema(scope.table)
        id, key = needed(row, "sys_id"), plain(row.get("number"))
        held, keys = (plain(row.get(field)) for field in scope.mark_fields)
        marked = held == scope.mark
        return Record(
            ref=Ref(self.name, id),
            key=key,
            url=f"{self.client.base}/nav_to.do?uri={scope.table}.do%3Fsys_id%3D{id}",
            kind=scope.table,
            state=schema.state(row),
            version=int(needed(row, "sys_mod_count")),
            created=moment(needed(row, "sys_created_on")),
            updated=moment(needed(row, "sys_updated_on")),
            updated_by=plain(row.get("sys_updated_by")),
            assignee=display(row.get("assigned_to")),
            fields={field: schema.native(field, row.get(field)) for field in scope.fields},
            mark=Mark.parse(scope.mark, keys) if marked else None,
            occupied="" if marked else " ".join(filter(None, (held, keys))),
            in_scope=all(holds(row.get(field), texts) for field, texts in scope.where),
            kin=tuple(Kin(kind, Ref(self.name, id)) for column, kind in KIN if (id := plain(row.get(column)))),
        )

    def looked_up(self, schema: Schema, field: str, name: str) -> str:
        """The sys_id of what a reference calls ``name``; kept once found. Raises ``Refused`` where none or several
        are called so."""
        table = schema.reference(field)
        if is_id(name):
            return name
        if (table, name) not in self.ids:
            self.ids[table, name] = self.found(table, field, name)
        return self.ids[table, name]

    def found(self, table: str, field: str, name: str) -> str:
        column = "number" if table in NUMBERED else "name"
        called = (column, "user_name", "email") if table == "sys_user" else (column,)
        query = "^OR".join(equal(one, [name]) for one in called)
        rows = self.client.list(Listing(table, (query,), ("sys_id", *called)), query, 10).rows
        exact = [row for row in rows if name in (plain(row.get(one)) for one in called)]
        if len(exact) != 1:
            count = "no record" if not exact else "several records"
            raise Refused(f"{count} of {table} called {name!r}, wanted for {field}", (field,))
        return needed(exact[0], "sys_id")

    def calls(self) -> int:
        return self.transport.ledger.total()

    def close(self) -> None:
        self.transport.close()


def row_id(row: Row) -> object:
    return plain(row.get("sys_id"))


def is_id(text: str) -> bool:
    """True for a sys_id: 32 hexadecimal digits."""
    return len(text) == 32 and all(digit in "0123456789abcdef" for digit in text)


def holds(cell: object, texts: Sequence[str]) -> bool:
    """Whether a cell shows, or stores, one of the texts."""
    return plain(cell) in texts or display(cell) in texts
