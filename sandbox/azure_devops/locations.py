"""Where each resource lives: the table behind ``OPTIONS _apis``, which is the router's table too (ids, templates and
versions as recorded), and the version rules of every call."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.wire import Request

#: as recorded, but ``~/`` stands for ``{project}/_apis/{area}/`` and ``~wit/`` for ``{project}/_apis/wit/``
_RECORDED = """
603fe2ac-9723-48b9-88ad-09305aa6c6e1 | core | projects | _apis/{resource}/{*projectId} | 4 1.0 7.2 7.1
00d9565f-ed9c-4a06-9a50-00e7896ccab4 | Location | ConnectionData | _apis/{resource} | 1 1.0 7.2 0.0
e81700f7-3be2-46de-8624-2eb35882fcaa | Location | ResourceAreas | _apis/{resource}/{areaId} | 1 3.2 7.2 0.0
bc15bc60-e7a8-43cb-ab01-2106be3983a1 | wit | tags | ~/{resource}/{tagIdOrName} | 1 5.2 7.2 7.1
b51fd764-e5c2-4b9b-aaf7-3395cf4bdd94 | wit | fields | ~/{resource}/{fieldNameOrRefName} | 3 1.0 7.2 7.1
1a9c53f7-f243-4447-b110-35ef023636e4 | wit | wiql | {project}/{team}/_apis/{area}/{resource} | 2 1.0 7.2 7.1
6570bf97-d02c-4a91-8d93-3abe9895b1a9 | wit | updates | ~/workItems/{id}/updates/{updateNumber} | 4 1.0 7.2 7.1
62d3d110-0047-428c-ad3c-4fe872c91c74 | wit | workItems | ~/{resource}/${type} | 3 1.0 7.2 7.1
f828fe59-dd87-495d-a17c-7a8d6211ca6c | wit | workItemRevisions | ~/reporting/{resource} | 2 2.0 7.2 7.1
908509b6-4248-4475-a1cd-829139ba419f | wit | workItemsBatch | ~/{resource} | 1 5.0 7.2 7.1
b70d8d39-926c-465e-b927-b1bf0e5ca0e0 | wit | recyclebin | ~/{resource}/{id} | 2 2.1 7.2 7.1
608aac0a-32e1-4493-a863-b9cf4566d257 | wit | comments | ~wit/workItems/{workItemId}/comments/{commentId} | 4 5.1 7.2 0.0
a00c85a5-80fa-4565-99c3-bcd2181434bb | wit | revisions | ~/workItems/{id}/revisions/{revisionNumber} | 3 1.0 7.2 7.1
72c7ddf8-2cdc-4f60-90cd-ab71c14a399b | wit | workItems | ~/{resource}/{id} | 3 1.0 7.2 7.1
7c9d7a76-4a09-43e8-b5df-bd792f4ac6aa | wit | workItemTypeStates | ~/workitemtypes/{type}/states | 1 1.0 7.2 7.1
bd293ce5-3d25-4192-8e67-e8092e879efb | wit | workItemTypesField | ~/workitemtypes/{type}/fields/{field} | 3 1.0 7.2 7.1
7c8d7a76-4a09-43e8-b5df-bd792f4ac6aa | wit | workItemTypes | ~/{resource}/{type} | 2 1.0 7.2 7.1
"""

#: of the 230 recorded resource areas, those whose calls are answered here
AREAS = {"79134c72-4a58-4b42-976c-04e7115f32bf": "core", "5264459e-e5e0-4bd8-b118-0985e68a4ec5": "wit"}


@dataclass(frozen=True, slots=True)
class Location:
    id: str
    area: str
    resource: str
    template: str
    resource_version: int
    minimum: float
    maximum: float
    released: float
    pattern: re.Pattern[str] = field(repr=False, compare=False)

    def entry(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "area": self.area,
            "resourceName": self.resource,
            "routeTemplate": self.template,
            "resourceVersion": self.resource_version,
            "minVersion": f"{self.minimum:.1f}",
            "maxVersion": f"{self.maximum:.1f}",
            "releasedVersion": f"{self.released:.1f}",
        }

    def check_version(self, request: Request) -> None:
        """Raises what the service answers to a missing, unreleased or unknown ``api-version``."""
        asked = asked_version(request)
        if not asked:
            if request.method in ("GET", "OPTIONS"):
                return
            raise no_version(request.method)
        version, _, preview = asked.partition("-")
        if not self.minimum <= float(version) <= self.maximum:
            raise out_of_range(version, self.maximum)
        if not preview and float(version) > self.released:
            raise needs_preview(version)


def location_of(line: str) -> Location:
    id, area, resource, template, versions = (part.strip() for part in line.split("|"))
    template = template.replace("~wit/", "{project}/_apis/wit/").replace("~/", "{project}/_apis/{area}/")
    number, minimum, maximum, released = versions.split()
    pattern = pattern_of(template.replace("{area}", area).replace("{resource}", resource))
    return Location(id, area, resource, template, int(number), float(minimum), float(maximum), float(released), pattern)


def pattern_of(template: str) -> re.Pattern[str]:
    """A pattern for what follows ``_apis``; a last parameter may be absent, case does not count."""
    segments = template.split("_apis/")[1].split("/")
    pieces = []
    for segment in segments:
        name = segment.strip("${}*")
        if segment.startswith("${"):
            pieces.append(rf"/\$(?P<{name}>[^/]+)")
        elif segment.startswith("{"):
            piece = rf"/(?P<{name}>[^/$][^/]*)"
            pieces.append(f"(?:{piece})?" if segment is segments[-1] else piece)
        else:
            pieces.append("/" + re.escape(segment))
    return re.compile("".join(pieces) + "/?$", re.IGNORECASE)


LOCATIONS = tuple(location_of(line) for line in _RECORDED.strip().splitlines())


def asked_version(request: Request) -> str:
    """The version in the query, else in Accept: ``7.1``, ``7.1-preview`` or ``7.1-preview.4``."""
    found = request.one("api-version") or next(
        (part.split("=", 1)[1] for part in request.headers.get("accept", "").split(";") if "api-version=" in part), ""
    )
    return found.strip() if re.fullmatch(r"\s*\d+(\.\d+)?(-preview(\.\d+)?)?\s*", found, re.IGNORECASE) else ""


def no_version(method: str) -> Problem:
    text = (
        f'No api-version was supplied for the "{method}" request. The version must be supplied either as part of the '
        'Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").'
    )
    return bad_request(text, "VssVersionNotSpecifiedException")


def out_of_range(version: str, latest: float) -> Problem:
    text = (
        f"The requested REST API version of {version} is out of range for this server. The latest REST API version "
        f"this server supports is {latest:.1f}."
    )
    return bad_request(text, "VssVersionOutOfRangeException")


def needs_preview(version: str) -> Problem:
    text = (
        f'The requested version "{version}" of the resource is under preview. The -preview flag must be supplied in '
        f'the api-version for such requests. For example: "{version}-preview"'
    )
    return bad_request(text, "VssInvalidPreviewVersionException")
