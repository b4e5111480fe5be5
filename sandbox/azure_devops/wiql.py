"""Work item queries: the part of WIQL that integrations use. Answers ids only, whatever SELECT names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.model import WorkItem, tags_of
from sandbox.azure_devops.store import Store
from sandbox.azure_devops.values import moment_of

LIMIT = 20_000
_TOKEN = re.compile(r"\s*(\[[^\]]+\]|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|<>|>=|<=|[=<>(),]|@?[\w.+-]+)")
_WORDS = frozenset("and or not in ever contains under order by asc desc where select from".split())


def broken_query(text: str) -> Problem:
    text = f"TF51006: The query statement is missing or wrong. The error is caused by «{text}»."
    return bad_request(text, "SyntaxException", 3200)


def too_many() -> Problem:
    text = (
        "VS402337: The number of work items returned exceeds the size limit of 20000. Change the query "
        "to return fewer items."
    )
    return Problem(400, text, "WorkItemTrackingQueryResultSizeLimitExceededException")


@dataclass(frozen=True, slots=True)
class Clause:
    """A comparison; ``op`` is ``=``, ``<>``, ``<``, ``<=``, ``>``, ``>=``, ``in``, ``contains`` or ``under``."""

    field: Field
    op: str
    values: tuple[str, ...]
    negated: bool = False
    ever: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    every: bool
    parts: tuple[Clause | Group, ...]


@dataclass(frozen=True, slots=True)
class Query:
    columns: tuple[Field, ...]
    where: Clause | Group | None
    order: tuple[tuple[Field, bool], ...]


class Parser:
    """Reads ``SELECT ... FROM WorkItems [WHERE ...] [ORDER BY ...]``. Raises ``Problem``."""

    def __init__(self, text: str, find: Callable[[str], Field], macros: dict[str, str]) -> None:
        if len(text) > 32_000:
            raise broken_query("the text is longer than 32,000 characters")
        self.tokens = self.split(text)
        self.find, self.macros = find, macros

    def split(self, text: str) -> list[str]:
        tokens, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if not match:
                raise broken_query(text[at : at + 20])
            tokens.append(match[1])
            at = match.end()
        return tokens

    def peek(self) -> str:
        return self.tokens[0].lower() if self.tokens else ""

    def take(self, *expected: str) -> str:
        if not self.tokens or (expected and self.peek() not in expected):
            raise broken_query(self.tokens[0] if self.tokens else "the end")
        return self.tokens.pop(0)

    def field(self) -> Field:
        return self.find(self.take().strip("[]"))

    def query(self) -> Query:
        self.take("select")
        columns = [self.field()]
        while self.peek() == ",":
            self.take()
            columns.append(self.field())
        self.take("from")
        self.take("workitems")
        where = self.either() if self.peek() == "where" and self.take() else None
        order = self.order() if self.peek() == "order" else ()
        if self.tokens:
            raise broken_query(self.tokens[0])
        return Query(tuple(columns), where, order)

    def order(self) -> tuple[tuple[Field, bool], ...]:
        self.take("order")
        self.take("by")
        found = []
        while True:
            field = self.field()
            down = self.peek() in ("asc", "desc") and self.take().lower() == "desc"
            found.append((field, down))
            if self.peek() != ",":
                return tuple(found)
            self.take()

    def either(self) -> Clause | Group:
        return self.chain("or", lambda: self.chain("and", self.term))

    def chain(self, word: str, part: Callable[[], Clause | Group]) -> Clause | Group:
        parts = [part()]
        while self.peek() == word:
            self.take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Group(word == "and", tuple(parts))

    def term(self) -> Clause | Group:
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        ever = self.peek() == "ever" and bool(self.take())
        field = self.field()
        negated = self.peek() == "not" and bool(self.take())
        op = self.take("=", "<>", "<", "<=", ">", ">=", "in", "contains", "under", "ever").lower()
        if op == "ever":
            ever, op = True, self.take("=", "contains").lower()
        values = self.several() if op == "in" else (self.value(),)
        return Clause(field, op, values, negated, ever)

    def several(self) -> tuple[str, ...]:
        self.take("(")
        values = [self.value()]
        while self.peek() == ",":
            self.take()
            values.append(self.value())
        self.take(")")
        return tuple(values)

    def value(self) -> str:
        token = self.take()
        if token[0] in "'\"":
            return token[1:-1].replace(token[0] * 2, token[0])
        if token.lower() in self.macros:
            return self.macros[token.lower()]
        if token.lower() in _WORDS or token[0] == "@":
            raise broken_query(token)
        return token


@dataclass
class Runner:
    """Evaluates a query. ``values`` gives an item's fields as stored; ``precise`` lets dates carry a time of day."""

    store: Store
    values: Callable[[WorkItem], dict[str, Any]]
    readable: Callable[[WorkItem], bool]
    spellings: Callable[[str], set[str]]
    precise: bool = False

    def run(self, query: Query, top: int = 0) -> list[int]:
        """Ids in the order asked for (by id where none is). Raises VS402337 above 20,000 without ``top``."""
        self.check_dates(query.where)
        found = [item for item in self.candidates(query.where) if not item.deleted and self.readable(item)]
        found = [item for item in found if query.where is None or self.holds(query.where, item)]
        found.sort(key=lambda item: item.id)
        for field, down in reversed(query.order):
            found.sort(key=lambda item: self.sort_key(field, item), reverse=down)
        if not top and len(found) > LIMIT:
            raise too_many()
        return [item.id for item in found[: top or LIMIT]]

    def sort_key(self, field: Field, item: WorkItem) -> tuple[bool, Any]:
        if field.reference in ("System.ChangedDate", "System.CreatedDate"):
            return (True, item.changed if field.reference == "System.ChangedDate" else item.created)
        value = self.values(item).get(field.reference)
        return (value is not None, value if isinstance(value, int | float) else str(value or "").lower())

    def candidates(self, where: Clause | Group | None) -> Iterable[WorkItem]:
        """The smallest set that an index gives for a clause that must hold."""
        parts = where.parts if isinstance(where, Group) else (where,) if where else ()
        narrowed = [self.narrowed(part) for part in parts]
        sets = [ids for ids in narrowed if ids is not None]
        known: set[int] | None = None
        if isinstance(where, Group) and not where.every:
            known = set().union(*sets) if len(sets) == len(parts) else None
        elif sets:
            known = min(sets, key=len)
        wanted = self.store.items if known is None else known
        return [self.store.items[id] for id in wanted if id in self.store.items]

    def narrowed(self, part: Clause | Group) -> set[int] | None:
        if isinstance(part, Group) or part.negated:
            return None
        match part.field.reference, part.op:
            case "System.Id", "=" | "in":
                return {int(value) for value in part.values if value.isdigit()}
            case "System.Tags", "contains" if not part.ever:
                return self.store.by_tag.get(part.values[0].lower(), set())
            case "System.CreatedDate", ">" | ">=":
                return set(self.store.created_since(self.moment(part.values[0])))
            case "System.ChangedDate", ">" | ">=":
                return self.store.changed_since(self.moment(part.values[0]))
        return None

    def check_dates(self, where: Clause | Group | None) -> None:
        if isinstance(where, Group):
            for part in where.parts:
                self.check_dates(part)
        elif where and where.field.type == "dateTime" and not self.precise:
            for value in where.values:
                if re.search(r"\d{2}:\d{2}", value):
                    text = (
                        "You cannot supply a time with the date when running a query using date precision. The error "
                        f"is caused by «[{where.field.reference}] {where.op} '{value}'»."
                    )
                    raise bad_request(text, "WorkItemTrackingQueryException", 3200)

    def moment(self, text: str) -> datetime:
        try:
            moment = moment_of(text)
        except ValueError:
            raise broken_query(text) from None
        return moment if self.precise else moment.replace(hour=0, minute=0, second=0, microsecond=0)

    def holds(self, where: Clause | Group, item: WorkItem) -> bool:
        if isinstance(where, Group):
            test = all if where.every else any
            return test(self.holds(part, item) for part in where.parts)
        return self.compare(where, item) != where.negated

    def compare(self, clause: Clause, item: WorkItem) -> bool:
        if clause.ever:
            revisions = {update.rev for update in item.updates}
            return any(self.matches(clause, item.fields_at(rev).get(clause.field.reference)) for rev in revisions)
        if clause.field.reference in ("System.ChangedDate", "System.CreatedDate"):
            when = item.changed if clause.field.reference == "System.ChangedDate" else item.created
            return self.matches_moment(clause, when or item.created)
        return self.matches(clause, self.values(item).get(clause.field.reference))

    def matches_moment(self, clause: Clause, when: datetime) -> bool:
        when = when if self.precise else when.replace(hour=0, minute=0, second=0, microsecond=0)
        return compared(clause.op, when, self.moment(clause.values[0]))

    def matches(self, clause: Clause, value: Any) -> bool:
        wanted = [one.lower() for one in clause.values]
        if clause.field.reference == "System.Tags":
            tags = {tag.lower() for tag in tags_of(value)}
            return (wanted[0] in tags) if clause.op in ("contains", "=") else wanted[0] not in tags
        if clause.field.type == "dateTime":
            return value is not None and self.matches_moment(clause, moment_of(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return matches_number(clause.op, float(value), wanted)
        text = str(value if value is not None else "").lower()
        spelled = self.spellings(text) if clause.field.identity and text else {text}
        return matches_text(clause.op, text, spelled, wanted)


def matches_number(op: str, value: float, wanted: list[str]) -> bool:
    try:
        numbers = [float(one) for one in wanted]
    except ValueError:
        raise broken_query(wanted[0]) from None
    return value in numbers if op in ("=", "in") else compared(op, value, numbers[0])


def matches_text(op: str, text: str, spelled: set[str], wanted: list[str]) -> bool:
    match op:
        case "=" | "in":
            return bool(spelled & set(wanted))
        case "<>":
            return wanted[0] not in spelled
        case "contains":
            return wanted[0] in text
        case "under":
            path = wanted[0].strip("\\")
            return text == path or text.startswith(path + "\\")
    return compared(op, text, wanted[0])


def compared(op: str, left: Any, right: Any) -> bool:
    match op:
        case "=" | "in":
            return bool(left == right)
        case "<>":
            return bool(left != right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
    raise broken_query(op)


def day(moment: datetime, offset: int = 0) -> str:
    """@Today, in UTC: the caller's zone is not known to a service account."""
    return f"{moment + timedelta(days=offset):%Y-%m-%d}"
