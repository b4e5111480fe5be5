"""The records behind a printed bi-weekly status report, put into simulated trackers as their people would have.

Figures are those of the report for November 6 to November 19, 2023; what it does not print is chosen to fit them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.clock import SandboxClock
from sandbox.estate import Estate
from sandbox.jira import Jira
from sandbox.premises.benefitscal import AREAS, CATEGORIES, PIET, QUESTIONS, QUEUE, SAM, SEVERITIES, TARA, trackers
from sandbox.servicenow import ServiceNow

ZONE = ZoneInfo("America/Los_Angeles")
FIRST, LAST = date(2023, 11, 6), date(2023, 11, 19)
GO_LIVE = date(2021, 9, 27)
ANA = "Ana Ruiz"
CODES = ("Solution provided", "Resolved by problem", "Known error", "Resolved by caller")

#: state: how many by age in days, as printed; ages are spread over each bucket
AGES = {
    "(empty)": (0, 0),
    "1-5 Days": (1, 5),
    "11-15 Days": (11, 15),
    "16-30 Days": (16, 30),
    "30-60 Days": (31, 60),
    "60-180 Days": (61, 180),
    ">180 Days": (181, 400),
}
PRINTED = {
    "New": (1, 3, 0, 0, 0, 0, 0, 4),
    "In Progress": (0, 2, 0, 0, 0, 0, 0, 2),
    "On Hold": (0, 0, 1, 4, 6, 2, 0, 13),
    "Resolved": (0, 1, 1, 1, 1, 0, 0, 4),
    "Closed": (0, 0, 41, 300, 143, 95, 2, 581),
    "Count": (1, 6, 43, 305, 150, 97, 2, 604),
}


def at(day: date, hour: int = 10) -> datetime:
    """An hour of a day where the product is used."""
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


def ago(days: int) -> date:
    return LAST - timedelta(days=days)


@dataclass
class Course:
    """What happens to one item: when it is opened and what follows, each an act on its id."""

    opened: datetime
    open: Callable[[], str]
    then: list[tuple[datetime, Callable[[str], None]]] = field(default_factory=list)


class History:
    """Plays the courses of many items in the order of time on a settable clock."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock, self.courses = clock, list[Course]()

    def play(self) -> None:
        ids: dict[int, str] = {}
        acts = [(course.opened, n, -1) for n, course in enumerate(self.courses)]
        acts += [(when, n, k) for n, course in enumerate(self.courses) for k, (when, _) in enumerate(course.then)]
        for when, n, k in sorted(acts):
            self.clock.set(when)
            course = self.courses[n]
            if k < 0:
                ids[n] = course.open()
            else:
                course.then[k][1](ids[n])


# ── the trackers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def estate(start: datetime, made: type[Estate] = Estate) -> Estate:
    """The instance and the site as the report's people have them, empty."""
    clock = SandboxClock(start)
    return made(clock=clock, **trackers(clock))


# ── incidents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def incident(snow: ServiceNow, number: int, opened: datetime, **fields: str) -> Course:
    """One in the queue; its category and the rest go in turn."""
    given = {
        "short_description": f"incident {number}",
        "assignment_group": QUEUE,
        "cmdb_ci": "BenefitsCal",
        "category": CATEGORIES[number % len(CATEGORIES)],
        **fields,
    }
    return Course(opened, lambda: snow.create(given, by=SAM))


def moved(snow: ServiceNow, course: Course, when: datetime, state: str, **fields: str) -> Course:
    course.then.append((when, lambda id: snow.move(id, state, by=TARA, **fields)))
    return course


def resolved(snow: ServiceNow, course: Course, when: datetime, number: int) -> Course:
    code = CODES[number % len(CODES)]
    return moved(snow, course, when, "Resolved", close_code=code, close_notes="done")


def incidents(snow: ServiceNow) -> list[Course]:
    """The 604 in the queue when the period ended."""
    return [*standing(snow), *done(snow), *closed_in_period(snow), *closed_before(snow)]


def standing(snow: ServiceNow) -> Iterator[Course]:
    """New, in progress, on hold."""
    for number, age in enumerate((0, 2, 3, 4)):
        yield incident(snow, number, at(ago(age), 8))
    for number, age in enumerate((3, 5), 10):
        course = incident(snow, number, at(ago(age)))
        yield moved(snow, course, at(ago(age), 12), "In Progress")
    for number, age in enumerate((13, 18, 20, 24, 30, 31, 33, 40, 45, 50, 60, 61, 150), 20):
        course = moved(snow, incident(snow, number, at(ago(age))), at(ago(age), 11), "In Progress")
        reason = ("Awaiting Problem", "Awaiting Caller", "Awaiting Change")[number % 3]
        yield moved(snow, course, at(ago(age), 12), f"On Hold:{reason}")


