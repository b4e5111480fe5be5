"""The fields of an organisation, as ``wit/fields`` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """A field definition. ``kept`` fields are written by the server alone; ``values`` limits what may be written,
    ``default`` is set at creation."""

    reference: str
    name: str
    type: str = "string"
    identity: bool = False
    kept: bool = False
    values: tuple[str, ...] = ()
    default: Any = None

    @property
    def long(self) -> bool:
        """Long text: left out of the reporting feed unless it is expanded (specification, workitemrevisions)."""
        return self.type in ("html", "plainText", "history")


def fields_of(text: str) -> dict[str, Field]:
    """Reads lines of ``reference | name | type | flags`` (identity, kept, =default, [value, value])."""
    found = {}
    for line in text.strip().splitlines():
        reference, name, kind, flags = (part.strip() for part in f"{line}|||".split("|")[:4])
        listed, _, rest = flags.partition("]") if flags.startswith("[") else ("", "", flags)
        values = tuple(value.strip() for value in listed.strip("[").split(",") if value.strip())
        words = rest.split()
        spelled = next((word[1:].replace("_", " ") for word in words if word.startswith("=")), None)
        default = int(spelled) if spelled is not None and kind == "integer" else spelled
        identity, kept = "identity" in words, "kept" in words
        found[reference] = Field(reference, name, kind or "string", identity, kept, values, default)
    return found


SYSTEM = fields_of("""
System.Id | ID | integer | kept
System.Rev | Rev | integer | kept
System.AreaId | Area ID | integer | kept
System.AreaPath | Area Path | treePath
System.NodeName | Node Name | string | kept
System.AreaLevel1 | Area Level 1 | string | kept
System.AreaLevel2 | Area Level 2 | string | kept
System.AreaLevel3 | Area Level 3 | string | kept
System.AreaLevel4 | Area Level 4 | string | kept
System.TeamProject | Team Project | string
System.IterationId | Iteration ID | integer | kept
System.IterationPath | Iteration Path | treePath
System.IterationLevel1 | Iteration Level 1 | string | kept
System.IterationLevel2 | Iteration Level 2 | string | kept
System.IterationLevel3 | Iteration Level 3 | string | kept
System.IterationLevel4 | Iteration Level 4 | string | kept
System.WorkItemType | Work Item Type | string
System.State | State | string
System.Reason | Reason | string
System.AssignedTo | Assigned To | string | identity
System.CreatedDate | Created Date | dateTime | kept
System.CreatedBy | Created By | string | kept identity
System.ChangedDate | Changed Date | dateTime | kept
System.ChangedBy | Changed By | string | kept identity
System.AuthorizedDate | Authorized Date | dateTime | kept
System.AuthorizedAs | Authorized As | string | kept identity
System.RevisedDate | Revised Date | dateTime | kept
System.Watermark | Watermark | integer | kept
System.PersonId | Person ID | integer | kept
System.CommentCount | Comment Count | integer | kept
System.IsDeleted | Is Deleted | boolean | kept
System.Title | Title | string
System.Description | Description | html
System.History | History | history
System.Tags | Tags | plainText
System.Parent | Parent | integer | kept
Microsoft.VSTS.Common.StateChangeDate | State Change Date | dateTime | kept
Microsoft.VSTS.Common.ClosedDate | Closed Date | dateTime | kept
""")

WORK = fields_of("""
Microsoft.VSTS.Common.Priority | Priority | integer | [1, 2, 3, 4] =2
Microsoft.VSTS.Common.Severity | Severity | string | [1 - Critical, 2 - High, 3 - Medium, 4 - Low] =3_-_Medium
Microsoft.VSTS.Common.ValueArea | Value Area | string | [Architectural, Business] =Business
Microsoft.VSTS.Common.AcceptanceCriteria | Acceptance Criteria | html |
Microsoft.VSTS.Common.BacklogPriority | Backlog Priority | double |
Microsoft.VSTS.Common.BusinessValue | Business Value | integer |
Microsoft.VSTS.Common.Activity | Activity | string | [Deployment, Design, Development, Testing]
Microsoft.VSTS.Common.ResolvedReason | Resolved Reason | string |
Microsoft.VSTS.Scheduling.Effort | Effort | double |
Microsoft.VSTS.Scheduling.StoryPoints | Story Points | double |
Microsoft.VSTS.Scheduling.RemainingWork | Remaining Work | double |
Microsoft.VSTS.Scheduling.DueDate | Due Date | dateTime |
Microsoft.VSTS.Scheduling.TargetDate | Target Date | dateTime |
Microsoft.VSTS.TCM.ReproSteps | Repro Steps | html |
Microsoft.VSTS.TCM.SystemInfo | System Info | html |
Microsoft.VSTS.Build.FoundIn | Found In | string |
Microsoft.VSTS.Build.IntegrationBuild | Integration Build | string |
""")

_COMMON = ("Microsoft.VSTS.Common.Priority",)
_BACKLOG = ("ValueArea", "AcceptanceCriteria", "BacklogPriority", "BusinessValue")
_BUG = tuple(
    "Microsoft.VSTS.Common.Severity Microsoft.VSTS.Common.ResolvedReason Microsoft.VSTS.TCM.ReproSteps "
    "Microsoft.VSTS.TCM.SystemInfo Microsoft.VSTS.Build.FoundIn Microsoft.VSTS.Build.IntegrationBuild".split()
)
_PLAN = ("Microsoft.VSTS.Scheduling.Effort", "Microsoft.VSTS.Scheduling.StoryPoints")
_DATES = ("Microsoft.VSTS.Scheduling.DueDate", "Microsoft.VSTS.Scheduling.TargetDate")


def work_fields(type_name: str) -> tuple[str, ...]:
    """The fields of a work item type besides the system's."""
    backlog = tuple(f"Microsoft.VSTS.Common.{name}" for name in _BACKLOG)
    if type_name == "Task":
        return (*_COMMON, "Microsoft.VSTS.Common.Activity", "Microsoft.VSTS.Scheduling.RemainingWork", *_DATES)
    if type_name == "Bug":
        return (*_COMMON, *backlog, *_BUG, *_PLAN, *_DATES)
    return (*_COMMON, *backlog, *_PLAN, *_DATES)
