"""Comments: a grow-only set keyed by their origin, carried along named paths, each once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mappings.disclosure import targets
from mappings.mentions import called
from mappings.model import Comment, Ref
from mappings.text import clean
from sync.comments.copies import (
    Errand,
    Remarked,
    copies_of,
    first,
    remark,
    rows_of,
    sort_out,
    standing_copies,
    version_of,
)
from sync.comments.revise import revise
from sync.joining.join import SPLIT
from sync.plan import Reword, Say
from sync.setup import Setup
from sync.speaking.lead import opening_side
from sync.state import Copy, CopyKey, Item, LinkState, Origin, OwnRemark, Seen, Version

#: clocks of two trackers may differ by so much when a rebuilt link asks which comments were there before
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Talk:
    """What discussing found: copies to say and to change, comments now known, copies found by their banners or passed
    over as history, comments as they now are, the targets whose comments cannot be read or are not read yet, what
    people must be told, what became of single comments, and when the next edit will have settled."""

    says: tuple[Say, ...]
    known: tuple[Comment, ...]
    copies: tuple[tuple[CopyKey, Copy, str], ...]
    fresh: tuple[Comment, ...]
    mute: tuple[Ref, ...]
    waiting: datetime | None = None
    rewords: tuple[Reword, ...] = ()
    versions: tuple[tuple[Origin, Version], ...] = ()
    remarks: tuple[OwnRemark, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    due: datetime | None = None


@dataclass
class Round:
    """The errands of one link being looked at. Where an earlier comment may still turn up (``doubted``), later ones
    wait: words stay in order."""

    says: list[Say] = field(default_factory=list)
    pending: list[tuple[CopyKey, Copy, str]] = field(default_factory=list)
    mute: dict[Ref, None] = field(default_factory=dict)
    waits: list[datetime] = field(default_factory=list)
    doubted: set[Ref] = field(default_factory=set)


def discuss(link: LinkState, seen: Seen, setup: Setup, now: datetime) -> Talk:
    """Every comment of every item against every item that a path allows, and what became of it since."""
    copies, spoken = sort_out(link, seen, setup, now)
    merged = standing_copies(link, seen, setup, copies)
    heard = [(comment, tuple(audience(link, setup, comment))) for comment in spoken]
    revised = revise(link, seen, setup, now, heard, merged)
    merged |= {key: copy for key, copy, _ in revised.copies}
    errands = [Errand(c, target, channel, version_of(setup, c)) for c, reached in heard for target, channel in reached]
    round = Round(list(revised.says), waits=list(revised.waits))
    for errand in (*errands, *revised.errands):
        send(link, seen, setup, now, errand, merged, round)
    shown = {Origin(c.item.tracker, c.id) for c in spoken}
    lost, doubts = lost_for_good(seen, {k: c for k, c in merged.items() if first(k.origin)[0] not in shown}, now)
    fresh = tuple(c for c in spoken if Origin(c.item.tracker, c.id) not in link.known)
    return Talk(
        tuple(round.says),
        fresh,
        tuple({found[0]: found for found in (*copies, *revised.copies, *round.pending, *lost)}.values()),
        fresh,
        tuple(round.mute),
        min((*round.waits, *doubts), default=None),
        tuple(revised.rewords),
        tuple(revised.versions),
        tuple(revised.remarks),
        tuple(revised.notes),
        min(revised.dues, default=None),
    )


def send(
    link: LinkState,
    seen: Seen,
    setup: Setup,
    now: datetime,
    errand: Errand,
    copies: Mapping[CopyKey, Copy],
    round: Round,
) -> None:
    """One comment to one item: said, put off, or left as it is."""
    comment, target = errand.comment, errand.target
    origin = Origin(comment.item.tracker, comment.id)
    verdict = standing(link, seen, copies, comment, target, now)
    if verdict == "history":
        round.pending.append((CopyKey(origin, target.ref), Copy("history", now), ""))
    elif verdict in ("absent", "mute", "unheard"):
        round.pending += put_off(origin, target, copies, now)
        if verdict == "mute":
            round.mute[target.ref] = None
        if verdict == "unheard":
            round.waits.append(now + seen.facts[target.ref.tracker].grace)
    elif isinstance(verdict, datetime):
        round.waits.append(verdict)
        round.doubted.add(target.ref)
    elif verdict == "say" and target.ref in round.doubted:
        round.pending += put_off(origin, target, copies, now)
    elif verdict == "say":
        round.says.extend(copies_of(link, seen, setup, errand, copies))


def put_off(
    origin: Origin, target: Item, copies: Mapping[CopyKey, Copy], now: datetime
) -> list[tuple[CopyKey, Copy, str]]:
    """A comment that cannot go now is kept in mind. On an item that was found again and not heard yet its copy may be
    there already: then it is unsure."""
    if rows_of(copies, origin, target.ref):
        return []
    outcome = "unsure" if target.rebuilt and not target.talk else "pending"
    return [(CopyKey(origin, target.ref), Copy(outcome, now), "")]


def audience(link: LinkState, setup: Setup, comment: Comment) -> Iterator[tuple[Item, str]]:
    """The items a comment may reach, each with its channel: never its own side, so never a sibling, unless siblings
    hear each other; those that the work was opened from, on the channel that everyone on them reads."""
    side = link.item(comment.item).side
    siblings = setup.siblings and side == opening_side(link)
    for channel in targets(setup.paths, side, comment.channel):
        for item in link.on(channel.side):
            if item.ref != comment.item and (item.side != side or (siblings and channel.name == comment.channel)):
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
    if rows and all(row.outcome in ("done", "history", "withdrawn") for row in rows):
        return "done"
    if seen.records.get(target.ref) is None:
        return "absent"
    if target.ref.tracker in seen.mute:
        return "mute"
    begun = any(row.outcome == "done" for row in rows)
    if not begun and before_it_came(link, comment):
        return "history"
    if target.rebuilt and not begun and older_than_joining(link, seen, comment, target):
        return "history"
    if not rows and target.rebuilt and not target.talk and target.ref not in seen.comments:
        return "unheard"
    return doubtful(rows, seen, target, now) or "say"


def doubtful(rows: Sequence[Copy], seen: Seen, target: Item, now: datetime) -> datetime | None:
    """While an unsettled copy may still turn up: the instant from which the tracker's discussion is believed."""
    unsure = [row.at for row in rows if row.outcome == "unsure"]
    if not unsure:
        return None
    believed = max(unsure) + seen.facts[target.ref.tracker].grace
    return believed if now < believed or target.ref not in seen.comments else None


