"""The organisation: what people and clients do to work items goes through here, whichever door they use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request, no_item
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.model import Comment, Person, Project, WorkItem, joined, tags_of
from sandbox.azure_devops.patch import Wanted
from sandbox.azure_devops.rules import Rules, first_values
from sandbox.azure_devops.store import Store
from sandbox.azure_devops.switches import Switches
from sandbox.azure_devops.values import LONG, clean_html, whole, wire
from sandbox.clock import SandboxClock

_MENTION_HTML = re.compile(r'data-vss-mention="version:[\d.]+,\{?([0-9a-fA-F-]{36})')
_MENTION_MARKDOWN = re.compile(r"@<([0-9a-fA-F-]{36})>")


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
    ) -> None:
        self.clock = clock
        self.switches = switches or Switches()
        self.store = Store()
        self.projects = {project.name: project for project in projects}
        self.people: dict[str, Person] = {}
        for person in people:
            self.welcome(person)
        required = {key: tuple(fields) for key, fields in (needs or {}).items()}
        self.rules = Rules(self.projects, self.identify, {f.reference: f for f in custom}, required)
        #: whom a mention mailed: (item id, comment id, person's id), in order
        self.mailed: list[tuple[int, int, str]] = []

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
        area = str(item.fields["System.AreaPath"]).lower()
        return not any(who.unique_name == name and area.startswith(path.lower()) for name, path in self.switches.hidden)

    def item(self, id: int, who: Person) -> WorkItem:
        """A live item that the person may read. Raises TF401232."""
        item = self.store.items.get(id)
        if item is None or item.deleted or not self.readable(item, who):
            raise no_item(id)
        return item

    def check_rights(self, who: Person) -> None:
        if who.unique_name in self.switches.readers:
            text = "TF237111: The current user does not have permissions to save work items under this area path."
            raise Problem(403, text, "WorkItemUnauthorizedSaveException")

    def check_tags(self, who: Person, tags: str | None) -> None:
        unknown = [tag for tag in tags_of(tags) if tag.lower() not in self.store.tag_names]
        if unknown and who.unique_name in self.switches.taggers_barred:
            text = "TF401289: The current user does not have permissions to create tags."
            raise Problem(403, text, "AccessDeniedException")

    # -- writing

    def create(
        self, project: Project, type_name: str, wanted: Wanted, who: Person, *, bypass: bool = False
    ) -> WorkItem:
        """A new item in its type's first state."""
        self.check_rights(who)
        fields, at = self.drafted(project, type_name, wanted, bypass=bypass)
        self.check_tags(who, fields.get("System.Tags"))
        item = self.store.add(self.spelled(fields), who.unique_name, at, wanted.relations)
        item.formats = wanted.formats
        if wanted.history:
            self.say(item, *wanted.history, who)
        return item

    def drafted(
        self, project: Project, type_name: str, wanted: Wanted, *, bypass: bool
    ) -> tuple[dict[str, Any], datetime]:
        """The fields of a new item, checked."""
        type_ = self.rules.type(project, type_name)
        first = first_values(self.rules, project, type_)
        at = self.now()
        return self.rules.applied(first, wanted, wire(at, self.switches.digits), bypass=bypass), at

    def change(self, item: WorkItem, wanted: Wanted, who: Person, *, bypass: bool = False) -> None:
        self.check_rights(who)
        if item.rev >= self.switches.revisions:
            text = f"VS403691: Work item {item.id} has reached the limit of {self.switches.revisions} revisions."
            raise Problem(400, text, "WorkItemRevisionLimitExceededException")
        at = self.now()
        fields = self.rules.applied(item.fields, wanted, wire(at, self.switches.digits), bypass=bypass)
        self.check_tags(who, fields.get("System.Tags"))
        comment = self.remark(item, *wanted.history, who, at) if wanted.history else None
        self.store.change(item, self.spelled(fields), who.unique_name, at, relations=wanted.relations, comment=comment)
        item.formats = wanted.formats

    def spelled(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Tags take the spelling of their first use in the organisation."""
        if "System.Tags" in fields:
            known = [self.store.tag_names.get(tag.lower(), tag) for tag in tags_of(fields["System.Tags"])]
            fields["System.Tags"] = joined(known)
        return fields

    # -- comments

    def say(self, item: WorkItem, text: str, format: str, who: Person) -> Comment:
        """Adds a comment; the item gets a revision for it."""
        self.check_rights(who)
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

    def mail(self, item: WorkItem, comment: Comment) -> None:
        """Mentions mail the people they name."""
        pattern = _MENTION_MARKDOWN if comment.format == "markdown" else _MENTION_HTML
        self.mailed += [(item.id, comment.id, found.lower()) for found in pattern.findall(comment.text)]

    def comment_of(self, item: WorkItem, id: int) -> Comment:
        found = next((comment for comment in item.comments if comment.id == id), None)
        if found is None:
            text = f"TF401416: Comment {id} of work item {item.id} does not exist."
            raise Problem(404, text, "WorkItemCommentNotFoundException")
        return found

    def edit_comment(self, item: WorkItem, comment: Comment, text: str, format: str, who: Person) -> None:
        self.check_rights(who)
        comment.text, comment.format = self.stored_text(text, format or comment.format), format or comment.format
        self.touched(item, comment, who)

    def remove_comment(self, item: WorkItem, comment: Comment, who: Person) -> None:
        self.check_rights(who)
        comment.deleted = True
        self.touched(item, comment, who)

    def touched(self, item: WorkItem, comment: Comment, who: Person) -> None:
        at = self.now()
        comment.version += 1
        comment.changed_at, comment.changed_by = at, who.unique_name
        if self.switches.edits_revise:
            self.store.change(item, dict(item.fields), who.unique_name, at, comment=comment)

    # -- the recycle bin

    def delete(self, item: WorkItem, who: Person) -> None:
        self.check_rights(who)
        self.store.change(item, {**item.fields, "System.IsDeleted": True}, who.unique_name, self.now())
        item.deleted = True

    def restore(self, item: WorkItem, who: Person) -> None:
        self.check_rights(who)
        fields = {name: value for name, value in item.fields.items() if name != "System.IsDeleted"}
        self.store.change(item, fields, who.unique_name, self.now())
        item.deleted = False
