"""What leaves the house, as an attacker and a privacy officer look at it: mails to people outside, remarks on the items
of several counties, words and addresses that were made to do harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.addresses import is_mail_address
from mappings.calendar import Calendar, Span
from mappings.disclosure import KNOWN_MASKS, Channel, Mask
from mappings.fields import Field
from mappings.mentions import Mention
from mappings.model import Record, Ref
from mappings.roster import Person, Roster
from sync.decide import decide
from sync.escalation.digest import Line, digest
from sync.escalation.notify import address_of
from sync.escalation.outbox import line_of
from sync.escalation.recipients import STRANGERS, addressed, mentions
from sync.escalation.words import words_in
from sync.listing.entry import Entry
from sync.listing.moves import reached
from sync.listing.page import WIDEST, page
from sync.merging.merge import Agreed
from sync.plan import Notify
from sync.report.gather import without
from sync.report.page import linked, safe
from sync.setup import Mailing, Remark, Report, Setup, Step
from sync.state import Firing, Movement
from tests import builders as b

COUNTY, CLIENT = (
    Field("county", natives={"incident": ("u_county",)}),
    Field("client", natives={"incident": ("u_mail",)}),
)
FIELDS = {**b.FIELDS, "county": COUNTY, "client": CLIENT}
PEOPLE = (
    Person("Petra Lind", "petra@yolo.example.org", "county", "PPOC", "Yolo", accounts={"snow": "petra"}),
    Person("Omar Haddad", "omar@alpine.example.org", "county", "PPOC", "Alpine", accounts={"snow": "omar"}),
    Person("Rex Moor", "rex@example.org", "operations", "regional manager", "Yolo"),
)
SECOND = Ref("snow", "i2")
ENTRY = Movement("stage:1:Fixing", "stage", b.NOW - 5 * b.HOUR, "Fixing", "developers", "operations")
WORD = Movement(
    "comment:jira:7", "comment", b.NOW - 4 * b.HOUR, "Fixing", "developers", "developers", item="D1", author="Dev Ana"
)
SSN = "123-45-6789"


def house(step: Step, **said: Any) -> Setup:
    given: dict[str, Any] = {
        "fields": FIELDS,
        "roster": Roster(PEOPLE),
        "fallback": ("desk@example.org",),
        "rules": (b.rule(quiet=Span(seconds=7200), steps=(Step(), step)),),
        **said,
    }
    return b.setup(**given)


def incident(ref: Ref = b.INCIDENT, county: str = "Yolo", **fields: str) -> Record:
    return b.record(ref, fields={"u_county": county, "u_mail": "dana@client.example", **fields})


def fired(setup: Setup, *incidents: Record, **said: Any) -> Any:
    """The plan in which the second step fires, on a link of these incidents and a defect."""
    shown = (*(incidents or (incident(),)), b.record(b.DEFECT))
    members = [b.item(r, echoes=b.echoes_of(r, FIELDS)) for r in shown]
    lead = shown[0].fields
    agreed = {**b.AGREED, "county": Agreed(lead["u_county"] or None, 1, "incident" if lead["u_county"] else "")}
    agreed |= {"client": Agreed(lead["u_mail"], 1, "incident")}
    before = (Firing("quiet", WORD.event, 1, b.NOW - b.HOUR, "fired", ("boss@example.org",)),)
    given: dict[str, Any] = {"agreed": agreed, "movements": (ENTRY, WORD), "firings": before, **said}
    state = b.link(*members, **given)
    return decide(state, b.only_seen(*shown), setup, b.NOW)


def mail_of(plan: Any) -> Notify:
    (found,) = [one for one in plan.actions if isinstance(one, Notify) and one.kind == "email"]
    return found


def mailing(*to: str, subject: str = "{incident}: news", text: str = "{summary}", cc: tuple[str, ...] = ()) -> Step:
    return Step(email=Mailing(to, cc, subject, text))


# ── Mails to people outside ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "to, cc", [(("{client}",), ()), (("PPOC of {county}",), ()), (("operations",), ("{client}",)), (("county",), ())]
)
def test_a_mail_to_a_requester_or_a_stranger_holds_the_admins_words_and_their_own_item_alone(
    to: tuple[str, ...], cc: tuple[str, ...]
) -> None:
    mails = [one for one in fired(house(mailing(*to, cc=cc))).actions if isinstance(one, Notify)]
    outside = [mail for mail in mails if mail.to != ("ops@example.org",)]
    assert len(outside) == len({mail.to for mail in outside}) == (2 if to == ("county",) else 1)
    for mail in outside:
        assert (mail.subject, mail.text, mail.facts, mail.data) == ("I1: news", "Broken", (), {})
        assert mail.links == (("I1", "https://snow/i1"),)


def test_no_reader_outside_sees_who_else_was_written_to() -> None:
    plan = fired(house(mailing("county", cc=("boss@example.org",))))
    mails = [one for one in plan.actions if isinstance(one, Notify)]
    assert [(mail.to, mail.cc) for mail in mails] == [
        (("petra@yolo.example.org",), ("boss@example.org",)),
        (("omar@alpine.example.org",), ()),
    ]
    assert len({mail.key for mail in mails}) == 2 and len({mail.key.rpartition(":")[0] for mail in mails}) == 1
    assert [mail.first for mail in mails] == [False, False]


def test_our_own_people_have_the_evidence_also_where_somebody_outside_is_written_to() -> None:
    plan = fired(house(mailing("{client}", "operations", cc=("PPOC of {county}", "boss@example.org"))))
    mails = {mail.to[0]: mail for mail in plan.actions if isinstance(mail, Notify)}
    assert list(mails) == ["ops@example.org", "dana@client.example", "petra@yolo.example.org"]
    assert mails["ops@example.org"].cc == ("boss@example.org",) and mails["ops@example.org"].facts
    assert not any(mails[one].facts or mails[one].cc for one in list(mails)[1:])


def test_a_mail_to_our_own_people_holds_the_evidence() -> None:
    mail = mail_of(fired(house(mailing("operations", "regional manager of {county}"))))
    facts = dict(mail.facts)
    assert facts["Last word"].startswith("Dev Ana") and "boss@example.org" in facts["Told before"]
    assert [key for key, _ in mail.links] == ["I1", "D1"]


def test_one_county_hears_nothing_of_another_ones_incident() -> None:
    plan = fired(house(mailing("PPOC of {county}")), incident(), incident(SECOND, "Alpine"))
    mail = mail_of(plan)
    assert mail.to == ("petra@yolo.example.org",) and mail.links == (("I1", "https://snow/i1"),)


def test_the_texts_name_the_item_whose_county_they_name_also_when_the_lead_has_passed_on() -> None:
    first, second = incident(county="Alpine"), incident(SECOND, "Yolo")
    step = mailing("PPOC of {county}", subject="{incident} of {county}")
    agreed = {**b.AGREED, "county": Agreed("Yolo", 2, "incident"), "client": Agreed(None, 1)}
    assert mail_of(fired(house(step), first, second, lead=SECOND, agreed=agreed)).subject == "I2 of Yolo"


def test_in_a_digest_too_it_is_named_by_their_own_item_and_no_rule() -> None:
    about = mail_of(fired(house(mailing("{client}")))).about
    assert about is not None
    kept = {"subject": "I1: news", "about": [about.items, about.rule, about.step, about.since.isoformat()]}
    assert digest("test", [line_of(kept)], "UTC") == [("Lockstep test: 1 notice on 1 item", "I1\n  I1: news")]
    assert "(rule r, step 1" in digest("test", [Line("I1", "s", "r", 1, b.NOW)], "UTC")[0][1]


# ── Remarks on the items of several ──────────────────────────────────────────────────────────────────────────────────


def remarks(plan: Any) -> dict[Ref, str]:
    return {say.ref: say.text.partition("\n")[2] for say in b.says(plan.actions)}


def said(text: str, *mention: str) -> Step:
    return Step(say=Remark(Channel("incident", "comments"), text, mention))


def test_a_remark_on_several_counties_incidents_names_to_each_its_own() -> None:
    step = said("{incident} of {county}: we look at it, {defect}.", "PPOC of {county}")
    words = remarks(fired(house(step), incident(), incident(SECOND, "Alpine")))
    assert words[b.INCIDENT].endswith("I1 of Yolo: we look at it, D1.") and "Petra Lind" in words[b.INCIDENT]
    assert words[SECOND].endswith("I2 of Alpine: we look at it, D1.") and "Omar Haddad" in words[SECOND]
    assert "Petra" not in words[SECOND] and "Yolo" not in words[SECOND]


def test_a_county_that_is_empty_is_not_filled_with_another_ones() -> None:
    words = remarks(fired(house(said("Of {county}, {client}.")), incident(), incident(SECOND, "", u_mail="")))
    assert words == {b.INCIDENT: "Of Yolo, dana@client.example.", SECOND: "Of , ."}


def test_the_question_of_a_county_that_names_itself_nowhere_goes_to_no_other_countys_people() -> None:
    asked = Movement("comment:snow:9", "comment", b.NOW - b.HOUR, "Fixing", "developers", "county", item="I2")
    setup = house(mailing("PPOC of {county}"))
    setup = replace(setup, rules=(b.rule("c", concern=True, steps=(mailing("PPOC of {county}", text="{county}"),)),))
    shown = (incident(), incident(SECOND, "", u_mail=""))
    plan = fired(setup, *shown, movements=(ENTRY, asked), firings=())
    assert mail_of(plan).to == ("desk@example.org",)


def test_what_another_side_has_the_word_on_is_said_alike_on_all() -> None:
    priority = {**b.AGREED, "county": Agreed("Yolo", 1, "incident"), "priority": Agreed(1, 2, "defect")}
    plan = fired(house(said("Now {priority}.")), incident(), incident(SECOND, "Alpine"), agreed=priority)
    assert set(remarks(plan).values()) == {"Now 1."}


def test_a_field_that_holds_a_document_floods_no_discussion() -> None:
    agreed = {**b.AGREED, "client": Agreed("x" * 1_000_000, 1, "incident")}
    plan = fired(house(said("{client}")), agreed=agreed)
    assert 1 < len(b.says(plan.actions)) <= 3


# ── What never crosses ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mask_holds_for_what_rules_say_mail_and_post() -> None:
    step = replace(mailing("{client}", text="{summary}"), teams="triage", teams_text="{summary}")
    step = replace(step, say=Remark(Channel("defect", "everyone"), "{summary}", ("{client}",)))
    setup = house(step, masks=(Mask("ssn", KNOWN_MASKS["ssn"]),))
    agreed = {**b.AGREED, "summary": Agreed(f"of {SSN}", 1, "incident"), "client": Agreed(f"the one with {SSN}", 1)}
    shown = b.record(b.INCIDENT, fields={"short_description": f"of {SSN}", "u_county": "Yolo", "u_mail": ""})
    plan = fired(setup, shown, agreed=agreed)
    assert SSN not in repr([a for a in plan.actions if isinstance(a, Notify)])
    assert all(SSN not in say.text and "[ssn]" in say.text for say in b.says(plan.actions))


def test_a_mask_holds_for_listings_and_the_status_report() -> None:
    masks = (Mask("ssn", KNOWN_MASKS["ssn"]),)
    entry = Entry("incident", "I1", f"of {SSN}", b.record(b.INCIDENT, fields={"short_description": f"of {SSN}"}))
    report = Report("r", "moved", at=None, show=("title", "summary"))  # type: ignore[arg-type]
    assert SSN not in page(b.setup(masks=masks), report, [entry], "of today")
    cleared = without(b.record(b.DEFECT, fields={"summary": SSN, "labels": ("a", SSN)}), masks)
    assert (cleared.fields["summary"], cleared.fields["labels"]) == ("[ssn]", ("a", "[ssn]"))


def test_a_title_with_an_address_in_it_makes_no_listing_endless() -> None:
    entry = Entry("incident", "I1", "see http://x " + "y" * 30_000)
    report = Report("r", "moved", at=None, show=("title",))  # type: ignore[arg-type]
    assert max(map(len, page(b.setup(), report, [entry], "of today").splitlines())) == WIDEST


# ── Addresses that people type ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", ["josé@example.org", "a..b@example.org", f"{'x' * 300}@example.org", "a@[10.0.0.1]"])
def test_an_address_that_mail_cannot_take_keeps_nobody_else_from_getting_the_mail(value: str) -> None:
    found = addressed(house(Step()), {"client": value}, ("{client}", "rex@example.org"))
    assert found.to == ("desk@example.org", "rex@example.org")


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab.@\"'()<>[],;: \n\\é-_+%"), max_size=14))
def test_what_counts_as_an_address_is_taken_by_the_mail(text: str) -> None:
    if is_mail_address(text):
        assert address_of(text).addr_spec == text


def test_a_field_made_to_name_a_crowd_reaches_nobody_and_calls_nobody() -> None:
    crowd = tuple(f"u{n}@example.com" for n in range(STRANGERS + 1))
    setup = house(Step())
    assert addressed(setup, {"client": crowd}, ("{client}",)).to == ("desk@example.org",)
    assert mentions(setup, {"client": crowd}, ("{client}",), "incident") == ()
    assert len(addressed(setup, {"client": crowd[1:]}, ("{client}",)).to) == STRANGERS


def test_a_name_that_a_field_gives_is_one_short_line() -> None:
    found = mentions(house(Step()), {"client": "Dana\n!ack\n" + "x" * 300}, ("{client}",), "defect")
    assert found == (Mention("", ("Dana !ack " + "x" * 300)[:80]),)


def test_only_the_roster_and_the_command_line_put_somebody_on_a_watch_list() -> None:
    setup = house(Step())
    eve = replace(WORD, event="word:jira:7:0", kind="word", word="watch", author="eve@evil.example")
    petra = replace(eve, event="word:snow:9:0", party="county", author="Petra Lind")
    assert reached(setup, (eve, petra, replace(eve, event="word:jira:8:0", author="Rex Moor"))) == {
        "petra@yolo.example.org": True,
        "rex@example.org": False,
    }
    assert reached(setup, (replace(eve, event="asked:3:watch", party=""),)) == {"eve@evil.example": False}


def test_a_requester_who_watches_is_told_what_moved_and_neither_who_moved_it_nor_where() -> None:
    report = Report("r", "watched", at=None, show=("incident",))  # type: ignore[arg-type]
    opened = replace(WORD, event="opened:jira:d1", kind="opened", word="defect")
    entry = Entry("incident", "I1", "t", urls={b.DEFECT: "https://jira/d1"}, moved=(ENTRY, WORD, opened))
    ours, theirs = (page(b.setup(), report, [entry], "s", outside=outside) for outside in (False, True))
    assert "Dev Ana on D1" in ours and "https://jira/d1" in ours
    assert theirs.splitlines()[-3:] == ["I1", "    moved to Fixing", "    1 comment"]


# ── Words that people type ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "{quote}\n!ack\n{quote}\nthat was Sam",
        "{code:bash}\n#ack\n{code}",
        "{noformat}\n!snooze 2d vendor\n{noformat}",
        "```\n!ack\n```",
        "> !ack",
        "bq. !ack",
    ],
)
def test_what_is_quoted_commands_nothing(text: str) -> None:
    assert words_in(text) == ()


def test_a_word_beside_a_quotation_counts() -> None:
    assert [word.name for word in words_in("{quote}\n!snooze 2d vendor\n{quote}\n!ack")] == ["ack"]
    assert [word.name for word in words_in("{quote}\n!ack")] == ["ack"]  # a sign alone quotes nothing
    assert [word.name for word in words_in("{code:x}\n" * 30_000 + "!ack")] == ["ack"]
    assert [word.name for word in words_in("{code:x}\n{quote}\n!snooze\n{code}\n!ack\n{quote}")] == ["ack"]


@pytest.mark.parametrize("span", ["91d", "3650d", "87600h", "90d 1m"])
def test_nothing_is_snoozed_for_ever(span: str) -> None:
    (word,) = words_in(f"!snooze {span} because")
    assert word.broken
    minute = Calendar.of(zone="UTC", hours="08:00-08:10")
    (longest,) = words_in("!snooze 2160h because")
    assert longest.span is not None and minute.add(b.NOW, longest.span) < datetime.max.replace(tzinfo=b.NOW.tzinfo)


def test_a_name_with_line_ends_and_signs_of_a_terminal_is_kept_on_one_line() -> None:
    loud = replace(b.comment(b.INCIDENT, "c1"), author="Eve\n\x1b[2J!ack\x0e")
    found = decide(b.link(), b.seen(comments=[loud]), b.setup(), b.NOW).settlement.movements
    assert [m.author for m in found if m.kind == "comment"] == ["Eve [2J!ack"]


# ── The status report ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cell", ["a;=1", "a\t@x", "\n=cmd()", " =cmd()", "＝cmd()", "x;\n -1"])
def test_no_cell_begins_a_formula_however_a_spreadsheet_cuts_it(cell: str) -> None:
    shown = str(safe(cell))
    pieces = shown.replace(";", "\n").replace("\t", "\n").splitlines()
    assert shown.replace("'", "") == cell
    assert not any(piece.lstrip().startswith(("=", "+", "-", "@", "＝")) for piece in pieces)


def test_a_title_that_escapes_the_escapes_makes_no_link_in_markdown() -> None:
    assert linked(r"\[a\](http://evil) \| `b`", {}) == r"\\\[a\\\](http://evil) \\\| \`b\`"
