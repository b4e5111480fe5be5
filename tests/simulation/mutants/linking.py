"""Mutants of how items come together, stay together and are found again."""

from __future__ import annotations

from tests.simulation.mutants.mutant import Edit, Mutant

ROUTE = "sync.joining.route"

LINKING = (
    Mutant(
        "gone-created-again",
        "An item that is gone, or only hidden for a while, is created a second time.",
        "deletes",
        "resurrected",
        (
            Edit(
                ROUTE,
                "    taken = {item.side for item in sheet.link.items}\n    taken |=",
                "    there = sheet.seen.records\n"
                "    taken = {item.side for item in sheet.link.items if there.get(item.ref, item) is not None}\n"
                "    taken |=",
            ),
            Edit(
                ROUTE,
                "    begun = standing_creation(sheet, route, source, key)\n    side = sheet.setup.sides[route.opens]\n",
                "    begun = standing_creation(sheet, route, source, key)\n"
                '    if begun and begun.outcome == "done":\n'
                '        key = creation_key(sheet.setup.instance, f"{route.id} again", source.ref)\n'
                "        begun = next((one for one in sheet.link.creations if one.key == key), None)\n"
                "    side = sheet.setup.sides[route.opens]\n",
            ),
        ),
        "a counterpart deleted or hidden, and its source changed after that",
    ),
    Mutant(
        "tombstone-forgotten",
        "What a person took out of a link comes back by its mark.",
        "joins",
        "resurrected",
        (
            Edit(
                "sync.store.parting",
                "    tombstones.bar(connection, ref, (key, ALONE), by, now)\n    look_again",
                "    look_again",
            ),
        ),
        "an item taken out of its link by a person",
    ),
    Mutant(
        "rebuilt-unheard",
        "After the state was lost comments are said before anybody has looked whether they are there.",
        "lost",
        "doubled",
        (
            Edit(
                "sync.comments.discuss",
                "    if not rows and target.rebuilt and not target.talk and target.ref not in seen.comments:\n",
                "    if not rows and target.rebuilt and target.gone:\n",
            ),
        ),
        "a lost state, and a discussion that cannot be read in the first passes",
    ),
)
