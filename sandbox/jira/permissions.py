"""The permissions of Jira, by the keys under which ``mypermissions`` and permission schemes know them."""

from __future__ import annotations

#: key: (id, name) (Atlassian Support, "Permissions for company-managed projects" and "Manage global permissions")
PROJECT_PERMISSIONS = {
    "ADMINISTER_PROJECTS": (23, "Administer Projects"),
    "BROWSE_PROJECTS": (10, "Browse Projects"),
    "CREATE_ISSUES": (11, "Create Issues"),
    "EDIT_ISSUES": (12, "Edit Issues"),
    "ASSIGN_ISSUES": (13, "Assign Issues"),
    "RESOLVE_ISSUES": (14, "Resolve Issues"),
    "ADD_COMMENTS": (15, "Add Comments"),
    "DELETE_ISSUES": (16, "Delete Issues"),
    "ASSIGNABLE_USER": (17, "Assignable User"),
    "CLOSE_ISSUES": (18, "Close Issues"),
    "CREATE_ATTACHMENTS": (19, "Create Attachments"),
    "WORK_ON_ISSUES": (20, "Work On Issues"),
    "LINK_ISSUES": (21, "Link Issues"),
    "MOVE_ISSUES": (25, "Move Issues"),
    "SET_ISSUE_SECURITY": (26, "Set Issue Security"),
    "SCHEDULE_ISSUES": (28, "Schedule Issues"),
    "MODIFY_REPORTER": (30, "Modify Reporter"),
    "VIEW_VOTERS_AND_WATCHERS": (31, "View Voters and Watchers"),
    "MANAGE_WATCHERS": (32, "Manage Watchers"),
    "EDIT_ALL_COMMENTS": (34, "Edit All Comments"),
    "EDIT_OWN_COMMENTS": (35, "Edit Own Comments"),
    "DELETE_ALL_COMMENTS": (36, "Delete All Comments"),
    "DELETE_OWN_COMMENTS": (37, "Delete Own Comments"),
    "DELETE_ALL_ATTACHMENTS": (38, "Delete All Attachments"),
    "DELETE_OWN_ATTACHMENTS": (39, "Delete Own Attachments"),
    "EDIT_OWN_WORKLOGS": (40, "Edit Own Worklogs"),
    "EDIT_ALL_WORKLOGS": (41, "Edit All Worklogs"),
    "DELETE_OWN_WORKLOGS": (42, "Delete Own Worklogs"),
    "DELETE_ALL_WORKLOGS": (43, "Delete All Worklogs"),
    "TRANSITION_ISSUES": (46, "Transition Issues"),
    "BROWSE_ARCHIVE": (47, "Browse Project Archive"),
}
GLOBAL_PERMISSIONS = {
    "ADMINISTER": (0, "Administer Jira"),
    "SYSTEM_ADMIN": (44, "Jira System Administrators"),
    "CREATE_SHARED_OBJECTS": (22, "Share Dashboards and Filters"),
    "USER_PICKER": (27, "Browse Users and Groups"),
    "BULK_CHANGE": (33, "Make Bulk Changes"),
}
PERMISSIONS = {**PROJECT_PERMISSIONS, **GLOBAL_PERMISSIONS}

#: fields that want a right of their own beside the right to create or edit (Jira Cloud REST API, "Get edit issue
#: metadata": a field shows only if the user may set it)
FIELD_PERMISSIONS = {
    "assignee": "ASSIGN_ISSUES",
    "reporter": "MODIFY_REPORTER",
    "duedate": "SCHEDULE_ISSUES",
    "fixVersions": "RESOLVE_ISSUES",
}
