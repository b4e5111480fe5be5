"""The connector of docs/csv-connector: it keeps the contract, is found by entry point, and works in a real pass."""

from __future__ import annotations

import csv
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from connectors import installed as kinds_installed
from connectors.auth import Secret, UserPassword
from connectors.base import Down, Page, Stale
from csv_rows import Rows, Unfinished
from lockstep_csv import ITEM, WORD, Csv
from mappings.model import Change, Scope
from sandbox.clock import SandboxClock
from sandbox.estate import Estate
from tests.contract import ConnectorContract, Harness, changes, settable_clock
from tests.world import RITA, SAM, World, copies_of

HERE = Path(__file__).resolve().parent.parent
KIT = HERE / "docs" / "csv-connector"
ITEMS, WORDS = "items.csv", "comments.csv"
SCOPE = Scope("ticket", "lockstep-acme", types=("ticket",), where=(("owner", ("", "us")),), fields=("title", "detail"))


@dataclass
class Folder:
    """People with an editor: they append rows."""

    path: Path
    clock: SandboxClock
    made: int = 0

    def write(self, file: str, values: dict[str, str]) -> None:
        with (self.path / file).open("a", newline="") as target:
            csv.writer(target, lineterminator="\n").writerow(value.replace("\n", "⏎") for value in values.values())

    def rows(self, id: str) -> list[dict[str, str]]:
        if not (self.path / ITEMS).exists():
            return []
        with (self.path / ITEMS).open(newline="") as source:
            return [row for row in csv.DictReader(source, ITEM) if not id or row["id"] == id]

    def create(self, title: str, owner: str = "us") -> str:
        self.made += 1
        given = {"id": f"P-{self.made}", "type": "ticket", "state": "open", "title": title, "owner": owner}
        return self.revise({**dict.fromkeys(ITEM, ""), **given})

    def revise(self, row: dict[str, str], **values: str) -> str:
        now = {"at": self.clock.tick().isoformat(), "by": "ann"}
        self.write(ITEMS, {**row, **now, **values})
        return row["id"]

    def change(self, id: str, **values: str) -> None:
        self.revise(self.rows(id)[-1], **values)

    def comment(self, item: str, text: str) -> str:
        self.made += 1
        said = {"id": f"R-{self.made}", "item": item, "at": self.clock.tick().isoformat(), "by": "ann"}
        self.write(WORDS, {**said, "channel": "everyone", "text": text})
        return said["id"]

    # what the contract asks of a simulated tracker

    def ids(self) -> list[str]:
        return list(dict.fromkeys(row["id"] for row in self.rows("")))

    def comments(self, id: str) -> list[dict[str, str]]:
        with (self.path / WORDS).open(newline="") as source:
            return [row for row in csv.DictReader(source, WORD) if row["item"] == id]

    def history(self, id: str) -> list[dict[str, str]]:
        rows = self.rows(id)
        pairs = itertools.pairwise(rows)
        return [{"field": n} for a, b in pairs for n in ITEM if a[n] != b[n] and n not in ("at", "by")]


@dataclass
class RowLog:
    """Rows since ``clear``: what a request log is elsewhere."""

    folder: Folder
    before: int = 0

    def written(self) -> int:
        return len(self.folder.rows("")) - self.before

    def clear(self) -> None:
        self.before += self.written()


@dataclass
class CsvHarness(Harness):
    path: Path
    kind: str = "ticket"
    title_field: str = "title"
    channel: str = "everyone"
    mark_natives: frozenset[str] = frozenset({"mark", "keys"})
    tells_stale: bool = True
    tells_history: bool = False
    can_be_occupied: bool = True
    no_such_id: str = "P-none"
    scope: Scope = SCOPE
    clock: SandboxClock = field(default_factory=settable_clock)

    def __post_init__(self) -> None:
        self.tracker = Folder(self.path, self.clock)
        self.connector = self.build()
        self.log: Any = RowLog(self.tracker)
        self.connector.open([self.scope])

    def build(self, *, wrong_password: bool = False, port: int = 0, page: int = 0) -> Csv:
        return Csv("csv", self.path.as_uri(), UserPassword("lockstep", Secret("")), self.clock, page=page)

    def sent(self, call: tuple[str, str] | None = None) -> int:
        return self.log.written()

    writes = sent

    def person_creates(self, title: str) -> str:
        return self.tracker.create(title)

    def person_creates_outside(self, title: str) -> str:
        return self.tracker.create(title, owner="them")

    def person_comments(self, id: str, text: str) -> str:
        return self.tracker.comment(id, text)

    def person_retitles(self, id: str, title: str) -> None:
        self.tracker.change(id, title=title)

    def person_moves(self, id: str) -> str:
        self.tracker.change(id, state="working")
        return "working"

    def person_moves_out(self, id: str) -> None:
        self.tracker.change(id, owner="them")

    def person_occupies(self, id: str) -> None:
        self.tracker.change(id, mark="another bot")

    def person_removes(self, id: str) -> None:
        self.tracker.change(id, state="deleted")

    def states_forward(self) -> str:
        return "working"

    def refused_change(self) -> tuple[Change, str]:
        return Change({"colour": "red"}), "colour"

    def looks_inert(self, stored: str) -> bool:
        return "\n" not in stored