def done(snow: ServiceNow) -> Iterator[Course]:
    """Resolved: three of them in the period, one before it."""
    for number, (age, day) in enumerate(((3, 2), (14, 6), (20, 11), (40, 19)), 40):
        triaged = min(at(ago(age), 11), at(ago(day), 9))
        course = moved(snow, incident(snow, number, at(ago(age))), triaged, "In Progress")
        yield resolved(snow, course, at(ago(day), 15), number)


def closed_in_period(snow: ServiceNow) -> Iterator[Course]:
    """Nine: three that were resolved in the period too, and six before it."""
    for number in range(50, 59):
        early = number >= 53
        opened, day, end = (ago(33), ago(17), ago(11)) if early else (ago(22), ago(12), ago(9))
        course = moved(snow, incident(snow, number, at(opened)), at(opened, 11), "In Progress")
        yield moved(snow, resolved(snow, course, at(day), number), at(end), "Closed")


def closed_before(snow: ServiceNow) -> Iterator[Course]:
    """The rest of the closed ones, by their age at closing."""
    here = {"11-15 Days": 3, "16-30 Days": 6}  # those of the period
    number = 100
    for place, (name, (least, most)) in enumerate(AGES.items()):
        for turn in range(PRINTED["Closed"][place] - here.get(name, 0)):
            age = least + turn % (most - least + 1)
            end = ago(14 + turn % 300)
            opened = end - timedelta(days=age)
            if opened < GO_LIVE:
                end, opened = GO_LIVE + timedelta(days=age), GO_LIVE
            course = moved(snow, incident(snow, number, at(opened)), at(opened, 11), "In Progress")
            yield moved(snow, resolved(snow, course, at(end, 9), number), at(end, 14), "Closed")
            number += 1


def handed_on(snow: ServiceNow) -> Iterator[Course]:
    """Triaged in the period and passed to others: no longer in the queue."""
    for number in range(39):
        course = incident(snow, 2000 + number, at(ago(14 + number % 9)))
        when = at(ago(number % 13), 9)
        course.then.append((when, lambda id: snow.update(id, {"assignment_group": "County Help Desk"}, by=TARA)))
        yield moved(snow, course, when + timedelta(minutes=5), "In Progress")


def questions(snow: ServiceNow) -> Iterator[Course]:
    """In the queue that the report leaves out."""
    for number in range(12):
        course = incident(snow, 3000 + number, at(ago(number)), assignment_group=QUESTIONS)
        yield moved(snow, course, at(ago(number), 18), "In Progress")


FOLLOWED = (
    ("INC0111305", "500 responses on API", date(2023, 11, 6), "Resolved"),
    ("INC0111961", "504 errors on API", date(2023, 11, 14), "In Progress"),
    ("INC0112285", "500 responses on API", date(2023, 11, 16), "In Progress"),
)
IMPACT = "Users are unable to access CalSAWS API during this time."


def followed(snow: ServiceNow) -> Iterator[Course]:
    """Incidents of the partner that are followed up."""
    for number, title, day, state in FOLLOWED:
        given = {
            "number": number,
            "short_description": title,
            "assignment_group": "CalSAWS",
            "u_follow_up": "true",
            "u_impact": IMPACT,
        }
        course = Course(at(day), lambda given=given: snow.create(given, by=SAM))
        moved(snow, course, at(day, 11), "In Progress")
        yield resolved(snow, course, at(day, 16), 0) if state == "Resolved" else course
    old = Course(at(ago(60)), lambda: snow.create({"assignment_group": "CalSAWS", "u_follow_up": "true"}, by=SAM))
    yield moved(snow, resolved(snow, old, at(ago(50)), 0), at(ago(40)), "Closed")


def problems(snow: ServiceNow) -> Iterator[Course]:
    """Four created in the period, one resolved in it, and older ones."""
    for number, age in enumerate((80, 40, 30, 12, 9, 5, 2)):
        given = {"short_description": f"problem {number}", "assignment_group": QUEUE}
        course = Course(at(ago(age)), lambda given=given: snow.create(given, by=TARA, table="problem"))
        course.then.append((at(ago(age), 12), lambda id: snow.move(id, "Assess", by=PIET)))
        if number in (0, 1):
            when = at(ago(60 if number == 0 else 10))
            finish = {"resolution_code": "fix_applied"}
            course.then.append((when, lambda id, finish=finish: snow.move(id, "Resolved", by=PIET, **finish)))
        yield course


