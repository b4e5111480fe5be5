"""The roster as people keep it in a spreadsheet, whom the words of a rule mean by it, and what is wrong with either."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mappings.mentions import Mention
from mappings.people import party_of
from mappings.roster import Person, Roster, word_of
from sync.config import ConfigProblems, explain, load
from sync.escalation.recipients import addressed, assignee, called_upon, mentions
from sync.setup import Setup
from tests import builders as b
from tests.config_files import ENVIRON, WHOLE

HEADING = "name,email,party,role,county,region,oversight,servicenow,jira"
ROWS = [
    "Yola Park,yola@example.org,desk,PPOC,Yolo,Central,,yola,",
    "Sue Tan,sue@example.org,desk,PPOC,Sutter,Central,,sue,",
    "Rex Moor,rex@example.org,developers,regional manager,,Central,,rex,acc-rex",
    "Kay Lund,kay@example.org,developers,regional manager,,Coast,,,acc-kay",
    "Lee Ortiz,lee@example.org,developers,release manager,,,,,acc-lee",
    "Olga Stern,olga@example.org,,director,,,yes,,",
]


def the_file(folder: Path, roster: bytes | str | None, *changes: tuple[str, str]) -> Path:
    """The whole file of the config tests with a roster beside it, each text replaced by the other."""
    text = WHOLE.replace("[people]", '[people]\nroster = "people.csv"\nfallback = ["desk@example.org"]')
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    if roster is not None:
        content = roster.encode() if isinstance(roster, str) else roster
        (folder / "people.csv").write_bytes(content)
    path = folder / "lockstep.toml"
    path.write_text(text)
    return path


def read(folder: Path, roster: bytes | str | None, *changes: tuple[str, str]) -> Setup:
    return load(the_file(folder, roster, *changes), ENVIRON)


def csv(*rows: str, heading: str = HEADING) -> str:
    return "\r\n".join((heading, *rows)) + "\r\n"


def said_of(folder: Path, roster: bytes | str | None, *changes: tuple[str, str]) -> list[str]:
    """Every problem: file, line, column, what is wrong and what to write."""
    with pytest.raises(ConfigProblems) as caught:
        read(folder, roster, *changes)
    return [f"{p.file}:{p.line}:{p.column} {p.key}: {p.said()}" for p in caught.value.problems]


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("sign", [",", ";"])
def test_a_roster_is_read_as_excel_writes_it(tmp_path: Path, mark: bytes, sign: str) -> None:
    rows = csv(*ROWS, ",,,,,,,,", '"Zoë ""Zed"" Ash",zoe@example.org,desk,,,,NO,,').replace(",", sign)
    people = read(tmp_path, mark + rows.encode()).roster.people
    assert [one.name for one in people] == [row.partition(",")[0] for row in ROWS] + ['Zoë "Zed" Ash']
    rex, olga = people[2], people[5]
    assert rex.accounts == {"servicenow": "rex", "jira": "acc-rex"}
    assert (rex.email, rex.party, rex.role, rex.region) == (
        "rex@example.org", "developers", "regional manager", "Central",
    )  # fmt: skip
    assert (rex.oversight, olga.oversight) == (False, True)


def test_columns_may_stand_in_any_order_and_all_but_the_name_may_be_missing(tmp_path: Path) -> None:
    [one] = read(tmp_path, "Jira, NAME ,\r\nacc-1,Ann Lee,\r\n").roster.people
    assert one == Person("Ann Lee", accounts={"jira": "acc-1"})


def test_a_file_without_a_roster_has_nobody_in_it(tmp_path: Path) -> None:
    path = tmp_path / "lockstep.toml"
    path.write_text(WHOLE)
    assert load(path, ENVIRON).roster == Roster()


def test_a_missing_roster_is_an_error_with_advice(tmp_path: Path) -> None:
    [said] = said_of(tmp_path, None)
    assert "people.roster: there is no file people.csv beside this one" in said
    assert "with the columns name, email, party, role, county, region, oversight, servicenow, jira, azure" in said


def test_a_roster_that_is_not_utf_8_says_how_to_save_it(tmp_path: Path) -> None:
    [said] = said_of(tmp_path, "name\nZoë\n".encode("latin-1"))
    assert "people.csv is not UTF-8 text" in said and "CSV UTF-8" in said


def test_every_mistake_is_told_at_once_with_its_line_and_column(tmp_path: Path) -> None:
    rows = [
        "Ann Lee,ann@example,desk,,,,maybe,ann,",
        '"Bob\nRay",bob@example.org;rob@example.org,desks,,,,,,',
        ",nobody@example.org,desk,,,,,,",
        "Cy Dow,cy@example.org,desk,,,,,ann,",
        "Ann Lee,other@example.org,developers,,,,,ann,,stray",
    ]
    said = said_of(tmp_path, csv(*rows, heading=HEADING.replace("region", "regoin")))
    assert said == [
        'people.csv:1:6 regoin: there is no column and no tracker "regoin"; write "region"',
        'people.csv:2:7 oversight: "maybe" is neither yes nor no; write yes, no or nothing',
        'people.csv:3:2 email: "bob@example.org;rob@example.org" is not an e-mail address; '
        "write name@example.org, one address alone",
        'people.csv:3:3 party: there is no party "desks"; write "desk" (parties: desk, developers)',
        "people.csv:5:1 name: this row has no name; write who it is, or empty the row",
        'people.csv:6:8 servicenow: "ann" is the account of Ann Lee already (line 2); give it to the one whose it is',
        "people.csv:7:2 email: Ann Lee has email ann@example in line 2; "
        "rows of one name are one person: write the same, or another name",
        "people.csv:7:3 party: Ann Lee has party desk in line 2; "
        "rows of one name are one person: write the same, or another name",
        'people.csv:7:10 : "stray" stands in a column without a name; put a cell that holds a comma in quotes',
    ]


@pytest.mark.parametrize(
    "roster, says",
    [
        ("", "people.csv:1:1 : this roster is empty; write the heading name,email"),
        ("email,party\n", "people.csv:1:1 name: there is no column for the name; write the heading name,email"),
        ("name,name\nAnn,Ann\n", 'people.csv:1:2 name: the column "name" stands twice; keep one of them'),
        ('name\n"Ann\n', "people.csv:2:1 : cannot be read as CSV: unexpected end of data; end every cell"),
        ("name\temail\nAnn\tann@example.org\n", "people.csv:1:1 : tabs part the cells of this roster; save it in"),
        ("name,email\n\n", "people.csv:2:1 : there is nobody in this roster; write a row for each person"),
    ],
)
def test_a_roster_that_is_no_table_is_told(tmp_path: Path, roster: str, says: str) -> None:
    assert said_of(tmp_path, roster)[0].startswith(says)


def test_problems_of_both_files_name_theirs(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        read(tmp_path, csv("Ann,ann,,,,,,,"), ('move = "desk"', 'move = "dusk"'))
    told = explain(caught.value.problems)
    assert told.startswith("2 problems in people.csv and lockstep.toml")
    assert "people.csv, line 2  email" in told
    assert "lockstep.toml, line " in told


def test_later_rows_of_somebody_say_only_what_is_different(tmp_path: Path) -> None:
    rows = ["Ann Lee,ann@example.org,desk,PPOC,Yolo,Central,,ann,", "Ann Lee,,,release manager,,,,,"]
    first, second = read(tmp_path, csv(*rows)).roster.people
    assert (second.email, second.party, second.accounts) == (first.email, first.party, first.accounts)
    assert (second.role, second.county) == ("release manager", "")


def test_an_edited_roster_is_another_file(tmp_path: Path) -> None:
    before = read(tmp_path, csv(*ROWS)).digest
    assert read(tmp_path, csv(*ROWS)).digest == before
    assert read(tmp_path, csv(*ROWS[1:])).digest != before


def test_people_on_the_roster_speak_for_their_party_and_close_it_to_nobody(tmp_path: Path) -> None:
    parties = read(tmp_path, csv(*ROWS)).parties
    assert party_of(parties, "incident", "servicenow", "rex") == "developers"
    assert party_of(parties, "incident", "servicenow", "abel") == "desk"
    assert party_of(parties, "defect", "jira", "a stranger") == "developers"
    assert party_of(parties, "incident", "servicenow", "a stranger") == ""


# ── Recipients in the file ───────────────────────────────────────────────────────────────────────────────────────────

TO = 'to = ["desk", "lead@example.org"]'


@pytest.mark.parametrize(
    "to, says",
    [
        ('["regional manger of {summary}"]', 'nobody in the roster has the role "regional manger"; write "regional m'),
        ('["regional managers of {count}"]', 'there is no field "count"; name one (fields: summary, priority'),
        ('["{sumary}"]', 'there is no field "sumary"; write "summary"'),
        ('["regional manager of summary"]', 'means nobody: summary is a field; write "regional manager of {summary}"'),
        ('["{priority}"]', "the field priority is of type integer, which names nobody; name a field of type text or"),
        ('["regional manager of {}"]', '"regional manager of {}" is not a recipient; write "{field}" or "role of'),
        ('["Rex Moore"]', 'there is no party, role or person "Rex Moore"; write "Rex Moor" (parties: desk, '),
        ('["lead@"]', '"lead@" is not an e-mail address; write "name@example.org"'),
        ('["oversight"]', 'oversight only ever hears in copy; write cc = ["oversight"] instead'),
        ('["Nomail Ned"]', "Nomail Ned has no e-mail address in the roster; write it there, or name another"),
    ],
)
def test_recipients_are_checked_when_the_file_is_read(tmp_path: Path, to: str, says: str) -> None:
    [said] = said_of(tmp_path, csv(*ROWS, "Nomail Ned,,,,,,,,"), (TO, f"to = {to}"))
    assert re.match(r"lockstep.toml:\d+:\d+ rules\.quiet\.steps\[2\]\.email\.to\[1\]: ", said)
    assert says in said


@pytest.mark.parametrize("to", ["release manager", "regional managers", "regional manager of {summary}", "{summary}"])
def test_a_fallback_is_required_where_a_recipient_may_mean_nobody(tmp_path: Path, to: str) -> None:
    changes = ((TO, f'to = ["{to}"]'), ('\nfallback = ["desk@example.org"]', ""))
    [said] = said_of(tmp_path, csv(*ROWS), *changes)
    assert "people.fallback: is missing: a role or a field may mean nobody; write fallback = [" in said
    assert read(tmp_path, csv(*ROWS), (TO, f'to = ["{to}"]')).fallback == ("desk@example.org",)


def test_what_is_wrong_with_the_roster_is_not_told_of_its_words_again(tmp_path: Path) -> None:
    [said] = said_of(
        tmp_path, None, (TO, 'to = ["regional manager of {summary}", "Rex Moor"]'), ('cc = "desk"', "cc = 'oversight'")
    )
    assert "there is no file people.csv" in said


@pytest.mark.parametrize("heading", [HEADING.replace("role", "rank"), HEADING.replace("oversight", "overseer")])
def test_a_column_that_is_not_read_is_told_once_and_not_again_wherever_it_is_needed(
    tmp_path: Path, heading: str
) -> None:
    changes = ((TO, 'to = ["regional manager of {summary}", "regional managers"]'), ('cc = "desk"', "cc = 'oversight'"))
    [said] = said_of(tmp_path, csv(*ROWS, heading=heading), *changes)
    assert said.startswith("people.csv:1:")


def test_a_mention_is_checked_too_and_needs_no_address(tmp_path: Path) -> None:
    say = 'say = { on = "defect.role:Devs", '
    [said] = said_of(tmp_path, csv(*ROWS), (say, say + 'mention = ["Nomad"], '))
    assert "rules.quiet.steps[1].say.mention[1]" in said and 'person "Nomad"' in said
    setup = read(tmp_path, csv(*ROWS, "Nomad,,,,,,,,"), (say, say + 'mention = "Nomad", '))
    assert setup.rules[0].steps[0].say is not None
    assert setup.rules[0].steps[0].say.mention == ("Nomad",)


# ── Whom they mean ───────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = (
    Person("Yola Park", "yola@example.org", "county", "PPOC", "Yolo", "Central", accounts={"snow": "yola"}),
    Person("Sue Tan", "sue@example.org", "county", "PPOC", "Sutter", "Central"),
    Person(
        "Rex Moor", "rex@example.org", "operations", "regional manager", "", "Central", accounts={"jira": "acc-rex"}
    ),
    Person("Kay Lund", "kay@example.org", "operations", "regional manager", "", "Coast"),
    Person("Lee Ortiz", "", "developers", "release manager", accounts={"jira": "acc-lee"}),
    Person("Olga Stern", "olga@example.org", "", "regional manager", "", "Central", oversight=True),
)
FALLBACK = ("desk@example.org",)
HOUSE = b.setup(roster=Roster(PEOPLE), fallback=FALLBACK)


def to(*words: str, cc: tuple[str, ...] = (), setup: Setup = HOUSE, **values: str) -> tuple[tuple[str, ...], ...]:
    found = addressed(setup, values, words, cc)
    return found.to, found.cc


@pytest.mark.parametrize(
    "text, kind, name, field",
    [
        ("a@b.org", "address", "a@b.org", ""),
        ("oversight", "oversight", "", ""),
        ("operations", "party", "operations", ""),
        ("rex  moor", "person", "rex moor", ""),
        ("Regional Managers", "role", "Regional Managers", ""),
        ("{client}", "field", "", "client"),
        ("regional manager of { county }", "role", "regional manager", "county"),
    ],
)
def test_the_grammar_of_recipients(text: str, kind: str, name: str, field: str) -> None:
    word = word_of(text, ("operations",), Roster(PEOPLE))
    assert word is not None
    assert (word.kind, word.name, word.field) == (kind, name, field)


@pytest.mark.parametrize(
    "text", ["", "nobody", "regional manager of", "of {county}", "{county", "manager of {a} and {b}"]
)
def test_what_is_no_recipient_means_nobody(text: str) -> None:
    assert word_of(text, ("operations",), Roster(PEOPLE)) is None


@pytest.mark.parametrize("plural", ["regional managers", "Regional manager", "REGIONAL MANAGERS"])
def test_a_role_is_everybody_who_has_it_by_name_or_plural(plural: str) -> None:
    assert to(plural)[0] == ("rex@example.org", "kay@example.org")


def test_plurals_are_those_of_english() -> None:
    people = tuple(
        Person(n, f"{n}@x.org", role=role) for n, role in (("a", "secretary"), ("b", "director of research"))
    )
    setup = replace(HOUSE, roster=Roster(people))
    assert to("secretaries", "directors of research", setup=setup)[0] == ("a@x.org", "b@x.org")


def test_a_county_leads_to_its_region_and_that_to_its_manager_with_oversight_in_copy() -> None:
    assert to("regional manager of {county}", county="Yolo") == (("rex@example.org",), ("olga@example.org",))
    assert to("regional manager of {county}", county="coast") == (("kay@example.org",), ())
    assert to("regional manager of {county}", county="Kay Lund") == (("kay@example.org",), ())
    assert to("PPOC of {county}", county="Yolo") == (("yola@example.org",), ())
    assert to("PPOCs of {county}", county="Central") == (("yola@example.org", "sue@example.org"), ())


def test_each_of_several_values_has_its_own() -> None:
    found = addressed(HOUSE, {"counties": ("Yolo", "Coast")}, ("regional managers of {counties}",))
    assert found.to == ("rex@example.org", "kay@example.org")


def test_a_party_is_its_recipients_or_its_people() -> None:
    assert to("operations")[0] == ("ops@example.org",)
    assert to("county")[0] == ("yola@example.org", "sue@example.org")


@pytest.mark.parametrize("value", ["rex@example.org", "REX@example.org", "Rex Moor", "acc-rex"])
def test_a_field_may_hold_an_address_a_name_or_an_account(value: str) -> None:
    assert to("{client}", client=value)[0] == ("rex@example.org",)


def test_an_address_in_a_field_needs_no_row() -> None:
    assert to("{client}", client="someone@county.example.org")[0] == ("someone@county.example.org",)


@pytest.mark.parametrize("value", ["a@b.org, eve@example.org", "x <a@b.org>", "a@b.org\nBcc: e@x.org", "a@b@c", "@"])
def test_a_field_that_holds_more_than_an_address_means_nobody(value: str) -> None:
    assert to("{client}", client=value)[0] == FALLBACK


@pytest.mark.parametrize(
    "word, value, says",
    [
        (
            "regional manager of {county}",
            "Mars",
            '"regional manager of {county}" (county: Mars): the roster knows nobody',
        ),
        ("{county}", "", '"{county}" (county: empty): the roster knows nobody'),
        ("release manager", "", '"release manager": the roster has no e-mail address of Lee Ortiz'),
    ],
)
def test_nobody_found_is_the_fallback_and_the_notice_says_so(word: str, value: str, says: str) -> None:
    found = addressed(HOUSE, {"county": value}, (word, "kay@example.org"))
    assert found.to == (*FALLBACK, "kay@example.org")
    assert found.told == ("desk@example.org", "kay@example.org")
    [astray] = found.astray
    assert astray.startswith(says)


def test_oversight_is_only_ever_in_copy() -> None:
    assert to("Olga Stern", "kay@example.org") == (("kay@example.org",), ("olga@example.org",))
    assert to("olga@example.org", "kay@example.org") == (("kay@example.org",), ("olga@example.org",))
    assert to("kay@example.org", cc=("oversight",)) == (("kay@example.org",), ("olga@example.org",))
    alone = addressed(HOUSE, {}, ("Olga Stern",))
    assert (alone.to, alone.cc) == (FALLBACK, ("olga@example.org",))
    assert alone.astray == ('"Olga Stern" is only ever written to in copy',)


def test_nobody_gets_a_message_twice() -> None:
    assert to("operations", "ops@example.org", "Rex Moor", cc=("rex@example.org", "Kay Lund")) == (
        ("ops@example.org", "rex@example.org"),
        ("kay@example.org",),
    )


def test_who_was_told_are_parties_by_name_and_others_by_address() -> None:
    found = addressed(HOUSE, {"county": "Yolo"}, ("operations", "regional manager of {county}"), ("oversight",))
    assert found.told == ("operations", "rex@example.org")
    assert called_upon(HOUSE, {"county": "Yolo"}, ("release manager", "regional manager of {county}")) == (
        "Lee Ortiz",
        "rex@example.org",
    )


def test_work_is_assigned_to_the_first_who_has_an_account_there() -> None:
    found = assignee(HOUSE, {}, "regional managers", "jira")
    assert found is not None and found.accounts["jira"] == "acc-rex"
    assert assignee(HOUSE, {}, "regional managers", "snow") is None
    assert assignee(HOUSE, {}, "Olga Stern", "jira") is None


def test_a_mention_is_an_account_there_or_plain_words() -> None:
    found = mentions(
        HOUSE, {"escalation": "hal", "county": "Yolo"}, ("regional manager of {county}", "Lee Ortiz"), "defect"
    )
    assert found == (Mention("acc-rex", "Rex Moor"), Mention("acc-lee", "Lee Ortiz"))
    assert mentions(HOUSE, {}, ("oversight",), "defect") == (Mention("", "Olga Stern"),)
    assert mentions(HOUSE, {}, ("operations",), "defect")[0] == Mention("acc-rex", "Rex Moor")
    assert mentions(HOUSE, {"escalation": "hal"}, ("{escalation}",), "incident") == (Mention("hal", "hal"),)
    assert mentions(HOUSE, {"escalation": "hal"}, ("{escalation}",), "defect") == (Mention("", "hal"),)
