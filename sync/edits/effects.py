"""What an edited file comes to: what waits in it, and what putting it into force would do, counted. For people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from mappings.fields import Spelling
from mappings.wording import many
from sync.edits.differ import Difference
from sync.edits.edit import Edit
from sync.merging.status import STAGE
from sync.plan import Open, Plan, Write
from sync.show import short
from sync.state import LinkState

ADVICE = "`plan --out FILE` shows what it would do, `apply FILE` puts it into force"


def edit_lines(edit: Edit | None) -> list[str]:
    """What of an edited file is not in force yet, a line each."""
    if edit is None:
        return []
    lines = [one.text for one in edit.waits]
    lines += [f"rules.{rule}: waits, for it names what is not in force yet" for rule in edit.rules]
    return [f"An edit of the file waits: {ADVICE}.", *(f"  {line}" for line in lines)]


def edit_text(edit: Edit, links: Iterable[LinkState], plans: Iterable[Plan]) -> RenderableType:
    """The differences key by key, what each means, and what they would change together."""
    blocks: list[RenderableType] = [Text("The file was edited", style="bold")]
    for one in edit.differences:
        style = "yellow" if one.waits else "dim"
        blocks.append(Text(f"  {one.text}", style=style))
        means = one.means if one.waits else "in force already"
        if means:
            blocks.append(Text(f"      {means}", style="dim"))
    late = "waits, for it names what is not in force yet"
    blocks += [Text(f"  rules.{rule}: {late}", style="yellow") for rule in edit.rules]
    found = effects(links, plans)
    blocks += [Text("In force, it would change", style="bold"), *(Text(f"  {line}") for line in found)] if found else []
    return Group(*blocks, Text(""))


def at_once_text(found: Sequence[Difference]) -> RenderableType:
    """Differences that wait for nobody: the next pass works by them."""
    blocks = [Text("The file was edited: the next pass works by it", style="bold")]
    for one in found:
        blocks += [Text(f"  {one.text}"), *([Text(f"      {one.means}", style="dim")] if one.means else [])]
    return Group(*blocks, Text(""))


def edit_json(edit: Edit | None) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {"key": one.key, "line": one.line, "old": one.old, "new": one.new, "waits": one.waits, "means": one.means}
        for one in (edit.differences if edit else ())
    ]


def effects(links: Iterable[LinkState], plans: Iterable[Plan]) -> list[str]:
    """What the plans would write, counted by side, field and values: ``12 defects: priority Medium → High``."""
    states = {link.key: link for link in links}
    counts: Counter[tuple[str, str]] = Counter()
    for plan in plans:
        counts.update(changes(plan, states))
    return [f"{many(count, side)}: {what}" for (side, what), count in counts.most_common()]


def changes(plan: Plan, states: Mapping[str, LinkState]) -> Iterator[tuple[str, str]]:
    """Each field that a plan writes and each item that it opens: the side, and what is done."""
    for action in plan.actions:
        if isinstance(action, Open):
            yield action.side, f"opened by route {action.route}"
        elif isinstance(action, Write):
            link = states.get(plan.key)
            echoes = next((i.echoes for i in link.items if i.ref == action.ref), {}) if link else {}
            for name, natives in action.natives.items():
                fields = [action.change.fields.get(native) for native in natives]
                now = action.change.state if name == STAGE else values(fields)
                was = echoes.get(name)
                yield action.side, f"{name} {spelled(was.spelling) if was else '(nothing)'} → {short(now, 40)}"


def values(fields: Iterable[object]) -> str:
    return ", ".join(short(value, 40) for value in fields)


def spelled(spelling: Spelling) -> str:
    return values(value for _, value in spelling)
