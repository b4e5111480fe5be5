"""The parts of an encoded query that only a session can read: script calls, relative dates, other names of operators
(ServiceNow docs, Encoded query strings; Operators for filters and queries)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.servicenow.database import Session
from sandbox.servicenow.query import Condition, Query
from sandbox.servicenow.zones import stamped, to_utc

_DATE = re.compile(r"javascript:gs\.dateGenerate\('([0-9-]+)',\s*'([0-9:]+)'\)")
_AGO = re.compile(r"javascript:gs\.(minutes|hours|days)Ago(Start|End)?\((-?[0-9]{1,18})\)")
_RELATIVE = re.compile(r"@?(minute|hour|dayofweek|week|month|quarter|year)@(ago|ahead)@([0-9]{1,18})")
_DAYS = {"dayofweek": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
_COMPARED = {"RELATIVEGT": ">", "RELATIVEGE": ">=", "RELATIVELT": "<", "RELATIVELE": "<="}
_SAME = {"CONTAINS": "LIKE", "DOES NOT CONTAIN": "NOT LIKE", "EMPTYSTRING": "ISEMPTY"}


class Literals:
    """What the literals of a query mean to one session now. A date is read in the session user's time zone; a raw
    literal is UTC."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now

    def resolved(self, query: Query) -> Query:
        """The query in plain operators and stored values."""
        groups = [[[self.condition(c) for c in either] for either in group] for group in query.groups]
        return Query(groups, query.order)

    def condition(self, condition: Condition) -> Condition:
        operator, value = condition.operator, condition.value
        if operator in _COMPARED:
            return Condition(condition.field, _COMPARED[operator], self.relative(value))
        if operator == "ON":
            # Today@first@last: the name is for people
            low, high = value.split("@")[-2:] if value.count("@") >= 2 else ("", "")
            return Condition(condition.field, "BETWEEN", f"{self.value(low)}@{self.value(high)}")
        if operator == "BETWEEN":
            return Condition(condition.field, operator, "@".join(map(self.value, value.split("@"))))
        if operator == "ANYTHING":
            return Condition(condition.field, "LIKE", "")
        return Condition(condition.field, _SAME.get(operator, operator), self.value(value))

    def relative(self, value: str) -> str:
        """``@hour@ago@3`` as a stamp; what cannot be read is taken as written."""
        found = _RELATIVE.fullmatch(value)
        if found is None:
            return value
        unit, side, count = found[1], found[2], int(found[3])
        span = timedelta(days=_DAYS[unit]) if unit in _DAYS else timedelta(**{f"{unit}s": 1})
        try:
            return stamped(self.now - span * count if side == "ago" else self.now + span * count)
        except OverflowError:
            return value

    def value(self, value: str) -> str:
        """A value with the ``javascript:`` calls that clients send put in."""
        if not value.startswith("javascript:"):
            return value
        date, ago = _DATE.fullmatch(value), _AGO.fullmatch(value)
        if date:
            return self.generated(f"{date[1]} {date[2]}", value)
        if ago:
            return self.ago(ago[1], ago[2] or "", int(ago[3])) or value
        calls: dict[str, Callable[[], str]] = {
            "javascript:gs.getUserID()": lambda: self.session.id,
            "javascript:gs.getUserName()": lambda: self.session.user,
            "javascript:gs.nowDateTime()": lambda: stamped(self.now),
            "javascript:gs.beginningOfToday()": lambda: self.ago("days", "Start", 0),
            "javascript:gs.endOfToday()": lambda: self.ago("days", "End", 0),
        }
        return calls[value]() if value in calls else value

    def generated(self, local: str, call: str) -> str:
        try:
            return to_utc(local, self.session.zone)
        except ValueError:
            return call

    def ago(self, unit: str, edge: str, count: int) -> str:
        """The instant so many units ago, or the start or end of that unit in the session user's zone; empty where no
        calendar has it."""
        try:
            there = self.now.astimezone(self.session.zone) - timedelta(**{unit: count})
        except OverflowError:
            return ""
        if edge:
            hour, minute = (0 if unit == "days" else there.hour), (there.minute if unit == "minutes" else 0)
            there = there.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return stamped(there + timedelta(**{unit: 1}) - timedelta(seconds=1) if edge == "End" else there)
