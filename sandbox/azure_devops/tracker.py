"""The tracker: the door for HTTP, and the door for the story's people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.azure_devops import comments, metadata, reporting, workitems
from sandbox.azure_devops.call import Call
from sandbox.azure_devops.errors import Problem, delayed
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.locations import LOCATIONS, Location
from sandbox.azure_devops.model import Person, Project, WorkItem, guid
from sandbox.azure_devops.organisation import Organisation
from sandbox.azure_devops.patch import Wanted, relation_of
from sandbox.azure_devops.process import PROCESSES
from sandbox.azure_devops.render import Renderer
from sandbox.azure_devops.switches import Switches
from sandbox.clock import SandboxClock
from sandbox.wire import Answer, Request

_SIGN_IN = (
    b"\r\n<!DOCTYPE html><html lang=\"en-US\"><head><title>Azure DevOps Services | Sign In</title></head>"
    b"<body><a href=\"https://app.vssps.visualstudio.com/_signin\">Sign in</a></body></html>"
)  # fmt: skip

_PLACE = frozenset({"System.TeamProject", "System.WorkItemType"})

Route = Callable[[Call], Answer]

#: (method, resource of the location) to what answers it; two locations share a resource, told apart by a parameter
_ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "ConnectionData"): metadata.get_connection,
    ("GET", "ResourceAreas"): metadata.get_areas,
    ("GET", "projects"): metadata.get_projects,
    ("GET", "fields"): metadata.get_fields,
    ("GET", "tags"): metadata.get_tags,
    ("GET", "workItemTypes"): metadata.get_types,
    ("GET", "workItemTypeStates"): metadata.get_states,
    ("GET", "workItemTypesField"): metadata.get_type_fields,
    ("POST", "wiql"): metadata.post_wiql,
    ("POST", "workItems"): workitems.create_item,
    ("GET", "workItems"): lambda call: (workitems.get_item if call.args.get("id") else workitems.get_items)(call),
    ("PATCH", "workItems"): workitems.patch_item,
    ("DELETE", "workItems"): workitems.delete_item,
    ("POST", "workItemsBatch"): workitems.post_batch,
    ("GET", "recyclebin"): workitems.get_bin,
    ("PATCH", "recyclebin"): workitems.patch_bin,
    ("GET", "revisions"): workitems.get_revisions,
    ("GET", "updates"): workitems.get_updates,
    ("GET", "workItemRevisions"): reporting.get_feed,
    ("POST", "workItemRevisions"): reporting.post_feed,
    ("GET", "comments"): comments.get_comments,
    ("POST", "comments"): comments.post_comment,
    ("PATCH", "comments"): comments.patch_comment,
    ("DELETE", "comments"): comments.delete_comment,
}


class AzureDevOps:
    """One organisation of Azure DevOps Services.

    ``projects`` are names (areas below them in ``areas``), ``pats`` map a personal access token to its owner's unique
    name, ``bearer`` gives the unique name that an Entra ID token stands for (empty: refused). ``custom`` are fields
    of an inherited process, ``needs`` its rules: {(type, state): fields required}.
    """

    def __init__(
        self,
        name: str,
        clock: SandboxClock,
        *,
        organisation: str = "example",
        projects: Sequence[str] = ("Portal", "Platform"),
        process: str = "Scrum",
        areas: Mapping[str, Sequence[str]] | None = None,
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
        below = areas or {}
        homes = [Project(one, process, tuple(below.get(one, ()))) for one in projects]
        self.org = Organisation(clock, homes, people, custom, needs, switches)
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
            answer = problem.answer(self.switches.bom)
        answer.headers.setdefault("x-tfs-processid", self.process_id)
        if self.switches.delay and answer.status == 200:
            answer.headers.update(delayed(self.switches.delay))
        return answer

    def routed(self, request: Request) -> Answer:
        segments = [part for part in request.path.split("/") if part]
        place, rest = self.split(segments)
        if request.method == "OPTIONS" and not rest and len(place) <= 1:
            return metadata.list_locations() if self.signed_in(request) else self.refused()
        who = self.signed_in(request)
        if who is None:
            return self.refused()
        if not place or place[0].lower() != self.organisation.lower():
            return no_controller(request)
        match = self.location(request.method, "/" + "/".join(rest)) if rest else None
        if match is None:
            return no_controller(request)
        location, route, args = match
        location.check_version(request)
        project = self.org.rules.project(place[1]) if len(place) > 1 else None
        return route(Call(self.org, request, self.org.person(who), project, args, self.renderer(request)))

    def split(self, segments: list[str]) -> tuple[list[str], list[str]]:
        """What stands before and behind ``_apis``."""
        lower = [segment.lower() for segment in segments]
        at = lower.index("_apis") if "_apis" in lower else len(lower)
        return segments[:at], segments[at + 1 :]

    def location(self, method: str, path: str) -> tuple[Location, Route, dict[str, str]] | None:
        for location in LOCATIONS:
            match = location.pattern.match(path)
            route = _ROUTES.get((method, location.resource))
            if (
                match
                and route
                and (method != "POST" or location.resource != "workItems" or "type" in match.groupdict())
            ):
                return location, route, {name: value or "" for name, value in match.groupdict().items()}
        return None

    def signed_in(self, request: Request) -> str | None:
        """The unique name of the caller."""
        basic = request.basic()
        if basic:
            return self.pats.get(basic[1])
        return self.bearer(request.bearer()) or None if request.bearer() else None

    def refused(self) -> Answer:
        """401 with an empty body (recorded), or the sign-in page with 203 or by a redirect (community reports)."""
        if self.switches.sign_in == "203":
            return Answer(203, _SIGN_IN, {"Content-Type": "text/html; charset=utf-8"})
        if self.switches.sign_in == "302":
            return Answer(302, b"", {"Location": f"/{self.organisation}/_signin", "Content-Type": "text/html"})
        return Answer(401, b"", {"WWW-Authenticate": 'Basic realm="https://dev.azure.com/"'})

    def renderer(self, request: Request | None = None) -> Renderer:
        host = request.headers.get("host") if request else ""
        base = f"http://{host}/{self.organisation}" if host else f"https://dev.azure.com/{self.organisation}"
        return Renderer(base, self.org.rules.fields, self.org.person, self.org.rules.project, self.switches.digits)

    # -- the people

    def create(self, fields: Mapping[str, Any], by: str) -> str:
        """A new work item; ``System.WorkItemType`` and ``System.TeamProject`` default to the first of each."""
        project = self.org.rules.project(str(fields.get("System.TeamProject", self.first_project)))
        type_name = str(fields.get("System.WorkItemType") or self.types(project.name)[0])
        values = {name: value for name, value in fields.items() if name not in _PLACE}
        return str(self.org.create(project, type_name, self.wanted(values), self.org.person(by)).id)

    def types(self, project: str) -> tuple[str, ...]:
        return tuple(one.name for one in PROCESSES[self.org.rules.project(project).process].types)

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

    def link(self, id: str | int, rel: str, url: str, by: str, comment: str = "") -> None:
        """Adds a relation, as people do in the links tab."""
        item = self.found(id)
        wanted = self.wanted({}, item)
        wanted.relations.append(relation_of({"rel": rel, "url": url, "attributes": {"comment": comment}}))
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

    def restore(self, id: str | int, by: str) -> None:
        self.org.restore(self.org.store.items[int(id)], self.org.person(by))

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


def no_controller(request: Request) -> Answer:
    """404 as text, for an address that nothing answers (recorded)."""
    text = f"The controller for path '{request.path}' was not found or does not implement IController."
    return Answer(404, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
