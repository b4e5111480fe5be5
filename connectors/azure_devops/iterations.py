"""The iteration of today, as a team's settings tell it (Azure DevOps REST API, "Iterations - List", ``$timeframe``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.azure_devops.service import ITERATIONS, Ask
from connectors.base import Refused

Read = Callable[[Ask, Callable[[Any], list[str]]], list[str]]
#: what stands for it in the admin's file; a team's name may follow
CURRENT = "@current"
ITERATION_PATH = "System.IterationPath"


def current_iteration(read: Read, project: str, team: str = "") -> str:
    """The path of the iteration of today of that team, else of the project's default one. Raises ``Refused`` where
    there is none."""
    path = today(read, project, team)
    if not path:
        whose = f"the team {team!r}" if team else "the default team"
        what = f"{whose} of {project} has no current iteration: give it one whose dates include today"
        raise Refused(what, (ITERATION_PATH,))
    return path


def today(read: Read, project: str, team: str = "") -> str:
    """The same, empty where there is none. One call."""
    route = {"project": project, "team": team} if team else {"project": project}
    paths = read(Ask("GET", ITERATIONS, route, {"$timeframe": "current"}), paths_of)
    return paths[0] if paths else ""


def paths_of(answer: Any) -> list[str]:
    return [str(one["path"]) for one in answer["value"]]
