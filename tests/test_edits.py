"""Edits of the file on a live state: what applies at once, what waits for a person, and what putting it into force
does, end to end."""

from __future__ import annotations

from pathlib import Path

from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.story import MORNING
from sync.compose import compose, mismatches
from sync.config import load
from sync.edits.edit import Edit, at_once, turn, waiting
from sync.edits.effects import edit_lines, effects
from sync.engine import Engine
from sync.merging.status import STAGE
from sync.rehearse import dry
from sync.state import LinkState
from tests.config_files import ENVIRON, WHOLE, problems_of
from tests.world import ANA, RITA, SAM, World, copies_of, writes

MEDIUM = (
    "{ is = 3, incident = [{ impact = 2, urgency = 2 }, { impact = 1, urgency = 3 }, { impact = 3, urgency = 1 }], "
    'defect = "Medium", pbi = 3 }'
)
NOTES = ("[disclosure]", '[[comments]]\nfrom = "incident.work_notes"\nto = ["defect.everyone"]\n[disclosure]')
NETWORK = """[[routes]]
id = "network"
from = "incident"
when = 'category == "network"'
open = "defect"
"""
STRAIGHT = """[[routes]]
id = "straight"
from = "defect"
when = "priority <= 3"
open = "pbi"
"""
FIELDS = "[fields.summary]"


def waits(world: World) -> list[str]:
    assert world.engine.edit is not None
    return [one.key for one in world.engine.edit.waits]


def link(world: World) -> LinkState:
    (found,) = [one for one in world.engine.store.links() if not one.closed]
    return found


def trial(world: World) -> Engine:
    """The engine that ``plan`` works with under an edited file."""
    engine = compose(load(world.path, world.estate.environment()), world.estate.clock, exclusive=False, trial=True)
    engine.open()
    return engine


def quiet(world: World) -> None:
    """A pass over everything asks and writes nothing."""
    with world.counting() as asked:
        passes = world.reconcile()
    assert writes(asked) == []
    assert passes[-1].quiet


# ── at once, or for apply ────────────────────────────────────────────────────────────────────────────────────────


def test_rules_and_recipients_apply_at_once_and_what_changes_meaning_waits(world: World) -> None:
    world.edited(
        ('quiet = "1d"', 'quiet = "4h"'),
        ('recipients = { teams = "triage" }', 'recipients = { teams = "triage", email = ["tier3@example.org"] }'),
        ("workers  = 1", "workers  = 2\n[guard]\nwrites = 7"),
        MEDIUM_HIGH,
        NOTES,
    )
    setup = world.engine.setup
    assert str(setup.rules[0].quiet) == "4 hours"
    assert [p.email for p in setup.parties if p.name == "operations"] == [("tier3@example.org",)]
    assert (setup.guards.writes, setup.workers) == (7, 2)
    assert waits(world) == ["fields.priority.values[3].defect", "comments[4]"]
    assert len(setup.paths) == 3
    lines = edit_lines(world.engine.edit)
    assert any('fields.priority.values[3].defect: "High" instead of "Medium"' in line for line in lines)


MEDIUM_HIGH = (MEDIUM, MEDIUM.replace('"Medium"', '"High"'))


def test_an_edit_of_rules_alone_is_shown_by_plan_and_waits_for_nobody(world: World) -> None:
    world.settle()
    page, text = world.engine.setup.page, world.path.read_text()
    assert page is not None and at_once(world.engine.setup, world.engine.store.in_force()) == ()
    more = 'quiet = "4h"\nuntil = ["parked"]'
    world.path.write_text(text.replace('quiet = "1d"', more))
    engine = trial(world)
    assert engine.edit is None
    found = at_once(engine.setup, engine.store.in_force())
    assert [(one.key, one.old, one.new, one.waits) for one in found] == [
        ("rules.quiet-defect.quiet", '"1d"', '"4h"', False),
        ("rules.quiet-defect.until", "", '["parked"]', False),
    ]
    assert all("counts for work as it stands" in one.means and one.line for one in found)
    engine.store.close()


