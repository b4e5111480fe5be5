"""Who may do what: the security namespaces that concern work items, and the checks that calls make of them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from sandbox.azure_devops.errors import Problem
from sandbox.azure_devops.model import Person, WorkItem, guid, tags_of
from sandbox.azure_devops.nodes import AREA, Nodes
from sandbox.azure_devops.switches import Switches


@dataclass(frozen=True, slots=True)
class Namespace:
    """``actions`` maps a right to its bit and its name on the screen (security namespace reference page)."""

    id: str
    name: str
    actions: dict[str, tuple[int, str]]


READ, WRITE, DELETE, DESTROY = "WORK_ITEM_READ", "WORK_ITEM_WRITE", "WORK_ITEM_DELETE", "WORK_ITEM_PERMANENTLY_DELETE"
MOVE, BYPASS, MUTE, TAG = "WORK_ITEM_MOVE", "BYPASS_RULES", "SUPPRESS_NOTIFICATIONS", "Create"
COMMENT = "WORK_ITEM_SAVE_COMMENT"

AREAS = Namespace(
    "83e28ad4-2d72-4ceb-97b0-c7726d5502c3",
    "CSS",
    {
        "GENERIC_READ": (1, "View permissions for this node"),
        "GENERIC_WRITE": (2, "Edit this node"),
        "CREATE_CHILDREN": (4, "Create child nodes"),
        "DELETE": (8, "Delete this node"),
        READ: (16, "View work items in this node"),
        WRITE: (32, "Edit work items in this node"),
        "MANAGE_TEST_PLANS": (64, "Manage test plans"),
        "MANAGE_TEST_SUITES": (128, "Manage test suites"),
        COMMENT: (512, "Edit work item comments in this node"),
    },
)
PROJECT = Namespace(
    "52d39943-cb85-4d7f-8fa8-c6baac873819",
    "Project",
    {
        "GENERIC_READ": (1, "View project-level information"),
        "GENERIC_WRITE": (2, "Edit project-level information"),
        DELETE: (8192, "Delete and restore work items"),
        MOVE: (16384, "Move work items out of this project"),
        DESTROY: (32768, "Permanently delete work items"),
        BYPASS: (1048576, "Bypass rules on work item updates"),
        MUTE: (2097152, "Suppress notifications for work item updates"),
    },
)
TAGGING = Namespace(
    "bb50f182-8e5e-40b8-bc21-e8752a1e7ae2",
    "Tagging",
    {
        "Enumerate": (1, "Enumerate tag definitions"),
        TAG: (2, "Create tag definition"),
        "Update": (4, "Update tag definition"),
        "Delete": (8, "Delete tag definition"),
    },
)
NAMESPACES = {one.id: one for one in (AREAS, PROJECT, TAGGING)}


class Rights:
    """Everybody may do everything but for what ``Switches`` takes away: ``denied`` holds (unique name, right, path),
    the path being an area, a project or empty for everywhere; the narrower switches add to it."""

    def __init__(self, switches: Switches, nodes: Nodes) -> None:
        self.switches, self.nodes = switches, nodes

    def allowed(self, who: Person, right: str, path: str = "") -> bool:
        """``path`` is an area path, or a project's name for rights of a project."""
        return not any(
            name == who.unique_name and right == barred and within(path, place) for name, barred, place in self.barred()
        )

    def barred(self) -> Iterable[tuple[str, str, str]]:
        switches = self.switches
        yield from switches.denied
        yield from ((name, right, "") for name in switches.readers for right in (WRITE, COMMENT, DELETE, DESTROY))
        yield from ((name, TAG, "") for name in switches.taggers_barred)
        yield from ((name, READ, path) for name, path in switches.hidden)

    def readable(self, item: WorkItem, who: Person) -> bool:
        if not self.switches.hidden and not self.switches.denied:
            return True
        return self.allowed(who, READ, str(item.fields["System.AreaPath"]))

    def need(self, who: Person, right: str, path: str = "") -> None:
        """Raises 403 where the right is missing."""
        if not self.allowed(who, right, path):
            raise refusal(right)

    def need_flags(self, who: Person, project: str, *, bypass: bool, mute: bool) -> None:
        """The rights that ``bypassRules`` and ``suppressNotifications`` want."""
        if bypass:
            self.need(who, BYPASS, project)
        if mute:
            self.need(who, MUTE, project)

    def need_tags(self, who: Person, project: str, tags: str | None, known: Container[str]) -> None:
        if any(tag.lower() not in known for tag in tags_of(tags)):
            self.need(who, TAG, project)

    # -- as the security service answers

    def bits(self, who: Person, namespace: Namespace, wanted: int, token: str) -> bool:
        """Whether the person has every right in ``wanted`` on what a token stands for."""
        path = self.place(namespace, token)
        return all(self.allowed(who, right, path) for right, (bit, _) in namespace.actions.items() if wanted & bit)

    def place(self, namespace: Namespace, token: str) -> str:
        """The area or project of a token. CSS: identifiers from the root, Project: ``$PROJECT:vstfs:///.../{id}``,
        Tagging: ``/{id}``; an unknown token stands for everywhere."""
        last = token.rstrip(":").rsplit("/", 1)[-1].lower()
        if namespace is AREAS:
            areas = (node for node in self.nodes.by_id.values() if node.structure == AREA)
            return next((node.path for node in areas if node.identifier == last), "")
        return next((project for (project, _) in self.nodes.roots if guid("project", project) == last), "")


def within(path: str, place: str) -> bool:
    """Whether ``place`` covers ``path``; paths are compared without case."""
    lower, above = path.lower(), place.lower().rstrip("\\")
    return not above or lower == above or lower.startswith(above + "\\")


def refusal(right: str) -> Problem:
    text, type_key = _REFUSALS.get(right) or (
        f"VS403145: The current user does not have the permission {right} that this operation needs.",
        "AccessDeniedException",
    )
    return Problem(403, text, type_key)


#: texts that threads and tests of clients quote; the others are not known
_REFUSALS = {
    WRITE: (
        "TF237111: The current user does not have permissions to save work items under the specified area path.",
        "WorkItemUnauthorizedSaveException",
    ),
    BYPASS: (
        "TF401322: You don't have bypass rules permission. Please contact your collection administrator to grant this "
        "permission for enabling this action.",
        "VssServiceException",
    ),
    TAG: ("TF401289: The current user does not have permissions to create tags.", "AccessDeniedException"),
}
