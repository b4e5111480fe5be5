"""Where each resource lives: the table behind ``OPTIONS _apis``, which is the router's table too (ids, templates and
versions as recorded), and the version rules of every call."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.wire import Request

#: what the table below spells short; the service writes it out
_SHORT = {
    "{tied}": "~/{repository}/pullRequests/{pullRequestId}/workitems",
    "{teams}": "_apis/projects/{projectId}/teams",
    "{secured}": "_apis/{resource}/{securityNamespaceId}",
    "{discussions}": "~/reporting/workItemRevisions/discussions",
    "{sprint}": "+/teamsettings/iterations",
    "~wit/": "{project}/_apis/wit/",
    "~/": "{project}/_apis/{area}/",
    "+/": "{project}/{team}/_apis/{area}/",
    "{comment}": "workItems/{workItemId}/comments/{commentId}",
    "{repository}": "repositories/{repositoryId}",
}

#: id, area, resource, template and versions (of the resource, lowest, highest, released), as recorded
_RECORDED = """
294c494c-2600-4d7e-b76c-3dd50c3c95be | core | members | {teams}/{teamId}/{resource} | 2 1.0 7.2 7.1
d30a3dd1-f8ba-442a-b86a-bd0c0c383e59 | core | teams | _apis/projects/{projectId}/{resource}/{*teamId} | 3 1.0 7.2 7.1
603fe2ac-9723-48b9-88ad-09305aa6c6e1 | core | projects | _apis/{resource}/{*projectId} | 4 1.0 7.2 7.1
7a4d9ee9-3433-4347-b47a-7a80f1cf307e | core | teams | _apis/{resource} | 3 4.1 7.2 0.0
93878975-88c5-4e6a-8abb-7ddd77a8a7d8 | core | processes | _apis/process/{resource}/{*processId} | 1 1.0 7.2 7.1
9a1b74b4-2ca8-4a9f-8470-c2f2e6fdc949 | operations | operations | _apis/{resource}/{operationId} | 1 2.0 7.2 7.1
00d9565f-ed9c-4a06-9a50-00e7896ccab4 | Location | ConnectionData | _apis/{resource} | 1 1.0 7.2 0.0
e81700f7-3be2-46de-8624-2eb35882fcaa | Location | ResourceAreas | _apis/{resource}/{areaId} | 1 3.2 7.2 0.0
ce7b9f95-fde9-4be8-a86d-83b366f0b87a | Security | SecurityNamespaces | {secured} | 1 1.0 7.2 7.1
dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d | Security | Permissions | {secured}/{permissions} | 2 1.0 7.2 7.1
cf1faa59-1b63-4448-bf04-13d981a46f5d | Security | PermissionEvaluationBatch | _apis/{area}/{resource} | 1 3.0 7.2 7.1
bc15bc60-e7a8-43cb-ab01-2106be3983a1 | wit | tags | ~/{resource}/{tagIdOrName} | 1 5.2 7.2 7.1
b51fd764-e5c2-4b9b-aaf7-3395cf4bdd94 | wit | fields | ~/{resource}/{fieldNameOrRefName} | 3 1.0 7.2 7.1
1a9c53f7-f243-4447-b110-35ef023636e4 | wit | wiql | {project}/{team}/_apis/{area}/{resource} | 2 1.0 7.2 7.1
6570bf97-d02c-4a91-8d93-3abe9895b1a9 | wit | updates | ~/workItems/{id}/updates/{updateNumber} | 4 1.0 7.2 7.1
62d3d110-0047-428c-ad3c-4fe872c91c74 | wit | workItems | ~/{resource}/${type} | 3 1.0 7.2 7.1
f828fe59-dd87-495d-a17c-7a8d6211ca6c | wit | workItemRevisions | ~/reporting/{resource} | 2 2.0 7.2 7.1
4a644469-90c5-4fcc-9a9f-be0827d369ec | wit | workItemRevisionsDiscussions | {discussions} | 1 5.1 7.2 7.1
b5b5b6d0-0308-40a1-b3f4-b9bb3c66878f | wit | workItemLinks | ~/reporting/{resource} | 3 2.0 7.2 7.1
908509b6-4248-4475-a1cd-829139ba419f | wit | workItemsBatch | ~/{resource} | 1 5.0 7.2 7.1
8bc57545-27e5-420d-b709-f6e3ebcc1fc1 | wit | workItemsDelete | ~/{resource} | 1 7.1 7.2 7.1
b70d8d39-926c-465e-b927-b1bf0e5ca0e0 | wit | recyclebin | ~/{resource}/{id} | 2 2.1 7.2 7.1
608aac0a-32e1-4493-a863-b9cf4566d257 | wit | comments | ~wit/workItems/{workItemId}/comments/{commentId} | 4 5.1 7.2 0.0
49e03b34-3be0-42e3-8a5d-e8dfb88ac954 | wit | commentsVersions | ~wit/{comment}/versions/{version} | 1 5.1 7.2 0.0
f6cb3f27-1028-4851-af96-887e570dc21f | wit | commentsReactions | ~wit/{comment}/reactions/{reactionType} | 1 5.1 7.2 0.0
a00c85a5-80fa-4565-99c3-bcd2181434bb | wit | revisions | ~/workItems/{id}/revisions/{revisionNumber} | 3 1.0 7.2 7.1
72c7ddf8-2cdc-4f60-90cd-ab71c14a399b | wit | workItems | ~/{resource}/{id} | 3 1.0 7.2 7.1
7c9d7a76-4a09-43e8-b5df-bd792f4ac6aa | wit | workItemTypeStates | ~/workitemtypes/{type}/states | 1 1.0 7.2 7.1
bd293ce5-3d25-4192-8e67-e8092e879efb | wit | workItemTypesField | ~/workitemtypes/{type}/fields/{field} | 3 1.0 7.2 7.1
7c8d7a76-4a09-43e8-b5df-bd792f4ac6aa | wit | workItemTypes | ~/{resource}/{type} | 2 1.0 7.2 7.1
9b9f5734-36c8-415e-ba67-f83b45c31408 | wit | workItemTypeCategories | ~/{resource}/{category} | 2 1.0 7.2 7.1
a70579d1-f53a-48ee-a5be-7be8659023b9 | wit | classificationNodes | ~/{resource} | 2 1.0 7.2 7.1
5a172953-1b41-49d3-840a-33f79c3ce89f | wit | classificationNodes | ~/{resource}/{structureGroup}/{*path} | 2 1.0 7.2 7.1
e07b5fa4-1499-494d-a496-64b860fd64ff | wit | attachments | ~/{resource}/{id} | 4 1.0 7.2 7.1
f5d33bc9-5b49-4a3c-a9bd-f3cd46dd2165 | wit | workItemRelationTypes | _apis/{area}/{resource}/{relation} | 2 1.0 7.2 7.1
a9a9aa7a-8c09-44d3-ad1b-46e855c1e3d3 | wit | artifactUriQuery | ~/{resource} | 1 3.2 7.2 7.1
afae844b-e2f6-44c2-8053-17b3bb936a40 | wit | workItemTransitions | _apis/{area}/{resource} | 1 4.1 7.2 7.1
225f7195-f9c7-4d14-ab28-a83f7ff77e1f | git | repositories | ~/{resource}/{repositoryId} | 1 1.0 7.2 7.1
0a637fcc-5370-4ce8-b0e8-98091f5f9482 | git | pullRequestWorkItems | {tied} | 1 1.0 7.2 7.1
9946fd70-0d40-406e-b686-b4744cbbcc37 | git | pullRequests | ~/{repository}/{resource}/{pullRequestId} | 2 1.0 7.2 7.1
a5d28130-9cd2-40fa-9f08-902e7daa9efb | git | pullRequests | ~/{resource} | 2 1.0 7.2 7.1
01a46dea-7d46-4d40-bc84-319e7c260d99 | git | pullRequests | ~/{resource}/{pullRequestId} | 2 3.0 7.2 7.1
c3c1012b-bea7-49d7-b45e-1664e566f84c | work | teamsettings | +/{resource} | 1 2.0 7.2 7.1
07ced576-58ed-49e6-9c1e-5cb53ab8bf2a | work | teamfieldvalues | +/teamsettings/{resource} | 1 2.0 7.2 7.1
5b3ef1a6-d3ab-44cd-bafd-c7f45db850fa | work | workitems | {sprint}/{iterationId}/{resource} | 1 4.1 7.2 7.1
c9175577-28a1-4b06-9197-8636af9f64ad | work | iterations | +/teamsettings/{resource}/{id} | 1 2.0 7.2 7.1
"""

#: of the 230 recorded resource areas, those whose calls are answered here
AREAS = {
    "79134c72-4a58-4b42-976c-04e7115f32bf": "core",
    "5264459e-e5e0-4bd8-b118-0985e68a4ec5": "wit",
    "4e080c62-fa21-4fbc-8fef-2a10a2b38049": "git",
    "1d4f49f9-02b9-4e26-b826-2cdb6195f2a9": "work",
}

#: resources under these are numbered: an address with anything else is nobody's (recorded: workItems/0)
_NUMBERED = frozenset({"workitems", "recyclebin", "updates", "revisions"})


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
    for short, whole in _SHORT.items():
        template = template.replace(short, whole)
    number, minimum, maximum, released = versions.split()
    pattern = pattern_of(template.replace("{area}", area).replace("{resource}", resource))
    return Location(id, area, resource, template, int(number), float(minimum), float(maximum), float(released), pattern)


def pattern_of(template: str) -> re.Pattern[str]:
    """A pattern for what follows ``_apis``; a last parameter may be absent, case does not count."""
    segments = template.split("_apis/")[1].split("/")
    pieces = []
    for at, segment in enumerate(segments):
        name = segment.strip("${}*")
        if segment.startswith("${"):
            pieces.append(rf"/\$(?P<{name}>[^/]+)")
        elif segment.startswith("{"):
            numbered = name in ("id", "workItemId") and segments[at - 1].lower() in _NUMBERED
            value = ".+" if "*" in segment else r"0*[1-9]\d*" if numbered else "[^/$][^/]*"
            piece = rf"/(?P<{name}>{value})"
            pieces.append(f"(?:{piece})?" if at == len(segments) - 1 else piece)
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
