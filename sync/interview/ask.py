"""The interview itself, on a terminal: a few questions, each with an answer to be taken by pressing return. Trackers
are looked at as soon as they are named, so that their own names can be picked from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import click

from connectors.auth import Secret
from connectors.base import Failure
from connectors.description import Place
from connectors.installed import KINDS
from connectors.kinds import SignIn
from mappings.calendar import zone_of
from sync.config.values import Wrong, url
from sync.interview.answers import Answers, Kept, SideAnswer, TrackerAnswer, Unclear, instance_of, plain, secret_keys
from sync.interview.flags import proxy_of
from sync.interview.look import Eyes

Answer = TypeVar("Answer")
#: most names that are shown to pick from
SHOWN = 40


def interview(eyes: Eyes) -> Answers:
    """Asks until at least two sides are named. Raises ``click.Abort`` where the admin breaks it off."""
    click.echo("A few questions about your trackers. Return takes the answer in brackets; Control-C ends it all.\n")
    trackers: list[TrackerAnswer] = []
    sides: list[SideAnswer] = []
    while len(sides) < 2 or click.confirm("\nAnother tracker?", default=False):
        tracker, places = ask_tracker(eyes, [one.name for one in trackers])
        trackers.append(tracker)
        for place in ask_places(eyes, tracker, places):
            sides.append(ask_side(tracker, place, [side.name for side in sides]))
        if len(sides) < 2:
            click.echo("A link needs a second side: name another tracker, or a second place in this one.")
    sides = ask_order(sides)
    instance = click.prompt("\nA name for this Lockstep, part of its marks", default=instance_of(trackers[0].url))
    zone = checked("Your time zone, such as America/Los_Angeles", lambda text: str(zone_of(text)), "UTC")
    return Answers(plain_instance(instance), zone, tuple(trackers), tuple(sides))


def plain_instance(text: str) -> str:
    return plain(text).replace("_", "-")[:40]


# -- trackers


def ask_tracker(eyes: Eyes, taken: Sequence[str]) -> tuple[TrackerAnswer, tuple[Place, ...]]:
    """A tracker that answers, and its places. What does not answer is asked for again."""
    before: TrackerAnswer | None = None
    while True:
        kind: str = click.prompt(
            "Kind of tracker", type=click.Choice(list(KINDS)), default=before.kind if before else None
        )
        name = before.name if before else unused(plain(kind.partition("_")[0]), taken)
        name = checked("Its name in the file", lambda text: free(text, taken), name)
        address = checked("Its address", url, before.url if before else None)
        tracker = TrackerAnswer(name, kind, address, ask_sign_in(eyes, name, ask_way(kind), before))
        tracker = ask_reach(tracker) if before else tracker
        try:
            return tracker, eyes.places(tracker)
        except (Failure, Unclear) as failure:
            before = tracker
            click.secho(f"\n{failure}\nOnce more, then.\n", fg="red")


def free(text: str, taken: Sequence[str]) -> str:
    """A name as the file takes it. Raises ``ValueError`` where it is taken."""
    if plain(text) in taken:
        raise ValueError(f"{plain(text)} is the name of another one already")
    return plain(text)


def ask_reach(tracker: TrackerAnswer) -> TrackerAnswer:
    """What it may take to reach a tracker; asked only once it failed."""
    ca = click.prompt("  A file of certificate authorities, if yours are your own", default="", show_default=False)
    proxy = click.prompt("  A proxy, or env:NAME if its address holds a password", default="", show_default=False)
    return replace(tracker, ca=ca, proxy=proxy_of(proxy))


def ask_way(kind: str) -> SignIn:
    """The way to sign in, where there are several."""
    ways = KINDS[kind].sign_ins
    if len(ways) == 1:
        return ways[0]
    click.echo("How does Lockstep sign in?")
    for number, way in enumerate(ways, 1):
        click.echo(f"  {number}. {', '.join(way.keys)}")
    return ways[click.prompt("Number", type=click.IntRange(1, len(ways)), default=1) - 1]


def ask_sign_in(eyes: Eyes, name: str, way: SignIn, before: TrackerAnswer | None) -> dict[str, str | Kept]:
    """Plain keys as they are; of a secret only where it is kept. What is not kept there yet may be typed, and is used
    for this interview alone. ``before``: the answers that did not work, to be taken again."""
    given: dict[str, str | Kept] = {}
    said = before.sign_in if before else {}
    for key in way.keys:
        if key not in secret_keys():
            given[key] = click.prompt(f"  {key}", default=said.get(key))
            continue
        kept = str(said.get(key, f"{name}_{key}".upper()))
        variable = click.prompt(f"  Environment variable that holds the {key}", default=kept)
        given[key] = Kept(env=variable)
        if not eyes.environ.get(variable):
            typed = click.prompt(f"  {variable} is not set here. The {key} itself, for now", hide_input=True)
            eyes.typed[variable] = Secret(typed)
    return given


# -- sides


def ask_places(eyes: Eyes, tracker: TrackerAnswer, places: Sequence[Place]) -> list[Place]:
    """Tables, or projects and then their types."""
    if not places:
        click.secho(f"{tracker.name} shows our account no place where items live: check what it may browse.", fg="red")
    if any(place.table for place in places) or not places:
        return pick("Tables whose items are kept in step", places, lambda place: place.table)
    projects = pick("Projects", places, lambda place: place.project)
    found: list[Place] = []
    for project in projects:
        types = eyes.places(tracker, project.project)
        found += pick(f"Types of item in {project.project}", types, lambda place: place.type)
    return found


def pick(words: str, places: Sequence[Place], name: Callable[[Place], str]) -> list[Place]:
    """Some of the places, by their names, parted by commas."""
    known = {name(place).lower(): place for place in places}
    click.echo("  " + ", ".join(name(place) for place in places[:SHOWN]) + (", ..." if len(places) > SHOWN else ""))

    def chosen(text: str) -> list[Place]:
        wanted = [part.strip() for part in text.split(",") if part.strip()]
        unknown = [part for part in wanted if part.lower() not in known]
        if unknown or not wanted:
            raise ValueError(f'"{unknown[0] if unknown else text}" is not among them')
        return [known[part.lower()] for part in wanted]

    return checked(f"{words} (commas between several)", chosen, name(places[0]) if places else None)


def ask_side(tracker: TrackerAnswer, place: Place, taken: Sequence[str]) -> SideAnswer:
    suggested = unused(place.side or plain(place.type or place.table), taken)
    words = f"What do your people call an item of {place}"
    return SideAnswer(checked(words, lambda text: free(text, taken), suggested), tracker.name, place)


def ask_order(sides: Sequence[SideAnswer]) -> list[SideAnswer]:
    """The side that opens the others comes first."""
    names = [side.name for side in sides]
    first = click.prompt("\nWhich side opens the others", type=click.Choice(names), default=names[0])
    return sorted(sides, key=lambda side: side.name != first)


# -- asking


def checked(words: str, check: Callable[[str], Answer], default: str | None) -> Answer:
    """Asks until the answer passes."""
    while True:
        text = click.prompt(words, default=default)
        try:
            return check(text)
        except Wrong as wrong:
            click.secho(f"  {text} {wrong.what}; {wrong.instead}", fg="red")
        except ValueError as error:
            click.secho(f"  {error}", fg="red")


def unused(name: str, taken: Sequence[str]) -> str:
    """The name, with a number where it is taken."""
    return next(one for one in (name, *(f"{name}_{n}" for n in range(2, 100))) if one not in taken)
