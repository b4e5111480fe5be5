"""Conditions: what the admin's ``when`` says, typed against the declared fields when the file is read.

The one module that knows the CEL runtime (``cel-expr-python``). A missing value makes a comparison neither true nor
false; a condition whose outcome hangs on it does not hold. Nothing here can loop: the runtime counts iterations, its
regular expressions are linear, and the length of a condition is bounded.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mappings.fields import Common

#: always declared, whatever the file says
ALWAYS = {"stage": "text"}
LONGEST = 4000
#: what compares one value with another
SIGNS = ("==", "!=", "<", "<=", ">", ">=")
#: the names CEL's grammar keeps for itself: a field cannot be called so
RESERVED = frozenset(
    "as break const continue else false for function if import in let loop package namespace null return true var "
    "void while has all exists exists_one map filter size matches type dyn int uint double string bool bytes list "
    "timestamp duration google".split()
)
_CEL_TYPES = {"text": "STRING", "date": "STRING", "integer": "INT", "number": "DOUBLE", "boolean": "BOOL"}
_WORDS = {
    "string": "text",
    "int": "a whole number",
    "double": "a number with a point",
    "bool": "true or false",
    "list(string)": "a list",
    "null_type": "null",
}
_TOKEN = re.compile(
    r"(?P<blank>\s+|//[^\n]*)"
    r"|(?P<string>[rR](?:\"[^\"\n]*\"|'[^'\n]*')|\"\"\".*?\"\"\"|'''.*?'''"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)|(?P<sign>&&|\|\||[<>=!]=|.)",
    re.DOTALL,
)
_CEL_PROBLEM = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?=\n|\s*\[INVALID_ARGUMENT\]$|$)")
_OVERLOAD = re.compile(r"found no matching overload for '(.+?)' applied to '(?:.+\.)?\((.+)\)'")
_UNDECLARED = re.compile(r"undeclared reference to '(.+?)'")
_MACROS = frozenset(("all", "exists", "exists_one", "filter", "map"))
_FUNCTIONS = ("startsWith", "endsWith", "contains", "matches", "size", "exists", "all", "filter", "map")


class ConditionError(ValueError):
    """A condition that cannot be used. ``line`` and ``column`` count from 1 inside the condition's own text;
    ``hint`` says what to write instead."""

    def __init__(self, message: str, line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.hint = message, line, column, hint


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What evaluation came to: ``holds`` is ``None`` where it hangs on a missing value or failed (``why``)."""

    holds: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. ``names`` are the fields it speaks of; ``parts`` are what it joins by ``&&``, so that
    the reason can name the one that fails. Safe to share between threads; pickles as its text."""

    text: str
    declared: tuple[tuple[str, str], ...] = field(repr=False)
    names: tuple[str, ...]
    parts: tuple[Condition, ...] = field(default=(), repr=False)
    _program: Any = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[Callable[..., Condition], tuple[object, ...]]:
        return _again, (self.text, self.declared)

    def holds(self, values: Mapping[str, Common]) -> bool:
        """True where the condition holds; a missing value (absent or ``None``) never makes it hold."""
        return self._outcome(values).holds is True

    def reason(self, values: Mapping[str, Common]) -> str:
        """One sentence for ``why``: each part that fails and the values it saw, or that it holds."""
        failing = [part._sentence(values) for part in self.parts or (self,) if not part.holds(values)]
        return "; ".join(failing) or self._sentence(values)

    def _sentence(self, values: Mapping[str, Common]) -> str:
        outcome = self._outcome(values)
        missing = [name for name in self.names if values.get(name) is None]
        if outcome.holds is None and missing and "No value with name" in outcome.why:
            return f"{' and '.join(missing)} {'have' if len(missing) > 1 else 'has'} no value"
        if outcome.holds is None:
            return f"{self.text} cannot be worked out: {outcome.why}"
        seen = ", ".join(f"{name} is {_shown(values.get(name))}" for name in self.names)
        return f"{self.text} {'holds' if outcome.holds else 'does not hold'}{': ' if seen else ''}{seen}"

    def _outcome(self, values: Mapping[str, Common]) -> _Outcome:
        given = {name: _plain(values[name]) for name in self.names if values.get(name) is not None}
        try:
            result = self._program.eval(data=given)
        except Exception as failure:  # the runtime raises bare RuntimeErrors: its own limits speak here
            return _Outcome(None, _runaway(str(failure)))
        # never ask a null result for its value: 0.1.3 then gives None away once too often, and Python dies of it
        if result.type().name() == "BOOL":
            return _Outcome(bool(result.value()))
        return _Outcome(None, str(result.value()).split(": ", 1)[-1])


class Conditions:
    """Compiles conditions over the declared names. ``declared`` maps a name to its type as in ``fields.TYPES``."""

    def __init__(self, declared: Mapping[str, str]) -> None:
        self.declared = tuple(sorted({**declared, **ALWAYS}.items()))

    def compile(self, text: str) -> Condition:
        """The condition. Raises ``ConditionError``."""
        _check_text(text)
        program = _compiled(text, self.declared)
        tokens = _tokens(text)
        _check_shadows(tokens, dict(self.declared))
        _check_patterns(tokens, self.declared)
        condition = Condition(text, self.declared, _names(tokens, dict(self.declared)), _program=program)
        return Condition(text, self.declared, condition.names, self._parts(text, tokens), program)

    def _parts(self, text: str, tokens: Sequence[_Token]) -> tuple[Condition, ...]:
        cuts = _joints(tokens)
        if not cuts:
            return ()
        edges = [0, *(edge for cut in cuts for edge in (cut, cut + 2)), len(text)]
        pieces = [text[a:b].strip() for a, b in zip(edges[::2], edges[1::2], strict=True)]
        return tuple(self._part(piece) for piece in pieces)

    def _part(self, text: str) -> Condition:
        names = _names(_tokens(text), dict(self.declared))
        return Condition(text, self.declared, names, _program=_compiled(text, self.declared))


def comparisons(text: str, name: str, signs: Sequence[str] = ("==", "!=")) -> tuple[tuple[str, int], ...]:
    """The texts a condition compares ``name`` with (by ``signs`` and ``in [...]``) and where each stands, from 0: so
    that a stage that does not exist is found when the file is read."""
    tokens = _tokens(text)
    found: list[tuple[str, int]] = []
    for i, token in enumerate(tokens):
        if token.text == name and token.kind == "name" and not (i and tokens[i - 1].text == "."):
            found += _compared(tokens, i, signs)
    return tuple(found)


def _compared(tokens: Sequence[_Token], at: int, signs: Sequence[str]) -> list[tuple[str, int]]:
    after = [token.text for token in tokens[at + 1 : at + 3]]
    if after == ["in", "["]:
        end = next((i for i in range(at + 3, len(tokens)) if tokens[i].text == "]"), len(tokens))
        return [word for token in tokens[at + 3 : end] for word in _literal(token)]
    found = _literal(tokens[at + 2]) if len(after) == 2 and after[0] in signs else []
    return found + (_literal(tokens[at - 2]) if at >= 2 and tokens[at - 1].text in signs else [])


def _literal(token: _Token) -> list[tuple[str, int]]:
    if token.kind != "string":
        return []
    try:
        return [(str(ast.literal_eval(token.text)), token.start)]
    except (ValueError, SyntaxError):
        return []


def _again(text: str, declared: tuple[tuple[str, str], ...]) -> Condition:
    return Conditions(dict(declared)).compile(text)


def _check_text(text: str) -> None:
    if not text.strip():
        raise ConditionError("the condition is empty", hint='write one, such as stage == "New", or leave the key out')
    if len(text) > LONGEST:
        raise ConditionError(f"the condition is longer than {LONGEST} characters", hint="split it into several")
    if not text.isascii() and text.encode("utf-8", "replace").decode() != text:
        raise ConditionError("the condition holds a broken character", hint="type it again")


@lru_cache(maxsize=64)
def _environment(declared: tuple[tuple[str, str], ...]) -> tuple[Any, Any]:
    from cel_expr_python import cel  # here, so that reading no conditions costs no 50 MB library

    types = {name: _cel_type(cel, kind) for name, kind in declared}
    return cel.NewEnv(variables=types), cel.Type.BOOL


def _cel_type(cel: Any, kind: str) -> Any:
    return cel.Type.List(cel.Type.STRING) if kind == "list" else getattr(cel.Type, _CEL_TYPES[kind])


def _compiled(text: str, declared: tuple[tuple[str, str], ...]) -> Any:
    environment, boolean = _environment(declared)
    try:
        program = environment.compile(text)
    except Exception as failure:
        raise _explained(text, str(failure), dict(declared)) from None
    if program.return_type() != boolean:
        kind = _WORDS.get(program.return_type().name().lower(), "a value")
        hint = f'compare it with something, such as {text.strip()} == "..."' if kind == "text" else "compare it"
        raise ConditionError(f"this is {kind}, not something that holds or does not", hint=hint)
    return program


def _tokens(text: str) -> list[_Token]:
    found = (_Token(m.lastgroup or "", m.group(), m.start()) for m in _TOKEN.finditer(text))
    return [token for token in found if token.kind != "blank"]


def _names(tokens: Sequence[_Token], declared: Mapping[str, str]) -> tuple[str, ...]:
    before = ["", *(token.text for token in tokens)]
    named = (t.text for t, b in zip(tokens, before, strict=False) if t.kind == "name" and b != ".")
    return tuple(dict.fromkeys(name for name in named if name in declared))


def _joints(tokens: Sequence[_Token]) -> list[int]:
    """Where ``&&`` joins the whole condition; none where anything that binds looser stands beside it."""
    outer = list(_outermost(tokens))
    if any(token.text in ("||", "?") for token in outer):
        return []
    return [token.start for token in outer if token.text == "&&"]


def _outermost(tokens: Sequence[_Token]) -> Iterator[_Token]:
    depth = 0
    for token in tokens:
        depth += (token.text in "([{") - (token.text in ")]}") if token.kind == "sign" else 0
        if depth == 0:
            yield token


def _check_shadows(tokens: Sequence[_Token], declared: Mapping[str, str]) -> None:
    """``labels.exists(stage, ...)`` would make one word mean two things, here and in the reasons we give."""
    for macro, bracket, name, comma in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        called = macro.text in _MACROS and bracket.text == "(" and comma.text == ","
        if called and name.kind == "name" and name.text in declared:
            hint = f"call the element something else: {macro.text}(one, ...)"
            raise ConditionError(f"{name.text} is a field already", 1, name.start + 1, hint)


def _check_patterns(tokens: Sequence[_Token], declared: tuple[tuple[str, str], ...]) -> None:
    """CEL reads a regular expression only when it meets one: a broken one is found here instead."""
    for i in range(len(tokens) - 2):
        if tokens[i].text == "matches" and tokens[i + 1].text == "(" and tokens[i + 2].kind == "string":
            result = _compiled(f"''.matches({tokens[i + 2].text})", declared).eval(data={})
            if result.type().name() != "BOOL":
                why = str(result.value()).rsplit("expression: ", 1)[-1]
                said = f"{tokens[i + 2].text} is no regular expression: {why}"
                raise ConditionError(said, 1, tokens[i + 2].start + 1, 'write matches("^T[0-9]+$")')


def _plain(value: Common) -> object:
    if isinstance(value, tuple):
        return [_sound(word) for word in value]
    return _sound(value) if isinstance(value, str) else value


def _sound(text: str) -> str:
    """Lone surrogates, which JSON can carry and the runtime cannot, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _shown(value: Common) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(word) for word in value) + "]"
    return f'"{value[:60]}{"…" if len(value) > 60 else ""}"' if isinstance(value, str) else str(value)


