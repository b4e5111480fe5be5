"""Links: between two issues of the site, and to what lies elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.jira.issues import Issue, IssueLink, Item, RemoteLink
from sandbox.jira.refusals import Rejected
from sandbox.jira.rules import within
from sandbox.jira.site import LinkType, Site, User
from sandbox.jira.store import Store

Json = Mapping[str, Any]


class Linking:
    """Every method takes the acting user and raises ``Rejected``."""

    def __init__(self, site: Site, store: Store) -> None:
        self.site, self.store = site, store

    # -- remote links

    def point(self, user: User, issue: Issue, body: Json, link_id: int = 0) -> tuple[RemoteLink, bool]:
        """Creates a remote link, or replaces the one of that global id or id whole: then nothing shows in the
        changelog. Whether it is new comes with it."""
        self.may_point(user, issue)
        global_id = body.get("globalId") or ""
        held = next(
            (one for one in issue.links if one.id == link_id or (global_id and one.global_id == global_id)), None
        )
        target = dict(body["object"])
        id = held.id if held else self.store.next_id()
        link = RemoteLink(id, global_id, body.get("relationship"), target, dict(body.get("application") or {}))
        if held:
            self.store.put(replace(issue, links=tuple(link if one is held else one for one in issue.links)))
            return link, False
        within(self.site.caps.remote_links, issue.links, "remote issue links")
        item = remote_item(None, f'This issue links to "{target.get("title")}"')
        self.write(user, issue, item, links=(*issue.links, link))
        return link, True

    def unpoint(self, user: User, issue: Issue, link: RemoteLink) -> None:
        self.may_point(user, issue)
        item = remote_item(f'This issue links to "{link.object.get("title")}"', None)
        self.write(user, issue, item, links=tuple(one for one in issue.links if one.id != link.id))

    def may_point(self, user: User, issue: Issue) -> None:
        if issue.archived or not self.site.may(user, issue.project, "LINK_ISSUES"):
            raise Rejected(403, ["You do not have permission to link issues in this project."])

    # -- issue links

    def tie(self, user: User, kind: LinkType, source: Issue, target: Issue) -> None:
        """``source`` blocks ``target``. A link that is there already is not made again (Jira Cloud REST API, "Create
        issue link")."""
        if source.id == target.id:
            raise Rejected(400, ["You cannot link an issue to itself."])
        if source.archived or target.archived or not self.site.may(user, source.project, "LINK_ISSUES"):
            raise Rejected(404, ["No Link Issue Permission for issue '" + source.key + "'"])
        if any(one.type == kind and one.source and one.other == target.id for one in source.issue_links):
            return
        for issue in (source, target):
            within(self.site.caps.links, issue.issue_links, "issue links")
        id = self.store.next_id()
        for issue, is_source, other in ((source, True, target), (target, False, source)):
            item = link_item(kind, is_source, other.key, made=True)
            link = IssueLink(id, kind, is_source, other.id)
            self.write(user, issue, item, issue_links=(*issue.issue_links, link))
        self.store.belongs(id, source)

    def put_under(self, user: User, issue: Issue, parent: Issue | None) -> None:
        """Below another issue, or below none: both ways an entry of the changelog and a new ``updated``."""
        old = self.store.issues.get(issue.parent)
        if (old.id if old else 0) == (parent.id if parent else 0):
            return
        was, now = (one.key if one else None for one in (old, parent))
        ids = (str(one.id) if one else None for one in (old, parent))
        self.write(user, issue, Item("parent", "Parent", False, was, now, *ids), parent=parent.id if parent else 0)

    def untie(self, user: User, link: IssueLink, ends: tuple[Issue, Issue]) -> None:
        if not any(self.site.may(user, issue.project, "LINK_ISSUES") for issue in ends):
            raise Rejected(404, [f"No issue link with id '{link.id}' exists."])
        for issue, other in (ends, ends[::-1]):
            mine = next(one for one in issue.issue_links if one.id == link.id)
            kept = tuple(one for one in issue.issue_links if one.id != link.id)
            self.write(user, issue, link_item(mine.type, mine.source, other.key, made=False), issue_links=kept)

    def ends(self, id: int) -> tuple[IssueLink, tuple[Issue, Issue]] | None:
        """A link and its two issues, the source first."""
        issue = self.store.owner(id)
        link = next((link for link in issue.issue_links if link.id == id), None) if issue else None
        return (link, (issue, self.store.issues[link.other])) if issue and link else None

    def write(self, user: User, issue: Issue, item: Item, **parts: Any) -> None:
        at = self.store.tick()
        self.store.put(issue.written(at, user.account_id, self.store.next_id(), (item,), **parts))


def remote_item(old: str | None, new: str | None) -> Item:
    return Item("RemoteIssueLink", "RemoteIssueLink", False, old, new)


def link_item(kind: LinkType, source: bool, other: str, made: bool) -> Item:
    """How the changelog words a link, seen from one of its ends."""
    words = f"This issue {kind.outward if source else kind.inward} {other}"
    return (
        Item("issuelinks", "Link", False, None, words, None, other)
        if made
        else Item("issuelinks", "Link", False, words, None, other, None)
    )
