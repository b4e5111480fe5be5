"""Which comments cross, and what never does."""

from __future__ import annotations

from sync.config.tables.base import Table, says
from sync.config.values import Texts


class Comments(Table):
    """A path for comments; what is not named does not cross."""

    from_: str = says("side.channel", alias="from")
    to: Texts = says("side.channel, each direct: copies never travel on.")


class Disclosure(Table):
    """What never crosses."""

    mask: list[str] = says("Names of known masks, or name: pattern.", [])
    siblings: bool = says("Whether comments for everyone reach the other items of the side that opened it.", False)
    deletions: bool = says("Whether the copies of a deleted comment are taken back too.", False)
