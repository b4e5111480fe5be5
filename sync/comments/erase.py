"""Deleted comments: known as gone, and told by their copies where the file says so. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from mappings.model import Comment, Ref
from mappings.wording import in_utc
from sync.comments.amend import DELETED, GONE, SETTLES, Case, Revised, Reworded, Thread, amend, changeable, place_of
from sync.comments.copies import Errand, Remarked, under_banner
from sync.setup import Setup
from sync.state import LinkState, Origin, Seen, Version


def gone(link: LinkState, seen: Seen, now: datetime) -> Iterator[tuple[Origin, Version]]:
    """Comments that were there and are not: only where their item is there, its discussion was read whole, and its
    tracker lets people take comments back."""
    heard = (one for item in link.items for one in seen.comments.get(item.ref, ()))
    present = {Origin(one.item.tracker, one.id) for one in heard}
    items = {item.ref for item in link.items if seen.records.get(item.ref) is not None and item.ref in seen.comments}
    for origin, known in link.versions.items():
        tracker = seen.facts.get(origin.tracker)
        if origin not in present and Ref(origin.tracker, known.item) in items and tracker and tracker.rewords:
            yield origin, known if known.gone else replace(known, gone=True, since=now)


def bury(
    link: LinkState,
    seen: Seen,
    setup: Setup,
    now: datetime,
    origin: Origin,
    version: Version,
    standing: Mapping[tuple[Origin, Ref], dict[int, Thread]],
    revised: Revised,
) -> None:
    """What a deletion means for the copies: those on their way stay away, and those that are there are changed only
    where the file says so."""
    source = link.item(Ref(origin.tracker, version.item))
    shade = Comment(source.ref, origin.id, "", "A comment", "", version.since, version.since, DELETED)
    told = "carried" if setup.deletions else "its copies stay, as [disclosure] deletions says"
    for target in link.items:
        thread = standing.get((origin, target.ref), {})
        rows = [pair for rows in thread.values() for pair in rows]
        waiting = [(key, copy) for key, copy in rows if copy.outcome in ("pending", "refused")]
        revised.copies += [(key, replace(copy, outcome="history"), copy.id) for key, copy in waiting]
        done = [(key, copy) for key, copy in rows if copy.outcome == "done"]
        if done:
            revised.notes.append((f"comment on {source.key}", f"a comment is gone from {origin.tracker}: {told}"))
        if done and setup.deletions:
            case = Case(link, seen, setup, now, shade, replace(version, digest=GONE), target, ())
            erase(case, done, revised)


def erase(case: Case, rows: Thread, revised: Revised) -> None:
    """Copies of a deleted comment say so, once the deletion has settled."""
    if not case.settled:
        revised.dues.append(case.version.since + SETTLES)
        return
    if case.target.ref not in case.seen.records:
        revised.waits.append(case.now)
    if case.seen.records.get(case.target.ref) is None or case.target.ref.tracker in case.seen.mute:
        return
    where = place_of(case, rows)
    if not changeable(case, rows):
        day = in_utc(rows[0][1].at)
        text = f"The comment copied here on {day} was deleted by its author."
        shade = replace(case.comment, id=f"{case.origin.id} deleted", text=text)
        revised.errands += [Errand(shade, case.target, where, GONE)] if where else []
        return
    for key, copy in rows:
        said = Remarked(key.origin, "A comment", case.link.item(case.comment.item).key, DELETED, "")
        whole = max(k.part for k, _ in rows if k.origin == key.origin)
        text = under_banner(case.setup, said, case.target.ref, key.part, whole, DELETED)
        reason = f"the comment on {said.key} was deleted"
        amend(case, key, copy, Reworded(where, text, GONE, "withdrawn", reason), revised)