def _runaway(failure: str) -> str:
    return "it takes too many steps" if "budget" in failure else failure.split(" [", 1)[0]


def _explained(text: str, failure: str, declared: Mapping[str, str]) -> ConditionError:
    """The runtime's first complaint in words an admin understands."""
    found = _CEL_PROBLEM.search(failure)
    if not found:
        deep = "recursion" in failure
        return ConditionError("this is nested too deeply" if deep else "this cannot be read", hint="write it simpler")
    line, column, message = int(found[1]), int(found[2]), found[3]
    if undeclared := _UNDECLARED.search(message):
        return _undeclared(undeclared[1], line, column, declared, text)
    if overload := _OVERLOAD.search(message):
        said, hint = _mismatch(overload[1], overload[2].split(", "))
        return ConditionError(said, line, column, hint)
    if "Syntax error" in message:
        said, hint = _slip(text, message)
        return ConditionError(said, line, column, hint)
    return ConditionError(_plainly(message), line, column, "compare a field with a value")


def _plainly(message: str) -> str:
    if "select operation" in message:
        return "a field has no parts: leave out the point"
    if "has()" in message:
        return "has() is needless: a missing value never makes a condition hold"
    return "the number is too large" if "int literal" in message else message.strip()


def _undeclared(name: str, line: int, column: int, declared: Mapping[str, str], text: str) -> ConditionError:
    called = re.search(rf"\b{re.escape(name)}\s*\(", text)
    if called and name not in declared:
        start = called.start() - len(text[: called.start()].rsplit("\n", 1)[0]) if line > 1 else called.start()
        return ConditionError(f"there is no function {name}", line, start + 1, _nearest(name, _FUNCTIONS))
    hint = _nearest(name, declared) or f"declare it: [fields.{name}]"
    return ConditionError(f"{name} is not declared under [fields]", line, column, hint)


