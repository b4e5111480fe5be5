"""What the connector writes in ServiceNow, over the Table API: one call each, and one for a name not met yet."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.base import Refused, Said, Unsure
from connectors.servicenow.reads import Reads
from connectors.servicenow.schema import Schema, written
from connectors.servicenow.table import Listing, plain
from mappings.mentions import Mention, rendered
from mappings.model import Change, Draft, Mark, Native, Record, Scope
from mappings.text import to_journal

#: what would end the name in a mention
_NO_NAME = re.compile(r"[\[\]:\s]+")


class ServiceNow(Reads):
    """A connector to one instance; see ``connectors.base.Connector`` for what each method promises. Here is what it
    writes."""

    def create(self, scope: Scope, draft: Draft) -> Record:
        above: dict[str, Native] = {"parent": draft.parent.id} if draft.parent else {}
        values = self.values(scope, {**above, **draft.extra, **draft.fields})
        return self.sent("POST", scope, {**values, **self.marked(scope, draft.mark)})

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        """One PATCH. ServiceNow has no conditional write: a change made since the record was read is not noticed
        here, and fields that this change does not name keep it."""
        schema = self.schema(scope.table)
        moved = schema.state_values(change.state, record.state) if change.state is not None else {}
        values = self.values(scope, {**change.fields, **change.with_state})
        return self.patched(scope, record, {**values, **moved})

    def adopt(self, scope: Scope, record: Record, mark: Mark) -> Record:
        if record.occupied:
            fields = " and ".join(scope.mark_fields)
            raise Refused(f"{record.key} holds another system's text in {fields}", scope.mark_fields)
        if record.mark and record.mark.keys() == mark.keys():
            return record
        adopted = self.patched(scope, record, self.marked(scope, mark))
        if adopted.mark is None or adopted.mark.keys() != mark.keys():
            kept = f"{self.name} kept the mark fields of {record.key} as they were"
            raise Refused(f"{kept}: grant write on {' and '.join(scope.mark_fields)}", scope.mark_fields)
        return adopted

    def unmark(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """Empties the two fields, where they hold this instance's mark."""
        if record.mark is None:
            return record
        cleared = self.patched(scope, record, dict.fromkeys(scope.mark_fields, ""))
        if cleared.mark is not None:
            kept = f"{self.name} kept the mark fields of {record.key} as they were"
            raise Refused(f"{kept}: grant write on {' and '.join(scope.mark_fields)}", scope.mark_fields)
        return cleared

    def show(self, scope: Scope, record: Record, mark: Mark, source_key: str, source_url: str) -> None:
        """Nothing to do: mark and keys stand in fields of the record."""

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """One entry of the journal ``comments`` (the caller reads it) or ``work_notes``."""
        if channel not in ("comments", "work_notes"):
            raise Refused(f"ServiceNow has no channel {channel!r}: use comments or work_notes")
        listing = Listing(scope.table, (), ("sys_id", "sys_mod_count"))
        words = rendered(text, to_journal, self.mention)
        row = self.client.write("PATCH", listing, {channel: words}, record.ref.id)
        version = int(plain(row.get("sys_mod_count")) or 0)
        self.journal.apart = self.journal.apart or version == record.version
        return Said("", version)

    def mention(self, called: Mention) -> str:
        """``@[sys_id:name]``, which is what the platform's own forms write and what it notifies by, also where it comes
        through the API (ServiceNow Community, "@mentions through API"). One call for each new account; somebody who is
        not found, or not alone of that name, stands there in plain words."""
        plainly = to_journal(called.name)
        try:
            id = self.looked_up(Schema("task"), "assigned_to", called.account)
        except Refused:
            return plainly
        return f"@[{id}:{_NO_NAME.sub(' ', plainly).strip()}]"

    def reword(self, scope: Scope, record: Record, comment: str, channel: str, text: str) -> Said:
        """A journal only grows."""
        raise Refused(f"{self.name} keeps what was said: an entry of its journal cannot be changed")

    def patched(self, scope: Scope, record: Record, values: Mapping[str, str]) -> Record:
        return self.sent("PATCH", scope, values, record.ref.id)

    def sent(self, method: str, scope: Scope, values: Mapping[str, str], id: str = "") -> Record:
        """A write that is acknowledged is done, even where the answer lacks what a record needs."""
        row = self.client.write(method, self.listing(scope), values, id)
        try:
            return self.record(scope, row)
        except Refused as refusal:
            raise Unsure(f"{self.name} acknowledged the write, but {refusal}") from None

    def marked(self, scope: Scope, mark: Mark) -> dict[str, str]:
        return dict(zip(scope.mark_fields, (scope.mark, mark.keys()), strict=True))

    def values(self, scope: Scope, natives: Mapping[str, Native]) -> dict[str, str]:
        """Natives as the values to send, names of references looked up."""
        schema = self.schema(scope.table)
        return {name: self.referred(schema, name, text) for name, text in written(schema, natives, scope.zone).items()}

    def referred(self, schema: Schema, name: str, text: str) -> str:
        if not schema.reference(name):
            return text
        names = text.split(",") if schema.listed(name) else [text]
        return ",".join(self.looked_up(schema, name, one) for one in names if one)
