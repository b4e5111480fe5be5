"""What became of comments after they were said, brought to their copies. Pure.

An edit settles first. Then it becomes a new version of the same copy where the copy's tracker can change a comment,
else one follow-up. A copy is never left where its remark may no longer be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from mappings.banner import ROOM
from mappings.model import Comment
from mappings.text import parts
from mappings.wording import in_utc
from sync.comments.amend import (
    EMPTIED,
    MISSED,
    SETTLES,
    SHORTENED,
    WITHDRAWN,
    Case,
    Revised,
    Reworded,
    Thread,
    amend,
    changeable,
    place_of,
    threads,
    unsettled,
)
from sync.comments.copies import VERSION, Errand, Remarked, later, readers, remark, under_banner, versions_of, words_of
from sync.comments.erase import bury, gone
from sync.setup import Setup
from sync.state import Copy, CopyKey, Item, LinkState, Origin, OwnRemark, Seen, Version

Reached = Sequence[tuple[Comment, Sequence[tuple[Item, str]]]]


def revise(
    link: LinkState, seen: Seen, setup: Setup, now: datetime, heard: Reached, copies: Mapping[CopyKey, Copy]
) -> Revised:
    """Compares every comment with what the state knows of it. ``heard`` are the comments with the items and channels
    that their paths allow now."""
    revised, standing = Revised(), threads(copies)
    for comment, reached in heard:
        origin = Origin(comment.item.tracker, comment.id)
        version = version_now(link, setup, comment, now)
        if version != link.versions.get(origin):
            revised.versions.append((origin, version))
        for target in link.items:
            if (origin, target.ref) in standing:
                channels = tuple(channel for item, channel in reached if item.ref == target.ref)
                case = Case(link, seen, setup, now, comment, version, target, channels)
                follow(case, standing[origin, target.ref], revised)
    unheard = unsettled(link, deletions=setup.deletions) - {Origin(c.item.tracker, c.id) for c, _ in heard}
    untold = [link.versions[origin].since + SETTLES for origin in unheard if origin in link.versions]
    revised.dues += [at for at in untold if at > now]
    for origin, version in gone(link, seen, now):
        if version != link.versions[origin]:
            revised.versions.append((origin, version))
        bury(link, seen, setup, now, origin, version, standing, revised)
    return revised


def version_now(link: LinkState, setup: Setup, comment: Comment, now: datetime) -> Version:
    """A comment that was edited counts from the instant that its tracker tells, if our clock agrees; one that came
    back is one that was edited."""
    known = link.versions.get(Origin(comment.item.tracker, comment.id))
    digests = versions_of(setup, comment)
    if known is None:
        return Version(comment.item.id, digests[0], min(comment.updated, now))
    if known.digest in digests and not known.gone:
        return known
    told = known.since < comment.updated <= now
    return Version(comment.item.id, digests[0], comment.updated if told else now)


def follow(case: Case, thread: dict[int, Thread], revised: Revised) -> None:
    """Brings the copies of one comment on one item to its present version."""
    newest = max(thread)
    rows = thread[newest]
    if any(copy.outcome == "history" for _, copy in thread.get(0, ())):
        return
    if not all(copy.outcome in ("done", "withdrawn") for _, copy in rows):
        if newest:  # a follow-up that was not said yet; the first words are said like any others
            carry_on(case, rows, revised)
        return
    if not all(copy.digest for _, copy in rows):
        rows = learnt(case, rows, newest, revised)
    if all(copy.digest == case.version.digest for _, copy in rows):
        return
    where = place_of(case, rows)
    barred = where not in case.channels if where else not case.channels
    if barred and not moved_on(case, rows):
        revised.copies += [(key, replace(copy, digest=case.version.digest), copy.id) for key, copy in rows]
        revised.notes.append((about(case), f"was edited; no path leads to {case.target.key} any more"))
    elif not barred and not case.settled:
        revised.dues.append(case.version.since + SETTLES)
        revised.notes.append((about(case), f"was edited; carried from {case.version.since + SETTLES:%H:%M} UTC on"))
    elif case.target.ref not in case.seen.records:
        revised.waits.append(case.now)  # it was not needed until now: this look is not enough
    elif case.seen.records[case.target.ref] is None or case.target.ref.tracker in case.seen.mute:
        return
    elif barred:
        withdraw(case, rows, where, revised)
    elif changeable(case, rows):
        reword(case, rows, where, revised)
    else:
        revised.errands.append(follow_up(case, where or case.channels[0], "edited: "))


def moved_on(case: Case, rows: Thread) -> bool:
    """Whether its author changed who may read a comment since the copy was made."""
    return any(len(copy.digest) == VERSION and readers(copy.digest) != readers(case.version.digest) for _, copy in rows)


def learnt(case: Case, rows: Thread, newest: int, revised: Revised) -> Thread:
    """Which version the copies carry that the state knows nothing of: the present one, unless an edit was missed."""
    digest = MISSED if missed(case, rows, newest) else case.version.digest
    found = [(key, replace(copy, digest=digest)) if not copy.digest else (key, copy) for key, copy in rows]
    revised.copies += [(key, copy, copy.id) for key, copy in found if (key, copy) not in rows]
    return found


def missed(case: Case, rows: Thread, newest: int) -> bool:
    """After the state was lost: whether the comment was edited later than its newest copy was written."""
    if case.comment.updated == case.comment.created:
        return False
    if newest:
        return later(case.origin, case.comment.updated) != rows[0][0].origin
    there = [one for one in case.seen.comments.get(case.target.ref, ()) if one.id in {copy.id for _, copy in rows}]
    return bool(there) and case.comment.updated > max(one.updated for one in there)


def about(case: Case) -> str:
    return f"comment on {case.link.item(case.comment.item).key}"


def follow_up(case: Case, channel: str, lead: str) -> Errand:
    """The new words as a comment of their own, under an origin of their own."""
    origin = later(case.origin, case.comment.updated)
    said = replace(case.comment, id=origin.id, text=lead + case.comment.text)
    return Errand(said, case.target, channel, case.version.digest)


def carry_on(case: Case, rows: Thread, revised: Revised) -> None:
    """A follow-up that has not arrived: said again, or forgotten where a newer edit takes its place."""
    if rows[0][0].origin == later(case.origin, case.comment.updated):
        revised.errands += [follow_up(case, channel, "edited: ") for channel in case.channels[:1]]
        return
    revised.copies += [
        (key, replace(copy, outcome="history"), copy.id) for key, copy in rows if copy.outcome in ("pending", "refused")
    ]
    if case.settled and not any(copy.outcome == "unsure" for _, copy in rows):
        revised.errands += [follow_up(case, channel, "edited: ") for channel in case.channels[:1]]


def reword(case: Case, rows: Thread, where: str, revised: Revised) -> None:
    """New words for each part of a copy that is there; a part that is new is said, one too many says so."""
    said = remarked(case, rows[0][0].origin)
    channel, limit = where or case.channels[0], case.seen.facts[case.target.ref.tracker].comment_limit
    pieces = parts(said.text, limit - ROOM)
    for key, copy in rows:
        piece = pieces[key.part - 1] if key.part <= len(pieces) else SHORTENED
        text = under_banner(case.setup, said, case.target.ref, key.part, max(len(pieces), key.part), piece)
        amend(case, key, copy, Reworded(channel, text, case.version.digest, "done", said.reason), revised)
    revised.says += remark(case.setup, said, case.target, channel, limit, dict(rows))


def remarked(case: Case, origin: Origin) -> Remarked:
    """The comment as it is to be carried now."""
    source = case.link.item(case.comment.item).key
    text, removed = words_of(case.setup, case.comment)
    reason = f"{case.comment.author} edited the comment on {source}"
    text = text if text.strip() else EMPTIED
    return Remarked(origin, case.comment.author, source, text, reason, removed, case.version.digest)


def withdraw(case: Case, rows: Thread, where: str, revised: Revised) -> None:
    """Takes a copy back from where its remark may no longer be read, at once, and says it where it now may. Where the
    copy cannot be changed, the remark's own people are told."""
    if all(copy.outcome == "withdrawn" for _, copy in rows):
        revised.copies += [(key, replace(copy, digest=case.version.digest), copy.id) for key, copy in rows]
    elif changeable(case, rows):
        said = replace(remarked(case, rows[0][0].origin), text=WITHDRAWN)
        reason = f"who may read the comment on {said.key} was changed"
        for key, copy in rows:
            text = under_banner(case.setup, said, case.target.ref, key.part, len(rows), WITHDRAWN)
            amend(case, key, copy, Reworded(where, text, case.version.digest, "withdrawn", reason), revised)
    else:
        told = case.version.digest
        revised.copies += [(key, replace(copy, outcome="withdrawn", digest=told), copy.id) for key, copy in rows]
        revised.remarks.append(left_standing(case))
    revised.errands += [follow_up(case, channel, "") for channel in case.channels[:1]]


def left_standing(case: Case) -> OwnRemark:
    """What the people of the remark's item must know: only they can ask for the copy to be removed."""
    comment, target = case.comment, case.target
    id = f"kept:{case.origin.tracker}:{case.origin.id}:{target.ref}:{case.version.digest}"
    text = (
        f"Who may read {comment.author}'s comment of {in_utc(comment.created)} was changed, but its copy on "
        f"{target.key} cannot be changed: {target.ref.tracker} keeps what was said. Ask its administrator to remove it."
    )
    channel = case.seen.facts[comment.item.tracker].note_channel
    return OwnRemark(id, comment.item, channel, text, f"the copy on {target.key} cannot be taken back")
