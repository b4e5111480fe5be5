"""Areas and iterations: the trees that every project has, with numbers, identifiers and the dates of iterations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.model import Project, guid

AREA, ITERATION = "area", "iteration"
#: characters that a node's name may not have (area and iteration paths page), and how long it may be
_FORBIDDEN = frozenset('\\/$?*:"&><#%|+')
_LONGEST = 255


@dataclass(slots=True, eq=False)
class Node:
    """``start`` and ``finish`` are an iteration's dates."""

    id: int
    name: str
    structure: str
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    start: datetime | None = None
    finish: datetime | None = None
    identifier: str = ""

    @property
    def trail(self) -> tuple[Node, ...]:
        """From the root to this node."""
        return (*(self.parent.trail if self.parent else ()), self)

    @property
    def path(self) -> str:
        """As a work item's field has it: ``Portal\\Defects``."""
        return "\\".join(node.name for node in self.trail)

    @property
    def full_path(self) -> str:
        """As the node's own resource has it: ``\\Portal\\Area\\Defects`` (recorded)."""
        root, *below = (node.name for node in self.trail)
        return "\\".join(["", root, self.structure.title(), *below])

    def child(self, name: str) -> Node | None:
        return next((one for one in self.children if one.name.lower() == name.lower()), None)

    def all(self) -> Iterator[Node]:
        """The node and everything below it."""
        yield self
        for one in self.children:
            yield from one.all()


class Nodes:
    """Both trees of every project. Paths are compared without case."""

    def __init__(self) -> None:
        self.roots: dict[tuple[str, str], Node] = {}
        self.by_id: dict[int, Node] = {}

    def plant(self, project: Project) -> None:
        """The trees of a new project, with the paths that it names."""
        for structure, paths in ((AREA, project.areas), (ITERATION, project.iterations)):
            root = self.made(project.name, structure, None)
            self.roots[project.name, structure] = root
            for path in paths:
                at = root
                for name in path.split("\\"):
                    at = at.child(name) or self.add(at, name)

    def made(self, name: str, structure: str, parent: Node | None) -> Node:
        node = Node(1000 + len(self.by_id), name, structure, parent)
        node.identifier = guid("node", structure, str(node.id))
        self.by_id[node.id] = node
        return node

    def find(self, project: Project, structure: str, path: str) -> Node | None:
        """A node by the path that a field has, with the project first."""
        root, *below = path.strip("\\").split("\\")
        node: Node | None = self.roots[project.name, structure]
        if node is None or root.lower() != node.name.lower():
            return None
        for name in below:
            node = node.child(name) if node else None
        return node

    def below(self, project: Project, structure: str, path: str) -> Node:
        """A node by the path in an address, without the project. Raises 404."""
        found = self.find(
            project, structure, "\\".join([project.name, path.replace("/", "\\").strip("\\")]).strip("\\")
        )
        if found is None:
            raise no_node(path)
        return found

    def add(self, parent: Node, name: str) -> Node:
        """Raises 400 for a name that is taken or not allowed."""
        check_name(parent, name)
        node = self.made(name, parent.structure, parent)
        parent.children.append(node)
        return node

    def move(self, node: Node, parent: Node) -> None:
        if node.parent is None or node in parent.trail:
            raise bad_request(f"TF400509: The node {node.name} cannot be moved there.")
        check_name(parent, node.name)
        node.parent.children.remove(node)
        parent.children.append(node)
        node.parent = parent

    def remove(self, node: Node) -> None:
        """The node and what is below it. Raises 400 for a root."""
        if node.parent is None:
            raise bad_request("TF400508: The root node cannot be deleted.")
        node.parent.children.remove(node)
        node.parent = None

    def live(self, id: int) -> Node | None:
        """A node by its number; numbers of removed nodes are never used again."""
        node = self.by_id.get(id)
        return node if node and node.trail[0] in self.roots.values() else None


def check_name(parent: Node, name: str) -> None:
    if not name.strip() or len(name) > _LONGEST or _FORBIDDEN & set(name):
        text = f"VS402371: Classification node name {name} contains invalid characters."
        raise Problem(400, text, "ClassificationNodeNameInvalidException")
    if parent.child(name):
        text = f"VS402371: Classification node name {name} is already in use by a different child of the parent node."
        raise Problem(409, text, "ClassificationNodeDuplicateNameException")


def no_node(path: str) -> Problem:
    return Problem(
        404, f"VS402485: The area/iteration node {path} does not exist.", "WorkItemTrackingTreeNodeNotFoundException"
    )
