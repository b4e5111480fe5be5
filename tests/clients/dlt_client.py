"""dlt's REST source, as data teams describe an interface in a few lines: pages by offset, by token and by header.

python dlt_client.py '{"servicenow", "jira", "azure"}' with {"url", "user", "password"} each prints what it read.
"""

import json
import sys

from dlt.sources.rest_api import rest_api_resources

at = json.loads(sys.argv[1])


def read(tracker: str, path: str, params: dict, paginator: object, selector: str, data: dict | None = None) -> list:
    place = at[tracker]
    auth = {"type": "http_basic", "username": place["user"], "password": place["password"]}
    endpoint = {"path": path, "params": params, "paginator": paginator, "data_selector": selector}
    if data is not None:
        endpoint |= {"method": "POST", "json": data}
    config = {
        "client": {"base_url": place["url"], "auth": auth},
        "resources": [{"name": "items", "endpoint": endpoint}],
    }
    return [row for resource in rest_api_resources(config) for row in resource]


changed = {"sysparm_query": "short_descriptionSTARTSWITHseen by dlt^ORDERBYnumber", "sysparm_fields": "number"}
by_offset = {
    "type": "offset",
    "limit": 2,
    "offset_param": "sysparm_offset",
    "limit_param": "sysparm_limit",
    "total_path": None,
}
by_token = {"type": "cursor", "cursor_path": "nextPageToken", "cursor_param": "nextPageToken"}
by_continuation = {"type": "cursor", "cursor_path": "continuationToken", "cursor_param": "continuationToken"}
told = {
    "by_offset": [row["number"] for row in read("servicenow", "/api/now/table/incident", changed, by_offset, "result")],
    "by_link": [
        row["number"]
        for row in read(
            "servicenow", "/api/now/table/incident", {**changed, "sysparm_limit": 2}, "header_link", "result"
        )
    ],
    "by_token": [
        row["fields"]["summary"]
        for row in read(
            "jira",
            "/rest/api/3/search/jql",
            {"jql": "project = CSPM ORDER BY created", "fields": "summary", "maxResults": 2},
            by_token,
            "issues",
        )
    ],
    "comments": [
        row["text"]
        for row in read(
            "azure",
            f"/Portal/_apis/wit/workItems/{at['azure']['item']}/comments",
            {"api-version": "7.1-preview.4", "$top": 2, "order": "asc"},
            by_continuation,
            "comments",
        )
    ],
    "found": [
        row["id"]
        for row in read(
            "azure",
            "/Portal/_apis/wit/wiql",
            {"api-version": "7.1"},
            "single_page",
            "workItems",
            {"query": "SELECT [System.Id] FROM WorkItems ORDER BY [System.Id]"},
        )
    ],
}
print(json.dumps(told))
