"""The routes of the service itself: where resources live, and who the caller is."""

from __future__ import annotations

from typing import Any

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.locations import AREAS, LOCATIONS
from sandbox.azure_devops.model import guid
from sandbox.wire import Answer


def list_locations() -> Answer:
    """``OPTIONS _apis``: the table that client libraries route by."""
    entries = [location.entry() for location in LOCATIONS]
    return answered({"count": len(entries), "value": entries})


def get_areas(call: Call) -> Answer:
    if not call.org.switches.areas:
        return answered({"count": 0, "value": None})
    place = f"{call.render.base}/"
    areas = [{"id": id, "name": name, "locationUrl": place} for id, name in AREAS.items()]
    asked = call.args.get("areaId")
    return answered(next((a for a in areas if a["id"] == asked), None)) if asked else call.listing(areas)


def get_connection(call: Call) -> Answer:
    """``connectionData``; its shape is in no specification: this is what clients declare of it."""
    who = call.who
    account = {"$type": "System.String", "$value": who.unique_name}
    user = {
        "id": who.id,
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{guid('tenant')}\\{who.unique_name}",
        "subjectDescriptor": who.descriptor,
        "providerDisplayName": who.display_name,
        "isActive": True,
        "properties": {"Account": account} if "@" in who.unique_name else {},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }
    data = {
        "authenticatedUser": user,
        "authorizedUser": user,
        "instanceId": guid("instance", call.render.base.rsplit("/", 1)[-1]),
        "deploymentId": guid("deployment"),
        "deploymentType": "hosted",
        "locationServiceData": location_data(call),
    }
    return answered(data)


def location_data(call: Call) -> dict[str, Any]:
    """Which clients cache by; the access mapping comes with ``connectOptions``."""
    data: dict[str, Any] = {
        "serviceOwner": guid("service owner"),
        "defaultAccessMappingMoniker": "PublicAccessMapping",
        "lastChangeId": 23_000_000,
        "lastChangeId64": 23_000_000,
    }
    if call.query("connectOptions", "none").lower() not in ("none", "0"):
        point, _, directory = call.render.base.rpartition("/")
        data["accessMappings"] = [
            {
                "displayName": "Host Guid Access Mapping",
                "moniker": "PublicAccessMapping",
                "accessPoint": point,
                "serviceOwner": guid("service owner"),
                "virtualDirectory": directory,
            }
        ]
    return data
