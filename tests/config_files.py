# ruff: noqa: E501
"""A whole file that is right, and what goes wrong when one thing in it is changed. Shared by the tests of config."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.config import ConfigProblems, Problem, explain, load_with_warnings
from sync.setup import Setup

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
HIDDEN = "hunter2-hunter2-hunter2"
_SET = ("LOCKSTEP_SECRET", "SERVICENOW_PASSWORD", "JIRA_TOKEN", "AZURE_PAT", "MAIL_PASSWORD", "OTHER")
ENVIRON = {
    **dict.fromkeys(_SET, HIDDEN),
    "TEAMS_URL": f"https://teams.example.org/{HIDDEN}",
    "EMPTY": "",
    "ODD_URL": f"ftp:{HIDDEN}",
}

WHOLE = r"""
[bot]
instance = "acme"
secret = { env = "LOCKSTEP_SECRET" }
timezone = "America/Los_Angeles"
calendar = { days = "Mon-Fri", hours = "08:00-17:00", holidays = "US" }

[trackers.servicenow]
kind = "servicenow"
url = "https://example.service-now.com"
auth = { user = "u", password = { env = "SERVICENOW_PASSWORD" } }
[trackers.jira]
kind = "jira"
url = "https://example.atlassian.net/"
auth = { user = "u@example.org", token = { env = "JIRA_TOKEN" } }
[trackers.azure]
kind = "azure_devops"
url = "https://dev.azure.com/example"
auth = { pat = { env = "AZURE_PAT" } }

[sides.incident]
tracker = "servicenow"
table = "incident"
scope = { assignment_group = ["Tier 3"], active = true }
[sides.defect]
tracker = "jira"
project = "SHOP"
type = "Bug"
[sides.pbi]
tracker = "azure"
project = "Portal"
type = ["Bug", "Task"]

[parties.desk]
sides = ["incident"]
members = { servicenow = ["abel"] }
recipients = { email = ["desk@example.org"], teams = "triage" }
[parties.developers]
sides = ["defect", "pbi"]

[[stages]]
name = "New"
incident = "New"
defect = "To Do"
pbi = "New"
move = "desk"
decided_by = "incident"
target = "1d"
[[stages]]
name = "Done"
incident = ["Resolved", "Closed"]
defect = "Done"
pbi = "Done"
terminal = true
set = { incident = { close_code = "Solved", close_notes = "{summary} was {stage}" } }

[[routes]]
id = "first"
from = "incident"
when = 'stage == "New" && priority <= 2'
open = "defect"
[[routes]]
id = "second"
from = "defect"
open = "pbi"

[fields.summary]
incident = "short_description"
defect = "summary"
owner = "incident"
[fields.priority]
type = "integer"
incident = ["impact", "urgency"]
defect = "priority"
values = [
  { is = 1, incident = { impact = 1, urgency = 1 }, defect = "High" },
  { is = 2, incident = [{ impact = 2, urgency = 1 }, { impact = 1, urgency = 2 }], defect = ["Low", "Lowest"] },
]
[fields.escalation]
incident = "escalation"
values = [{ is = "Normal", incident = 0 }, { is = "High", incident = 2 }]
[fields.labels]
type = "list"
defect = "labels"

[[comments]]
from = "incident.comments"
to = ["defect.everyone", "pbi.discussion"]
[disclosure]
mask = ["ssn", 'case: \bC\d+\b']

[[rules]]
id = "quiet"
when = 'priority <= 2'
quiet = "2d"
  [[rules.steps]]
  say = { on = "defect.role:Devs", text = "{incident} is quiet for {quiet}, {move}" }
  [[rules.steps]]
  after = "4h"
  set = { escalation = "High" }
  email = { to = ["desk", "lead@example.org"], cc = "desk", subject = "{summary}" }
  teams = "triage"
[[rules]]
id = "late"
over = true
  [[rules.steps]]
  teams = "triage"
  text = "{defect}"

