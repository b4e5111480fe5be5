"""Random lives of a link under rules of every trigger: people work, type words, snooze and take things back; mail
servers, trackers and the process fail at any boundary, and the file is edited. Then faults stop, and what the trackers
and the mail server recorded must keep the promise. Each life is one seed."""

from __future__ import annotations

import email
import email.policy
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller

import sync.escalation.outbox as outbox
from sandbox.faults import Fault
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer
from sync.state import LinkState
from tests.post import Mailbox, free_port
from tests.test_crash import WRITES, Died
from tests.world import ANA, BEN, CHEN, RITA, SAM, World, copies_of, writes

#: how many lives are lived; by hand a longer search: LOCKSTEP_LIVES=200
LIVES = int(os.environ.get("LOCKSTEP_LIVES", "2"))
PEOPLE = """name,email,party,role,county,servicenow,jira,azure
Paula Ray,paula@example.org,operations,problem manager,,paula.ray,,
Ana Ruiz,ana@example.org,developers,lead,,,Ana Ruiz,
Chen Wei,chen@example.org,developers,developer,,,,Chen Wei
Sam Hill,sam@example.org,county,county desk,,sam.hill,,
"""
SETUP = """
[people]
roster   = "people.csv"
fallback = ["desk@example.org"]
[mail]
server = "smtp://127.0.0.1:PORT"
sender = "lockstep@example.org"
[notices]
NOTICES
[sides.problem]
tracker = "servicenow"
table   = "problem"
[sides.task]
tracker = "azure"
project = "Portal"
type    = "Task"
under   = "pbi"
[[routes]]
id   = "problem"
from = "incident"
open = "problem"
by   = "rule"
"""
COUNTY = '[parties.county]\nrequester = true\nmembers = { servicenow = ["sam.hill"] }\n[parties.developers]'
RULES = """
[[rules]]
id      = "asked"
concern = true
until   = ["answered"]
  [[rules.steps]]
  email = { to = ["lead"], subject = "asked {incident}", text = "somebody asked" }
  [[rules.steps]]
  after = "4h"
  email = { to = ["lead", "problem managers"], subject = "asked again {incident}", text = "nobody answers" }
[[rules]]
id   = "research"
said = ["research"]
  [[rules.steps]]
  email = { to = ["developers"], cc = ["lead"], subject = "research {incident}", text = "look" }
  say   = { on = "incident.work_notes", text = "research is noted", mention = ["problem manager"] }
[[rules]]
id   = "hold on"
said = ["wait"]
  [[rules.steps]]
  set = { stage = "Waiting for the caller" }
[[rules]]
id   = "go on"
said = ["go"]
  [[rules.steps]]
  set = { stage = "Fixing" }
[[rules]]
id   = "close it"
said = ["close"]
  [[rules.steps]]
  set = { stage = "Closed" }
[[rules]]
id     = "taken"
enters = ["Fixing"]
  [[rules.steps]]
  assign = { on = "defect", to = "lead" }
  email  = { to = ["lead"], subject = "taken {incident}", text = "taken" }
[[rules]]
id      = "hurry"
changes = ["priority"]
  [[rules.steps]]
  email = { to = ["{county}", "lead"], subject = "priority {priority}", text = "hurry" }
[[rules]]
id    = "opened"
opens = ["defect", "pbi"]
  [[rules.steps]]
  email = { to = ["problem managers"], subject = "opened {defect}", text = "opened" }
[[rules]]
id    = "quiet"
when  = 'stage == "Fixing"'
quiet = "4h"
  [[rules.steps]]
  say = { on = "defect.everyone", text = "no word for four hours", mention = ["lead"] }
  [[rules.steps]]
  after  = "4h"
  open   = "problem"
  assign = { on = "problem", to = "problem managers" }
  email  = { to = ["problem managers"], subject = "quiet {incident}", text = "quiet" }
  [[rules.steps]]
  after  = "4h"
  set    = { escalation = "High" }
  assign = { on = "pbi", to = "developer" }
  teams  = "triage"
  text   = "quiet for long"
[[rules]]
id   = "late"
over = true
  [[rules.steps]]
  say = { on = "incident.work_notes", text = "the target is used up" }

[teams.triage]"""
SPARING = ("", 'per_hour = 2\ndigest = "1h"', 'quiet = "20:00-07:00"', 'per_hour = 1\nquiet = "12:00-13:00"\nstorm = 2')
STATES = {
    "servicenow": ("New", "In Progress", "On Hold:Awaiting Vendor", "Resolved"),
    "jira": ("To Do", "In Progress", "In Review", "Done"),
    "azure": ("New", "Approved", "Committed", "Done"),
}
MEANS = {
    "New": "Validating",
    "To Do": "Validating",
    "In Progress": "Fixing",
    "In Review": "Fixing",
    "Approved": "Fixing",
    "Committed": "Fixing",
    "On Hold:Awaiting Vendor": "Waiting for the caller",
    "Resolved": "Closed",
    "Closed": "Closed",
    "Done": "Closed",
}
SPEAKERS = {"servicenow": (RITA, SAM), "jira": (ANA, BEN), "azure": (CHEN,)}
WORDS = (
    *["any news?"] * 3,
    *["!research please"] * 3,
    "!ack",
    "!answered",
    "/snooze 3h the vendor looks at it",
    "/snooze",
    "#unsnooze",
    "!wait",
    "!go",
    "!close",
)
#: where the process may die besides the trackers: at what it keeps of a pass
KEEPS = (
    "commit",
    "said",
    "settle_intent",
    "acknowledge",
    "created",
    "created_task",
    "fulfil",
    "share",
    "sending",
    "delivered",
)
ZONE = ZoneInfo("America/Los_Angeles")
#: how a notice by itself and a line of a digest name their firing
ALONE = re.compile(r"^Why [^\n]* since \w+ ([-\d]+ [:\d]+) .*?^Rule +(.+?), step (\d+) of", re.M | re.S)
LINE = re.compile(r"\(rule (.+?), step (\d+), since ([-\d]+ [:\d]+) \w+\)")
#: whom each step that mails always writes to
READERS = {
    ("asked", 1): "ana@example.org",
    ("asked", 2): "paula@example.org",
    ("research", 1): "dev@example.org",
    ("taken", 1): "ana@example.org",
    ("hurry", 1): "ana@example.org",
    ("opened", 1): "paula@example.org",
    ("quiet", 2): "paula@example.org",
}


