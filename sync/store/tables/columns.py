"""What columns are made of. Instants are microseconds since 1970 UTC, values JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MICRO = timedelta(microseconds=1)

#: characters of an item's name in the journal
ITEM_ROOM = 160


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime as a whole number, so that both databases sort and compare it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // MICRO

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * MICRO


class Json(TypeDecorator[Any]):
    """JSON text; lists come back as tuples, so that values compare equal to what was stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return tupled(json.loads(value)) if value else None


def sound(value: str) -> str:
    """A text that both databases take: without NUL, and lone surrogates as question marks."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()


class Words(TypeDecorator[str]):
    """Text that comes from trackers and people, made sound."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else sound(value)


def tupled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: tupled(inner) for name, inner in value.items()}
    return tuple(tupled(v) for v in value) if isinstance(value, list) else value


metadata = MetaData()


def link_id(**options: Any) -> Column[int]:
    return Column("link", Integer, ForeignKey("links.id"), index=True, **options)
