"""The source line of a description: where the keys of an item stand when no field was given to them.

``Lockstep: INC0010003 https://source.example/INC0010003 link:K made:K at:T`` — final from the first landing. Jira may
turn the address into a link of its own, so that only the first word and the keys are relied on.
"""

from __future__ import annotations

import re

from connectors.jira.fields import TEXT_LIMIT, cut, units
from mappings.model import Mark
from mappings.text import to_wiki

_KEY = r"(?:link|made|at):[^\s:]+"
_LINE = re.compile(rf"^Lockstep: (?P<source>(?:\S.*? )?)(?P<keys>{_KEY}(?: {_KEY})*)[ \t]*$", re.MULTILINE)
_KEYS = re.compile(rf"{_KEY}(?: {_KEY})*")


def line(mark: Mark, key: str = "", url: str = "") -> str:
    """The source line; ``key`` and ``url`` name the source item."""
    safe = re.sub(r"[\s{}\[\]|]", lambda found: f"%{ord(found[0]):02X}", url)
    return " ".join(word for word in ("Lockstep:", key, safe, mark.keys()) if word)


def split(description: str) -> tuple[str, str]:
    """A description as Jira gives it, as people's text and source line (empty where there is none). The last line
    of that form is ours: people's text stands before it."""
    text = description.replace("\r\n", "\n")
    found = list(_LINE.finditer(text))
    if not found:
        return description, ""
    last = found[-1]
    rest = text[last.end() :].strip("\n")
    before = text[: last.start()].rstrip("\n")
    return before + ("\n" + rest if rest else ""), last[0].strip()


def joined(text: str, source_line: str) -> str:
    """Plain text and source line as a description. A line of the text that looks like ours is shifted by a blank, so
    that nobody marks an item by writing; what is too long is cut, the line never."""
    markup = _LINE.sub(r" \g<0>", to_wiki(text))
    if not source_line:
        return cut(markup, TEXT_LIMIT)
    room = TEXT_LIMIT - units(source_line) - 2
    return f"{cut(markup, room)}\n\n{source_line}" if markup else source_line


def added(description: str, mark: Mark) -> str:
    """A description as Jira keeps it with the source line of an issue that people made, in place of an older one."""
    text = split(description)[0].rstrip("\n")
    return f"{text}\n\n{line(mark)}" if text else line(mark)


def only_keys(text: str) -> bool:
    """Whether a text is nothing but keys, as a field for them holds it."""
    return bool(_KEYS.fullmatch(text.strip()))
