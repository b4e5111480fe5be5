"""JQL read into a tree. Names and values are resolved elsewhere; this knows the grammar only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<sign>!=|!~|>=|<=|[=~<>(),])"""
    r"""|(?P<word>cf\[\d+\]|[^\s=!~<>(),"']+))""",
    re.DOTALL,
)
_RESERVED = frozenset(["and", "or", "not", "in", "is", "empty", "null", "order", "by", "asc", "desc", "was", "changed"])
OPERATORS = ("=", "!=", "~", "!~", ">", ">=", "<", "<=", "in", "not in", "is", "is not")


#: how deep parentheses and negations may nest
DEEPEST = 100


class BadQuery(Exception):
    """A query Jira does not take; the message is Jira's."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value as it was written. ``kind`` is ``text`` (quoted), ``word``, ``function`` or ``empty``."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Clause:
    field: str
    operator: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    part: Node


Node = Clause | Both | Either | Negated


@dataclass(frozen=True, slots=True)
class Query:
    """``where`` is ``None`` for an unbounded query; ``order`` holds ``(field, ascending)``."""

    where: Node | None
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    value: str
    at: int

    @property
    def keyword(self) -> str:
        return self.value.lower() if self.kind == "word" and self.value.lower() in _RESERVED else ""


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadQuery(
                f"Error in the JQL Query: The character '{text[at]}' is a reserved JQL character. {place(at)}"
            )
        kind = match.lastgroup or ""
        value = match[kind]
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
        found.append(Token(kind, value, match.start(kind)))
        at = match.end()
    return found


def place(at: int) -> str:
    return f"(line 1, character {at + 1})"


class Reader:
    """A recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.at = self.depth = 0

    def query(self) -> Query:
        where = None if self.keyword() == "order" or self.done() else self.either()
        order = self.order() if self.keyword() == "order" else ()
        if not self.done():
            self.fail("Expecting either 'OR' or 'AND' but got '{}'.")
        return Query(where, order)

    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def peek(self) -> Token:
        return Token("end", "", 0) if self.done() else self.tokens[self.at]

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def keyword(self) -> str:
        return self.peek().keyword

    def fail(self, words: str) -> NoReturn:
        token = self.peek()
        shown = token.value if token.kind != "end" else "end of query"
        raise BadQuery(f"Error in the JQL Query: {words.format(shown)} {place(token.at)}")

    def either(self) -> Node:
        parts = [self.both()]
        while self.keyword() == "or":
            self.next()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self) -> Node:
        parts = [self.negated()]
        while self.keyword() == "and":
            self.next()
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def negated(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail("The query is nested too deeply at '{}'.")
        try:
            return self.term()
        finally:
            self.depth -= 1

    def term(self) -> Node:
        if self.keyword() == "not":
            self.next()
            return Negated(self.negated())
        if self.peek().value == "(" and self.peek().kind == "sign":
            self.next()
            inner = self.either()
            self.expect(")")
            return inner
        return self.clause()

    def expect(self, sign: str) -> None:
        if self.peek().kind != "sign" or self.peek().value != sign:
            self.fail(f"Expecting '{sign}' but got '{{}}'.")
        self.next()

    def clause(self) -> Clause:
        if self.peek().kind not in ("word", "text") or self.keyword():
            self.fail("Expecting a field name but got '{}'.")
        field = self.next().value
        operator = self.operator()
        if operator in ("in", "not in"):
            return Clause(field, operator, self.operands())
        return Clause(field, operator, (self.operand(),))

    def operator(self) -> str:
        token = self.next()
        word = token.keyword
        if word == "not" and self.keyword() == "in":
            self.next()
            return "not in"
        if word == "is" and self.keyword() == "not":
            self.next()
            return "is not"
        found = word or token.value
        if found not in OPERATORS or token.kind == "text":
            self.at -= 1
            self.fail(
                "Expecting operator but got '{}'. The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', "
                "'!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."
            )
        return found

    def operands(self) -> tuple[Operand, ...]:
        self.expect("(")
        found = [self.operand()]
        while self.peek().value == "," and self.peek().kind == "sign":
            self.next()
            found.append(self.operand())
        self.expect(")")
        return tuple(found)

    def operand(self) -> Operand:
        token = self.next()
        if token.keyword in ("empty", "null"):
            return Operand("empty", "")
        if token.kind not in ("word", "text") or token.keyword:
            self.at -= 1
            self.fail("Expecting either a value, list or function but got '{}'.")
        if token.kind == "word" and self.peek().value == "(" and self.peek().kind == "sign":
            self.next()
            self.expect(")")
            return Operand("function", token.value)
        return Operand(token.kind, token.value)

    def order(self) -> tuple[tuple[str, bool], ...]:
        self.next()
        if self.keyword() != "by":
            self.fail("Expecting 'by' but got '{}'.")
        self.next()
        found = [self.sorting()]
        while self.peek().value == ",":
            self.next()
            found.append(self.sorting())
        return tuple(found)

    def sorting(self) -> tuple[str, bool]:
        if self.peek().kind not in ("word", "text") or self.keyword():
            self.fail("Expecting a field name but got '{}'.")
        field = self.next().value
        direction = self.keyword()
        if direction in ("asc", "desc"):
            self.next()
        return field, direction != "desc"


def read(text: str) -> Query:
    """Raises ``BadQuery`` with Jira's words and the place of the mistake."""
    return Reader(text).query()
