"""Microsoft's azure-devops: types, creation, patches, comments, queries, batches, revisions and the reporting feed.

python azure_devops_client.py '{"url", "password", "cache"}' prints what it saw as JSON.
"""

import json
import os
import sys

at = json.loads(sys.argv[1])
os.environ["AZURE_DEVOPS_CACHE_DIR"] = at["cache"]

from azure.devops.connection import Connection  # noqa: E402
from azure.devops.v7_1.work_item_tracking.models import (  # noqa: E402
    CommentCreate,
    JsonPatchOperation,
    Wiql,
    WorkItemBatchGetRequest,
)
from msrest.authentication import BasicAuthentication  # noqa: E402

connection = Connection(base_url=at["url"], creds=BasicAuthentication("", at["password"]))
work = connection.clients_v7_1.get_work_item_tracking_client()
core = connection.clients_v7_1.get_core_client()


def patch(**fields: str) -> list:
    return [JsonPatchOperation(op="add", path=f"/fields/System.{name}", value=value) for name, value in fields.items()]


made = work.create_work_item(patch(Title="made by azure-devops", Tags="one; two"), "Portal", "Bug")
rev = JsonPatchOperation(op="test", path="/rev", value=made.rev)
changed = work.update_work_item([rev, *patch(Title="edited by azure-devops")], made.id)
said = work.add_comment(CommentCreate(text="said by azure-devops"), "Portal", made.id)
found = work.query_by_wiql(Wiql(query=f"SELECT [System.Id] FROM WorkItems WHERE [System.Id] = {made.id}"))
batch = work.get_work_items_batch(
    WorkItemBatchGetRequest(ids=[made.id, 99999], fields=["System.Title", "System.Rev"], error_policy="omit")
)
feed = work.read_reporting_revisions_get(project="Portal")
told = {
    "projects": sorted(one.name for one in core.get_projects()),
    "types": sorted(one.name for one in work.get_work_item_types("Portal")),
    "states": [one.name for one in work.get_work_item_type_states("Portal", "Bug")],
    "tags": made.fields["System.Tags"],
    "title": changed.fields["System.Title"],
    "said": [one.text for one in work.get_comments("Portal", made.id).comments],
    "comment": said.text,
    "found": [one.id for one in found.work_items],
    "id": made.id,
    "batch": [one and one.fields["System.Title"] for one in batch],
    "revisions": [one.rev for one in work.get_revisions(made.id)],
    "updates": [one.id for one in work.get_updates(made.id)],
    "feed": [one["rev"] for one in feed.additional_properties["values"] if one["id"] == made.id],
    "deleted": work.delete_work_item(made.id).id,
}
print(json.dumps(told))
