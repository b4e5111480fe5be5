"""pycontribs' jira: searches page by page, creates, comments, edits, moves and links.

python jira_client.py '{"url", "user", "password", "token"}' prints what it saw as JSON.
"""

import json
import sys

from jira import JIRA

at = json.loads(sys.argv[1])
if at.get("token"):
    jira = JIRA(server=at["url"], token_auth=at["token"], max_retries=0, timeout=10)
else:
    jira = JIRA(server=at["url"], basic_auth=(at["user"], at["password"]), max_retries=0, timeout=10)

found = jira.search_issues("project = CSPM ORDER BY created ASC", maxResults=False, fields="summary")
made = jira.create_issue(
    project="CSPM", issuetype={"name": "Bug"}, summary="made by jira", description="as *wiki* text"
)
said = jira.add_comment(made, "said by jira")
made.update(summary="edited by jira", labels=[{"add": "seen"}])
jira.add_remote_link(made.key, {"url": "https://tracker.example/1", "title": "INC1"}, globalId="one")
offered = [one["name"] for one in jira.transitions(made)]
jira.transition_issue(made, "Start Progress")
again = jira.issue(made.key, expand="changelog")
told = {
    "me": jira.myself().get("accountId") or jira.myself()["name"],
    "summaries": [issue.fields.summary for issue in found],
    "said": [one.body for one in jira.comments(made)],
    "edited": jira.comment(made, said.id).body,
    "summary": again.fields.summary,
    "status": again.fields.status.name,
    "changed": sorted({item.field for one in again.changelog.histories for item in one.items}),
    "offered": offered,
    "links": [one.globalId for one in jira.remote_links(made)],
    "projects": [one.key for one in jira.projects()],
}
made.delete()
print(json.dumps(told))
