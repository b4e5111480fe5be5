"""Issues as frozen documents: each write makes a new one, so that the search index can hold an older one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sandbox.jira.site import LinkType, Site, Status, User


@dataclass(frozen=True, slots=True)
class Item:
    """One field of a change, as the changelog words it; ``old`` and ``new`` are texts, ``None`` where empty, and the
    ids of what they name, where they name things that have ids."""

    field: str
    name: str
    custom: bool
    old: str | None
    new: str | None
    old_id: str | None = None
    new_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the changelog; ``at`` is in epoch milliseconds."""

    id: int
    at: int
    by: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment. ``visibility`` is ``("role"|"group", name)`` or ``None``; ``internal`` is the property
    ``sd.public.comment``."""

    id: int
    author: str
    created: int
    updated: int
    editor: str
    text: str
    visibility: tuple[str, str] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def internal(self) -> bool:
        value = self.properties.get("sd.public.comment")
        return isinstance(value, dict) and value.get("internal") in (True, "true")

    def channel(self, internal: bool = True) -> str:
        """``internal``: whether the property makes it so."""
        if self.visibility:
            return ":".join(self.visibility)
        return "internal" if self.internal and internal else "everyone"


@dataclass(frozen=True, slots=True)
class RemoteLink:
    id: int
    global_id: str
    relationship: str | None
    object: Mapping[str, Any]
    application: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IssueLink:
    """One end of a link between two issues, which both hold under the same id. ``source`` is the end that *blocks*."""

    id: int
    type: LinkType
    source: bool
    other: int


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    author: str
    created: int
    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Worklog:
    """``started`` is in epoch milliseconds, ``seconds`` is the time spent."""

    id: int
    author: str
    created: int
    updated: int
    editor: str
    started: int
    seconds: int
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """``id`` never changes, ``key`` does when it is moved. ``values`` hold what is not empty, by field id. Times are in
    epoch milliseconds."""

    id: int
    key: str
    project: str
    type: str
    status: Status
    creator: str
    created: int
    updated: int
    values: Mapping[str, Any]
    remarks: tuple[Remark, ...] = ()
    changes: tuple[Change, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[RemoteLink, ...] = ()
    hidden_from: frozenset[str] = frozenset()
    issue_links: tuple[IssueLink, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    worklogs: tuple[Worklog, ...] = ()
    watchers: tuple[str, ...] = ()
    archived: bool = False
    parent: int = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Issue:
        """A document is never changed, so a copy of all that is kept may share it."""
        return self

    @property
    def order(self) -> tuple[str, int]:
        """How keys sort."""
        project, _, number = self.key.rpartition("-")
        return project, int(number)

    def visible(self, site: Site, user: User | None) -> bool:
        return (
            site.may(user, self.project, "BROWSE_PROJECTS")
            and (user is not None and user.account_id not in self.hidden_from)
            and (not self.archived or site.may(user, self.project, "BROWSE_ARCHIVE"))
        )

    def heard(self, site: Site, user: User | None) -> tuple[Remark, ...]:
        """The comments this user may read, oldest first."""
        return tuple(remark for remark in self.remarks if may_hear(site, self.project, user, remark.visibility))

    def written(self, at: int, by: str, change_id: int, items: tuple[Item, ...], **parts: Any) -> Issue:
        """The next document, with its entry in the changelog."""
        return replace(self, updated=at, changes=(*self.changes, Change(change_id, at, by, items)), **parts)


def may_hear(site: Site, project: str, user: User | None, visibility: tuple[str, str] | None) -> bool:
    if visibility is None:
        return user is not None
    kind, name = visibility
    return site.in_role(user, project, name) if kind == "role" else user is not None and name in user.groups


def milliseconds(moment: datetime) -> int:
    """Epoch milliseconds of an aware instant, in whole numbers: floats would be off by one at times."""
    span = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (span.days * 86_400 + span.seconds) * 1000 + span.microseconds // 1000


def instant(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp // 1000, UTC).replace(microsecond=stamp % 1000 * 1000)
