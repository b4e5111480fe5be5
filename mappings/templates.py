"""Texts with ``{name}`` in them. A name is replaced by its value; nothing is ever evaluated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from mappings.fields import Common

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\{|\}")
_NAME = re.compile(r"[A-Za-z_][\w-]*")


class TemplateError(ValueError):
    """A text that cannot be filled in. ``column`` counts from 1 inside it; ``hint`` says what to write instead."""

    def __init__(self, message: str, column: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.column, self.hint = message, column, hint


class Template:
    """A parsed text: literal pieces and names in turn, a literal first and last. ``{{`` and ``}}`` stand for single
    braces. Raises ``TemplateError`` where a brace stands alone or, if ``declared`` is given, where a name is not
    among it."""

    __slots__ = ("literals", "names", "text")

    def __init__(self, text: str, declared: Collection[str] | None = None) -> None:
        literals, names, literal, last = [], [], "", 0
        for piece in _PIECE.finditer(text):
            literal += text[last : piece.start()]
            last = piece.end()
            if piece.group() in ("{{", "}}"):
                literal += piece.group()[0]
                continue
            names.append(_checked(piece, declared))
            literals.append(literal)
            literal = ""
        self.text, self.names = text, tuple(names)
        self.literals = (*literals, literal + text[last:])

    def render(self, values: Mapping[str, Common]) -> str:
        """The text with its names filled in; a missing value leaves nothing behind."""
        pieces = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            pieces += (in_words(values.get(name)), literal)
        return "".join(pieces)


def in_words(value: Common) -> str:
    """A common value as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _checked(piece: re.Match[str], declared: Collection[str] | None) -> str:
    name, column = (piece[1] or "").strip(), piece.start() + 1
    if piece[1] is None:
        brace = piece.group()
        raise TemplateError(f"a {brace} stands alone", column, f"write {brace * 2} for the brace itself")
    if not _NAME.fullmatch(name):
        raise TemplateError(f"{{{name}}} is not a name", column, "write {name}, or {{ and }} for braces")
    if declared is not None and name not in declared:
        raise TemplateError(f"{{{name}}} is not declared", column, _near(name, declared))
    return name


def _near(name: str, declared: Collection[str]) -> str:
    close = difflib.get_close_matches(name, declared, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"{{{word}}}" for word in close) + "?"
    return f"declare it: [fields.{name}]"