@pytest.fixture
def harness(tmp_path: Path) -> CsvHarness:
    return CsvHarness(tmp_path)


class TestCsvContract(ConnectorContract):
    def test_an_idle_call_is_exactly_one_request(self, harness: CsvHarness) -> None:
        """Of a folder that is: its items once, its comments for what moved and for the records, and no row written."""
        harness.person_creates("a")
        _, cursor = changes(harness.connector, harness.scope)
        harness.log.clear()
        before = harness.connector.calls()
        assert changes(harness.connector, harness.scope, cursor) == ([], cursor)
        assert (harness.connector.calls() - before, harness.sent()) == (3, 0)


def test_a_row_cut_off_by_a_crash_is_passed_over_and_spoils_no_other(harness: CsvHarness) -> None:
    id = harness.person_creates("before")
    with (harness.path / ITEMS).open("a") as items:
        items.write('P-9,2026-01-05T08:00:00+00:00,ann,ticket,open,,,"half a ti')
    assert harness.record(id).fields["title"] == "before"
    made = harness.made("after")
    assert harness.record(made.ref.id).fields["title"] == "after"
    assert harness.connector.read(harness.scope, ["P-9"]) == {"P-9": None}


def test_two_writers_at_once_do_not_overwrite_each_other(harness: CsvHarness) -> None:
    record = harness.record(harness.person_creates("old"))
    harness.retitled(record, "first")
    with pytest.raises(Stale):
        harness.retitled(record, "second")


def test_a_folder_that_is_not_there_is_down_with_its_name(harness: CsvHarness) -> None:
    away = Csv("csv", (harness.path / "away").as_uri(), UserPassword("lockstep", Secret("")), harness.clock)
    with pytest.raises(Down, match="away"):
        away.open([harness.scope])


class Bare(Csv):
    """The same, in whose change query nothing but ids is told."""

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        for page in super().changes(scope, cursor):
            yield replace(page, notices=tuple(replace(notice, record=None) for notice in page.notices))


def test_a_tracker_without_a_search_is_read_whole_page_by_page(harness: CsvHarness) -> None:
    """The protocol's own ``search`` and ``find_made``, over a change query that brings no records."""
    first = harness.person_creates("needle one")
    made = harness.made("needle two")
    assert made.mark is not None
    bare = Bare("csv", harness.path.as_uri(), UserPassword("lockstep", Secret("")), harness.clock, page=1)
    found = bare.search(harness.scope, "NEEDLE", 10)
    assert {record.ref.id for record in found} == {first, made.ref.id}
    assert {record.ref.id: record for record in found} == {id: harness.record(id) for id in (first, made.ref.id)}
    assert [record.ref for record in bare.find_made(harness.scope, made.mark, made.created)] == [made.ref]
    assert list(bare.find_made(harness.scope, replace(made.mark, made="another"), made.created)) == []


def test_the_connector_stays_small_enough_to_be_read_in_one_go() -> None:
    assert len((KIT / "lockstep_csv.py").read_text().splitlines()) < 150


# ── installed, and found ─────────────────────────────────────────────────────────────────────────────────────────────

FILE = """
[bot]
instance = "kit"
state    = "STATE"
secret   = { env = "LOCKSTEP_SECRET" }
[trackers.servicenow]
kind = "servicenow"
url  = "SERVICENOW"
auth = { user = "lockstep", password = { env = "SERVICENOW_PASSWORD" } }
[trackers.board]
kind = "csv"
url  = "BOARD"
auth = { user = "lockstep" }
[sides.incident]
tracker = "servicenow"
table   = "incident"
scope   = { assignment_group = ["API Support"] }
[sides.ticket]
tracker = "board"
type    = "ticket"
[parties.operations]
sides = ["incident"]
[parties.vendor]
sides = ["ticket"]
[[stages]]
name     = "New"
incident = ["New"]
ticket   = ["open"]
move     = "operations"
[[stages]]
name     = "Fixing"
incident = ["In Progress"]
ticket   = ["working"]
move     = "vendor"
[[routes]]
id   = "vendor"
from = "incident"
when = 'stage == "Fixing"'
open = "ticket"
[fields.summary]
incident = "short_description"
ticket   = "title"
owner    = "incident"
[[comments]]
from = "incident.comments"
to   = ["ticket.everyone"]
[[comments]]
from = "ticket.everyone"
to   = ["incident.comments"]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the kit as a user's package manager installs it, entry point and all."""
    source, target = tmp_path_factory.mktemp("kit"), tmp_path_factory.mktemp("installed")
    for file in KIT.iterdir():
        if file.is_file():
            (source / file.name).write_bytes(file.read_bytes())
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, "--target", target, source], check=True)
    return target


