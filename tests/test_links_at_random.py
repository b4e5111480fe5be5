"""Random lives of links: people act on three trackers, give commands and are met by faults and deaths of the process;
then faults stop, and what the trackers' own histories show must keep the promise. Each life is one seed."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from sandbox.faults import Fault
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer
from sync.freezing import brake
from sync.requests.kinds import work
from sync.store import DONE
from tests.test_crash import Died, mortal
from tests.world import ANA, BEN, CHEN, RITA, SAM, World, copies_of, writes

JOIN = 'open = "defect"\njoin = { parent = true, problem = true, mention = "join", in = ["summary"] }'
MATCH = '\nmatch = ["incident_number"]'
FIELDS = """
[fields.incident_number]
incident  = "number"
defect    = "customfield_10040"
owner     = "incident"
exclusive = true

[[comments]]"""
PROBLEMS = """
[sides.problem]
tracker = "servicenow"
table   = "problem"
scope   = { assignment_group = ["API Support"] }
[[routes]]
id   = "problem-defect"
from = "problem"
open = "defect"
"""
#: where a comment on each tracker's items goes
PATHS = {"servicenow": {"jira", "azure"}, "jira": {"servicenow", "azure"}, "azure": {"servicenow", "jira"}}
STATES = {
    "servicenow": ("New", "In Progress", "On Hold:Awaiting Caller", "Resolved"),
    "jira": ("To Do", "In Progress", "In Review", "Done"),
    "azure": ("New", "Approved", "Committed", "Done"),
}
TITLES = {"servicenow": "short_description", "jira": "summary", "azure": "System.Title"}
CHECKED = (*TITLES.values(), "state", "status", "System.State", "priority", "impact", "urgency")
PEOPLE = {"servicenow": RITA, "jira": BEN, "azure": CHEN}
OURS = {"servicenow": "lockstep", "jira": "Lockstep", "azure": "Lockstep"}
Place = tuple[str, str]
#: how many lives are lived; by hand a longer search: LOCKSTEP_LIVES=200
LIVES = int(os.environ.get("LOCKSTEP_LIVES", "4"))


def file_of(kind: str) -> Callable[[str], str]:
    """The demo's file with problems, joining and matching; ``kind`` chooses what mentions and closed work do."""

    def edit(text: str) -> str:
        join = JOIN.replace('"join"', '"propose"') if kind == "propose" else JOIN
        join += "\nreopen = true" if kind == "reopen" else ""
        gate = 'name     = "Closed"'
        assert gate in text
        text = text.replace(gate, f'{gate}\nneeds    = ["resolution"]') if kind == "gate" else text
        named = 'incident = "short_description"'
        text = text.replace('open = "defect"', join + MATCH, 1).replace("\n[[comments]]", FIELDS, 1)
        text = text.replace('type    = "Bug"\n', 'type    = "Bug"\nkeys_field = "customfield_10045"\n', 1)
        return text.replace(named, f'{named}\nproblem = "short_description"', 1) + PROBLEMS

    return edit


