"""The nouns every layer speaks: references, records, comments, marks, drafts and changes.

All are frozen. Every time is an aware UTC ``datetime``. A *native* value is how one tracker spells something,
normalised by its connector to ``str``, ``tuple[str, ...]`` (a list) or ``None`` (empty, missing, unreadable), so
that two readings of the same thing are equal in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Native = str | tuple[str, ...] | None

#: how names begin of what is read beside an item's own fields, and never written: how its pull requests stand and
#: where they are, and the last part of its iteration path
BESIDE = "@"
PULL_REQUEST, PULL_REQUEST_URL, ITERATION = "@pull_request", "@pull_request_url", "@iteration"
#: how the searchable mark of every instance begins
MARKS = "lockstep-"
#: ServiceNow's fields for the searchable mark and for the keys, unless the file names others
MARK_FIELDS = ("correlation_display", "correlation_id")


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The identity of an item: the tracker's name in the admin's file and the tracker's own stable id
    (ServiceNow ``sys_id``, Jira's numeric id, an Azure DevOps work item id). Never the readable key: keys change."""

    tracker: str
    id: str

    def __str__(self) -> str:
        return f"{self.tracker}/{self.id}"


@dataclass(frozen=True, slots=True)
class Mark:
    """What an item of a link carries. ``instance`` is searchable; the keys are readable on the item.

    ``link`` names the link, ``made`` the creation (empty where we did not create the item), ``at`` is when the
    link's source was read, by the source tracker's own clock (``YYYYMMDDHHMMSS`` UTC, empty if unknown): it tells,
    after the state was lost, which of the source's comments are older than the joining.
    """

    instance: str
    link: str = ""
    made: str = ""
    at: str = ""

    def keys(self) -> str:
        """The keys as one readable text, ``link:K made:K at:T``, 69 characters long. Final from the first landing."""
        parts = (("link", self.link), ("made", self.made), ("at", self.at))
        return " ".join(f"{name}:{value}" for name, value in parts if value)

    @staticmethod
    def parse(instance: str, text: str) -> Mark:
        """Reads ``keys()`` back, from anywhere in ``text``; unknown words, and what is too long for a key, are passed
        over: people can edit it."""
        found: dict[str, str] = {}
        for word in text.split():
            name, _, value = word.partition(":")
            if name in ("link", "made", "at") and 0 < len(value) <= 20:
                found.setdefault(name, value)
        return Mark(instance, **found)


@dataclass(frozen=True, slots=True)
class Comment:
    """One remark on one item, as plain text.

    ``channel`` is who may read it: ``comments``, ``work_notes`` (ServiceNow), ``everyone``, ``internal``,
    ``role:NAME``, ``group:NAME`` (Jira), ``discussion`` (Azure DevOps). ``account`` is the tracker's own name of
    the author's account, ``author`` the name people see. ``ours``: written by the account the connector uses.
    """

    item: Ref
    id: str
    channel: str
    author: str
    account: str
    created: datetime
    updated: datetime
    text: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Kin:
    """An item that a record names as its own ``parent`` or ``problem`` in its tracker, or as a ``child`` where the
    tracker tells of no change when that is put below it."""

    kind: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Moved:
    """One change of an item's ``state`` (as admins spell it) or ``assignee`` (as the tracker stores it), by its
    tracker's own history: when, by which account, to what."""

    what: str
    at: datetime
    account: str
    new: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a tracker says of an item now.

    ``version`` only grows while an item lives (``sys_mod_count``, Jira's ``updated`` in epoch milliseconds,
    ``rev``). ``state`` is spelled as admins spell it (``On Hold:Awaiting Vendor`` is ServiceNow's state and hold
    reason). ``fields`` holds what the scope asked for. ``comments`` is ``None`` where they were not read with the
    record; ``talk`` is anything whose change means that the discussion moved (empty where the tracker shows none:
    then every change of version may be a comment). ``in_scope``: re-checked on our side. ``occupied`` names the
    foreign text that fills the fields our mark would use, if any. ``kin`` are the items it
    names as its parent or problem. ``moves`` is
    the item's whole history of state and assignee, ``None`` where it did not come with the record.
    """

    ref: Ref
    key: str
    url: str
    kind: str
    state: str
    version: int
    created: datetime
    updated: datetime
    updated_by: str
    assignee: str = ""
    project: str = ""
    fields: Mapping[str, Native] = field(default_factory=dict)
    mark: Mark | None = None
    occupied: str = ""
    in_scope: bool = True
    talk: str = ""
    comments: tuple[Comment, ...] | None = None
    moves: tuple[Moved, ...] | None = None
    kin: tuple[Kin, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An item to create. ``fields`` are native spellings; ``extra`` are the admin's fixed creation fields (an area
    path, an assignment group). ``source_key`` and ``source_url`` name the item it is made from, ``parent`` the item of
    the same tracker that it stands below, if any."""

    kind: str
    fields: Mapping[str, Native]
    mark: Mark
    source_key: str
    source_url: str
    extra: Mapping[str, Native] = field(default_factory=dict)
    parent: Ref | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One intended write on one item: native ``fields``, and, where the status moves, the ``state`` to reach with
    the fields that go with it (``with_state``: close code and notes, a resolution). ``version`` is the one the
    decision was taken on; trackers that can, refuse the write when it moved on. ``mark`` is the item's own mark, for
    trackers that keep it inside a field that the change rewrites. ``also`` are the states that mean the same as
    ``state``: one of them is reached where a workflow knows no way to that."""

    fields: Mapping[str, Native] = field(default_factory=dict)
    state: str | None = None
    with_state: Mapping[str, Native] = field(default_factory=dict)
    version: int = 0
    mark: Mark | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """A side in its tracker's terms: which items may open or join a link, and what is read of them.

    ``where`` is ``((field, (alternative, ...)), ...)``, all of which must hold. ``table`` is ServiceNow's,
    ``project`` and ``types`` Jira's and Azure DevOps'. ``mark`` is the instance's searchable mark; the change query
    asks for *in scope or marked*. ``query`` is a condition in the tracker's own language that must hold as well; it is
    confirmed by id. ``mark_field`` is the field of labels that carries the mark, ``keys_field`` a configured text field
    for the keys (Jira), ``mark_fields`` the pair that carries mark and keys in ServiceNow. ``zone`` is where the file's
    days begin: a date that is written into a field of date and time becomes its midnight there.
    """

    side: str
    mark: str
    table: str = ""
    project: str = ""
    types: tuple[str, ...] = ()
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fields: tuple[str, ...] = ()
    keys_field: str = ""
    mark_fields: tuple[str, str] = MARK_FIELDS
    page: int = 0
    query: str = ""
    mark_field: str = "labels"
    zone: str = "UTC"
