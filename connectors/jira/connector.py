"""What the connector writes in Jira. Each method tells how many calls it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connectors.base import Busy, Down, Failure, Gone, Refused, Said, Stale, Unsure
from connectors.jira import marker, query
from connectors.jira.deployment import one_issue
from connectors.jira.reads import Reads
from connectors.jira.records import moment, wanted
from connectors.jira.workflow import Step, next_step, steps
from connectors.transport import understood
from mappings.model import Change, Draft, Mark, Native, Record, Scope


class Jira(Reads):
    """A connector to one Jira site; see ``connectors.base.Connector`` for what each method promises. Here is what it
    writes."""

    def create(self, scope: Scope, draft: Draft) -> Record:
        """Two calls: Jira answers a creation with id and key only."""
        made = self.client.write("POST", "issue", self.bodies.creation(scope, draft), "")
        id = self.id_of(made)
        self.lately.add(id)
        return self.afterwards(scope, id, f"{self.name} created an issue")

    def id_of(self, made: Any) -> str:
        try:
            return str(int(made["id"]))
        except (KeyError, TypeError, ValueError):
            raise Unsure(f"{self.name} did not say what it created") from None

    def afterwards(self, scope: Scope, id: str, what: str) -> Record:
        """What the tracker says after a write. Where it cannot be asked, or does not show it yet, the write is no less
        done."""
        try:
            record = self.record(scope, one_issue(self.client, id, wanted(scope), id))
        except Failure as failure:
            self.lately.doubt(id)
            raise Unsure(f"{what}, but could not be asked for it: {failure}") from None
        self.lately.add(id, record.version)
        return record

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        """Fields alone: one call, in Data Center two. Each step of the workflow: its list and its step; then what
        writes the fields or else reads the issue. Jira keeps no version to check against: the last write wins."""
        change = replace(change, with_state=self.bodies.timed(scope, change.with_state))
        fields = self.bodies.timed(scope, change.fields)
        line = self.source_line(scope, record, change.mark) if "description" in fields else ""
        if change.state is None or change.state == record.state:
            return self.filled_in(scope, record, fields | self.settable(record, change.with_state), line)
        left = self.transition(record, change)
        try:
            return self.filled_in(scope, record, fields | self.settable(record, left), line)
        except (Down, Busy) as failure:
            self.lately.doubt(record.ref.id)
            raise Unsure(f"{record.key} was moved to {change.state}, its fields were not written: {failure}") from None

    def filled_in(self, scope: Scope, record: Record, fields: Mapping[str, Native], line: str) -> Record:
        """The issue with its fields written, or as it is where there are none."""
        if not fields:
            return self.afterwards(scope, record.ref.id, f"{record.key} was written")
        return self.edit(scope, record, self.bodies.edit(scope, record, fields, line))

    def transition(self, record: Record, change: Change) -> dict[str, Native]:
        """Takes the step, or the steps of a way that is known, and returns the fields that no screen on it took."""
        wanted, left = (str(change.state), *change.also), dict(change.with_state)
        at = self.stepped(record, record.state, wanted, left)
        passed = {record.state}
        while at not in wanted and at not in passed:
            passed.add(at)
            try:
                at = self.stepped(record, at, wanted, left)
            except (Down, Busy) as failure:
                raise Unsure(f"{record.key} was moved to {at} on the way to {change.state}: {failure}") from None
            except Refused as refusal:
                told = f"{record.key} was moved to {at} on the way to {change.state}, and no further: {refusal}"
                raise Refused(told, refusal.fields) from None
        return left

    def stepped(self, record: Record, at: str, wanted: Sequence[str], left: dict[str, Native]) -> str:
        """Takes one step with the fields of ``left`` that go with it, which are then no longer in it. Returns where it
        leads."""
        step = self.step_to(record, at, wanted, left)
        taken = step.screen if step.to in wanted else step.required
        sent = {name: left.pop(name) for name in list(left) if name in taken}
        body = {"transition": {"id": step.id}, "fields": self.bodies.fields(sent)}
        self.write("POST", record, "/transitions", body)
        return step.to

    def write(
        self,
        method: str,
        record: Record,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """One write on an issue, which an index may now trail. Where its answer is lost, reading settles it: then no
        index may be what is read."""
        id = record.ref.id
        try:
            answer = self.client.write(method, f"issue/{id}{path}", body, record.key, params)
        except Unsure:
            self.lately.doubt(id)
            raise
        self.lately.add(id)
        return answer

    def step_to(self, record: Record, at: str, wanted: Sequence[str], fields: Mapping[str, Native]) -> Step:
        """Ids of transitions depend on the present status, so they are asked for each time. What is offered in another
        status than the one decided on tells that people moved the issue since: then ``Stale`` is raised."""
        params, place = {"expand": "transitions.fields"}, (record.project, record.kind)
        offered = self.client.get(f"issue/{record.ref.id}/transitions", params, record.key, take=steps)
        if at == record.state and self.ways.strange(place, at, offered):
            self.stands(record)
        seen = self.ways.put(place, at, offered)
        filled = {name for name, value in record.fields.items() if value}
        return next_step(seen, at, wanted, {*fields, *filled}, record.key)

    def stands(self, record: Record) -> None:
        """Whether an issue is in the status decided on still. Raises ``Stale``."""
        issue = self.client.get(f"issue/{record.ref.id}", {"fields": "status"}, record.key)
        with understood(self.name):
            status = issue["fields"]["status"]["name"]
        if status != record.state:
            raise Stale(f"{record.key} was moved from {record.state} to {status} at the same moment")

    def settable(self, record: Record, fields: Mapping[str, Native]) -> dict[str, Native]:
        """Those on the edit screen, which is asked for once for each project and type."""
        if not fields:
            return {}
        place = (record.project, record.kind)
        if place not in self.editable:
            path = f"issue/{record.ref.id}/editmeta"
            self.editable[place] = self.client.get(
                path, item=record.key, take=lambda answer: frozenset(answer["fields"])
            )
        return {name: value for name, value in fields.items() if name in self.editable[place]}

    def source_line(self, scope: Scope, record: Record, mark: Mark | None) -> str:
        """The line a rewritten description keeps; where people deleted it, one of the keys alone. One call where the
        description has not been read of late."""
        held = self.lines.get(record.ref.id)
        if held is None:
            issue = one_issue(self.client, record.ref.id, ["description"], record.key)
            with understood(self.name):
                held = marker.split(issue["fields"].get("description") or "")[1]
        return held or (marker.line(mark) if mark and mark.made and not scope.keys_field else "")

    def edit(self, scope: Scope, record: Record, body: Mapping[str, Any]) -> Record:
        """One call: Jira Cloud returns the edited issue where asked to ("Edit issue"). Data Center passes over that, so
        it is read."""
        params = {"returnIssue": "true", "expand": "changelog"}
        issue = self.write("PUT", record, "", body, params)
        if issue is None:
            return self.afterwards(scope, record.ref.id, f"{record.key} was written")
        try:
            edited = self.record(scope, issue)
        except Down as failure:
            raise Unsure(str(failure)) from None
        self.lately.add(edited.ref.id, edited.version)
        return edited

    def adopt(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """As an edit of fields alone; no call where it is marked already. Without a field for the keys they follow from
        the issue itself; those of one that came into a link later, or that lost them, stand in a line of its
        description, which is read first, so that people's markup stays as it is: two calls."""
        keys = mark.keys() if scope.keys_field else ""
        if record.occupied not in ("", keys):
            field = scope.keys_field or "description"
            raise Refused(f"{self.known[field].name} of {record.key} holds a text that is not ours", (field,))
        ours = record.mark is not None and bool(record.mark.made)
        lost = record.mark is not None and bool(mark.made) and not ours
        told = not keys and (lost or (bool(mark.at) and (ours or not mark.made)))
        if record.mark and (record.mark == mark or not (keys or told)):
            return record
        body = self.bodies.adoption(scope, mark)
        if told:
            body["fields"] = {"description": marker.added(self.description(record), mark)}
        return self.edit(scope, record, body)

    def unmark(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """The remote link of an issue that we made first, then label and keys in one edit; where the keys stand in the
        description, it is read before, so that people's markup stays as it is: four calls at the most."""
        if record.mark is None:
            return record
        if mark.made and mark.link:
            with suppress(Gone):
                self.write("DELETE", record, "/remotelink", None, {"globalId": self.bodies.global_id(mark)})
        body: dict[str, Any] = {"update": {scope.mark_field: [{"remove": mark.instance}]}}
        if scope.keys_field:
            body["fields"] = {scope.keys_field: None}
        else:
            text, line = marker.split(self.description(record))
            body |= {"fields": {"description": text or None}} if line else {}
        return self.edit(scope, record, body)

    def description(self, record: Record) -> str:
        """An issue's description as Jira keeps it."""
        issue = next(iter(self.served.fetch([record.ref.id], ["description", "updated"])), None)
        if issue is None:
            raise Gone(f"{record.key} is gone or hidden from us")
        with understood(self.name):
            return str(issue["fields"].get("description") or "")

    def show(self, scope: Scope, record: Record, mark: Mark, source_key: str, source_url: str) -> None:
        """One call; none for a mark without a link key."""
        if mark.link:
            body = self.bodies.link(mark, source_key, source_url)
            self.write("POST", record, "/remotelink", body)

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """One call."""
        body = self.bodies.comment(channel, text)
        answer = self.write("POST", record, "/comment", body)
        self.lately.add(record.ref.id, said_at(answer))
        return Said(self.id_of(answer))

    def reword(self, scope: Scope, record: Record, comment: str, channel: str, text: str) -> Said:
        """One call. Who may read it is said again, lest it be forgotten ("Update comment")."""
        answer = self.write("PUT", record, f"/comment/{comment}", self.bodies.comment(channel or "everyone", text))
        self.lately.add(record.ref.id, said_at(answer))
        return Said(comment)


def said_at(answer: Any) -> int:
    """When a comment was added, and its issue updated; 0 where the answer does not tell."""
    try:
        return query.epoch(moment(answer["updated"]))
    except (KeyError, TypeError, ValueError):
        return 0