@dataclass
class Life:
    """One seed's world, what its people did in it, and what was together when."""

    world: World
    draw: Random
    deaths: bool = True
    places: list[Place] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    said: list[tuple[str, Place]] = field(default_factory=list)
    named: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    together: dict[Place, set[Place]] = field(default_factory=lambda: defaultdict(set))
    homes: dict[Place, str] = field(default_factory=dict)
    asked: set[Place] = field(default_factory=set)
    out: dict[Place, int] = field(default_factory=dict)
    hidden: set[Place] = field(default_factory=set)
    due: dict[str, set[Place]] = field(default_factory=dict)
    alone: set[str] = field(default_factory=set)
    count: int = 0
    told: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Work that is under way: an incident, its defect and its PBI."""
        title = self.next("trouble")
        self.world.linked(title)
        for tracker in STATES:
            self.named[title].add(tracker)
        self.look()

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

    def next(self, what: str) -> str:
        self.count += 1
        return f"{what} {self.count:03d}."

    def of(self, *trackers: str) -> Place | None:
        """One of the items that are there and seen."""
        self.known()
        there = [place for place in self.places if place not in self.hidden and place[0] in trackers]
        return self.draw.choice(there) if there else None

    def known(self) -> None:
        estate = self.world.estate
        ids = [("servicenow", id) for id in estate.servicenow.ids("incident")]
        ids += [("jira", id) for id in estate.jira.ids()] + [("azure", str(id)) for id in estate.azure.ids()]
        self.places += [place for place in ids if place not in self.places]

    def act(self) -> None:
        """One act of somebody; what the tracker's own rules refuse is no act."""
        acts = [
            *[self.incident] * 3,
            *[self.state] * 5,
            *[self.title] * 3,
            *[self.speak] * 4,
            *[self.kin] * 2,
            self.scope,
            self.vanish,
            self.back,
            self.by_hand,
            self.problem,
            self.label,
            *[self.command] * 3,
            self.stop,
        ]
        with suppress(Rejected, KeyError, ValueError):
            act = self.draw.choice(acts)
            try:
                act()
            except Exception as refused:
                if type(refused).__module__.startswith("sandbox"):
                    return
                raise

    def note(self, *words: object) -> None:
        self.told.append(" ".join(str(word) for word in words))

    def incident(self) -> None:
        snow, given = self.world.estate.servicenow, {}
        if len(snow.ids("incident")) >= 6:
            return
        other = self.of("servicenow")
        way = self.draw.choice(["plain", "plain", "parent", "problem", "mention"])
        title = self.next("trouble")
        if way == "parent" and other:
            given["parent_incident"] = other[1]
        if way == "problem" and self.problems:
            given["problem_id"] = self.draw.choice(self.problems)
        if way == "mention" and other:
            title = f"{title} see {snow.item(other[1])['number']}"
        id = self.world.incident(title, **given)
        self.named[title].add("servicenow")
        self.places.append(("servicenow", id))
        self.note("incident", self.name(("servicenow", id)), way, other and self.name(other))
        if self.draw.random() < 0.6:
            snow.move(id, "In Progress", by=RITA)

    def problem(self) -> None:
        if len(self.problems) < 2:
            title = self.next("cause")
            given = {"short_description": title, "assignment_group": "API Support"}
            self.problems.append(self.world.estate.servicenow.create(given, by=SAM, table="problem"))
            self.named[title].add("problem")
            self.note("problem", self.problems[-1])

    def state(self) -> None:
        place = self.of(*STATES)
        if place is None:
            return
        tracker, id = place
        to, more = self.draw.choice(STATES[tracker]), {}
        if tracker == "servicenow" and to == "Resolved":
            more = {"close_code": "Solution provided", "close_notes": "done"}
        if tracker == "jira" and to == "Done":
            self.world.estate.jira.update(id, {"customfield_10044": "the pool is larger"}, by=BEN)
            more = {"resolution": "Done"}
        getattr(self.world.estate, tracker).move(id, to, by=PEOPLE[tracker], **more)
        self.note("state", self.name(place), to)

    def title(self) -> None:
        place = self.of(*STATES)
        if place is not None:
            tracker, id = place
            title = self.next("title")
            getattr(self.world.estate, tracker).update(id, {TITLES[tracker]: title}, by=PEOPLE[tracker])
            self.named[title].add(tracker)
            self.note("title", self.name(place), title)

    def speak(self) -> None:
        place = self.of(*STATES)
        if place is not None:
            tracker, id = place
            text = self.next(f"word from {tracker}")
            getattr(self.world.estate, tracker).comment(id, text, PEOPLE[tracker])
            self.said.append((text, place))
            now = self.members()
            home = now.get(place)
            self.alone |= set() if home else {text}
            self.due[text] = {o for o, key in now.items() if home and key == home and o[0] in PATHS[tracker]}
            self.note("speak", self.name(place), text)

    def kin(self) -> None:
        child, parent = self.of("servicenow", "jira"), self.of("servicenow", "jira")
        if child is None or parent is None or child == parent or child[0] != parent[0]:
            return
        if child[0] == "jira":
            self.world.estate.jira.put_under(child[1], parent[1], by=ANA)
        elif self.problems and self.draw.random() < 0.3:
            given = {"problem_id": self.draw.choice([*self.problems, ""])}
            self.world.estate.servicenow.update(child[1], given, by=RITA)
        else:
            self.world.estate.servicenow.update(child[1], {"parent_incident": parent[1]}, by=RITA)
        self.note("kin", self.name(child), self.name(parent))

    def scope(self) -> None:
        place = self.of("servicenow")
        if place is not None:
            group = self.draw.choice(["", "API Support"])
            self.world.estate.servicenow.update(place[1], {"assignment_group": group}, by=RITA)
            self.note("scope", self.name(place), group)

    def vanish(self) -> None:
        place = self.of(*STATES)
        if place is None or len(self.hidden) > 1:
            return
        tracker, id = place
        if tracker == "jira":
            self.world.estate.jira.hide(id, "Lockstep")
        else:
            getattr(self.world.estate, tracker).delete(id, PEOPLE[tracker])
        self.hidden.add(place)
        self.note("vanish", self.name(place))

    def back(self) -> None:
        if self.hidden:
            place = self.draw.choice(sorted(self.hidden))
            tracker, id = place
            if tracker == "jira":
                self.world.estate.jira.hide(id, "Lockstep", hidden=False)
            else:
                getattr(self.world.estate, tracker).undelete(id, PEOPLE[tracker])
            self.hidden.discard(place)
            self.note("back", self.name(place))

    def by_hand(self) -> None:
        place, title = self.of("servicenow"), self.next("made by hand")
        if place is None or len(self.world.estate.jira.ids()) > 6:
            return
        number = self.world.estate.servicenow.item(place[1])["number"]
        self.world.estate.jira.create({"summary": title, "customfield_10040": number}, by=ANA)
        self.named[title].add("jira")
        self.note("by hand", title, self.name(place))

    def label(self) -> None:
        place = self.of("jira")
        if place is not None:
            jira = self.world.estate.jira
            jira.update(place[1], {"labels": [*jira.item(place[1])["labels"], "dev"]}, by=ANA)
            self.note("label", self.name(place))

    def command(self) -> None:
        kind = self.draw.choice(["link", "unlink", "split"])
        places = [place for place in (self.of(*STATES), self.of(*STATES)) if place]
        places = list(dict.fromkeys(places))[: 1 if kind == "unlink" else 2]
        if not places or (kind == "link" and len(places) < 2):
            return
        before = self.members()
        store = self.world.engine.store
        id = store.ask(kind, [self.key(place) for place in places], "opal", self.world.engine.now())
        with suppress(Died):
            work(self.world.engine)
        answer = store.request(id)
        self.note(kind, *[self.name(place) for place in places], answer.outcome, answer.answer[:70])
        if answer.outcome != DONE:
            return
        after = self.members()
        self.apart(after)
        for place in {*before, *after}:
            if before.get(place) != after.get(place):
                self.asked.add(place)
        for place in places:
            self.asked.add(place)
            if kind == "unlink" and place in before and place not in after:
                self.out[place] = self.written(place)
            elif place in after:
                self.out.pop(place, None)
        for place in after:
            self.out.pop(place, None)

    def stop(self) -> None:
        what = self.draw.choice(["all", "route:production-defect", "link"])
        links = [link for link in self.world.engine.store.links() if link.id]
        if what == "link" and links:
            what = self.draw.choice(links).key
        with suppress(brake.Unpaused):
            brake.pause(self.world.engine, what, "dana")
            self.note("pause", what)

    # ── what the trackers and the process do ─────────────────────────────────────────────────────────────────────

    def weather(self) -> None:
        """Some of what can go wrong, for one pass."""
        html = {"Content-Type": "text/html"}
        kinds = {
            "reset_after": None,
            "reset_before": None,
            "garbage": None,
            "answer": Answer(self.draw.choice([500, 503, 429]), b"", {"Retry-After": "60", **html}),
        }
        kind = self.draw.choice(sorted(kinds))
        tracker = self.draw.choice(["servicenow", "jira", "azure"])
        fault = Fault(kind, tracker, method="POST|PATCH|PUT", chance=0.5, times=2, answer=kinds[kind])
        self.world.estate.faults.add(fault)
        self.note("fault", tracker, kind)

    def passes(self) -> None:
        way = self.draw.random()
        if way < 0.2 and self.deaths:
            moment = self.draw.choice(["before it is sent", "after it took effect"])
            self.note("dies", moment)
            with mortal(self.world.engine, moment, after=self.draw.choice([0, 1, 2])), suppress(Died):
                self.world.once()
            self.world.restart()
        else:
            if way < 0.4 and self.deaths:
                self.weather()
            self.world.once()
            self.note("pass")
        self.world.estate.faults.clear()
        self.look()
        self.world.later(seconds=self.draw.choice([2, 60, 360]))  # a mark tells whole seconds

    def members(self) -> dict[Place, str]:
        return {
            (item.ref.tracker, item.ref.id): link.key
            for link in self.world.engine.store.links()
            if link.id
            for item in link.items
        }

    def apart(self, now: dict[Place, str]) -> None:
        """Words reach those who stay in one link with where they were said."""
        for text, place in self.said:
            self.due[text] = {one for one in self.due[text] if now.get(one) == now.get(place) and one in now}

    def written(self, place: Place) -> int:
        """How often Lockstep wrote to an item, marks left out."""
        tracker, id = place
        items = getattr(self.world.estate, tracker)
        marks = ("correlation_", "customfield_10045", "labels", "System.Tags", "relations", "Lockstep", "description")
        ours = [c for c in items.history(id) if c["by"].startswith(OURS[tracker])]
        fields = [c["field"] for c in ours if not c["field"].startswith(marks) and c["field"] in CHECKED]
        return len(fields) + sum(c["by"].startswith(OURS[tracker]) for c in items.comments(id))

    def look(self) -> None:
        """After each pass: links never merge, and nothing changes its link but by a person's word."""
        now = self.members()
        self.apart(now)
        for place, key in now.items():
            before = self.homes.get(place)
            assert before in (None, key) or place in self.asked, f"{self.name(place)} went from {before} to {key}"
            self.together[place] |= {other for other, home in now.items() if home == key}
        for place in self.homes:
            assert place in now or place in self.asked, f"{self.name(place)} fell out of its link"
        self.out = {place: count for place, count in self.out.items() if place not in now}
        self.homes = now
        self.asked = set()

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def calm(self) -> None:
        """Faults stop and all writing goes on; passes run until one is quiet."""
        while self.hidden and self.draw.random() < 0.8:
            self.back()
        store, engine = self.world.engine.store, self.world.engine
        for pause in store.pauses():
            brake.resume(engine, pause.what, "dana")
        self.world.later(minutes=20)
        self.world.engine.store.touch_all(closed=True)
        self.world.settle(limit=15)
        self.look()
        for _ in range(2):
            self.world.later(minutes=10)
            self.world.engine.store.touch_all(closed=True)
            self.world.settle(limit=15)
            self.look()

    def name(self, place: Place) -> str:
        with suppress(KeyError):
            return self.key(place)
        return place[0] + "/" + place[1][:6]

    def key(self, place: Place) -> str:
        estate = self.world.estate
        match place[0]:
            case "servicenow":
                return str(estate.servicenow.item(place[1])["number"])
            case "jira":
                return estate.jira.issue(place[1]).key
        return place[1]

    def check_quiet(self) -> None:
        held = sorted((h.ref.id, h.what, h.reason) for h, _ in self.world.engine.store.held())
        self.world.later(hours=1)
        self.world.engine.store.touch_all(closed=True)
        done = self.world.once()  # what a tracker refused may be tried again, and is refused again
        assert done.writes == 0, [action for plan in done.plans for action in plan.actions]
        after = sorted((h.ref.id, h.what, h.reason) for h, _ in self.world.engine.store.held())
        assert after == held, (held, after)

    def check_words(self) -> None:
        """No comment lost, doubled or carried where no path leads."""
        self.known()
        there = [place for place in self.places if place not in self.hidden and self.shown(place)]
        heard = {place: self.world.words(*place) for place in there}
        for text, origin in self.said:
            for place in there:
                copies = copies_of(text, heard[place])
                if place == origin:
                    assert copies == 1, f"{text} is {copies} times on its own item"
                    continue
                assert copies <= 1, f"{text} is {copies} times on {self.name(place)}"
                if place in self.due[text] and origin not in self.hidden and self.shown(origin):
                    assert copies == 1, f"{text} never came to {self.name(place)}"
                if copies:
                    assert text not in self.alone, f"{text} was said before {self.name(origin)} had a link"
                    assert place[0] in PATHS[origin[0]], f"{text} leaked to {self.name(place)}"
                    assert place in self.together[origin], f"{text} is on {self.name(place)}, never linked"

    def shown(self, place: Place) -> bool:
        return place in {
            *(("servicenow", id) for id in self.world.estate.servicenow.ids("incident")),
            *(("jira", id) for id in self.world.estate.jira.ids()),
            *(("azure", str(id)) for id in self.world.estate.azure.ids()),
        }

    def check_creations(self) -> None:
        """Each route opened at most one counterpart from an item."""
        made: Counter[str] = Counter()
        for id in self.world.estate.jira.ids():
            made.update(re.findall(r"made:\S+", str(self.world.estate.jira.item(id).get("customfield_10045"))))
        for id in self.world.estate.azure.ids():
            for relation in self.world.estate.azure.relations(id):
                made.update(re.findall(r"made:\S+", relation["comment"]))
        twice = {key: count for key, count in made.items() if count > 1}
        assert not twice, twice

    def check_fields(self) -> None:
        """Lockstep wrote no title that people of another side had not given."""
        for place in self.places:
            tracker, id = place
            with suppress(KeyError):
                for change in getattr(self.world.estate, tracker).history(id):
                    if change["field"] == TITLES[tracker] and change["by"].startswith(OURS[tracker]):
                        from_elsewhere = self.named[change["new"]] - {tracker}
                        assert from_elsewhere, f"{self.name(place)} was given {change['new']!r} of a sibling"

    def check_marks(self) -> None:
        """What the items say of their link is what the state says."""
        for (tracker, id), key in self.members().items():
            if tracker == "servicenow" and (tracker, id) not in self.hidden and id not in self.problems:
                shown = self.world.estate.servicenow.item(id).get("correlation_id", "")
                assert f"link:{key}" in shown, f"{self.name((tracker, id))} says {shown!r}, the state {key}"
            if tracker == "jira" and (tracker, id) not in self.hidden:
                shown = str(self.world.estate.jira.item(id).get("customfield_10045"))
                assert f"link:{key}" in shown, f"{self.name((tracker, id))} says {shown!r}, the state {key}"
        for place, count in self.out.items():
            if self.shown(place):
                assert self.written(place) == count, f"{self.name(place)} was unlinked and is written"
            if place[0] == "servicenow" and place not in self.hidden and self.shown(place):
                assert not self.world.estate.servicenow.item(place[1]).get("correlation_id"), self.name(place)

    def check_stages(self) -> None:
        """Those who speak for their sides stand in one stage, or somebody is told why not."""
        engine = self.world.engine
        held = {(h.ref.tracker, h.ref.id) for h, _ in engine.store.held()}
        stages = engine.setup.stages
        for link in engine.store.links():
            agreed = link.agreed.get("status") or link.agreed.get("stage")
            if agreed is None or not link.id:
                continue
            for item in link.items:
                place = (item.ref.tracker, item.ref.id)
                if place in held or place in self.hidden or not self.shown(place) or item.left:
                    continue
                if item.joined.startswith(("match", "split", "linked", "mention")) or (
                    len(link.on(item.side)) > 1 and item.ref != (link.lead or link.source)
                ):
                    continue
                state = self.state_of(place)
                meant = stages.meanings(item.side, state)
                states = [s.states.get(item.side) for s in stages.stages if s.id == agreed.value]
                assert agreed.value in meant or not any(states), f"{self.name(place)} is {state}, not {agreed.value}"

    def check_titles(self) -> None:
        """What was opened and what opened it say the same."""
        held = {(h.ref.tracker, h.ref.id) for h, _ in self.world.engine.store.held()}
        for link in self.world.engine.store.links():
            agreed = link.agreed.get("summary")
            if agreed is None or any(
                not item.joined.startswith(("opened", "parent")) for item in link.items if item.joined
            ):
                continue  # what people bring together keeps its own words
            for item in link.items:
                place = (item.ref.tracker, item.ref.id)
                alone = item.ref == link.source or (item.joined.startswith("opened") and len(link.on(item.side)) == 1)
                if not alone or (link.lead or link.source) != link.source or item.ref.id in self.problems:
                    continue
                if place not in held and place not in self.hidden and self.shown(place):
                    title = getattr(self.world.estate, place[0]).item(place[1])[TITLES[place[0]]]
                    assert title == agreed.value, f"{self.name(place)} says {title}, agreed is {agreed.value}"

    def state_of(self, place: Place) -> str:
        tracker, id = place
        if tracker == "servicenow":
            return self.world.estate.servicenow.state_of(id)
        name = "status" if tracker == "jira" else "System.State"
        return str(getattr(self.world.estate, tracker).item(id)[name])

    def check(self) -> None:
        self.check_quiet()
        self.check_words()
        self.check_creations()
        self.check_fields()
        self.check_marks()
        if not any(line.startswith(("unlink", "split")) for line in self.told):
            self.check_stages()  # what is left of a side keeps its own words until somebody changes them
            self.check_titles()


