"""What the connector finds in Azure DevOps by a question: what it made, what was created, what speaks of some words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connectors.azure_devops import listing
from connectors.azure_devops.reads import Reads, ids_of
from connectors.azure_devops.search import question
from connectors.azure_devops.service import WIQL, Ask
from connectors.base import Garbled, born
from connectors.garbled import complete
from mappings.model import Mark, Record, Scope
from mappings.words import search_words

#: how far the tracker's clock may stand behind the one that an intent was stamped by
SKEW = timedelta(minutes=10)


class Finds(Reads):
    """Queries of one organisation, each for ids, and then the items in batches."""

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> list[Record]:
        """A query by tag and date for ids, then their batch. The key is compared whole, so starting a little early,
        lest the clocks differ, finds nothing wrong."""
        tag, from_ = mark.instance.replace("'", "''"), f"{since - SKEW:%Y-%m-%dT%H:%M:%SZ}"
        query = (
            f"SELECT [System.Id] FROM WorkItems WHERE [System.Tags] CONTAINS '{tag}' "
            f"AND [System.CreatedDate] >= '{from_}' ORDER BY [System.CreatedDate], [System.Id]"
        )
        ask = Ask("POST", WIQL, query={"timePrecision": True}, content={"query": query})
        records, bad = self.answered(scope, self.service.read(ask, ids_of))
        made = [record for record in records if record.mark and record.mark.made == mark.made]
        return complete(sorted(made, key=lambda record: (record.created, int(record.ref.id))), bad)

    def created(self, scope: Scope, since: datetime, until: datetime) -> list[Record]:
        """A query for each ``IDS`` ids, then their batches."""
        found: list[Record] = []
        bad: dict[str, str] = {}
        ids: list[str] = ["0"]
        while ids:
            content = {"query": listing.question(scope, self.metadata, since, until, ids[-1])}
            ask = Ask("POST", WIQL, query={"timePrecision": True, "$top": listing.IDS}, content=content)
            ids = self.service.read(ask, ids_of)
            records, unknown = self.answered(scope, ids)
            found, bad = [*found, *records], {**bad, **unknown}
            ids = ids if len(ids) == listing.IDS else []
        return complete(born(found, since, until), bad)

    def answered(self, scope: Scope, ids: Sequence[str]) -> tuple[list[Record], Mapping[str, str]]:
        """The items that are there, and by id why others are not understood."""
        found: Mapping[str, Record | None]
        bad: Mapping[str, str] = {}
        try:
            found = self.read(scope, ids)
        except Garbled as garbled:
            found, bad = garbled.found, garbled.reasons
        return [record for record in found.values() if record], bad

    def search(self, scope: Scope, text: str, limit: int) -> list[Record]:
        """Two calls: a query for ids, then their batch."""
        words = search_words(text)
        if not words:
            return []
        content = {"query": question(scope, self.metadata, words, text)}
        ids = self.service.read(Ask("POST", WIQL, query={"$top": limit}, content=content), ids_of)
        found = self.read(scope, ids)
        return [record for id in ids if (record := found[id]) and (record.in_scope or record.mark)]
