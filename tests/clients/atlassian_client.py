"""atlassian-python-api's Jira, of the Cloud or of a Data Center: searches, creates, comments, edits, moves, links.

python atlassian_client.py '{"url", "cloud", "user", "password", "token"}' prints what it saw as JSON.
"""

import json
import sys

from atlassian import Jira

at = json.loads(sys.argv[1])
if at.get("token"):
    jira = Jira(url=at["url"], token=at["token"], cloud=at["cloud"])
else:
    jira = Jira(url=at["url"], username=at["user"], password=at["password"], cloud=at["cloud"])

search = "summary ~ 'atlassian' ORDER BY created ASC"
if at["cloud"]:
    found = jira.enhanced_jql("project = CSPM ORDER BY created ASC", fields="summary", limit=2)
    more = jira.enhanced_jql(
        "project = CSPM ORDER BY created ASC", fields="summary", nextPageToken=found["nextPageToken"], limit=2
    )
    pages = [found["issues"], more["issues"]]
else:
    pages = [
        jira.jql("project = CSPM ORDER BY created ASC", fields="summary", start=start, limit=2)["issues"]
        for start in (0, 2)
    ]

made = jira.create_issue(
    {
        "project": {"key": "CSPM"},
        "issuetype": {"name": "Bug"},
        "summary": "made by atlassian-python-api",
        "description": "as *wiki* text",
        "labels": ["seen"],
    }
)
key = made["key"]
said = jira.issue_add_comment(key, "said by atlassian-python-api")
jira.update_issue_field(key, {"summary": "edited by atlassian-python-api"})
linked = jira.create_or_update_issue_remote_links(key, "https://tracker.example/1", "INC1", global_id="one")
offered = [one["name"] for one in jira.get_issue_transitions(key)]
jira.set_issue_status(key, "In Progress")
issue = jira.issue(key, expand="changelog")
told = {
    "deployment": jira.get_server_info()["deploymentType"],
    "me": jira.myself().get("accountId") or jira.myself()["name"],
    "summaries": [[one["fields"]["summary"] for one in page] for page in pages],
    "id": made["id"],
    "said": [one["body"] for one in jira.issue_get_comments(key)["comments"]] + [said["body"]],
    "summary": issue["fields"]["summary"],
    "status": issue["fields"]["status"]["name"],
    "changed": sorted({item["field"] for one in issue["changelog"]["histories"] for item in one["items"]}),
    "offered": offered,
    "link": linked["id"],
    "links": [one["globalId"] for one in jira.get_issue_remote_links(key)],
    "projects": [one["key"] for one in jira.projects()],
    "summary_field": next(one["name"] for one in jira.get_all_fields() if one["id"] == "summary"),
}
print(json.dumps(told))
