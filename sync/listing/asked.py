"""What people ask of listings: one sent out of turn, and a link watched or no longer."""

from __future__ import annotations

from datetime import datetime

from connectors.base import Failure
from mappings.wording import in_utc
from sync.engine import Engine
from sync.escalation.outbox import flush
from sync.escalation.words import UNWATCH, WATCH
from sync.joining.relink import Declined
from sync.listing.letter import Letter, make
from sync.listing.moves import ASKED, address_of, watchers
from sync.listing.send import put
from sync.merging.status import STAGE
from sync.setup import Report, Setup
from sync.state import LinkState, Movement
from sync.store import Request


def report_of(setup: Setup, id: str) -> Report:
    """A report by its id. Raises ``Declined`` with those that there are."""
    found = next((one for one in setup.reports if one.id == id), None)
    if found is None:
        names = ", ".join(one.id for one in setup.reports)
        raise Declined(f"there is no report {id}: " + (f"choose from {names}" if names else "write [[reports]] first"))
    return found


def made(engine: Engine, id: str, due: datetime) -> tuple[Report, tuple[Letter, ...]]:
    """A report as it would go out if it were due then. Raises ``Declined``."""
    report = report_of(engine.setup, id)
    try:
        return report, make(engine, report, due, report.at.before(due)).letters
    except Failure as failure:
        raise Declined(str(failure)) from None


def send(engine: Engine, request: Request) -> str:
    """Sends a report now, beside its own times. The same request sends it once."""
    id, at = request.args
    due = datetime.fromisoformat(at)
    report, letters = made(engine, id, due)
    if not letters:
        return f"nothing moved since {in_utc(report.at.before(due))}: {id} makes no message"
    put(engine, report, letters, f"asked:{request.id}", engine.now())
    flush(engine, engine.now())
    reached = dict.fromkeys(one for letter in letters for one in (*letter.to, *letter.cc))
    return f"{id} goes to {', '.join(reached)}"


def watch(engine: Engine, request: Request) -> str:
    """Somebody watches a link from now on."""
    return watched(engine, request, WATCH)


def unwatch(engine: Engine, request: Request) -> str:
    """Somebody watches it no longer."""
    return watched(engine, request, UNWATCH)


def watched(engine: Engine, request: Request, word: str) -> str:
    key, who = request.args
    link, address = link_called(engine, key), address_of(engine.setup.roster, who, asked=True)
    if word == WATCH and not address:
        raise Declined(f"nobody knows how to reach {who}: name somebody of the roster, or an e-mail address")
    if (who in watchers(link.movements)) == (word == WATCH):
        return f"{who} watches {key} already" if word == WATCH else f"{who} does not watch {key}"
    engine.store.watched(link.id, link.key, movement(engine, link, request, word), engine.now())
    told = any(one.what == "watched" for one in engine.setup.reports)
    note = "" if told else '; no report tells of it yet: write [[reports]] with what = "movement of watched links"'
    return (f"{who} watches {key}" if word == WATCH else f"{who} watches {key} no longer") + note


def link_called(engine: Engine, key: str) -> LinkState:
    """The one link that an item of this key is in. Raises ``Declined``."""
    found = [link for link in engine.store.find(key) if link.id]
    if len(found) != 1:
        what = f"{key} is in no link" if not found else f"{key} is in {len(found)} links: name another of its items"
        raise Declined(what)
    return found[0]


def movement(engine: Engine, link: LinkState, request: Request, word: str) -> Movement:
    """The word as one that was typed on the item would be kept; nobody's move changes by it."""
    agreed = link.agreed.get(STAGE)
    stage = str(agreed.value) if agreed and agreed.value else ""
    move = engine.setup.stages.get(stage).move if stage else ""
    key, who = request.args
    event = f"{ASKED}{request.id}:{word}"
    return Movement(event, "word", engine.now(), stage, move, word=word, item=key, author=who)
