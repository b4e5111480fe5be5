"""Which items may open a link, how the members of one are known, and how they are created: end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.banner import creation_key, link_key
from mappings.model import Ref
from sandbox.clock import SandboxClock
from sandbox.estate import Estate
from sandbox.jira import Field, Jira
from sandbox.jira.defaults import BUG, FIELDS, USERS, projects
from sandbox.story import MORNING
from sandbox.wire import Answer, Request
from sync.compose import compose
from sync.config import load
from tests.world import ANA, CHEN, RITA, SAM, World, copies_of, writes

OTHER = "lockstep-production"
KEYED = 'type    = "Bug"\nkeys_field = "customfield_10045"\n'


def sent(tracker: Any) -> list[Request]:
    """Every request that reaches a simulated tracker from now on."""
    asked: list[Request] = []
    answer = tracker.handle

    def handle(request: Request) -> Answer:
        asked.append(request)
        return answer(request)

    tracker.handle = handle
    return asked


def keys_of(world: World, incident: str) -> tuple[str, str]:
    """The keys of an incident's link and of the defect that was opened from it."""
    source = Ref("servicenow", incident)
    return link_key("demo", source), creation_key("demo", "production-defect", source)


# ── the mark and the keys ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_item_of_a_link_carries_the_instance_s_mark_and_readable_keys(world: World) -> None:
    incident, defect, pbi = world.linked()
    link, made = keys_of(world, incident)
    opened = world.estate.servicenow.item(incident)
    assert (opened["correlation_display"], opened["correlation_id"]) == ("lockstep-demo", f"link:{link}")
    issue = world.estate.jira.item(defect)
    assert "lockstep-demo" in issue["labels"]
    assert f"link:{link} made:{made} at:" in issue["description"].splitlines()[-1]
    assert [one["global_id"] for one in world.estate.jira.links(defect)] == [f"lockstep:{link}"]
    assert world.estate.azure.item(pbi)["System.Tags"] == "lockstep-demo"
    (shown,) = world.estate.azure.relations(pbi)
    assert shown["rel"] == "Hyperlink" and shown["url"].endswith("/browse/CSPM-1")
    assert f"link:{link} made:" in shown["comment"]


def test_mark_and_keys_are_in_the_create_call_itself(world: World) -> None:
    asked = {name: sent(getattr(world.estate, name)) for name in ("jira", "azure")}
    incident, _, _ = world.linked()
    link, made = keys_of(world, incident)
    (post,) = [r for r in asked["jira"] if r.method == "POST" and r.path.endswith("/issue")]
    fields = json.loads(post.body)["fields"]
    assert "lockstep-demo" in fields["labels"] and f"link:{link} made:{made}" in fields["description"]
    (create,) = [r for r in asked["azure"] if r.method == "POST" and "$" in r.path]
    values = {one["path"]: one["value"] for one in json.loads(create.body)}
    assert values["/fields/System.Tags"] == "lockstep-demo"
    assert f"link:{link} made:" in values["/relations/-"]["attributes"]["comment"]


BACKWARDS = """
[[routes]]
id   = "back"
from = "defect"
when = 'stage == "Fixing"'
open = "incident"
"""


def test_in_servicenow_they_are_in_the_create_call_too(tmp_path: Path) -> None:
    cut = lambda text: text[: text.index("[[routes]]")] + BACKWARDS + text[text.index("[fields.summary]") :]  # noqa: E731
    world = World(tmp_path, cut)
    asked = sent(world.estate.servicenow)
    defect = world.estate.jira.create({"summary": "found in review", "priority": "High"}, by=ANA)
    world.estate.jira.move(defect, "In Progress", by=ANA)
    world.settle()
    (create,) = [r for r in asked if r.method == "POST" and "/table/incident" in r.path]
    values = json.loads(create.body)
    source = Ref("jira", defect)
    assert values["correlation_display"] == "lockstep-demo"
    keys = f"link:{link_key('demo', source)} made:{creation_key('demo', 'back', source)}"
    assert values["correlation_id"].startswith(keys)
    world.close()