def _nearest(name: str, known: Mapping[str, str] | Sequence[str]) -> str:
    lowered = {word.lower(): word for word in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean {lowered[close[0]]}?" if close else ""


def _mismatch(operator: str, types: Sequence[str]) -> tuple[str, str]:
    sign = operator.replace("_", "").lstrip("@")
    words = [_WORDS.get(kind, kind) for kind in types]
    said = f"{sign} cannot join {' and '.join(words)}"
    if "null_type" in types:
        return said, "leave the test for null out: a missing value never makes a condition hold"
    if sign == "!":
        return said, "! turns round what holds or does not: write !(a comparison), or !="
    if sign in ("&&", "||", "?:"):
        return said, f"{sign} wants a comparison on each side"
    hints = {
        ("string", "int"): "put the value in quotes",
        ("int", "string"): "write the number without quotes",
        ("double", "int"): "write the number with a point: 3.0 for 3",
        ("int", "double"): "write a whole number, without a point",
        ("list(string)", "string"): 'write "word" in the_list',
        ("string", "list(string)"): 'write "word" in the_list',
        ("bool", "string"): "write true or false without quotes",
        ("bool", "int"): "write true or false",
    }
    return said, hints.get((types[0], types[-1]), "compare values of one kind")


def _slip(text: str, message: str) -> tuple[str, str]:
    """The usual slips, told from the text where the grammar's own complaint would say nothing."""
    bare = " ".join(["", *("text" if token.kind == "string" else token.text for token in _tokens(text)), ""])
    if re.search("[“”„‘’«»]", bare):
        return "these are typographic quotes", 'write straight quotes: "'
    if re.search(r"(?<![<>=!])\s=\s(?!=)", bare):
        return "one = does not compare", "write =="
    for word, sign in (("and", "&&"), ("or", "||"), ("not", "!")):
        if found := re.search(rf"\b{word}\b", bare, re.IGNORECASE):
            return f"{found[0]} is written {sign}", f"write {sign}"
    for wrong, right in (("<>", "!="), ("&", "&&"), ("|", "||")):
        if f" {' '.join(wrong)} " in bare:
            return f"{wrong} is written {right}", f"write {right}"
    if re.search(r"[\"']", bare):
        return "a text has no closing quote", 'close it: "New"'
    return ("it ends too early", "finish the comparison") if "<EOF>'" in message else ("this cannot be read", "")
