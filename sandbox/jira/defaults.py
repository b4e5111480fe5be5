"""A Jira as a mid-sized shop would have it: a defect project with a guarded workflow, and one for other work."""

from __future__ import annotations

from sandbox.jira.site import Field, IssueType, LinkType, Named, Project, Status, Transition, User, Version, Workflow

SYSTEM_FIELDS = (
    Field("summary", "Summary", "summary", clauses=("summary",)),
    Field("description", "Description", "textarea", clauses=("description",)),
    Field("environment", "Environment", "textarea", clauses=("environment",)),
    Field("priority", "Priority", "priority", clauses=("priority",)),
    Field("resolution", "Resolution", "resolution", clauses=("resolution",)),
    Field("labels", "Labels", "labels", clauses=("labels",)),
    Field("components", "Components", "components", clauses=("component",)),
    Field("versions", "Affects versions", "versions", clauses=("affectedVersion",)),
    Field("fixVersions", "Fix versions", "versions", clauses=("fixVersion",)),
    Field("assignee", "Assignee", "user", clauses=("assignee",)),
    Field("reporter", "Reporter", "user", clauses=("reporter",)),
    Field("duedate", "Due date", "date", clauses=("due", "duedate")),
)

SEVERITIES = tuple(Named(f"1010{n}", name) for n, name in enumerate(("Critical", "Major", "Minor", "Trivial")))
COUNTIES = tuple(Named(f"1020{n}", name) for n, name in enumerate(("Alameda", "Fresno", "Los Angeles", "Yolo")))

CUSTOM_FIELDS = (
    Field("customfield_10040", "Incident Number", "text"),
    Field("customfield_10041", "Story Points", "number"),
    Field("customfield_10042", "Severity", "option", SEVERITIES),
    Field("customfield_10043", "Steps to Reproduce", "textarea"),
    Field("customfield_10044", "Resolution Note", "text"),
    Field("customfield_10045", "Lockstep", "text"),
    Field("customfield_10046", "Counties", "options", COUNTIES),
    Field("customfield_10047", "Reported On", "date"),
)

FIELDS = SYSTEM_FIELDS + CUSTOM_FIELDS
PRIORITIES = tuple(Named(str(n), name) for n, name in enumerate(("Highest", "High", "Medium", "Low", "Lowest"), 1))
RESOLUTIONS = tuple(
    Named(str(10000 + n), name) for n, name in enumerate(("Done", "Won't Do", "Duplicate", "Cannot Reproduce"))
)

TO_DO, IN_PROGRESS = Status("10000", "To Do", "new"), Status("3", "In Progress", "indeterminate")
IN_REVIEW, DONE = Status("10001", "In Review", "indeterminate"), Status("10002", "Done", "done")

#: resolving asks for a resolution, reopening clears it, review comes before done
DEFECT_WORKFLOW = Workflow(
    (TO_DO, IN_PROGRESS, IN_REVIEW, DONE),
    (
        Transition("11", "Start Progress", "In Progress", ("To Do",)),
        Transition("21", "Stop Progress", "To Do", ("In Progress",)),
        Transition("31", "Send to Review", "In Review", ("In Progress",)),
        Transition("41", "Reject Review", "In Progress", ("In Review",)),
        Transition(
            "51", "Resolve", "Done", ("In Progress", "In Review"), ("resolution", "fixVersions"), ("resolution",)
        ),
        Transition("61", "Reopen", "To Do", ("Done",), clears=("resolution",)),
    ),
)

#: the "simplified" workflow: any status from any status, the resolution set and cleared by post functions
SIMPLE_WORKFLOW = Workflow(
    (TO_DO, IN_PROGRESS, DONE),
    (
        Transition("11", "To Do", "To Do", clears=("resolution",)),
        Transition("21", "In Progress", "In Progress", clears=("resolution",)),
        Transition("31", "Done", "Done", sets={"resolution": "Done"}),
    ),
)

COMMON = ("summary", "description", "priority", "labels", "components", "fixVersions", "assignee", "duedate")
DEFECT_SCREEN = (*COMMON, "versions", "environment", "reporter", *(field.id for field in CUSTOM_FIELDS))

BUG = IssueType("10004", "Bug", DEFECT_WORKFLOW, DEFECT_SCREEN, DEFECT_SCREEN)
TASK = IssueType("10002", "Task", SIMPLE_WORKFLOW, COMMON, COMMON)
STORY = IssueType("10001", "Story", SIMPLE_WORKFLOW, (*COMMON, "customfield_10041"), (*COMMON, "customfield_10041"))

VERSIONS = tuple(Version(f"1000{n}", name) for n, name in enumerate(("26.01", "26.03", "26.05")))
COMPONENTS = (Named("10100", "Portal"), Named("10101", "Batch"))

LINK_TYPES = (
    LinkType("10000", "Blocks", "blocks", "is blocked by"),
    LinkType("10001", "Cloners", "clones", "is cloned by"),
    LinkType("10002", "Duplicate", "duplicates", "is duplicated by"),
    LinkType("10003", "Relates", "relates to", "relates to"),
)

BOT = User("557058:bot-0001", "Lockstep", "lockstep@example.org", "jira-api-token", app=True)
ANA = User("5b10a2844c20165700ede21a", "Ana Ruiz", "ana@example.org", "ana-token", "America/Los_Angeles")
BEN = User("5b10a2844c20165700ede21b", "Ben Okafor", "ben@example.org", "ben-token", "Europe/Berlin")
USERS = (BOT, ANA, BEN)


def projects(users: tuple[User, ...] = USERS) -> tuple[Project, ...]:
    """The defect project ``CSPM`` and the project ``OPS``; every user is in the role ``Developers`` of both."""
    everyone = frozenset(user.account_id for user in users)
    roles = {"Developers": everyone, "Administrators": frozenset[str]()}
    return (
        Project("10000", "CSPM", "Portal Maintenance", (BUG, TASK, STORY), VERSIONS, COMPONENTS, roles),
        Project("10001", "OPS", "Operations", (TASK,), roles=roles),
    )