def bot(world: World, installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(installed), str(HERE)])
    environment = {**os.environ, **world.estate.environment(), "PYTHONPATH": paths}
    whole = [sys.executable, str(HERE / "bot.py"), *command, "-c", str(world.folder / "kit.toml")]
    return subprocess.run(whole, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_an_installed_connector_is_found_and_carries_in_a_real_pass(tmp_path: Path, installed: Path) -> None:
    world = World(tmp_path, estate=Estate())
    board = Folder(tmp_path / "board", world.estate.clock)
    board.path.mkdir()
    text = world.estate.file(f"sqlite:///{tmp_path}/kit.db", FILE).replace("BOARD", board.path.as_uri())
    (tmp_path / "kit.toml").write_text(text)
    checked = bot(world, installed, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert bot(world, installed, "reconcile").returncode == 0  # what was there before stays as it is
    incident = world.incident("the export hangs")
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    assert bot(world, installed, "reconcile").returncode == 0
    (ticket,) = board.ids()
    assert (board.rows(ticket)[-1]["title"], board.rows(ticket)[-1]["state"]) == ("the export hangs", "working")
    board.comment(ticket, "which browser?")
    world.estate.servicenow.comment(incident, "still hanging", SAM)
    assert bot(world, installed, "reconcile").returncode == 0
    assert copies_of("which browser?", world.words("servicenow", incident)) == 1
    assert copies_of("still hanging", [said["text"] for said in board.comments(ticket)]) == 1
    before = (board.path / ITEMS).read_bytes(), (board.path / WORDS).read_bytes()
    assert bot(world, installed, "reconcile").returncode == 0
    assert ((board.path / ITEMS).read_bytes(), (board.path / WORDS).read_bytes()) == before
    world.close()


def test_an_address_of_another_kind_is_told_with_what_to_write(tmp_path: Path, installed: Path) -> None:
    world = World(tmp_path)
    (tmp_path / "kit.toml").write_text(
        world.estate.file(f"sqlite:///{tmp_path}/kit.db", FILE).replace("BOARD", "https://x.org")
    )
    checked = bot(world, installed, "check")
    assert checked.returncode == 2
    assert "an address of csv begins with file://" in checked.stderr and 'write url = "file://..."' in checked.stderr
    world.close()


def test_a_connector_that_cannot_be_loaded_is_named_and_harms_no_other(tmp_path: Path, installed: Path) -> None:
    """Its module is gone: the file that names it is refused with the reason, a file that does not is fine."""
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", str(installed), str(broken)], check=True)
    (broken / "lockstep_csv.py").unlink()
    for cached in broken.glob("__pycache__/*"):
        cached.unlink()
    world = World(tmp_path)
    text = world.estate.file(f"sqlite:///{tmp_path}/kit.db", FILE).replace("BOARD", tmp_path.as_uri())
    (tmp_path / "kit.toml").write_text(text)
    checked = bot(world, broken, "check")
    assert checked.returncode == 2
    assert "lockstep_csv:KIND cannot be loaded" in checked.stderr and "reinstall the package" in checked.stderr
    (tmp_path / "kit.toml").write_text(world.path.read_text())
    assert bot(world, broken, "check").returncode == 0
    world.close()


def test_a_kit_that_is_imported_first_is_found_all_the_same(installed: Path) -> None:
    """As its own tests do it; Lockstep itself asks the entry points first."""
    asked = "import lockstep_csv; from connectors.installed import KINDS; print(KINDS['csv'] is lockstep_csv.KIND)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(HERE)])}
    told = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=False)
    assert told.stdout == "True\n", told.stderr


def test_a_row_for_which_there_is_no_room_may_be_written_in_part() -> None:
    with pytest.raises(Unfinished):
        Rows(Path("/dev/full"), WORD).append(dict.fromkeys(WORD, "x"))


def test_a_package_cannot_take_the_name_of_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("jira", "lockstep_csv:KIND", kinds_installed.GROUP)
    monkeypatch.setattr(kinds_installed, "entry_points", lambda group: [point])
    found, broken = kinds_installed.installed()
    assert found == {} and "one of Lockstep's own" in broken["jira"]
