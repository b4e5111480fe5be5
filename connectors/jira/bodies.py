"""What is sent to Jira: the bodies of its writes (REST API, version 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.base import Refused
from connectors.jira import marker
from connectors.jira.client import Client
from connectors.jira.deployment import Deployment
from connectors.jira.fields import Schema, many, written
from connectors.jira.records import account_of
from mappings.days import is_day, midnight
from mappings.mentions import Mention, rendered
from mappings.model import Draft, Mark, Native, Record, Scope
from mappings.text import clean, to_wiki

#: what an account id of Jira Cloud looks like
_ACCOUNT = re.compile(r"[0-9a-f]{24}|\d{1,10}:[\w-]{1,100}")
#: what would end a mention before its time
_UNSAFE = re.compile(r"[\s\[\]|{}\\]")
#: stands in what is said of a name that is not found
_CALLED = Schema("comment", "the mention in a comment", "user")


class Bodies:
    """Native values as requests have them. Accounts of people are asked for and remembered."""

    def __init__(self, client: Client, known: Mapping[str, Schema], served: Deployment) -> None:
        self.client, self.known, self.served = client, known, served
        self.accounts: dict[str, str] = {}

    # -- issues

    def creation(self, scope: Scope, draft: Draft) -> dict[str, Any]:
        """Mark and keys are in the creation itself."""
        values = self.timed(scope, {**draft.extra, **draft.fields})
        labels = (*many(values.pop(scope.mark_field, None)), draft.mark.instance)
        fields = self.fields({**values, scope.mark_field: tuple(dict.fromkeys(labels))})
        fields |= {"project": {"key": scope.project}, "issuetype": {"name": draft.kind}}
        fields |= {"parent": {"id": draft.parent.id}} if draft.parent else {}
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
        body: dict[str, Any] = {"body": rendered(text, to_wiki, self.mention)}
        kind, _, who = channel.partition(":")
        if who and kind in ("role", "group"):
            return body | {"visibility": {"type": kind, "value": who}}
        if channel == "internal":
            return body | {"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
        if channel != "everyone":
            raise Refused(f"Jira knows no channel {channel}: everyone, internal, role:NAME or group:NAME")
        return body

    def mention(self, called: Mention) -> str:
        """How somebody is called by name in wiki markup: ``[~accountid:ID]`` in Jira Cloud, ``[~name]`` in Data Center.
        An account that is told by a display name or an address is looked for, by one call; where nobody, or more than
        one, is called so, the name stands in plain words."""
        try:
            account = self.person(called.account)
        except Refused:
            account = ""
        if not account or _UNSAFE.search(account):
            return to_wiki(called.name)
        return f"[~{'accountid:' if self.served.user_key == 'accountId' else ''}{account}]"

    def person(self, who: str) -> str:
        """An account that is one already, or that of a name. Raises ``Refused``."""
        if _ACCOUNT.fullmatch(who) or (self.served.user_key == "name" and not re.search(r"[\s@]", who)):
            return who
        return self.account(_CALLED, who)

    def link(self, mark: Mark, source_key: str, source_url: str) -> dict[str, Any]:
        """The global id makes it the same link each time (Jira Cloud REST API, "Issue remote links")."""
        target = {"url": source_url, "title": source_key}
        return {"globalId": self.global_id(mark), "relationship": "is kept in step with", "object": target}

    def global_id(self, mark: Mark) -> str:
        """By which the remote link to the source is found again: one for each link."""
        return f"lockstep:{mark.link}"

    # -- values

    def timed(self, scope: Scope, fields: Mapping[str, Native]) -> dict[str, Native]:
        """The values with each day that goes into a field of date and time as its midnight in the file's zone."""
        kinds = {name: self.known[name].type for name in fields if name in self.known}
        return {name: in_time(value, kinds.get(name, ""), scope.zone) for name, value in fields.items()}

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
            if len(ids) > 1 or (not ids and not (":" in who or _ACCOUNT.fullmatch(who))):
                raise Refused(f"{schema.name}: {len(ids) or 'no'} accounts in Jira are called {who}", (schema.id,))
            self.accounts[who] = ids[0] if ids else who
        return self.accounts[who]


def called(user: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return account_of(user), (user.get("displayName"), user.get("emailAddress"), user.get("name"))


def in_time(value: Native, kind: str, zone: str) -> Native:
    """Jira's own spelling of an instant (apis.md 2.1), where the field wants one and the value is a day."""
    if kind != "datetime" or not isinstance(value, str) or not is_day(value):
        return value
    return f"{midnight(value, zone):%Y-%m-%dT%H:%M:%S.000+0000}"


def plain(value: Native) -> str:
    return clean(value)[0] if isinstance(value, str) else ""
