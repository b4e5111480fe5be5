"""The weather of a history: what is unusual about its three trackers all along, and the storms that pass over them.

Sources of what may happen: docs/sandbox.md and goals A7 to A9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random

from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.jira.defaults import BOT
from sandbox.jira.site import Named
from sandbox.people.hands import CALLER, KEYS, OURS, PROJECT
from sandbox.people.profiles import Profile
from sandbox.people.script import Step
from sandbox.wire import Answer

TRACKERS = ("servicenow", "jira", "azure")
#: the calls of each tracker that change something, and those that read
WRITES = {
    "servicenow": (("PATCH", "/table/incident"),),
    "jira": (
        ("POST", r"/issue$"),
        ("PUT", r"/issue/\d+$"),
        ("POST", "/comment$"),
        ("POST", "/transitions$"),
        ("POST", "/remotelink$"),
    ),
    "azure": (("POST", r"/workItems/\$"), ("PATCH", r"/workItems/\d+$"), ("POST", r"/workItems/\d+/comments$")),
}
READS = {
    "servicenow": (("GET", "/table/incident"), ("GET", "sys_journal_field"), ("GET", "sys_user")),
    "jira": (("POST", "/search/jql$"), ("POST", "/bulkfetch$"), ("GET", r"/issue/\d+"), ("GET", "/transitions$")),
    "azure": (("GET", "workItemRevisions$"), ("POST", "/workItemsBatch$"), ("GET", "/comments$"), ("GET", "/updates$")),
}
#: where each tracker tells page by page what changed
LISTS = {"servicenow": ("GET", "/table/incident"), "jira": ("POST", "/search/jql$"), "azure": ("GET", "Revisions$")}
#: where each tracker's discussions are read
TALK = {"servicenow": "sys_journal_field", "jira": "/bulkfetch$|/comment$", "azure": "/comments$"}
#: and where it is spoken
SAYS = {"servicenow": ("PATCH", "/table/incident"), "jira": ("POST", "/comment$"), "azure": ("POST", "/comments$")}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_JSON = {"Content-Type": "application/json;charset=UTF-8"}
BUSY = Answer.of({"error": {"message": "Rate limit exceeded"}, "status": "failure"}, 429)
DOWN = Answer(503, b"<html><body>Service Unavailable</body></html>", _HTML)
BROKEN = Answer.of({"message": "An internal error occurred"}, 500)
GATEWAY = Answer(504, b"<html><body>Gateway Time-out</body></html>", _HTML)
QUEUED = Answer(202, b"", _JSON)
SIGN_IN = Answer(203, b"<html><head><title>Sign In</title></head><body>Sign in to your account</body></html>", _HTML)
#: an answer that was lost is looked for after so long: the lag of Jira's index and what may still be under way
LOST = timedelta(minutes=3)
#: how long a tracker is left alone that refused our credentials, or has its numbers an hour
LOCKED = timedelta(minutes=6)
#: how often two kinds of storm come together
TWO = 0.2
#: how far Jira's index may trail: within the overlap of the connector, or (goals A9) as far as only a sweep can bear
WITHIN, BEYOND = 110, 1800


class Weather:
    """``struck`` is how many faults have struck so far. ``until``: when all that the last storm brought is over."""

    def __init__(self, estate: Estate, profile: Profile, seed: int, *, sweeps: bool) -> None:
        self.estate, self.profile, self.sweeps = estate, profile, sweeps
        self.name, self.past, self.until = "", 0, estate.clock.now()
        self.rest = LOST
        #: an index later than the connector's overlap: a creation whose answer was lost may then be made twice, so that
        #: no answer is lost
        self.beyond = False
        #: what puts a tracker right again
        self.mends: list[Callable[[], object]] = []
        estate.faults.paused = True
        draw = Random(f"land {seed}")
        for name in profile.land:
            LANDS[name](self, draw)
        self.screens()
        if draw.random() < 0.85:
            self.old_talk()

    # -- what is to be known of it

    @property
    def struck(self) -> int:
        return self.past + sum(rule.struck for rule in self.estate.faults.rules)

    @property
    def late(self) -> bool:
        """Whether an index or a table does not show a write yet."""
        self.estate.jira.store.searchable()
        held = self.estate.servicenow.data.tables["incident"].pending
        now = self.estate.clock.now()
        return bool(self.estate.jira.store.pending) or any(now < until for until, _ in held.values())

    @property
    def calm(self) -> bool:
        """No storm, and nothing is left of the last one."""
        return self.estate.faults.paused and not self.late and self.estate.clock.now() >= self.until

    def __str__(self) -> str:
        """The faults in force, as a story tells them."""
        return "; ".join([self.name, *map(told, self.estate.faults.rules)])

    # -- what happens

    def storm(self, step: Step) -> None:
        """Faults of one kind of weather, now and then of two, in force until it is calm."""
        draw = step.draw()
        self.still()
        self.past = self.struck
        self.estate.faults.clear()
        kinds, weights = zip(*sorted(self.profile.storms.items()), strict=True)
        kind = draw.choices(kinds, weights)[0]
        both = dict.fromkeys((kind, draw.choices(kinds, weights)[0]) if draw.random() < TWO else (kind,))
        both = {"quota": None} if self.beyond else both
        self.name = " and ".join(both)
        for fault in (one for kind in both for one in STORMS[kind](self, draw)):
            self.estate.faults.add(fault)
        self.estate.faults.paused = False

    def still(self) -> None:
        """The storm is over."""
        if not self.estate.faults.paused:
            self.estate.faults.paused = True
            self.until = self.estate.clock.now() + self.rest
            self.rest = LOST
        for mend in self.mends:
            mend()
        self.mends.clear()

    def died(self) -> None:
        """A process died: what it had sent is looked for as what a storm had lost."""
        self.until = max(self.until, self.estate.clock.now() + LOST)

    def over(self) -> None:
        """All is over: storms, rests, lags, and what an index still lacks has come."""
        self.still()
        self.estate.jira.store.lag = timedelta(0)
        self.estate.servicenow.commit_delay = timedelta(0)
        self.estate.clock.advance(timedelta(minutes=20))
        self.estate.clock.set(self.until)
        if self.late:
            self.estate.clock.advance(timedelta(seconds=BEYOND))

    # -- what is unusual all along

    def old_talk(self) -> None:
        """ServiceNow was talked in before; without that nobody knows whether its journal can be read."""
        snow = self.estate.servicenow
        id = snow.create({"short_description": "Of long ago", "assignment_group": "Archive"}, by=CALLER)
        snow.comment(id, "It came after all.", CALLER)

    def screens(self) -> None:
        """The field of the keys stands on the screens of every type, so that a defect keeps them when it is made a
        task."""
        projects = self.estate.jira.site.projects
        for key, project in projects.items():
            types = tuple(
                replace(one, create=(*one.create, KEYS), edit=(*one.edit, KEYS)) if KEYS not in one.edit else one
                for one in project.types
            )
            projects[key] = replace(project, types=types)

    def lag(self, draw: Random) -> None:
        """An index that comes late and out of order, and a database whose commits are seen late."""
        most = draw.choice((40, WITHIN, 600, BEYOND, BEYOND) if self.sweeps else (40, WITHIN, WITHIN, WITHIN))
        self.beyond = most > WITHIN
        share = draw.choice((0.3, 0.6, 0.9))
        chance = Random(draw.getrandbits(32))
        self.estate.jira.store.lag = partial(trailing, chance, most, share)
        behind, often = draw.choice((0, 20, 55, 55)), draw.choice((0.3, 0.6))
        self.estate.servicenow.commit_delay = partial(trailing, chance, behind, often)

    def skew(self, draw: Random) -> None:
        """Clocks that do not agree, from before anybody works on."""
        skews = [timedelta(seconds=draw.choice((0, 0, 1, -1, 30, -30, 150, -400, 3000, -3000))) for _ in TRACKERS]
        for tracker, skew in zip(TRACKERS, skews, strict=True):
            self.estate.clocks[tracker].skew = skew
        self.estate.clock.advance(timedelta(seconds=3600) - min(skews))

    def zone(self, draw: Random) -> None:
        """Our account's profile in Jira is not in UTC: its queries read dates in that zone."""
        zone = draw.choice(("UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"))
        users = self.estate.jira.site.users
        users[BOT.account_id] = replace(users[BOT.account_id], zone=zone)

    def odd(self, draw: Random) -> None:
        """Values that nobody told the admin's file of."""
        site = self.estate.jira.site
        site.priorities = (*site.priorities, Named("6", "Blocker"))

    def pages(self, draw: Random) -> None:
        """Pages that come short, empty or cut before they are filtered."""
        self.estate.jira.switches.empty_pages = draw.random() < 0.4
        self.estate.jira.page_limit = draw.choice((1, 2, 100))
        self.estate.azure.switches.scan = draw.random() < 0.5
        self.estate.azure.switches.page = draw.choice((1, 2, 3, 200))

    def talk(self, draw: Random) -> None:
        """Discussions that come in pieces, and edits that show or do not."""
        self.estate.jira.inline_comments = draw.choice((0, 1, 3, 20))
        self.estate.azure.switches.comment_page = draw.choice((2, 5, 200))
        self.estate.azure.switches.edits_revise = draw.random() < 0.5

    # -- storms

    def mixed(self, draw: Random) -> list[Fault]:
        """A little of everything, everywhere."""
        share = draw.choice((0.005, 0.01, 0.03))
        return [fault for kind in WRECKS for fault in wreck(kind, draw, chance=share)]

    def heavy(self, draw: Random) -> list[Fault]:
        """One tracker fails in one way, mostly."""
        tracker, kind = draw.choice(TRACKERS), draw.choice(WRECKS)
        method = draw.choice(("", "POST|PATCH|PUT", "GET"))
        chance, times = draw.choice((0.3, 0.7, 1.0)), draw.choice((0, 1, 2, 5))
        return wreck(kind, draw, tracker=tracker, method=method, chance=chance, times=times)

    def precise(self, draw: Random) -> list[Fault]:
        """A few calls are hit, each in its own way; mostly writes."""
        found: list[Fault] = []
        for _ in range(draw.choice((2, 3, 5, 8))):
            tracker = draw.choice(TRACKERS)
            calls = (WRITES if draw.random() < 0.75 else READS)[tracker]
            method, path = draw.choice((draw.choice(calls), any_of(calls)))
            nth = (draw.choice((1, 1, 1, 2, 2, 3)),)
            found += wreck(draw.choice(WRECKS), draw, tracker=tracker, method=method, path=path, nth=nth)
        return found

    def quota(self, draw: Random) -> list[Fault]:
        """A tracker asks for rest, in seconds, by a date, or without a word."""
        tracker = draw.choice(TRACKERS)
        rest = draw.choice((1, 4, 20, 45, 90, 300))
        self.rest = max(self.rest, timedelta(seconds=rest) + LOST)
        where = {"tracker": tracker, "chance": draw.choice((0.05, 0.2, 0.5)), "times": draw.choice((1, 2, 4))}
        if tracker == "azure" and draw.random() < 0.5:
            return [Fault("headers", retry_after=rest, **where)]  # type: ignore[arg-type]
        if tracker == "servicenow" and draw.random() < 0.6:
            kind = draw.choice(("answer", "answer", "answer_after"))
            where |= {"method": "PATCH|POST", "chance": draw.choice((0.3, 0.9))}
            return [Fault(kind, answer=QUEUED, **where)]  # type: ignore[arg-type]
        says = {"retry_after": rest, "as_date": draw.random() < 0.4} if draw.random() < 0.85 else {}
        return [Fault("answer", answer=draw.choice((BUSY, BUSY, DOWN)), **says, **where)]  # type: ignore[arg-type]

    def limits(self, draw: Random) -> list[Fault]:
        """The trackers' own limits, set low."""
        self.rest = max(self.rest, LOCKED)
        limits = self.estate.jira.limits
        limits.burst = limits.per_issue = True
        limits.reads = limits.writes = draw.choice(((2, 1), (4, 10), (3, 60)))
        self.mends.append(partial(put, limits, burst=False, per_issue=False))
        azure = self.estate.azure.switches
        self.mends.append(partial(put, azure, capacity=0.0, blocked_at=azure.blocked_at, blocked_status=429))
        azure.capacity, azure.blocked_at = draw.choice((0.5, 1.0, 4.0)), draw.choice((1.5, 3.0, 1000.0))
        azure.blocked_status = draw.choice((429, 503))
        return []

    def doors(self, draw: Random) -> list[Fault]:
        """A sign-in page instead of an answer."""
        self.rest = max(self.rest, LOCKED)
        tracker = draw.choice(TRACKERS)
        page = SIGN_IN if tracker != "azure" or draw.random() < 0.5 else Answer(302, b"", {"Location": "/_signin"})
        return [Fault("answer", tracker, answer=page, chance=draw.choice((0.1, 0.5)), times=draw.choice((1, 2)))]

    def births(self, draw: Random) -> list[Fault]:
        """Items are opened, and the answer is lost, or the other way round."""
        found: list[Fault] = []
        for tracker, method, path in (("jira", "POST", "/issue$"), ("azure", "POST|PATCH", r"/workItems/\$")):
            where = {"tracker": tracker, "method": method, "path": path, "times": draw.choice((1, 1, 2))}
            found += wreck(draw.choice(LOSSES), draw, chance=0.8, **where)
        return found

    def answers(self, draw: Random) -> list[Fault]:
        """What is written to one tracker, or the answer to it, is lost."""
        tracker = draw.choice(TRACKERS)
        method, path = draw.choice((*WRITES[tracker], any_of(WRITES[tracker])))
        where = {"tracker": tracker, "method": method, "path": path, "times": draw.choice((1, 1, 2, 3))}
        return wreck(draw.choice(losses(tracker)), draw, chance=0.9, **where)

    def mute(self, draw: Random) -> list[Fault]:
        """What was said on one tracker cannot be read, and now and then answers to what is said there are lost."""
        tracker = draw.choice(TRACKERS)
        found = wreck(draw.choice(WRECKS), draw, tracker=tracker, path=TALK[tracker], method="GET|POST", chance=0.9)
        if draw.random() < 0.5:
            method, path = SAYS[tracker]
            lost = wreck(draw.choice(losses(tracker)), draw, tracker=tracker, method=method, path=path, times=2)
            found = [*lost, *found]
        return found

    def rights(self, draw: Random) -> list[Fault]:
        """A right that our account needs is taken away for a while."""
        self.rest = timedelta(minutes=30)
        match draw.choice(TRACKERS):
            case "servicenow":
                denied = self.estate.servicenow.rights.denied
                denied.add(("update", "incident"))
                self.mends.append(denied.clear)
            case "jira":
                right = draw.choice(("EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "CREATE_ISSUES"))
                self.estate.jira.deny(BOT.name, PROJECT, right)
                self.mends.append(partial(self.estate.jira.allow, BOT.name, PROJECT, right))
            case _:
                readers = self.estate.azure.switches.readers
                readers.add(OURS["pbi"])
                self.mends.append(readers.clear)
        return []

    def blind(self, draw: Random) -> list[Fault]:
        """ServiceNow's journal is kept from our account: its reads are empty."""
        rights = self.estate.servicenow.rights
        rights.journal_readable = False
        self.mends.append(partial(put, rights, journal_readable=True))
        return []

    def cancelled(self, draw: Random) -> list[Fault]:
        """ServiceNow gives its reads up on the way: 200 with some of the rows and an error."""
        quota = self.estate.servicenow.quota
        self.mends.append(partial(put, quota, per_row=0.0, per_write=0.0, cut_short=False))
        quota.per_row, quota.cut_short = draw.choice((25.0, 35.0, 61.0)), draw.random() < 0.3
        quota.per_write = draw.choice((0.0, 0.0, 61.0))
        return []

    def turns(self, draw: Random) -> list[Fault]:
        """Pages that come twice, whose rows have moved on, or that fail behind the first one."""
        if draw.random() < 0.3:
            tracker = draw.choice(TRACKERS)
            method, path = LISTS[tracker]
            behind = tuple(range(2, 2 + draw.choice((4, 8))))
            return wreck(draw.choice(WRECKS), draw, tracker=tracker, method=method, path=path, nth=behind)
        times = draw.choice((1, 2, 0))
        return [
            Fault("page_again", chance=0.6, times=times),
            Fault("page_shift", chance=0.6, times=times, rows=draw.choice((1, 2, -1, -1))),
        ]


def trailing(chance: Random, most: int, share: float) -> timedelta:
    """How late one write is seen: a share of them by up to so many seconds."""
    return timedelta(seconds=chance.randint(0, most) * (chance.random() < share))


def any_of(calls: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The method and path that match each of the calls."""
    return "|".join({method: None for method, _ in calls}), "|".join(path for _, path in calls)


#: how one call can go wrong, by the sandbox's kinds of fault, or by what is answered instead
WRECKS = (
    *("reset_before", "reset_after", "reset_within", "cut", "garbage", "noise", "html", "mistyped", "bom", "gzip"),
    *("gzip_unsaid", "gzip_false", "slow", "too slow", "broken", "broken after", "gateway", "gateway after", "busy"),
    *("down", "shorter"),
)


def wreck(kind: str, draw: Random, **where: object) -> list[Fault]:
    """The fault of a kind, wherever it strikes."""
    given: dict[str, Mapping[str, object]] = {
        "slow": {"kind": "delay", "seconds": draw.choice((0.5, 8.0, 50.0))},
        "too slow": {"kind": "delay_after", "seconds": 65.0},
        "broken": {"kind": "answer", "answer": BROKEN},
        "broken after": {"kind": "answer_after", "answer": BROKEN},
        "gateway": {"kind": "answer", "answer": GATEWAY},
        "gateway after": {"kind": "answer_after", "answer": GATEWAY},
        "busy": {"kind": "answer", "answer": BUSY, "retry_after": draw.choice((1, 3, 30))},
        "down": {"kind": "answer", "answer": DOWN},
        "queued": {"kind": "answer", "answer": QUEUED},
        "cut": {"kind": "cut", "keep": draw.choice((0.0, 0.6, 0.99))},
        "shorter": {"kind": "cut", "keep": draw.choice((0.0, 0.6)), "honest": True},
    }
    return [Fault(**{"kind": kind, **given.get(kind, {}), **where})]  # type: ignore[arg-type]


#: of these, those after which nobody can know whether the request took effect
LOSSES = (
    *("reset_before", "reset_after", "reset_after", "cut", "garbage", "broken", "broken after", "gateway after"),
    "too slow",
)


def losses(tracker: str) -> tuple[str, ...]:
    """Those that befall a tracker: ServiceNow may queue a request and drop it (apis.md 1.6)."""
    return (*LOSSES, "queued", "queued", "queued") if tracker == "servicenow" else LOSSES


def put(what: object, **values: object) -> None:
    """Sets attributes."""
    for name, value in values.items():
        setattr(what, name, value)


def told(fault: Fault) -> str:
    """A fault in a few words."""
    often = f"call {fault.nth[0]}" if fault.nth else f"{fault.chance:.0%}"
    rest = f" rest {fault.retry_after:g} s" if fault.retry_after is not None else ""
    status = f" {fault.answer.status}" if fault.answer else ""
    return f"{fault.kind}{status}{rest} at {often} of {fault.tracker or 'all'} {fault.method} {fault.path}".strip()


LANDS: Mapping[str, Callable[[Weather, Random], None]] = {
    "lag": Weather.lag,
    "skew": Weather.skew,
    "zone": Weather.zone,
    "odd": Weather.odd,
    "pages": Weather.pages,
    "talk": Weather.talk,
}
STORMS: Mapping[str, Callable[[Weather, Random], list[Fault]]] = {
    "mixed": Weather.mixed,
    "heavy": Weather.heavy,
    "precise": Weather.precise,
    "quota": Weather.quota,
    "limits": Weather.limits,
    "doors": Weather.doors,
    "pages": Weather.turns,
    "births": Weather.births,
    "answers": Weather.answers,
    "mute": Weather.mute,
    "rights": Weather.rights,
    "blind": Weather.blind,
    "cancelled": Weather.cancelled,
}
