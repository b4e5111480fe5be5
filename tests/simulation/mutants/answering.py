"""Mutants of what follows from an answer that was lost, that asks for rest, or that refuses."""

from __future__ import annotations

from tests.simulation.mutants.mutant import Edit, Mutant

TRANSPORT, APPLY, SETTLE = "connectors.transport", "sync.apply", "sync.settle"

#: of what was made twice only one is known, and followed
HALF = ("diverged", "lost")

LOST_ANSWERS = (
    Mutant(
        "unsure-as-done",
        "A comment whose answer was lost counts as said: where it never arrived, nobody says it again.",
        "weather",
        "lost",
        (
            Edit(
                APPLY,
                '        outcome = "unsure" if isinstance(failure, Unsure) else',
                '        outcome = "done" if isinstance(failure, Unsure) else',
            ),
        ),
        "a comment that is lost on its way without a trace",
    ),
    Mutant(
        "said-again-unread",
        "After a lost answer a comment is said again once some time has passed, without reading what is there.",
        "flood",
        "doubled",
        (
            Edit(
                "sync.comments.discuss",
                "    return believed if now < believed or target.ref not in seen.comments else None\n",
                "    return believed if now < believed else None\n",
            ),
            Edit(
                "sync.read",
                '    if any(c.outcome == "unsure" and k.target == item.ref for k, c in link.copies.items()):\n'
                "        return True\n",
                "",
            ),
        ),
        "a comment that took effect behind a lost answer, and a discussion that cannot be read for a while",
    ),
    Mutant(
        "creation-repeated",
        "A creation whose answer was lost is simply repeated in the next pass: two defects for one incident.",
        "lag",
        "doubled",
        (
            Edit(SETTLE, " + engine.facts()[tracker].grace\n", "\n"),
            Edit(SETTLE, "    found, strange = made(engine, begun)\n", "    found, strange = [], []\n"),
        ),
        "a creation whose answer is lost while the index trails",
        HALF,
    ),
    Mutant(
        "looked-up-too-soon",
        "A creation whose answer was lost is looked up at once: a trailing index does not show it, and it is repeated.",
        "lag",
        "doubled",
        (Edit(SETTLE, " + engine.facts()[tracker].grace\n", "\n"),),
        "a creation whose answer is lost while the index trails",
        HALF,
    ),
    Mutant(
        "crash-forgets-creation",
        "After a crash a creation that was under way counts as failed, and is repeated.",
        "crashes",
        "doubled",
        (Edit("sync.store.recovering", 'kind.not_in(["open", "show"])', 'kind.not_in(["show"])'),),
        "a death between a creation and the commit of its answer, while the index trails",
        HALF,
    ),
)

REST = (
    Mutant(
        "rest-on-success-ignored",
        "Azure DevOps's Retry-After on a 200 is overlooked: the organisation's quota goes, and everybody waits.",
        "quota",
        "over quota",
        (
            Edit(
                TRANSPORT,
                "        elif not self.rest_on_success:\n            return\n",
                "        else:\n            return\n",
            ),
        ),
        "answers of Azure DevOps that ask for rest",
    ),
    Mutant(
        "rest-ignored",
        "The length of a 429's Retry-After is overlooked: the next call comes after ten seconds.",
        "quota",
        "over quota",
        (
            Edit(
                TRANSPORT,
                "asked = asked or now + timedelta(seconds=DEFAULT_REST)\n",
                "asked = now + timedelta(seconds=DEFAULT_REST)\n",
            ),
        ),
        "a 429 that asks for more than ten seconds",
    ),
    Mutant(
        "rest-by-our-clock",
        "A Retry-After that is a date is held against our clock: where the tracker's is behind, we come too soon.",
        "quota",
        "over quota",
        (
            Edit(
                TRANSPORT,
                'sent = parsedate_to_datetime(response.headers["Date"]) if "Date" in response.headers else now\n',
                "sent = now\n",
            ),
        ),
        "a Retry-After as a date from a tracker whose clock is behind ours",
    ),
)

REFUSALS = (
    Mutant(
        "refusal-spreads",
        "One field that a tracker refuses holds every other field of the write.",
        "conflicts",
        "held without cause",
        (
            Edit(
                APPLY,
                "    blamed = [n for n in names if blames(refusal, action, n)]\n",
                "    blamed = names\n",
            ),
        ),
        "a write of several fields of which the tracker refuses one",
    ),
    Mutant(
        "refusal-for-ever",
        "What a tracker once refused is never tried again, though the cause is gone.",
        "weather",
        "held without cause",
        (Edit("sync.sheet", "    return held.retry > sheet.now\n", "    return True\n"),),
        "a refusal whose cause clears while nobody changes the value",
    ),
)

ANSWERING = LOST_ANSWERS + REST + REFUSALS
