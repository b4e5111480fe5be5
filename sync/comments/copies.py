"""Copies of remarks: our own apart from what people said, which of them the state and the banners know, and the texts
that make new ones. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mappings.banner import ROOM, Banner, banner, digest, origin_token, verified
from mappings.disclosure import Channel, masked
from mappings.model import Comment, Ref
from mappings.text import clean, parts
from sync.plan import Say
from sync.setup import Setup
from sync.state import Copy, CopyKey, Item, LinkState, Origin, Seen

#: between a comment's id and the instant of an edit: no tracker's ids hold a blank
LATER = " edited "
#: characters of a version, and those of them that stand for who may read the comment
VERSION, READERS = 17, 4


@dataclass(frozen=True, slots=True)
class Errand:
    """A comment on its way to one item: under which channel, and the version of it that goes."""

    comment: Comment
    target: Item
    channel: str
    version: str


def version_of(setup: Setup, comment: Comment) -> str:
    """A comment's words and who may read them, as a digest under the secret: only it is stored."""
    return versions_of(setup, comment)[0]


def versions_of(setup: Setup, comment: Comment) -> list[str]:
    """The same under every secret, the one in use first."""
    named = comment.item.tracker, comment.id
    words = clean(comment.text)[0]
    return [
        digest(key, "readers", *named, comment.channel, length=READERS)
        + digest(key, "words", *named, words, length=VERSION - READERS)
        for key in (secret.reveal() for secret in setup.secrets)
    ]


def readers(version: str) -> str:
    """The part of a version that changes with who may read the comment."""
    return version[:READERS]


def later(origin: Origin, at: datetime) -> Origin:
    """Under which a later version of a remark is carried where its first copy cannot be changed."""
    return Origin(origin.tracker, f"{origin.id}{LATER}{int(at.timestamp() * 1000)}")


def first(origin: Origin) -> tuple[Origin, int]:
    """The remark that an origin is a version of, and which: 0 for its first words."""
    id, _, stamp = origin.id.rpartition(LATER)
    return (Origin(origin.tracker, id), int(stamp)) if id and stamp.isdecimal() else (origin, 0)


def sort_out(
    link: LinkState, seen: Seen, setup: Setup, now: datetime
) -> tuple[list[tuple[CopyKey, Copy, str]], list[Comment]]:
    """Our own copies (new to the state, or confirming one that was unsure) apart from what people said."""
    tokens = dict(known_tokens(link, seen, setup))
    secrets = [secret.reveal() for secret in setup.secrets]
    ids = {(key.target, copy.id) for key, copy in link.copies.items() if copy.id}
    copies: list[tuple[CopyKey, Copy, str]] = []
    spoken: list[Comment] = []
    for item in link.items:
        found: dict[Origin, list[tuple[Banner, Comment]]] = {}
        for comment in seen.comments.get(item.ref, ()):
            seal = verified(secrets, comment.text, item.ref) if comment.ours else None
            if (item.ref, comment.id) in ids:
                continue
            if seal is None:
                spoken.append(comment)
                continue
            origin = tokens.get(seal.token, Origin("", f"token:{seal.token}"))
            found.setdefault(origin, []).append((seal, comment))
        for origin, sealed in found.items():
            copies += copies_found(link, item, origin, sealed, now)
    return copies, sorted(spoken, key=lambda c: (c.created, c.id))


def copies_found(
    link: LinkState, item: Item, origin: Origin, sealed: Sequence[tuple[Banner, Comment]], now: datetime
) -> Iterator[tuple[CopyKey, Copy, str]]:
    """What the banners of one remark on one item tell: parts that are there, and, where the state knows nothing of
    it, parts that are missing."""
    told = {seal.part: comment.id for seal, comment in reversed(sealed)}
    for part in range(1, max(seal.parts for seal, _ in sealed) + 1):
        key = CopyKey(origin, item.ref, part)
        known = link.copies.get(key, Copy("", now))
        if part in told and known.outcome not in ("done", "withdrawn"):
            yield key, replace(known, outcome="done", at=now), told[part]
        elif part not in told and key not in link.copies:
            yield key, Copy("pending", now), ""


