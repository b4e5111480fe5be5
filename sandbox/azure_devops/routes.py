"""Which function answers which method at which location."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.azure_devops import (
    attachments,
    classification,
    comments,
    linkfeed,
    metadata,
    projects,
    pullrequests,
    queries,
    reporting,
    security,
    service,
    sprints,
    workitems,
)
from sandbox.azure_devops.call import Call
from sandbox.azure_devops.locations import LOCATIONS, Location
from sandbox.wire import Answer

Route = Callable[[Call], Answer]

#: by area/resource, with a parameter of the template where two locations share a resource
_ROUTES: dict[str, dict[str, Route]] = {
    "core/members": {"GET": projects.get_members},
    "core/teams": {"GET": projects.get_teams},
    "core/teams{teamId}": {
        "GET": projects.get_teams,
        "POST": projects.post_team,
        "PATCH": projects.change_team,
        "DELETE": projects.change_team,
    },
    "core/projects": {"GET": projects.get_projects, "POST": projects.post_project},
    "core/processes": {"GET": projects.get_processes},
    "operations/operations": {"GET": projects.get_operation},
    "Location/ConnectionData": {"GET": service.get_connection},
    "Location/ResourceAreas": {"GET": service.get_areas},
    "Security/SecurityNamespaces": {"GET": security.get_namespaces},
    "Security/Permissions": {"GET": security.get_permissions},
    "Security/PermissionEvaluationBatch": {"POST": security.post_batch},
    "wit/tags": {"GET": metadata.get_tags},
    "wit/fields": {"GET": metadata.get_fields},
    "wit/wiql": {"POST": queries.post_wiql},
    "wit/updates": {"GET": workitems.get_updates},
    "wit/revisions": {"GET": workitems.get_revisions},
    "wit/workItems{type}": {"GET": workitems.get_template, "POST": workitems.create_item},
    "wit/workItems{id}": {
        "GET": lambda call: (workitems.get_item if call.args.get("id") else workitems.get_items)(call),
        "PATCH": workitems.patch_item,
        "DELETE": workitems.delete_item,
    },
    "wit/workItemsBatch": {"POST": workitems.post_batch},
    "wit/workItemsDelete": {"POST": workitems.delete_many},
    "wit/recyclebin": {"GET": workitems.get_bin, "PATCH": workitems.patch_bin, "DELETE": workitems.destroy_bin},
    "wit/workItemRevisions": {"GET": reporting.get_feed, "POST": reporting.post_feed},
    "wit/workItemRevisionsDiscussions": {"GET": linkfeed.get_discussions},
    "wit/workItemLinks": {"GET": linkfeed.get_links},
    "wit/comments": {
        "GET": comments.get_comments,
        "POST": comments.post_comment,
        "PATCH": comments.patch_comment,
        "DELETE": comments.delete_comment,
    },
    "wit/commentsVersions": {"GET": comments.get_versions},
    "wit/commentsReactions": {
        "GET": comments.get_reactions,
        "PUT": comments.change_reaction,
        "DELETE": comments.change_reaction,
    },
    "wit/workItemTypeStates": {"GET": metadata.get_states},
    "wit/workItemTypesField": {"GET": metadata.get_type_fields},
    "wit/workItemTypes": {"GET": metadata.get_types},
    "wit/workItemTypeCategories": {"GET": metadata.get_categories},
    "wit/classificationNodes": {"GET": classification.get_roots},
    "wit/classificationNodes{path}": {
        "GET": classification.get_node,
        "POST": classification.post_node,
        "PATCH": classification.patch_node,
        "DELETE": classification.delete_node,
    },
    "wit/attachments": {"GET": attachments.get_file, "POST": attachments.post_file, "PUT": attachments.put_chunk},
    "wit/workItemRelationTypes": {"GET": metadata.get_relation_types},
    "wit/artifactUriQuery": {"POST": metadata.post_artifacts},
    "wit/workItemTransitions": {"GET": metadata.get_next_states},
    "git/repositories": {"GET": pullrequests.get_repositories, "POST": pullrequests.post_repository},
    "git/pullRequestWorkItems": {"GET": pullrequests.get_items},
    "git/pullRequests{repositoryId}": {
        "GET": pullrequests.get_requests,
        "POST": pullrequests.post_request,
        "PATCH": pullrequests.patch_request,
    },
    "git/pullRequests": {"GET": pullrequests.get_requests},
    "git/pullRequests{pullRequestId}": {"GET": pullrequests.get_requests},
    "work/teamsettings": {"GET": sprints.get_settings},
    "work/teamfieldvalues": {"GET": sprints.get_areas, "PATCH": sprints.patch_areas},
    "work/workitems": {"GET": sprints.get_iteration_items},
    "work/iterations": {
        "GET": sprints.get_iterations,
        "POST": sprints.post_iteration,
        "DELETE": sprints.delete_iteration,
    },
}


def routes_of(location: Location) -> dict[str, Route]:
    """The routes of a location: those that name one of its parameters before those that name none."""
    plain = f"{location.area}/{location.resource}"
    named = [f"{plain}{{{name}}}" for name in location.pattern.groupindex]
    return next((_ROUTES[key] for key in (*named, plain) if key in _ROUTES), {})


_TABLE = [(location, routes_of(location)) for location in LOCATIONS]


def route(method: str, path: str) -> tuple[Location, Route, dict[str, str]] | None:
    """What answers a method at what stands behind ``_apis``, with the parameters of the address."""
    for location, routes in _TABLE:
        found = location.pattern.match(path) if method in routes else None
        if found:
            return location, routes[method], {name: value or "" for name, value in found.groupdict().items()}
    return None
