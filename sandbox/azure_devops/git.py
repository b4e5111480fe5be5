"""Repositories and pull requests, as far as work items are tied to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote

from sandbox.azure_devops.errors import Problem
from sandbox.azure_devops.model import Project, guid
from sandbox.azure_devops.values import numeral

_SERVER = "Microsoft.TeamFoundation.Git.Server"
_ARTIFACT = re.compile(r"vstfs:///Git/PullRequestId/(.+)$", re.IGNORECASE)

ACTIVE, COMPLETED, ABANDONED = "active", "completed", "abandoned"


@dataclass(slots=True)
class Repository:
    project: str
    name: str

    @property
    def id(self) -> str:
        return guid("repository", self.project, self.name)


@dataclass(slots=True)
class PullRequest:
    """``merge`` is its mergeStatus: queued when it is made, succeeded at the next look (recorded)."""

    id: int
    repository: Repository
    title: str
    description: str
    source: str
    target: str
    by: str
    at: datetime
    draft: bool = False
    status: str = ACTIVE
    merge: str = "queued"
    closed: datetime | None = None
    closed_by: str = ""
    reviewers: dict[str, int] = field(default_factory=dict)

    def artifact(self, project_id: str) -> str:
        """The address under which a work item links it (integration with version control pages)."""
        return f"vstfs:///Git/PullRequestId/{project_id}%2F{self.repository.id}%2F{self.id}"


class Git:
    """All repositories, and pull requests by their number, which is the organisation's."""

    def __init__(self) -> None:
        self.repositories: list[Repository] = []
        self.requests: dict[int, PullRequest] = {}

    def first(self, project: Project) -> None:
        """The repository that a new project is born with."""
        self.repositories.append(Repository(project.name, project.name))

    def repository(self, project: Project | None, name: str) -> Repository:
        """By name within the project, or by id. Raises 404 TF401019."""
        for one in self.repositories:
            here = project is None or one.project == project.name
            if here and name.lower() in (one.id, one.name.lower()):
                return one
        text = (
            f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have "
            "permissions for the operation you are attempting."
        )
        raise Problem(404, text, "GitRepositoryNotFoundException", _SERVER, 3000)

    def request(self, id: str, repository: Repository | None = None) -> PullRequest:
        """Raises 404 TF401180."""
        found = self.requests.get(numeral(id) or 0)
        if found is None or (repository is not None and found.repository is not repository):
            text = "TF401180: The requested pull request was not found."
            raise Problem(404, text, "GitPullRequestNotFoundException", _SERVER, 3000)
        return found

    def open(self, request: PullRequest) -> PullRequest:
        """Raises 409 TF401179 where the branches have an active one already."""
        key = (request.repository.id, request.source, request.target)
        for one in self.requests.values():
            if one.status == ACTIVE and (one.repository.id, one.source, one.target) == key:
                text = "TF401179: An active pull request for the source and target branch already exists."
                raise Problem(409, text, "GitPullRequestExistsException", _SERVER, 3000)
        self.requests[request.id] = request
        return request


def linked_request(url: str) -> int:
    """The number of the pull request that an artifact link names, else 0."""
    match = _ARTIFACT.match(url)
    last = unquote(match[1]).rsplit("/", 1)[-1] if match else ""
    return numeral(last) or 0