def test_a_rule_that_names_what_is_not_in_force_yet_waits_with_it_and_keeps_its_former_wording(world: World) -> None:
    world.edited(
        ("[fields.category]", '[fields.area]\nincident = "subcategory"\n[fields.category]'),
        ("when  = 'stage == \"Fixing\" && priority <= 2'", 'when  = \'stage == "Fixing" && area == "api"\''),
        ('quiet = "1d"', 'quiet = "2d"'),
    )
    edit = world.engine.edit
    assert edit is not None
    assert edit.rules == ("quiet-defect",)
    (rule,) = world.engine.setup.rules
    assert rule.when is not None
    assert (str(rule.quiet), rule.when.names) == ("1 business day", ("stage", "priority"))
    assert any("rules.quiet-defect" in line for line in edit_lines(edit))
    world.apply()
    assert str(world.engine.setup.rules[0].quiet) == "2 business days"


def test_an_edit_of_words_alone_waits_for_nobody_and_a_lost_state_takes_the_file_as_it_is(world: World) -> None:
    world.edited(("# The demo's file", "# Our file"), ('type    = "Bug"', 'type    = ["Bug"]'))
    assert edit_lines(world.engine.edit) == []
    world.edited(MEDIUM_HIGH)
    assert waits(world) == ["fields.priority.values[3].defect"]
    world.restart(lose_state=True)
    assert edit_lines(world.engine.edit) == []
    assert world.engine.setup.fields["priority"].values[2].spellings["defect"] == ((("priority", "High"),),)


def test_a_file_that_never_came_to_work_is_corrected_without_asking_anybody(tmp_path: Path) -> None:
    estate = Estate(MORNING)
    text = estate.file(f"sqlite:///{tmp_path / 'lockstep.db'}")
    for words in (text.replace('defect   = ["Done"]', 'defect   = ["Finished"]'), text):
        (tmp_path / "lockstep.toml").write_text(words)
        engine = compose(load(tmp_path / "lockstep.toml", estate.environment()), estate.clock)
        engine.open()
        assert (len(mismatches(engine)), engine.edit) == (words != text, None)
        engine.close()
    estate.stop()


# ── what a value means ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_changed_value_map_is_shown_by_plan_waits_and_then_writes_the_sides_that_do_not_mean_it(world: World) -> None:
    _, defect, _ = world.linked(pbi=False)
    jira = world.estate.jira
    world.edited(MEDIUM_HIGH, ('defect = "High", pbi = 2', 'defect = "Highest", pbi = 2'))
    quiet(world)
    assert jira.item(defect)["priority"] == "Medium"
    plans = dry(trial(world)).plans
    assert effects(world.engine.store.links(), plans) == ["1 defect: priority Medium → High"]
    world.apply()
    with world.counting() as asked:
        world.reconcile()
    assert len(writes(asked)) == 1
    assert jira.item(defect)["priority"] == "High"
    quiet(world)