def test_there_is_never_a_label_or_tag_per_item(world: World) -> None:
    for title in ("500 responses on API", "504 errors on API"):
        world.linked(title)
    jira, azure = world.estate.jira, world.estate.azure
    labels = {label for id in jira.ids() for label in jira.item(id)["labels"]}
    tags = {tag for id in azure.ids() for tag in azure.item(id)["System.Tags"].split("; ")}
    assert (labels, tags) == ({"lockstep-demo", "dev"}, {"lockstep-demo"})


def test_the_keys_stand_in_a_configured_text_field_and_people_s_descriptions_are_their_own(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text.replace('type    = "Bug"\n', KEYED))
    incident, defect, _ = world.linked()
    link, made = keys_of(world, incident)
    issue = world.estate.jira.item(defect)
    assert issue["customfield_10045"].startswith(f"link:{link} made:{made} at:")
    assert issue["description"] == "as reported"
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []
    world.close()


def test_an_occupied_field_for_the_keys_is_never_overwritten(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text.replace('type    = "Bug"\n', KEYED))
    given = {"summary": "theirs", "labels": ["dev"], "customfield_10045": "PagerDuty 17"}
    defect = world.estate.jira.create(given, by=ANA)
    for _ in range(3):
        world.once()
    assert world.estate.jira.item(defect)["customfield_10045"] == "PagerDuty 17"
    assert "lockstep-demo" not in world.estate.jira.item(defect)["labels"]
    assert world.estate.azure.ids() == []
    ((held, key),) = world.engine.store.held()
    assert (held.what, key) == ("mark", "CSPM-1") and "PagerDuty" in held.reason
    world.estate.jira.update(defect, {"customfield_10045": None}, by=ANA)
    world.settle()
    assert len(world.estate.azure.ids()) == 1
    assert world.engine.store.held() == []
    world.close()


def test_a_project_that_keeps_labels_off_its_screens_is_told_at_the_start(tmp_path: Path) -> None:
    bare = replace(BUG, create=tuple(name for name in BUG.create if name != "labels"))
    home, *others = projects(USERS)
    site = (replace(home, types=(bare, *home.types[1:])), *others)
    path = tmp_path / "lockstep.toml"
    clock = SandboxClock(MORNING)
    estate = Estate(clock=clock, jira=Jira("jira", clock, projects=site))
    path.write_text(estate.file(f"sqlite:///{tmp_path / 'lockstep.db'}"))
    engine = compose(load(path, estate.environment()), clock)
    engine.open()
    assert [(side, name) for side, name, _ in engine.problems] == [("defect", "labels")]
    assert "create screen" in engine.problems[0][2]
    engine.close()
    estate.stop()


def test_where_screens_show_no_labels_a_custom_field_of_labels_carries_the_mark(tmp_path: Path) -> None:
    marks = "customfield_10048"
    screen = (*(name for name in BUG.create if name != "labels"), marks)
    kind = replace(BUG, create=screen, edit=screen)
    home, *others = projects(USERS)
    clock = SandboxClock(MORNING)
    site = (replace(home, types=(kind, *home.types[1:])), *others)
    jira = Jira("jira", clock, projects=site, fields=(*FIELDS, Field(marks, "Integrations", "labels")))
    configured = lambda text: text.replace('type    = "Bug"\n', f'type    = "Bug"\nmark_field = "{marks}"\n')  # noqa: E731
    world = World(tmp_path, configured, Estate(clock=clock, jira=jira))
    incident, defect, _ = world.linked(pbi=False)
    assert jira.item(defect)[marks] == ("lockstep-demo",)
    assert jira.item(defect)["labels"] == ()
    jira.comment(defect, "found by its mark", ANA)
    world.settle()
    assert copies_of("found by its mark", world.words("servicenow", incident)) == 1
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []
    assert [len(link.items) for link in world.engine.store.links()] == [2]
    world.close()


# ── an instance's own ────────────────────────────────────────────────────────────────────────────────────────────────


def staging(world: World, folder: Path) -> World:
    """Another instance on clones of all three trackers, as a test system made from production has them."""
    folder.mkdir()
    return World(folder, lambda text: text.replace('instance = "demo"', 'instance = "staging"'), cloned(world.estate))


