"""Behaviours that differ between servers, or that are known only from client code and threads: each can be set."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Switches:
    """``sign_in``: what wrong credentials get: ``401`` (empty body, recorded), ``203`` or ``302`` (the sign-in page).
    ``bom``: error bodies begin with a byte order mark. ``delay``: seconds of ``Retry-After`` on every 200.
    ``areas``: whether ResourceAreas lists anything (a server on premises lists nothing). ``digits``: places of dates.
    ``tags_merge``: an ``add`` on System.Tags joins what is there (vendor's examples) instead of replacing it.
    ``edits_revise``: editing or deleting a comment makes a revision. ``scan``: the reporting feed cuts its batch
    before it filters, so that batches come short or empty. ``page``: its largest batch. ``revisions``: how many
    revisions REST may make of one item (object limits page)."""

    sign_in: str = "401"
    bom: bool = False
    delay: float = 0.0
    areas: bool = True
    digits: int = 3
    tags_merge: bool = True
    edits_revise: bool = False
    scan: bool = False
    page: int = 200
    comment_page: int = 200
    revisions: int = 10_000
    #: accounts that may read only, that may not make tags, and area paths that an account does not see
    readers: set[str] = field(default_factory=set)
    taggers_barred: set[str] = field(default_factory=set)
    hidden: set[tuple[str, str]] = field(default_factory=set)
