"""The part of a first file that says where things are: trackers, sides, parties. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sync.interview.answers import Kept, SideAnswer, TrackerAnswer
from sync.interview.draft import GUESSED, Draft, party
from sync.interview.fields import needed
from sync.interview.toml import inline, listed, remarks, table, text, title

#: labels of fields by which the items of teams are commonly told apart
TEAMS = ("assignment group", "area path", "components", "component/s", "team")


def trackers(draft: Draft) -> Iterator[str]:
    yield from title("Trackers: who we talk to")
    for at, tracker in enumerate(draft.answers.trackers):
        yield from [""] if at else []
        yield f"[trackers.{tracker.name}]"
        told = draft.told[tracker.name]
        said = f"{told.product}, as {told.account}" if told.account else told.product
        rows = [("kind", text(tracker.kind), said), ("url", text(tracker.url), ""), ("auth", auth(tracker), "")]
        rows += [("ca", text(tracker.ca), "certificate authorities to trust")] if tracker.ca else []
        proxy = kept(tracker.proxy) if isinstance(tracker.proxy, Kept) else text(tracker.proxy)
        rows += [("proxy", proxy, "the way to reach it")] if tracker.proxy else []
        yield from table(rows)


def auth(tracker: TrackerAnswer) -> str:
    return inline(
        {name: kept(value) if isinstance(value, Kept) else text(value) for name, value in tracker.sign_in.items()}
    )


def kept(value: Kept) -> str:
    return inline({"env": text(value.env)} if value.env else {"file": text(value.file)})


def sides(draft: Draft) -> Iterator[str]:
    yield from title("Sides: the kinds of item that are kept together, in your people's own words")
    for at, side in enumerate(draft.answers.sides):
        yield from [""] if at else []
        yield f"[sides.{side.name}]"
        place = [(word, value) for word in ("table", "project", "type") if (value := getattr(side.place, word))]
        rows = [("tracker", text(side.tracker), ""), *((word, text(value), "") for word, value in place)]
        yield from table([*rows, scope(draft, side)])
        yield from creation(draft, side)


def scope(draft: Draft, side: SideAnswer) -> tuple[str, str, str]:
    """Which items count: as answered, else an example of a field that teams are commonly told apart by."""
    if side.where:
        pairs = {name: listed(values) for name, values in side.where}
        return "scope", inline(pairs), "which items may open or join a link"
    fields = draft.items(side.name).fields
    known = [name for label in TEAMS for name, one in fields.items() if one.label.casefold() == label]
    name = next(iter(known), "field")
    values = list(fields[name].choices)[:2] if name in fields else []
    return "#scope", inline({name: listed(values or ["..."])}), "every item may open or join a link; or only these"


def creation(draft: Draft, side: SideAnswer) -> Iterator[str]:
    """What a new item asks for that no field supplies; only for sides that a route may open."""
    mapped = [native for field in draft.fields for native in field.natives.get(side.name, ())]
    asked = needed(draft.items(side.name), mapped) if side.name != draft.opener else {}
    for name, (_, choices) in asked.items():
        takes = f": it takes {', '.join(choices)}" if choices else ""
        yield from remarks(f"{GUESSED} a new {side.name} needs {name}{takes}")
    if asked:
        yield f"create = {inline({name: text(value) for name, (value, _) in asked.items()})}"


def parties(draft: Draft) -> Iterator[str]:
    yield from title("Parties: whose move it can be", f"{GUESSED} one for the people of each side")
    for at, side in enumerate(draft.answers.sides):
        yield from [""] if at else []
        yield f"[parties.{party(side.name)}]"
        yield f"sides = {listed([side.name])}"
        yield f'#recipients = {{ email = ["{side.name}-team@example.org"] }}'