class Post(Mailbox):
    """A mail server that takes nothing while it is down."""

    up = True

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return await super().handle_DATA(server, session, envelope) if self.up else "451 try again later"


@dataclass
class Mail:
    """One message as it reached one person, and when."""

    at: datetime
    to: str
    id: str
    text: str


@dataclass
class Life:
    """One seed's world, and what its people did in it."""

    folder: Path
    draw: Random
    mishaps: bool = True
    said: list[tuple[datetime, str, str]] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    fired: dict[tuple[str, str, int], str] = field(default_factory=dict)
    when: dict[tuple[str, str, int], datetime] = field(default_factory=dict)
    given: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    down: bool = False
    died: bool = False
    read: int = 0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.box, self.port = Post(), free_port()
        self.post = Controller(self.box, hostname="127.0.0.1", port=self.port)
        self.post.start()
        (self.folder / "people.csv").write_text(PEOPLE)
        self.notices = self.draw.choice(SPARING)
        self.gate = self.draw.choice(["", "back", "hold"])
        self.follow = self.draw.random() < 0.4
        self.note("notices", self.notices.replace("\n", " "), "gate", self.gate, "follow", self.follow)
        self.world = World(self.folder, self.file)
        for user in ("paula.ray", "sam.hill"):
            self.world.estate.servicenow.data.named("sys_user", user)
        self.incident, self.defect, _ = self.world.linked()
        self.pbi = self.world.estate.azure.ids()[0]  # its tasks came after it
        self.places = {"servicenow": self.incident, "jira": self.defect, "azure": self.pbi}
        self.look()

    def file(self, text: str) -> str:
        """The demo's file with rules of every trigger, and the sides, routes and notices that they need."""
        head, _, rest = text.partition("[[rules]]")
        head = head.replace("On Hold:Awaiting Caller", "On Hold:Awaiting Vendor")
        head = head.replace("[parties.developers]", COUNTY, 1).replace('target   = "3d"', 'target   = "1d"')
        head = head.replace(
            'sides = ["defect", "pbi"]', 'sides = ["defect", "pbi"]\nrecipients = { email = ["dev@example.org"] }'
        )
        title = 'incident = "short_description"'
        head = head.replace(title, f'{title}\nproblem = "short_description"')
        head = head.replace(
            'open = "pbi"', 'open = "pbi"\ntasks = { side = "task", titles = ["Analyse it", "Test it"] }'
        )
        head = head.replace("[disclosure]", '[fields.county]\nincident = "location"\n[disclosure]')
        closed = 'name     = "Closed"'
        if self.gate:
            head = head.replace(closed, f'{closed}\nneeds    = ["resolution"]\ngate     = "{self.gate}"')
        if self.follow:
            head = head.replace("[[routes]]", '[[routes]]\nid = "all"\nfrom = "incident"\nfollow = true\n[[routes]]', 1)
        more = SETUP.replace("PORT", str(self.port)).replace("NOTICES", self.notices)
        return head + more + RULES + rest.partition("[teams.triage]")[2]

    def note(self, *words: object) -> None:
        self.told.append(" ".join(str(word) for word in words))

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

    def act(self) -> None:
        """One act of somebody, at an instant of its own."""
        self.world.later(seconds=70)
        acts = [*[self.speak] * 5, *[self.state] * 3, self.assign, self.assign, self.hurry, self.rename]
        with suppress(Rejected, KeyError, ValueError):
            act = self.draw.choice(acts)
            try:
                act()
            except Exception as refused:
                if not type(refused).__module__.startswith("sandbox"):
                    raise

    def tracker(self, name: str) -> Any:
        return getattr(self.world.estate, name)

    def speak(self) -> None:
        name = self.draw.choice(sorted(self.places))
        text, by = self.draw.choice(WORDS), self.draw.choice(SPEAKERS[name])
        text = f"{text}\nnumber {len(self.said):03d}."
        self.tracker(name).comment(self.places[name], text, by)
        self.said.append((self.now(), name, text))
        self.note("speak", name, by, repr(text))

    def state(self) -> None:
        name = self.draw.choice(sorted(self.places))
        to, more = self.draw.choice(STATES[name]), {}
        if name == "servicenow" and to == "Resolved":
            more = {"close_code": "Solution provided", "close_notes": "done"}
        if name == "jira" and to == "Done":
            if self.draw.random() < 0.7:
                self.world.estate.jira.update(self.defect, {"customfield_10044": "the pool is larger"}, by=BEN)
            more = {"resolution": "Done"}
        self.tracker(name).move(self.places[name], to, by=SPEAKERS[name][0], **more)
        self.note("state", name, to)

    def assign(self) -> None:
        who = self.draw.choice([ANA, BEN])
        name = "jira"
        if self.draw.random() < 0.3:
            name, who = "azure", CHEN
            self.world.estate.azure.update(self.pbi, {"System.AssignedTo": who}, by=CHEN)
        else:
            self.world.estate.jira.update(self.defect, {"assignee": who}, by=BEN)
        self.given[name].append((self.now(), who))
        self.note("assign", name, who)

    def hurry(self) -> None:
        self.world.estate.servicenow.update(self.incident, {"impact": self.draw.choice("123")}, by=RITA)
        self.note("hurry")

    def rename(self) -> None:
        title = f"title {len(self.told):03d}"
        self.world.estate.servicenow.update(self.incident, {"short_description": title}, by=RITA)
        self.note("rename", title)

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────

    def weather(self) -> None:
        html = {"Content-Type": "text/html"}
        kinds: dict[str, Answer | None] = {
            "reset_after": None,
            "reset_before": None,
            "garbage": None,
            "answer": Answer(self.draw.choice([500, 503, 429]), b"", {"Retry-After": "60", **html}),
        }
        kind, tracker = self.draw.choice(sorted(kinds)), self.draw.choice(["servicenow", "jira", "azure", "teams"])
        method = self.draw.choice(["POST|PATCH|PUT", "POST|PATCH|PUT", "GET|POST"])
        self.world.estate.faults.add(Fault(kind, tracker, method=method, chance=0.5, times=2, answer=kinds[kind]))
        self.note("fault", tracker, kind, method)

    def mortal(self) -> Callable[[], None]:
        """Lets the process die at one of its boundaries; returns what undoes what the next process would inherit."""
        left, moment = self.draw.randrange(8), self.draw.choice(["before", "after"])
        self.note("dies", moment, left)

        def wrapped(work: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0 and moment == "before":
                    raise Died
                answer = work(*given, **named)
                if left < 0:
                    raise Died
                return answer

            return call

        for connector in self.world.engine.connectors.values():
            for name in WRITES:
                setattr(connector, name, wrapped(getattr(connector, name)))
        for name in KEEPS:
            setattr(self.world.engine.store, name, wrapped(getattr(self.world.engine.store, name)))
        send, outbox.send = outbox.send, wrapped(outbox.send)

        def undo() -> None:
            outbox.send = send

        return undo

    def passes(self) -> None:
        way = self.draw.random() if self.mishaps else 1.0
        self.box.up = way > 0.1
        self.down |= not self.box.up
        if way < 0.35:
            undo = self.mortal()
            try:
                self.world.once()
            except Died:
                self.died = True
                self.note("died")
            finally:
                undo()
            self.hear()
            self.world.restart()
        else:
            if way < 0.55:
                self.weather()
            self.world.once()
            self.note("pass", "" if self.box.up else "no mail", f"{self.now():%a %H:%M}")
        self.world.estate.faults.clear()
        self.look()

    def edit(self) -> None:
        """The file is edited while it runs: a rule goes and comes back, or its span is another."""
        old, new = self.draw.choice([('quiet = "4h"', 'quiet = "2h"'), ('quiet = "2h"', 'quiet = "4h"')])
        if old in self.world.path.read_text():
            self.world.edited((old, new))
            self.note("edit", new)

    def now(self) -> datetime:
        return self.world.engine.now()

    def hear(self) -> None:
        """What the mail server took since it was asked last."""
        new = list(zip(self.box.raw, self.box.envelopes, strict=True))[self.read :]
        self.read = len(self.box.raw)
        for raw, (_, people) in new:
            mail = email.message_from_bytes(raw, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            body = mail.get_body(("plain",))
            assert body is not None
            text = f"{mail['Subject']}\n{body.get_content()}"
            self.mails += [Mail(self.now(), who, str(mail["Message-ID"]), text) for who in people]

    def look(self) -> None:
        self.hear()
        for link in self.world.engine.store.links():
            for f in link.firings:
                key = f.rule, f.episode, f.step
                assert self.fired.get(key, f.outcome) == f.outcome, key
                self.fired[key] = f.outcome
                self.when.setdefault(key, f.at)

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def link(self) -> LinkState:
        (found,) = [link for link in self.world.engine.store.links() if link.id and len(link.items) > 1]
        return found

    def calm(self) -> None:
        """Faults stop; days pass until nothing is left to fire, every few hours a look."""
        self.box.up = True
        for _ in range(20):
            self.world.later(hours=7)
            self.world.settle(limit=15)
            self.look()
        self.note("calm")

    def check(self) -> None:
        self.check_words()
        self.check_remarks()
        self.check_mails()
        self.check_spared()
        self.check_orders()
        self.check_step()
        self.check_quiet()

    def check_words(self) -> None:
        """People's words came to every item, once."""
        for _, origin, text in self.said:
            number = text.partition("\n")[2]
            for name, id in self.places.items():
                copies = copies_of(number, self.world.words(name, id))
                assert copies == 1, f"{text!r} of {origin} is {copies} times on {name}"

    def firings(self, rule: str, step: int) -> list[str]:
        return [e for (r, e, s), outcome in self.fired.items() if (r, s, outcome) == (rule, step, "fired")]

    def check_remarks(self) -> None:
        """A step that fired is said once."""
        for rule, step, name, text in (
            ("research", 1, "servicenow", "research is noted"),
            ("quiet", 1, "jira", "no word for four hours"),
            ("late", 1, "servicenow", "the target is used up"),
        ):
            fired, copies = len(self.firings(rule, step)), copies_of(text, self.world.words(name, self.places[name]))
            assert copies == fired, (rule, step, fired, copies)
        typed = [text for _, _, text in self.said if text.startswith("!research")]
        fired = len(self.firings("research", 1))
        assert fired == len(typed), (fired, typed, self.fired)

    def lines(self) -> dict[tuple[str, str, int, str], set[str]]:
        """By recipient, rule, step and episode's beginning: the messages that told of it."""
        found: dict[tuple[str, str, int, str], set[str]] = defaultdict(set)
        for mail in self.mails:
            alone = [(rule, step, since) for since, rule, step in ALONE.findall(mail.text)]
            told = alone or LINE.findall(mail.text)
            assert told, mail.text
            for rule, step, since in told:
                found[mail.to, rule, int(step), since].add(mail.id)
        return found

    def check_mails(self) -> None:
        """A step that fired reached each of its people in one message, and only again as the same one after a death."""
        lines = self.lines()
        for key, ids in lines.items():
            assert len(ids) == 1, (key, ids)
        for (rule, step), reader in READERS.items():
            told = [since for to, r, s, since in lines if (to, r, s) == (reader, rule, step)]
            fired = self.firings(rule, step)
            assert len(told) == len(fired), (rule, step, told, fired)
        twice = {key for key, count in Counter((mail.to, mail.id) for mail in self.mails).items() if count > 1}
        assert self.died or not twice, twice

    def check_spared(self) -> None:
        """No more than the bound, and none in quiet hours, but what was sent again after a death."""
        if self.down or self.died:
            return
        bound = re.search(r"per_hour = (\d)", self.notices)
        quiet = re.search(r'quiet = "(\d+):00-(\d+):00"', self.notices)
        by: dict[str, list[datetime]] = defaultdict(list)
        for mail in self.mails:
            by[mail.to].append(mail.at)
            if quiet:
                hour, (begin, end) = mail.at.astimezone(ZONE).hour, map(int, quiet.groups())
                assert not (begin <= hour < end if begin < end else hour >= begin or hour < end), mail
        for who, instants in by.items():
            for at in instants if bound else ():
                near = [one for one in instants if at - timedelta(hours=1) < one <= at]
                assert bound and len(near) <= int(bound[1]), (who, near)

    def check_orders(self) -> None:
        """One problem, each task once; what people assigned stands."""
        rows = self.world.estate.servicenow.data.tables["problem"].rows.values()
        made = [row["number"] for row in rows if row["short_description"] != "long ago"]
        wanted = bool(self.firings("quiet", 2))
        assert len(made) <= wanted, (made, wanted)  # work that was closed in between opens nothing any more
        titles = Counter(self.world.estate.azure.item(id)["System.Title"] for id in self.world.estate.azure.ids())
        assert (titles["Analyse it"], titles["Test it"]) == (1, 1), titles
        assert len(self.world.estate.jira.ids()) == 1
        self.check_assigned("jira", self.defect, "assignee", "taken", 1, ANA)
        self.check_assigned("azure", self.pbi, "System.AssignedTo", "quiet", 3, CHEN)

    def check_assigned(self, name: str, id: str, native: str, rule: str, step: int, to: str) -> None:
        """Each firing assigns at most once, and not over what people said since."""
        history = [c for c in self.tracker(name).history(id) if c["field"] == native]
        ours = [c for c in history if c["by"].startswith("Lockstep")]
        fired = sorted(self.when[rule, e, step] for e in self.firings(rule, step))
        assert len(ours) <= len(fired), (name, ours, fired)
        for change in ours:
            before = [at for at in fired if at <= change["at"]]
            assert before, (name, change, fired)
            between = [who for at, who in self.given[name] if max(before) < at < change["at"]]
            assert not between, (name, change, max(before), between)

    def check_step(self) -> None:
        """The three say the same, or somebody is told why not."""
        estate = self.world.estate
        shown = {
            "servicenow": estate.servicenow.state_of(self.incident),
            "jira": estate.jira.item(self.defect)["status"],
            "azure": estate.azure.item(self.pbi)["System.State"],
        }
        held = {h.ref.tracker for h, _ in self.world.engine.store.held()}
        agreed = self.link.agreed["stage"].value
        for name, state in shown.items():
            means = MEANS[str(state)]
            paused = agreed == "Waiting for the caller" and name != "servicenow"
            assert means == agreed or name in held or paused, (name, state, agreed, held)
        title = estate.servicenow.item(self.incident)["short_description"]
        assert estate.jira.item(self.defect)["summary"] == title == estate.azure.item(self.pbi)["System.Title"]
        assert self.link.orders == () or held, self.link.orders

    def check_quiet(self) -> None:
        """Everything is read again, with the state kept and then deleted: nothing is written, nothing told."""
        for lost in (False, True):
            before, fired = (len(self.mails), len(self.world.estate.hook.cards)), dict(self.fired)
            self.world.restart(lose_state=lost)
            with self.world.counting() as asked:
                for _ in range(4):
                    self.world.engine.store.touch_all(closed=True)
                    done = self.world.once()
                    assert done.writes == 0, (lost, [action for plan in done.plans for action in plan.actions])
                    self.world.later(minutes=10)
            self.look()
            refused = self.world.engine.store.held()  # what a tracker refused may be tried again, and is refused again
            assert refused or writes(asked) == [], (lost, writes(asked))
            assert (len(self.mails), len(self.world.estate.hook.cards)) == before, lost
            new = {key for key, outcome in self.fired.items() if key not in fired and outcome == "fired"}
            assert not new, (lost, new)

    def close(self) -> None:
        self.world.close()
        self.post.stop()


def live(folder: Path, seed: int, *, mishaps: bool = True, length: int = 14) -> Life:
    """One life of a seed, to its end."""
    draw = Random(seed)
    life = Life(folder, draw, mishaps)
    try:
        for _ in range(length):
            for _ in range(draw.choice([0, 1, 1, 2, 3])):
                life.act()
            if draw.random() < 0.8:
                life.passes()
            if draw.random() < 0.1:
                life.edit()
            life.world.later(minutes=draw.choice([1, 1, 30, 180, 300, 1200]))
        life.calm()
        life.check()
    except BaseException as error:
        error.add_note("\n".join(["seed", str(seed), *life.told]))
        raise
    finally:
        life.close()
    return life


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_random_life_under_rules_keeps_the_promise(tmp_path: Path, seed: int) -> None:
    live(tmp_path, seed)
