"""The vendor's own clients, unchanged, against the simulated Azure DevOps: work items, core, git, work, security."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from sandbox.azure_devops.permissions import AREAS
from tests.azure_wire import PAT, Wire, wired


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired(iterations={"Portal": ("Sprint 1",)}) as made:
        yield made


@pytest.fixture
def clients(wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Any]:
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", str(tmp_path))
    from azure.devops.connection import Connection
    from msrest.authentication import BasicAuthentication

    yield Connection(base_url=wire.url, creds=BasicAuthentication("", PAT)).clients_v7_1
    # msrest drops the connection of an answer without a body: it is collected here, not in somebody else's test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_the_work_item_client(wire: Wire, clients: Any) -> None:
    from azure.devops.v7_1.work_item_tracking.models import JsonPatchOperation, WorkItemClassificationNode

    client = clients.get_work_item_tracking_client()
    item = client.create_work_item(
        [JsonPatchOperation(op="add", path="/fields/System.Title", value="x")], "Portal", "Bug"
    )
    file = client.create_attachment(BytesIO(b"bytes"), project="Portal", file_name="a.bin")
    link = {"rel": "AttachedFile", "url": file.url}
    linked = client.update_work_item([JsonPatchOperation(op="add", path="/relations/-", value=link)], item.id)
    assert linked.relations[0].attributes["resourceSize"] == 5
    assert b"".join(client.get_attachment_content(file.id, project="Portal")) == b"bytes"
    node = client.create_or_update_classification_node(WorkItemClassificationNode(name="New"), "Portal", "areas")
    assert client.get_classification_node("Portal", "areas", "New").id == node.id
    assert "Epic Category" in [one.name for one in client.get_work_item_type_categories("Portal")]
    assert client.get_work_item_types("Portal")[0].name == "Product Backlog Item"
    assert client.get_work_item_type_fields_with_references("Portal", "Bug", expand="allowedValues")
    assert client.get_relation_types()[0].name == "Affects"
    assert client.get_tags("Portal") == []
    assert client.get_work_item(item.id, expand="All").fields["System.Rev"] == 2
    client.delete_work_item(item.id)
    assert client.get_deleted_work_item(item.id, "Portal").resource.id == item.id
    client.destroy_work_item(item.id, "Portal")
    assert wire.tracker.org.store.items == {}


def test_the_work_item_client_s_comments(wire: Wire, clients: Any) -> None:
    from azure.devops.v7_1.work_item_tracking.models import CommentCreate, CommentUpdate

    client = clients.get_work_item_tracking_client()
    id = wire.create()["id"]
    said = client.add_work_item_comment(CommentCreate(text="**a**"), "Portal", id, "markdown")
    assert client.update_comment(CommentUpdate(text="b"), "Portal", id, said.id).version == 2
    assert [one.text for one in client.get_comment_versions("Portal", id, said.id)] == ["b", "**a**"]
    assert client.create_comment_reaction("Portal", id, said.id, "like").count == 1
    client.delete_comment("Portal", id, said.id)
    assert client.get_comments("Portal", id).comments == []


def test_the_core_and_location_clients(wire: Wire, clients: Any) -> None:
    core = clients.get_core_client()
    assert [one.name for one in core.get_projects()] == ["Portal", "Platform"]
    team = core.get_project("Portal", include_capabilities=True).default_team
    assert [one.id for one in core.get_teams("Portal")] == [team.id]
    assert "Scrum" in [one.name for one in core.get_processes()]
    location = clients.get_location_client()
    data = location.get_connection_data()
    assert data.authenticated_user.provider_display_name == "Build Bot"
    assert data.location_service_data.default_access_mapping_moniker == "PublicAccessMapping"
    assert [one.name for one in location.get_resource_areas()] == ["core", "wit", "git", "work"]


def test_the_git_client(wire: Wire, clients: Any) -> None:
    from azure.devops.v7_1.git.models import GitPullRequest

    client = clients.get_git_client()
    home = client.get_repositories("Portal")[0]
    wanted = GitPullRequest(source_ref_name="refs/heads/a", target_ref_name="refs/heads/main", title="t")
    made = client.create_pull_request(wanted, home.id, "Portal")
    assert client.get_pull_request(home.id, made.pull_request_id, "Portal").merge_status == "succeeded"
    client.update_pull_request(GitPullRequest(status="completed"), home.id, made.pull_request_id, "Portal")
    assert client.get_pull_request_by_id(made.pull_request_id).status == "completed"
    assert client.get_pull_request_work_item_refs(home.id, made.pull_request_id, "Portal") == []


def test_the_work_client(wire: Wire, clients: Any) -> None:
    from azure.devops.v7_1.work.models import TeamContext

    client, team = clients.get_work_client(), TeamContext(project="Portal", team="Portal Team")
    (sprint,) = client.get_team_iterations(team)
    assert (sprint.name, sprint.attributes.time_frame) == ("Sprint 1", "future")
    assert client.get_team_settings(team).bugs_behavior == "asRequirements"
    assert client.get_team_field_values(team).default_value == "Portal"
    assert client.get_iteration_work_items(team, sprint.id).work_item_relations == []


def test_the_security_client(wire: Wire, clients: Any) -> None:
    client = clients.get_security_client()
    area = wire.get("Portal/_apis/wit/classificationnodes/areas")["identifier"]
    token = f"vstfs:///Classification/Node/{area}"
    assert client.has_permissions(AREAS.id, 32, tokens=token) == [True]
    assert [one.name for one in client.query_security_namespaces()] == ["CSS", "Project", "Tagging"]