def live(folder: Path, seed: int, *, deaths: bool = True, lose: bool = True, length: int = 14) -> Life:
    """One life of a seed, to its end."""
    draw = Random(seed)
    life = Life(World(folder, file_of(draw.choice(["propose", "join", "reopen", "gate"]))), draw, deaths)
    try:
        life.begin()
        for _ in range(length):
            for _ in range(draw.choice([1, 1, 2, 3])):
                life.act()
            if draw.random() < 0.75:
                life.passes()
        life.calm()
        life.check()
        if lose and not life.hidden:
            before = life.members()
            life.world.restart(lose_state=True)
            with life.world.counting() as asked:
                for _ in range(4):
                    life.world.once()
                    life.world.later(minutes=10)
            sent = writes(asked)
            if not any(line.split()[0] in ("unlink", "split", "link") for line in life.told):
                assert sent == [], sent
            life.check_words()
            if not any(
                line.startswith("unlink") for line in life.told
            ):  # who was taken out is forgotten with the state
                life.check_creations()
            now = life.members()
            moved = {life.name(place): (key, now.get(place)) for place, key in before.items() if now.get(place) != key}
            assert not moved, moved
    except BaseException as error:
        error.add_note("\n".join(["seed", str(seed), *life.told]))
        raise
    finally:
        life.world.close()
    return life


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_random_life_keeps_the_promise(tmp_path: Path, seed: int) -> None:
    live(tmp_path, seed)
