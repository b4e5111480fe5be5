"""What a person types to find a piece of work, as the words to look for. Pure."""

from __future__ import annotations

import re

#: words that say too much to be looked for; a tracker's index does not even keep them (Lucene's English stop words)
COMMON = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with".split()
)
#: most words looked for, and most characters of all of them: a query has to fit in an address
MOST, LONGEST = 6, 200


def search_words(text: str) -> tuple[str, ...]:
    """The words of ``text`` as typed, each once whatever its case, without common ones unless there are no others.
    They hold letters, digits and ``_`` only, so that none can mean anything to a tracker's query language."""
    found = {word.casefold(): word for word in reversed(re.findall(r"\w+", text[:LONGEST]))}
    words = list(dict.fromkeys(word.casefold() for word in re.findall(r"\w+", text[:LONGEST])))
    telling = [word for word in words if word not in COMMON] or words
    return tuple(found[word] for word in telling[:MOST])


def speaks_of(words: tuple[str, ...], *texts: str) -> bool:
    """Whether every word stands in one of the texts, whatever its case."""
    whole = "\n".join(texts).casefold()
    return all(word.casefold() in whole for word in words)
