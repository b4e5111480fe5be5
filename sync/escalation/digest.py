"""How people are spared: what goes out to a recipient at once, what waits, and what a digest says. Pure.

A *sheaf* is what a recipient gets in one message: one notice by itself, or several together in a digest. At most one
is being gathered for a recipient: while it is, everything new joins it. Once it is due it takes in nothing more, so
that what is sent again after a crash is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mappings.calendar import instant
from mappings.wording import many
from sync.setup import Notices, Setup

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: a card of more than that is cut by the channel: a longer digest becomes several
CARD_LINES, CARD_BYTES = 40, 8_000
#: the longest subject that a digest repeats whole
SUBJECT = 160
#: kinds of message that reach programs, which need no sparing
UNSPARED = ("webhook",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A committed message and one who is to get it. ``cc``: in copy. ``own``: it is about Lockstep itself.
    ``begun``: it may have been taken, so that it goes out again only as it is."""

    key: str
    kind: str
    recipient: str
    cc: bool = False
    own: bool = False
    begun: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Where it goes: two spellings of one address are one."""
        return self.kind, self.recipient.casefold()


@dataclass(frozen=True, slots=True)
class Delivery:
    """When a recipient gets a message, and in which sheaf: the message's own key, or that of a digest."""

    wanted: Wanted
    sheaf: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What a recipient got in the last hour, an instant a message, and the sheaf that is being gathered."""

    sent: tuple[datetime, ...] = ()
    sheaf: str = ""
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What a digest says of one notice: the items, the rule and step and since when it was due (none for a message
    that no rule sent, or that leaves the house), and the admin's subject."""

    items: str
    subject: str
    rule: str = ""
    step: int = 0
    since: datetime | None = None


def share_out(
    setup: Setup, wanted: Iterable[Wanted], pasts: Mapping[tuple[str, str], Past], now: datetime
) -> list[Delivery]:
    """When and in what each recipient gets each message. What Lockstep says of itself, and what programs are told,
    goes out at once."""
    found: list[Delivery] = []
    places: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for one in wanted:
        if unspared(one):
            found.append(Delivery(one, one.key, now))
        else:
            places[one.place].append(one)
    storm = is_storm(setup.notices, (one for some in places.values() for one in some))
    for place, some in places.items():
        found += sheaf(setup.notices, zone_at(setup, *place), some, pasts.get(place, Past()), now, storm=storm)
    return found


def unspared(one: Wanted) -> bool:
    return one.own or one.kind in UNSPARED


def overslept(setup: Setup, one: Wanted, now: datetime) -> bool:
    """Whether a message that is due waits once more: nobody sent it before the next quiet hours began."""
    return not (unspared(one) or one.begun) and waking(setup.notices, zone_at(setup, *one.place), now) > now


def is_storm(notices: Notices, wanted: Iterable[Wanted]) -> bool:
    """Whether more steps fired than the file lets out one by one."""
    return bool(notices.storm) and len({one.key.rpartition(":")[0] for one in wanted}) > notices.storm


def sheaf(
    notices: Notices, zone: str, wanted: Sequence[Wanted], past: Past, now: datetime, *, storm: bool = False
) -> list[Delivery]:
    """When and in what one recipient gets these messages, in their order: at once as far as the bound of the hour and
    the quiet hours of ``zone`` let them, the rest in one digest."""
    if past.due is not None and past.due > now:
        return [Delivery(one, past.sheaf, past.due) for one in wanted]
    awake = waking(notices, zone, now) == now
    free = len(wanted) if not notices.per_hour else max(0, notices.per_hour - len(recent(past.sent, now)))
    if not awake or storm:
        free = 0
    at_once, rest = wanted[:free], wanted[free:]
    found = [Delivery(one, one.key, now) for one in at_once]
    if not rest:
        return found
    gathered = now + notices.digest if awake and not storm else now
    due = release(notices, zone, (*past.sent, *(now for _ in at_once)), gathered)
    key = f"digest:{rest[0].kind}:{rest[0].recipient}:{now.isoformat()}"
    return [*found, *(Delivery(one, key, due) for one in rest)]


def release(notices: Notices, zone: str, sent: Sequence[datetime], at: datetime) -> datetime:
    """The first instant from ``at`` on that is in no quiet hour and leaves room for one message more in its hour."""
    while True:
        recently = recent(sent, at)
        full = notices.per_hour and len(recently) >= notices.per_hour
        later = waking(notices, zone, recently[-notices.per_hour] + HOUR if full else at)
        if later == at:
            return at
        at = later


def recent(sent: Iterable[datetime], at: datetime) -> list[datetime]:
    """What lies in the hour before ``at``, oldest first."""
    return sorted(one for one in sent if one > at - HOUR)


def waking(notices: Notices, zone: str, at: datetime) -> datetime:
    """``at`` itself, or, in quiet hours, their end on the clock of the zone."""
    begins, ends = notices.quiet_from, notices.quiet_to
    if begins == ends:
        return at
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    minute = wall.hour * 60 + wall.minute
    asleep = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
    if not asleep:
        return at
    day = wall.date() + (DAY if minute >= ends else timedelta(0))
    midnight = datetime.combine(day, datetime.min.time())
    # the hour that comes twice in autumn is quiet twice
    return max(instant(zone, midnight + timedelta(minutes=ends)), at + timedelta(minutes=1))


def zone_at(setup: Setup, kind: str, recipient: str) -> str:
    """The zone of the recipient's party, by its addresses or the roster; the bot's own where there is none."""
    people = {person.email.casefold(): person.party for person in setup.roster.people if person.email}
    member_of = people.get(recipient) if kind == "email" else None
    for party in setup.parties:
        reached = [one.casefold() for one in party.email] if kind == "email" else [party.teams.casefold()]
        if party.calendar is not None and (recipient in reached or party.name == member_of):
            return party.calendar.zone
    return setup.zone


# ── what a digest says ───────────────────────────────────────────────────────────────────────────────────────────────


def digest(instance: str, lines: Sequence[Line], zone: str, *, card: bool = False) -> list[tuple[str, str]]:
    """Subject and text of a digest, each item once with what is said of it; of a card that would be too long, of
    several."""
    blocks: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        blocks[line.items or "Lockstep"].append(f"  {told(line, zone)}")
    subject = f"Lockstep {instance}: {many(len(lines), 'notice')} on {many(len(blocks), 'item')}"
    texts = ["\n".join([items, *said]) for items, said in blocks.items()]
    pages = paged(texts) if card else [texts]
    turns = [f" ({place} of {len(pages)})" if len(pages) > 1 else "" for place in range(1, len(pages) + 1)]
    return [(f"{subject}{turn}", "\n\n".join(page)) for turn, page in zip(turns, pages, strict=True)]


def told(line: Line, zone: str) -> str:
    """One notice in one line."""
    subject = " ".join(line.subject.split())[:SUBJECT]
    if line.since is None or not line.rule:
        return subject
    since = f"{line.since.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"
    return f"{subject} (rule {line.rule}, step {line.step}, since {since})"


def paged(texts: Sequence[str]) -> list[list[str]]:
    """The blocks of a digest, as many on a page as a card takes."""
    pages: list[list[str]] = [[]]
    for text in texts:
        page = [*pages[-1], text]
        whole = "\n".join(page)
        if pages[-1] and (whole.count("\n") >= CARD_LINES or len(whole.encode()) > CARD_BYTES):
            pages.append([text])
        else:
            pages[-1] = page
    return pages
