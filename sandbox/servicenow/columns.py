"""The columns of the tables, as sys_dictionary lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One sys_dictionary entry. ``kind`` is the internal type, ``reference`` the table a reference points to,
    ``table`` the class that defines the column (an incident inherits those of task). ``kept`` columns are written by
    the instance only."""

    element: str
    label: str
    kind: str = "string"
    max_length: int = 40
    reference: str = ""
    choice: bool = False
    default: str = ""
    table: str = "task"
    kept: bool = False

    @property
    def journal(self) -> bool:
        return self.kind in ("journal_input", "journal_list")

    @property
    def numeric(self) -> bool:
        return self.kind == "integer"


def columns(text: str, table: str) -> dict[str, Column]:
    """Reads lines of ``element | label | kind[:max length or table] | flags`` (choice, kept, =default)."""
    found = {}
    for line in text.strip().splitlines():
        element, label, kind, flags = (part.strip() for part in f"{line}|||".split("|")[:4])
        kind, _, detail = (kind or "string").partition(":")
        marks = flags.split()
        found[element] = Column(
            element,
            label,
            kind,
            int(detail) if detail.isdigit() else 32 if kind == "reference" else 40,
            "" if detail.isdigit() else detail,
            "choice" in marks,
            next((mark[1:] for mark in marks if mark.startswith("=")), ""),
            table,
            "kept" in marks,
        )
    return found


SYSTEM = """
sys_id              | Sys ID     | GUID:32            | kept
sys_created_on      | Created    | glide_date_time    | kept
sys_created_by      | Created by | string:40          | kept
sys_updated_on      | Updated    | glide_date_time    | kept
sys_updated_by      | Updated by | string:40          | kept
sys_mod_count       | Updates    | integer            | kept
"""

TASK = """
number                | Number                | string:40
active                | Active                | boolean | =true
activity_due          | Activity due          | due_date
additional_assignee_list | Additional assignee list | glide_list:sys_user
approval              | Approval              | string:40 | choice =not_requested
approval_history      | Approval history      | journal_list:4000
approval_set          | Approval set          | glide_date_time
assigned_to           | Assigned to           | reference:sys_user
assignment_group      | Assignment group      | reference:sys_user_group
business_duration     | Business duration     | glide_duration
business_service      | Service               | reference:cmdb_ci_service
calendar_duration     | Duration              | glide_duration
closed_at             | Closed                | glide_date_time
closed_by             | Closed by             | reference:sys_user
cmdb_ci               | Configuration item    | reference:cmdb_ci
comments              | Additional comments   | journal_input:4000
comments_and_work_notes | Comments and Work notes | journal_list:4000
company               | Company               | reference:core_company
contact_type          | Channel               | string:40 | choice
contract              | Contract              | reference:ast_contract
correlation_display   | Correlation display   | string:100
correlation_id        | Correlation ID        | string:100
delivery_plan         | Delivery plan         | string:32
delivery_task         | Delivery task         | string:32
description           | Description           | string:4000
due_date              | Due date              | glide_date_time
escalation            | Escalation            | integer | choice =0
expected_start        | Expected start        | glide_date_time
follow_up             | Follow up             | glide_date_time
group_list            | Group list            | glide_list:sys_user_group
impact                | Impact                | integer | choice =3
knowledge             | Knowledge             | boolean | =false
location              | Location              | reference:cmn_location
made_sla              | Made SLA              | boolean | =true
notify                | Notify                | integer | choice =1
opened_at             | Opened                | glide_date_time
opened_by             | Opened by             | reference:sys_user
order                 | Order                 | integer
parent                | Parent                | reference:task
priority              | Priority              | integer | choice kept
reassignment_count    | Reassignment count    | integer | kept =0
route_reason          | Transfer reason       | integer
service_offering      | Service offering      | reference:service_offering
short_description     | Short description     | string:160
sla_due               | SLA due               | due_date
state                 | State                 | integer | choice
sys_class_name        | Task type             | sys_class_name:80 | kept
sys_domain            | Domain                | domain_id:32 | =global
sys_domain_path       | Domain Path           | domain_path:255 | =/
sys_tags              | Tags                  | related_tags
task_effective_number | Effective number      | string:40 | kept
time_worked           | Time worked           | timer
universal_request     | Universal Request     | reference:task
upon_approval         | Upon approval         | string:40 | choice =proceed
upon_reject           | Upon reject           | string:40 | choice =cancel
urgency               | Urgency               | integer | choice =3
user_input            | User input            | user_input:4000
watch_list            | Watch list            | glide_list:sys_user
work_end              | Actual end            | glide_date_time
work_notes            | Work notes            | journal_input:4000
work_notes_list       | Work notes list       | glide_list:sys_user
work_start            | Actual start          | glide_date_time
close_notes           | Resolution notes      | string:4000
"""

