"""The three-way merge of one field or of the status, pure.

Each item keeps its own *echo* (how it spelled the field when the sides last settled, and of which agreement that
was); a side *changed* when it differs from its own echo, never from another side's value. Two of these rules fail
within seconds of random testing when left out: one base shared by all sides, and not restoring overridden sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mappings.fields import Common, Spelling
from mappings.model import Ref

#: the serial of an item of several on its side that goes by its own word: it is given no value until it means the
#: agreed one again
OWN = -1


@dataclass(frozen=True, slots=True)
class Echo:
    """How an item spelled a field when agreement ``serial`` was settled with it. ``sent``: what we wrote to it since
    and had no answer for."""

    spelling: Spelling
    serial: int
    sent: Spelling | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """The common value the sides last settled on, its serial, and the side whose word it was (``""``: a rule's).
    ``map`` identifies the value map or stages it was settled under (empty: those in force)."""

    value: Common
    serial: int
    by: str = ""
    map: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one item says of a field now. ``echo`` is ``None`` where none is kept (a new item, a rebuilt state).
    ``follows``: the item hears the link but does not speak for its side; ``among``: its side has several;
    ``own``: it goes by its own word."""

    ref: Ref
    side: str
    spelling: Spelling
    echo: Echo | None = None
    follows: bool = False
    among: bool = False
    own: bool = False


class Meaning(Protocol):
    """What a field or the status map knows: meanings of a spelling, spelling of a value."""

    def meanings(self, side: str, spelling: Spelling) -> tuple[Common, ...]: ...

    def spelling(self, side: str, common: Common) -> Spelling | None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A side that changed the value, and to what."""

    side: str
    value: Common
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which value stands; ``restored`` claims were not theirs to make, ``overridden`` ones lost to another's,
    ``waiting`` ones stay as they are until they can be granted."""

    value: Common
    by: str
    restored: tuple[Claim, ...] = ()
    overridden: tuple[Claim, ...] = ()
    waiting: tuple[Claim, ...] = ()


#: ``choose(agreed, claims) -> Choice``; claims are never empty
Choose = Callable[[Agreed, Sequence[Claim]], Choice]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the merge decided. ``echoes`` are settled without a write, ``writes`` are to be sent (item and spelling),
    ``unmapped`` and ``wordless`` are the spellings without a meaning and the items whose side cannot spell it."""

    agreed: Agreed
    choice: Choice | None = None
    echoes: tuple[tuple[Ref, Echo], ...] = ()
    writes: tuple[tuple[Ref, Spelling], ...] = ()
    unmapped: tuple[Spoken, ...] = ()
    wordless: tuple[Spoken, ...] = ()


def merge(meaning: Meaning, agreed: Agreed | None, spoken: Sequence[Spoken], choose: Choose) -> Verdict:
    """Settles one field. ``spoken`` is in order of precedence for a first agreement (owner, then opener)."""
    spoken = [by_its_own(s, agreed) for s in spoken]
    meant = {s.ref: meaning.meanings(s.side, s.spelling) for s in spoken}
    heard = [s for s in spoken if meant[s.ref] or left_behind(meaning, agreed, s)]
    unmapped = tuple(s for s in spoken if s not in heard)
    if agreed is None:
        return first_agreement(meaning, heard, meant, unmapped)
    claimants = [s for s in heard if claimed(s, meaning, meant[s.ref], agreed)]
    claims = [Claim(s.side, said(meant[s.ref], [meant[c.ref] for c in claimants]), s.ref) for s in claimants]
    choice = contest(meaning, agreed, heard, claims, choose) if claims else None
    value = choice.value if choice else agreed.value
    moved = value != agreed.value
    standing = Agreed(value, agreed.serial + moved, choice.by if choice and moved else agreed.by)
    return settle(meaning, agreed, standing, heard, meant, unmapped, choice)


def by_its_own(spoken: Spoken, agreed: Agreed | None) -> Spoken:
    """An item that goes by its own word has heard all that was agreed on. Alone on its side it stands for it again,
    and takes the next value."""
    if spoken.echo is None or spoken.echo.serial != OWN:
        return spoken
    return replace(spoken, own=spoken.among, echo=replace(spoken.echo, serial=agreed.serial if agreed else 0))


def stands_apart(s: Spoken, now: tuple[Common, ...], meaning: Meaning, agreed: Agreed) -> bool:
    """Whether an item keeps its own word: it takes a value only from another side's, and only where it was in step."""
    if agreed.value in now or not (s.own or s.follows):
        return False
    if s.own or s.echo is None:
        return True
    changed = s.spelling not in (s.echo.spelling, s.echo.sent) and not reworded(s.side, s.echo, meaning, now, agreed)
    return changed or (agreed.by == s.side and s.echo.serial < agreed.serial)


def left_behind(meaning: Meaning, agreed: Agreed | None, spoken: Spoken) -> bool:
    """Whether an edited file took the meaning from a spelling that nobody has changed since: it is written anew."""
    echo = spoken.echo
    if agreed is None or echo is None or not 0 < echo.serial < agreed.serial:
        return False
    return spoken.spelling in (echo.spelling, echo.sent) and meaning.spelling(spoken.side, agreed.value) is not None


def impose(meaning: Meaning, agreed: Agreed, spoken: Sequence[Spoken], value: Common) -> Verdict:
    """A rule's word: a new agreement that nobody's change stands against."""
    spoken = [by_its_own(s, agreed) for s in spoken]
    meant = {s.ref: meaning.meanings(s.side, s.spelling) for s in spoken}
    unmapped = tuple(s for s in spoken if not meant[s.ref])
    heard = [s for s in spoken if meant[s.ref]]
    return settle(meaning, agreed, Agreed(value, agreed.serial + 1), heard, meant, unmapped, None)


def first_agreement(
    meaning: Meaning, heard: Sequence[Spoken], meant: dict[Ref, tuple[Common, ...]], unmapped: tuple[Spoken, ...]
) -> Verdict:
    """Without an agreement nobody has changed anything: the first who says something speaks, nobody is written.

    Items whose word differs keep it as their echo, so that the difference waits for its owner's next change; an
    ambiguous spelling is read so that it agrees with as many sides as possible.
    """
    speaking = [s for s in heard if not s.follows and meant[s.ref] not in ((None,), ((),))]
    if not speaking:
        echoes = tuple((s.ref, Echo(s.spelling, 1)) for s in heard)
        return Verdict(Agreed(None, 1 if heard else 0), echoes=echoes, unmapped=unmapped)
    value = said(meant[speaking[0].ref], [meant[s.ref] for s in speaking])
    apart = {s.ref for s in heard if s.follows and value not in meant[s.ref]}
    echoes = tuple((s.ref, Echo(s.spelling, OWN if s.ref in apart else 1)) for s in heard)
    return Verdict(Agreed(value, 1, speaking[0].side), echoes=echoes, unmapped=unmapped)


def claimed(spoken: Spoken, meaning: Meaning, now: tuple[Common, ...], agreed: Agreed) -> bool:
    """True where the item's people changed the value. An item that is behind and already shows what is agreed, or
    what we sent it last, is our own write, acknowledged late; another spelling of what it said before is no change."""
    echo = spoken.echo
    if spoken.follows or echo is None or spoken.spelling in (echo.spelling, echo.sent) or agreed.value in now:
        return False
    return not reworded(spoken.side, echo, meaning, now, agreed)


def reworded(side: str, echo: Echo, meaning: Meaning, now: tuple[Common, ...], agreed: Agreed) -> bool:
    """Whether an item that does not mean what is agreed only says in another spelling what it said before. One in step
    that could mean what is agreed did: then this is a change, though both may mean the first in the file."""
    before = meaning.meanings(side, echo.spelling)
    in_step = echo.serial == agreed.serial and agreed.value in before
    return not in_step and bool(before and now) and before[0] == now[0]


def said(options: tuple[Common, ...], all_options: Sequence[tuple[Common, ...]]) -> Common:
    """Which of several meanings is meant: the one that most of those who speak may mean too, else the first."""
    return max(options, key=lambda o: (sum(o in others for others in all_options), -options.index(o)))


def contest(meaning: Meaning, agreed: Agreed, heard: Sequence[Spoken], claims: list[Claim], choose: Choose) -> Choice:
    """Lets ``choose`` decide. Where a claimant had not yet seen the agreement that stands, its author changed the
    value at the same time, and is heard as well. A side without a word for it cannot see it and is not late."""
    behind = [s for s in heard if s.echo and s.echo.serial < agreed.serial]
    late = {s.ref for s in behind if meaning.spelling(s.side, agreed.value) is not None}
    authors = {claim.side for claim in claims}
    if agreed.by and agreed.by not in authors and any(claim.ref in late for claim in claims):
        claims = [*claims, Claim(agreed.by, agreed.value)]
    return choose(agreed, claims)


def settle(
    meaning: Meaning,
    former: Agreed,
    agreed: Agreed,
    heard: Sequence[Spoken],
    meant: dict[Ref, tuple[Common, ...]],
    unmapped: tuple[Spoken, ...],
    choice: Choice | None,
) -> Verdict:
    """Who is in step, and who is written. An item that already *means* the agreed value is never written; one that
    joined with a differing value keeps it until its owner's next change. A change that was not its side's to make is
    put back even where the side has no word for what is agreed."""
    echoes, writes, wordless = [], [], []
    restored = {claim.ref for claim in choice.restored} if choice else set()
    overridden = {claim.ref for claim in choice.overridden} if choice else set()
    for s in heard:
        wanted = meaning.spelling(s.side, agreed.value)
        if s.ref not in restored | overridden and stands_apart(s, meant[s.ref], meaning, agreed):
            echoes.append((s.ref, Echo(s.spelling, OWN)))
            continue
        if agreed.value in meant[s.ref] or s.echo is None:
            echoes.append((s.ref, Echo(s.spelling, agreed.serial)))
            continue
        ours = s.spelling == s.echo.sent or former.value in meant[s.ref]
        unwritable = wanted is None and s.ref in overridden
        if wanted is None and s.echo.sent is not None and s.spelling == s.echo.spelling:
            echoes.append((s.ref, Echo(s.spelling, s.echo.serial)))  # what we sent before never came, nor will again
        if s.spelling != s.echo.spelling and (ours or unwritable):
            echoes.append((s.ref, Echo(s.spelling, s.echo.serial)))  # heard: its next change is a new one
        elif s.ref in overridden:
            # heard as well, and behind until it is written: should that fail, its old word must not speak again
            echoes.append((s.ref, Echo(s.spelling, min(s.echo.serial, agreed.serial - 1))))
        if wanted is None and s.ref in restored:
            writes.append((s.ref, s.echo.spelling))
        elif wanted is None:
            wordless.append(s)
        elif s.echo.serial < agreed.serial or s.ref in restored | overridden:
            writes.append((s.ref, wanted))
    changed = tuple((ref, echo) for ref, echo in echoes if echo != echo_of(heard, ref))
    return Verdict(agreed, choice, changed, tuple(writes), unmapped, tuple(wordless))


def echo_of(heard: Sequence[Spoken], ref: Ref) -> Echo | None:
    s = next(s for s in heard if s.ref == ref)
    return replace(s.echo, serial=OWN) if s.own and s.echo is not None else s.echo


def owners_word(owner: str, prefer: Sequence[str], exclusive: bool) -> Choose:
    """The rule for fields: one change is adopted whoever made it, unless the field is exclusive; of several different
    ones the owner's stands, or without an owner the first in ``prefer``. Never the latest: clocks are not trusted."""

    def choose(agreed: Agreed, claims: Sequence[Claim]) -> Choice:
        allowed = [c for c in claims if not (exclusive and owner) or c.side == owner]
        if not allowed:
            return Choice(agreed.value, agreed.by, restored=tuple(claims))
        order = [owner, *prefer]
        winner = min(allowed, key=lambda c: order.index(c.side) if c.side in order else len(order))
        others = [c for c in claims if c.value != winner.value]
        restored = tuple(c for c in others if c not in allowed)
        return Choice(winner.value, winner.side, restored, tuple(c for c in others if c in allowed))

    return choose
