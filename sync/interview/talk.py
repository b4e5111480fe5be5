"""The part of a first file that says what may cross, and what happens when nothing does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sync.interview.draft import Draft, channels, party, public, worker
from sync.interview.toml import inline, off, remarks, table, text, title


def comments(draft: Draft) -> Iterator[str]:
    about = "Nothing is open: no comment crosses until you say so. A path is direct; a copy never travels on."
    yield from title("Comments: what may cross", about)
    for side in draft.answers.sides:
        yield from remarks(f"{side.name} has {', '.join(channels(draft, side))}")
    names = [side.name for side in draft.answers.sides]
    for source, target in [*pairwise(names), *pairwise(reversed(names))]:
        rows = [
            ("from", text(f"{source}.{public(draft, source)}"), ""),
            ("to", text(f"{target}.{public(draft, target)}"), ""),
        ]
        yield from ["", *off(["[[comments]]", *table(rows)])]
    yield from ["", "[disclosure]"]
    yield from table([("mask", '["ssn", "card"]', "never crosses, whatever the path: numbers of this form are masked")])


def rules(draft: Draft) -> Iterator[str]:
    yield from title(
        "Rules: what happens when work stalls", "Examples. A rule is either quiet, or over its stage's target."
    )
    stage = draft.active or next(iter(draft.stages), None)
    when = [("when", f"'stage == \"{stage.name}\"'", "")] if stage else []
    side = worker(draft)
    said = {
        "on": text(f"{side}.{public(draft, side)}"),
        "text": text(f"No movement for {{quiet}}. Is {{{draft.opener}}} on track?"),
    }
    mail = {"to": text(party(side)), "subject": text(f"{{{draft.opener}}}: no movement for {{quiet}}")}
    quiet = ("quiet", text("2d"), "business time of the party whose move it is")
    yield from off(["[[rules]]", *table([("id", text("quiet"), ""), *when, quiet])])
    yield from off(["[[rules.steps]]", f"say   = {inline(said)}"])
    yield from off(["[[rules.steps]]", 'after = "1d"', f"email = {inline(mail)}"])
    yield from ["", *off(["[mail]", 'server = "smtp://mail.example.org:587"', 'sender = "lockstep@example.org"'])]
