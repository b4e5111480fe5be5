"""Answers given on the command line. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.installed import KINDS
from mappings.calendar import zone_of
from sync.config.problems import choice
from sync.config.values import Wrong, url
from sync.interview.answers import (
    Answers,
    Kept,
    SideAnswer,
    TrackerAnswer,
    Unclear,
    instance_of,
    place_of,
    plain,
    secret_keys,
)

Given = Sequence[tuple[str, ...]]


def answers_of(
    trackers: Given,
    auth: Sequence[str],
    reach: Sequence[str],
    sides: Given,
    scope: Sequence[str],
    instance: str,
    zone: str,
) -> Answers:
    """Answers out of the flags of ``init``. Raises ``Unclear``, naming the flag at fault."""
    for flag, names in (("--tracker", [name for name, *_ in trackers]), ("--side", [name for name, *_ in sides])):
        sound_names(flag, names)
    known = tuple(tracker_of(name, kind, address, auth, reach) for name, kind, address in trackers)
    made = tuple(side_of(known, name, tracker, place, scope) for name, tracker, place in sides)
    if len(made) < 2:
        raise Unclear("name at least two sides: --side NAME TRACKER PLACE, the one that opens the others first")
    stray(auth, [tracker.name for tracker in known], "--auth")
    stray(reach, [tracker.name for tracker in known], "--reach")
    stray(scope, [side.name for side in made], "--scope")
    idle = [tracker.name for tracker in known if tracker.name not in {side.tracker for side in made}]
    if idle:
        raise Unclear(f"no side lives in {idle[0]}: add --side NAME {idle[0]} PLACE, or leave the tracker out")
    return Answers(instance or instance_of(known[0].url), zone_named(zone), known, made)


def sound_names(flag: str, names: Sequence[str]) -> None:
    for name in names:
        if plain(name) != name.lower().replace("-", "_"):
            raise Unclear(f'{flag} "{name}": a name is letters, digits and _: write {plain(name)}')
        if names.count(name) > 1:
            raise Unclear(f"{flag} {name}: the name stands twice; give each its own")


def zone_named(text: str) -> str:
    try:
        return str(zone_of(text))
    except ValueError as error:
        raise Unclear(f"--timezone: {error}") from None


def tracker_of(name: str, kind: str, address: str, auth: Sequence[str], reach: Sequence[str]) -> TrackerAnswer:
    if kind not in KINDS:
        raise Unclear(f'--tracker {name}: there is no kind "{kind}"; {choice(kind, KINDS, "kinds")}')
    try:
        checked = url(address)
    except Wrong as wrong:
        raise Unclear(f"--tracker {name}: {address} {wrong.what}; {wrong.instead}") from None
    keys = dict(split(text, name) for text in auth if text.startswith(f"{name}."))
    ways = dict(split(text, name) for text in reach if text.startswith(f"{name}."))
    if odd := set(ways) - {"ca", "proxy"}:
        raise Unclear(f"--reach {name}.{min(odd)}: write {name}.ca=FILE or {name}.proxy=ADDRESS")
    secrets = secret_keys()
    sign_in = {key: Kept.parse(value) if key in secrets else value for key, value in keys.items()}
    answer = TrackerAnswer(name, kind, checked, sign_in, ways.get("ca", ""), proxy_of(ways.get("proxy", "")))
    answer.way()
    return answer


def proxy_of(text: str) -> str | Kept:
    """A proxy's address, or where it is kept because it holds a password."""
    return Kept.parse(text) if text.startswith(("env:", "file:")) else text


def side_of(trackers: Sequence[TrackerAnswer], name: str, tracker: str, place: str, scope: Sequence[str]) -> SideAnswer:
    at = next((one for one in trackers if one.name == tracker), None)
    if at is None:
        known = [one.name for one in trackers]
        raise Unclear(f'--side {name}: there is no tracker "{tracker}"; {choice(tracker, known, "trackers")}')
    where: dict[str, tuple[str, ...]] = {}
    for text in scope:
        if text.startswith(f"{name}."):
            field, value = split(text, name)
            where[field] = (*where.get(field, ()), value)
    return SideAnswer(name, tracker, place_of(at.kind, place), tuple(where.items()))


def split(text: str, name: str) -> tuple[str, str]:
    """``NAME.KEY=VALUE`` as key and value."""
    key, equals, value = text.removeprefix(f"{name}.").partition("=")
    if not (key and equals and value):
        raise Unclear(f"{text.partition('=')[0]}: write {name}.{key or 'KEY'}=VALUE")
    return key, value


def stray(given: Sequence[str], names: Sequence[str], flag: str) -> None:
    """Refuses what belongs to nothing. The value is not shown: it may be a secret."""
    for text in given:
        name = text.partition(".")[0]
        if name not in names:
            raise Unclear(f'{flag} {text.partition("=")[0]}: nothing is called "{name}"')
