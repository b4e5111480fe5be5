"""An issue of Jira as a record (Jira Cloud REST API, version 2: texts are wiki markup)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.jira import marker
from connectors.jira.fields import Schema, native
from connectors.jira.query import epoch
from mappings.model import BESIDE, MARKS, Comment, Kin, Mark, Moved, Native, Record, Ref, Scope
from mappings.text import from_wiki

#: what every record needs besides the fields of its scope
_ALWAYS = (
    *("project", "issuetype", "status", "labels", "description", "created", "updated", "assignee", "comment"),
    "parent",
)

#: what the history calls a change of state and of assignee
MOVES = {"status": "state", "assignee": "assignee"}


def wanted(scope: Scope) -> list[str]:
    """The fields to ask for."""
    keys = (scope.keys_field,) if scope.keys_field else ()
    own = (name for name in scope.fields if not name.startswith(BESIDE))
    return sorted({*_ALWAYS, scope.mark_field, *own, *keys, *(name for name, _ in scope.where)})


@dataclass(frozen=True, slots=True)
class Reading:
    """What is needed to read issues: the tracker's name and address, its fields, our own account. ``telling`` are the
    projects where a comment inside an issue tells who may read it; ``None``: all of them."""

    tracker: str
    url: str
    known: Mapping[str, Schema]
    account: str
    telling: frozenset[str] | None = None

    def record(self, scope: Scope, issue: Mapping[str, Any]) -> Record:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` where the issue is not of the documented shape."""
        fields = issue["fields"]
        ref = Ref(self.tracker, str(issue["id"]))
        labels = fields.get(scope.mark_field) or ()
        text, line = marker.split(fields.get("description") or "")
        updated = moment(fields["updated"])
        held = str(self.native("", scope.keys_field, fields) or "") if scope.keys_field else ""
        mark = Mark.parse(scope.mark, held or line) if scope.mark in labels else None
        return Record(
            ref=ref,
            key=issue["key"],
            url=f"{self.url}/browse/{issue['key']}",
            kind=fields["issuetype"]["name"],
            state=fields["status"]["name"],
            version=epoch(updated),
            created=moment(fields["created"]),
            updated=updated,
            updated_by=last_author(issue),
            assignee=(fields.get("assignee") or {}).get("displayName") or "",
            project=fields["project"]["key"],
            fields={name: self.native(scope.mark, name, {**fields, "description": text}) for name in scope.fields},
            mark=mark,
            occupied=occupied(scope, mark, held, labels, line),
            in_scope=self.in_scope(scope, fields),
            comments=self.comments_if_understood(ref, fields),
            moves=moves_of(issue.get("changelog")),
            kin=self.kin(fields),
        )

    def kin(self, fields: Mapping[str, Any]) -> tuple[Kin, ...]:
        """The issue above: of a sub-task, and of an epic's child (Jira Cloud REST API, "Get issue")."""
        above = fields.get("parent")
        return (Kin("parent", Ref(self.tracker, str(above["id"]))),) if above else ()

    def native(self, mark: str, name: str, fields: Mapping[str, Any]) -> Native:
        """A field's native value; the instance's own label is none of people's."""
        value = fields.get(name)
        if isinstance(value, list):
            value = [one for one in value if one != mark]
        return native(self.known.get(name), value)

    def in_scope(self, scope: Scope, fields: Mapping[str, Any]) -> bool:
        """Checked on our side: JQL ignores case and cannot compare every field."""
        if fields["project"]["key"] != scope.project:
            return False
        if scope.types and fields["issuetype"]["name"] not in scope.types:
            return False
        return all(self.holds(scope, name, values, fields) for name, values in scope.where)

    def holds(self, scope: Scope, name: str, values: tuple[str, ...], fields: Mapping[str, Any]) -> bool:
        held = self.native(scope.mark, name, fields)
        if held is None:
            return "" in values
        return bool({held} & set(values)) if isinstance(held, str) else bool(set(held) & set(values))

    # -- comments

    def comments_if_understood(self, ref: Ref, fields: Mapping[str, Any]) -> tuple[Comment, ...] | None:
        """One comment of an unknown shape keeps nobody from the rest of the issue: its discussion is asked for then."""
        try:
            return self.inline_comments(ref, fields)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def inline_comments(self, ref: Ref, fields: Mapping[str, Any]) -> tuple[Comment, ...] | None:
        """The comments inside an issue, oldest first; ``None`` where they are cut off, were not sent or do not tell who
        may read them."""
        inside = fields.get("comment")
        if not isinstance(inside, dict) or inside["total"] > len(inside["comments"]):
            return None
        if inside["total"] and self.telling is not None and fields["project"]["key"] not in self.telling:
            return None
        return self.comments(ref, inside["comments"])

    def comments(self, ref: Ref, comments: Iterable[Mapping[str, Any]]) -> tuple[Comment, ...]:
        read = [self.comment(ref, one) for one in comments]
        return tuple(sorted(read, key=lambda comment: (comment.created, int(comment.id))))

    def comment(self, ref: Ref, comment: Mapping[str, Any]) -> Comment:
        author = comment.get("author") or {}
        account = account_of(author)
        return Comment(
            item=ref,
            id=str(comment["id"]),
            channel=channel(comment),
            author=author.get("displayName") or "",
            account=account,
            created=moment(comment["created"]),
            updated=moment(comment["updated"]),
            text=from_wiki(comment["body"]),
            ours=bool(account) and account == self.account,
        )


