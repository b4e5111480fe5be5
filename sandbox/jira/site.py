"""How a simulated Jira is configured: users, fields, workflows, issue types, projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.jira.switches import Caps, Switches


@dataclass(frozen=True, slots=True)
class User:
    """An Atlassian account. ``token`` signs it in by Basic with its e-mail; ``zone`` is its profile's time zone, in
    which JQL reads dates. ``shows_email``: whether ``emailAddress`` appears in answers at all. In Data Center
    ``account_id`` is its key, ``token`` a personal access token; ``login`` and ``password`` are what people type."""

    account_id: str
    name: str
    email: str = ""
    token: str = ""
    zone: str = "UTC"
    groups: frozenset[str] = frozenset()
    shows_email: bool = False
    app: bool = False
    login: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A priority, resolution, version, component or option. What issues hold is this object."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Version(Named):
    """A version of a project, as its release page has it; ``released_on`` is a date, ``yyyy-MM-dd``."""

    description: str = ""
    released: bool = False
    archived: bool = False
    released_on: str = ""


@dataclass(frozen=True, slots=True)
class LinkType:
    """How issues may be linked: the source *blocks*, the other one *is blocked by*."""

    id: str
    name: str
    outward: str
    inward: str


@dataclass(frozen=True, slots=True)
class Status:
    """``category`` is ``new``, ``indeterminate`` or ``done``."""

    id: str
    name: str
    category: str = "new"


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of a workflow. ``to`` and ``sources`` are status names; without sources it is global, so it is offered
    from its own target too. ``screen`` lists its fields, ``required`` those that must be filled, ``clears`` and
    ``sets`` are post functions, ``roles`` a condition: only members may take it."""

    id: str
    name: str
    to: str
    sources: tuple[str, ...] = ()
    screen: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """Issues start in the first status."""

    statuses: tuple[Status, ...]
    transitions: tuple[Transition, ...]

    def status(self, name: str) -> Status:
        return next(status for status in self.statuses if status.name == name)


@dataclass(frozen=True, slots=True)
class IssueType:
    """``create`` and ``edit`` are the fields on its screens; ``required`` must be filled at creation."""

    id: str
    name: str
    workflow: Workflow
    create: tuple[str, ...]
    edit: tuple[str, ...]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """``kind`` is a key of ``values.KINDS``. System fields have their well-known ids, others ``customfield_N``."""

    id: str
    name: str
    kind: str
    options: tuple[Named, ...] = ()
    clauses: tuple[str, ...] = ()

    @property
    def custom(self) -> bool:
        return self.id.startswith("customfield_")

    @property
    def number(self) -> int:
        return int(self.id.rpartition("_")[2]) if self.custom else 0


@dataclass(frozen=True, slots=True)
class Project:
    """``kind`` is ``software`` or ``service_desk``; ``roles`` map a role's name to the account ids in it."""

    id: str
    key: str
    name: str
    types: tuple[IssueType, ...]
    versions: tuple[Version, ...] = ()
    components: tuple[Named, ...] = ()
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kind: str = "software"

    def type(self, name: str) -> IssueType | None:
        return next((one for one in self.types if name in (one.name, one.id)), None)


ADMINISTRATION = frozenset(["ADMINISTER", "ADMINISTER_PROJECTS", "SYSTEM_ADMIN"])

CATEGORIES = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}


@dataclass
class Site:
    """Everything an administrator has set up. ``denied`` holds ``(account id, project key, permission)``, with an empty
    key for global permissions: what is not denied is granted to every user; nothing is granted to the anonymous, and
    administration to ``administrators`` only, by account id. ``mentioned`` are those whom a comment notified by calling
    them by name: issue id, comment id and account id, in order."""

    users: dict[str, User]
    projects: dict[str, Project]
    fields: dict[str, Field]
    priorities: tuple[Named, ...]
    resolutions: tuple[Named, ...]
    zone: str = "UTC"
    denied: set[tuple[str, str, str]] = field(default_factory=set)
    administrators: set[str] = field(default_factory=set)
    link_types: tuple[LinkType, ...] = ()
    switches: Switches = field(default_factory=Switches)
    caps: Caps = field(default_factory=Caps)
    mentioned: list[tuple[str, str, str]] = field(default_factory=list)

    def may(self, user: User | None, project: str, permission: str) -> bool:
        if user is None or (user.account_id, project, permission) in self.denied:
            return False
        return user.account_id in self.administrators if permission in ADMINISTRATION else True

    def globally(self, user: User | None, permission: str) -> bool:
        """Whether the user has a global permission."""
        return self.may(user, "", permission)

    def in_role(self, user: User | None, project: str, role: str) -> bool:
        return user is not None and user.account_id in self.projects[project].roles.get(role, ())

    def user(self, who: str) -> User:
        """By account id, user name, e-mail or display name; raises ``KeyError``."""
        found = self.users.get(who) or next((u for u in self.users.values() if who in (u.login, u.email, u.name)), None)
        if found is None:
            raise KeyError(who)
        return found

    def statuses(self) -> dict[str, Status]:
        """Every status by its id."""
        return {
            status.id: status
            for project in self.projects.values()
            for type in project.types
            for status in type.workflow.statuses
        }

    def types(self) -> dict[str, IssueType]:
        """Every issue type by its id."""
        return {type.id: type for project in self.projects.values() for type in project.types}
