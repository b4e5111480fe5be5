"""The routes of repositories and pull requests, and of the work items tied to them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.azure_devops.call import Call, answered, parts
from sandbox.azure_devops.errors import bad_request
from sandbox.azure_devops.git import ABANDONED, ACTIVE, COMPLETED, PullRequest, Repository, linked_request
from sandbox.azure_devops.model import Relation, WorkItem, guid
from sandbox.azure_devops.patch import Wanted
from sandbox.azure_devops.projects import project_body
from sandbox.azure_devops.values import numeral, wire
from sandbox.wire import Answer

_SPEC = ("status", "title", "description", "isDraft", "targetRefName")


def repository_url(call: Call, one: Repository) -> str:
    return f"{call.render.base}/{call.org.projects[one.project].id}/_apis/git/repositories/{one.id}"


def repository_body(call: Call, one: Repository, *, branch: bool = True) -> dict[str, Any]:
    """Within a pull request the default ``branch`` is left out (recorded)."""
    place = f"{call.render.base}/{quote(one.project)}/_git/{quote(one.name)}"
    organisation = call.render.base.rpartition("/")[2]
    default = {"defaultBranch": "refs/heads/main"} if branch else {}
    return {
        "id": one.id,
        "name": one.name,
        "url": repository_url(call, one),
        "project": project_body(call, call.org.projects[one.project]),
        **default,
        "size": 1602,
        "remoteUrl": place,
        "sshUrl": f"git@ssh.dev.azure.com:v3/{organisation}/{quote(one.project)}/{quote(one.name)}",
        "webUrl": place,
        "isDisabled": False,
        "isInMaintenance": False,
    }


def get_repositories(call: Call) -> Answer:
    asked = call.args.get("repositoryId")
    if asked:
        return answered(repository_body(call, call.org.git.repository(call.project, asked)))
    held = [one for one in call.org.git.repositories if call.project is None or one.project == call.project.name]
    return call.listing([repository_body(call, one) for one in held])


def post_repository(call: Call) -> Answer:
    name = str(call.shape().get("name") or "").strip()
    project = call.need_project()
    if not name or any(one.name.lower() == name.lower() for one in call.org.git.repositories):
        text = f"TF400948: A Git repository with the name {name} already exists."
        raise bad_request(text, "GitRepositoryNameAlreadyExistsException", status=409)
    call.org.git.repositories.append(Repository(project.name, name))
    return answered(repository_body(call, call.org.git.repositories[-1]), 201)


# -- pull requests


def request_url(call: Call, one: PullRequest) -> str:
    return f"{repository_url(call, one.repository)}/pullRequests/{one.id}"


def commit(call: Call, one: PullRequest, what: str) -> dict[str, str]:
    id = (guid(what, str(one.id)) + guid("commit")).replace("-", "")[:40]
    return {"commitId": id, "url": f"{repository_url(call, one.repository)}/commits/{id}"}


def request_body(call: Call, one: PullRequest) -> dict[str, Any]:
    """The recorded shape; the merge commit is there once the merge was tried."""
    project = call.org.projects[one.repository.project]
    tried = one.merge == "succeeded"
    merged: dict[str, Any] = {"lastMergeCommit": merge_commit(call, one)} if tried else {"labels": []}
    closed = {"closedDate": wire(one.closed, 7), "closedBy": call.render.identity(one.closed_by)} if one.closed else {}
    address = request_url(call, one)
    return {
        "repository": repository_body(call, one.repository, branch=False),
        "pullRequestId": one.id,
        "codeReviewId": one.id,
        "status": one.status,
        "createdBy": call.render.identity(one.by),
        "creationDate": wire(one.at, 7),
        **closed,
        "title": one.title,
        "description": one.description,
        "sourceRefName": one.source,
        "targetRefName": one.target,
        "mergeStatus": one.merge,
        "isDraft": one.draft,
        "mergeId": guid("merge", str(one.id)),
        "lastMergeSourceCommit": commit(call, one, "source"),
        "lastMergeTargetCommit": commit(call, one, "target"),
        **merged,
        "reviewers": [reviewer(call, one, who, vote) for who, vote in one.reviewers.items()],
        "url": address,
        "_links": request_links(call, one, address),
        "supportsIterations": True,
        "artifactId": one.artifact(project.id),
    }


def merge_commit(call: Call, one: PullRequest) -> dict[str, Any]:
    who = call.render.identity(one.by)
    signed = {"name": who["displayName"], "email": who["uniqueName"], "date": wire(one.at, 0)}
    source, target = (branch.removeprefix("refs/heads/") for branch in (one.source, one.target))
    said = f"Merge pull request {one.id} from {source} into {target}"
    return {**commit(call, one, "merge"), "author": signed, "committer": signed, "comment": said}


def request_links(call: Call, one: PullRequest, address: str) -> dict[str, Any]:
    home = repository_url(call, one.repository)
    places = {
        "self": address,
        "repository": home,
        "workItems": f"{address}/workitems",
        "sourceBranch": f"{home}/{one.source}",
        "targetBranch": f"{home}/{one.target}",
        "statuses": f"{address}/statuses",
        "sourceCommit": commit(call, one, "source")["url"],
        "targetCommit": commit(call, one, "target")["url"],
        "createdBy": call.render.identity(one.by)["url"],
        "iterations": f"{address}/iterations",
    }
    return {name: {"href": place} for name, place in places.items()}


def reviewer(call: Call, one: PullRequest, who: str, vote: int) -> dict[str, Any]:
    identity = call.render.identity(who)
    url = f"{request_url(call, one)}/reviewers/{identity['id']}"
    return {**identity, "reviewerUrl": url, "vote": vote, "hasDeclined": False, "isFlagged": False}


def looked_at(one: PullRequest) -> PullRequest:
    """The merge that was queued has been tried by the next look."""
    one.merge = "succeeded"
    return one


def named(call: Call) -> PullRequest:
    id, home = call.args["pullRequestId"], call.args.get("repositoryId")
    return call.org.git.request(id, call.org.git.repository(call.project, home) if home else None)


def get_requests(call: Call) -> Answer:
    """One pull request, or those that ``searchCriteria`` leaves; active ones unless a status is asked for."""
    if call.args.get("pullRequestId"):
        return answered(request_body(call, looked_at(named(call))))
    home = call.args.get("repositoryId") or call.query("searchCriteria.repositoryId")
    repository = call.org.git.repository(call.project, home) if home else None
    status = call.query("searchCriteria.status", ACTIVE).lower()
    found = [
        one
        for one in reversed(call.org.git.requests.values())
        if (repository is None or one.repository is repository)
        and (call.project is None or one.repository.project == call.project.name)
        and status in ("all", one.status)
        and call.query("searchCriteria.sourceRefName", one.source) == one.source
        and call.query("searchCriteria.targetRefName", one.target) == one.target
    ]
    skip, top = call.number("$skip", 0), call.number("$top", 101)
    return call.listing([request_body(call, looked_at(one)) for one in found[skip : skip + top]])


def post_request(call: Call) -> Answer:
    """Opens a pull request: 201 (recorded). ``workItemRefs`` link items to it."""
    body, home = call.shape(), call.org.git.repository(call.project, call.args["repositoryId"])
    source, target, title = (str(body.get(name) or "") for name in ("sourceRefName", "targetRefName", "title"))
    if not source.startswith("refs/heads/") or not target.startswith("refs/heads/") or not title:
        raise bad_request("TF401400: The source and target must be branches, and a title is required.")
    items = [call.org.item(numeral(str(one.get("id"))) or 0, call.who) for one in parts(body, "workItemRefs", dict)]
    number = max(call.org.git.requests, default=0) + 1
    description, draft = str(body.get("description") or ""), bool(body.get("isDraft"))
    made = PullRequest(
        number, home, title, description, source, target, call.who.unique_name, call.org.now(), draft=draft
    )
    for one in parts(body, "reviewers", dict):
        made.reviewers[call.org.person(str(one.get("id"))).unique_name] = 0
    call.org.git.open(made)
    for item in items:
        tie(call, item, made)
    return answered(request_body(call, made), 201)


def tie(call: Call, item: WorkItem, one: PullRequest) -> None:
    url = one.artifact(call.org.projects[one.repository.project].id)
    relation = Relation("ArtifactLink", url, name="Pull Request")
    wanted = Wanted(relations=[*item.relations, relation], formats=dict(item.formats))
    call.org.change(item, wanted, call.who)


def patch_request(call: Call) -> Answer:
    """Text, draft and status: active, abandoned or completed; a completed one changes no more."""
    body, one = call.shape(), named(call)
    unknown = set(body) - {*_SPEC, "lastMergeSourceCommit", "completionOptions", "autoCompleteSetBy"}
    if unknown or one.status == COMPLETED:
        raise bad_request("TF401181: The pull request cannot be edited due to its state.", "GitPullRequestNotEditable")
    status = str(body.get("status") or one.status).lower()
    if status not in (ACTIVE, COMPLETED, ABANDONED):
        raise bad_request(f"The value '{status}' is not valid for status.")
    one.title, one.description = str(body.get("title") or one.title), str(body.get("description", one.description))
    one.draft, one.target = bool(body.get("isDraft", one.draft)), str(body.get("targetRefName") or one.target)
    if status != one.status:
        one.status = status
        one.closed = call.org.now() if status != ACTIVE else None
        one.closed_by = call.who.unique_name
    return answered(request_body(call, looked_at(one)))


def get_items(call: Call) -> Answer:
    """The items that carry a link to the pull request and that the caller may read."""
    one = named(call)
    tied = [
        item
        for item in call.org.store.items.values()
        if not item.deleted
        and call.org.readable(item, call.who)
        and any(linked_request(link.url) == one.id for link in item.relations if link.rel == "ArtifactLink")
    ]
    return call.listing([{"id": str(item.id), "url": call.render.item_url(item, project=False)} for item in tied])
