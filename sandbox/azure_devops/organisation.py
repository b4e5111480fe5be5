"""The organisation: what people and clients do to work items goes through here, whichever door they use."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request, no_comment, no_item, too_many_revisions
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.files import Files
from sandbox.azure_devops.git import Git
from sandbox.azure_devops.links import check_new
from sandbox.azure_devops.model import Comment, Person, Project, Relation, WorkItem, joined, tags_of
from sandbox.azure_devops.nodes import Nodes
from sandbox.azure_devops.patch import Manners, Wanted
from sandbox.azure_devops.permissions import COMMENT, DELETE, DESTROY, MOVE, WRITE, Rights
from sandbox.azure_devops.process import PROCESSES, Process
from sandbox.azure_devops.rules import Rules, first_values
from sandbox.azure_devops.store import Store
from sandbox.azure_devops.switches import Switches
from sandbox.azure_devops.teams import Teams
from sandbox.azure_devops.values import LONG, clean_html, moment_of, whole, wire
from sandbox.clock import SandboxClock

_MENTION_HTML = re.compile(r'<a\b[^<>]*\sdata-vss-mention="version:[\d.]+,\{?([0-9a-fA-F-]{36})')
_MENTION_MARKDOWN = re.compile(r"@<([0-9a-fA-F-]{36})>")


#: what a snapshot takes along: everything that people and clients have made
_KEPT = ("store", "projects", "people", "nodes", "teams", "files", "git", "mailed", "operations")


class Organisation:
    """State and business rules. Raises ``Problem`` for what the service refuses."""

    def __init__(
        self,
        clock: SandboxClock,
        projects: Iterable[Project],
        people: Iterable[Person],
        custom: Iterable[Field] = (),
        needs: Mapping[tuple[str, str], Sequence[str]] | None = None,
        switches: Switches | None = None,
        processes: Iterable[Process] = (),
    ) -> None:
        self.clock = clock
        self.switches = switches or Switches()
        self.store, self.nodes, self.teams, self.files, self.git = Store(), Nodes(), Teams(), Files(), Git()
        self.projects: dict[str, Project] = {}
        self.people: dict[str, Person] = {}
        #: whom a mention mailed: (item id, comment id, person's id), in order
        self.mailed: list[tuple[int, int, str]] = []
        #: how often each operation was looked at
        self.operations: dict[str, int] = {}
        for project in projects:
            self.found(project)
        for person in people:
            self.welcome(person)
        self.processes = {**PROCESSES, **{process.name: process for process in processes}}
        self.custom = {field.reference: field for field in custom}
        self.needs = {key: tuple(fields) for key, fields in (needs or {}).items()}
        self.settle()

    def settle(self) -> None:
        """Puts rules and rights over the state that is there."""
        self.rights = Rights(self.switches, self.nodes)
        self.rules = Rules(self.projects, self.identify, self.custom, self.needs, self.processes, self.nodes)

    def state(self) -> bytes:
        """Everything made so far, for ``put_back``."""
        return pickle.dumps({name: getattr(self, name) for name in _KEPT}, pickle.HIGHEST_PROTOCOL)

    def put_back(self, state: bytes) -> None:
        made = self.files.made
        for name, value in pickle.loads(state).items():
            setattr(self, name, value)
        self.files.made = max(made, self.files.made)
        self.settle()

    def found(self, project: Project) -> Project:
        """A project comes to be, with its trees, its team and its repository."""
        self.projects[project.name] = project
        self.nodes.plant(project)
        self.teams.first(project, self.nodes)
        self.git.first(project)
        return project

    def welcome(self, person: Person) -> Person:
        for spelling in (person.unique_name, person.display_name, person.full_name, person.id):
            self.people.setdefault(spelling.lower(), person)
        return person

    def identify(self, spelled: str) -> Person | None:
        """A person by unique name, display name, ``Name <unique name>`` or id."""
        found = self.people.get(spelled.strip().lower())
        if found is None and spelled.rstrip().endswith(">"):
            found = self.people.get(spelled.rsplit("<", 1)[1].rstrip("> ").lower())
        return found

    def person(self, spelled: str) -> Person:
        """The person, made known first where nobody has that name: the story's people need no sign-up."""
        name = spelled.split("@")[0].replace(".", " ").title()
        return self.identify(spelled) or self.welcome(Person(spelled, name))

    def now(self) -> datetime:
        """The instant of a write; the service keeps milliseconds."""
        moment = self.clock.tick()
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    # -- who may see and do what

    def readable(self, item: WorkItem, who: Person) -> bool:
        return self.rights.readable(item, who)

    def item(self, id: int, who: Person) -> WorkItem:
        """A live item that the person may read. Raises TF401232."""
        item = self.store.items.get(id)
        if item is None or item.deleted or not self.readable(item, who):
            raise no_item(id)
        return item

    def check_rights(self, who: Person, item: WorkItem) -> None:
        self.rights.need(who, WRITE, str(item.fields["System.AreaPath"]))

    def check_talk(self, who: Person, item: WorkItem) -> None:
        """A comment wants its own right beside that to edit, for its revision is the item's."""
        self.check_rights(who, item)
        self.rights.need(who, COMMENT, str(item.fields["System.AreaPath"]))

    def check_wall(self, item: WorkItem) -> None:
        """The service takes no update through REST beyond so many revisions; people in the browser go on."""
        if item.rev >= self.switches.revisions:
            raise too_many_revisions(item.id, item.rev, self.switches.revisions)

    def check_fields(self, who: Person, fields: Mapping[str, Any], old: Mapping[str, Any]) -> None:
        """The rights that the new values want: on the area, for the move out of a project, for new tags."""
        project = str(fields["System.TeamProject"])
        self.rights.need(who, WRITE, str(fields["System.AreaPath"]))
        if old and old["System.TeamProject"] != project:
            self.rights.need(who, MOVE, str(old["System.TeamProject"]))
        tags = fields.get("System.Tags")
        self.rights.need_tags(who, project, tags, self.store.tag_names)
        if len(tags_of(tags)) > self.switches.tags:
            raise bad_request(f"TF401352: A work item cannot have more than {self.switches.tags} tags.")

    # -- writing

    @property
    def manners(self) -> Manners:
        switches = self.switches
        return Manners(switches.tags_merge, switches.twins, switches.markdown_stays, switches.stale_status)

    def create(
        self, project: Project, type_name: str, wanted: Wanted, who: Person, *, bypass: bool = False
    ) -> WorkItem:
        """A new item in its type's first state."""
        fields, at = self.drafted(project, type_name, wanted, bypass=bypass)
        self.check_fields(who, fields, {})
        self.check_links([], wanted.relations, who)
        item = self.store.add(self.spelled(fields), who.unique_name, at, wanted.relations)
        item.formats = wanted.formats
        if wanted.history:
            comment = self.remark(item, *wanted.history, who, at)
            item.current.comment = comment.id
            self.store.remarks.append((item.id, 1, comment.id, False, at))
        return item

    def drafted(
        self, project: Project, type_name: str, wanted: Wanted, *, bypass: bool
    ) -> tuple[dict[str, Any], datetime]:
        """The fields of a new item, checked."""
        type_ = self.rules.type(project, type_name)
        first = first_values(self.rules, project, type_)
        at = self.now()
        return self.rules.applied(first, wanted, wire(at, self.switches.digits), bypass=bypass), at

    def checked(self, item: WorkItem, wanted: Wanted, who: Person, at: datetime, *, bypass: bool) -> dict[str, Any]:
        """The fields after a change, everything about it checked and nothing done."""
        self.check_rights(who, item)
        fields = self.rules.applied(item.fields, wanted, wire(at, self.switches.digits), bypass=bypass)
        self.check_fields(who, fields, item.fields)
        self.check_links(item.relations, wanted.relations, who, item.id)
        return fields

    def change(self, item: WorkItem, wanted: Wanted, who: Person, *, bypass: bool = False) -> None:
        by, at = who.unique_name, self.now()
        if bypass:
            by, at = self.signed(item, wanted, who, at)
        fields = self.checked(item, wanted, who, at, bypass=bypass)
        comment = self.remark(item, *wanted.history, who, at) if wanted.history else None
        self.store.change(item, self.spelled(fields), by, at, relations=wanted.relations, comment=comment)
        item.formats = wanted.formats

    def signed(self, item: WorkItem, wanted: Wanted, who: Person, at: datetime) -> tuple[str, datetime]:
        """Who and when a change is put down to where rules are bypassed. Raises VS402625 for a date that is not after
        the last one."""
        by, date = wanted.fields.pop("System.ChangedBy", None), wanted.fields.pop("System.ChangedDate", None)
        moment = moment_of(str(date)) if date else at
        if moment <= (item.changed or item.created):
            text = "VS402625: Dates must be increasing with each revision."
            raise Problem(400, text, "WorkItemDatesNotIncreasingException")
        return (self.person(str(by)).unique_name if by else who.unique_name), moment

    def check_links(self, old: list[Relation], wanted: list[Relation], who: Person, id: int = 0) -> None:
        """New links meet the rules of their types, lead to items that can be read and files that exist, and are not
        too many."""
        files = sum(one.rel == "AttachedFile" for one in wanted)
        if len(wanted) - files > self.switches.links or files > self.switches.files:
            raise bad_request(
                "TF401353: The work item has reached the limit of its links.", "WorkItemLinkLimitException"
            )
        kept = [one for one in wanted if one in old]
        for one in wanted:
            if one in kept:
                continue
            if one.rel == "AttachedFile":
                self.files.describe(one)
            if one.target:
                self.item(one.target, who)
                check_new(lambda other: kept if other == id else self.relations_of(other), id, one)
            kept.append(one)

    def node_id(self, project: str, structure: str, path: str) -> int:
        """The number of an area or iteration; 0 for one that is gone."""
        node = self.nodes.find(self.projects[project], structure, path)
        return node.id if node else 0

    def home_of(self, id: int) -> str:
        """The id of an item's project; empty for an item that is destroyed."""
        found = self.store.items.get(id)
        return self.projects[found.project].id if found else ""

    def relations_of(self, id: int) -> list[Relation]:
        found = self.store.items.get(id)
        return found.relations if found else []

    def spelled(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Tags take the spelling of their first use in the organisation."""
        if "System.Tags" in fields:
            known = [self.store.tag_names.get(tag.lower(), tag) for tag in tags_of(fields["System.Tags"])]
            fields["System.Tags"] = joined(known)
        return fields

    # -- comments

    def say(self, item: WorkItem, text: str, format: str, who: Person) -> Comment:
        """Adds a comment; the item gets a revision for it."""
        self.check_talk(who, item)
        at = self.now()
        comment = self.remark(item, text, format, who, at)
        self.store.change(item, dict(item.fields), who.unique_name, at, comment=comment)
        return comment

    def remark(self, item: WorkItem, text: str, format: str, who: Person, at: datetime) -> Comment:
        stored = self.stored_text(text, format)
        comment = Comment(next(self.store.comment_ids), stored, format, at, who.unique_name, at, who.unique_name)
        item.comments.append(comment)
        self.mail(item, comment)
        return comment

    def stored_text(self, text: str, format: str) -> str:
        if len(text) > LONG:
            raise bad_request("The comment text exceeds the maximum length.", "WorkItemCommentTooLongException", 3200)
        stored = whole(text) if format == "markdown" else clean_html(whole(text))
        if not stored.strip():
            raise bad_request("The comment text cannot be empty.", "VssPropertyValidationException")
        return stored

    @contextmanager
    def muted(self, silent: bool) -> Iterator[None]:
        """While it is silent, nobody is mailed."""
        before = len(self.mailed)
        yield
        if silent:
            del self.mailed[before:]

    def mail(self, item: WorkItem, comment: Comment) -> None:
        """Mentions mail the people they name."""
        if not self.switches.mentions_mail:
            return
        pattern = _MENTION_MARKDOWN if comment.format == "markdown" else _MENTION_HTML
        self.mailed += [(item.id, comment.id, found.lower()) for found in pattern.findall(comment.text)]

    def comment_of(self, item: WorkItem, id: int) -> Comment:
        found = next((comment for comment in item.comments if comment.id == id), None)
        if found is None:
            raise no_comment(item.id, id)
        return found

    def edit_comment(self, item: WorkItem, comment: Comment, text: str, format: str, who: Person) -> None:
        self.check_talk(who, item)
        stored = self.stored_text(text, format or comment.format)
        self.touched(item, comment, who)
        comment.text, comment.format = stored, format or comment.format

    def remove_comment(self, item: WorkItem, comment: Comment, who: Person) -> None:
        self.check_talk(who, item)
        self.touched(item, comment, who)
        comment.deleted = True

    def touched(self, item: WorkItem, comment: Comment, who: Person) -> None:
        """Puts the version by that is there and begins the next."""
        at = self.now()
        comment.older.append((comment.text, comment.deleted, comment.changed_at, comment.changed_by))
        comment.version += 1
        comment.changed_at, comment.changed_by = at, who.unique_name
        if self.switches.edits_revise:
            self.store.change(item, dict(item.fields), who.unique_name, at, comment=comment)
        else:
            self.store.remarks.append((item.id, item.rev, comment.id, True, at))

    # -- the recycle bin

    def delete(self, item: WorkItem, who: Person) -> None:
        self.rights.need(who, DELETE, item.project)
        self.store.change(item, {**item.fields, "System.IsDeleted": True}, who.unique_name, self.now())
        item.deleted = True

    def destroy(self, item: WorkItem, who: Person) -> None:
        """For ever."""
        self.rights.need(who, DESTROY, item.project)
        self.store.destroy(item)

    def restore(self, item: WorkItem, who: Person) -> None:
        self.rights.need(who, DELETE, item.project)
        fields = {name: value for name, value in item.fields.items() if name != "System.IsDeleted"}
        self.store.change(item, fields, who.unique_name, self.now())
        item.deleted = False
