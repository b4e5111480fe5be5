"""From the file to TOML values. What breaks TOML is told in words for people who do not know TOML."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from sync.config.positions import positions
from sync.config.problems import ConfigProblems, KeyPath, Problem

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_ASSIGN = re.compile(r"\s*([\w.\"'-]+)\s*=\s*(.*)")


def read(path: Path) -> bytes:
    """The file's bytes. Raises ``ConfigProblems``."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        what, instead = "there is no such file", "copy config.example.toml to it, or name another with --config"
    except IsADirectoryError:
        what, instead = "this is a folder", "name the file inside it"
    except (OSError, ValueError) as failure:
        what, instead = f"cannot be read: {getattr(failure, 'strerror', None) or failure}", "allow our user to read it"
    raise ConfigProblems([Problem(0, 0, "", what, instead, path.name)])


def parse(content: bytes, file: str) -> tuple[dict[str, Any], dict[KeyPath, tuple[int, int]]]:
    """The values and where each key stands. Raises ``ConfigProblems`` with one problem where this is not TOML."""
    text = _decoded(content, file)
    try:
        return tomllib.loads(text), positions(text)
    except RecursionError:
        raise ConfigProblems([Problem(1, 1, "", "lists or tables are nested too deeply", "", file)]) from None
    except ValueError as failure:  # TOMLDecodeError is one; a number of thousands of digits raises a plain one
        raise ConfigProblems([_broken(text, str(failure), file)]) from None


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as failure:
        line = content.count(b"\n", 0, failure.start) + 1
        what, instead = "this line is not UTF-8 text", "save the file as UTF-8 in your editor"
        raise ConfigProblems([Problem(line, 1, "", what, instead, file)]) from None


def _broken(text: str, message: str, file: str) -> Problem:
    """The parser's complaint with its place, and the likely slip."""
    place = _PLACE.search(message)
    lines = text.split("\n")
    line, column = _at_end(lines) if not place or not place[1] else (int(place[1]), int(place[2]))
    what, instead = _slip(lines, line, column, _PLACE.sub("", message))
    if what.startswith("this key stands twice"):
        line -= not lines[line - 1].strip() or column <= 1
    return Problem(max(line, 1), column, "", what, instead, file)


def _at_end(lines: list[str]) -> tuple[int, int]:
    written = [number for number, line in enumerate(lines, 1) if line.strip()]
    last = written[-1] if written else 1
    return last, len(lines[last - 1]) + 1


def _slip(lines: list[str], line: int, column: int, message: str) -> tuple[str, str]:
    here = lines[line - 1] if line <= len(lines) else ""
    for recognise in (_typography, _twice, _unclosed, _backslash, _no_equals, _unquoted_text, _brackets):
        if found := recognise(here, column, message):
            return found
    return f"this is not TOML: {message[:80]}", "compare the line with config.example.toml"


def _typography(here: str, column: int, message: str) -> tuple[str, str] | None:
    if message.startswith(("Invalid value", "Expected '='")) and re.search("[“”„‘’«»]", here):
        return "these are typographic quotes", 'write straight quotes: "'
    return None


def _twice(here: str, column: int, message: str) -> tuple[str, str] | None:
    if declared := re.match(r"Cannot declare \((.*)\) twice", message):
        name = ".".join(re.findall(r"'([^']*)'", declared[1]))
        return f"the table [{name}] stands twice", "put its keys together under one heading"
    if message.startswith(("Cannot overwrite", "Cannot mutate", "Duplicate inline table key")):
        return "this key stands twice, or is both a value and a table", "keep one of them"
    return None


def _unclosed(here: str, column: int, message: str) -> tuple[str, str] | None:
    if message.startswith(("Unterminated string", "Illegal character '\\n'", "Expected \"'")):
        return "a text has no closing quote", 'end it with the quote it begins with: "..."'
    if message.startswith("Unclosed array"):
        return "the list is not closed before here, or a comma is missing", 'write ["one", "two"]'
    if message.startswith("Unclosed inline table"):
        return "the { } is not closed on its line, or a comma is missing", "write { key = value, other = value }"
    return None


def _backslash(here: str, column: int, message: str) -> tuple[str, str] | None:
    if message.startswith("Unescaped '\\'") or "\\" in message:
        return "a backslash inside double quotes begins a special character", r"use single quotes: 'Portal\Defects'"
    return None


def _no_equals(here: str, column: int, message: str) -> tuple[str, str] | None:
    if not message.startswith("Expected '=' after a key"):
        return None
    key = re.match(r"\s*([\w.-]+)\s*(:?)", here)
    if key and key[2]:
        return "a key and its value are joined by =, not by :", f"write {key[1]} = ..."
    if re.match(r"\s*[\w-]+(\s+[\w-]+)+\s*=", here):
        name = here.split("=")[0].strip()
        return "a name with blanks must stand in quotes", f'write "{name}" = ...'
    return "there is no = between a key and its value", f"write {key[1] if key else 'key'} = ..."


def _unquoted_text(here: str, column: int, message: str) -> tuple[str, str] | None:
    if not message.startswith(("Invalid value", "Expected newline or end")):
        return None
    assigned = _ASSIGN.match(here)
    value = here[column - 1 :].split("#")[0].strip(" ,]}") if message.startswith("Invalid value") else ""
    if assigned and not assigned[2].split("#")[0].strip():
        return f"{assigned[1]} has no value", f'write {assigned[1]} = "..."'
    if value.lower() in ("true", "false"):
        return f"{value} is written in small letters", f"write {value.lower()}"
    if value.lower() in ("yes", "no", "on", "off"):
        return f"{value} is not a word TOML knows", f"write {'true' if value.lower() in ('yes', 'on') else 'false'}"
    if assigned and re.match(r"\d{4}-\d\d?-\d\d?", assigned[2]):
        return "there is no such date", f'write {assigned[1]} = "2026-11-01"'
    if assigned and re.match(r"[\w./@+-]", assigned[2]):
        return "a text must stand in quotes", f'write {assigned[1]} = "..."'
    if assigned and assigned[2][:1] in "\"'":
        return "something stands after the closing quote", "quotes inside a text: begin and end it with '...' instead"
    return ("a text must stand in quotes", 'write "..."') if value else ("this line says more than one thing", "")


def _brackets(here: str, column: int, message: str) -> tuple[str, str] | None:
    if message.startswith("Expected ']"):
        return "the heading is not closed", "write [name], or [[name]] where there may be several"
    if message.startswith("Invalid initial character for a key"):
        return "a name is missing, or a comma stands before a closing brace", "write { key = value }"
    if message.startswith("Invalid statement"):
        return "this line is neither key = value nor a [heading]", "begin it with # if it is a remark"
    if "digits" in message:
        return "a number is too long", "write a shorter one"
    return None
