"""Parties, people, and the ways to reach them."""

from __future__ import annotations

from sync.config.tables.base import Opening, SecretRef, Source, Table, says
from sync.config.values import Address, Sender, Server, Texts


class Recipients(Table):
    """Where a party is reached."""

    email: list[Address] = says("Addresses.", [])
    teams: str = says("A name under [teams].", "")


class PartyTable(Table):
    """People whose move it can be."""

    sides: list[str] = says("The sides they work on.", [])
    members: dict[str, Texts] = says("Their accounts by tracker; without them: everyone else on their sides.", {})
    calendar: Opening | None = says("When they are at work, if not when the rest is.", None)
    requester: bool = says("They asked for the work: asking for news is not movement.", False)
    recipients: Recipients = says("Where they are reached.", Recipients())


class People(Table):
    """Who is who."""

    automation: list[str] = says("Accounts that are not people: their writes are not movement.", [])
    roster: str = says("A CSV file beside this one: who is who, and where they are reached.", "")
    fallback: list[Address] = says("Who is written to where a recipient means nobody.", [])


class MailTable(Table):
    """How mail goes out."""

    server: Server = says("smtp://, smtps:// or smtp+starttls://, host and port.")
    sender: Sender = says("The sender's address, alone or as Name <address>.")
    user: str = says("The account, where the server wants one.", "")
    password: SecretRef | None = says("Its password.", None)


class Teams(Table):
    """A channel of Microsoft Teams."""

    webhook: SecretRef = says("Its webhook's address, which is a secret.")
    ca: str = says("A file of certificate authorities to trust.", "")
    proxy: Source | None = says("The proxy to go through.", None)


class HookTable(Table):
    """An address that is posted JSON to."""

    url: SecretRef = says("Its address, which is a secret.")
    secret: SecretRef | None = says("What signs each message.", None)
    ca: str = says("A file of certificate authorities to trust.", "")
    proxy: Source | None = says("The proxy to go through.", None)