[people]
automation = ["svc"]
[mail]
server = "smtp://mail.example.org:587"
sender = "lockstep@example.org"
[teams.triage]
webhook = { env = "TEAMS_URL" }
"""


def read(folder: Path, text: str | bytes) -> tuple[Setup, list[Problem]]:
    file = folder / "lockstep.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return load_with_warnings(file, ENVIRON)


def problems_of(folder: Path, text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(ConfigProblems) as caught:
        read(folder, text)
    found = caught.value.problems
    assert HIDDEN not in str(caught.value) + repr(caught.value) + explain(found)
    return found


def changed(old: str, new: str) -> tuple[str, int]:
    """The whole file with one thing changed, and the line on which the change begins."""
    assert WHOLE.count(old) == 1, old
    return WHOLE.replace(old, new), WHOLE[: WHOLE.index(old)].count("\n") + 1


#: what is changed, into what; the key blamed, what is said to be wrong, what to write instead
WRONG = [
    # names
    ('tracker = "jira"', 'tracker = "jra"', "sides.defect.tracker", 'there is no tracker "jra"', 'write tracker = "jira" (trackers: servicenow, jira, azure)'),
    ('from = "defect"', 'from = "deffect"', "routes.second.from", 'there is no side "deffect"', 'write from = "defect"'),
    ('open = "pbi"', 'open = "task"', "routes.second.open", 'there is no side "task"', "name one (sides: incident, defect, pbi)"),
    ('open = "pbi"', 'open = "defect"', "routes.second.open", "does not open itself", "another side"),
    ('sides = ["incident"]', 'sides = ["incidents"]', "parties.desk.sides[1]", 'no side "incidents"', '"incident"'),
    ("members = { servicenow =", "members = { servicenew =", "parties.desk.members.servicenew", 'no tracker "servicenew"', "servicenow"),
    ('teams = "triage" }', 'teams = "triag" }', "parties.desk.recipients.teams", 'no channel "triag"', "triage"),
    ('move = "desk"', 'move = "disk"', "stages.New.move", 'there is no party "disk"', 'write move = "desk"'),
    ('decided_by = "incident"', 'decided_by = "incidnt"', "stages.New.decided_by", 'no side "incidnt"', "incident"),
    ('defect = "To Do"', 'defct = "To Do"', "stages.New.defct", "neither a key nor a side", "did you mean defect?"),
    ("terminal = true", "terminl = true", "stages.Done.terminl", "neither a key nor a side", "did you mean terminal?"),
    ('owner = "incident"', "exclusiv = true", "fields.summary.exclusiv", "neither a key nor a side", "exclusive"),
    ('owner = "incident"', "owner = 5", "fields.summary.owner", "must be a text, not a number", "owner ="),
    ('owner = "incident"', 'owner = "pbi"', "fields.summary.owner", "pbi does not have this field", "incident, defect"),
    ('owner = "incident"', 'prefer = ["pbi"]', "fields.summary.prefer[1]", "pbi does not have this field", "incident, defect"),
    ('owner = "incident"', "exclusive = true", "fields.summary.exclusive", "needs an owner", "owner ="),
    ('set = { escalation = "High" }', 'set = { escalaton = "High" }', "rules.quiet.steps[2].set.escalaton", 'no field "escalaton"', "escalation"),
    ('teams = "triage"\n[[', 'teams = "triaje"\n[[', "rules.quiet.steps[2].teams", 'no channel "triaje"', 'teams = "triage"'),
    # ids
    ('id = "second"', 'id = "first"', "routes.first.id", "stands in line", "another"),
    ('id = "second"', f'id = "{"s" * 61}"', f"routes.{'s' * 61}.id", "longer than 60", "shorter"),
    ('id = "late"', 'id = "quiet"', "rules.quiet.id", "stands in line", "another"),
    ('name = "Done"', 'name = "New"', "stages.New.name", "stands in line", "another"),
    # conditions and texts
    ("when = 'priority <= 2'", "when = 'prioritee <= 2'", "rules.quiet.when", "prioritee is not declared", "did you mean priority?"),
    ("when = 'priority <= 2'", "when = 'priority <= \"2\"'", "rules.quiet.when", "whole number and text", "without quotes"),
    ("when = 'priority <= 2'", "when = 'priority'", "rules.quiet.when", "this is a whole number", "compare"),
    ("when = 'priority <= 2'", "when = 'stage == \"Doen\"'", "rules.quiet.when", 'no stage "Doen"', '"Done"'),
    ("{summary} was", "{sumary} was", "stages.Done.set.incident.close_notes", "{sumary} is not declared", "{summary}"),
    ("{summary} was", "{quiet} was", "stages.Done.set.incident.close_notes", "{quiet} is not declared", "declare"),
    ('subject = "{summary}"', 'subject = "{sumary}"', "rules.quiet.steps[2].email.subject", "{sumary}", "{summary}"),
    ("for {quiet},", "for {quiet,", "rules.quiet.steps[1].say.text", "a { stands alone", "{{"),
    ('text = "{defect}"', 'text = "{defct}"', "rules.late.steps[1].text", "{defct} is not declared", "{defect}"),
    # channels and paths
    ('from = "incident.comments"', 'from = "incident.coments"', "comments[1].from", 'no channel "coments" on incident', '"incident.comments" (servicenow has comments, work_notes)'),
    ('from = "incident.comments"', 'from = "incident"', "comments[1].from", "not a side and a channel", "incident.comments"),
    ('"pbi.discussion"', '"pbi.everyone"', "comments[1].to[2]", 'no channel "everyone" on pbi', "discussion"),
    ('"pbi.discussion"', '"pib.discussion"', "comments[1].to[2]", 'no side "pib"', "pbi"),
    ('"pbi.discussion"', '"incident.work_notes"', "comments[1].to[2]", "never back to its own", "remove"),
    ('"pbi.discussion"', '"defect.everyone"', "comments[1].to[2]", "named twice", "once"),
    ('on = "defect.role:Devs"', 'on = "defect.role:"', "rules.quiet.steps[1].say.on", 'no channel "role:"', "role:NAME"),
    # stages
    ('incident = "New"\ndefect = "To Do"\npbi = "New"\n', "", "stages.New", "no side has a state", "incident ="),
    ('incident = "New"\ndefect', "defect", "stages.New.decided_by", "incident has no state for this stage", "another side"),
    ("terminal = true", "terminal = true\npaused = true", "stages.Done.paused", "either paused or terminal", "remove"),
    ("set = { incident =", "set = { incidnt =", "stages.Done.set.incidnt", 'no side "incidnt"', "incident"),
    ('target = "1d"', 'target = "1 day"', "stages.New.target", '"1 day" is not a span', '"2d"'),
    # fields
    ('type = "integer"', 'type = "int"', "fields.priority.type", 'must be "text"', '"integer"'),
    ("[fields.labels]", "[fields.in]", "fields.in", "no word of conditions", "rename"),
    ("[fields.labels]", "[fields.pbi]", "fields.pbi", "means something else", "rename"),
    ("[fields.labels]", "[fields.my-labels]", "fields.my-labels", "letters, digits and _", "rename"),
    ('defect = "labels"', "", "fields.labels", "no side has this field", 'incident = "..."'),
    ("{ is = 1,", '{ is = "1",', "fields.priority.values[1].is", "of type integer", "without quotes"),
    ("{ is = 1,", "{ is = true,", "fields.priority.values[1].is", "of type integer", "without quotes"),
    ("{ is = 2,", "{ is = 1,", "fields.priority.values[2].is", "is = 1 stands above already", "one line"),
    ('defect = "High" }', 'defect = "High", pbi = 1 }', "fields.priority.values[1].pbi", "not declared on pbi", "above"),
    ('defect = "High" }', 'defct = "High" }', "fields.priority.values[1].defct", "neither a key nor a side", "defect"),
    ("incident = { impact = 1, urgency = 1 }", "incident = 1", "fields.priority.values[1].incident", "in 2 fields", "{ impact = ..., urgency = ... }"),
    ("incident = { impact = 1, urgency = 1 }", "incident = { impact = 1 }", "fields.priority.values[1].incident", "urgency does not fit", "urgency = ..."),
    ("incident = { impact = 1, urgency = 1 }", "incident = []", "fields.priority.values[1].incident", "no spelling", "leave"),
    ('incident = "short_description"', 'incident = ["short_description", "title"]', "fields.summary.incident", "need a value map", "values ="),
    ('type = "list"', 'type = "list"\nvalues = [{ is = "a", defect = "a" }]', "fields.labels.values", "no value map", "text"),
    # rules
    ('quiet = "2d"\n', "", "rules.quiet", "needs something that sets it off", 'quiet = "2d"'),
    ("over = true", 'over = true\nquiet = "1d"', "rules.late", "not by quiet and over", "quiet"),
    ("over = true", "over = false", "rules.late.over", "false says nothing", "over = true"),
    ('target = "1d"\n', "", "rules.late.over", "no stage has a target", "target ="),
    ('  teams = "triage"\n  text = "{defect}"', '  after = "1d"', "rules.late.steps[1]", "does nothing", "say, set, assign, open, email, teams or webhook"),
    ('  teams = "triage"\n  text', '  set = { escalation = "High" }\n  text', "rules.late.steps[1].text", "goes nowhere", "teams"),
    ('set = { escalation = "High" }', 'set = { escalation = "Hihg" }', "rules.quiet.steps[2].set.escalation", "no value Hihg", '"High"'),
    ('set = { escalation = "High" }', "set = { escalation = 2 }", "rules.quiet.steps[2].set.escalation", "of type text", "quotes"),
    ('to = ["desk",', 'to = ["dsk",', "rules.quiet.steps[2].email.to[1]", 'no party "dsk"', '"desk"'),
    ('to = ["desk",', 'to = ["developers",', "rules.quiet.steps[2].email.to[1]", "has no e-mail address", "recipients"),
    ('"lead@example.org"', '"lead@"', "rules.quiet.steps[2].email.to[2]", "not an e-mail address", "name@example.org"),
    ('[mail]\nserver = "smtp://mail.example.org:587"\nsender = "lockstep@example.org"\n', "", "rules.quiet.steps[2].email", "no mail server", "[mail]"),
    # the bot
    ('instance = "acme"', 'instance = "acme_prod"', "bot.instance", "letters, digits and hyphens", '"acme-prod"'),
    ('"America/Los_Angeles"', '"America/Los_Angels"', "bot.timezone", "Los_Angels", "write"),
    ('days = "Mon-Fri"', 'days = "Mo-Fry"', "bot.calendar", "Mo-Fry", "write"),
    ('holidays = "US"', 'holidays = "XX-YY"', "bot.calendar", "XX-YY", "write"),
    ("[bot]", '[bot]\npoll = "30 secs"', "bot.poll", '"30 secs" is not a length of time', '"30s"'),
    ("[bot]", '[bot]\nstate = "mysql://x"', "bot.state", "SQLite file or a PostgreSQL", "sqlite:///"),
    ("[bot]", '[bot]\nstate = "postgresql+psycopg://u:hunter2-hunter2-hunter2@h/d"', "bot.state", "password does not belong", "{ env ="),
    ("[bot]", '[bot]\nstate = "sqlite:///no/such/folder/l.db"', "bot.state", "there is no folder", "create"),
    ("[bot]", '[bot]\nstate = "sqlite://"', "bot.state", "SQLite file", "lockstep.db"),
    ("[bot]", '[bot]\nstate = { env = "A", file = "B" }', "bot.state", "once", "{ env ="),
    ("[bot]", "[bot]\nworkers = 0", "bot.workers", "at least 1", "workers = 1"),
    # secrets
    ('{ env = "JIRA_TOKEN" }', '{ env = "JIRA_TOKN" }', "trackers.jira.auth.token", "environment variable JIRA_TOKN is not set", "started"),
    ('{ env = "JIRA_TOKEN" }', '{ env = "EMPTY" }', "trackers.jira.auth.token", "environment variable EMPTY is empty", "value"),
    ('{ env = "JIRA_TOKEN" }', '{ file = "nowhere" }', "trackers.jira.auth.token", "file nowhere is not there", "value"),
    ('{ env = "JIRA_TOKEN" }', "{ file = '.' }", "trackers.jira.auth.token", "cannot be read", "value"),
    ('{ env = "JIRA_TOKEN" }', "{}", "trackers.jira.auth.token", "must say where the secret is", "{ env ="),
    ('{ env = "JIRA_TOKEN" }', f'"{HIDDEN}"', "trackers.jira.auth.token", "does not belong in this file", "{ env ="),
    ('secret = { env = "LOCKSTEP_SECRET" }', f'secret = "{HIDDEN}"', "bot.secret", "does not belong in this file", "{ env ="),
    ('secret = { env = "LOCKSTEP_SECRET" }', "secret = []", "bot.secret", "is empty", "secret ="),
    ('webhook = { env = "TEAMS_URL" }', 'webhook = { env = "ODD_URL" }', "teams.triage.webhook", "not a web address", "https://"),
    ("[mail]", f'[mail]\nuser = "{HIDDEN}"', "mail", "belong together", "password"),
    # trackers and sides
    ('kind = "jira"', 'kind = "jria"', "trackers.jira.kind", 'no kind of tracker "jria"', 'kind = "jira"'),
    ("https://example.atlassian.net/", "example.atlassian.net", "trackers.jira.url", "not a web address", "https://"),
    ("https://example.atlassian.net/", "ftp://example.atlassian.net", "trackers.jira.url", "not a web address", "https://"),
    ("https://example.atlassian.net/", f"https://u:{HIDDEN}@x", "trackers.jira.url", "more than an address", "auth"),
    ('auth = { user = "u", password = { env = "SERVICENOW_PASSWORD" } }', 'auth = { user = "u" }', "trackers.servicenow.auth", "user alone do not sign in", "user and password; or token"),
    ('auth = { pat = { env = "AZURE_PAT" } }', "auth = {}", "trackers.azure.auth", "says nothing", "pat; or tenant"),
    ("[trackers.jira]", '[trackers.jira]\nmark_fields = ["a", "b"]', "trackers.jira.mark_fields", "means nothing to jira", "remove"),
    ("[trackers.servicenow]", '[trackers.servicenow]\nmark_fields = ["a"]', "trackers.servicenow.mark_fields", "must name exactly 2", ""),
    ("[trackers.jira]", '[trackers.jira]\nca = "no.pem"', "trackers.jira.ca", "there is no file", "PEM"),
    ("[trackers.jira]", '[trackers.jira]\nlag = "2 minutes"', "trackers.jira.lag", "not a length of time", "5m"),
    ('table = "incident"\n', "", "sides.incident.table", "a side in servicenow needs table", "table ="),
    ('table = "incident"\n', 'table = "incident"\nproject = "X"\n', "sides.incident.project", "means nothing to servicenow", "remove"),
    ('type = "Bug"\n', "", "sides.defect.type", "a side in jira needs type", "type ="),
    # shape
    ("[bot]", '[bot]\npol = "30s"', "bot.pol", "there is no key pol", "did you mean poll?"),
    ("[bot]", '[bot]\npage = "127.0.0.1:80"', "bot.page", "is not built yet", "remove it"),
    ("[people]", '[people]\nroster = "x.csv"', "people.roster", "there is no file x.csv", "with the columns"),
    ('id = "second"', 'id = "second"\nmatch = ["escalation"]', "routes.second.match[1]", "neither defect nor pbi has the field", 'pbi = "..."'),
    ('id = "second"', 'id = "second"\nmatch = ["lables"]', "routes.second.match[1]", 'there is no field "lables"', '"labels"'),
    ('name = "Done"', 'name = "Done"\nneeds = ["labls"]', "stages.Done.needs[1]", 'there is no field "labls"', '"labels"'),
    ('name = "Done"', 'name = "Done"\nneeds = [{ when = "priority <= 2" }]', "stages.Done.needs[1]", "nobody can tell what is asked of them", 'ask = "..."'),
    ('name = "Done"', 'name = "Done"\nneeds = [{ ask = "Hurry" }]', "stages.Done.needs[1]", "is either a field or a condition", 'field = "..."'),
    ('name = "Done"', 'name = "Done"\nneeds = [{ when = "prio <= 2", ask = "Hurry" }]', "stages.Done.needs[1].when", "prio is not declared", "priority"),
    ('name = "Done"', 'name = "Done"\nneeds = [3]', "stages.Done.needs[1]", "must be a table", "write"),
    ('name = "Done"', 'name = "Done"\ngate = "shut"', "stages.Done.gate", 'must be "back" or "hold"', 'gate = "back" or "hold"'),
    ('decided_by = "incident"', 'removed = true', "stages.New.removed", "what is removed is over", "terminal = true"),
    ("[people]", '[freeze]\nwindows = ["tomorrow"]\n[people]', "freeze.windows[1]", "is not a window of time", "2026-12-24 18:00 / 2026-12-27 06:00"),
    ("[people]", '[freeze]\nwindows = ["2026-12-27 06:00 / 2026-12-24 18:00"]\n[people]', "freeze.windows[1]", "ends before it begins", '"2026-12-24 18:00 / 2026-12-27 06:00"'),
    ("[people]", '[freeze]\nwindows = ["2026-12-24 18:00Z / 2026-12-27 06:00Z"]\n[people]', "freeze.windows[1]", "not a time on the clock", "bot.timezone"),
    ("[people]", '[freeze]\nwindows = ["2026-12-24 18:00 / 2026-12-27 06:00", "2026-12-26 18:00 / 2026-12-28 06:00"]\n[people]', "freeze.windows[2]", "overlaps the one in line", "one window"),
    ("[people]", '[guard]\nshare = 20\n[people]', "guard.share", "is not a share", '"20%"'),
    ("[people]", '[guard]\ngone = "120%"\n[people]', "guard.gone", "is not a share", '"20%"'),
    ("[people]", '[guard]\ntell = { teams = "nowhere" }\n[people]', "guard.tell.teams", 'no channel "nowhere"', ""),
    ("[people]", '[guard]\ntell = { email = ["nobody"] }\n[people]', "guard.tell.email[1]", 'no party "nobody"', ""),
    ("[people]", "[peeple]\n[people]", "peeple", "there is no table peeple", "did you mean people?"),
    ('instance = "acme"\n', "", "bot.instance", "is missing", 'instance = "acme-production"'),
    ('id = "second"\n', "", "routes[2].id", "is missing", "never changes"),
    ("terminal = true", 'terminal = "yes"', "stages.Done.terminal", "must be true or false, not a text", "without quotes"),
    ('name = "Done"', "name = 5", "stages[2].name", "must be a text, not a number", 'name = "..."'),
    ('sides = ["incident"]', 'sides = "incident"', "parties.desk.sides", "must be a list, not a text", "["),
    ('incident = ["Resolved", "Closed"]', "incident = []", "stages.Done.incident", "is an empty list", "leave"),
    ('id = "second"', 'id = "second"\nhistory = "some"', "routes.second.history", 'must be "none" or "all"', "history"),
    ('id = "second"', 'id = "second"\nsince = "soon"', "routes.second.since", '"soon" is not a date', "2026-11-01"),
    ('id = "second"', 'id = "second"\nsince = 0001-01-01T00:00:00+14:00', "routes.second.since", "reckon", "2026"),
    ('mask = ["ssn",', 'mask = ["ssm",', "disclosure.mask[1]", 'no mask "ssm"', '"ssn"'),
    (r"'case: \bC\d+\b'", r"'case: \bC(\d+\b'", "disclosure.mask[2]", "this is no pattern", "regular expression"),
    (r"'case: \bC\d+\b'", r"'case: \d*'", "disclosure.mask[2]", "matches everything", "name:"),
    ('server = "smtp://mail.example.org:587"', 'server = "mail.example.org"', "mail.server", "is not a mail server", "smtp://"),
    ('sender = "lockstep@example.org"', 'sender = "lockstep"', "mail.sender", "is not an e-mail address", "@"),
]  # fmt: skip

#: what is changed, into what; the key warned of, what is said
WARNED = [
    ('defect = "summary"\n', 'defect = "summary"\n[fields.urgent]\nincident = "priority"\ndefect = "duedate"\n', "fields.urgent.incident", "computes priority"),
    ("https://example.atlassian.net/", "http://jira.example.org", "trackers.jira.url", "in the clear"),
    ('secret = { env = "LOCKSTEP_SECRET" }', 'secret = { file = "short" }', "bot.secret", "can be guessed"),
    ('sides = ["defect", "pbi"]', 'sides = ["defect", "pbi"]\n[parties.others]\nsides = ["pbi"]', "parties.others.sides", "counts as developers"),
    ("when = 'priority <= 2'", "when = 'escalation == \"Hihg\"'", "rules.quiet.when", 'escalation is never "Hihg"'),
    ('name = "New"', 'name = "New"\nneeds = ["labels"]', "stages.New.needs[1]", "labels stands on defect alone"),
    ("[fields.labels]", '[fields.title]\nincident = "short_description"\n[fields.labels]', "fields.title.incident", "also what summary stands for"),
    ('owner = "incident"', 'owner = "incident"\nprefer = ["defect"]', "fields.summary.prefer", "before any order"),
]  # fmt: skip
