"""Teams: their members, their iterations, and the area they work in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.azure_devops.errors import Problem
from sandbox.azure_devops.model import Project, guid
from sandbox.azure_devops.nodes import AREA, ITERATION, Node, Nodes


@dataclass(slots=True)
class Team:
    """``iterations`` are the numbers of the nodes that the team has chosen; ``backlog`` is the node above them, 0
    before anybody set it; ``areas`` are paths with whether what is below counts."""

    project: str
    name: str
    description: str = ""
    members: list[str] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    backlog: int = 0
    areas: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return guid("team", self.project, self.name)

    def current(self, nodes: Nodes, now: datetime) -> Node | None:
        """The chosen iteration whose days include today (UTC)."""
        chosen = (nodes.live(id) for id in self.iterations)
        return next((node for node in chosen if node and timeframe(node, now) == "current"), None)


def timeframe(node: Node, now: datetime) -> str:
    """``past``, ``current`` or ``future``; an iteration without dates is of the future. The last day is a whole one."""
    if node.start is None or node.finish is None or now < node.start:
        return "future"
    return "current" if now.date() <= node.finish.date() else "past"


class Teams:
    """The teams of every project; the first is the default one."""

    def __init__(self) -> None:
        self.all: list[Team] = []

    def first(self, project: Project, nodes: Nodes) -> None:
        """The team that a new project is born with: the root's area, and every iteration that is there."""
        area, backlog = nodes.roots[project.name, AREA], nodes.roots[project.name, ITERATION]
        chosen = [node.id for node in backlog.all() if node is not backlog]
        team = Team(project.name, f"{project.name} Team", "The default project team.", [], chosen, backlog.id)
        team.areas.append((area.path, False))
        self.all.append(team)

    def of(self, project: Project) -> list[Team]:
        return [team for team in self.all if team.project == project.name]

    def team(self, project: Project, name: str = "") -> Team:
        """By name or id; the default one without a name. Raises 404."""
        for team in self.of(project):
            if not name or name.lower() in (team.id, team.name.lower()):
                return team
        text = f"The team with id '{name}' does not exist."
        raise Problem(404, text, "TeamNotFoundException", "Microsoft.TeamFoundation.Core.WebApi", 3000)
