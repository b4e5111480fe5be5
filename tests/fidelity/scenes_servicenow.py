"""ServiceNow in the states that the recorded calls and the documentation's samples found."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.imports import TransformMap
from sandbox.servicenow.limits import RateRule
from sandbox.servicenow.oauth import Client
from sandbox.wire import Request
from tests.fidelity.exchanges import Exchange
from tests.fidelity.scenes import Scene, Scenes, basic

SCENES = Scenes()
SIGNED_IN = {"Accept": "application/json", "Content-Type": "application/json", **basic("admin", "admin-password")}
INCIDENTS = "/api/now/table/incident"


def instance() -> ServiceNow:
    clock = SandboxClock(datetime(2026, 1, 5, 12, 0, tzinfo=UTC))
    tracker = ServiceNow("servicenow", clock, users={"admin": "admin-password"})
    tracker.grant("admin", "admin")
    return tracker


def incident(tracker: ServiceNow) -> str:
    return tracker.create(
        {"short_description": "Unable to connect to office wifi", "assignment_group": "Network"}, by="admin"
    )


def sent(tracker: ServiceNow, method: str, target: str, body: bytes, **headers: str) -> Any:
    lower = {name.lower().replace("_", "-"): value for name, value in {**SIGNED_IN, **headers}.items()}
    return json.loads(tracker.handle(Request.of(method, target, lower, body)).body)["result"]


@SCENES.of("table-api GET /api/now/table/incident 200")
def incidents(exchange: Exchange) -> Scene:
    tracker = instance()
    third = [tracker.create({"short_description": "Test"}, by="admin") for _ in range(3)][-1]
    tracker.update(third, {"description": "updated once"}, by="admin")
    return Scene(tracker, method="GET", target=f"{INCIDENTS}?sysparm_query=sys_id={third}", headers=SIGNED_IN)


@SCENES.of("table-api 401")
def signed_out(exchange: Exchange) -> Scene:
    return Scene(instance(), method="GET", target=INCIDENTS, headers={"Accept": "application/json"})


@SCENES.of("table-api unknown table 404")
def unknown_table(exchange: Exchange) -> Scene:
    return Scene(instance(), {":tableName": "nothing"}, "GET", "/api/now/table/nothing", headers=SIGNED_IN)


@SCENES.of("table-api unknown or ACL-hidden")
def unknown_record(exchange: Exchange) -> Scene:
    return Scene(instance(), method="GET", target=f"{INCIDENTS}/{'0' * 32}", headers=SIGNED_IN)


@SCENES.of(
    "get-record.md 0",
    "update-record.md 0",
    "c_TableAPI.md 1",
    "c_TableAPI.md 2",
    "c_TableAPI.md 4",
    "GlideHTTPResponseAPI.md 0",
)
def one(exchange: Exchange) -> Scene:
    tracker = instance()
    method = {"update-record.md 0": "PATCH", "c_TableAPI.md 2": "PATCH", "c_TableAPI.md 4": "PUT"}.get(
        exchange.name, "GET"
    )
    body = None if method == "GET" else {"short_description": "changed"}
    return Scene(tracker, method=method, target=f"{INCIDENTS}/{incident(tracker)}", body=body, headers=SIGNED_IN)


@SCENES.of("create-record.md 0", "c_TableAPI.md 3")
def created(exchange: Exchange) -> Scene:
    """The samples show bodies only; the documented status of a creation is 201 (apis.md 1.1)."""
    return Scene(instance(), method="POST", target=INCIDENTS, body={"short_description": "made"}, headers=SIGNED_IN)


@SCENES.of("c_TableAPI.md 0")
def problems(exchange: Exchange) -> Scene:
    tracker = instance()
    tracker.create({"short_description": "Switch drops connections"}, by="admin", table="problem")
    return Scene(tracker, method="GET", target="/api/now/table/problem?sysparm_limit=1", headers=SIGNED_IN)


@SCENES.of("c_RESTAPI.md 0")
def dot_walked(exchange: Exchange) -> Scene:
    tracker = instance()
    fields = "user.name,user.sys_id,role.name,user.department,role,user"
    target = f"/api/now/table/sys_user_has_role?sysparm_fields={fields}&sysparm_display_value=true"
    return Scene(tracker, {}, "GET", target, headers=SIGNED_IN)


@SCENES.of("r_RESTOAuthExample.md 0")
def token(exchange: Exchange) -> Scene:
    tracker = instance()
    tracker.gate.oauth.clients["client"] = Client("client-secret")
    form = "grant_type=password&client_id=client&client_secret=client-secret&username=admin&password=admin-password"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Scene(tracker, method="POST", target="/oauth_token.do", body=form.encode(), headers=headers)


@SCENES.of("inbound-REST-API-rate-limiting.md 0")
def over_the_limit(exchange: Exchange) -> Scene:
    tracker = instance()
    tracker.gate.rules.append(RateRule(100, "Table API"))
    for _ in range(100):
        sent(tracker, "GET", f"{INCIDENTS}?sysparm_limit=1", b"")
    return Scene(tracker, method="GET", target=INCIDENTS, headers=SIGNED_IN)


@SCENES.of("c_ImportSetAPI.md 0", "c_ImportSetAPI.md 1", "c_ImportSetAPI.md 4")
def imported(exchange: Exchange) -> Scene:
    tracker = instance()
    tracker.imports.define(TransformMap("imp_user", {"short_description": "Short description"}))
    row, place = {"short_description": "imported"}, "/api/now/import/imp_user"
    if exchange.name.endswith(" 4"):
        return Scene(tracker, {}, "POST", f"{place}/insertMultiple", {"records": [row]}, SIGNED_IN)
    if exchange.name.endswith(" 1"):
        return Scene(tracker, {}, "POST", place, row, SIGNED_IN)
    sent(tracker, "POST", place, json.dumps(row).encode())
    staged = sent(tracker, "GET", "/api/now/table/imp_user?sysparm_limit=1", b"")[0]["sys_id"]
    return Scene(tracker, {}, "GET", f"{place}/{staged}", headers=SIGNED_IN)


@SCENES.of("c_AttachmentAPI.md 0", "c_AttachmentAPI.md 1", "c_AttachmentAPI.md 9", "c_AttachmentAPI.md 11")
def attachments(exchange: Exchange) -> Scene:
    tracker = instance()
    record = incident(tracker)
    target = f"/api/now/attachment/file?table_name=incident&table_sys_id={record}&file_name=a.png"
    headers = {**SIGNED_IN, "Content-Type": "image/png"}
    if exchange.name.endswith(" 11"):
        headers["Content-Type"] = "multipart/form-data; boundary=b"
        return Scene(tracker, {}, "POST", "/api/now/attachment/upload", form(record), headers)
    if exchange.name.endswith(" 9"):
        return Scene(tracker, method="POST", target=target, body=b"PNG", headers=headers)
    file = sent(tracker, "POST", target, b"PNG", Content_Type="image/png")["sys_id"]
    place = "/api/now/attachment" if exchange.name.endswith(" 0") else f"/api/now/attachment/{file}"
    return Scene(tracker, method="GET", target=place, headers=SIGNED_IN)


@SCENES.of("c_AggregateAPI.md 0")
def statistics(exchange: Exchange) -> Scene:
    tracker = instance()
    incident(tracker)
    query = "sysparm_avg_fields=reassignment_count,business_stc&sysparm_group_by=assignment_group"
    return Scene(tracker, method="GET", target=f"/api/now/stats/incident?{query}", headers=SIGNED_IN)


def form(record: str) -> bytes:
    """An upload, its file last."""
    fields = {"table_name": "incident", "table_sys_id": record}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    file = 'Content-Disposition: form-data; name="uploadFile"; filename="a.png"\r\nContent-Type: image/png'
    return ("".join(parts) + f"--b\r\n{file}\r\n\r\nPNG\r\n--b--\r\n").encode()
