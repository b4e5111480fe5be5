"""What each example of Jira was the answer to: the request, as far as the example does not tell it."""

from __future__ import annotations

FILE = b"\r\n".join(
    (
        b"--b",
        b'Content-Disposition: form-data; name="file"; filename="picture.jpg"',
        b"Content-Type: image/jpeg\r\n",
        b"JPG",
        b"--b--\r\n",
    )
)
ADF = {"version": 1, "type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a text"}]}]}
REMOTE = {
    "application": {"name": "My Acme Tracker", "type": "com.acme.tracker"},
    "relationship": "causes",
    "globalId": "system=http://www.mycompany.com/support&id=1",
    "object": {
        "url": "http://www.mycompany.com/support?id=1",
        "title": "TSTSUP-111",
        "summary": "Support",
        "icon": {"url16x16": "http://www.mycompany.com/support/ticket.png", "title": "Support Ticket"},
        "status": {
            "resolved": True,
            "icon": {
                "url16x16": "http://www.mycompany.com/support/resolved.png",
                "title": "Case Closed",
                "link": "http://www.mycompany.com/support?id=1&details=closed",
            },
        },
    },
}

DRAFT = {"project": {"key": "CSPM"}, "issuetype": {"name": "Bug"}, "summary": "Main order flow broken"}
BAD = {"project": {"key": "CSPM"}, "issuetype": {"name": "Bug"}}
#: an example's name to what its request needs beside the path: query, and body where the example's names others' ids
REQUESTS: dict[str, tuple[str, object]] = {
    "GET /rest/api/3/attachment/meta 200": ("", None),
    "GET /rest/api/3/attachment/{id} 200": ("", None),
    "POST /rest/api/3/changelog/bulkfetch 200": ("", {"issueIdsOrKeys": ["{issueIdOrKey}", "{other}"]}),
    "POST /rest/api/3/comment/list 200": ("", {"ids": ["#{commentId}"]}),
    "GET /rest/api/3/comment/{commentId}/properties 200": ("", None),
    "GET /rest/api/3/comment/{commentId}/properties/{propertyKey} 200": ("", None),
    "GET /rest/api/3/configuration 200": ("", None),
    "GET /rest/api/3/field 200": ("", None),
    "GET /rest/api/3/field/search 200": ("?expand=key,lastUsed,screensCount,contextsCount", None),
    "POST /rest/api/3/issue 201": ("", {"fields": DRAFT}),
    "POST /rest/api/3/issue 400": ("", {"fields": BAD}),
    "POST /rest/api/3/issue/bulk 201": ("", {"issueUpdates": [{"fields": DRAFT}, {"fields": DRAFT}]}),
    "POST /rest/api/3/issue/bulk 400": ("", {"issueUpdates": [{"fields": BAD}]}),
    "POST /rest/api/3/issue/bulkfetch 200": (
        "",
        {"issueIdsOrKeys": ["{issueIdOrKey}"], "fields": ["summary", "project", "assignee"], "expand": ["names"]},
    ),
    "GET /rest/api/3/issue/createmeta/{projectIdOrKey}/issuetypes 200": ("", None),
    "GET /rest/api/3/issue/createmeta/{projectIdOrKey}/issuetypes 400": ("", None),
    "GET /rest/api/3/issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId} 200": ("", None),
    "GET /rest/api/3/issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId} 400": ("", None),
    "GET /rest/api/3/issue/{issueIdOrKey} 200": ("", None),
    "POST /rest/api/3/issue/{issueIdOrKey}/attachments 200": ("", FILE),
    "GET /rest/api/3/issue/{issueIdOrKey}/changelog 200": ("", None),
    "POST /rest/api/3/issue/{issueIdOrKey}/changelog/list 200": ("", {"changelogIds": ["{change}"]}),
    "GET /rest/api/3/issue/{issueIdOrKey}/comment 200": ("", None),
    "POST /rest/api/3/issue/{issueIdOrKey}/comment 201": (
        "",
        {"body": ADF, "visibility": {"type": "role", "value": "Developers"}},
    ),
    "GET /rest/api/3/issue/{issueIdOrKey}/comment/{id} 200": ("", None),
    "PUT /rest/api/3/issue/{issueIdOrKey}/comment/{id} 200": (
        "",
        {"body": ADF, "visibility": {"type": "role", "value": "Developers"}},
    ),
    "GET /rest/api/3/issue/{issueIdOrKey}/editmeta 200": ("", None),
    "GET /rest/api/3/issue/{issueIdOrKey}/properties 200": ("", None),
    "GET /rest/api/3/issue/{issueIdOrKey}/properties/{propertyKey} 200": ("", None),
    "GET /rest/api/3/issue/{issueIdOrKey}/remotelink 200": ("", None),
    "POST /rest/api/3/issue/{issueIdOrKey}/remotelink 200": ("", None),
    "POST /rest/api/3/issue/{issueIdOrKey}/remotelink 201": ("", {**REMOTE, "globalId": "another"}),
    "POST /rest/api/3/issue/{issueIdOrKey}/remotelink 400": ("", {"globalId": "no object"}),
    "GET /rest/api/3/issue/{issueIdOrKey}/remotelink/{linkId} 200": ("", None),
    "PUT /rest/api/3/issue/{issueIdOrKey}/remotelink/{linkId} 400": ("", {"globalId": "no object"}),
    "GET /rest/api/3/issue/{issueIdOrKey}/transitions 200": ("?expand=transitions.fields", None),
    "GET /rest/api/3/issue/{issueIdOrKey}/watchers 200": ("", None),
    "GET /rest/api/3/issue/{issueIdOrKey}/worklog 200": ("", None),
    "GET /rest/api/3/issue/{issueIdOrKey}/worklog/{id} 200": ("", None),
    "GET /rest/api/3/issueLink/{linkId} 200": ("", None),
    "GET /rest/api/3/issueLinkType 200": ("", None),
    "GET /rest/api/3/issuetype 200": ("", None),
    "GET /rest/api/3/label 200": ("", None),
    "GET /rest/api/3/mypermissions 200": ("?permissions=EDIT_ISSUES", None),
    "GET /rest/api/3/myself 200": ("?expand=groups,applicationRoles", None),
    "GET /rest/api/3/permissions 200": ("", None),
    "POST /rest/api/3/permissions/check 200": (
        "",
        {
            "accountId": "5b10a2844c20165700ede21a",
            "globalPermissions": ["ADMINISTER"],
            "projectPermissions": [{"permissions": ["EDIT_ISSUES"], "projects": [10000], "issues": []}],
        },
    ),
    "GET /rest/api/3/priority 200": ("", None),
    "GET /rest/api/3/priority/search 200": ("", None),
    "GET /rest/api/3/project 200": ("", None),
    "GET /rest/api/3/project/search 200": ("", None),
    "GET /rest/api/3/project/{projectIdOrKey} 200": ("", None),
    "GET /rest/api/3/project/{projectIdOrKey}/statuses 200": ("", None),
    "GET /rest/api/3/resolution 200": ("", None),
    "POST /rest/api/3/search/approximate-count 200": ("", {"jql": "project = CSPM"}),
    "GET /rest/api/3/search/jql 200": ("?jql=id={issueIdOrKey}&fields=*all", None),
    "POST /rest/api/3/search/jql 200": ("", {"jql": "id={issueIdOrKey}", "fields": ["*all"]}),
    "GET /rest/api/3/serverInfo 200": ("", None),
    "GET /rest/api/3/status 200": ("", None),
    "GET /rest/api/3/statuses/search 200": ("?expand=usages", None),
    "GET /rest/api/3/user 200": ("?accountId=5b10a2844c20165700ede21a&expand=groups,applicationRoles", None),
    "GET /rest/api/3/user/assignable/search 200": ("?project=CSPM", None),
    "GET /rest/api/3/user/bulk 200": ("?accountId=5b10a2844c20165700ede21a", None),
    "GET /rest/api/3/user/search 200": ("?query=ana", None),
    "GET /rest/api/3/users/search 200": ("", None),
    "POST /rest/api/3/worklog/list 200": ("", {"ids": ["#{worklogId}"]}),
    "GET /rest/api/3/worklog/updated 200": ("", None),
}

