"""Comments: a grow-only set keyed by their origin, carried along named paths, each once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mappings.banner import ROOM, Banner, banner, origin_token, verified
from mappings.disclosure import Channel, masked, targets
from mappings.model import Comment, Ref
from mappings.text import clean, parts
from sync.plan import Say
from sync.setup import Setup
from sync.state import Copy, CopyKey, Item, LinkState, Origin, OwnRemark, Seen

#: clocks of two trackers may differ by so much when a rebuilt link asks which comments were there before
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Talk:
    """What discussing found: copies to say, comments now known, copies found by their banners or passed over as
    history, and the targets whose comments cannot be read or are not read yet."""

    says: tuple[Say, ...]
    known: tuple[Comment, ...]
    copies: tuple[tuple[CopyKey, Copy, str], ...]
    fresh: tuple[Comment, ...]
    mute: tuple[Ref, ...]
    waiting: datetime | None = None


def is_copy(setup: Setup, comment: Comment) -> bool:
    """Ours only if our own account wrote it and its banner verifies for this item: so quoting silences nobody."""
    secrets = [secret.reveal() for secret in setup.secrets]
    return comment.ours and verified(secrets, comment.text, comment.item) is not None


def discuss(link: LinkState, seen: Seen, setup: Setup, now: datetime) -> Talk:
    """Every comment of every item against every item that a path allows."""
    copies, spoken = sort_out(link, seen, setup, now)
    merged = standing_copies(link, seen, setup, copies)
    says: list[Say] = []
    pending: list[tuple[CopyKey, Copy, str]] = []
    mute: dict[Ref, None] = {}
    waits: list[datetime] = []
    doubted: set[Ref] = set()  # where an earlier comment may still turn up, later ones wait: words stay in order
    for comment in spoken:
        origin = Origin(comment.item.tracker, comment.id)
        for target, channel in audience(link, setup, comment):
            verdict = standing(link, seen, merged, comment, target, now)
            if verdict == "history":
                pending.append((CopyKey(origin, target.ref), Copy("history", now), ""))
            elif verdict in ("absent", "mute", "unheard"):
                pending += put_off(origin, target, merged, now)
                if verdict == "mute":
                    mute[target.ref] = None
                if verdict == "unheard":
                    waits.append(now + seen.facts[target.ref.tracker].grace)
            elif isinstance(verdict, datetime):
                waits.append(verdict)
                doubted.add(target.ref)
            elif verdict == "say" and target.ref in doubted:
                pending += put_off(origin, target, merged, now)
            elif verdict == "say":
                says.extend(copies_of(link, seen, setup, comment, target, channel, merged))
    fresh = tuple(c for c in spoken if Origin(c.item.tracker, c.id) not in link.known)
    return Talk(tuple(says), fresh, (*copies, *pending), fresh, tuple(mute), min(waits, default=None))


def put_off(
    origin: Origin, target: Item, copies: Mapping[CopyKey, Copy], now: datetime
) -> list[tuple[CopyKey, Copy, str]]:
    """A comment that cannot go now is kept in mind. On an item that was found again and not heard yet its copy may be
    there already: then it is unsure."""
    if rows_of(copies, origin, target.ref):
        return []
    outcome = "unsure" if target.rebuilt and not target.talk else "pending"
    return [(CopyKey(origin, target.ref), Copy(outcome, now), "")]


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
        if part in told and link.copies.get(key, Copy("", now)).outcome != "done":
            yield key, Copy("done", now), told[part]
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
    return {**stored, **{key: copy for key, copy, _ in found}}


def known_tokens(link: LinkState, seen: Seen, setup: Setup) -> Iterator[tuple[str, Origin]]:
    """Every token a banner in this link may bear."""
    origins = {key.origin for key in link.copies} | set(link.known) | {Origin("", own.id) for own in link.remarks}
    origins |= {Origin(c.item.tracker, c.id) for item in link.items for c in seen.comments.get(item.ref, ())}
    for origin in origins:
        for secret in setup.secrets:
            yield origin_token(secret.reveal(), origin.tracker, origin.id), origin


def audience(link: LinkState, setup: Setup, comment: Comment) -> Iterator[tuple[Item, str]]:
    """The items a comment may reach, each with its channel: never its own side, so never a sibling."""
    side = link.item(comment.item).side
    for channel in targets(setup.paths, side, comment.channel):
        for item in link.on(channel.side):
            if item.ref != comment.item and item.side != side:
                yield item, channel.name


def standing(
    link: LinkState,
    seen: Seen,
    copies: Mapping[CopyKey, Copy],
    comment: Comment,
    target: Item,
    now: datetime,
) -> str | datetime:
    """What to do for one comment and one target: ``say``, ``done``, ``history``, ``mute``, ``absent`` (the target
    cannot be read now), ``unheard`` (found again, and nobody knows yet what it already holds), or the instant from
    which an unsettled copy may be believed lost."""
    rows = rows_of(copies, Origin(comment.item.tracker, comment.id), target.ref)
    if rows and all(row.outcome in ("done", "history") for row in rows):
        return "done"
    if seen.records.get(target.ref) is None:
        return "absent"
    if target.ref.tracker in seen.mute:
        return "mute"
    begun = any(row.outcome == "done" for row in rows)
    if target.rebuilt and not begun and older_than_joining(link, seen, comment, target):
        return "history"
    if not rows and target.rebuilt and not target.talk and target.ref not in seen.comments:
        return "unheard"
    return doubtful(rows, seen, target, now) or "say"


def rows_of(copies: Mapping[CopyKey, Copy], origin: Origin, target: Ref) -> list[Copy]:
    return [copy for key, copy in copies.items() if key.origin == origin and key.target == target]


def doubtful(rows: Sequence[Copy], seen: Seen, target: Item, now: datetime) -> datetime | None:
    """While an unsettled copy may still turn up: the instant from which the tracker's discussion is believed."""
    unsure = [row.at for row in rows if row.outcome == "unsure"]
    if not unsure:
        return None
    believed = max(unsure) + seen.facts[target.ref.tracker].grace
    return believed if now < believed or target.ref not in seen.comments else None


