"""Keys of the file that name things: ids that differ, and keys that are called after a side."""

from __future__ import annotations

from collections.abc import Mapping

from sync.config.desk import Desk
from sync.config.problems import KeyPath, stray
from sync.config.shape import known_keys
from sync.config.tables.process import FieldTable, StageTable


def once(desk: Desk, table: str, key: str, names: list[str]) -> None:
    """Ids and names must differ."""
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if first.setdefault(name, place) != place:
            line, _ = desk.report.position(desk.report.origin((table, first[name], key)))
            desk.report.wrong((table, place, key), f'"{name}" stands in line {line} already', "give it another")


def some_side(desk: Desk) -> str:
    return desk.names["sides"][0] if desk.names["sides"] else "side"


def native_names(desk: Desk, path: KeyPath, said: StageTable | FieldTable) -> dict[str, list[str]]:
    """What the keys named after sides say; any other key is a slip."""
    found: Mapping[str, list[str]] = said.__pydantic_extra__ or {}
    return {side: words for side, words in found.items() if side_key(desk, path, side)}


def side_key(desk: Desk, path: KeyPath, key: str) -> bool:
    if key in desk.names["sides"]:
        return True
    desk.report.wrong((*path, key), *stray(key, desk.names["sides"], known_keys(path)))
    return False
