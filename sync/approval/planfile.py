"""Plan files: what a person is to approve, as a document that says it in words and pins it by digests. Pure.

No text of a comment stands in it: a copy is told by its place and size, and what exactly would be done by a digest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any

from mappings.model import Record, Ref
from sync.plan import Notify, Plan, Proposal
from sync.state import LinkState, Seen

FORMAT = 1
#: the kinds that may be asked for: what first contact left aside, and what an edited file does
KINDS = ("adopt", "open", "follow", "join", "align", "edit")
#: what varies from one look to the next without changing what is done: reasons for people, instants, serials
PASSING = frozenset({"reason", "at", "came", "version", "serial", "serials", "fingerprints", "wait"})


#: tells the actions of a plan: for each its kind, what it does and the reason, without the text of any comment
Words = Callable[[Plan], Iterable[Mapping[str, str]]]


class PlanFileBroken(Exception):
    """The file cannot be applied. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as the plan was made on it. ``content`` are digests of what was seen, by native field, so that what
    changed since can be named without keeping what it said."""

    key: str
    side: str
    version: int
    content: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What would be done on one link: the items by reference, the proposals taken in, each action in words, and the
    ``digest`` of what exactly that is."""

    key: str
    title: str
    digest: str
    items: Mapping[str, Item]
    proposals: tuple[Mapping[str, str], ...] = ()
    actions: tuple[Mapping[str, str], ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the proposals that it takes in."""
        return frozenset(proposal["key"] for proposal in self.proposals)


@dataclass(frozen=True, slots=True)
class Edited:
    """The edited file that the plan puts into force: the digest of its text, and each difference in words."""

    digest: str
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A plan file. ``file`` is the digest of the admin's file that it was made under."""

    instance: str
    file: str
    made: str
    kinds: tuple[str, ...]
    entries: tuple[Entry, ...]
    edited: Edited | None = None

    @property
    def approved(self) -> frozenset[str]:
        """The keys of all proposals that it takes in."""
        return frozenset(key for entry in self.entries for key in entry.keys)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many links each kind of proposal and of action concerns."""
        found: Counter[str] = Counter()
        for entry in self.entries:
            found.update({f"approve: {proposal['kind']}" for proposal in entry.proposals})
            found.update({f"do: {action['kind']}" for action in entry.actions})
        return found

    @property
    def hash(self) -> str:
        """What a person approves: over everything in the document."""
        return sealed(asdict(self))


# ── making ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def entry_of(link: LinkState, plan: Plan, proposals: Sequence[Proposal], seen: Seen, words: Words) -> Entry:
    """What a plan would do on a link. ``words`` tells an action in a sentence."""
    items = looked_at(link, plan, seen)
    found = {str(ref): Item(key, side, version, content) for ref, key, side, version, content in items}
    return Entry(
        link.key,
        plan.title,
        digest_of(plan),
        found,
        tuple({"key": p.key, "kind": p.kind, "text": p.text} for p in proposals),
        tuple(words(plan)),
    )


def looked_at(link: LinkState, plan: Plan, seen: Seen) -> Iterable[tuple[Ref, str, str, int, Mapping[str, str]]]:
    """The items of the link and those that come into it."""
    for item in link.items:
        record = seen.records.get(item.ref)
        version = record.version if record else item.version
        yield item.ref, item.key, item.side, version, content_of(record)
    members = {item.ref for item in link.items}
    for joining in plan.settlement.joins:
        if (record := seen.records.get(joining.ref)) is not None and joining.ref not in members:
            yield joining.ref, record.key, joining.side, record.version, content_of(record)


def content_of(record: Record | None) -> Mapping[str, str]:
    """What was seen of an item, each part as a digest; empty where it was not there."""
    if record is None:
        return {}
    parts: dict[str, object] = {**record.fields, "(state)": record.state, "(type)": record.kind}
    parts["(scope)"] = record.in_scope
    parts["(mark)"] = f"{record.mark.instance} {record.mark.link}" if record.mark else record.occupied
    return {name: short_digest(value) for name, value in sorted(parts.items())}


def short_digest(value: object) -> str:
    """Twelve characters by which two values are told apart."""
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def digest_of(plan: Plan) -> str:
    """A digest of everything that the plan does to trackers and links, whenever it is made."""
    doings = [*(a for a in plan.actions if not isinstance(a, Notify)), *plan.settlement.joins]
    return sealed(sorted(json.dumps(plain(doing), sort_keys=True) for doing in doings))


def plain(value: Any) -> Any:
    """A value as JSON, without what is passing."""
    if is_dataclass(value) and not isinstance(value, type):
        named = ((f.name, getattr(value, f.name)) for f in fields(value) if f.name not in PASSING)
        return {"": type(value).__name__, **{name: plain(inner) for name, inner in named}}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def sealed(value: object) -> str:
    """SHA-256 of what a document says, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


# ── writing and reading ──────────────────────────────────────────────────────────────────────────────────────────────


def as_text(document: Document) -> str:
    """The document as it stands in its file."""
    head = {"lockstep plan": FORMAT, "hash": document.hash, "counts": dict(sorted(document.counts.items()))}
    return json.dumps({**head, **asdict(document)}, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def read(text: str) -> Document:
    """The document in a file's text. Raises ``PlanFileBroken`` where it is none, or not as it was written."""
    try:
        said = json.loads(text)
        if said["lockstep plan"] != FORMAT:
            raise PlanFileBroken(f"this plan file is of another format than {FORMAT}: make it anew")
        document = document_of(said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PlanFileBroken("this is no plan file; make one with lockstep plan --out FILE") from None
    if document.hash != said.get("hash") or dict(document.counts) != said.get("counts"):
        raise PlanFileBroken("this plan file was changed after it was made; make it anew, it cannot be edited")
    return document


def document_of(said: Mapping[str, Any]) -> Document:
    """The document that a file tells. Raises ``KeyError`` or ``TypeError`` where it is of another shape."""
    edited = said["edited"]
    return Document(
        instance=said["instance"],
        file=said["file"],
        made=said["made"],
        kinds=tuple(said["kinds"]),
        entries=tuple(entry_from(entry) for entry in said["entries"]),
        edited=Edited(edited["digest"], tuple(edited["differences"])) if edited else None,
    )


def entry_from(said: Mapping[str, Any]) -> Entry:
    """An entry as it stands in a file."""
    items = {ref: Item(**item) for ref, item in said["items"].items()}
    proposals, actions = (tuple(dict(one) for one in said[name]) for name in ("proposals", "actions"))
    return Entry(said["key"], said["title"], said["digest"], items, proposals, actions)


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an entry: it may be carried out (``skip`` and ``over`` are empty), was carried out before
    (``over``), or is not what was approved (``skip`` says why)."""

    skip: str = ""
    over: bool = False


def compare(
    entry: Entry, link: LinkState, plan: Plan, proposals: Collection[str], seen: Seen, *, begun: bool = False
) -> Verdict:
    """Whether the plan, decided anew with what was approved, is still the one that was. ``proposals`` are the keys of
    what still waits for a person without it; ``begun``: it was carried out before, or a process died over it. What is
    proposed no more and was never begun was settled otherwise."""
    done = not entry.keys & set(proposals) if entry.keys else plan.quiet
    if done and link.id and (begun or not entry.keys):
        return Verdict(over=True)
    if changed := changes_since(entry, link, plan, seen):
        return Verdict(f"changed since the plan was made: {changed}")
    if digest_of(plan) != entry.digest:
        return Verdict("it would do something else now; make a new plan to see what")
    return Verdict()


def changes_since(entry: Entry, link: LinkState, plan: Plan, seen: Seen) -> str:
    """Which items are others now, or show something else, in words."""
    told: list[str] = []
    there = list(looked_at(link, plan, seen))
    for ref, key, _, version, content in there:
        before = entry.items.get(str(ref))
        if before is None:
            told.append(f"{key} is new in it")
            continue
        parts = [name for name in {**before.content, **content} if before.content.get(name) != content.get(name)]
        if parts:
            at = f" (version {before.version}, now {version})" if version != before.version else ""
            told.append(f"{key}: {', '.join(sorted(parts))}{at}" if content else f"{key} is gone or hidden")
    present = {str(ref) for ref, *_ in there}
    told += [f"{item.key} is no longer in it" for ref, item in entry.items.items() if ref not in present]
    return "; ".join(told)


def made_at(now: datetime) -> str:
    """When the plan was made: ISO 8601 with its zone, in seconds."""
    return now.isoformat(timespec="seconds")
