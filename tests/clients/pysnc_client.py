"""ServiceNow's own client: pages through what it finds, creates, updates, reads journals and deletes.

python pysnc_client.py '{"url", "user", "password", "ca"}' prints what it saw as JSON. pysnc speaks https only.
"""

import json
import sys

from pysnc import ServiceNowClient

at = json.loads(sys.argv[1])
client = ServiceNowClient(at["url"], (at["user"], at["password"]), verify=at["ca"])

incidents = client.GlideRecord("incident", batch_size=2)
incidents.add_query("short_description", "STARTSWITH", "seen by pysnc")
incidents.order_by("number")
incidents.query()
numbers = [str(record.number) for record in incidents]

made = client.GlideRecord("incident")
made.initialize()
made.short_description = "made by pysnc"
made.impact, made.urgency = "2", "2"
sys_id = str(made.insert())

again = client.GlideRecord("incident")
again.get(sys_id)
again.description = "now with a description"
again.comments = "said by pysnc"
again.update()

read = client.GlideRecord("incident")
read.get("sys_id", sys_id)

journal = client.GlideRecord("sys_journal_field")
journal.add_query("element_id", sys_id)
journal.query()

attachment = client.GlideRecord("incident")
attachment.get(sys_id)

gone = client.GlideRecord("incident")
gone.get(sys_id)
told = {
    "numbers": numbers,
    "total": incidents.get_row_count(),
    "sys_id": sys_id,
    "priority": str(read.priority),
    "priority_shown": read.get_display_value("priority"),
    "description": str(read.description),
    "said": [str(row.value) for row in journal],
    "deleted": bool(gone.delete()),
    "missing": client.GlideRecord("incident").get(sys_id),
}
print(json.dumps(told))