#: a fixture of Data Center to the request that got it
FIXTURES: dict[str, tuple[str, str, object]] = {
    "go-jira/testing/mock-data/all_fields.json": ("GET", "field", None),
    "go-jira/testing/mock-data/all_priorities.json": ("GET", "priority", None),
    "go-jira/testing/mock-data/all_resolutions.json": ("GET", "resolution", None),
    "go-jira/testing/mock-data/all_statuscategories.json": ("GET", "statuscategory", None),
    "go-jira/testing/mock-data/all_issuelinktypes.json": ("GET", "issueLinkType", None),
    "go-jira/testing/mock-data/remote_links.json": ("GET", "issue/{issueIdOrKey}/remotelink", None),
    "go-jira/testing/mock-data/transitions.json": (
        "GET",
        "issue/{issueIdOrKey}/transitions?expand=transitions.fields",
        None,
    ),
    "go-jira/testing/mock-data/all_statuses.json": ("GET", "status", None),
    "jira-ruby/spec/mock_responses/issue/10002.json": ("GET", "issue/{issueIdOrKey}", None),
    "jira-ruby/spec/mock_responses/issue/10002/comment.json": ("GET", "issue/{issueIdOrKey}/comment", None),
    "jira-ruby/spec/mock_responses/issue/10002/comment.post.json": (
        "POST",
        "issue/{issueIdOrKey}/comment",
        {"body": "New comment"},
    ),
    "jira-ruby/spec/mock_responses/issue/10002/transitions.json": (
        "GET",
        "issue/{issueIdOrKey}/transitions?expand=transitions.fields",
        None,
    ),
    "jira-ruby/spec/mock_responses/issue/10002/worklog.json": ("GET", "issue/{issueIdOrKey}/worklog", None),
    "jira-ruby/spec/mock_responses/issue/10002/properties.json": ("GET", "issue/{issueIdOrKey}/properties", None),
    "jira-ruby/spec/mock_responses/issue/10002/attachments/10000.json": ("GET", "attachment/{attachment}", None),
    "jira-ruby/spec/mock_responses/issue/10002.invalid.put.json": (
        "PUT",
        "issue/{issueIdOrKey}",
        {"fields": {"invalid": "x"}},
    ),
    "jira-ruby/spec/mock_responses/issue/10002.put.missing_field_update.json": ("PUT", "issue/{issueIdOrKey}", {}),
    "jira-ruby/spec/mock_responses/issue.post.json": ("POST", "issue", {"fields": DRAFT}),
    "jira-ruby/spec/mock_responses/empty_issues.json": (
        "GET",
        "search?jql=summary~nothing&startAt=11&maxResults=1000",
        None,
    ),
    "jira-ruby/spec/mock_responses/field.json": ("GET", "field", None),
}
