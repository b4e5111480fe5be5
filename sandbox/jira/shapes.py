"""How things look in an answer. Fields left out of ``fields`` are left out; empty ones are null or empty lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.jira import parts
from sandbox.jira.issues import Change, Issue, Remark, RemoteLink
from sandbox.jira.site import CATEGORIES, Field, IssueType, Project, Site, Status, Transition, User
from sandbox.jira.store import Store
from sandbox.jira.values import KINDS, Setting, empty, pictures, schema, show_user
from sandbox.jira.wiki import document

#: fields that are no field of a screen, in the order of the field list
BUILT_IN = {
    "issuetype": ("Issue Type", {"type": "issuetype", "system": "issuetype"}, ["issuetype", "type"]),
    "project": ("Project", {"type": "project", "system": "project"}, ["project"]),
    "status": ("Status", {"type": "status", "system": "status"}, ["status"]),
    "statusCategory": ("Status Category", {"type": "statusCategory", "system": "statusCategory"}, ["statusCategory"]),
    "created": ("Created", {"type": "datetime", "system": "created"}, ["created", "createdDate"]),
    "updated": ("Updated", {"type": "datetime", "system": "updated"}, ["updated", "updatedDate"]),
    "creator": ("Creator", {"type": "user", "system": "creator"}, ["creator"]),
    "comment": ("Comment", {"type": "comments-page", "system": "comment"}, ["comment"]),
    "resolutiondate": ("Resolved", {"type": "datetime", "system": "resolutiondate"}, ["resolutiondate", "resolved"]),
    "parent": ("Parent", {"type": "issuelink", "system": "parent"}, ["parent"]),
    "issuelinks": ("Linked Issues", {"type": "array", "items": "issuelinks", "system": "issuelinks"}, ["issueLink"]),
    "attachment": ("Attachment", {"type": "array", "items": "attachment", "system": "attachment"}, ["attachments"]),
    "worklog": ("Log Work", {"type": "array", "items": "worklog", "system": "worklog"}, []),
    "watches": ("Watchers", {"type": "watches", "system": "watches"}, ["watchers"]),
}
NOT_NAVIGABLE = frozenset({"comment", "attachment", "worklog"})
#: the most worklogs shown inside an issue
WORKLOGS = 20


@dataclass(frozen=True, slots=True)
class View:
    """For whom, under which address and in which version things are shown. ``inline`` is the most comments shown
    inside an issue; ``store`` finds what an issue is linked to."""

    site: Site
    user: User | None
    base: str
    version: str = "2"
    inline: int = 5000
    store: Store | None = None
    #: the issues shown so far
    tally: list[int] = field(default_factory=list)

    @property
    def root(self) -> str:
        return f"{self.base}/rest/api/{self.version}"

    def text(self, text: str | None) -> Any:
        return document(text) if self.version == "3" and text is not None else text

    def time(self, stamp: int) -> str:
        """``2026-01-31T10:00:00.000-0800``: milliseconds, the site's zone, no colon in the offset."""
        second, offset = local(stamp // 1000, self.site.zone)
        return f"{second}.{stamp % 1000:03}{offset}"

    # -- issues

    def issue(
        self, issue: Issue, fields: Sequence[str], expand: str = "", properties: Sequence[str] = ()
    ) -> dict[str, Any]:
        """``fields`` as in a request: names, ``*all``, ``*navigable``, ``-name``; without any, the id alone."""
        self.tally.append(issue.id)
        shown: dict[str, Any] = {
            "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
            "id": str(issue.id),
            "self": f"{self.root}/issue/{issue.id}",
        }
        wanted = selected(self.site, fields)
        if tuple(fields) != ("id",):
            shown |= {"key": issue.key, "fields": {name: self.value(issue, name) for name in wanted}}
            if shown["fields"].get("parent", issue) is None:
                del shown["fields"]["parent"]  # an issue without one has no such field
        if "changelog" in expand:
            shown["changelog"] = self.history(issue)
        if "names" in expand:
            shown["names"] = {name: self.field_name(name) for name in wanted}
        if "schema" in expand:
            shown["schema"] = {name: self.field_schema(name) for name in wanted}
        if "renderedFields" in expand:
            shown["renderedFields"] = {name: self.rendered_field(issue, name) for name in wanted}
        if properties:
            shown["properties"] = {name: issue.properties[name] for name in properties if name in issue.properties}
        return shown

    def value(self, issue: Issue, name: str) -> Any:
        built_in = getattr(self, f"show_{name}", None)
        if built_in is not None:
            return built_in(issue)
        field = self.site.fields[name]
        value = issue.values.get(name)
        if value is None:
            return empty(field)
        if field.kind == "textarea":
            return self.text(value)
        return KINDS[field.kind].show(Setting(self.site, self.site.projects[issue.project], field, self.root), value)

    def field_name(self, id: str) -> str:
        return BUILT_IN[id][0] if id in BUILT_IN else self.site.fields[id].name

    def field_schema(self, id: str) -> dict[str, Any]:
        return BUILT_IN[id][1] if id in BUILT_IN else schema(self.site.fields[id])

    def rendered_field(self, issue: Issue, id: str) -> str | None:
        """HTML for long texts, null for what is not rendered."""
        field = self.site.fields.get(id)
        text = issue.values.get(id) if field is not None and field.kind == "textarea" else None
        return rendered(text) if text is not None else None

    def show_issuetype(self, issue: Issue) -> dict[str, Any]:
        return self.type(self.site.projects[issue.project], issue.type)

    def type(self, project: Project, name: str) -> dict[str, Any]:
        kind = project.type(name)
        assert kind is not None
        return {
            "self": f"{self.root}/issuetype/{kind.id}",
            "id": kind.id,
            "description": "",
            "iconUrl": "",
            "name": kind.name,
            "subtask": False,
            "hierarchyLevel": 0,
        }

    def show_project(self, issue: Issue) -> dict[str, Any]:
        return self.project(self.site.projects[issue.project])

    def project(self, project: Project) -> dict[str, Any]:
        return {
            "self": f"{self.root}/project/{project.id}",
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.kind,
            "simplified": False,
            "avatarUrls": pictures(self.root, "project", project.id),
        }

    def show_status(self, issue: Issue) -> dict[str, Any]:
        return self.status(issue.status)

    def show_statusCategory(self, issue: Issue) -> dict[str, Any]:
        return self.category(issue.status)

    def status(self, status: Status) -> dict[str, Any]:
        return {
            "self": f"{self.root}/status/{status.id}",
            "description": "",
            "iconUrl": f"{self.base}/",
            "name": status.name,
            "id": status.id,
            "statusCategory": self.category(status),
        }

    def category(self, status: Status) -> dict[str, Any]:
        id, name, colour = CATEGORIES[status.category]
        return {
            "self": f"{self.root}/statuscategory/{id}",
            "id": id,
            "key": status.category,
            "colorName": colour,
            "name": name,
        }

    def show_created(self, issue: Issue) -> str:
        return self.time(issue.created)

    def show_updated(self, issue: Issue) -> str:
        return self.time(issue.updated)

    def show_creator(self, issue: Issue) -> dict[str, Any]:
        return self.account(issue.creator)

    def show_resolutiondate(self, issue: Issue) -> str | None:
        """When the resolution it has was set."""
        if "resolution" not in issue.values:
            return None
        at = (c.at for c in reversed(issue.changes) if any(i.field == "resolution" and i.new for i in c.items))
        return self.time(next(at, issue.created))

    def show_comment(self, issue: Issue) -> dict[str, Any]:
        """Cut at ``inline``, the newest kept; ``total`` tells."""
        heard = issue.heard(self.site, self.user)
        return {
            "comments": [self.comment(issue, remark) for remark in heard[-self.inline :]],
            "self": f"{self.root}/issue/{issue.id}/comment",
            "maxResults": min(self.inline, len(heard)),
            "total": len(heard),
            "startAt": 0,
        }

    def show_parent(self, issue: Issue) -> dict[str, Any] | None:
        return parts.parent(self, issue)

    def show_issuelinks(self, issue: Issue) -> list[dict[str, Any]]:
        return parts.issue_links(self, issue)

    def show_attachment(self, issue: Issue) -> list[dict[str, Any]]:
        return [parts.attachment(self, one) for one in issue.attachments]

    def show_worklog(self, issue: Issue) -> dict[str, Any]:
        logs = [parts.worklog(self, issue, one) for one in issue.worklogs[:WORKLOGS]]
        return {"startAt": 0, "maxResults": WORKLOGS, "total": len(issue.worklogs), "worklogs": logs}

    def show_watches(self, issue: Issue) -> dict[str, Any]:
        return parts.watchers(self, issue, named=False)

    def account(self, account: str) -> dict[str, Any]:
        user = self.site.users[account]
        return show_user(
            Setting(self.site, next(iter(self.site.projects.values())), Field("", "", "user"), self.root),
            user.account_id,
        )

    # -- what hangs on an issue

    def comment(self, issue: Issue, remark: Remark, expand: str = "") -> dict[str, Any]:
        shown: dict[str, Any] = {
            "self": f"{self.root}/issue/{issue.id}/comment/{remark.id}",
            "id": str(remark.id),
            "author": self.account(remark.author),
            "body": self.text(remark.text),
            "updateAuthor": self.account(remark.editor),
            "created": self.time(remark.created),
            "updated": self.time(remark.updated),
            "jsdPublic": not (
                remark.internal
                and self.site.projects[issue.project].kind == "service_desk"
                and self.site.switches.internal_by_property
            ),
        }
        if remark.visibility:
            kind, name = remark.visibility
            shown["visibility"] = {"type": kind, "value": name, "identifier": name}
        if "renderedBody" in expand:
            shown["renderedBody"] = rendered(remark.text)
        if "properties" in expand:
            shown["properties"] = [{"key": key, "value": value} for key, value in remark.properties.items()]
        return shown

    def history(self, issue: Issue) -> dict[str, Any]:
        """Inside an issue: the newest first, at most forty (Jira Cloud REST API, "Bulk fetch issues")."""
        newest = [self.change(change) for change in reversed(issue.changes[-40:])]
        return {"startAt": 0, "maxResults": len(newest), "total": len(issue.changes), "histories": newest}

    def change(self, change: Change) -> dict[str, Any]:
        return {
            "id": str(change.id),
            "author": self.account(change.by),
            "created": self.time(change.at),
            "items": [
                {
                    "field": item.name,
                    "fieldtype": "custom" if item.custom else "jira",
                    **named_field(item.field, self.site.switches.changelog_field_ids),
                    "from": item.old_id,
                    "fromString": item.old,
                    "to": item.new_id,
                    "toString": item.new,
                }
                for item in change.items
            ],
        }

    def link(self, issue: Issue, link: RemoteLink) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": link.id,
            "self": f"{self.root}/issue/{issue.id}/remotelink/{link.id}",
            "application": dict(link.application),
            "object": link.object,
        }
        if link.global_id:
            shown["globalId"] = link.global_id
        if link.relationship:
            shown["relationship"] = link.relationship
        return shown

    def transition(self, issue: Issue, step: Transition, with_fields: bool) -> dict[str, Any]:
        project = self.site.projects[issue.project]
        kind = project.type(issue.type)
        assert kind is not None
        shown: dict[str, Any] = {
            "id": step.id,
            "name": step.name,
            "to": self.status(kind.workflow.status(step.to)),
            "hasScreen": bool(step.screen),
            "isGlobal": not step.sources,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": bool(step.roles),
            "isLooped": False,
        }
        if with_fields:
            shown["fields"] = {name: self.field_meta(project, name, name in step.required) for name in step.screen}
        return shown

    # -- metadata

    def field_meta(self, project: Project, name: str, required: bool) -> dict[str, Any]:
        field = self.site.fields[name]
        shown: dict[str, Any] = {
            "required": required,
            "schema": schema(field),
            "name": field.name,
            "key": field.id,
            "hasDefaultValue": False,
            "operations": ["add", "set", "remove"] if schema(field)["type"] == "array" else ["set"],
        }
        offered = {
            "priority": self.site.priorities,
            "resolution": self.site.resolutions,
            "versions": project.versions,
            "components": project.components,
        }.get(field.kind, field.options)
        if offered:
            at = Setting(self.site, project, field, self.root)
            kind = KINDS[field.kind]
            many = schema(field)["type"] == "array"
            shown["allowedValues"] = kind.show(at, offered) if many else [kind.show(at, one) for one in offered]
        return shown

    def creation(self, project: Project, kind: IssueType) -> list[dict[str, Any]]:
        """What a creation takes: type and project, which every one must name, and the fields of the screen."""
        required = ("summary", *kind.required)
        places = {"issuetype": self.type(project, kind.name), "project": self.project(project)}
        rows = [self.place_meta(name, held) for name, held in places.items()]
        rows += [self.field_meta(project, name, name in required) for name in kind.create]
        return [{**row, "fieldId": row.get("key") or row["fieldId"]} for row in rows]

    def place_meta(self, name: str, held: dict[str, Any]) -> dict[str, Any]:
        return {
            "required": True,
            "schema": self.field_schema(name),
            "name": self.field_name(name),
            "key": name,
            "hasDefaultValue": False,
            "operations": ["set"],
            "allowedValues": [held],
        }

    def field(self, field: Field) -> dict[str, Any]:
        clauses = [f"cf[{field.number}]", field.name] if field.custom else list(field.clauses)
        return field_entry(field.id, field.name, schema(field), clauses, field.custom)

    def field_list(self) -> list[dict[str, Any]]:
        built_in = [field_entry(id, name, kind, clauses) for id, (name, kind, clauses) in BUILT_IN.items()]
        return built_in + [self.field(field) for field in self.site.fields.values()]