INCIDENT = """
business_impact   | Business impact       | string:4000
business_stc      | Business resolve time | integer
calendar_stc      | Resolve time          | integer
caller_id         | Caller                | reference:sys_user
category          | Category              | string:40 | choice =inquiry
cause             | Probable cause        | string:4000
caused_by         | Caused by Change      | reference:change_request
child_incidents   | Child Incidents       | integer | =0
close_code        | Resolution code       | string:40 | choice
hold_reason       | On hold reason        | integer | choice
incident_state    | Incident state        | integer | choice
origin_id         | Origin                | string:32
origin_table      | Origin table          | string:80
parent_incident   | Parent Incident       | reference:incident
problem_id        | Problem               | reference:problem
reopen_count      | Reopen count          | integer | kept =0
reopened_by       | Last reopened by      | reference:sys_user | kept
reopened_time     | Last reopened at      | glide_date_time | kept
resolved_at       | Resolved              | glide_date_time
resolved_by       | Resolved by           | reference:sys_user
rfc               | Change Request        | reference:change_request
severity          | Severity              | integer | choice =3
subcategory       | Subcategory           | string:40 | choice
"""

PROBLEM = """
category          | Category              | string:40 | choice
cause_notes       | Cause notes           | string:4000
fix_notes         | Fix notes             | string:4000
first_reported_by_task | First reported by | reference:task
known_error       | Known error           | boolean | =false
problem_state     | Problem state         | integer | choice
related_incidents | Related Incidents     | integer | =0
resolution_code   | Resolution code       | string:40 | choice
subcategory       | Subcategory           | string:40 | choice
workaround        | Workaround            | string:4000
"""

OTHERS = {
    "sys_user": (
        "User",
        "name",
        """
user_name  | User ID    | string:40
name       | Name       | string:151
email      | Email      | email:100
active     | Active     | boolean | =true
company    | Company    | reference:core_company
time_zone  | Time zone  | string:40
locked_out | Locked out | boolean | =false
web_service_access_only | Web service access only | boolean | =false
""",
    ),
    "sys_user_role": ("Role", "name", "name | Name | string:100"),
    "sys_user_has_role": (
        "User Role",
        "role",
        """
user       | User       | reference:sys_user
role       | Role       | reference:sys_user_role
state      | State      | string:40 | =active
inherited  | Inherited  | boolean | =false
""",
    ),
    "sys_user_grmember": (
        "Group Member",
        "user",
        """
user       | User       | reference:sys_user
group      | Group      | reference:sys_user_group
""",
    ),
    "sys_properties": (
        "System Property",
        "name",
        """
name       | Name       | string:100
value      | Value      | string:4000
type       | Type       | string:40 | =string
""",
    ),
    "sys_attachment": (
        "Attachment",
        "file_name",
        """
table_name   | Table name   | table_name:80
table_sys_id | Table sys ID | char:32
file_name    | File name    | string:100
content_type | Content type | string:255
compressed   | Compressed   | boolean | =true
size_bytes   | Size bytes   | integer
size_compressed | Size compressed | integer
average_image_color | Average image color | string:40
image_height | Image height | integer
image_width  | Image width  | integer
sys_tags     | Tags         | related_tags
""",
    ),
    "sys_import_set": (
        "Import Set",
        "number",
        """
number     | Number     | string:40
table_name | Table      | table_name:80
state      | State      | string:40 | =loading
""",
    ),
    "sys_user_group": (
        "Group",
        "name",
        """
name       | Name       | string:80
active     | Active     | boolean | =true
email      | Group email | email:100
""",
    ),
    "core_company": ("Company", "name", "name | Name | string:80"),
    "cmdb_ci": ("Configuration Item", "name", "name | Name | string:255"),
    "sys_choice": (
        "Choice",
        "label",
        """
name       | Table      | table_name:80
element    | Element    | field_name:80
value      | Value      | string:40
label      | Label      | string:100
language   | Language   | string:2 | =en
inactive   | Inactive   | boolean | =false
sequence   | Sequence   | integer
dependent_value | Dependent value | string:80
""",
    ),
    "sys_dictionary": (
        "Dictionary Entry",
        "element",
        """
name       | Table      | table_name:80
element    | Column name | string:80
column_label | Column label | string:80
internal_type | Type     | reference:sys_glide_object
reference  | Reference  | reference:sys_db_object
max_length | Max length | integer
mandatory  | Mandatory  | boolean | =false
choice     | Choice     | integer
read_only  | Read only  | boolean | =false
active     | Active     | boolean | =true
""",
    ),
    "sys_journal_field": (
        "Journal Entry",
        "value",
        """
name       | Table      | table_name:80
element    | Element    | string:80
element_id | Element ID | string:32
value      | Value      | journal_field:4000
""",
    ),
    "sys_audit": (
        "Audit",
        "fieldname",
        """
tablename  | Table name | table_name:80
documentkey | Document key | string:32
fieldname  | Field name | string:80
oldvalue   | Old value  | string:4000
newvalue   | New value  | string:4000
user       | User       | string:40
record_checkpoint | Update count | integer
""",
    ),
    "sys_audit_delete": (
        "Audit Deleted Record",
        "display_value",
        """
tablename  | Table name | table_name:80
documentkey | Document key | string:32
display_value | Display value | string:255
""",
    ),
}


def table_columns(table: str, own: str) -> dict[str, Column]:
    """The columns of a table that extends nothing."""
    return {**columns(SYSTEM, table), **columns(own, table)}


def task_columns(table: str, extra: tuple[Column, ...] = ()) -> dict[str, Column]:
    """The columns of an extension of task: incident's or problem's own besides those of task."""
    own = {"incident": INCIDENT, "problem": PROBLEM}.get(table, "")
    found = {**columns(SYSTEM, "task"), **columns(TASK, "task"), **(columns(own, table) if own else {})}
    return {**found, **{column.element: column for column in extra}}
