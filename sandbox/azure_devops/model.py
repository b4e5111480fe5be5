"""The nouns of the simulated organisation: people, projects, work items, their updates, relations and comments."""

from __future__ import annotations

import base64
import uuid
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

#: the revisedDate of what is still current (spec examples, updates and relations)
FOREVER = "9999-01-01T00:00:00Z"

_SPACE = uuid.UUID("5264459e-e5e0-4bd8-b118-0985e68a4ec5")


@lru_cache(maxsize=65_536)
def guid(*parts: str) -> str:
    """A stable guid for a name, so that two runs of one story give the same bodies."""
    return str(uuid.uuid5(_SPACE, "/".join(parts)))


@dataclass(frozen=True, slots=True)
class Person:
    """An identity of the organisation. A service principal has no e-mail: its ``unique_name`` is its object id."""

    unique_name: str
    display_name: str
    #: the zone in which the person's queries read days, an IANA name
    zone: str = "UTC"

    @property
    def id(self) -> str:
        return guid("person", self.unique_name.lower())

    @property
    def descriptor(self) -> str:
        return "aad." + base64.b64encode(self.id.encode()).decode().rstrip("=")

    @property
    def full_name(self) -> str:
        """``Name <unique name>``, as identities are written and as the reporting feed shows them."""
        return f"{self.display_name} <{self.unique_name}>"


@dataclass(frozen=True, slots=True)
class Project:
    """A team project; ``areas`` and ``iterations`` are the paths below its roots at its birth, without the root."""

    name: str
    process: str
    areas: tuple[str, ...] = ()
    iterations: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return guid("project", self.name)


@dataclass(slots=True)
class Relation:
    """A link of a work item. ``id`` is a resource link's own; work item links have none but a ``target``. ``name`` is
    an artifact link's kind or a file's name, ``size`` a file's length in bytes."""

    rel: str
    url: str
    comment: str = ""
    id: int = 0
    at: datetime | None = None
    target: int = 0
    name: str = ""
    size: int = 0

    @property
    def is_resource(self) -> bool:
        """Hyperlinks, artifacts and files make a revision; links between work items do not (recorded)."""
        return self.rel in ("Hyperlink", "ArtifactLink", "AttachedFile")


@dataclass(slots=True)
class Comment:
    """``older`` are the versions before this one: text, whether it was deleted, when and by whom it was written;
    ``reactions`` maps a kind to the people who chose it."""

    id: int
    text: str
    format: str
    at: datetime
    by: str
    changed_at: datetime
    changed_by: str
    version: int = 1
    deleted: bool = False
    older: list[tuple[str, bool, datetime, str]] = field(default_factory=list)
    reactions: dict[str, set[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Update:
    """One change of a work item. ``changes`` maps a field to (old, new); a work item link changes no revision, so
    ``rev`` may repeat the one before."""

    rev: int
    at: datetime
    by: str
    watermark: int
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    added: tuple[Relation, ...] = ()
    removed: tuple[Relation, ...] = ()
    updated: tuple[Relation, ...] = ()
    comment: int = 0
    revised: datetime | None = None


@dataclass(slots=True)
class WorkItem:
    """``fields`` holds what people and rules wrote: identities as unique names, dates as wire text, tags as one text.
    What the server counts (ids, dates of change, numbers of comments) is worked out when it is asked for."""

    id: int
    fields: dict[str, Any]
    created: datetime
    created_by: str
    rev: int = 1
    changed: datetime | None = None
    changed_by: str = ""
    watermark: int = 0
    deleted: bool = False
    formats: dict[str, str] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    #: the update that made the newest revision; later ones are of links alone
    current: Update = field(default_factory=lambda: Update(0, datetime.min, "", 0))

    @property
    def project(self) -> str:
        return str(self.fields["System.TeamProject"])

    @property
    def type(self) -> str:
        return str(self.fields["System.WorkItemType"])

    @property
    def comment_count(self) -> int:
        return sum(not comment.deleted for comment in self.comments)

    def revision(self, rev: int) -> Update:
        """The update that made revision ``rev``."""
        return self.updates[bisect_left(self.updates, rev, key=lambda update: update.rev)]

    def said_at(self, rev: int) -> Comment | None:
        """The comment that a revision was made for."""
        id = self.revision(rev).comment
        return next((comment for comment in self.comments if comment.id == id), None) if id else None

    def fields_at(self, rev: int) -> dict[str, Any]:
        """The fields as they stood at ``rev``."""
        if rev >= self.rev:
            return self.fields
        fields = dict(self.fields)
        for update in reversed(self.updates):
            if update.rev <= rev:
                break
            fields |= {name: old for name, (old, _) in update.changes.items()}
        return {name: value for name, value in fields.items() if value not in (None, "")}

    def comments_at(self, rev: int) -> int:
        """How many comments there were at ``rev``."""
        later = sum(bool(update.comment) for update in self.updates if update.rev > rev)
        return max(0, self.comment_count - later)


@lru_cache(maxsize=65_536)
def tags_of(text: str | None) -> tuple[str, ...]:
    """The tags in a ``System.Tags`` text; the field is cut at semicolons and commas."""
    pieces = (piece.strip() for piece in (text or "").replace(",", ";").split(";"))
    return tuple(dict.fromkeys(piece for piece in pieces if piece))


def joined(tags: tuple[str, ...] | list[str]) -> str:
    """Tags as the field holds them, each once whatever its case."""
    kept: dict[str, str] = {}
    for tag in tags:
        kept.setdefault(tag.lower(), tag)
    return "; ".join(kept.values())
