"""Work item queries as they are run: answers ids only, whatever SELECT names."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.model import WorkItem, tags_of
from sandbox.azure_devops.store import Store
from sandbox.azure_devops.values import moment_of, numeral
from sandbox.azure_devops.wiql_text import Clause, Group, Query, broken_query

LIMIT = 20_000


def too_many() -> Problem:
    text = (
        "VS402337: The number of work items returned exceeds the size limit of 20000. Change the query "
        "to return fewer items."
    )
    return Problem(400, text, "WorkItemTrackingQueryResultSizeLimitExceededException")


def timed_out() -> Problem:
    """Integration best practices page."""
    text = (
        "VS402335: The timeout period (30 seconds) elapsed prior to completion of the query or the server is not "
        "responding."
    )
    return Problem(400, text, "WorkItemTrackingQueryTimeoutException")


@dataclass(frozen=True, slots=True)
class Way:
    """Ids among which every match is: ``size`` of them at the most, given by ``ids``."""

    size: int
    ids: Callable[[], Iterable[int]]


@dataclass
class Runner:
    """Evaluates a query. ``values`` gives an item's fields as stored; ``precise`` lets dates carry a time of day, else
    days are those of the caller's ``zone``. ``cost`` is how many items may be looked at in 30 seconds (0: any number),
    ``members`` are the types of a category."""

    store: Store
    values: Callable[[WorkItem], dict[str, Any]]
    readable: Callable[[WorkItem], bool]
    spellings: Callable[[str], set[str]]
    precise: bool = False
    zone: tzinfo = UTC
    cost: int = 0
    members: Callable[[str], tuple[str, ...]] = lambda category: ()

    def run(self, query: Query, top: int = 0) -> list[int]:
        """Ids in the order asked for (by id where none is). Raises VS402337 above 20,000 without ``top``."""
        enough = (top or LIMIT + 1) if by_id(query.order) else None
        found = self.ordered(self.found(query.where, enough), query.order)
        if not top and len(found) > LIMIT:
            raise too_many()
        return [item.id for item in found[: top or LIMIT]]

    def found(self, where: Clause | Group | None, enough: int | None = None) -> list[WorkItem]:
        """The items for which a condition holds, by id, and no more than ``enough``. Raises VS402335 where that takes
        too long."""
        self.check(where)
        looked = self.candidates(where)
        if self.cost and len(looked := list(looked)) > self.cost:
            raise timed_out()
        alive = (item for item in looked if not item.deleted and self.readable(item))
        return list(islice((item for item in alive if where is None or self.holds(where, item)), enough))

    def ordered(self, found: list[WorkItem], order: tuple[tuple[Field, bool], ...]) -> list[WorkItem]:
        found = sorted(found, key=lambda item: item.id)
        for field, down in reversed(order):
            found.sort(key=lambda item: self.sort_key(field, item), reverse=down)
        return found

    def sort_key(self, field: Field, item: WorkItem) -> tuple[bool, Any]:
        if field.reference in ("System.ChangedDate", "System.CreatedDate"):
            return (True, item.changed if field.reference == "System.ChangedDate" else item.created)
        value = self.value(item, field)
        return (value is not None, value if isinstance(value, int | float) else str(value or "").lower())

    def value(self, item: WorkItem, field: Field) -> Any:
        """One field of an item: as it is stored, unless the server counts it."""
        if field.reference == "System.Id":
            return item.id
        return self.values(item).get(field.reference) if field.kept else item.fields.get(field.reference)

    def candidates(self, where: Clause | Group | None) -> Iterable[WorkItem]:
        """The smallest set that an index gives, or every item; in order of id."""
        items, way = self.store.items, self.narrowed(where) if where else None
        if way is None:
            return items.values()
        ids = way.ids()
        return (items[id] for id in (ids if isinstance(ids, range) else sorted(set(ids))) if id in items)

    def narrowed(self, part: Clause | Group) -> Way | None:
        """The cheapest way to every match, where an index knows one."""
        if isinstance(part, Clause):
            return None if part.negated or part.ever else self.indexed(part)
        ways = [self.narrowed(one) for one in part.parts]
        known = [way for way in ways if way is not None]
        if part.every:
            return min(known, key=lambda way: way.size, default=None)
        if len(known) < len(ways):
            return None
        return Way(sum(way.size for way in known), lambda: (id for way in known for id in way.ids()))

    def indexed(self, clause: Clause) -> Way | None:
        store, value = self.store, clause.values[0] if clause.values else ""
        match clause.field.reference, clause.op:
            case "System.Id", "=" | "in" if None not in (numbers := [numeral(one) for one in clause.values]):
                ids = {one for one in numbers if one is not None}
                return Way(len(ids), lambda: ids)
            case "System.Id", ">" | ">=" if (first := numeral(value)) is not None:
                behind = range(first, next(reversed(store.items), 0) + 1)
                return Way(len(behind), lambda: behind)
            case "System.Tags", "contains":
                tagged = store.by_tag.get(value.lower(), set())
                return Way(len(tagged), lambda: tagged)
            case "System.CreatedDate", ">" | ">=":
                since = bisect_left(store.created, (self.moment(value), 0))
                return Way(len(store.created) - since, lambda: (id for _, id in store.created[since:]))
            case "System.ChangedDate", ">" | ">=":
                start = bisect_left(store.times, self.moment(value))
                return Way(len(store.times) - start, lambda: (id for id, _ in store.log[start:]))
        return None

    def check(self, where: Clause | Group | None) -> None:
        """Refuses values that their fields cannot be compared with, whichever items there are."""
        if isinstance(where, Group):
            for part in where.parts:
                self.check(part)
        elif where and where.field.type == "dateTime":
            for value in where.values:
                self.check_date(where, value)
        elif where and where.field.type in ("integer", "double") and where.values:
            matches_number(where.op, 0.0, [value.lower() for value in where.values])

    def check_date(self, clause: Clause, value: str) -> None:
        if not self.precise and re.search(r"\d{2}:\d{2}", value):
            text = (
                "You cannot supply a time with the date when running a query using date precision. The error "
                f"is caused by «[{clause.field.reference}] {clause.op} '{value}'»."
            )
            raise bad_request(text, "WorkItemTrackingQueryException", 3200)
        self.moment(value)

    def moment(self, text: str) -> datetime:
        try:
            moment = moment_of(text)
        except ValueError:
            raise broken_query(text) from None
        if self.precise:
            return moment
        named = re.match(r"\s*(\d{4})-?(\d{2})-?(\d{2})", text)
        year, month, date = (int(part) for part in named.groups()) if named else (moment.year, moment.month, moment.day)
        try:
            return datetime(year, month, date, tzinfo=self.zone).astimezone(UTC)
        except OverflowError:
            raise broken_query(text) from None

    def day_of(self, when: datetime) -> datetime:
        """The beginning of the caller's day in which a moment lies."""
        return when.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    def holds(self, where: Clause | Group, item: WorkItem) -> bool:
        if isinstance(where, Group):
            test = all if where.every else any
            return test(self.holds(part, item) for part in where.parts)
        return self.compare(where, item) != where.negated

    def compare(self, clause: Clause, item: WorkItem) -> bool:
        if clause.op == "empty":
            return self.value(item, clause.field) in (None, "")
        if clause.op == "group":
            value = str(self.value(item, clause.field) or "")
            return value in self.members(clause.values[0])
        if clause.ever:
            revisions = {update.rev for update in item.updates}
            return any(self.matches(clause, item.fields_at(rev).get(clause.field.reference)) for rev in revisions)
        if clause.field.reference in ("System.ChangedDate", "System.CreatedDate"):
            when = item.changed if clause.field.reference == "System.ChangedDate" else item.created
            return self.matches_moment(clause, when or item.created)
        return self.matches(clause, self.value(item, clause.field))

    def matches_moment(self, clause: Clause, when: datetime) -> bool:
        when = when if self.precise else self.day_of(when)
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


def by_id(order: tuple[tuple[Field, bool], ...]) -> bool:
    """Whether the order is that of the ids, which is also the order where none is asked for."""
    return not order or (order[0][0].reference == "System.Id" and not order[0][1])


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
        case "words":
            words = re.findall(r"\w+", re.sub(r"<[^>]*>", " ", text))
            return all(any(has.startswith(word) for has in words) for word in re.findall(r"\w+", wanted[0]))
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
