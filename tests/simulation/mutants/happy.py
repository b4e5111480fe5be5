"""Whether a mutant keeps the happy path: without faults an incident is linked and comments are carried, each once.

A mutant that fails here is a crash rather than a subtle bug, and proves nothing about the histories. By hand only:
``python -m tests.simulation.mutants --happy``.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

#: what is said where, one after the other
SAID = (("servicenow", "the caller waits"), ("jira", "looking at it"), ("azure", "a fix is coming"))


def happy() -> list[str]:
    """What went wrong; nothing where all is well."""
    from tests.world import ANA, CHEN, RITA, SAM, World, copies_of

    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        estate = world.estate

        def passes() -> None:
            for _ in range(3):
                world.once()
                world.later(minutes=1)

        passes()
        incident = world.incident()
        passes()
        estate.servicenow.move(incident, "In Progress", by=RITA)
        passes()
        defect = estate.jira.ids()[-1]
        estate.jira.update(defect, {"labels": [*estate.jira.item(defect)["labels"], "dev"]}, by=ANA)
        passes()
        items = {"servicenow": incident, "jira": defect, "azure": estate.azure.ids()[-1]}
        for (tracker, text), who in zip(SAID, (SAM, ANA, CHEN), strict=True):
            getattr(estate, tracker).comment(items[tracker], text, who)
            passes()
        wrong = [
            f"{text!r} stands {count} times on the {tracker} item"
            for tracker, id in items.items()
            for _, text in SAID
            if (count := copies_of(text, world.words(tracker, id))) != 1
        ]
        world.close()
    return wrong
