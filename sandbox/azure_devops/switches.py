"""Behaviours that differ between servers, or that are known only from client code and threads: each can be set."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Switches:
    """``sign_in``: what wrong credentials get: ``401`` (empty body, recorded), ``203`` or ``302`` (the sign-in page);
    ``suppressed``: ``X-TFS-FedAuthRedirect: Suppress`` turns the page into a 401.
    ``bom``: error bodies begin with a byte order mark. ``plain_errors``: they are text, the message only in a header.
    ``delay``: seconds of ``Retry-After`` on every 200. ``stopped``: the organisation is stopped, 503 TF24668.
    ``areas``: whether ResourceAreas lists anything (a server on premises lists nothing). ``digits``: places of dates.

    ``tags_merge``: an ``add`` on System.Tags joins what is there (vendor's examples) instead of replacing it.
    ``twins``: the same hyperlink twice is taken, not refused. ``markdown_stays``: a field in Markdown never goes back
    to HTML. ``stale_status``: what a failed test of /rev gets, 412 or 409. ``clashes``: what the next PATCHes get
    because somebody else was first, 409 or 412 each. ``edits_revise``: editing or deleting a comment makes a revision.
    ``mentions_mail``: a mention mails whom it names. ``comment_page``: the largest page of comments.

    ``scan``: the reporting feed cuts its batch before it filters, so that batches come short or empty. ``page``: its
    largest batch. ``discussion_edits``: the discussions feed shows edits and deletions. ``query_cost``: how many items
    a query may look at before its 30 seconds pass (0: any number).

    ``revisions``, ``tags``, ``links``, ``files``, ``file_size``, ``upload``: the limits of the object limits page and
    of uploads in one piece.

    ``capacity``: TSTUs per user in five minutes before answers are delayed (0: no limit); ``blocked_at``: the share of
    it beyond which they are refused with ``blocked_status``. ``costs``: TSTUs of a request by method."""

    sign_in: str = "401"
    suppressed: bool = False
    bom: bool = False
    plain_errors: bool = False
    delay: float = 0.0
    stopped: bool = False
    areas: bool = True
    digits: int = 3
    tags_merge: bool = True
    twins: bool = False
    markdown_stays: bool = True
    stale_status: int = 412
    clashes: list[int] = field(default_factory=list)
    edits_revise: bool = False
    scan: bool = False
    page: int = 200
    discussion_edits: bool = False
    query_cost: int = 0
    mentions_mail: bool = True
    comment_page: int = 200
    revisions: int = 10_000
    tags: int = 100
    links: int = 1_000
    files: int = 100
    file_size: int = 60 * 2**20
    upload: int = 130 * 2**20
    capacity: float = 0.0
    blocked_at: float = 2.0
    blocked_status: int = 429
    costs: dict[str, float] = field(default_factory=lambda: {"GET": 0.1, "POST": 0.5, "PATCH": 1.0})
    #: accounts that may read only, that may not make tags, and area paths that an account does not see
    readers: set[str] = field(default_factory=set)
    taggers_barred: set[str] = field(default_factory=set)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    #: rights taken away: (unique name, right as the security namespaces name it, area or project or empty)
    denied: set[tuple[str, str, str]] = field(default_factory=set)
