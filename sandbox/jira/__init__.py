"""A simulated Jira Cloud: version 2 and 3 of its REST API, and the people who work in it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.jira import (
    api_attachments,
    api_bulk,
    api_comments,
    api_issues,
    api_links,
    api_people,
    api_projects,
    api_properties,
    api_rights,
    api_search,
    api_site,
    api_worklogs,
    defaults,
)
from sandbox.jira.api import answer
from sandbox.jira.attaching import Attaching
from sandbox.jira.issues import Issue, Remark, instant
from sandbox.jira.limits import Limits
from sandbox.jira.linking import Linking
from sandbox.jira.refusals import Rejected
from sandbox.jira.rules import Rules
from sandbox.jira.site import Field, IssueType, Named, Project, Site, Status, Transition, User, Version, Workflow
from sandbox.jira.store import Lag, Store
from sandbox.jira.switches import Caps, Switches
from sandbox.jira.values import KINDS
from sandbox.wire import Answer, Request

__all__ = [
    "Field",
    "IssueType",
    "Jira",
    "Named",
    "Project",
    "Rejected",
    "Status",
    "Transition",
    "User",
    "Version",
    "Workflow",
]
#: importing these registers the endpoints
ENDPOINT_MODULES = (
    api_attachments,
    api_bulk,
    api_comments,
    api_issues,
    api_links,
    api_people,
    api_projects,
    api_properties,
    api_rights,
    api_search,
    api_site,
    api_worklogs,
)


class Jira:
    """``handle`` answers requests; the other methods are its people, who act under the same rules and raise
    ``Rejected`` where Jira would refuse, ``KeyError`` for what is not there. A person is named by account id, e-mail
    or display name; ids are texts.

    ``index_lag`` is how long searches trail writes, or a function asked for each write. ``zone`` is that of the times
    in answers. Switches to be set at any time: ``inline_comments`` (the most shown inside an issue by searches and bulk
    reads), ``page_limit``, ``captcha`` (accounts that must solve one), ``lenient`` (wrong credentials are served as
    anonymous), ``unfetched`` (ids that bulk reads fail to fetch), ``limits``, ``apps`` (tokens of OAuth apps, each with
    the account it acts as, good at ``/ex/jira/{cloud_id}``), and those of ``switches`` and ``caps``.
    """

    cloud_id = "11223344-a1b2-3b33-c444-def123456789"

    def __init__(
        self,
        name: str,
        clock: SandboxClock,
        *,
        users: Iterable[User] = defaults.USERS,
        projects: Iterable[Project] | None = None,
        fields: Iterable[Field] = defaults.FIELDS,
        priorities: Iterable[Named] = defaults.PRIORITIES,
        resolutions: Iterable[Named] = defaults.RESOLUTIONS,
        index_lag: Lag = timedelta(0),
        zone: str = "UTC",
        address: str = "",
    ) -> None:
        people = tuple(users)
        self.name, self.clock, self.address = name, clock, address
        self.site = Site(
            {user.account_id: user for user in people},
            {project.key: project for project in (projects if projects is not None else defaults.projects(people))},
            {field.id: field for field in fields},
            tuple(priorities),
            tuple(resolutions),
            zone,
            link_types=defaults.LINK_TYPES,
        )
        self.settle(Store(clock, index_lag))
        self.limits = Limits()
        self.inline_comments = 20
        self.page_limit = 100
        self.captcha: set[str] = set()
        self.unfetched: set[str] = set()
        self.lenient = False
        self.apps: dict[str, str] = {}

    @property
    def switches(self) -> Switches:
        return self.site.switches

    @property
    def caps(self) -> Caps:
        return self.site.caps

    def handle(self, request: Request) -> Answer:
        return answer(self, request)

    # -- what people do

    def create(self, fields: dict[str, Any], by: str) -> str:
        """Values as people see them: names, lists of names, plain texts. Without ``project`` and ``issuetype`` the
        first of each is taken."""
        asked = dict(fields)
        project = self.site.projects[asked.pop("project", None) or next(iter(self.site.projects))]
        kind = asked.pop("issuetype", None) or project.types[0].name
        place = {"project": {"key": project.key}, "issuetype": {"name": kind}}
        return str(self.rules.create(self.site.user(by), {**self.typed(asked), **place}, {}, {}).id)

    def update(self, id: str, fields: dict[str, Any], by: str) -> None:
        self.rules.edit(self.site.user(by), self.issue(id), self.typed(fields), {})

    def move(self, id: str, state: str, by: str, **fields: Any) -> None:
        """Takes the transition to ``state``, filling in ``fields`` on its screen."""
        issue, user = self.issue(id), self.site.user(by)
        step = next((step for step in self.rules.offered(user, issue) if step.to == state), None)
        if step is None:
            raise Rejected(400, [f"No transition leads from {issue.status.name} to {state}."])
        self.rules.transition(user, issue, step.id, self.typed(fields), {})

    def put_under(self, id: str, parent: str, by: str) -> None:
        """Below another issue; with an empty ``parent``, below none."""
        self.linking.put_under(self.site.user(by), self.issue(id), self.issue(parent) if parent else None)

    def relocate(self, id: str, by: str, project: str = "", type: str = "") -> str:
        """To another project or type: the id stays, the key changes. Returns the new key."""
        issue = self.issue(id)
        place = self.site.projects[project or issue.project]
        kind = place.type(type or issue.type) or place.types[0]
        return self.rules.move(self.site.user(by), issue, place, kind).key

    def comment(self, id: str, text: str, by: str, channel: str = "everyone") -> str:
        """``channel``: ``everyone``, ``internal``, ``role:NAME`` or ``group:NAME``."""
        kind, _, who = channel.partition(":")
        body: dict[str, Any] = {"body": text}
        if who:
            body["visibility"] = {"type": kind, "value": who}
        elif kind == "internal":
            body["properties"] = [{"key": "sd.public.comment", "value": {"internal": True}}]
        return str(self.rules.comment(self.site.user(by), self.issue(id), body)[1].id)

    def edit_comment(self, id: str, comment: str, text: str, by: str) -> None:
        self.rules.reword(self.site.user(by), self.issue(id), self.remark(id, comment), {"body": text})

    def delete_comment(self, id: str, comment: str, by: str) -> None:
        self.rules.unsay(self.site.user(by), self.issue(id), self.remark(id, comment))

    def delete(self, id: str, by: str) -> None:
        self.rules.delete(self.site.user(by), self.issue(id))

    # -- what administrators do

    def deny(self, who: str, project: str, permission: str) -> None:
        self.site.denied.add((self.site.user(who).account_id, project, permission))

    def allow(self, who: str, project: str, permission: str) -> None:
        self.site.denied.discard((self.site.user(who).account_id, project, permission))

    def hide(self, id: str, who: str, hidden: bool = True) -> None:
        """Issue security: the issue is as good as gone for that account. ``updated`` does not move."""
        issue, account = self.issue(id), {self.site.user(who).account_id}
        hidden_from = issue.hidden_from | account if hidden else issue.hidden_from - account
        self.store.put(replace(issue, hidden_from=frozenset(hidden_from)))

    def promote(self, who: str) -> None:
        """Makes an administrator of Jira and of every project."""
        self.site.administrators.add(self.site.user(who).account_id)

    def archive(self, id: str, archived: bool = True) -> None:
        """Out of every search and closed to writes; to be read by those who may browse the archive."""
        self.store.put(replace(self.issue(id), archived=archived))

    # -- backups and copies

    def snapshot(self) -> object:
        """All that Jira keeps, as it is now: issues, index and numbers, projects and rights. Not the switches."""
        return copy.deepcopy((self.site, self.store), self.shared())

    def restore(self, snapshot: object) -> None:
        """As from a backup: what was written since is gone, and its ids and keys are given out again. The clock goes
        on. A snapshot can be restored any number of times."""
        assert isinstance(snapshot, tuple)
        site, store = copy.deepcopy(snapshot, self.shared())
        site.switches, site.caps = self.site.switches, self.site.caps
        self.site = site
        self.settle(store)

    def clone(self, name: str, clock: SandboxClock) -> Jira:
        """Another Jira with the same people, issues, ids and properties, as a sandbox made from production has them."""
        site, store = copy.deepcopy((self.site, self.store), self.shared())
        twin = copy.copy(self)
        twin.name, twin.clock, twin.address, twin.site, twin.limits = name, clock, "", site, Limits()
        twin.captcha, twin.unfetched, twin.apps = set(self.captcha), set(self.unfetched), dict(self.apps)
        store.clock = clock
        twin.settle(store)
        return twin

    def shared(self) -> dict[int, Any]:
        """What a copy does not copy."""
        return {id(self.clock): self.clock}

    def settle(self, store: Store) -> None:
        self.store = store
        self.rules, self.linking = Rules(self.site, store), Linking(self.site, store)
        self.attaching = Attaching(self.site, store)

    # -- what is true

    def ids(self) -> list[str]:
        return [str(id) for id in self.store.issues]

    def item(self, id: str) -> dict[str, Any]:
        """As people see it: texts, tuples of texts for lists, ``None`` for what is empty else; times aware."""
        issue = self.issue(id)
        values = {name: self.spelled(field, issue.values.get(name)) for name, field in self.site.fields.items()}
        return {
            "id": str(issue.id),
            "key": issue.key,
            "project": issue.project,
            "issuetype": issue.type,
            "status": issue.status.name,
            "creator": issue.creator,
            "created": instant(issue.created),
            "updated": instant(issue.updated),
            **values,
        }

    def comments(self, id: str) -> list[dict[str, Any]]:
        """Oldest first, all of them, whoever may read them."""
        return [
            {
                "id": str(one.id),
                "at": instant(one.created),
                "by": one.author,
                "channel": one.channel() if self.site.switches.internal_by_property else one.channel(internal=False),
                "text": one.text,
                "edited": instant(one.updated),
            }
            for one in self.issue(id).remarks
        ]

    def mentioned(self, id: str) -> list[str]:
        """The names of those whom comments of the issue notified by calling them by name, in order."""
        return [self.site.users[who].name for issue, _, who in self.site.mentioned if issue == id]

    def history(self, id: str) -> list[dict[str, Any]]:
        """Each changed field, oldest first; ``field`` is the field's id, ``by`` an account id."""
        return [
            {"at": instant(change.at), "by": change.by, "field": item.field, "old": item.old, "new": item.new}
            for change in self.issue(id).changes
            for item in change.items
        ]

    def links(self, id: str) -> list[dict[str, Any]]:
        """The remote links."""
        return [{"global_id": one.global_id, **one.object} for one in self.issue(id).links]

    # -- within

    def issue(self, id: str) -> Issue:
        found = self.store.find(id)
        if found is None:
            raise KeyError(id)
        return found

    def remark(self, id: str, comment: str) -> Remark:
        found = next((one for one in self.issue(id).remarks if str(one.id) == comment), None)
        if found is None:
            raise KeyError(comment)
        return found

    def typed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """What people say as a request would say it; a field nobody has is left for the rules to refuse."""
        return {name: self.typed_value(name, value) for name, value in fields.items()}

    def typed_value(self, name: str, value: Any) -> Any:
        field = self.site.fields.get(name)
        if field is None:
            return value
        if field.kind == "user" and value is not None:
            value = self.site.user(value).account_id
        return KINDS[field.kind].typed(value)

    def spelled(self, field: Field, value: Any) -> Any:
        if value is None:
            return () if KINDS[field.kind].schema["type"] == "array" else None
        return self.site.users[value].name if field.kind == "user" else KINDS[field.kind].spell(value)
