"""pysnow: reads, creates, comments, updates and deletes, as its own documentation shows.

python pysnow_client.py '{"host", "user", "password"}' prints what it saw as JSON.
"""

import json
import sys

import pysnow

at = json.loads(sys.argv[1])
client = pysnow.Client(host=at["host"], use_ssl=False, user=at["user"], password=at["password"])

incidents = client.resource(api_path="/table/incident")
numbers = [
    row["number"]
    for row in incidents.get(
        query=pysnow.QueryBuilder()
        .field("short_description")
        .starts_with("seen by pysnow")
        .AND()
        .field("number")
        .order_ascending()
    ).all()
]
made = client.resource(api_path="/table/incident").create({"short_description": "made by pysnow"}).one()
changed = client.resource(api_path="/table/incident").update(
    query={"sys_id": made["sys_id"]}, payload={"description": "changed", "work_notes": "noted by pysnow"}
)
journal = client.resource(api_path="/table/sys_journal_field").get(query={"element_id": made["sys_id"]}, stream=True)
told = {
    "numbers": numbers,
    "state": made["state"],
    "description": changed.one()["description"],
    "noted": [row["value"] for row in journal.all()],
    "deleted": client.resource(api_path="/table/incident").delete(query={"sys_id": made["sys_id"]}),
}
print(json.dumps(told))