def occupied(scope: Scope, mark: Mark | None, held: str, labels: Iterable[str], line: str) -> str:
    """What fills the place of our keys: a stranger's text in their field, or in the description the line of another
    instance, which its label gives away. Labels alone stand side by side."""
    if scope.keys_field:
        return "" if mark and marker.only_keys(held) else held
    others = [label for label in labels if label.startswith(MARKS) and label != scope.mark]
    return f"{others[0]} {line}" if others and line else ""


def channel(comment: Mapping[str, Any]) -> str:
    """Who may read it. A restriction to a role or group is the narrower one. Data Center has no ``jsdPublic``: there
    the property tells, where it was asked for (recorded: pycontribs/jira #1011)."""
    visibility = comment.get("visibility") or {}
    if visibility.get("type"):
        return f"{visibility['type']}:{visibility.get('value') or visibility.get('identifier')}"
    shown = {one["key"]: one["value"] for one in comment.get("properties") or ()}
    desk = shown.get("sd.public.comment")
    internal = isinstance(desk, dict) and desk.get("internal") in (True, "true")
    return "internal" if internal or comment.get("jsdPublic") is False else "everyone"


def moves_of(changelog: Any) -> tuple[Moved, ...] | None:
    """The changes of state and assignee in an issue's history, oldest first; ``None`` where it did not come whole."""
    if not isinstance(changelog, dict) or changelog.get("total", 0) > len(changelog.get("histories") or ()):
        return None
    return moved_in(changelog.get("histories") or ())


def moved_in(histories: Iterable[Mapping[str, Any]]) -> tuple[Moved, ...]:
    """Out of entries in whichever order. Only their field's name is always there (apis.md 2.3); a bulk read tells
    times in epoch milliseconds."""
    found = [
        Moved(
            MOVES[item["field"]], told_at(one["created"]), account_of(one.get("author") or {}), item["toString"] or ""
        )
        for one in histories
        for item in one["items"]
        if item["field"] in MOVES
    ]
    return tuple(sorted(found, key=lambda moved: moved.at))


def told_at(stamp: Any) -> datetime:
    """A time as either deployment tells it: milliseconds since 1970, or ISO 8601."""
    return datetime.fromtimestamp(stamp / 1000, UTC) if isinstance(stamp, int) else moment(stamp)


def last_author(issue: Mapping[str, Any]) -> str:
    """The account behind the newest change or comment that came with the issue; empty where none did. The order of
    the changelog is not promised."""
    histories = (issue.get("changelog") or {}).get("histories") or ()
    comments = (issue["fields"].get("comment") or {}).get("comments") or ()
    acts = [(moment(one["created"]), one.get("author") or {}) for one in histories]
    acts += [(moment(one["updated"]), one.get("updateAuthor") or {}) for one in comments if one.get("updated")]
    return account_of(max(acts, key=lambda act: act[0], default=(None, {}))[1])


def account_of(user: Mapping[str, Any]) -> str:
    """The account behind a user: in Cloud its id, in Data Center its user name, which older answers show without the
    key. Empty for one that is not shown."""
    return str(user.get("accountId") or user.get("name") or "")


def moment(text: str) -> datetime:
    """``2015-12-02T07:39:15.000-0800``, in whichever zone, as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
