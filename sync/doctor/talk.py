"""Channels: those that the tracker lacks, those we may not write to, private words that leave their circle. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mappings.disclosure import Channel
from sync.config.problems import choice
from sync.doctor.findings import Finding, Side


def examine_talk(sides: Mapping[str, Side]) -> Iterator[Finding]:
    """Every path for comments and every remark of a rule."""
    setup = next((side.setup for side in sides.values()), None)
    if setup is None:
        return
    for place, path in enumerate(setup.paths, 1):
        if path.source.side in sides:
            yield from examine_channel(sides[path.source.side], path.source, f"comments[{place}].from", speaks=False)
        for target in path.targets:
            at = f"comments[{place}].to"
            if target.side in sides:
                yield from examine_channel(sides[target.side], target, at, speaks=True)
            yield from disclosed(sides, path.source, target, at)
    for rule in setup.rules:
        for place, step in enumerate(rule.steps, 1):
            if step.say and step.say.on.side in sides:
                at = f"rules.{rule.id}.steps[{place}].say"
                yield from examine_channel(sides[step.say.on.side], step.say.on, at, speaks=True)


def examine_channel(side: Side, channel: Channel, at: str, *, speaks: bool) -> Iterator[Finding]:
    """``speaks``: we are to write there; else we only read."""
    known = side.items.channels
    if known is None:
        what = f"whether {side.name} has the channel {channel.name} could not be checked: {side.tracker} lists none"
        yield side.find("unknown", what, "", at)
    elif channel.name in known:
        yield from usable(side, channel, known[channel.name], at) if speaks else ()
    elif ":" in channel.name:
        names = [name for name, why in known.items() if not why and ":" in name]
        what = f"{side.tracker} has no {channel.name} for {side.name}, or our account is not in it"
        yield side.find("error", what, choice(channel.name, names, "channels we can use"), at)


def usable(side: Side, channel: Channel, why: str | None, at: str) -> Iterator[Finding]:
    if why is None:
        what = f"whether we may write to {channel.name} on {side.name} could not be checked: {side.tracker} is silent"
        yield side.find("unknown", what, "", at)
    elif why:
        what = f"{channel.name} on {side.name} cannot be used: {why}"
        yield side.find("error", what, "put our account into it, or name another channel", at)


def disclosed(sides: Mapping[str, Side], source: Channel, target: Channel, at: str) -> Iterator[Finding]:
    """A path from a private channel to one that everyone on the item reads: the admin named it, and is told so."""
    if source.side in sides and target.side in sides:
        if is_private(sides[source.side], source) and not is_private(sides[target.side], target):
            what = f"private words cross: what is written to {source} is copied to {target}, which is not private"
            yield sides[target.side].find("warning", what, "leave it only if that is meant", at)


def is_private(side: Side, channel: Channel) -> bool:
    return channel.name.startswith(side.items.private) if side.items.private else False
