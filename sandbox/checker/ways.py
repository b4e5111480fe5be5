"""Which states lie on the way to which, by Jira's own workflows: only they lead from one to another by steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.estate import Estate
from sandbox.jira import Workflow

Steps = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Ways:
    """``steps`` lead from each status to those that a transition leads to; empty for what is no issue of Jira's.
    ``any_way``: which workflow was in force is not known, so that a way need not be the shortest."""

    steps: Steps
    any_way: bool = False

    @staticmethod
    def of(estate: Estate, side: str, id: str) -> Ways:
        """Of an item, by its project and type; of one that was of others before, by those of all."""
        if side != "defect":
            return Ways({})
        issue = estate.jira.issue(id)
        moved = any(change["field"] in ("issuetype", "project") for change in estate.jira.history(id))
        kinds = [
            kind for project in estate.jira.site.projects.values() for kind in project.types
            if moved or (project.key, kind.name) == (issue.project, issue.type)
        ]  # fmt: skip
        return Ways(joined([kind.workflow for kind in kinds]), moved)

    def through(self, was: str, over: str, to: str) -> bool:
        """Whether a shortest way from a status to another leads through a third."""
        left, right, whole = self.length(was, over), self.length(over, to), self.length(was, to)
        return None not in (left, right, whole) and (self.any_way or (left or 0) + (right or 0) == whole)

    def length(self, start: str, end: str) -> int | None:
        """How many steps at the least; ``None`` where no way leads there."""
        reached, edge, count = {start}, {start}, 0
        while edge:
            if end in edge:
                return count
            edge = {to for at in edge for to in self.steps.get(at, ())} - reached
            reached |= edge
            count += 1
        return None


def joined(flows: Sequence[Workflow]) -> Steps:
    """The steps of one or of several workflows."""
    steps: dict[str, frozenset[str]] = {}
    for flow in flows:
        names = [status.name for status in flow.statuses]
        for name in names:
            taken = {t.to for t in flow.transitions if name in (t.sources or names)}
            steps[name] = steps.get(name, frozenset()) | taken
    return steps
