"""What people do in each scenario: a beginning that everybody lived through, then steps, each followed by passes until
one is quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sandbox.story import MORNING
from sync.approval.approve import draft
from sync.approval.planfile import KINDS, as_text
from sync.show.plan import words
from tests.crashes.stage import Stage
from tests.post import PostOffice
from tests.test_actions import PEOPLE, PROBLEM, TITLES, with_route, with_rules
from tests.test_first_contact import matching
from tests.test_gates import gated
from tests.test_joining import joining
from tests.world import ANA, BEN, CHEN, RITA, SAM

Act = Callable[[Stage], None]


@dataclass(frozen=True)
class Scenario:
    """``steps`` after the ``beginning``, under the demo's file as ``edit`` leaves it. ``posts``: there is a mail
    server, whose address takes the place of ``PORT`` in the file. ``lost``: what is promised where the state goes with
    the process: everything is ``there`` once, or nothing is ``doubled``; nothing where a person's command, of which
    only the state knew, was under way."""

    beginning: Act
    steps: tuple[Act, ...]
    edit: Callable[[str], str] = lambda text: text
    posts: bool = False
    lost: str = "doubled"

    def stage(self, folder: Path) -> Stage:
        """A world in which the beginning is over."""
        (folder / "people.csv").write_text(PEOPLE)
        office = PostOffice() if self.posts else None
        edit, port = self.edit, office.port if office else 0
        stage = Stage(folder, lambda text: edit(text).replace("PORT", str(port)), office)
        for user in ("paula.ray", "olga.watts"):
            stage.world.estate.servicenow.data.named("sys_user", user)
        self.beginning(stage)
        return stage


# ── beginnings ───────────────────────────────────────────────────────────────────────────────────────────────────


def reported(stage: Stage) -> None:
    """An incident that nobody works on yet."""
    stage.ids["incident"] = stage.world.incident()
    stage.world.settle()


def in_work(stage: Stage) -> None:
    """An incident and its defect."""
    stage.ids["incident"], stage.ids["defect"], _ = stage.world.linked(pbi=False)


def on_three_sides(stage: Stage) -> None:
    """An incident, its defect and its PBI; each side has spoken, some while ago."""
    stage.ids["incident"], stage.ids["defect"], stage.ids["pbi"] = stage.world.linked()
    everybody_speaks("first")(stage)
    stage.world.settle()
    stage.world.later(minutes=20)
    stage.world.settle()


def with_an_edited_word(stage: Stage) -> None:
    on_three_sides(stage)
    stage.ids["said"] = stage.world.estate.jira.comment(stage.ids["defect"], "fails on Sunday", ANA)
    stage.world.settle()
    stage.world.later(minutes=20)


def paired_by_hand(stage: Stage) -> None:
    """Pairs from before Lockstep first looked, and a plan file that adopts them."""
    world = stage.world
    for number, title in enumerate(("500 responses on API", "504 errors on API")):
        incident = world.incident(title)
        world.estate.servicenow.move(incident, "In Progress", by=RITA)
        told = world.estate.servicenow.item(incident)["number"]
        world.estate.jira.create({"summary": f"by hand {number}", "customfield_10040": told}, by=ANA)
    world.restart(lose_state=True)
    world.settle()
    stage.ids["plan"] = as_text(draft(world.engine, KINDS, words)[0])


# ── what people do ───────────────────────────────────────────────────────────────────────────────────────────────


def taken_into_work(stage: Stage) -> None:
    stage.world.estate.servicenow.move(stage.ids["incident"], "In Progress", by=RITA)


def labelled(stage: Stage) -> None:
    """The defect is for the developers: a PBI follows."""
    jira = stage.world.estate.jira
    defect = jira.ids()[0]
    jira.update(defect, {"labels": [*jira.item(defect)["labels"], "dev"]}, by=ANA)


def everybody_speaks(when: str) -> Act:
    def speak(stage: Stage) -> None:
        estate, ids = stage.world.estate, stage.ids
        estate.servicenow.comment(ids["incident"], f"{when}: is there a workaround?", SAM)
        stage.world.later(seconds=20)
        estate.jira.comment(ids["defect"], f"{when}: retry once", ANA)
        stage.world.later(seconds=20)
        estate.azure.comment(ids["pbi"], f"{when}: on node 2", CHEN)

    return speak


def renamed_and_raised(stage: Stage) -> None:
    estate, ids = stage.world.estate, stage.ids
    estate.azure.update(ids["pbi"], {"System.Title": "500 responses on every API"}, by=CHEN)
    estate.servicenow.update(ids["incident"], {"impact": "1", "urgency": "1"}, by=RITA)


def put_back(stage: Stage) -> None:
    """The defect goes back to the beginning, which is several steps of its workflow."""
    stage.world.estate.servicenow.move(stage.ids["incident"], "New", by=RITA)


def finished(stage: Stage) -> None:
    estate, ids = stage.world.estate, stage.ids
    estate.jira.update(ids["defect"], {"customfield_10044": "the pool is larger"}, by=BEN)
    estate.azure.move(ids["pbi"], "Done", by=CHEN)


def reworded(stage: Stage) -> None:
    stage.world.estate.jira.edit_comment(stage.ids["defect"], stage.ids["said"], "fails on Monday", ANA)


def minutes_later_a_long_one(stage: Stage) -> None:
    stage.world.later(minutes=6)
    trace = "\n".join(f"step-{number}-of-the-long-trace" for number in range(1200))
    stage.world.estate.servicenow.comment(stage.ids["incident"], trace, SAM)


def a_second_incident(stage: Stage) -> None:
    child = stage.world.incident("500 responses, county B", parent_incident=stage.ids["incident"])
    stage.world.estate.servicenow.comment(child, "county B sees it too", SAM)


def days_later(days: float) -> Act:
    def wait(stage: Stage) -> None:
        stage.world.estate.clock.set(MORNING + timedelta(days=days, minutes=30))

    return wait


def told_the_cause(stage: Stage) -> None:
    stage.world.estate.servicenow.update(stage.ids["incident"], {"business_impact": "the pool"}, by=RITA)


def approved(stage: Stage) -> None:
    stage.ask("apply", stage.ids["plan"])


def taken_out(stage: Stage) -> None:
    stage.ask("unlink", "CSPM-1")


def spoken_to_nobody(stage: Stage) -> None:
    stage.world.estate.jira.comment(stage.ids["defect"], "on our own now", ANA)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────

STALLED = """
[mail]
server = "smtp://127.0.0.1:PORT"
sender = "lockstep@example.org"
[[rules]]
id    = "stalled"
when  = 'stage == "Fixing"'
quiet = "1d"
  [[rules.steps]]
  say    = { on = "defect.everyone", text = "No movement for {quiet} on {incident}." }
  open   = "problem"
  assign = { on = "problem", to = "problem managers" }
  set    = { escalation = "High" }
  email  = { to = ["lead"], cc = ["problem managers"], subject = "stalled {incident}", text = "look" }
  teams  = "triage"
  text   = "{incident} has not moved"
  [[rules.steps]]
  after  = "1d"
  set    = { stage = "Waiting for the caller" }
  email  = { to = ["problem managers"], subject = "asked {incident}", text = "the caller is asked" }
"""

SCENARIOS: dict[str, Scenario] = {
    "a link is opened on all three sides": Scenario(reported, (taken_into_work, labelled), lost="there"),
    "people talk on three sides": Scenario(on_three_sides, (everybody_speaks("then"),), lost="there"),
    "title and priority change, then the status": Scenario(on_three_sides, (renamed_and_raised, put_back)),
    "the work is finished": Scenario(on_three_sides, (finished,)),
    "a comment is edited, a long one comes in parts": Scenario(
        with_an_edited_word, (reworded, minutes_later_a_long_one)
    ),
    "a second incident joins": Scenario(in_work, (a_second_incident,), joining, lost="there"),
    "a rule says, opens, assigns, sets, mails and posts": Scenario(
        in_work, (days_later(1), days_later(2)), with_rules(STALLED, PROBLEM), posts=True
    ),
    "a gate asks and opens": Scenario(reported, (taken_into_work, told_the_cause), gated),
    "a route opens with tasks": Scenario(in_work, (labelled,), with_route(TITLES)),
    "pairs are adopted by an approved plan": Scenario(paired_by_hand, (approved,), matching()),
    "an item is taken out of its link": Scenario(on_three_sides, (taken_out, spoken_to_nobody), lost=""),
}