# ── defects, enhancements, requests ──────────────────────────────────────────────────────────────────────────────────

#: severity, release, how many: the active ones as printed
ACTIVE = (
    ("2-Normal/Medium", "23.11.30", 1),
    ("2-Normal/Medium", "23.12.19", 1),
    ("3-Normal/Low", "23.11.30", 14),
    ("3-Normal/Low", "23.12.19", 11),
    ("3-Normal/Low", "24.01.25", 1),
    ("3-Normal/Low", "", 5),
    ("4-Cosmetic", "23.11.30", 1),
)


def defects(jira: Jira) -> Iterator[Course]:
    """34 active ones; eight of those in the next release are in the areas that its summary names."""
    rows = [(severity, release) for severity, release, count in ACTIVE for _ in range(count)]
    for number, (severity, release) in enumerate(rows):
        area = AREAS[number % 3] if release == "23.11.30" and number % 2 == 0 else "Help Center"
        course = defect(jira, number, at(ago(10 + 9 * number)), severity, release, area)
        course.then.append((course.opened + timedelta(days=1), lambda id: jira.move(id, "In Progress", by=ANA)))
        yield course
    for number in range(24):
        release, area = ("23.11.09", AREAS[0]) if number == 0 else ("23.10.19", "Help Center")
        course = defect(jira, 100 + number, at(ago(120 + 10 * number)), SEVERITIES[number % 3], release, area)
        end = at(date(2023, 11, 9) if number == 0 else ago(35 + 12 * number))
        course.then.append((end - timedelta(days=3), lambda id: jira.move(id, "In Progress", by=ANA)))
        course.then.append((end, lambda id: jira.move(id, "Done", by=ANA, resolution="Done")))
        yield course


def defect(jira: Jira, number: int, opened: datetime, severity: str, release: str, area: str) -> Course:
    given = {
        "issuetype": "Production Defect",
        "summary": f"defect {number}",
        "customfield_10042": severity,
        "components": [area],
        "fixVersions": [release] if release else [],
    }
    return Course(opened, lambda: jira.create(given, by=ANA))


def enhancements(jira: Jira) -> Iterator[Course]:
    """One delivered with 23.11.09, four planned for 23.11.30."""
    for number, release in enumerate(("23.11.09", *["23.11.30"] * 4)):
        given = {
            "issuetype": "Enhancement",
            "summary": f"enhancement {number}",
            "components": [AREAS[number % 3]],
            "fixVersions": [release],
        }
        yield Course(at(ago(45 + number)), lambda given=given: jira.create(given, by=ANA))


REQUESTS = (
    (68274, "SCERFRA 23-CF 303 CFAP Update", "New/Assigned"),
    (68201, "SCERFRA 23-572 - Updated CAPI Language on BenefitsCal Website", "Completed"),
)


def requests(jira: Jira) -> Iterator[Course]:
    """Two the period is about, and one that was completed long before."""
    for number, title, status in REQUESTS:
        course = Course(at(ago(8 if status == "New/Assigned" else 25)), request(jira, number, title))
        if status == "Completed":
            course.then.append((at(ago(20)), lambda id: jira.move(id, "Assigned", by=ANA)))
            course.then.append((at(ago(5)), lambda id: jira.move(id, "Completed", by=ANA)))
        yield course
    old = Course(at(ago(200)), request(jira, 60001, "SIRFRA long ago"))
    old.then.append((at(ago(150)), lambda id: jira.move(id, "Completed", by=ANA)))
    yield old


def request(jira: Jira, number: int, title: str) -> Callable[[], str]:
    """Its key is the printed one; the next item's goes on where the numbers were."""

    def create() -> str:
        before = jira.store.numbers.get("CSPM", 0)
        jira.store.numbers["CSPM"] = number - 1
        id = jira.create({"issuetype": title.split()[0], "summary": title}, by=ANA)
        jira.store.numbers["CSPM"] = before
        return id

    return create


def played() -> Estate:
    """Everything, up to the evening of the period's last day."""
    made = estate(at(GO_LIVE, 0))
    snow, site = made.servicenow, made.jira
    history = History(made.clock)
    for courses in (incidents, handed_on, questions, followed, problems):
        history.courses += courses(snow)
    for acts in (defects, enhancements, requests):
        history.courses += acts(site)
    history.play()
    made.clock.set(at(LAST, 20))
    return made
