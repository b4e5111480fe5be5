"""Our account: rights that are missing or too much, its time zone; and the tracker's clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from connectors.description import Description, Right
from sync.doctor.findings import Finding, found
from sync.setup import Setup

#: how far a tracker's clock may be from ours
TOLERANCE = timedelta(seconds=30)
_UTC = frozenset({"utc", "gmt", "etc/utc", "etc/gmt", "etc/universal", "etc/zulu", "zulu", "universal", "utc+00:00"})


def examine_account(setup: Setup, tracker: str, told: Description) -> Iterator[Finding]:
    """Everything about our account in a tracker."""
    used = [right for right in told.rights if needed(setup, tracker, right)]
    for right in used:
        yield from examine_right(setup, tracker, told, right)
    yield from examine_excess(setup, tracker, told, [right for right in used if right.held and not right.wanted])
    yield from untold_rights(setup, tracker, told, [right for right in used if right.held is None])
    yield from examine_zone(setup, tracker, told)
    yield from examine_clock(setup, tracker, told)
    for remark in told.remarks:
        yield found(setup, tracker, "warning", remark.what, remark.instead, *paths(tracker, remark.side))
    for gap in told.unknown:
        what = f"{gap.what} could not be checked: {gap.because}"
        yield found(setup, tracker, "unknown", what, "", *paths(tracker, gap.side))


def examine_right(setup: Setup, tracker: str, told: Description, right: Right) -> Iterator[Finding]:
    who = account(told)
    if right.wanted and right.held is False:
        level = "warning" if right.purpose in ("safety", "history") else "error"
        what = f"{who} lacks {right.name}{of(right.where)}: {right.why}"
        yield found(setup, tracker, level, what, right.instead or f"grant it to {who}", *paths(tracker, right.side))


def examine_excess(setup: Setup, tracker: str, about: Description, rights: Sequence[Right]) -> Iterator[Finding]:
    """Rights that are too much: those of one place in one sentence."""
    who = account(about)
    for side, where in dict.fromkeys((right.side, right.where) for right in rights):
        alike = [right for right in rights if (right.side, right.where) == (side, where)]
        whys = dict.fromkeys(right.why for right in alike)
        told = (f"{', '.join(right.name for right in alike if right.why == why)}: {why}" for why in whys)
        what = f"{who} may do more than Lockstep needs{of(where)}: {'; '.join(told)}"
        yield found(setup, tracker, "warning", what, f"take these from {who}", *paths(tracker, side))


def account(told: Description) -> str:
    return f"our account ({told.account})" if told.account else "our account"


def of(where: str) -> str:
    return f" for {where}" if where else ""


def untold_rights(setup: Setup, tracker: str, told: Description, rights: Sequence[Right]) -> Iterator[Finding]:
    """Rights that could not be checked: those for the same reason in one sentence."""
    who = account(told)
    for side, because in dict.fromkeys((right.side, right.because) for right in rights):
        alike = [right for right in rights if (right.side, right.because) == (side, because)]
        for wanted, words in ((True, "the rights that Lockstep needs"), (False, "more than it needs")):
            names = ", ".join(right.name for right in alike if right.wanted is wanted)
            if names:
                what = f"whether {who} has {words} ({names}) could not be checked: {because}"
                yield found(setup, tracker, "unknown", what, "", *paths(tracker, side))


def needed(setup: Setup, tracker: str, right: Right) -> bool:
    """Whether the file makes any use of what the right is for."""
    sides = {right.side} if right.side else {side.name for side in setup.sides_in(tracker)}
    if right.purpose == "create":
        return any(route.opens in sides for route in setup.routes)
    if right.purpose == "comments":
        channels = [channel for path in setup.paths for channel in (path.source, *path.targets)]
        channels += [step.say.on for rule in setup.rules for step in rule.steps if step.say]
        return any(channel.side in sides for channel in channels)
    return True


def examine_zone(setup: Setup, tracker: str, told: Description) -> Iterator[Finding]:
    if told.zone is None or told.zone.lower() in _UTC:
        return
    who, at = account(told), f"trackers.{tracker}"
    if not told.zone:
        yield found(setup, tracker, "unknown", f"the time zone of {who} could not be checked: it is not shown", "", at)
        return
    what = f"{who} is in the time zone {told.zone}, not in UTC: {told.zone_matters}"
    yield found(setup, tracker, "warning", what, f"set the time zone of {who} to UTC (GMT is the same)", at)


def examine_clock(setup: Setup, tracker: str, told: Description) -> Iterator[Finding]:
    at = f"trackers.{tracker}"
    if told.ahead is None:
        what = "the tracker's clock could not be checked: its answers bear no date"
        yield found(setup, tracker, "unknown", what, "", at)
    elif abs(told.ahead) > TOLERANCE:
        way = "ahead of" if told.ahead > timedelta(0) else "behind"
        what = f"the tracker's clock is {abs(told.ahead).total_seconds():.0f} s {way} ours"
        yield found(setup, tracker, "warning", what, "let both machines take their time from a time server", at)


def paths(tracker: str, side: str) -> tuple[str, ...]:
    return (f"sides.{side}", f"trackers.{tracker}") if side else (f"trackers.{tracker}",)
