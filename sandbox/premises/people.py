"""Who signs in on the premises of a playbook, and what somebody types there in a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from sandbox.azure_devops.model import Person
from sandbox.estate import AZURE_PAT, SERVICENOW_PASSWORD


def accounts(*users: str) -> dict[str, str]:
    """ServiceNow accounts with their passwords, ours among them: sam.hill signs in with sam-password."""
    return {"lockstep": SERVICENOW_PASSWORD, **{user: password(user) for user in users}}


def tokens(*addresses: str) -> dict[str, str]:
    """Personal access tokens of Azure DevOps with whose they are, ours among them: sam.hill@… has sam-pat."""
    return {AZURE_PAT: "Lockstep", **{pat(address): address for address in addresses}}


def password(user: str) -> str:
    return f"{user.split('.')[0]}-password"


def pat(address: str) -> str:
    return f"{address.split('.')[0]}-pat"


def persons(*addresses: str) -> Sequence[Person]:
    """The people of an Azure DevOps organisation, called by their addresses."""
    return [Person(one, one.split("@")[0].replace(".", " ").title()) for one in addresses]


def created(url: str, table: str, fields: Mapping[str, str], user: str) -> str:
    """How a ServiceNow user makes a record from a shell."""
    return posted(f"{url}/api/now/table/{table}?sysparm_input_display_value=true", fields, f"{user}:{password(user)}")


def made(url: str, project: str, kind: str, fields: Mapping[str, str], address: str) -> str:
    """How somebody makes a work item from a shell."""
    patch = [{"op": "add", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]
    place = f"{url}/{project}/_apis/wit/workitems/${kind.replace(' ', '%20')}?api-version=7.1"
    return posted(place, patch, f":{pat(address)}", "application/json-patch+json")


def posted(url: str, body: object, account: str, kind: str = "application/json") -> str:
    words = ("curl", "-sS", "-u", account, "-H", f"Content-Type: {kind}", "-H", "Accept: application/json")
    return shlex.join([*words, "-d", json.dumps(body, ensure_ascii=False), url])
