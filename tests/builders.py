"""Small builders for the pure core and the store: a house with three sides, links and what the trackers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.auth import Secret, UserPassword
from mappings.banner import creation_key, link_key
from mappings.calendar import Calendar, Span
from mappings.conditions import Condition, Conditions
from mappings.disclosure import Channel, Mask, Path
from mappings.fields import Common, Field, Spelling, ValueRow
from mappings.model import Comment, Mark, Native, Record, Ref, Scope
from mappings.people import Party
from mappings.routes import Route
from mappings.stages import Stage, StageMap
from sync.merging.merge import Agreed, Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Open, Say, Write
from sync.setup import Guards, Rule, Setup, Side, Step, TrackerSettings
from sync.state import Facts, Item, LinkState, Seen

INSTANCE = "test"
MARK = f"lockstep-{INSTANCE}"
#: a Monday in office hours
NOW = datetime(2026, 11, 16, 18, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TRACKERS = {"incident": "snow", "defect": "jira", "pbi": "azure"}
INCIDENT, DEFECT, PBI = Ref("snow", "i1"), Ref("jira", "d1"), Ref("azure", "p1")
REFS = {"incident": INCIDENT, "defect": DEFECT, "pbi": PBI}
WALL = Calendar.always("UTC")

STAGES = StageMap(
    (
        Stage(
            "Validating",
            {"incident": ("New",), "defect": ("To Do",), "pbi": ("New",)},
            move="operations",
            decided_by="incident",
            target=Span(1),
        ),
        Stage(
            "Fixing",
            {
                "incident": ("In Progress", "On Hold:Awaiting Problem"),
                "defect": ("In Progress", "In Review"),
                "pbi": ("Approved", "Committed"),
            },
            move="developers",
            decided_by="defect",
            target=Span(2),
        ),
        Stage("Waiting", {"incident": ("On Hold:Awaiting Caller",)}, move="county", paused=True),
        Stage(
            "Closed",
            {"incident": ("Resolved", "Closed"), "defect": ("Done",), "pbi": ("Done",)},
            terminal=True,
            with_state={"incident": {"close_notes": "{resolution}"}},
        ),
    )
)


def one(name: str, value: Native) -> Spelling:
    return ((name, value),)


def two(impact: str, urgency: str) -> Spelling:
    return (("impact", impact), ("urgency", urgency))


def priority_row(means: int, defect: str, pbi: str, *incident: tuple[str, str]) -> ValueRow:
    spellings = {
        "incident": tuple(two(*pair) for pair in incident),
        "defect": (one("priority", defect),),
        "pbi": (one("Priority", pbi),),
    }
    return ValueRow(means, spellings)


PRIORITY = Field(
    "priority",
    "integer",
    {"incident": ("impact", "urgency"), "defect": ("priority",), "pbi": ("Priority",)},
    owner="incident",
    values=(
        priority_row(1, "Highest", "1", ("1", "1")),
        priority_row(2, "High", "2", ("1", "2"), ("2", "1")),
        priority_row(3, "Medium", "3", ("2", "2"), ("1", "3"), ("3", "1")),
        priority_row(4, "Low", "4", ("2", "3"), ("3", "2")),
        priority_row(5, "Lowest", "4", ("3", "3")),
    ),
)
SUMMARY = Field(
    "summary",
    natives={"incident": ("short_description",), "defect": ("summary",), "pbi": ("Title",)},
    owner="incident",
)
LABELS = Field("labels", "list", {"defect": ("labels",), "pbi": ("Tags",)})
RESOLUTION = Field("resolution", natives={"defect": ("resolution_text",)})
ESCALATION = Field(
    "escalation",
    natives={"incident": ("escalation",)},
    values=(
        ValueRow("Normal", {"incident": (one("escalation", "0"),)}),
        ValueRow("High", {"incident": (one("escalation", "2"),)}),
    ),
)
FIELDS = {f.name: f for f in (SUMMARY, PRIORITY, LABELS, RESOLUTION, ESCALATION)}

PARTIES = (
    Party("operations", ("incident",), {"snow": ("opal", "otto")}, email=("ops@example.org",)),
    Party("county", ("incident",), requester=True),
    Party("developers", ("defect", "pbi")),
)


def path(source: str, *targets: str) -> Path:
    return Path(Channel.parse(source), tuple(Channel.parse(target) for target in targets))


PATHS = (
    path("incident.comments", "defect.everyone", "pbi.discussion"),
    path("incident.work_notes", "defect.role:Developers"),
    path("defect.everyone", "incident.comments", "pbi.discussion"),
    path("pbi.discussion", "defect.everyone"),
)


def condition(text: str, fields: Iterable[Field] = FIELDS.values()) -> Condition:
    return Conditions({f.name: f.type for f in fields}).compile(text)


def rule(id: str = "quiet", *, after: Sequence[Span | None] = (None,), **said: Any) -> Rule:
    """A rule whose steps only count; ``quiet``, ``over``, ``over_span``, ``when``, ``steps`` and ``calendar``."""
    given = {"when": None, "quiet": None, "over": False, "over_span": None, "steps": tuple(map(Step, after))}
    return Rule(id, **{**given, **said})


def setup(**said: Any) -> Setup:
    """The house of these tests; any part of it may be said otherwise. ``whens`` are the routes' conditions."""
    whens: Mapping[str, str] = said.pop("whens", {})
    fields: Mapping[str, Field] = said.get("fields", FIELDS)
    given: dict[str, Any] = {
        "instance": INSTANCE,
        "state": Secret("sqlite://"),
        "secrets": (Secret("hush"),),
        "poll": timedelta(seconds=30),
        "sweep": HOUR,
        "zone": "UTC",
        "calendar": WALL,
        "workers": 1,
        "guards": Guards(),
        "trackers": {n: TrackerSettings(n, n, "", UserPassword("u", Secret("p"))) for n in TRACKERS.values()},
        "sides": {s: Side(s, t, Scope(s, MARK), f"a {s}") for s, t in TRACKERS.items()},
        "parties": PARTIES,
        "stages": STAGES,
        "routes": (),
        "conditions": {id: condition(text, fields.values()) for id, text in whens.items()},
        "fields": fields,
        "paths": PATHS,
        "masks": (),
        "rules": (),
        "automation": frozenset({"robot"}),
        "mail": None,
        "teams": {},
    }
    return Setup(**{**given, **said})


