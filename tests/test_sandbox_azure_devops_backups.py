"""The simulated Azure DevOps restored from a backup and cloned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.azure_devops import Switches
from sandbox.azure_devops.process import MYTC
from sandbox.clock import SandboxClock
from sandbox.faults import Faults
from sandbox.server import RequestLog, Server
from tests.azure_wire import FEED, JANE, Wire, wired


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired(process="myTC", processes=[MYTC], switches=Switches(bom=True)) as made:
        yield made


def test_a_restored_backup_forgets_what_came_after_and_gives_its_numbers_again(wire: Wire) -> None:
    kept = wire.create(System__Tags="old")["id"]
    wire.tracker.comment(kept, "before", JANE)
    token = wire.get(FEED)["continuationToken"]
    backup = wire.tracker.snapshot()
    wire.set(kept, System__Title="after", System__Tags="new")
    wire.tracker.comment(kept, "after", JANE)
    lost = wire.create("Request")["id"]
    wire.post("Portal/_apis/wit/classificationnodes/areas", {"name": "Late"}, status=201)
    wire.tracker.restore(backup)
    item = wire.read(kept)
    assert (item["rev"], item["fields"]["System.Title"], item["fields"]["System.Tags"]) == (2, "a title", "old")
    assert wire.tracker.ids() == [str(kept)]
    assert wire.call("GET", "Portal/_apis/wit/classificationnodes/areas/Late").status_code == 404
    assert wire.get(FEED, params={"continuationToken": token})["values"] == []
    assert wire.create("Request")["id"] == lost
    assert wire.query("[System.Tags] CONTAINS 'new'") == []


def test_a_backup_can_be_restored_more_than_once(wire: Wire) -> None:
    backup = wire.tracker.snapshot()
    for _ in range(2):
        assert wire.create()["id"] == 1
        wire.tracker.restore(backup)
    assert wire.tracker.ids() == []
    with pytest.raises(TypeError, match="no snapshot"):
        wire.tracker.restore("something else")


def test_a_file_uploaded_after_a_restore_has_an_id_of_its_own(wire: Wire) -> None:
    """Ids of files are guids, drawn and not counted (wit POST attachments)."""
    octets = {"Content-Type": "application/octet-stream"}

    def upload(content: bytes) -> str:
        answer = wire.call("POST", "_apis/wit/attachments?fileName=a.txt", data=content, headers=octets)
        return str(answer.json()["id"])

    kept = upload(b"kept")
    backup = wire.tracker.snapshot()
    lost = upload(b"lost")
    wire.tracker.restore(backup)
    assert wire.call("GET", f"_apis/wit/attachments/{lost}").status_code == 404
    assert upload(b"new") not in (kept, lost)
    assert wire.call("GET", f"_apis/wit/attachments/{lost}").status_code == 404
    assert wire.call("GET", f"_apis/wit/attachments/{kept}").content == b"kept"


def test_a_clone_has_the_same_items_and_goes_its_own_way(wire: Wire) -> None:
    id = wire.create("Request", System__Title="both")["id"]
    clock = SandboxClock(wire.clock.now())
    twin = wire.tracker.clone("copy", clock)
    server = Server(twin, clock, Faults(), RequestLog()).start()
    address = f"{server.url}/example/_apis/wit/workitems/{id}"
    found = wire.session.get(address, timeout=10).json()
    assert (found["fields"]["System.Title"], found["rev"]) == ("both", 1)
    twin.update(id, {"System.Title": "theirs"}, JANE)
    twin.switches.bom = False
    assert wire.read(id)["fields"]["System.Title"] == "both" and wire.switches.bom
    assert twin.create({"System.Title": "next", "System.WorkItemType": "Request"}, JANE) == str(id + 1)
    assert (twin.name, wire.tracker.ids()) == ("copy", [str(id)])
    server.stop()
