"""ServiceNow encoded queries, built from parts (ServiceNow docs, Encoded query strings).

``^`` parts the conditions and cannot be escaped: a value that holds one would change the query, so it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from connectors.base import Refused

STAMP = "%Y-%m-%d %H:%M:%S"


def value(text: str) -> str:
    """The text, fit to stand in a query; raises ``Refused``."""
    if "^" in text or "\n" in text:
        raise Refused(f"ServiceNow cannot look up a value that holds ^ or a line end: {text[:40]!r}")
    return text


def both(*conditions: str) -> str:
    """All must hold; empty ones are passed over."""
    return "^".join(condition for condition in conditions if condition)


def either(conditions: Iterable[str]) -> str:
    """One must hold. ``^OR`` binds to the condition before it, so the whole is one term of a conjunction."""
    return "^OR".join(conditions)


def equal(field: str, alternatives: Iterable[str]) -> str:
    """The field is one of the values. Not ``IN``: its list is parted at commas, which names may hold."""
    return either(f"{field}={value(text)}" for text in alternatives)


def one_of(field: str, ids: Sequence[str]) -> str:
    """The field is one of many values without commas (sys_ids, user names)."""
    return f"{field}IN{','.join(value(id) for id in ids)}"


def any_group(groups: Sequence[str], order: Sequence[str]) -> str:
    """Groups of which one must hold (``^NQ``), then the order, which is the whole query's."""
    return both("^NQ".join(groups), *(f"ORDERBY{field}" for field in order))


def stamp(moment: datetime) -> str:
    """A literal in UTC. ``javascript:gs.dateGenerate`` would be read in the session user's zone."""
    return moment.astimezone(UTC).strftime(STAMP)


def moment(stamp: str) -> datetime:
    """A stored date-time; it is in UTC, whatever zone the user sees."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)
