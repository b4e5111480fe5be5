"""What a clause of JQL means: a predicate over issues, resolved for one user. Unknown names are Jira's 400."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.jira.issues import Issue, milliseconds
from sandbox.jira.jql import BadQuery, Both, Clause, Either, Negated, Node, Operand
from sandbox.jira.site import CATEGORIES, Field, Site, User
from sandbox.jira.store import Store

Test = Callable[[Issue], bool]
_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with".split()
)
_SPAN = {"m": 1, "h": 60, "d": 1440, "w": 10080}


class Matcher:
    """Compiles the nodes of one user's query."""

    def __init__(self, site: Site, store: Store, user: User, now: datetime) -> None:
        self.site, self.store, self.user, self.now = site, store, user, now

    def test(self, node: Node) -> Test:
        if isinstance(node, Both):
            tests = [self.test(part) for part in node.parts]
            return lambda issue: all(test(issue) for test in tests)
        if isinstance(node, Either):
            tests = [self.test(part) for part in node.parts]
            return lambda issue: any(test(issue) for test in tests)
        if isinstance(node, Negated):
            inner = self.test(node.part)
            return lambda issue: not inner(issue)
        return self.clause(node)

    def clause(self, clause: Clause) -> Test:
        name = clause.field.lower()
        if name in ("created", "createddate", "updated", "updateddate"):
            return self.dated(clause, "created" if name.startswith("created") else "updated")
        if name in ("id", "key", "issue", "issuekey"):
            return self.listed(clause, lambda issue: {issue.id}, lambda o: {self.issue_named(clause, o)})
        system = self.system(name)
        if system is not None:
            return self.listed(clause, system, lambda o: self.system_values(clause, o))
        field = self.field(clause.field)
        if field.kind in ("summary", "text", "textarea"):
            return self.worded(clause, field)
        if field.kind in ("number", "date"):
            return self.ordered(clause, field)
        return self.listed(clause, lambda issue: held(issue, field), lambda o: self.field_values(clause, field, o))

    # -- names

    def system(self, name: str) -> Callable[[Issue], set[Any]] | None:
        """What an issue holds for a system name that is no field of a screen."""
        return {
            "project": lambda issue: {issue.project},
            "issuetype": lambda issue: {issue.type},
            "type": lambda issue: {issue.type},
            "status": lambda issue: {issue.status.name},
            "statuscategory": lambda issue: {issue.status.category},
            "creator": lambda issue: {issue.creator},
        }.get(name)

    def field(self, name: str) -> Field:
        """By id, clause name, ``cf[N]`` or, in any case of letters, the name admins gave it."""
        custom = re.fullmatch(r"cf\[(\d+)\]", name.lower())
        wanted = f"customfield_{custom[1]}" if custom else name.lower()
        for field in self.site.fields.values():
            if field.clauses:
                known = {clause.lower() for clause in field.clauses}
            else:
                known = {field.id.lower(), field.name.lower()}
            if wanted in known:
                return field
        raise BadQuery(f"Field '{name}' does not exist or you do not have permission to view it.")

    # -- values

    def no_such(self, clause: Clause, value: str) -> BadQuery:
        return BadQuery(f"The value '{value}' does not exist for the field '{clause.field}'.")

    def issue_named(self, clause: Clause, operand: Operand) -> int:
        """An unknown id or key is an error, not an empty result."""
        issue = self.store.find(operand.value, self.site.switches.old_keys)
        if issue is None or not issue.visible(self.site, self.user):
            what = "key" if "-" in operand.value else "ID"
            raise BadQuery(f"An issue with {what} '{operand.value}' does not exist for field '{clause.field}'.")
        return issue.id

    def system_values(self, clause: Clause, operand: Operand) -> set[Any]:
        name, value = clause.field.lower(), operand.value.lower()
        if name == "creator":
            return {self.account(clause, operand)}
        if name == "statuscategory":
            found = {key for key, (id, label, _) in CATEGORIES.items() if value in (key, str(id), label.lower())}
        elif name == "status":
            found = {s.name for s in self.site.statuses().values() if value in (s.id, s.name.lower())}
        elif name == "project":
            visible = (p for p in self.site.projects.values() if self.site.may(self.user, p.key, "BROWSE_PROJECTS"))
            found = {p.key for p in visible if value in (p.id, p.key.lower(), p.name.lower())}
        else:
            found = {t.name for t in self.site.types().values() if value in (t.id, t.name.lower())}
        if not found:
            raise self.no_such(clause, operand.value)
        return found

    def field_values(self, clause: Clause, field: Field, operand: Operand) -> set[Any]:
        if field.kind == "labels":
            return {operand.value.lower()}
        if field.kind == "user":
            return {self.account(clause, operand)}
        offered = self.offered(field)
        if field.kind == "resolution" and operand.value.lower() == "unresolved":
            return {None}
        found = {one.id for one in offered if operand.value.lower() in (one.id, one.name.lower())}
        if not found:
            raise self.no_such(clause, operand.value)
        return found

    def offered(self, field: Field) -> Iterable[Any]:
        if field.kind in ("versions", "components"):
            return [one for project in self.site.projects.values() for one in getattr(project, field.kind)]
        return {"priority": self.site.priorities, "resolution": self.site.resolutions}.get(field.kind, field.options)

    def account(self, clause: Clause, operand: Operand) -> str:
        """Only account ids: names are not searched (Atlassian's privacy changes to the REST APIs)."""
        if operand.kind == "function" and operand.value.lower() == "currentuser":
            return self.user.account_id
        if operand.value not in self.site.users:
            raise self.no_such(clause, operand.value)
        return operand.value

    def stamp(self, clause: Clause, operand: Operand) -> int:
        """An unquoted whole number is in epoch milliseconds, ``-15m`` counts from now; a date is read in the zone of
        the user's profile and has no seconds (Atlassian Support, "JQL fields")."""
        try:
            return self.instant(clause, operand)
        except OverflowError:
            raise self.no_date(clause, operand.value) from None

    def instant(self, clause: Clause, operand: Operand) -> int:
        value = operand.value
        relative = re.fullmatch(r"([+-]?)(\d+)([mhdw])", value)
        if operand.kind == "function" and value.lower() == "now":
            return milliseconds(self.now)
        if relative:
            minutes = int(relative[2]) * _SPAN[relative[3]]
            return milliseconds(self.now + timedelta(minutes=-minutes if relative[1] == "-" else minutes))
        if operand.kind == "word" and re.fullmatch(r"-?\d{5,}", value):
            return int(value)
        for form in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
            try:
                fold = 0 if self.site.switches.repeated_hour_is_first else 1
                local = datetime.strptime(value, form).replace(tzinfo=ZoneInfo(self.user.zone), fold=fold)
            except ValueError:
                continue
            return milliseconds(local.astimezone(UTC))
        raise self.no_date(clause, value)

    def day(self, clause: Clause, operand: Operand) -> str:
        """The day a moment falls on where the user is."""
        at = self.stamp(clause, operand) / 1000
        try:
            return datetime.fromtimestamp(at, ZoneInfo(self.user.zone)).date().isoformat()
        except (ValueError, OverflowError, OSError):
            raise self.no_date(clause, operand.value) from None

    def no_date(self, clause: Clause, value: str) -> BadQuery:
        return BadQuery(
            f"Date value '{value}' for field '{clause.field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        )

    # -- operators

    def unsupported(self, clause: Clause) -> BadQuery:
        return BadQuery(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")

    def listed(self, clause: Clause, of: Callable[[Issue], set[Any]], values: Callable[[Operand], set[Any]]) -> Test:
        """Equality and lists. Negation never finds what is empty (Atlassian Support, "JQL operators")."""
        if clause.operator not in ("=", "!=", "in", "not in", "is", "is not"):
            raise self.unsupported(clause)
        negative = clause.operator in ("!=", "not in", "is not")
        empties = [operand for operand in clause.operands if operand.kind == "empty"]
        wanted = set().union(*(values(o) for o in clause.operands if o.kind != "empty")) | (
            {None} if empties else set()
        )
        if negative:
            return lambda issue: bool(of(issue) - {None}) and not (of(issue) & wanted)
        return lambda issue: bool((of(issue) or {None}) & wanted)

    def dated(self, clause: Clause, attribute: str) -> Test:
        get = operator.attrgetter(attribute)
        if clause.operator in ("=", "!="):
            wanted = self.stamp(clause, clause.operands[0])
            return lambda issue: (get(issue) == wanted) == (clause.operator == "=")
        if clause.operator not in _COMPARE:
            raise self.unsupported(clause)
        compare, bound = _COMPARE[clause.operator], self.stamp(clause, clause.operands[0])
        return lambda issue: bool(compare(get(issue), bound))

    def worded(self, clause: Clause, field: Field) -> Test:
        """Text is searched by words, never by equality."""
        if clause.operator in ("is", "is not"):
            return lambda issue: (field.id in issue.values) == (clause.operator == "is not")
        if clause.operator not in ("~", "!~"):
            raise self.unsupported(clause)
        wanted = self.sought(clause)
        positive = clause.operator == "~"
        if not wanted:
            return lambda issue: False
        return lambda issue: (wanted <= words(issue.values.get(field.id) or "")) == positive

    def sought(self, clause: Clause) -> set[str]:
        """The words of a text query. The index keeps no stop words; a query may not be empty nor begin with a wildcard
        (Atlassian Support, "Search syntax for text fields")."""
        text = clause.operands[0].value
        if not text.strip():
            raise BadQuery(f"The field '{clause.field}' does not support searching for an empty string.")
        if text.lstrip()[0] in "*?":
            raise BadQuery(
                f"The text query '{text}' for field '{clause.field}' is not allowed to start with '{text.lstrip()[0]}'."
            )
        return words(text) - _STOP_WORDS

    def ordered(self, clause: Clause, field: Field) -> Test:
        if clause.operator in ("is", "is not"):
            return lambda issue: (field.id in issue.values) == (clause.operator == "is not")
        bounds = [self.bound(clause, field, operand) for operand in clause.operands]
        if clause.operator in ("=", "in"):
            return lambda issue: issue.values.get(field.id) in bounds
        if clause.operator in ("!=", "not in"):
            return lambda issue: field.id in issue.values and issue.values[field.id] not in bounds
        if clause.operator not in _COMPARE:
            raise self.unsupported(clause)
        compare = _COMPARE[clause.operator]
        return lambda issue: field.id in issue.values and bool(compare(issue.values[field.id], bounds[0]))

    def bound(self, clause: Clause, field: Field, operand: Operand) -> Any:
        if field.kind == "date" and operand.kind == "empty":
            return None
        if field.kind == "date":
            return self.day(clause, operand)
        try:
            return float(operand.value)
        except ValueError:
            raise self.no_such(clause, operand.value) from None


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def held(issue: Issue, field: Field) -> set[Any]:
    """What the issue has in a field, comparable with ``field_values``; empty where it has nothing."""
    value = issue.values.get(field.id)
    if value is None:
        return set()
    if field.kind == "labels":
        return {label.lower() for label in value}
    if field.kind == "user":
        return {value}
    return {one.id for one in value} if isinstance(value, tuple) else {value.id}