def standing_copies(
    link: LinkState, seen: Seen, setup: Setup, found: Sequence[tuple[CopyKey, Copy, str]]
) -> dict[CopyKey, Copy]:
    """Every copy that is known now. One that was found before its origin was heard of goes by its token until then."""
    named = {f"token:{token}": origin for token, origin in known_tokens(link, seen, setup)}
    stored = {
        CopyKey(named.get(key.origin.id, key.origin), key.target, key.part) if not key.origin.tracker else key: copy
        for key, copy in link.copies.items()
    }
    return {**stored, **{key: replace(copy, id=id) for key, copy, id in found}}


def known_tokens(link: LinkState, seen: Seen, setup: Setup) -> Iterator[tuple[str, Origin]]:
    """Every token a banner in this link may bear."""
    origins = {key.origin for key in link.copies} | set(link.known) | {Origin("", own.id) for own in link.remarks}
    for comment in (c for item in link.items for c in seen.comments.get(item.ref, ())):
        origin = Origin(comment.item.tracker, comment.id)
        origins |= {origin} if comment.updated == comment.created else {origin, later(origin, comment.updated)}
    for origin in origins:
        for secret in setup.secrets:
            yield origin_token(secret.reveal(), origin.tracker, origin.id), origin


def rows_of(copies: Mapping[CopyKey, Copy], origin: Origin, target: Ref) -> list[Copy]:
    return [copy for key, copy in copies.items() if key.origin == origin and key.target == target]


def copies_of(
    link: LinkState, seen: Seen, setup: Setup, errand: Errand, copies: Mapping[CopyKey, Copy]
) -> Iterator[Say]:
    """The parts of one comment that are not there yet."""
    comment, target = errand.comment, errand.target
    source = link.item(comment.item)
    text, removed = words_of(setup, comment)
    reason = f"{comment.author} wrote on {source.key}; path {Channel(source.side, comment.channel)} to {errand.channel}"
    if text.strip():
        limit = seen.facts[target.ref.tracker].comment_limit
        origin = Origin(comment.item.tracker, comment.id)
        signed = Remarked(origin, comment.author, source.key, text, reason, removed, errand.version, comment.created)
        yield from remark(setup, signed, target, errand.channel, limit, copies)


def words_of(setup: Setup, comment: Comment) -> tuple[str, int]:
    """The words that may cross, and how many control characters went."""
    text, removed = clean(comment.text)  # first: a control character must not hide a number from its mask
    return masked(text, setup.masks), removed


@dataclass(frozen=True, slots=True)
class Remarked:
    """A remark to carry: where it comes from, who says it on which item, and why it goes."""

    origin: Origin
    who: str
    key: str
    text: str
    reason: str
    removed: int = 0
    version: str = ""
    made: datetime | None = None


def remark(
    setup: Setup, said: Remarked, target: Item, channel: str, limit: int, copies: Mapping[CopyKey, Copy]
) -> Iterator[Say]:
    """The remark under banners, in numbered parts where the tracker takes no text of its length."""
    pieces = parts(said.text, limit - ROOM)
    for number, piece in enumerate(pieces, 1):
        copy = CopyKey(said.origin, target.ref, number)
        if copy not in copies or copies[copy].outcome not in ("done", "withdrawn"):
            text = under_banner(setup, said, target.ref, number, len(pieces), piece)
            place = target.ref, target.side, channel, copy, len(pieces)
            yield Say(*place, text, said.reason, said.removed, said.version, said.made)


def under_banner(setup: Setup, said: Remarked, target: Ref, part: int, whole: int, text: str) -> str:
    """One part of a copy as its tracker is to show it."""
    secret = setup.secrets[0].reveal()
    token = origin_token(secret, said.origin.tracker, said.origin.id)
    return f"{banner(secret, said.who, said.key, token, target, part, whole)}\n{text}"
