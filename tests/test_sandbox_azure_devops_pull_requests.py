"""Repositories and pull requests of the simulated Azure DevOps, and the items tied to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.azure_wire import JANE, Wire, problem, wired

HOME = "Portal/_apis/git/repositories/Portal"
BRANCHES = {"sourceRefName": "refs/heads/fix", "targetRefName": "refs/heads/main"}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


def opened(wire: Wire, **more: Any) -> Any:
    return wire.post(f"{HOME}/pullRequests", {**BRANCHES, "title": "Fix it", **more}, status=201)


def test_a_pull_request_has_the_recorded_shape(wire: Wire) -> None:
    """recorded-az-cli-vcr 32 and 33: 201 with mergeStatus queued, succeeded at the next look."""
    jane = wire.tracker.org.person(JANE).id
    made = opened(wire, description="why", reviewers=[{"id": jane}])
    assert (made["pullRequestId"], made["status"], made["mergeStatus"], made["isDraft"]) == (
        1, "active", "queued", False,
    )  # fmt: skip
    assert {"repository", "codeReviewId", "createdBy", "creationDate", "mergeId", "lastMergeSourceCommit",
            "lastMergeTargetCommit", "reviewers", "labels", "url", "_links"} <= set(made)  # fmt: skip
    assert made["repository"]["project"]["name"] == "Portal"
    assert (made["reviewers"][0]["uniqueName"], made["reviewers"][0]["vote"]) == (JANE, 0)
    changed = wire.ask("PATCH", f"{HOME}/pullRequests/1", {"description": "This should be the pr description"})
    assert (changed["mergeStatus"], changed["description"]) == ("succeeded", "This should be the pr description")
    assert "lastMergeCommit" in changed


def test_items_are_tied_by_an_artifact_link(wire: Wire) -> None:
    """apis.md 3.2: vstfs:///Git/PullRequestId/{project}%2F{repo}%2F{id}, named Pull Request."""
    id, other = wire.create()["id"], wire.create()["id"]
    made = opened(wire, workItemRefs=[{"id": str(id)}])
    item = wire.read(id, "?$expand=relations")
    (relation,) = item["relations"]
    project, repository = wire.tracker.org.projects["Portal"].id, made["repository"]["id"]
    assert relation["url"] == f"vstfs:///Git/PullRequestId/{project}%2F{repository}%2F1" == made["artifactId"]
    assert (relation["rel"], relation["attributes"]["name"], item["rev"]) == ("ArtifactLink", "Pull Request", 2)
    wire.link(other, "ArtifactLink", made["artifactId"], name="Pull Request")
    found = wire.get(f"{HOME}/pullRequests/1/workitems")["value"]
    assert [one["id"] for one in found] == [str(id), str(other)]


def test_a_pull_request_is_completed_or_abandoned(wire: Wire) -> None:
    opened(wire)
    done = wire.ask("PATCH", f"{HOME}/pullRequests/1", {"status": "completed"})
    assert (done["status"], done["closedBy"]["displayName"]) == ("completed", "Build Bot") and done["closedDate"]
    problem(wire.call("PATCH", f"{HOME}/pullRequests/1", {"title": "x"}), 400, "GitPullRequestNotEditable")
    opened(wire)
    assert wire.ask("PATCH", f"{HOME}/pullRequests/2", {"status": "abandoned"})["status"] == "abandoned"
    again = wire.ask("PATCH", f"{HOME}/pullRequests/2", {"status": "active"})
    assert (again["status"], "closedDate" in again) == ("active", False)


def test_pull_requests_are_listed_by_status(wire: Wire) -> None:
    opened(wire)
    twin = wire.call("POST", f"{HOME}/pullRequests", {**BRANCHES, "title": "again"})
    assert problem(twin, 409, "GitPullRequestExistsException")["message"].startswith("TF401179")
    wire.ask("PATCH", f"{HOME}/pullRequests/1", {"status": "completed"})
    opened(wire)
    numbers = lambda query: [one["pullRequestId"] for one in wire.get(query)["value"]]  # noqa: E731
    assert numbers(f"{HOME}/pullrequests") == [2]
    assert numbers("Portal/_apis/git/pullrequests?searchCriteria.status=all") == [2, 1]
    assert numbers("Platform/_apis/git/pullrequests?searchCriteria.status=all") == []
    assert numbers(f"{HOME}/pullrequests?searchCriteria.status=completed&searchCriteria.sourceRefName=x") == []
    assert wire.get("Portal/_apis/git/pullrequests/1")["status"] == "completed"
    problem(wire.call("GET", "Portal/_apis/git/pullrequests/9"), 404, "GitPullRequestNotFoundException")


def test_repositories_belong_to_projects(wire: Wire) -> None:
    listed = wire.get("Portal/_apis/git/repositories")["value"]
    assert [one["name"] for one in listed] == ["Portal"]
    made = wire.post("Portal/_apis/git/repositories", {"name": "tools"}, status=201)
    assert wire.get(f"_apis/git/repositories/{made['id']}")["name"] == "tools"
    assert len(wire.get("_apis/git/repositories")["value"]) == 3
    answer = wire.call("GET", "Platform/_apis/git/repositories/tools")
    assert problem(answer, 404, "GitRepositoryNotFoundException")["message"].startswith("TF401019")