def mask(name: str, pattern: str) -> Mask:
    import re

    return Mask(name, re.compile(pattern))


def route(id: str, source: str, opens: str, **said: Any) -> Route:
    return Route(id, source, opens, **said)


NATIVES: dict[str, dict[str, Native]] = {
    "incident": {"short_description": "Broken", "impact": "2", "urgency": "2", "escalation": "0"},
    "defect": {"summary": "Broken", "priority": "Medium", "labels": (), "resolution_text": None},
    "pbi": {"Title": "Broken", "Priority": "3", "Tags": ()},
}


def side_of(ref: Ref) -> str:
    return next(side for side, tracker in TRACKERS.items() if tracker == ref.tracker)


def record(ref: Ref, state: str = "", version: int = 1, **said: Any) -> Record:
    """An item as its tracker shows it; ``fields`` are laid over those of a quiet link."""
    side = side_of(ref)
    states = {"incident": "In Progress", "defect": "In Progress", "pbi": "Approved"}
    fields = {**NATIVES[side], **said.pop("fields", {})}
    given: dict[str, Any] = {
        "key": ref.id.upper(),
        "url": f"https://{ref.tracker}/{ref.id}",
        "kind": f"a {side}",
        "created": NOW - 2 * DAY,
        "updated": NOW - DAY,
        "updated_by": "somebody",
        "mark": Mark(MARK, link_key(INSTANCE, INCIDENT)),
    }
    return Record(ref, state=state or states[side], version=version, fields=fields, **{**given, **said})


def echoes_of(record: Record, fields: Mapping[str, Field] = FIELDS, serial: int = 1) -> dict[str, Echo]:
    """The echoes of an item that is in step."""
    side = side_of(record.ref)
    declared = [f for f in fields.values() if side in f.natives]
    return {STAGE: Echo(spelled(record.state), serial)} | {
        f.name: Echo(f.spelled(side, record.fields), serial) for f in declared
    }