def own_remarks(
    link: LinkState, seen: Seen, setup: Setup, now: datetime, remarks: Sequence[OwnRemark]
) -> tuple[list[Say], list[datetime]]:
    """What Lockstep says itself and has not said yet, and until when an unsettled one must wait."""
    says: list[Say] = []
    waits: list[datetime] = []
    copies = standing_copies(link, seen, setup, sort_out(link, seen, setup, now)[0])
    for own in remarks:
        item = link.item(own.ref)
        if seen.records.get(own.ref) is None or own.ref.tracker in seen.mute:
            continue
        believed = doubtful(rows_of(copies, Origin("", own.id), own.ref), seen, item, now)
        if believed:
            waits.append(believed)
            continue
        said = Remarked(Origin("", own.id), "Lockstep", item.key, clean(own.text)[0], own.reason)
        says += remark(setup, said, item, own.channel, seen.facts[own.ref.tracker].comment_limit, copies)
    return says, waits


def older_than_joining(link: LinkState, seen: Seen, comment: Comment, target: Item) -> bool:
    """After the state was lost: what the target's mark and its own birth say. The item that opened the link was
    there first, so that nothing said elsewhere is older."""
    record = seen.records.get(target.ref)
    if target.ref == link.source or record is None:
        return False
    if comment.item == link.source and record.mark:
        joined = instant_of(record.mark.at)
        if joined is not None:
            return comment.created <= joined
    return comment.created <= record.created + SKEW


def instant_of(text: str) -> datetime | None:
    """A mark's ``at``; people can edit the field it stands in."""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def copies_of(
    link: LinkState,
    seen: Seen,
    setup: Setup,
    comment: Comment,
    target: Item,
    channel: str,
    copies: Mapping[CopyKey, Copy],
) -> Iterator[Say]:
    """The parts of one comment that are not there yet."""
    source = link.item(comment.item)
    origin = Origin(comment.item.tracker, comment.id)
    text, removed = clean(comment.text)  # first: a control character must not hide a number from its mask
    text = masked(text, setup.masks)
    reason = f"{comment.author} wrote on {source.key}; path {Channel(source.side, comment.channel)} to {channel}"
    if text.strip():
        limit = seen.facts[target.ref.tracker].comment_limit
        signed = Remarked(origin, comment.author, source.key, text, reason, removed)
        yield from remark(setup, signed, target, channel, limit, copies)


@dataclass(frozen=True, slots=True)
class Remarked:
    """A remark to carry: where it comes from, who says it on which item, and why it goes."""

    origin: Origin
    who: str
    key: str
    text: str
    reason: str
    removed: int = 0


def remark(
    setup: Setup, said: Remarked, target: Item, channel: str, limit: int, copies: Mapping[CopyKey, Copy]
) -> Iterator[Say]:
    """The remark under banners, in numbered parts where the tracker takes no text of its length."""
    secret = setup.secrets[0].reveal()
    token = origin_token(secret, said.origin.tracker, said.origin.id)
    pieces = parts(said.text, limit - ROOM)
    for number, piece in enumerate(pieces, 1):
        copy = CopyKey(said.origin, target.ref, number)
        if copy in copies and copies[copy].outcome == "done":
            continue
        head = banner(secret, said.who, said.key, token, target.ref, number, len(pieces))
        text = f"{head}\n{piece}"
        yield Say(target.ref, target.side, channel, copy, len(pieces), text, said.reason, said.removed)