def cloned(estate: Estate) -> Estate:
    """The same trackers with the same items under the same ids, apart from the first."""
    clock = estate.clock
    return Estate(
        clock=clock,
        servicenow=estate.servicenow.clone("servicenow", clock),
        jira=estate.jira.clone("jira", clock),
        azure=estate.azure.clone("azure", clock),
    )


def test_an_instance_s_marker_is_never_honoured_by_another(world: World, tmp_path: Path) -> None:
    """A test system made from production: nothing there is ours, nothing of it is joined, and its marks stay."""
    incident, defect, _ = world.linked()
    world.estate.servicenow.comment(incident, "said in production", SAM)
    world.settle()
    other = staging(world, tmp_path / "staging")
    assert other.engine.store.links() == []
    other.estate.servicenow.update(incident, {"short_description": "tried in staging"}, RITA)
    other.estate.servicenow.comment(incident, "said in staging", SAM)
    other.settle()
    assert other.estate.jira.item(defect)["summary"] == "500 responses on API"
    assert copies_of("said in staging", other.words("jira", defect)) == 0
    kept = other.estate.servicenow.item(incident)
    assert kept["correlation_display"] == "lockstep-demo"
    assert kept["correlation_id"] == f"link:{keys_of(world, incident)[0]}"
    counts = (len(other.estate.jira.ids()), len(other.estate.azure.ids()))
    assert counts == (1, 1)
    with other.counting() as asked:
        other.reconcile()
    assert writes(asked) == []
    other.close()


def test_a_copied_item_that_a_route_would_open_from_is_held_with_what_to_do(world: World, tmp_path: Path) -> None:
    world.linked()
    waiting = world.incident("not yet a defect", correlation_display="lockstep-demo", correlation_id="link:AAAA")
    other = staging(world, tmp_path / "staging")
    other.estate.servicenow.move(waiting, "In Progress", by=RITA)
    for _ in range(3):
        other.once()
    assert len(other.estate.jira.ids()) == 1
    ((held, key),) = other.engine.store.held()
    assert (held.what, key) == ("mark", other.estate.servicenow.item(waiting)["number"])
    assert "another Lockstep instance, demo" in held.reason and "clear the marks" in held.advice
    other.close()


