"""Whom a mention calls: people's ids by their account, as an item and the teams of its project name them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from connectors.azure_devops.service import Ask, Place, Service
from connectors.azure_devops.spelling import person
from connectors.base import Gone, Refused
from mappings.mentions import Mention, rendered
from mappings.model import Record
from mappings.text import html_words

TEAMS = Place("d30a3dd1-f8ba-442a-b86a-bd0c0c383e59", "7.1")
MEMBERS = Place("294c494c-2600-4d7e-b76c-3dd50c3c95be", "7.1")
#: teams that are looked through, and members of each
MOST_TEAMS, MOST_MEMBERS = 20, 500
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class People:
    """The ids that mentions need. What was found is kept; who was not found is looked for once."""

    def __init__(self, service: Service, items: Callable[[str], Iterable[Mapping[str, Any]]]) -> None:
        self.service, self.items = service, items
        self.ids: dict[str, str] = {}
        self.missed: set[tuple[str, str]] = set()

    def html(self, text: str, record: Record, project: str) -> str:
        """A comment as inert HTML, with the mentions in it as the service has them (apis.md 3.3). Somebody whose id
        cannot be found stands there in plain words."""
        return f"<div>{rendered(text, html_words, lambda one: self.anchor(one, record, project))}</div>"

    def anchor(self, mention: Mention, record: Record, project: str) -> str:
        id, name = self.id_of(mention.account, record, project), html.escape(mention.name, quote=False)
        return f'<a href="#" data-vss-mention="version:2.0,{id}">@{name}</a>' if id else name

    def id_of(self, account: str, record: Record, project: str) -> str:
        """The id of an account: one call for the people of the item, then one for the project's teams and one for each
        of them until it is found. Empty where it is not."""
        if _ID.fullmatch(account):
            return account.lower()
        key = account.casefold()
        if key not in self.ids and (record.ref.id, key) not in self.missed:
            for found in self.places(record, project):
                self.ids |= found
                if key in self.ids:
                    break
            else:
                self.missed.add((record.ref.id, key))
        return self.ids.get(key, "")

    def places(self, record: Record, project: str) -> Iterator[dict[str, str]]:
        """Where people are named, the nearest first."""
        yield identified(value for item in self.items(record.ref.id) for value in item["fields"].values())
        try:
            query: dict[str, object] = {"$top": MOST_TEAMS}
            teams = self.service.read(Ask("GET", TEAMS, {"projectId": project}, query), ids_of)
            for team in teams:
                route = {"projectId": project, "teamId": team}
                yield self.service.read(Ask("GET", MEMBERS, route, {"$top": MOST_MEMBERS}), members_of)
        except (Refused, Gone):
            return  # teams that are hidden from us are no reason to say nothing


def ids_of(answer: Mapping[str, Any]) -> list[str]:
    return [str(team["id"]) for team in answer["value"]]


def members_of(answer: Mapping[str, Any]) -> dict[str, str]:
    return identified(member["identity"] for member in answer["value"])


def identified(values: Iterable[Any]) -> dict[str, str]:
    """The ids of those values that stand for people, by account in small letters."""
    people = [value for value in values if isinstance(value, Mapping) and value.get("uniqueName") and value.get("id")]
    return {person(one)[1].casefold(): str(one["id"]) for one in people}