def item(record: Record, **said: Any) -> Item:
    """The item of a link that was last seen as this record."""
    given: dict[str, Any] = {"echoes": echoes_of(record), "assignee": record.assignee, "mark": record.mark}
    return Item(record.ref, side_of(record.ref), record.key, record.version, **{**given, **said})


AGREED = {
    STAGE: Agreed("Fixing", 1, "incident"),
    "summary": Agreed("Broken", 1, "incident"),
    "priority": Agreed(3, 1, "incident"),
    "labels": Agreed(None, 1),
    "resolution": Agreed(None, 1),
    "escalation": Agreed("Normal", 1, "incident"),
}


def link(*items: Item, **said: Any) -> LinkState:
    """A link in step, opened by the incident."""
    members = items or tuple(item(record(ref)) for ref in REFS.values())
    given: dict[str, Any] = {
        "id": 1,
        "key": link_key(INSTANCE, INCIDENT),
        "source": INCIDENT,
        "agreed": AGREED,
        "opened": NOW - DAY,
    }
    return LinkState(items=members, **{**given, **said})


def prospect(record: Record, **said: Any) -> LinkState:
    """An item that no link holds yet."""
    lone = Item(record.ref, side_of(record.ref), record.key, -1, assignee=record.assignee, mark=record.mark)
    return LinkState(0, link_key(INSTANCE, record.ref), record.ref, (lone,), **said)


FACTS = {
    "snow": Facts(4000, timedelta(seconds=30), "work_notes"),
    "jira": Facts(30000, timedelta(minutes=2), "internal"),
    "azure": Facts(100000, timedelta(seconds=30), "discussion"),
}


def seen(*records: Record, comments: Sequence[Comment] = (), heard: Iterable[Ref] = (), **said: Any) -> Seen:
    """What the trackers say; items without a record here stand as the builders make them. ``gone`` are hidden, and
    ``unread`` could not be read."""
    gone, unread = said.pop("gone", ()), said.pop("unread", ())
    shown: dict[Ref, Record | None] = {ref: record(ref) for ref in REFS.values()}
    shown |= {r.ref: r for r in records}
    shown |= dict.fromkeys(gone)
    shown = {ref: r for ref, r in shown.items() if ref not in unread}
    talk: dict[Ref, list[Comment]] = {ref: [] for ref in heard}
    for one_comment in comments:
        talk.setdefault(one_comment.item, []).append(one_comment)
    return Seen(shown, {ref: tuple(found) for ref, found in talk.items()}, facts=FACTS, **said)


def only_seen(*records: Record, comments: Sequence[Comment] = ()) -> Seen:
    """What the trackers say, and nothing else."""
    whole = seen(*records, comments=comments)
    return replace(whole, records={r.ref: r for r in records})


def comment(ref: Ref, id: str, text: str = "a word", channel: str = "", **said: Any) -> Comment:
    """A person's comment on the channel everyone reads."""
    channels = {"snow": "comments", "jira": "everyone", "azure": "discussion"}
    at = said.pop("at", NOW - HOUR)
    account = said.pop("account", "ann")
    return Comment(ref, id, channel or channels[ref.tracker], "Ann", account, at, at, text, **said)


def writes(plan_actions: Iterable[object]) -> dict[Ref, Write]:
    return {a.ref: a for a in plan_actions if isinstance(a, Write)}


def says(plan_actions: Iterable[object]) -> list[Say]:
    return [a for a in plan_actions if isinstance(a, Say)]


def opens(plan_actions: Iterable[object]) -> list[Open]:
    return [a for a in plan_actions if isinstance(a, Open)]


def spelled_priority(side: str, value: Common) -> Spelling:
    found = PRIORITY.spelling(side, value)
    assert found is not None
    return found


def made_key(route_id: str, source: Ref = INCIDENT) -> str:
    return creation_key(INSTANCE, route_id, source)
