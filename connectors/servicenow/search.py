"""Looking for words in titles and descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.servicenow.encoded_query import both, either, value
from connectors.servicenow.table import Row, plain
from mappings.words import speaks_of

SEARCHED = ("short_description", "description")


def question(groups: Sequence[str], words: Sequence[str], text: str) -> str:
    """One of the groups holds, and every word stands in a title or description or ``text`` is the number; the last
    updated first. Operators are case sensitive (ServiceNow docs, Encoded query strings), so a word is looked for in
    the ways in which people write one."""
    number = text.strip().upper()
    named = [f"number={value(number)}"] if number.isalnum() else []
    spoken = both(*(either([*conditions(word), *named]) for word in words))
    return both("^NQ".join(both(group, spoken) for group in groups), "ORDERBYDESCsys_updated_on")


def conditions(word: str) -> Iterator[str]:
    """A word in each of its usual spellings, for LIKE may mind the case."""
    for way in dict.fromkeys((word, word.lower(), word.capitalize(), word.upper())):
        yield from (f"{field}LIKE{value(way)}" for field in SEARCHED)


def answers(row: Row, words: tuple[str, ...], text: str) -> bool:
    """Whether a row is what was asked for: the instance passes over a condition that it cannot read, and then answers
    with everything."""
    named = plain(row.get("number")).casefold() == text.strip().casefold()
    return named or speaks_of(words, *(plain(row.get(field)) for field in SEARCHED))