def test_a_person_who_changed_a_value_before_the_new_map_came_into_force_keeps_the_word(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    world.edited(MEDIUM_HIGH, ('defect = "High", pbi = 2', 'defect = "Highest", pbi = 2'))
    world.estate.jira.update(defect, {"priority": "Low"}, by=ANA)
    world.apply()
    world.reconcile()
    assert world.estate.jira.item(defect)["priority"] == "Low"
    item = world.estate.servicenow.item(incident)
    assert (item["impact"], item["urgency"]) in (("2", "3"), ("3", "2"))
    quiet(world)


def test_a_new_map_survives_a_crash_between_what_was_agreed_and_what_was_written(world: World) -> None:
    _, defect, _ = world.linked(pbi=False)
    world.edited(MEDIUM_HIGH, ('defect = "High", pbi = 2', 'defect = "Highest", pbi = 2'))
    world.apply()
    world.engine.stopping.set()  # what was agreed is committed, nothing more is sent
    world.once()
    assert link(world).agreed["priority"].map == ""
    assert world.estate.jira.item(defect)["priority"] == "Medium"
    world.restart()
    world.settle()
    assert world.estate.jira.item(defect)["priority"] == "High"
    quiet(world)


def test_another_native_field_is_no_change_of_its_value_and_another_owner_counts_from_now_on(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    world.edited(
        ('defect   = "summary"', 'defect   = "customfield_10044"'),
        ('[fields.resolution]\ndefect = "customfield_10044"', '[fields.resolution]\nincident = "close_notes"'),
        ("{resolution}", "done"),
    )
    world.apply()
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []
    assert world.estate.servicenow.item(incident)["short_description"] == "500 responses on API"
    world.estate.servicenow.update(incident, {"short_description": "501"}, by=RITA)
    world.settle()
    assert world.estate.jira.item(defect)["customfield_10044"] == "501"
    assert world.estate.jira.item(defect)["summary"] == "500 responses on API"


# ── stages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_with_an_id_may_be_renamed_and_nothing_else_changes(tmp_path: Path) -> None:
    named = 'name     = "Fixing"\nid = "fixing"'
    spoken = ('stage == "Fixing"', 'stage == "fixing"')
    world = World(tmp_path, lambda text: text.replace('name     = "Fixing"', named).replace(*spoken))
    world.linked(pbi=False)
    before = link(world)
    world.edited(('name     = "Fixing"', 'name     = "In the works"'))
    assert waits(world) == ["stages.fixing.name"]
    world.apply()
    quiet(world)
    assert link(world).agreed[STAGE] == before.agreed[STAGE]
    assert link(world).movements == before.movements
    assert world.engine.setup.stages.get("fixing").name == "In the works"
    world.close()


def test_a_stage_that_is_no_more_is_read_anew_from_the_side_that_decides(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    world.estate.jira.move(defect, "In Review", by=ANA)
    world.settle()
    review = 'defect   = ["In Progress"]'
    new = '[[stages]]\nname     = "Reviewing"\ndefect   = ["In Review"]\ndecided_by = "defect"\n'
    world.edited(
        ('name     = "Fixing"', 'name     = "Mending"\ndecided_by = "defect"'),
        ('defect   = ["In Progress", "In Review"]', review),
        ('[[stages]]\nname     = "Waiting', f'{new}[[stages]]\nname     = "Waiting'),
        ('stage == "Fixing"', 'stage == "Mending"'),
    )
    assert world.engine.setup.stages.get("Fixing").states
    world.apply()
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []
    assert (link(world).agreed[STAGE].value, link(world).agreed[STAGE].by) == ("Reviewing", "defect")
    assert link(world).movements[-1].stage == "Reviewing"
    world.estate.jira.update(defect, {"customfield_10044": "mended"}, by=ANA)
    world.estate.jira.move(defect, "Done", by=ANA, resolution="Done")
    world.settle()
    assert world.estate.servicenow.item(incident)["state"] == "6"


# ── sides ────────────────────────────────────────────────────────────────────────────────────────────────────────

WITHOUT_PBI = (
    ('[sides.pbi]\ntracker = "azure"\nproject = "Portal"\ntype    = "Product Backlog Item"\n', ""),
    ('sides = ["defect", "pbi"]', 'sides = ["defect"]'),
    *((f"pbi      = {states}\n", "") for states in ('["New"]', '["Approved", "Committed"]', '["Done"]')),
    ('[[routes]]\nid   = "development"\nfrom = "defect"\nwhen = \'"dev" in labels\'\nopen = "pbi"\n', ""),
    ('pbi      = "System.Title"\n', ""),
    ('pbi      = "System.Description"\n', ""),
    ('pbi      = "Microsoft.VSTS.Common.Priority"\n', ""),
    *((f", pbi = {number} }}", " }") for number in (1, 2, 3, 4)),
    ('to   = ["defect.everyone", "pbi.discussion"]', 'to   = ["defect.everyone"]'),
    ('to   = ["incident.comments", "pbi.discussion"]', 'to   = ["incident.comments"]'),
    ('[[comments]]\nfrom = "pbi.discussion"\nto   = ["incident.work_notes", "defect.everyone"]\n', ""),
)


def test_the_items_of_a_removed_side_are_neither_read_nor_written_and_come_back_with_it(world: World) -> None:
    incident, defect, pbi = world.linked()
    whole, text = world.edit, world.path.read_text()
    tracker = text[text.index("[trackers.azure]") : text.index("[sides.incident]")]
    world.edited(*WITHOUT_PBI, (tracker, ""))
    assert {"sides.pbi", "trackers.azure"} <= set(waits(world))
    world.apply()
    quiet(world)
    assert [i.side for i in link(world).strays] == ["pbi"]
    with world.counting() as asked:
        world.estate.servicenow.update(incident, {"short_description": "changed"}, by=RITA)
        world.estate.servicenow.comment(incident, "said without it", SAM)
        world.estate.azure.comment(pbi, "said beside it", ANA)
        world.settle()
        world.reconcile()
    assert not [line for line in asked if line.startswith("azure")]
    assert world.estate.jira.item(defect)["summary"] == "changed"
    assert world.estate.azure.item(pbi)["System.Title"] == "500 responses on API"
    world.edit = whole
    world.restart()
    world.apply()
    world.reconcile()
    world.settle()
    assert [i.side for i in link(world).items] == ["incident", "defect", "pbi"]
    assert len(world.estate.azure.ids()) == 1
    world.estate.servicenow.update(incident, {"short_description": "again"}, by=RITA)
    world.settle()
    assert world.estate.azure.item(pbi)["System.Title"] == "again"


def test_a_creation_whose_answer_was_lost_holds_up_nothing_once_its_side_is_removed(world: World) -> None:
    _, defect, _ = world.linked(pbi=False)
    jira, faults = world.estate.jira, world.estate.faults
    faults.add(Fault("reset_after", tracker="azure", method="POST", path=r"/workitems/\$", times=1))
    jira.update(defect, {"labels": [*jira.item(defect)["labels"], "dev"]}, by=ANA)
    whole = world.edit
    world.once()
    assert len(world.engine.store.unsettled_creations()) == 1
    world.edited(*WITHOUT_PBI)
    world.apply()
    world.later(minutes=10)
    quiet(world)
    world.edit = whole
    world.restart()
    world.apply()
    world.reconcile()
    world.settle()
    assert [item.side for item in link(world).items] == ["incident", "defect", "pbi"]
    assert len(world.estate.azure.ids()) == 1


def test_a_side_by_another_name_keeps_its_items(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)

    def renamed(text: str) -> str:
        for old in ("[sides.defect]", '"defect"', "defect.everyone", "defect   =", "defect =", "{defect}"):
            text = text.replace(old, old.replace("defect", "bug"))
        return text

    world.edit = renamed
    world.restart()
    assert world.engine.edit is not None
    world.apply()
    quiet(world)
    assert [i.side for i in link(world).items] == ["incident", "bug"]
    assert world.estate.jira.ids() == [defect]
    world.estate.servicenow.update(incident, {"short_description": "changed"}, by=RITA)
    world.settle()
    assert world.estate.jira.item(defect)["summary"] == "changed"


def test_linked_items_stay_when_the_scope_changes_and_what_comes_into_it_by_that_is_old(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    snow = world.estate.servicenow
    other = world.incident("of another group", assignment_group="Portal Support")
    snow.move(other, "In Progress", by=RITA)
    world.settle()
    world.edited(('assignment_group = ["API Support"]', 'assignment_group = ["Portal Support"]'))
    assert waits(world) == ["sides.incident.scope.assignment_group"]
    world.apply()
    world.settle()
    snow.update(other, {"short_description": "still the old one"}, by=RITA)
    snow.update(incident, {"short_description": "followed"}, by=RITA)
    world.settle()
    assert world.estate.jira.item(defect)["summary"] == "followed"
    assert world.estate.jira.ids() == [defect]
    fresh = world.incident("new there", assignment_group="Portal Support")
    snow.move(fresh, "In Progress", by=RITA)
    world.settle()
    assert len(world.estate.jira.ids()) == 2


# ── routes and paths ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_route_opens_from_what_fits_already_by_a_persons_word_alone_and_later_ones_as_they_come(
    world: World,
) -> None:
    snow, jira = world.estate.servicenow, world.estate.jira
    incident, defect, _ = world.linked(pbi=False)
    fits = world.incident("fits already", category="network")
    other = world.incident("fits later", category="hardware")
    world.settle()
    world.edited((FIELDS, NETWORK + STRAIGHT + FIELDS))
    world.apply()
    world.reconcile()
    world.settle()
    assert (jira.ids(), world.estate.azure.ids()) == ([defect], [])
    assert "straight" in link(world).aside
    snow.update(fits, {"short_description": "still fits"}, by=RITA)
    snow.update(other, {"category": "network"}, by=RITA)
    world.settle()
    assert [jira.item(id)["summary"] for id in jira.ids()] == ["500 responses on API", "fits later"]
    assert len(world.estate.azure.ids()) == 1, "of the defect that is new"
    snow.update(incident, {"impact": "3", "urgency": "3"}, by=RITA)
    world.settle()
    snow.update(incident, {"impact": "1", "urgency": "1"}, by=RITA)
    world.settle()
    assert len(world.estate.azure.ids()) == 2, "it came to fit anew"
    snow.update(fits, {"category": "hardware"}, by=RITA)
    world.settle()
    snow.update(fits, {"category": "network"}, by=RITA)
    world.settle()
    assert len(jira.ids()) == 3


def test_a_removed_route_opens_nothing_more_and_what_it_opened_stays_linked(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    whole = world.path.read_text()
    route = whole[whole.index("[[routes]]") : whole.index('[[routes]]\nid   = "development"')]
    world.edited((route, ""))
    world.apply()
    world.estate.servicenow.move(world.incident("another"), "In Progress", by=RITA)
    world.estate.servicenow.update(incident, {"short_description": "changed"}, by=RITA)
    world.settle()
    assert world.estate.jira.ids() == [defect]
    assert world.estate.jira.item(defect)["summary"] == "changed"


def test_by_a_new_path_only_what_is_said_from_now_on_crosses_and_by_a_removed_one_nothing_more(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    snow = world.estate.servicenow
    snow.comment(incident, "a note from before", RITA, "work_notes")
    snow.comment(incident, "said aloud", SAM)
    world.settle()
    world.edited(NOTES)
    snow.comment(incident, "a note while it waits", RITA, "work_notes")
    world.settle()
    assert copies_of("a note", world.words("jira", defect)) == 0
    world.apply()
    world.reconcile()
    snow.comment(incident, "a note by the new path", RITA, "work_notes")
    world.settle()
    words = world.words("jira", defect)
    assert [copies_of(text, words) for text in ("from before", "while it waits", "by the new path")] == [0, 0, 1]
    assert copies_of("said aloud", words) == 1
    world.edited((NOTES[1], NOTES[0]))
    world.apply()
    snow.comment(incident, "a note to nobody", RITA, "work_notes")
    world.settle()
    assert copies_of("a note to nobody", world.words("jira", defect)) == 0

    assert world.engine.store.counts()["dirty"] == 0


def test_a_new_path_carries_what_was_said_before_where_the_links_route_carries_history(tmp_path: Path) -> None:
    route = 'id   = "production-defect"\n'
    world = World(tmp_path, lambda text: text.replace(route, f'{route}history = "all"\n'))
    incident, defect, _ = world.linked(pbi=False)
    world.estate.servicenow.comment(incident, "a note from before", RITA, "work_notes")
    world.settle()
    world.edited(NOTES)
    world.apply()
    world.reconcile()
    assert copies_of("a note from before", world.words("jira", defect)) == 1
    quiet(world)
    world.close()


# ── without a world ──────────────────────────────────────────────────────────────────────────────────────────────


def edit_of(folder: Path, *changes: tuple[str, str]) -> Edit | None:
    """What of the whole file waits once the first text of each pair became the other."""
    text = WHOLE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "lockstep.toml").write_text(text)
    return waiting(load(folder / "lockstep.toml", ENVIRON), WHOLE)


def test_a_tracker_is_reached_as_the_edited_file_says_and_a_new_one_comes_with_its_sides(tmp_path: Path) -> None:
    elsewhere = ("https://example.service-now.com", "https://example2.service-now.com")
    assert edit_of(tmp_path, elsewhere) is None
    other = '[trackers.other]\nkind = "jira"\nurl = "https://other.atlassian.net"\n'
    auth = 'auth = { user = "u@example.org", token = { env = "OTHER" } }\n'
    task = '[sides.task]\ntracker = "other"\nproject = "OPS"\ntype = "Task"\n'
    edit = edit_of(tmp_path, elsewhere, ("[sides.incident]", f"{other}{auth}{task}[sides.incident]"))
    assert edit is not None
    assert [one.key for one in edit.waits] == ["trackers.other", "sides.task"]
    assert edit.standing.trackers["servicenow"].url == elsewhere[1]
    assert set(edit.standing.trackers) == {"servicenow", "jira", "azure"}
    assert turn(edit).anew == ("task",)


def test_a_party_is_reached_as_the_edited_file_says_and_whose_move_it_is_waits(tmp_path: Path) -> None:
    chief = '[parties.chiefs]\nrecipients = { email = ["chief@example.org"] }\n'
    edit = edit_of(
        tmp_path,
        ('members = { servicenow = ["abel"] }', 'members = { servicenow = ["beth"] }'),
        ('email = ["desk@example.org"]', 'email = ["desk2@example.org"]'),
        ("[parties.developers]", f"{chief}[parties.developers]"),
    )
    assert edit is not None
    desk, chiefs = (next(p for p in edit.standing.parties if p.name == name) for name in ("desk", "chiefs"))
    assert (desk.members, desk.email) == ({"servicenow": ("abel",)}, ("desk2@example.org",))
    assert chiefs.email == ("chief@example.org",)
    assert "parties.desk.members.servicenow" in [one.key for one in edit.waits]


def test_another_zone_does_not_move_the_day_from_which_a_route_acts(tmp_path: Path) -> None:
    route = ('id = "first"', 'id = "first"\nsince = "2026-11-01"')
    (tmp_path / "old.toml").write_text(WHOLE.replace(*route))
    old = load(tmp_path / "old.toml", ENVIRON)
    edit_of(tmp_path, route, ("America/Los_Angeles", "Europe/Berlin"), ('defect = "priority"', 'defect = "severity"'))
    assert old.page is not None
    edit = waiting(load(tmp_path / "lockstep.toml", ENVIRON), old.page.text)
    assert edit is not None
    assert edit.standing.zone == "Europe/Berlin"
    assert edit.standing.routes[0].since == old.routes[0].since


def test_entries_that_are_named_go_by_their_names_and_another_order_is_a_difference(tmp_path: Path) -> None:
    start = WHOLE.index('[[routes]]\nid = "first"')
    middle, end = WHOLE.index('[[routes]]\nid = "second"'), WHOLE.index(FIELDS)
    first, second = WHOLE[start:middle], WHOLE[middle:end]
    edit = edit_of(tmp_path, (first + second, second + first))
    assert edit is not None
    assert [(one.key, one.old, one.new) for one in edit.waits] == [
        ("routes", '["first", "second"]', '["second", "first"]')
    ]


def test_two_stages_cannot_have_one_id(tmp_path: Path) -> None:
    found = problems_of(tmp_path, WHOLE.replace('name = "New"\n', 'name = "New"\nid = "Done"\n', 1))
    assert ("stages.Done.id", '"Done" is another stage\'s id already') in [(one.key, one.what) for one in found]