def test_marks_of_two_instances_stand_side_by_side_where_a_tracker_holds_both(tmp_path: Path) -> None:
    """Labels and tags; each instance knows its own link after its state is lost."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = World(tmp_path / "one")
    second = lambda text: text.replace('instance = "demo"', 'instance = "second"')  # noqa: E731
    two = World(tmp_path / "two", second, one.estate)
    defect = one.estate.jira.create({"summary": "for both", "labels": ["dev"]}, by=ANA)
    one.settle()
    two.settle()
    labels = one.estate.jira.item(defect)["labels"]
    assert {"lockstep-demo", "lockstep-second"} <= set(labels)
    tags = sorted(one.estate.azure.item(id)["System.Tags"] for id in one.estate.azure.ids())
    assert tags == ["lockstep-demo", "lockstep-second"]
    for world in (one, two):
        world.restart(lose_state=True)
        with world.counting() as asked:
            world.reconcile()
        assert writes(asked) == []
        assert [len(link.items) for link in world.engine.store.links()] == [2]
    two.shut()
    one.close()


def test_an_issue_with_another_instance_s_keys_is_held_not_overwritten(world: World) -> None:
    """Its label gives them away; a field for the keys would hold both apart."""
    theirs = "as they wrote it\n\nLockstep: INC0010001 https://x.example/1 link:ABCDEFGH made:IJKLMNOP"
    given = {"summary": "theirs", "labels": ["dev", OTHER], "description": theirs}
    defect = world.estate.jira.create(given, by=ANA)
    for _ in range(3):
        world.once()
    assert world.estate.jira.item(defect)["description"] == theirs
    assert world.estate.azure.ids() == []
    ((held, _),) = world.engine.store.held()
    assert held.what == "mark" and "production" in held.reason and "keys_field" in held.advice


# ── scope ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_scope_decides_which_items_may_open_a_link_and_nothing_else(world: World) -> None:
    outside = world.incident("not ours", assignment_group="Network")
    world.estate.servicenow.move(outside, "In Progress", by=RITA)
    incident, defect, _ = world.linked(pbi=False)
    world.estate.servicenow.update(incident, {"assignment_group": "Network"}, RITA)
    world.estate.servicenow.update(incident, {"short_description": "still followed"}, RITA)
    world.settle()
    assert world.estate.jira.ids() == [defect]
    assert world.estate.jira.item(defect)["summary"] == "still followed"


def test_an_item_reassigned_out_of_scope_is_followed_in_the_same_call_until_its_link_closes(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    world.estate.servicenow.update(incident, {"assignment_group": "Network"}, RITA)
    world.settle()
    world.later(minutes=10)
    world.estate.servicenow.comment(incident, "from the network team", SAM)
    with world.counting() as asked:
        world.once()
    noticing = [line for line in asked if "/table/incident" in line and "GET" in line]
    assert len(noticing) == 1, "in scope or marked, in one call"
    assert copies_of("from the network team", world.words("jira", defect)) == 1
    world.estate.jira.update(defect, {"customfield_10044": "done"}, by=ANA)
    world.estate.jira.move(defect, "Done", by=ANA, resolution="Done")
    world.settle()
    assert world.estate.servicenow.state_of(incident) == "Resolved"
    assert world.engine.store.links()[0].closed


def test_a_scope_is_re_checked_because_servicenow_answers_an_unreadable_filter_with_everything(world: World) -> None:
    """apis.md 1.1: a condition on a field that may not be read is passed over, and the answer gets wider."""
    world.estate.servicenow.rights.hidden_fields.add(("incident", "assignment_group"))
    for title in ("one of theirs", "another of theirs"):
        id = world.incident(title, assignment_group="Network")
        world.estate.servicenow.move(id, "In Progress", by=RITA)
    world.settle()
    assert world.estate.jira.ids() == []
    assert world.engine.store.counts()["items"] == 0


QUERIES = {
    "servicenow": ('table   = "incident"\n', "category=software^ORcategory=hardware"),
    "jira": ('project = "CSPM"\n', 'component = "Batch"'),
    "azure": ('project = "Portal"\n', "[System.Title] CONTAINS 'pool'"),
}


ONWARD = """[[routes]]
id   = "onward"
from = "pbi"
open = "defect"
"""


def asking(tracker: str, query: str = "") -> Callable[[str], str]:
    """The demo's file with a raw query on that tracker's side, and a route that leads on from each."""
    place, shipped = QUERIES[tracker]
    narrowed = f"{place}query   = {json.dumps(query or shipped)}\n"
    return lambda text: text.replace(place, narrowed, 1).replace("[[routes]]\n", f"{ONWARD}[[routes]]\n", 1)


def test_a_raw_query_narrows_the_scope_and_is_confirmed_by_id_in_one_call_more(tmp_path: Path) -> None:
    world = World(tmp_path, asking("servicenow"))
    with world.counting() as asked:
        world.once()
    assert len(asked) == 3, "an idle pass costs one call a side all the same"
    out = world.incident("not asked for", category="network")
    world.estate.servicenow.move(out, "In Progress", by=RITA)
    world.settle()
    assert world.estate.jira.ids() == []
    incident = world.incident("asked for")
    with world.counting() as asked:
        world.once()
    assert [line for line in asked if "table/incident" in line] == ["servicenow GET /api/now/table/incident"] * 2
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.settle()
    assert [world.estate.jira.item(id)["summary"] for id in world.estate.jira.ids()] == ["asked for"]
    world.estate.servicenow.update(incident, {"category": "network", "short_description": "followed"}, RITA)
    with world.counting() as asked:
        world.once()
    assert len([line for line in asked if "GET /api/now/table/incident" in line]) == 1, "a member need not be confirmed"
    assert world.estate.jira.item(world.estate.jira.ids()[0])["summary"] == "followed"
    world.close()


def test_a_raw_query_whose_column_may_not_be_read_confirms_nothing(tmp_path: Path) -> None:
    """The instance passes over the condition, and would answer with everything."""
    world = World(tmp_path, asking("servicenow", "category=hardware"))
    world.estate.servicenow.rights.hidden_fields.add(("incident", "category"))
    id = world.incident("no hardware")
    world.estate.servicenow.move(id, "In Progress", by=RITA)
    world.settle()
    assert world.estate.jira.ids() == []
    world.close()


def test_a_raw_query_is_confirmed_in_jira_and_in_azure_devops_too(tmp_path: Path) -> None:
    for name in ("jira", "azure"):
        (tmp_path / name).mkdir()
    world = World(tmp_path / "jira", asking("jira"))
    for component in ("Batch", "Portal"):
        given = {"summary": f"of {component}", "labels": ["dev"], "components": [component]}
        world.estate.jira.create(given, by=ANA)
    with world.counting() as asked:
        world.once()
    assert len([line for line in asked if "search/jql" in line]) == 2
    assert [world.estate.azure.item(id)["System.Title"] for id in world.estate.azure.ids()] == ["of Batch"]
    world.close()
    world = World(tmp_path / "azure", asking("azure"))
    for title in ("pool exhausted", "something else"):
        world.estate.azure.create({"System.Title": title}, by=CHEN)
    with world.counting() as asked:
        world.once()
    assert len([line for line in asked if "wiql" in line.lower()]) == 1
    assert [world.estate.jira.item(id)["summary"] for id in world.estate.jira.ids()] == ["pool exhausted"]
    world.close()


@pytest.mark.parametrize(
    ("tracker", "query", "told"),
    [
        ("servicenow", "categry=software", "categry"),
        ("servicenow", "category=software^NQcategory=hardware", "^OR"),
        ("jira", 'compnent = "Batch"', "compnent"),
        ("azure", "[System.Titel] CONTAINS 'x'", "Titel"),
    ],
)
def test_a_slip_in_a_raw_query_is_told_when_the_tracker_is_opened(
    tmp_path: Path, tracker: str, query: str, told: str
) -> None:
    estate = Estate(MORNING)
    path = tmp_path / "lockstep.toml"
    path.write_text(asking(tracker, query)(estate.file(f"sqlite:///{tmp_path / 'lockstep.db'}")))
    engine = compose(load(path, estate.environment()), estate.clock)
    engine.open()
    assert [told in sentence for _, _, sentence in engine.problems] == [True]
    engine.close()
    estate.stop()


# ── creation ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rebuild_reads_every_marked_item_once(world: World) -> None:
    for title in ("500 responses on API", "504 errors on API", "502 errors on API"):
        world.linked(title)
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.once()
        world.settle()
    reads = [line for line in asked if "workitemsbatch" in line.lower()]
    assert len(reads) == 1, "one batch for all work items; the others come whole with their change queries"
    assert not [line for line in asked if "bulkfetch" in line]
    assert writes(asked) == []
    assert world.engine.store.counts()["links"] == 3


def test_of_two_found_the_oldest_is_adopted_the_other_held_and_named_and_none_deleted(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    issue = world.estate.jira.item(defect)
    copied = {name: issue[name] for name in ("summary", "description", "priority", "labels")}
    twin = world.estate.jira.create({**copied, "labels": list(issue["labels"])}, by=ANA)
    world.restart(lose_state=True)
    world.reconcile()
    (link,) = world.engine.store.links()
    assert {item.ref.id for item in link.items} == {incident, defect}
    ((held, key),) = world.engine.store.held()
    assert (held.what, key) == ("twin", "CSPM-2") and "CSPM-1" in held.reason
    assert world.estate.jira.ids() == [defect, twin]
    world.estate.servicenow.comment(incident, "for the first alone", SAM)
    world.settle()
    assert copies_of("for the first alone", world.words("jira", defect)) == 1
    assert world.words("jira", twin) == []


def test_the_names_of_stages_may_change_their_ids_never(tmp_path: Path) -> None:
    edit: list[Callable[[str], str]] = [lambda text: text]
    world = World(tmp_path, lambda text: edit[0](text))
    world.linked()
    edit[0] = lambda text: text.replace('name     = "Fixing"', 'id = "Fixing"\nname     = "In the works"')
    world.restart()
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []
    world.estate.azure.comment(world.estate.azure.ids()[0], "goes on", CHEN)
    world.settle()
    assert copies_of("goes on", world.words("jira", world.estate.jira.ids()[0])) == 1
    world.close()
