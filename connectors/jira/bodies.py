"""What is sent to Jira: the bodies of its writes (REST API, version 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import Refused
from connectors.jira import marker
from connectors.jira.client import Client
from connectors.jira.deployment import Deployment
from connectors.jira.fields import Schema, many, written
from connectors.jira.records import account_of
from mappings.model import Draft, Mark, Native, Record, Scope
from mappings.text import clean, to_wiki


class Bodies:
    """Native values as requests have them. Accounts of people are asked for and remembered."""

    def __init__(self, client: Client, known: Mapping[str, Schema], served: Deployment) -> None:
        self.client, self.known, self.served = client, known, served
        self.accounts: dict[str, str] = {}

    # -- issues

    def creation(self, scope: Scope, draft: Draft) -> dict[str, Any]:
        """Mark and keys are in the creation itself."""
        values = {**draft.extra, **draft.fields}
        labels = (*many(values.pop(scope.mark_field, None)), draft.mark.instance)
        fields = self.fields({**values, scope.mark_field: tuple(dict.fromkeys(labels))})
        fields |= {"project": {"key": scope.project}, "issuetype": {"name": draft.kind}}
        line = "" if scope.keys_field else marker.line(draft.mark, draft.source_key, draft.source_url)
        if scope.keys_field:
            fields[scope.keys_field] = draft.mark.keys()
        if line or "description" in fields:
            fields["description"] = marker.joined(plain(values.get("description")), line)
        return {"fields": fields}

    def edit(self, scope: Scope, record: Record, fields: Mapping[str, Native], line: str) -> dict[str, Any]:
        """``line`` is the source line that a rewritten description keeps. Labels are added and removed one by one:
        our own and those that others add meanwhile stay."""
        body: dict[str, Any] = {"fields": self.fields({k: v for k, v in fields.items() if k != "labels"})}
        if "description" in fields:
            body["fields"]["description"] = marker.joined(plain(fields["description"]), line) or None
        if "labels" in fields:
            held, new = set(many(record.fields.get("labels"))), set(many(fields["labels"]))
            operations = [{"add": label} for label in sorted(new - held)]
            body["update"] = {"labels": operations + [{"remove": label} for label in sorted(held - new - {scope.mark})]}
        return body

    def adoption(self, scope: Scope, mark: Mark) -> dict[str, Any]:
        """Keys go into the field for them."""
        body: dict[str, Any] = {"update": {scope.mark_field: [{"add": mark.instance}]}}
        if scope.keys_field:
            body["fields"] = {scope.keys_field: mark.keys()}
        return body

    # -- what hangs on them

    def comment(self, channel: str, text: str) -> dict[str, Any]:
        """Raises ``Refused`` for a channel that Jira does not have."""
        body: dict[str, Any] = {"body": to_wiki(clean(text)[0])}
        kind, _, who = channel.partition(":")
        if who and kind in ("role", "group"):
            return body | {"visibility": {"type": kind, "value": who}}
        if channel == "internal":
            return body | {"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
        if channel != "everyone":
            raise Refused(f"Jira knows no channel {channel}: everyone, internal, role:NAME or group:NAME")
        return body

    def link(self, mark: Mark, source_key: str, source_url: str) -> dict[str, Any]:
        """The global id makes it the same link each time (Jira Cloud REST API, "Issue remote links")."""
        target = {"url": source_url, "title": source_key}
        return {"globalId": self.global_id(mark), "relationship": "is kept in step with", "object": target}

    def global_id(self, mark: Mark) -> str:
        """By which the remote link to the source is found again: one for each link."""
        return f"lockstep:{mark.link}"

    # -- values

    def fields(self, fields: Mapping[str, Native]) -> dict[str, Any]:
        """Raises ``Refused`` for fields that Jira does not have and values that their types cannot hold."""
        unknown = tuple(name for name in fields if name not in self.known)
        if unknown:
            raise Refused(f"{self.client.name} has no field {', '.join(unknown)}", unknown)
        return {name: self.value(self.known[name], value) for name, value in fields.items()}

    def value(self, schema: Schema, value: Native) -> Any:
        if schema.type == "user" and value:
            return {self.served.user_key: self.account(schema, many(value)[0])}
        if schema.items == "user":
            return [{self.served.user_key: self.account(schema, one)} for one in many(value)]
        return written(schema, value)

    def account(self, schema: Schema, who: str) -> str:
        """The account (Cloud: its id, Data Center: its user name) of a display name, an e-mail address or an account.
        One call for each new name. Raises ``Refused`` where nobody, or more than one, is called so."""
        if who not in self.accounts:
            params = {self.served.user_query: who}
            found = self.client.get("user/search", params, take=lambda answer: [called(one) for one in answer])
            ids = [account for account, names in found if who in names]
            if len(ids) > 1 or (not ids and ":" not in who):
                raise Refused(f"{schema.name}: {len(ids) or 'no'} accounts in Jira are called {who}", (schema.id,))
            self.accounts[who] = ids[0] if ids else who
        return self.accounts[who]


def called(user: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return account_of(user), (user.get("displayName"), user.get("emailAddress"), user.get("name"))


def plain(value: Native) -> str:
    return clean(value)[0] if isinstance(value, str) else ""
