"""The text of a work item query: the part of WIQL that integrations use."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.fields import Field

_TOKEN = re.compile(r"\s*(\[[^\]]+\]|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|<>|>=|<=|[=<>(),]|@?[\w.+-]+)")
_WORDS = frozenset("and or not in ever contains under order by asc desc where select from is mode".split())


def broken_query(text: str) -> Problem:
    text = f"TF51006: The query statement is missing or wrong. The error is caused by «{text}»."
    return bad_request(text, "SyntaxException", 3200)


@dataclass(frozen=True, slots=True)
class Clause:
    """A comparison; ``op`` is ``=``, ``<>``, ``<``, ``<=``, ``>``, ``>=``, ``in``, ``contains``, ``words``, ``under``,
    ``empty`` or ``group``. ``side`` is source, target or link in a query of links."""

    field: Field
    op: str
    values: tuple[str, ...]
    negated: bool = False
    ever: bool = False
    side: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    every: bool
    parts: tuple[Clause | Group, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """``links``: a query of links; ``mode`` says which of them."""

    columns: tuple[Field, ...]
    where: Clause | Group | None
    order: tuple[tuple[Field, bool], ...]
    links: bool = False
    mode: str = "mustcontain"


#: a macro's name, its argument and how far it is shifted, to the value that stands for it
Macros = Callable[[str, str, int], str | None]
LINK_TYPE = Field("System.Links.LinkType", "Link Type")
#: parentheses within parentheses; where the service ends is not documented
DEEPEST = 50


class Parser:
    """Reads ``SELECT ... FROM WorkItems [WHERE ...] [ORDER BY ...]``. Raises ``Problem``."""

    def __init__(self, text: str, find: Callable[[str], Field], macros: Macros) -> None:
        if len(text) > 32_000:
            raise broken_query("the text is longer than 32,000 characters")
        self.tokens = self.split(text)
        self.find, self.macros = find, macros
        self.depth = 0

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
        return self.sided()[1]

    def sided(self) -> tuple[str, Field]:
        """A field and the side of a link that it is asked of."""
        name, side = self.take().strip("[]"), ""
        if name.lower() in ("source", "target") and self.peek() == ".":
            self.take()
            side, name = name.lower(), self.take().strip("[]")
        if name.lower() == "system.links.linktype":
            return "link", LINK_TYPE
        return side, self.find(name)

    def query(self) -> Query:
        self.take("select")
        columns = [self.field()]
        while self.peek() == ",":
            self.take()
            columns.append(self.field())
        self.take("from")
        links = self.take("workitems", "workitemlinks").lower() == "workitemlinks"
        where = self.either() if self.peek() == "where" and self.take() else None
        order = self.order() if self.peek() == "order" else ()
        mode = self.mode() if links and self.peek() == "mode" else "mustcontain"
        if self.tokens:
            raise broken_query(self.tokens[0])
        return Query(tuple(columns), where, order, links, mode)

    def mode(self) -> str:
        self.take("mode")
        self.take("(")
        words = [self.take("mustcontain", "maycontain", "doesnotcontain", "recursive").lower()]
        while self.peek() == ",":
            self.take()
            words.append(self.take("recursive", "returnmatchingchildren").lower())
        self.take(")")
        return "recursive" if "recursive" in words else words[0]

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
            return self.bracket()
        ever = self.peek() == "ever" and bool(self.take())
        side, field = self.sided()
        if self.peek() == "is":
            return self.emptiness(side, field)
        negated = self.peek() == "not" and bool(self.take())
        was = self.peek() == "was" and bool(self.take())
        ops = ("ever",) if was else ("=", "<>", "<", "<=", ">", ">=", "in", "contains", "under", "ever")
        op = self.take(*ops).lower()
        if op == "ever":
            ever, op = True, "=" if was and self.peek() not in ("=", "contains") else self.take("=", "contains").lower()
        if self.peek() in ("words", "group"):
            op = self.take("words" if op == "contains" else "group").lower()
        values = self.several() if op == "in" else (self.value(),)
        return Clause(field, op, values, negated, ever, side)

    def bracket(self) -> Clause | Group:
        self.take("(")
        self.depth += 1
        if self.depth > DEEPEST:
            raise broken_query("the parentheses are nested too deeply")
        inner = self.either()
        self.depth -= 1
        self.take(")")
        return inner

    def emptiness(self, side: str, field: Field) -> Clause:
        """``is empty`` and ``is not empty``."""
        self.take("is")
        negated = self.peek() == "not" and bool(self.take())
        self.take("empty")
        return Clause(field, "empty", (), negated, side=side)

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
        if token[0] == "@":
            return self.macro(token)
        if token.lower() in _WORDS:
            raise broken_query(token)
        return token

    def macro(self, token: str) -> str:
        """``@today - 7``, ``@startofday('-1d')``, ``@currentiteration('[Portal]\\Portal Team')`` and plain ones."""
        name, joined, stuck = token.lower(), "", re.fullmatch(r"(@\w+)([+-]\d+)", token.lower())
        if stuck:
            name, joined = stuck.groups()
        argument, shift = "", joined
        if self.peek() == "(":
            self.take()
            argument = self.take().strip("'\"")
            self.take(")")
        if self.peek() in ("+", "-"):
            shift = self.take() + self.take()
        elif re.fullmatch(r"[+-]\d+", self.peek()):
            shift = self.take()
        if shift and not re.fullmatch(r"[+-][0-9]{1,5}", shift):
            raise broken_query(f"{token} {shift}")
        found = self.macros(name, argument, int(shift or 0))
        if found is None:
            raise broken_query(token)
        return found


def start_of(unit: str, now: datetime, shift: int) -> str:
    """The day on which the caller's day, week (from Sunday), month or year begins, ``shift`` of them away."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "day":
        day += timedelta(days=shift)
    elif unit == "week":
        day += timedelta(days=7 * shift - (day.weekday() + 1) % 7)
    else:
        months = day.year * 12 + (day.month - 1 + shift if unit == "month" else 12 * shift)
        day = day.replace(year=months // 12, month=months % 12 + 1, day=1)
    return f"{day:%Y-%m-%d}"
