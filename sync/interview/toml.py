"""TOML as people would write it: keys in a column, a remark beside each, quotes that need no escapes. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from mappings.fields import Spelling

WIDTH = 119
#: where remarks begin, unless what stands before them is longer
REMARKS = 46
#: longest list that is written on one line
LIST = 90

Row = tuple[str, str, str]


def text(value: str) -> str:
    """A text in quotes: backslashes and double quotes stand in single ones."""
    if ("\\" in value or '"' in value) and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def texts(values: Sequence[str]) -> str:
    """One value alone, several as a list, on several lines where one would be too long."""
    if len(values) == 1:
        return text(values[0])
    flat = listed(values)
    return flat if len(flat) <= LIST else "\n".join(["[", *(f"  {text(value)}," for value in values), "]"])


def listed(values: Iterable[str]) -> str:
    return f"[{', '.join(text(value) for value in values)}]"


def key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else text(name)


def inline(pairs: Mapping[str, str]) -> str:
    """A table on one line; the values are TOML already."""
    return f"{{ {', '.join(f'{key(name)} = {value}' for name, value in pairs.items())} }}"


def spelled(ways: Sequence[Spelling]) -> str:
    """The ways in which a side spells a value: one alone, several as a list, the first of them written."""
    told = [way(one) for one in ways]
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]"


def way(spelling: Spelling) -> str:
    values = {name: number(str(value)) for name, value in spelling}
    return next(iter(values.values())) if len(values) == 1 else inline(values)


def number(value: str) -> str:
    """Whole numbers need no quotes."""
    return value if value.isdecimal() and str(int(value)) == value else text(value)


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of key, value and remark, in columns."""
    width = max((len(name) for name, _, _ in rows), default=0)
    said = [(f"{name:<{width}} = {value}", remark) for name, value, remark in rows]
    at = max([REMARKS, *(len(line) + 2 for line, remark in said if remark and len(line) < 70)])
    lines: list[str] = []
    for line, remark in said:
        beside = f"{line:<{at}}# {remark}" if remark else line
        fits = not remark or len(beside) <= WIDTH
        lines += [beside] if fits else [*remarks(remark), line]
    return lines


def remarks(said: str, indent: str = "") -> list[str]:
    """Words as remark lines, none too long."""
    lines, line = [], f"{indent}#"
    for word in said.split():
        if len(line) + len(word) + 1 > WIDTH:
            lines.append(line)
            line = f"{indent}#   "
        line += f" {word}"
    return [*lines, line]


def off(lines: Iterable[str]) -> list[str]:
    """The same lines as an example: a # and no blank, to be taken away."""
    return [f"#{line}" if line else line for line in lines]


def title(words: str, *more: str) -> list[str]:
    """A heading across the page, and what it is about."""
    rule = "─" * max(3, WIDTH - len(words) - 6)
    return ["", "", f"# ── {words} {rule}", *(line for one in more for line in remarks(one)), ""]
