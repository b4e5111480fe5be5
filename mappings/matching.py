"""Which words of a value may name an item: its key, its id, or any spelling of its web address. Pure.

Two people link items by hand in five ways: the same number in a field of each, a number or an address of the one in a
field or a text of the other, from either side. All of them come down to *names*, which an index can hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from mappings.fields import Field
from mappings.model import Native

#: how a value names an item: it is equal, it holds the item's number, it holds the item's address
EQUAL, NUMBER, ADDRESS = "equal value", "number named", "address named"
#: names kept of one item and field, and the length of one
MOST, LONGEST = 50, 190

_URL = re.compile(r"https?://[^\s<>\"'|\\^`{}\[\]]+", re.IGNORECASE)
_DECODINGS = 3


@dataclass(frozen=True, slots=True)
class Called:
    """How a kind of tracker names its items, as patterns whose first group is a key or an id, whatever its case.
    ``key``: in running text; ``addresses``: in what follows the tracker's own address, decoded; ``whole``: only where
    it is all there is."""

    key: str = ""
    addresses: tuple[str, ...] = ()
    whole: str = r"(\S+)"


@dataclass(frozen=True, slots=True)
class Naming:
    """How the items of one tracker are named; ``homes`` are the beginnings of its addresses."""

    tracker: str
    homes: tuple[str, ...]
    called: Called


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """Something that a value says: ``way`` it says it, and the ``value``, comparable across items. That of a number
    or an address begins with the tracker it is one of."""

    way: str
    value: str


def named(said: Native, naming: Naming) -> tuple[Name, ...]:
    """The items of the tracker that a value names, addresses first. An address of another tracker names nothing, nor
    does the number in it."""
    found: dict[Name, None] = {}
    for text in texts(said):
        addresses = [in_address(url, naming) for url in _URL.findall(text)]
        found |= dict.fromkeys(Name(ADDRESS, name_of(naming.tracker, one)) for one in addresses if one)
        rest = _URL.sub(" ", text)
        whole = re.fullmatch(naming.called.whole, rest.strip(), re.IGNORECASE) if naming.called.whole else None
        keys = pattern(naming.called.key).findall(rest) if naming.called.key else []
        ones = [*([whole[1]] if whole else []), *keys]
        found |= dict.fromkeys(Name(NUMBER, name_of(naming.tracker, one)) for one in ones)
    return tuple(name for name in found if len(name.value) <= LONGEST)[:MOST]


def equals(field: Field, side: str, natives: Mapping[str, Native]) -> tuple[Name, ...]:
    """What the field says on this side, so that the other side's same word is equal: case and blanks do not count.
    Each entry of a list counts alone."""
    meant = field.meanings(side, field.spelled(side, natives))
    values = [one for value in meant for one in (value if isinstance(value, tuple) else (value,))]
    said = dict.fromkeys(" ".join(str(one).casefold().split()) for one in values if one is not None)
    return tuple(Name(EQUAL, shortened(one)) for one in said if one)[:MOST]


def name_of(tracker: str, word: str) -> str:
    """A key or an id of that tracker's, comparable."""
    return f"{tracker}/{word.casefold()}"


def texts(said: Native) -> Iterable[str]:
    return said if isinstance(said, tuple) else (said,) if said else ()


def shortened(text: str) -> str:
    """The text, or a digest of one that is too long for the index."""
    if len(text) <= LONGEST:
        return text
    return f"sha256 {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def in_address(url: str, naming: Naming) -> str:
    """The key or id that an address of the tracker names; empty where it is not its own, or names none."""
    address = decoded(url.rstrip(".,;:!?)*_~")).partition("://")[2]
    for home in naming.homes:
        begin = home.partition("://")[2].rstrip("/")
        rest = address[len(begin) :]
        if address[: len(begin)].casefold() != begin.casefold() or rest[:1] not in ("/", "?", ""):
            continue
        hits = (pattern(one).search(rest) for one in naming.called.addresses)
        return next((hit[1] for hit in hits if hit), "")
    return ""


def decoded(url: str) -> str:
    """An address inside an address is encoded again each time it is handed on."""
    for _ in range(_DECODINGS):
        plain = unquote(url)
        if plain == url:
            break
        url = plain
    return url


@lru_cache(maxsize=200)
def pattern(text: str) -> re.Pattern[str]:
    """Compiled; case does not matter."""
    return re.compile(text, re.IGNORECASE)
