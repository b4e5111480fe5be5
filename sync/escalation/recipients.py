"""Who is meant by the recipients of a rule, when one of its steps fires. Pure: roster, parties and the link's values go
in, addresses and people come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mappings.addresses import is_mail_address
from mappings.disclosure import masked
from mappings.fields import Common
from mappings.mentions import Mention
from mappings.roster import OVERSIGHT, Person, Word, word_of
from mappings.templates import in_words
from mappings.text import clean
from sync.setup import Setup

#: as many people whom the roster does not know may stand in a field; where there are more, none is believed
STRANGERS = 10
#: the longest name that a field gives somebody who is called upon
NAME = 80

Values = Mapping[str, Common]


@dataclass(frozen=True, slots=True)
class Found:
    """Whom one word means: a party (by name, with its addresses), people, addresses that stand for themselves, and
    the values of a field that name nobody whom the roster knows. ``strange``: only a field says the addresses."""

    party: str = ""
    people: tuple[Person, ...] = ()
    addresses: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message's recipients: addresses, each once, nobody in both. ``told`` are those in ``to`` by party where one was
    named, else by address; ``astray`` says in a sentence each which words meant nobody, so that the fallback was
    taken. ``outside`` are those addresses whose people ask for the work, or that nothing but a field tells which people
    fill in: they may read what the admin wrote, and no more."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    astray: tuple[str, ...] = ()
    outside: frozenset[str] = frozenset()


@dataclass
class Envelope:
    """Recipients as they are gathered. Those of ``to`` who are oversight go to ``cc``."""

    to: list[str] = field(default_factory=list)
    cc: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)
    outside: set[str] = field(default_factory=set)


def addressed(setup: Setup, values: Values, to: Sequence[str], cc: Sequence[str] = ()) -> Addressed:
    """The recipients of a mail. A word that means nobody who can be written to brings in the fallback; so does a ``to``
    that names oversight alone."""
    envelope = Envelope()
    for text in to:
        write_to(setup, values, text, envelope)
    for text in cc:
        copy_to(setup, values, text, envelope)
    if not envelope.to:
        envelope.to += setup.fallback
        envelope.told += setup.fallback
        if to and not envelope.astray:
            envelope.astray.append(f"{quoted(to)} is only ever written to in copy")
    first = dict.fromkeys(envelope.to)
    copied = tuple(one for one in dict.fromkeys(envelope.cc) if one not in first)
    told = tuple(dict.fromkeys(envelope.told))
    return Addressed(tuple(first), copied, told, tuple(envelope.astray), frozenset(envelope.outside))


def write_to(setup: Setup, values: Values, text: str, envelope: Envelope) -> None:
    found = meant(setup, values, text)
    envelope.outside |= outsiders(setup, found)
    acting = [one for one in found.people if one.email and not one.oversight]
    addresses = (*found.addresses, *(one.email for one in acting))
    watching = [one.email for one in found.people if one.email and one.oversight]
    envelope.to += addresses
    envelope.cc += watching
    envelope.told += (found.party,) if found.party and addresses else addresses
    if not addresses and not watching:
        astray(setup, values, text, found, envelope)
        envelope.to += setup.fallback
        envelope.told += setup.fallback


def copy_to(setup: Setup, values: Values, text: str, envelope: Envelope) -> None:
    found = meant(setup, values, text)
    envelope.outside |= outsiders(setup, found)
    addresses = (*found.addresses, *(one.email for one in found.people if one.email))
    envelope.cc += addresses
    if not addresses:
        astray(setup, values, text, found, envelope)
        envelope.cc += setup.fallback


def outsiders(setup: Setup, found: Found) -> set[str]:
    """The addresses of people of a requester party, and those that only a field knows."""
    asking = {party.name for party in setup.parties if party.requester}
    people = {one.email for one in found.people if one.party in asking or found.party in asking}
    return people | set(found.addresses if found.strange or found.party in asking else ())


def astray(setup: Setup, values: Values, text: str, found: Found, envelope: Envelope) -> None:
    """Why the fallback was taken."""
    word = word_of(text, party_names(setup), setup.roster)
    told = f" ({word.field}: {in_words(values.get(word.field)) or 'empty'})" if word and word.field else ""
    people = ", ".join(dict.fromkeys(one.name for one in found.people))
    why = f"the roster has no e-mail address of {people}" if people else "the roster knows nobody for it"
    envelope.astray.append(f"{quoted([text])}{told}: {why}")


def quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def meant(setup: Setup, values: Values, text: str) -> Found:
    """Whom a recipient's words mean now."""
    word = word_of(text, party_names(setup), setup.roster)
    return of_word(setup, values, word) if word else Found()


