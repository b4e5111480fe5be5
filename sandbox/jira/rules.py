"""What may be written and what follows from it: screens, required fields, workflow, permissions, limits.

Both doors use these rules: the REST API and the people of a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.jira.issues import Issue, Item, Remark, may_hear
from sandbox.jira.permissions import FIELD_PERMISSIONS
from sandbox.jira.properties import given
from sandbox.jira.refusals import OFF_SCREEN, TOO_LONG, Invalid, Rejected
from sandbox.jira.site import IssueType, Project, Site, Status, Transition, User
from sandbox.jira.store import Store
from sandbox.jira.values import KINDS, TEXT_LIMIT, Setting, identity, length, listed, string, wording
from sandbox.jira.wiki import called

Json = Mapping[str, Any]
#: text, who hears it, properties
Saying = tuple[str, tuple[str, str] | None, dict[str, Any]]


class Rules:
    """Every method takes the acting user, raises ``Rejected`` and returns the issue as it then is."""

    def __init__(self, site: Site, store: Store) -> None:
        self.site, self.store = site, store

    # -- issues

    def create(self, user: User, fields: Json, update: Json, properties: Json) -> Issue:
        project, kind = self.place(user, fields)
        asked = {name: value for name, value in fields.items() if name not in ("project", "issuetype")}
        screen = self.settable(user, project, kind.create)
        values = self.taken(project, screen, asked, {}, update)
        values.setdefault("reporter", user.account_id)
        values.setdefault("priority", self.default_priority(kind))
        self.require(values, ("summary", *kind.required))
        at = self.store.tick()
        issue = Issue(
            self.store.next_id(),
            self.store.next_key(project.key),
            project.key,
            kind.name,
            kind.workflow.statuses[0],
            user.account_id,
            at,
            at,
            filled(values),
            properties=dict(properties),
            watchers=(user.account_id,),
        )
        return self.store.put(issue)

    def place(self, user: User, fields: Json) -> tuple[Project, IssueType]:
        """The project and type a creation names; both by id, the project also by key, the type also by name."""
        wanted = named(fields, "project")
        project = next(
            (p for p in self.site.projects.values() if wanted and wanted.get("id", wanted.get("key")) in (p.id, p.key)),
            None,
        )
        if project is None or not self.site.may(user, project.key, "BROWSE_PROJECTS"):
            raise Rejected(400, errors={"project": "valid project is required"})
        if not self.site.may(user, project.key, "CREATE_ISSUES"):
            raise Rejected(400, errors={"project": "You do not have permission to create issues in this project."})
        wanted = named(fields, "issuetype")
        kind = project.type(str(wanted.get("id", wanted.get("name", ""))))
        if kind is None:
            raise Rejected(400, errors={"issuetype": "Specify a valid issue type"})
        return project, kind

    def default_priority(self, kind: IssueType) -> Any:
        middle = self.site.priorities[len(self.site.priorities) // 2]
        return middle if "priority" in kind.create else None

    def edit(self, user: User, issue: Issue, fields: Json, update: Json, properties: Json | None = None) -> Issue:
        """Nothing is written, and ``updated`` stays, where every value is already so; nor where anything is refused."""
        if not fields and not update:
            raise Rejected(400, ["one of 'fields' or 'update' required"])
        self.free(issue)
        project = self.site.projects[issue.project]
        screen = self.editable(user, issue)
        operations = {name: ops for name, ops in update.items() if name != "comment"}
        values = self.taken(project, screen, fields, issue.values, operations)
        self.require({**issue.values, **values}, [name for name in self.type_of(issue).required if name in values])
        remarks = self.sayings(user, issue, update.get("comment"))
        issue = self.said(user, self.changed(user, issue, values), remarks)
        for key, value in (properties or {}).items():
            self.set_property(issue, key, value)
            issue = self.store.issues[issue.id]
        return issue

    def editable(self, user: User, issue: Issue) -> tuple[str, ...]:
        """The fields of the edit screen; none without the right to edit, so that each is refused by name."""
        if issue.archived or not self.site.may(user, issue.project, "EDIT_ISSUES"):
            return ()
        return self.settable(user, self.site.projects[issue.project], self.type_of(issue).edit)

    def settable(self, user: User, project: Project, screen: tuple[str, ...]) -> tuple[str, ...]:
        """The fields of a screen but for those that want a right the user has not."""
        barred = {name for name, right in FIELD_PERMISSIONS.items() if not self.site.may(user, project.key, right)}
        return tuple(name for name in screen if name not in barred) if barred else screen

    def free(self, issue: Issue) -> None:
        """Raises where Jira cannot write to the issue now, whoever asks (Jira Cloud REST API, "Edit issue")."""
        if str(issue.id) in self.site.switches.in_flight:
            raise Rejected(409, ["The issue could not be updated because of a conflicting update."])
        if str(issue.id) in self.site.switches.misconfigured:
            raise Rejected(422, ["The issue could not be updated because of a problem with its configuration."])

    def type_of(self, issue: Issue) -> IssueType:
        kind = self.site.projects[issue.project].type(issue.type)
        assert kind is not None
        return kind

    def changed(self, user: User, issue: Issue, values: Json, status: Status | None = None) -> Issue:
        items = [item for item in self.items(issue.values, values) if item.old != item.new]
        if status is not None:
            items.insert(0, Item("status", "status", False, issue.status.name, status.name, issue.status.id, status.id))
        if not items:
            return issue
        merged = filled({**issue.values, **values})
        at = self.store.tick()
        written = issue.written(
            at, user.account_id, self.store.next_id(), tuple(items), values=merged, status=status or issue.status
        )
        return self.store.put(written)

    def items(self, old: Json, new: Json) -> Iterable[Item]:
        for name, value in new.items():
            field = self.site.fields[name]
            values = (old.get(name), value)
            before, after = (wording(field, self.site, one) for one in values)
            ids = (identity(one) for one in values)
            yield Item(name, field.name if field.custom else name, field.custom, before, after, *ids)

    def move(self, user: User, issue: Issue, project: Project, kind: IssueType) -> Issue:
        """To another project or type: a new key, the same id; values the new place does not know are dropped."""
        if issue.archived or not self.site.may(user, issue.project, "MOVE_ISSUES"):
            raise Rejected(403, ["You do not have permission to move issues in this project."])
        if not self.site.may(user, project.key, "CREATE_ISSUES"):
            raise Rejected(403, ["You do not have permission to create issues in this project."])
        screen = set(kind.edit) | {"reporter"}
        kept = {name: value for name, value in issue.values.items() if name in screen}
        values = {name: value for name, value in kept.items() if name not in ("fixVersions", "versions", "components")}
        key = self.store.next_key(project.key) if project.key != issue.project else issue.key
        items = [Item("issuetype", "issuetype", False, issue.type, kind.name)] if kind.name != issue.type else []
        if key != issue.key:
            items += [
                Item("project", "project", False, issue.project, project.key),
                Item("Key", "Key", False, issue.key, key),
            ]
        status = next((s for s in kind.workflow.statuses if s.name == issue.status.name), kind.workflow.statuses[0])
        place = {"key": key, "project": project.key, "type": kind.name, "status": status}
        at = self.store.tick()
        written = issue.written(at, user.account_id, self.store.next_id(), tuple(items), values=values, **place)
        return self.store.put(written)

    def delete(self, user: User, issue: Issue) -> None:
        if not self.site.may(user, issue.project, "DELETE_ISSUES"):
            raise Rejected(403, ["You do not have permission to delete issues in this project."])
        for link in issue.issue_links:
            other = self.store.issues[link.other]
            kept = tuple(one for one in other.issue_links if one.id != link.id)
            self.store.put(replace(other, issue_links=kept))
        self.store.drop(issue)

    # -- values

    def taken(
        self, project: Project, screen: Sequence[str], fields: Json, current: Json, update: Json
    ) -> dict[str, Any]:
        """Every value asked for, or all that is wrong with them at once."""
        errors: dict[str, str] = {}
        values: dict[str, Any] = {}
        for name in dict.fromkeys((*fields, *update)):
            if name not in screen or name not in self.site.fields:
                errors[name] = OFF_SCREEN.format(name)
            elif name in fields and name in update:
                errors[name] = f"Field '{name}' cannot appear in both 'fields' and 'update'."
            else:
                try:
                    at = Setting(self.site, project, self.site.fields[name])
                    values[name] = self.value(at, fields, current, update.get(name))
                    if name == "assignee":
                        self.may_be_assigned(project, values[name])
                except Invalid as error:
                    errors[name] = str(error)
        if errors:
            raise Rejected(400, errors=errors)
        return values

    def value(self, at: Setting, fields: Json, current: Json, operations: Any) -> Any:
        take = KINDS[at.field.kind].take
        if operations is None:
            return take(at, fields[at.field.id])
        value = current.get(at.field.id)
        for operation in listed(operations):
            if not isinstance(operation, dict) or len(operation) != 1:
                raise Rejected(400, [f"Can not deserialize the operation on '{at.field.id}'."])
            ((verb, operand),) = operation.items()
            value = take(at, operand) if verb == "set" else self.amended(at, value, verb, operand)
        return value

    def amended(self, at: Setting, value: Any, verb: str, operand: Any) -> Any:
        """``add`` and ``remove`` on a list."""
        if not isinstance(KINDS[at.field.kind].spell(()), tuple) or verb not in ("add", "remove"):
            raise Invalid(f"Field '{at.field.id}' does not support operation '{verb}'.")
        named = KINDS[at.field.kind].take(at, [operand]) or ()
        held = value or ()
        if verb == "remove":
            return tuple(one for one in held if one not in named) or None
        both = dict.fromkeys((*held, *named))
        return tuple(sorted(both)) if at.field.kind == "labels" else tuple(both)

    def require(self, values: Json, names: Iterable[str]) -> None:
        missing = [name for name in names if values.get(name) is None]
        if missing:
            raise Rejected(400, errors={name: self.missing(name) for name in missing})

    def missing(self, name: str) -> str:
        return (
            "You must specify a summary of the issue."
            if name == "summary"
            else f"{self.site.fields[name].name} is required."
        )

    # -- workflow

    def offered(self, user: User, issue: Issue) -> list[Transition]:
        """What the user may take from here; nothing at all without the right to transition."""
        if issue.archived or not self.site.may(user, issue.project, "TRANSITION_ISSUES"):
            return []
        return [
            step
            for step in self.type_of(issue).workflow.transitions
            if (not step.sources or issue.status.name in step.sources)
            and (not step.roles or any(self.site.in_role(user, issue.project, role) for role in step.roles))
        ]

    def transition(self, user: User, issue: Issue, id: str, fields: Json, update: Json) -> Issue:
        self.free(issue)
        step = next((step for step in self.offered(user, issue) if step.id == id), None)
        if step is None:
            raise Rejected(400, [f"Transition id '{id}' is not valid for this issue."])
        project = self.site.projects[issue.project]
        operations = {name: ops for name, ops in update.items() if name != "comment"}
        values = self.taken(project, step.screen, fields, issue.values, operations)
        self.require({**issue.values, **values}, step.required)
        if self.site.switches.reopening_clears:
            values |= dict.fromkeys(step.clears)
        for name, native in step.sets.items():
            at = Setting(self.site, project, self.site.fields[name])
            values[name] = KINDS[at.field.kind].take(at, KINDS[at.field.kind].typed(native))
        remarks = self.sayings(user, issue, update.get("comment"))
        issue = self.changed(user, issue, values, self.type_of(issue).workflow.status(step.to))
        return self.said(user, issue, remarks)

    # -- comments

    def sayings(self, user: User, issue: Issue, operations: Any) -> list[Saying]:
        """What an edit or a step says beside; refused before anything is written."""
        bodies = [operation.get("add") for operation in listed(operations)]
        return [self.saying(user, issue, body if isinstance(body, dict) else {}) for body in bodies]

    def said(self, user: User, issue: Issue, sayings: list[Saying]) -> Issue:
        for one in sayings:
            issue, _ = self.say(user, issue, one)
        return issue

    def comment(self, user: User, issue: Issue, body: Json) -> tuple[Issue, Remark]:
        """Adds ``{"body", "visibility", "properties"}``; the issue's ``updated`` moves with it."""
        return self.say(user, issue, self.saying(user, issue, body))

    def saying(self, user: User, issue: Issue, body: Json) -> Saying:
        if issue.archived or not self.site.may(user, issue.project, "ADD_COMMENTS"):
            raise Rejected(400, ["You do not have the permission to comment on this issue."])
        within(self.site.caps.comments, issue.remarks, "comments")
        text, visibility = self.worded(body.get("body")), self.visibility(user, issue, body.get("visibility"))
        return text, visibility, given(body)

    def say(self, user: User, issue: Issue, saying: Saying) -> tuple[Issue, Remark]:
        at, who = self.store.tick(), user.account_id
        remark = Remark(self.store.next_id(), who, at, at, who, *saying)
        self.store.belongs(remark.id, issue)
        self.notify(issue, remark)
        return self.store.put(replace(issue, updated=at, remarks=(*issue.remarks, remark))), remark

    def notify(self, issue: Issue, remark: Remark) -> None:
        """Those whom a comment calls by name hear of it, if they may read it; the author does not."""
        for by_id, who in called(remark.text):
            user = next((u for u in self.site.users.values() if who == (u.account_id if by_id else u.login)), None)
            hears = user is not None and issue.visible(self.site, user)
            if user is not None and hears and may_hear(self.site, issue.project, user, remark.visibility):
                if user.account_id != remark.author:
                    self.site.mentioned.append((str(issue.id), str(remark.id), user.account_id))

    def worded(self, text: Any) -> str:
        try:
            words = string(text).rstrip()
        except Invalid as error:
            raise Rejected(400, errors={"comment": str(error)}) from None
        if not words:
            raise Rejected(400, errors={"comment": "Comment body can not be empty!"})
        if length(words) > TEXT_LIMIT:
            raise Rejected(400, errors={"comment": TOO_LONG.format(TEXT_LIMIT)})
        return words

    def visibility(self, user: User, issue: Issue, asked: Any) -> tuple[str, str] | None:
        """Only to a role or group that exists and that the author belongs to."""
        if not asked:
            return None
        kind, name = asked.get("type"), asked.get("identifier") or asked.get("value")
        known = self.site.projects[issue.project].roles if kind == "role" else self.groups()
        if kind not in ("role", "group") or name not in known:
            raise Rejected(400, errors={"commentLevel": f"{str(kind).title()}: {name} does not exist."})
        if not may_hear(self.site, issue.project, user, (kind, name)):
            where = "project role" if kind == "role" else "group"
            raise Rejected(400, errors={"commentLevel": f"You are currently not a member of the {where}: {name}."})
        return kind, name

    def groups(self) -> set[str]:
        return {group for user in self.site.users.values() for group in user.groups}

    def reword(self, user: User, issue: Issue, remark: Remark, body: Json) -> tuple[Issue, Remark]:
        own = remark.author == user.account_id and self.site.may(user, issue.project, "EDIT_OWN_COMMENTS")
        if issue.archived or not (own or self.site.may(user, issue.project, "EDIT_ALL_COMMENTS")):
            raise Rejected(400, [f"You do not have the permission to edit comment with id: {remark.id}."])
        text = self.worded(body["body"]) if "body" in body else remark.text
        at = self.store.tick()
        visibility = self.visibility(user, issue, body["visibility"]) if "visibility" in body else remark.visibility
        properties = {**remark.properties, **given(body)}
        reworded = replace(
            remark, text=text, updated=at, editor=user.account_id, visibility=visibility, properties=properties
        )
        remarks = tuple(reworded if one.id == remark.id else one for one in issue.remarks)
        return self.store.put(replace(issue, updated=at, remarks=remarks)), reworded

    def unsay(self, user: User, issue: Issue, remark: Remark) -> Issue:
        own = remark.author == user.account_id and self.site.may(user, issue.project, "DELETE_OWN_COMMENTS")
        if issue.archived or not (own or self.site.may(user, issue.project, "DELETE_ALL_COMMENTS")):
            raise Rejected(400, [f"You do not have permission to delete comment with id: {remark.id}"])
        at = self.store.tick()
        remarks = tuple(one for one in issue.remarks if one.id != remark.id)
        if not self.site.switches.deleted_comments_in_history:
            return self.store.put(replace(issue, updated=at, remarks=remarks))
        item = Item("comment", "Comment", False, taken_back(remark), None)
        return self.store.put(issue.written(at, user.account_id, self.store.next_id(), (item,), remarks=remarks))

    def assign(self, user: User, issue: Issue, account: str | None) -> Issue:
        """Wants the right to assign, not to edit."""
        if issue.archived or not self.site.may(user, issue.project, "ASSIGN_ISSUES"):
            raise Rejected(403, ["You do not have permission to assign issues."])
        project = self.site.projects[issue.project]
        try:
            self.may_be_assigned(project, account)
        except Invalid as error:
            raise Rejected(400, errors={"assignee": str(error)}) from None
        return self.changed(user, issue, {"assignee": account})

    def may_be_assigned(self, project: Project, account: str | None) -> None:
        if account is not None and not self.assignable(project, account):
            raise Invalid(f"User '{account}' cannot be assigned issues.")

    def assignable(self, project: Project, account: str) -> bool:
        found = self.site.users.get(account)
        return self.site.may(found, project.key, "ASSIGNABLE_USER")

    # -- what does not show in `updated`

    def set_property(self, issue: Issue, key: str, value: Any) -> bool:
        """Whether it is new. Neither ``updated`` nor the changelog moves."""
        new = key not in issue.properties
        self.store.put(replace(issue, properties={**issue.properties, key: value}))
        return new

    def set_comment_property(self, user: User, issue: Issue, remark: Remark, key: str, value: Any) -> bool:
        """Whether it is new. The comment's ``updated`` does not move."""
        own = remark.author == user.account_id and self.site.may(user, issue.project, "EDIT_OWN_COMMENTS")
        if issue.archived or not (own or self.site.may(user, issue.project, "EDIT_ALL_COMMENTS")):
            raise Rejected(403, [f"You do not have the permission to edit comment with id: {remark.id}."])
        told = replace(remark, properties={**remark.properties, key: value})
        self.store.put(replace(issue, remarks=tuple(told if one.id == remark.id else one for one in issue.remarks)))
        return key not in remark.properties

    def unset_property(self, issue: Issue, key: str) -> None:
        self.store.put(replace(issue, properties={k: v for k, v in issue.properties.items() if k != key}))


def named(fields: Json, name: str) -> Json:
    """The object that names a project or a type; empty for anything else."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def taken_back(remark: Remark) -> str:
    """A deleted comment as the history keeps it; the words of one for a role or group are not shown."""
    if remark.visibility is None:
        return remark.text
    return f"A comment with security level '{remark.visibility[1]}' was removed."


def within(cap: int, held: Sequence[object], what: str) -> None:
    """Raises where one more would be too many for one issue."""
    if len(held) >= cap:
        raise Rejected(413, [f"You have exceeded the limit of {cap} {what} for this issue."])


def filled(values: Json) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
