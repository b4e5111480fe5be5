"""People called by name in a remark of our own. In the core's text a call stands between two control characters, which
nothing that people write can hold once it is cleaned: so no copied comment, title or field calls anybody. A connector
writes each call in its tracker's own form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mappings.text import clean

#: around a call, and between its account and its name; ``clean`` takes them out of any other text
BEGIN, BETWEEN, END = "\x0e", "\x1f", "\x0f"
_CALL = re.compile(f"{BEGIN}([^{BEGIN}{BETWEEN}{END}]*){BETWEEN}([^{BEGIN}{BETWEEN}{END}]*){END}")


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody to be called by name. ``account`` is the tracker's own name of the person's account there, empty for
    one who has none: then the ``name`` stands in plain words."""

    account: str
    name: str


def called(mentions: Iterable[Mention]) -> str:
    """The calls as the core's text has them, to stand before a remark; empty where nobody is called."""
    return ", ".join(call(one) for one in mentions)


def call(mention: Mention) -> str:
    account, name = clean(mention.account)[0], clean(mention.name)[0]
    return f"{BEGIN}{account}{BETWEEN}{name}{END}" if account else name


def rendered(text: str, plain: Callable[[str], str], form: Callable[[Mention], str]) -> str:
    """A text for a tracker: ``form`` writes its calls, ``plain`` everything between them, cleaned."""
    pieces: list[str] = []
    at = 0
    for found in _CALL.finditer(text):
        pieces += (between(text[at : found.start()], plain), form(Mention(found[1], found[2])))
        at = found.end()
    return "".join((*pieces, between(text[at:], plain)))


def between(text: str, plain: Callable[[str], str]) -> str:
    """A piece cleaned but for the blanks at its ends, which part it from a call."""
    cleaned = clean(f"|{text}|")[0]
    return plain(cleaned[1:-1])


def in_words(text: str) -> str:
    """A text, cleaned, in which those who are called stand by their names: for a tracker that knows no mentions."""
    return rendered(text, str, lambda mention: mention.name)