def of_word(setup: Setup, values: Values, word: Word) -> Found:
    roster = setup.roster
    match word.kind:
        case "address":
            known = roster.at(word.name)
            return Found(people=known) if known else Found(addresses=(word.name,))
        case "oversight":
            return Found(people=roster.oversight)
        case "party":
            party = next(one for one in setup.parties if one.name == word.name)
            people = () if party.email else roster.of_party(party.name)
            return Found(party.name, people, party.email)
        case "person":
            return Found(people=roster.named(word.name))
        case "field":
            return of_field(setup, texts_of(values.get(word.field)))
    if not word.field:
        return Found(people=roster.in_role(word.name))
    texts = texts_of(values.get(word.field))
    return Found(people=tuple(one for text in texts for one in roster.responsible(word.name, text)))


def of_field(setup: Setup, texts: Sequence[str]) -> Found:
    """Values that are an address, a person's name or an account. A person known by the address is that person. What
    people type into a field reaches nobody where it is no address that mail takes, or names a crowd."""
    people: list[Person] = []
    addresses: list[str] = []
    unknown: list[str] = []
    for text in texts:
        known = setup.roster.at(text) or setup.roster.named(text) or setup.roster.with_account(text)
        people += known
        if not known and is_mail_address(text):
            addresses.append(text)
        unknown += [] if known else [text]
    few = tuple(addresses) if len(addresses) <= STRANGERS else ()
    return Found("", tuple(people), few, tuple(unknown), bool(few))


def texts_of(value: Common) -> tuple[str, ...]:
    """The texts of a field's value, one or a list."""
    texts = value if isinstance(value, tuple) else (in_words(value),)
    return tuple(text.strip() for text in texts if text.strip())


def party_names(setup: Setup) -> tuple[str, ...]:
    return tuple(party.name for party in setup.parties)


# ── in a tracker ─────────────────────────────────────────────────────────────────────────────────────────────────────


def mentions(setup: Setup, values: Values, texts: Sequence[str], side: str) -> tuple[Mention, ...]:
    """Who is called by name in a remark on an item of ``side``, each once. ``account`` is empty for somebody who has
    none in its tracker: such a one is named in plain words. What a field of that very side says is an account there."""
    tracker = setup.sides[side].tracker
    found: list[Mention] = []
    for text in texts:
        word = word_of(text, party_names(setup), setup.roster)
        whom = of_word(setup, values, word) if word else Found()
        people = setup.roster.of_party(whom.party) if whom.party else whom.people
        people = people if word and word.kind == OVERSIGHT else tuple(one for one in people if not one.oversight)
        found += [Mention(one.accounts.get(tracker, ""), one.name) for one in people]
        own = bool(word and word.kind == "field" and side in setup.fields[word.field].natives)
        unknown = whom.unknown if len(whom.unknown) <= STRANGERS else ()
        found += [Mention(one if own else "", shown_name(setup, one)) for one in unknown]
        if word and not (people or unknown):
            found += [Mention("", name_of(word, whom))]
    return tuple(dict.fromkeys(one for one in found if one.name))


def shown_name(setup: Setup, text: str) -> str:
    """What a field says of who somebody is, as a name that stands in a remark: on one line, and without what never
    crosses."""
    return masked(" ".join(clean(text)[0].split()), setup.masks)[:NAME]


def name_of(word: Word, whom: Found) -> str:
    """What to call those of whom no person is known: a party or a role by its name, a field by nothing."""
    return whom.party or (word.name if word.kind in ("role", "address") else "")


def assignee(setup: Setup, values: Values, text: str, tracker: str) -> Person | None:
    """The first person that a recipient means who has an account in the tracker; ``None`` where there is none."""
    people = (one for one in meant(setup, values, text).people if not one.oversight)
    return next((one for one in people if one.accounts.get(tracker)), None)


# ── who was told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def called_upon(setup: Setup, values: Values, texts: Sequence[str]) -> tuple[str, ...]:
    """Whom a mention addresses, as ``Firing.told`` keeps it."""
    found: list[str] = []
    for text in texts:
        whom = meant(setup, values, text)
        acting = (one for one in whom.people if not one.oversight)
        found += [whom.party] if whom.party else [one.email or one.name for one in acting]
        found += () if whom.party else (shown_name(setup, one) for one in whom.unknown[:STRANGERS])
    return tuple(dict.fromkeys(found))
