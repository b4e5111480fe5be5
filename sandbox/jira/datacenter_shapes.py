"""How things look in an answer of Data Center, where that is not as in Cloud (REST API 10.3, recorded fixtures)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.jira.issues import Change, Issue, Remark
from sandbox.jira.shapes import View
from sandbox.jira.site import Field, Project, Transition

#: sizes in pixels and what Jira calls them
AVATARS = {"48x48": "large", "24x24": "small", "16x16": "xsmall", "32x32": "medium"}


class ServerView(View):
    """People by user name, key and e-mail address; comments that do not tell whether they are internal."""

    def issue(
        self, issue: Issue, fields: Sequence[str], expand: str = "", properties: Sequence[str] = ()
    ) -> dict[str, Any]:
        """With its key, whatever was asked for. The category of the status is no field of its own."""
        shown = {**super().issue(issue, fields, expand, properties), "key": issue.key}
        shown.get("fields", {}).pop("statusCategory", None)
        return shown

    def value(self, issue: Issue, name: str) -> Any:
        field = self.site.fields.get(name)
        held = issue.values.get(name)
        return self.account(held) if field and field.kind == "user" and held else super().value(issue, name)

    def account(self, account: str) -> dict[str, Any]:
        user = self.site.users[account]
        pictures = f"{self.base}/secure/useravatar?ownerId={user.account_id}"
        return {
            "self": f"{self.root}/user?username={user.login}",
            "name": user.login,
            "key": user.account_id,
            "emailAddress": user.email,
            "avatarUrls": {size: f"{pictures}&size={name}" for size, name in AVATARS.items()},
            "displayName": user.name,
            "active": True,
            "timeZone": user.zone,
        }

    def comment(self, issue: Issue, remark: Remark, expand: str = "") -> dict[str, Any]:
        """Whether it is internal only its property tells, where it is asked for (recorded: pycontribs/jira #1011)."""
        shown = super().comment(issue, remark, expand)
        del shown["jsdPublic"]
        if remark.visibility:
            kind, name = remark.visibility
            shown["visibility"] = {"type": kind, "value": name}
        return shown

    def history(self, issue: Issue) -> dict[str, Any]:
        """Whole, the oldest first."""
        changes = [self.change(change) for change in issue.changes]
        return {"startAt": 0, "maxResults": len(changes), "total": len(changes), "histories": changes}

    def change(self, change: Change) -> dict[str, Any]:
        """Fields are named as people see them, and never by their id."""
        shown = super().change(change)
        for item in shown["items"]:
            item.pop("fieldId", None)
        return shown

    def type(self, project: Project, name: str) -> dict[str, Any]:
        shown = super().type(project, name)
        del shown["hierarchyLevel"]
        return shown

    def project(self, project: Project) -> dict[str, Any]:
        shown = super().project(project)
        del shown["simplified"]
        return shown

    def transition(self, issue: Issue, step: Transition, with_fields: bool) -> dict[str, Any]:
        shown = super().transition(issue, step, with_fields)
        return {name: shown[name] for name in ("id", "name", "to", "fields") if name in shown}

    def place_meta(self, name: str, held: dict[str, Any]) -> dict[str, Any]:
        shown = super().place_meta(name, held)
        shown["fieldId"] = shown.pop("key")
        return shown

    def field_meta(self, project: Project, name: str, required: bool) -> dict[str, Any]:
        shown = super().field_meta(project, name, required)
        shown["fieldId"] = shown.pop("key")
        return shown

    def field(self, field: Field) -> dict[str, Any]:
        return without_key(super().field(field))

    def field_list(self) -> list[dict[str, Any]]:
        return [without_key(one) for one in super().field_list() if one["id"] != "statusCategory"]


def without_key(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "key"}
