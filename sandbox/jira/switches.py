"""Behaviours of Jira known from client code and threads only, or that differ between sites: each can be set."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Switches:
    """``repeated_tokens``: from the second page on, a search answers with the token it was asked with, so that the same
    page comes for ever. ``empty_pages``: an empty page with a token stands between any two pages. ``old_keys``: the key
    an issue had before a move still leads to it. ``reopening_clears``: the workflows' post functions clear the
    resolution. ``inward_is_source``: in ``POST /issueLink`` the ``inwardIssue`` is the one that blocks.
    ``internal_by_property``: a comment with the property ``sd.public.comment`` is internal in a service desk.
    ``changelog_field_ids`` and ``changelog_newest_first``: what an entry names, and in which order they come.
    ``hidden_email``: how an address that is not shown looks: ``absent``, ``null`` or ``empty``. ``quiet_refused``:
    ``notifyUsers=false`` of one who administers nothing is refused, else the parameter is passed over.
    ``deleted_comments_in_history``: a deleted comment leaves an entry in the changelog.
    ``repeated_hour_is_first``: a local time that comes twice in a query is the earlier of the two instants.
    ``roles_for_administrators``: only they see which roles a project has and who is in them.
    ``in_flight``: ids of issues that another write holds (409); ``misconfigured``: ids whose workflow is broken (422).
    ``unavailable``: seconds for ``Retry-After`` of a 503 to every request, 0 for a 503 without it, ``None``: it is up.
    """

    repeated_tokens: bool = False
    empty_pages: bool = False
    old_keys: bool = True
    reopening_clears: bool = True
    inward_is_source: bool = True
    internal_by_property: bool = True
    changelog_field_ids: bool = True
    changelog_newest_first: bool = False
    hidden_email: str = "absent"
    quiet_refused: bool = True
    deleted_comments_in_history: bool = True
    repeated_hour_is_first: bool = True
    roles_for_administrators: bool = False
    in_flight: set[str] = field(default_factory=set)
    misconfigured: set[str] = field(default_factory=set)
    unavailable: int | None = None


@dataclass
class Caps:
    """How much one issue may hold; a write beyond is a 413 (Jira Cloud REST API, "Issues")."""

    comments: int = 5000
    worklogs: int = 5000
    attachments: int = 2000
    links: int = 2000
    remote_links: int = 2000
