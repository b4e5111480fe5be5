"""The tracker: the door for HTTP, and the door for the story's people."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.azure_devops import service
from sandbox.azure_devops.call import Call
from sandbox.azure_devops.errors import Problem, delayed, stopped
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.git import PullRequest
from sandbox.azure_devops.links import PARENT
from sandbox.azure_devops.locations import asked_version
from sandbox.azure_devops.model import Person, Project, WorkItem, guid
from sandbox.azure_devops.organisation import Organisation
from sandbox.azure_devops.patch import Wanted, refuse_twins, relation_of
from sandbox.azure_devops.process import Process
from sandbox.azure_devops.quota import Quota
from sandbox.azure_devops.render import Renderer
from sandbox.azure_devops.routes import route
from sandbox.azure_devops.switches import Switches
from sandbox.clock import SandboxClock
from sandbox.wire import Answer, Request

_SIGN_IN = (
    b"\r\n<!DOCTYPE html><html lang=\"en-US\"><head><title>Azure DevOps Services | Sign In</title></head>"
    b"<body><a href=\"https://app.vssps.visualstudio.com/_signin\">Sign in</a></body></html>"
)  # fmt: skip

_PLACE = frozenset({"System.TeamProject", "System.WorkItemType"})


class AzureDevOps:
    """One organisation of Azure DevOps Services.

    ``projects`` are names (areas and iterations below them in ``areas`` and ``iterations``), ``process`` is that of
    all of them or a process by project, ``processes`` are inherited ones beside the shipped. ``pats`` map a personal
    access token to its owner's unique name, ``bearer`` gives the unique name that an Entra ID token stands for
    (empty: refused). ``custom`` are fields of an inherited process, ``needs`` its rules:
    {(type, state): fields required}.
    """

    def __init__(
        self,
        name: str,
        clock: SandboxClock,
        *,
        organisation: str = "example",
        projects: Sequence[str] = ("Portal", "Platform"),
        process: str | Mapping[str, str] = "Scrum",
        processes: Iterable[Process] = (),
        areas: Mapping[str, Sequence[str]] | None = None,
        iterations: Mapping[str, Sequence[str]] | None = None,
        people: Iterable[Person] = (),
        pats: Mapping[str, str] | None = None,
        bearer: Callable[[str], str] = lambda token: "",
        custom: Iterable[Field] = (),
        needs: Mapping[tuple[str, str], Sequence[str]] | None = None,
        switches: Switches | None = None,
    ) -> None:
        self.name = name
        self.organisation = organisation
        self.pats = dict(pats or {"pat-of-lockstep": "lockstep@example.com"})
        self.bearer = bearer
        below, sprints = areas or {}, iterations or {}
        kinds = {one: process if isinstance(process, str) else process.get(one, "Scrum") for one in projects}
        homes = [Project(one, kinds[one], tuple(below.get(one, ())), tuple(sprints.get(one, ()))) for one in projects]
        self.org = Organisation(clock, homes, people, custom, needs, switches, processes)
        self.quota = Quota(self.switches)
        self.first_project = homes[0].name
        self.process_id = guid("server process")

    @property
    def switches(self) -> Switches:
        return self.org.switches

    # -- HTTP

    def handle(self, request: Request) -> Answer:
        try:
            answer = self.routed(request)
        except Problem as problem:
            answer = problem.answer(self.switches.bom, self.switches.plain_errors)
        answer.headers.setdefault("x-tfs-processid", self.process_id)
        activity = guid("activity", request.method, request.path)
        answer.headers |= {"ActivityId": activity, "X-VSS-E2EID": activity}
        if self.switches.delay and answer.status == 200:
            answer.headers.update(delayed(self.switches.delay))
        return answer

    def routed(self, request: Request) -> Answer:
        if self.switches.stopped:
            return stopped(self.organisation).answer(bom=True)
        who = self.signed_in(request)
        if who is None:
            return self.refused(request)
        place, rest = self.split([part for part in request.path.split("/") if part])
        if request.method == "OPTIONS" and not rest and len(place) <= 1:
            return service.list_locations()
        found = route(request.method, "/" + "/".join(rest)) if rest else None
        if found is None or not place or place[0].lower() != self.organisation.lower():
            return no_controller(request, place)
        now = self.org.clock.now()
        blocked = self.quota.refused(who, request.method, now)
        if blocked:
            return blocked
        location, answer_to, args = found
        location.check_version(request)
        project = self.org.rules.project(place[1]) if len(place) > 1 else None
        team = place[2] if len(place) > 2 else ""
        answer = answer_to(Call(self.org, request, self.org.person(who), project, args, self.renderer(request), team))
        answer.headers.update(self.quota.headers(who, now))
        if answer.headers.get("Content-Type", "").startswith("application/json"):
            answer.headers["Content-Type"] += f"; api-version={asked_version(request) or '7.1'}"
        return answer

    def split(self, segments: list[str]) -> tuple[list[str], list[str]]:
        """What stands before and behind ``_apis``."""
        lower = [segment.lower() for segment in segments]
        at = lower.index("_apis") if "_apis" in lower else len(lower)
        return segments[:at], segments[at + 1 :]

    def signed_in(self, request: Request) -> str | None:
        """The unique name of the caller."""
        basic = request.basic()
        if basic:
            return self.pats.get(basic[1])
        return self.bearer(request.bearer()) or None if request.bearer() else None

    def refused(self, request: Request) -> Answer:
        """401 with an empty body (recorded), or the sign-in page with 203 or by a redirect (community reports)."""
        asks_not = request.headers.get("x-tfs-fedauthredirect", "").lower() == "suppress"
        if self.switches.suppressed and asks_not:
            return Answer(401, b"", {"WWW-Authenticate": 'Basic realm="https://dev.azure.com/"'})
        if self.switches.sign_in == "203":
            return Answer(203, _SIGN_IN, {"Content-Type": "text/html; charset=utf-8"})
        if self.switches.sign_in == "302":
            return Answer(302, b"", {"Location": f"/{self.organisation}/_signin", "Content-Type": "text/html"})
        return Answer(401, b"", {"WWW-Authenticate": 'Basic realm="https://dev.azure.com/"'})

    def renderer(self, request: Request | None = None) -> Renderer:
        host = request.headers.get("host") if request else ""
        base = f"http://{host}/{self.organisation}" if host else f"https://dev.azure.com/{self.organisation}"
        org = self.org
        return Renderer(
            base,
            org.rules.fields,
            org.person,
            org.identify,
            org.rules.project,
            org.node_id,
            org.home_of,
            self.switches.digits,
        )

    # -- the people

    def create(self, fields: Mapping[str, Any], by: str) -> str:
        """A new work item; ``System.WorkItemType`` and ``System.TeamProject`` default to the first of each."""
        project = self.org.rules.project(str(fields.get("System.TeamProject", self.first_project)))
        type_name = str(fields.get("System.WorkItemType") or self.types(project.name)[0])
        values = {name: value for name, value in fields.items() if name not in _PLACE}
        return str(self.org.create(project, type_name, self.wanted(values), self.org.person(by)).id)

    def types(self, project: str) -> tuple[str, ...]:
        return tuple(one.name for one in self.org.rules.process(self.org.rules.project(project)).types)

    def wanted(self, fields: Mapping[str, Any], item: WorkItem | None = None) -> Wanted:
        """Fields by reference or friendly name; the relations stay."""
        values = {self.org.rules.find(name).reference: value for name, value in fields.items()}
        history = values.pop("System.History", None)
        wanted = Wanted(values, history=(str(history), "html") if history else None)
        if item is not None:
            wanted.relations, wanted.formats = list(item.relations), dict(item.formats)
        return wanted

    def update(self, id: str | int, fields: Mapping[str, Any], by: str) -> None:
        item = self.found(id)
        self.org.change(item, self.wanted(fields, item), self.org.person(by))

    def move(self, id: str | int, state: str, by: str, **fields: Any) -> None:
        self.update(id, {"System.State": state, **fields}, by)

    def open_request(self, id: str | int, by: str, title: str = "Fix it") -> int:
        """A pull request of the item's project, tied to the item as its author does; its number."""
        project, number = self.org.projects[self.found(id).project], max(self.org.git.requests, default=0) + 1
        home, who = self.org.git.repository(project, project.name), self.org.person(by).unique_name
        branch = f"refs/heads/fix-{id}-{number}"
        self.org.git.open(PullRequest(number, home, title, "", branch, "refs/heads/main", who, self.org.now()))
        self.link(id, "ArtifactLink", self.org.git.requests[number].artifact(project.id), by)
        return number

    def close_request(self, number: int, status: str, by: str) -> None:
        """Completes or abandons a pull request: no item is touched by that."""
        one = self.org.git.requests[number]
        one.status, one.closed, one.closed_by = status, self.org.now(), self.org.person(by).unique_name

    def link(self, id: str | int, rel: str, url: str, by: str, comment: str = "") -> None:
        """Adds a relation, as people do in the links tab."""
        item = self.found(id)
        wanted = self.wanted({}, item)
        kind = {"name": "Pull Request"} if rel == "ArtifactLink" else {}
        wanted.relations.append(relation_of({"rel": rel, "url": url, "attributes": {"comment": comment, **kind}}))
        refuse_twins(wanted.relations)
        self.org.change(item, wanted, self.org.person(by))

    def unlink(self, id: str | int, rel: str, by: str) -> None:
        """Takes every relation of that kind off, as people do in the links tab."""
        item = self.found(id)
        wanted = self.wanted({}, item)
        wanted.relations = [one for one in wanted.relations if one.rel != rel]
        self.org.change(item, wanted, self.org.person(by))

    def put_under(self, id: str | int, parent: str | int, by: str) -> None:
        """Below another item, as people drag it on a board; with an empty ``parent``, below none."""
        item = self.found(id)
        wanted = self.wanted({}, item)
        wanted.relations = [one for one in wanted.relations if one.rel != PARENT]
        if parent:
            url = f"https://{self.name}/_apis/wit/workItems/{parent}"
            wanted.relations.append(relation_of({"rel": PARENT, "url": url, "attributes": {}}))
        self.org.change(item, wanted, self.org.person(by))

    def comment(self, id: str | int, text: str, by: str, channel: str = "discussion", format: str = "html") -> str:
        """A comment in the discussion; ``text`` is HTML unless ``format`` is markdown. There is no other channel."""
        if channel != "discussion":
            raise ValueError(f"no channel {channel}")
        return str(self.org.say(self.found(id), text, format, self.org.person(by)).id)

    def edit_comment(self, id: str | int, comment: str | int, text: str, by: str) -> None:
        item = self.found(id)
        self.org.edit_comment(item, self.org.comment_of(item, int(comment)), text, "", self.org.person(by))

    def delete_comment(self, id: str | int, comment: str | int, by: str) -> None:
        item = self.found(id)
        self.org.remove_comment(item, self.org.comment_of(item, int(comment)), self.org.person(by))

    def delete(self, id: str | int, by: str) -> None:
        """To the recycle bin."""
        self.org.delete(self.found(id), self.org.person(by))

    def undelete(self, id: str | int, by: str) -> None:
        """Out of the recycle bin."""
        self.org.restore(self.org.store.items[int(id)], self.org.person(by))

    # -- the whole, as a backup has it

    def snapshot(self) -> object:
        """Everything that people and clients have made."""
        return self.org.state()

    def restore(self, snapshot: object) -> None:
        """What it held at the snapshot; all since is gone, and its numbers are given again."""
        if not isinstance(snapshot, bytes):
            raise TypeError("no snapshot of an Azure DevOps organisation")
        self.org.put_back(snapshot)

    def clone(self, name: str, clock: SandboxClock) -> AzureDevOps:
        """Another organisation with the same items, numbers, people and tokens, at the same address but for its
        port."""
        twin = AzureDevOps(
            name,
            clock,
            organisation=self.organisation,
            pats=self.pats,
            bearer=self.bearer,
            custom=self.org.custom.values(),
            needs=self.org.needs,
            switches=copy.deepcopy(self.switches),
            processes=self.org.processes.values(),
        )
        twin.restore(self.snapshot())
        twin.first_project = self.first_project
        return twin

    def found(self, id: str | int) -> WorkItem:
        item = self.org.store.items.get(int(id))
        if item is None or item.deleted:
            raise KeyError(id)
        return item

    # -- the truth

    def item(self, id: str | int) -> dict[str, Any]:
        """The current fields: identities as unique names, dates as the wire shows them; a deleted item's too."""
        return self.renderer().values(self.org.store.items[int(id)])

    def comments(self, id: str | int) -> list[dict[str, Any]]:
        """id, at, by, channel, text (as stored), format; oldest first, deleted ones left out."""
        return [
            {"id": str(c.id), "at": c.at, "by": c.by, "channel": "discussion", "text": c.text, "format": c.format}
            for c in self.org.store.items[int(id)].comments
            if not c.deleted
        ]

    def mentioned(self, id: str | int) -> list[str]:
        """The unique names of those whom comments of the item mailed by calling them by name, in order."""
        people = {person.id.lower(): person.unique_name for person in self.org.people.values()}
        return [people[who] for item, _, who in self.org.mailed if item == int(id) and who in people]

    def history(self, id: str | int) -> list[dict[str, Any]]:
        """at, by, field, old, new of every change since creation; relations count as the field ``relations`` (their
        addresses), a comment as ``System.History``."""
        item = self.org.store.items[int(id)]
        said = {comment.id: comment.text for comment in item.comments}
        entries = []
        for update in item.updates[1:]:
            rows = [(name, old, new) for name, (old, new) in update.changes.items()]
            rows += [("relations", None, one.url) for one in update.added]
            rows += [("relations", one.url, None) for one in update.removed]
            rows += [("System.History", None, said[update.comment])] if update.comment else []
            entries += [{"at": update.at, "by": update.by, "field": f, "old": old, "new": new} for f, old, new in rows]
        return entries

    def relations(self, id: str | int) -> list[dict[str, str]]:
        """rel, url and comment of each link."""
        return [{"rel": r.rel, "url": r.url, "comment": r.comment} for r in self.org.store.items[int(id)].relations]

    def ids(self) -> list[str]:
        """Every item that is not in the recycle bin, oldest first."""
        return [str(item.id) for item in self.org.store.items.values() if not item.deleted]


def no_controller(request: Request, place: Sequence[str]) -> Answer:
    """404 as text, for an address that nothing answers; the organisation is left out of it (recorded)."""
    path = request.path.removeprefix("/" + place[0]) if place else request.path
    return Problem(
        404, f"The controller for path '{path}' was not found or does not implement IController.", ""
    ).answer(plain=True)