def lost_for_good(
    seen: Seen, unshown: Mapping[CopyKey, Copy], now: datetime
) -> tuple[list[tuple[CopyKey, Copy, str]], list[datetime]]:
    """Copies whose answer was lost, of words that their item does not show any more: nobody waits for them once the
    target's discussion is believed, and until when they are waited for. Should the words be shown again, they are
    carried."""
    lost, doubts = [], []
    for key, copy in unshown.items():
        if key.origin.tracker and key.target in seen.comments and (copy.outcome == "unsure" or copy.sent):
            believed = copy.at + seen.facts[key.target.tracker].grace
            outcome = "pending" if copy.outcome == "unsure" else copy.outcome
            lost += [(key, replace(copy, outcome=outcome, sent=""), copy.id)] if now >= believed else []
            doubts += [believed] if now < believed else []
    return lost, doubts


def own_remarks(
    link: LinkState, seen: Seen, setup: Setup, now: datetime, remarks: Sequence[OwnRemark]
) -> tuple[list[Say], list[datetime]]:
    """What Lockstep says itself and has not said yet, and until when an unsettled one must wait."""
    says: list[Say] = []
    waits: list[datetime] = []
    link = replace(link, remarks=tuple(remarks))  # what is new here may stand there: the state may have been lost
    copies = standing_copies(link, seen, setup, sort_out(link, seen, setup, now)[0])
    for own in remarks:
        item = link.item(own.ref)
        if seen.records.get(own.ref) is None or own.ref.tracker in seen.mute:
            continue
        believed = doubtful(rows_of(copies, Origin("", own.id), own.ref), seen, item, now)
        if believed:
            waits.append(believed)
            continue
        text = "\n".join(part for part in (called(own.mention), clean(own.text)[0]) if part)
        said = Remarked(Origin("", own.id), "Lockstep", item.key, text, own.reason)
        says += remark(setup, said, item, own.channel, seen.facts[own.ref.tracker].comment_limit, copies)
    return says, waits


def before_it_came(link: LinkState, comment: Comment) -> bool:
    """Whether a comment is older than its own item's coming into the link, by that tracker's clock. What was split off
    came together with those that were to hear it."""
    item = link.item(comment.item)
    return item.came is not None and item.joined != SPLIT and comment.created <= item.came


def older_than_joining(link: LinkState, seen: Seen, comment: Comment, target: Item) -> bool:
    """After the state was lost: what the target's mark and its own birth say. The item that opened the link was
    there first, so that nothing said elsewhere is older."""
    record = seen.records.get(target.ref)
    said = comment.created.replace(microsecond=0)  # a mark tells whole seconds
    if any(said <= came for came in (adopted(seen, comment.item), adopted(seen, target.ref)) if came):
        return True
    if target.ref == link.source or record is None:
        return False
    if comment.item == link.source and record.mark:
        joined = instant_of(record.mark.at)
        if joined is not None:
            return said <= joined
    return comment.created <= record.created + SKEW


def adopted(seen: Seen, ref: Ref) -> datetime | None:
    """What its mark says of when an item made by people came into the link; ``None`` for any other item."""
    record = seen.records.get(ref)
    return instant_of(record.mark.at) if record and record.mark and not record.mark.made else None


def instant_of(text: str) -> datetime | None:
    """A mark's ``at``; people can edit the field it stands in."""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
