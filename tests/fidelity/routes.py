"""Which operation of the specifications a request belongs to."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from sandbox.wire import Answer, Request
from tests.fidelity.specs import KINDS, document, operations

#: addresses that the trimmed specifications left out, though a template of theirs would fit
LEFT_OUT = re.compile(r"/rest/api/[23]/(?:project/type|project/recent|issue/picker)")


@dataclass(frozen=True, slots=True)
class Route:
    """An operation: the specification's short name, its method and its path as written there."""

    spec: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.spec} {self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Pattern:
    route: Route
    regex: re.Pattern[str]
    asks: frozenset[str]
    weight: int


class Router:
    """The operations of one kind of tracker. The path with most fixed text wins, then the one whose query names are
    all asked for. What Jira Cloud's version 2 lacks, having been published earlier, is version 3's."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.patterns: dict[str, list[Pattern]] = defaultdict(list)
        for rank, spec in enumerate(KINDS[kind]):
            for method, path, _ in operations(document(spec)):
                route = Route(spec, method, path)
                self.patterns[method].append(pattern(kind, route, path, rank))
                if spec == "v3":
                    self.patterns[method].append(pattern(kind, route, path.replace("/api/3/", "/api/2/"), rank))
        for known in self.patterns.values():
            known.sort(key=lambda one: -one.weight)
        self.find = lru_cache(maxsize=50_000)(self.look)

    def look(self, method: str, path: str, asked: frozenset[str]) -> Route | None:
        """``path`` is percent-decoded, ``asked`` the names in the query."""
        if LEFT_OUT.match(path):
            return None
        for one in self.patterns[method]:
            if one.asks <= asked and one.regex.fullmatch(path):
                return one.route
        return None


def pattern(kind: str, route: Route, path: str, rank: int) -> Pattern:
    """The first of a kind's specifications wins among equals; an overload counts only with the names of its query."""
    bare, _, query = path.partition("?")
    fixed = len(re.sub(r"\{\w+\}", "", bare))
    asks = frozenset(re.findall(r"([$\w]+)=", query))
    regex = azure_regex(bare) if kind == "azure" else re.compile(plain(bare))
    return Pattern(route, regex, asks, fixed * 100 + len(asks) * 10 - rank)


def plain(path: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))


def azure_regex(path: str) -> re.Pattern[str]:
    """Any case; project and team may be left out as the locations of ``OPTIONS _apis`` say (recorded:
    options-apis-locations.json); the path of a node has several segments or none."""
    place, _, rest = path.partition("/_apis/")
    rest = plain(rest).replace("classificationnodes/[^/]+/[^/]+", "classificationnodes/[^/]+(?:/.+)?")
    most = place.count("{") - 1
    return re.compile(rf"/[^/]+(?:/[^/]+){{0,{most}}}/_apis/{rest}", re.IGNORECASE)


def kind_of(request: Request, answer: Answer) -> str:
    """The kind of tracker that gave an answer, told by the address and, for Jira, by the header that only the Data
    Center sends; empty for what is no tracker's interface."""
    if request.path.startswith(("/api/now/", "/oauth_token.do")):
        return "servicenow"
    if "/rest/api/" in request.path:
        return "jira-datacenter" if "X-ANODEID" in answer.headers else "jira"
    return "azure" if "_apis" in request.path.lower() else ""


def below_context(path: str) -> str:
    """A Data Center may stand below a context path, which no specification knows."""
    return path[path.index("/rest/api/") :] if "/rest/api/" in path else path