def named_field(id: str, shown: bool) -> dict[str, str]:
    return {"fieldId": id} if shown else {}


def rendered(text: str) -> str:
    """A text as HTML, without its markup."""
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))


def field_entry(id: str, name: str, kind: dict[str, Any], clauses: list[str], custom: bool = False) -> dict[str, Any]:
    return {
        "id": id,
        "key": id,
        "name": name,
        "custom": custom,
        "orderable": True,
        "navigable": id not in NOT_NAVIGABLE,
        "searchable": True,
        "clauseNames": clauses,
        "schema": kind,
    }


def selected(site: Site, fields: Sequence[str]) -> list[str]:
    """The field ids a request asks for; names that do not exist are passed over."""
    known = [*BUILT_IN, *site.fields]
    wanted: dict[str, None] = {}
    if not any(name for name in fields if not name.startswith("-")):
        fields = ("*all", *fields)
    for name in fields:
        if name == "*all":
            wanted |= dict.fromkeys(known)
        elif name == "*navigable":
            wanted |= dict.fromkeys(one for one in known if one not in NOT_NAVIGABLE)
        elif name.startswith("-"):
            wanted.pop(name[1:], None)
        elif name in BUILT_IN or name in site.fields:
            wanted[name] = None
    return list(wanted)


@lru_cache(maxsize=65536)
def local(second: int, zone: str) -> tuple[str, str]:
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).astimezone(ZoneInfo(zone))
    return moment.strftime("%Y-%m-%dT%H:%M:%S"), moment.strftime("%z")
