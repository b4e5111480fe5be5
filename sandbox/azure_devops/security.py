"""The routes of the security service: namespaces, and whether the caller has a right."""

from __future__ import annotations

from typing import Any

from sandbox.azure_devops.call import Call, answered, parts
from sandbox.azure_devops.errors import bad_request
from sandbox.azure_devops.permissions import NAMESPACES, Namespace
from sandbox.azure_devops.values import numeral
from sandbox.wire import Answer


def namespace_of(id: str) -> Namespace:
    found = NAMESPACES.get(id.lower())
    if found is None:
        raise bad_request(f"The security namespace {id} does not exist.", "InvalidSecurityNamespaceException")
    return found


def namespace_body(one: Namespace) -> dict[str, Any]:
    return {
        "namespaceId": one.id,
        "name": one.name,
        "displayName": one.name,
        "separatorValue": ":" if one.name == "CSS" else "/",
        "elementLength": -1,
        "writePermission": 2,
        "readPermission": 1,
        "dataspaceCategory": "Default",
        "actions": [
            {"bit": bit, "name": name, "displayName": shown, "namespaceId": one.id}
            for name, (bit, shown) in one.actions.items()
        ],
        "structureValue": 1,
        "isRemotable": False,
        "useTokenTranslator": True,
        "systemBitMask": 0,
    }


def get_namespaces(call: Call) -> Answer:
    asked = call.args.get("securityNamespaceId")
    found = [namespace_of(asked)] if asked else list(NAMESPACES.values())
    return call.listing([namespace_body(one) for one in found])


def bits_of(value: object) -> int:
    """Rights as a number of 32 bits. Raises 400."""
    bits = numeral(str(value))
    if bits is None:
        raise bad_request(f"The value '{value}' is not valid for permissions.")
    return bits


def get_permissions(call: Call) -> Answer:
    """One answer for each of ``tokens``: whether the caller has all of the asked bits."""
    namespace, bits = namespace_of(call.args["securityNamespaceId"]), bits_of(call.args.get("permissions", "0"))
    tokens = call.query("tokens").split(call.query("delimiter", ","))
    return call.listing([call.org.rights.bits(call.who, namespace, bits, token) for token in tokens])


def post_batch(call: Call) -> Answer:
    """The same for many questions at once; the answers stand beside them."""
    body = call.shape()
    answers = []
    for one in parts(body, "evaluations", dict):
        namespace, bits = namespace_of(str(one.get("securityNamespaceId"))), bits_of(one.get("permissions") or 0)
        answers.append({**one, "value": call.org.rights.bits(call.who, namespace, bits, str(one.get("token") or ""))})
    return answered({"alwaysAllowAdministrators": bool(body.get("alwaysAllowAdministrators")), "evaluations": answers})
