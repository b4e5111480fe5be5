"""Listings that go out at their time."""

from __future__ import annotations

from sync.config.tables.base import Table, says
from sync.config.values import Texts


class ReportMail(Table):
    """Whom a listing is mailed to."""

    to: Texts = says("Addresses, parties, people or roles.", [])
    cc: Texts = says("Who gets a copy.", [])
    subject: str = says("The subject.", min_length=1)
    text: str = says("What stands above the listing.", "")


class ReportTable(Table):
    """A listing that goes out at its time."""

    id: str = says("Never changes: the state remembers by it what went out.", min_length=1, max_length=40)
    at: str = says("When: days of the week and a time, in the zone of bot.timezone.")
    what: str = says("What is listed: items created so many days ago, or what moved.")
    when: str | None = says("The condition; without one: all.", None)
    show: Texts = says("The columns: fields, sides (their keys), and key, title, state, stage, created, url.", [])
    email: ReportMail | None = says("An e-mail.", None)
    teams: str = says("A name under [teams].", "")
