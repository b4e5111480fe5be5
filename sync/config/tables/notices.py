"""Notices: how people are spared, and who hears that Lockstep is silent."""

from __future__ import annotations

from sync.config.tables.base import SecretRef, Table, says
from sync.config.tables.bot import Tell
from sync.config.values import Wait


class NoticesTable(Table):
    """How people are spared, and who hears that Lockstep is silent."""

    per_hour: int = says("Messages an hour to one recipient, the rest goes out together; 0: no bound.", 0, ge=0)
    digest: Wait = says("How long what goes beyond that is gathered.", "1h", validate_default=True)
    quiet: str = says("Quiet hours, on the clock of the recipient's party: what falls into them waits.", "")
    storm: int = says("More firings in one pass than this: one digest for each recipient; 0: no bound.", 0, ge=0)
    silent: Wait | None = says("No pass ended for so long: `tell` hear of it.", None)
    tell: Tell = says("Who hears that Lockstep is silent, and what an audit finds.", Tell())
    beat: SecretRef | None = says("An address that is called after each pass, for a watchman outside.", None)
