"""What people ask for: links taken apart, things stopped and let go on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mappings.model import Ref
from sync.freezing.budget import STOPPED
from sync.freezing.freeze import Pause
from sync.freezing.guard import Estate
from sync.state import Held
from sync.store import (
    commit,
    journal,
    parting,
    pauses,
    requests,
    strokes,
    tombstones,
)
from sync.store import tables as t
from sync.store.door import Door
from sync.store.requests import Request
from sync.store.ties import Place


class Asking(Door):
    """What people ask for: links taken apart, things stopped and let go on."""

    def ask(self, kind: str, args: Sequence[Any], by: str, now: datetime) -> int:
        """A request of a person, to be worked at the next pass. Returns its id."""
        with self.db.begin() as connection:
            return requests.add(connection, kind, tuple(args), by, now)

    def request(self, id: int) -> Request:
        """A request by its id. Raises ``NoResultFound`` where there is none."""
        with self.db.begin() as connection:
            return requests.find(connection, id)

    def unanswered(self) -> list[Request]:
        """Requests that nobody has worked yet, oldest first."""
        with self.db.begin() as connection:
            return requests.unanswered(connection)

    def answer(self, request: Request, outcome: str, words: str, now: datetime) -> None:
        """How a request ended, kept with who asked."""
        with self.db.begin() as connection:
            requests.answer(connection, request.id, outcome, words, now)
            told = f"{outcome}, asked by {request.by}: {words}"
            journal.append(connection, now, [journal.Line("", request.kind, requests.about(request), told)])

    def unlink(self, place: Place, by: str, now: datetime) -> None:
        """The item leaves its link for good."""
        with self.db.begin() as connection:
            parting.unlink(connection, place.link, place.link_key, place.ref, by, now)
            line = journal.Line(place.link_key, "unlinked", place.key, f"taken out by {by}")
            journal.append(connection, now, [line])

    def split(self, places: Sequence[Place], key: str, by: str, now: datetime) -> int:
        """The items of one link become a link of their own under that key. Returns its id."""
        first, words = places[0], ", ".join(place.key for place in places)
        with self.db.begin() as connection:
            refs = [place.ref for place in places]
            id = parting.split(connection, first.link, first.link_key, key, refs, by, now)
            ends = ((first.link_key, f"split off by {by}, into link {key}"), (key, f"split off by {by}"))
            journal.append(connection, now, [journal.Line(link, "split", words, told) for link, told in ends])
        return id

    def keep_out(self, ref: Ref, by: str, now: datetime) -> list[str]:
        """Declines what the item was proposed for. Returns the keys of the items it names in those links."""
        with self.db.begin() as connection:
            return parting.keep_out(connection, ref, by, now)

    def lift(self, refs: Collection[Ref], keys: Collection[str]) -> None:
        """The items may join these links again."""
        with self.db.begin() as connection:
            for ref in refs:
                tombstones.lift(connection, ref, keys)

    def stopped(self, name: str) -> tuple[Any, list[Pause]]:
        """The fact of that name and what people stopped, in one look: asked before each link."""
        with self.db.begin() as connection:
            return connection.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == name)), pauses.read(connection)

    def pauses(self) -> list[Pause]:
        """What people stopped, oldest first."""
        with self.db.begin() as connection:
            return pauses.read(connection)

    def pause(self, pause: Pause) -> bool:
        """Stops something, beside a running daemon too. Returns whether it was not stopped already."""
        with self.db.begin() as connection:
            return pauses.begin(connection, pause)

    def resume(self, whats: Iterable[str], by: str, now: datetime) -> None:
        """Lets what was stopped go on."""
        with self.db.begin() as connection:
            pauses.end(connection, whats, by, now)

    def begin_anew(self, refs: Collection[Ref], by: str, now: datetime) -> None:
        """Items that used up their budgets are written again, and what they wrote until now counts no more."""
        with self.db.begin() as connection:
            for ref in refs:
                strokes.forget_item(connection, ref)
                commit.release(connection, ref, STOPPED)
            pauses.wake(connection, refs)
            journal.append(connection, now, [journal.Line("", "resumed", str(ref), f"by {by}") for ref in refs])

    def try_again(self, held: Collection[Held], by: str, now: datetime) -> None:
        """What is set aside is tried at the next look, which comes with the next pass."""
        with self.db.begin() as connection:
            for one in held:
                mine = (t.held.c.tracker == one.ref.tracker, t.held.c.id == one.ref.id, t.held.c.what == one.what)
                rests = (*mine, t.held.c.retry > now)
                connection.execute(sa.update(t.held).where(*rests).values(retry=now))
            refs = list(dict.fromkeys(one.ref for one in held))
            pauses.wake(connection, refs)
            journal.append(connection, now, [journal.Line("", "retry", str(ref), f"by {by}") for ref in refs])

    def estate(self, since: datetime) -> Estate:
        """How much there is that a guard counts, and how many items are missing since then."""
        with self.db.begin() as connection:
            return pauses.estate(connection, since)
